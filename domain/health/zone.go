package health

import (
	"sort"
	"time"

	"github.com/spillway/spillway/domain/policy"
)

// The years a zone's table spans: those in which package order accepts times.
const (
	firstYear = 2000
	lastYear  = 2200
)

// zone finds the day of a moment without asking the time package, which takes several times as long. It is never written after newZone.
type zone struct {
	loc    *time.Location
	starts []int64 // since when (Unix seconds) offsets[i] holds
	offset []int64 // seconds east of UTC
	end    int64   // until when the table holds
}

func newZone(loc *time.Location) zone {
	z := zone{loc: loc, end: time.Date(lastYear+1, 1, 1, 0, 0, 0, 0, time.UTC).Unix()}
	for t := time.Date(firstYear, 1, 1, 0, 0, 0, 0, time.UTC).In(loc); t.Unix() < z.end; {
		_, offset := t.Zone()
		z.starts, z.offset = append(z.starts, t.Unix()), append(z.offset, int64(offset))
		_, next := t.ZoneBounds()
		if next.IsZero() {
			break
		}
		if !next.After(t) { // at the turn of some far years the time package ends a zone where it begins
			next = t.Add(24 * time.Hour)
		}
		t = next
	}
	return z
}

// day is policy.DayOf.
func (z *zone) day(t time.Time) policy.Day {
	u := t.Unix()
	if u < z.starts[0] || u >= z.end {
		return policy.DayOf(t, z.loc)
	}
	i := sort.Search(len(z.starts), func(i int) bool { return z.starts[i] > u }) - 1
	return policy.Day((u + z.offset[i]) / 86400) // never negative: the table begins in firstYear
}

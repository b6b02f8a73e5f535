package routing

import (
	"slices"

	"github.com/spillway/spillway/domain/policy/calendar"
)

// roadSpan is the days that a road's business days are counted over: a week before, for vans that have left, and longer after than any
// delivery deadline or journey. A deadline beyond is never missed, one before always.
const (
	roadBefore = 7
	roadSpan   = 200
)

// road counts the business days on which parcels travel: Monday to Friday without a carrier's holidays. A calendar of the policies counts
// a century; this one is made again for every Desk.
type road struct {
	first calendar.Day
	upTo  [roadSpan]int32 // business days up to and with that day
}

func newRoad(today calendar.Day, holidays calendar.Holidays) *road {
	r := &road{first: today - roadBefore}
	var free []calendar.Day
	year := yearOf(r.first)
	for y := year; y <= year+1; y++ {
		var list []calendar.Holiday
		switch holidays {
		case calendar.USFederal:
			list = calendar.FederalHolidays(y)
		case calendar.USPostal:
			list = calendar.PostalHolidays(y)
		}
		for _, h := range list {
			free = append(free, h.Observed)
		}
	}
	n := int32(0)
	for i := range r.upTo {
		d := r.first + calendar.Day(i)
		if w := d.Weekday(); w != 0 && w != 6 && !slices.Contains(free, d) {
			n++
		}
		r.upTo[i] = n
	}
	return r
}

// yearOf is the year of a day.
func yearOf(d calendar.Day) int {
	year := 1970 + int(d)/366 // never later than the day's
	for calendar.Date(year+1, 1, 1) <= d {
		year++
	}
	return year
}

// count is the number of business days up to and with d.
func (r *road) count(d calendar.Day) int32 {
	return r.upTo[min(max(0, d-r.first), roadSpan-1)]
}

// add is the n-th business day after d.
func (r *road) add(d calendar.Day, n int) calendar.Day {
	want := r.count(d) + int32(n)
	for int(d-r.first) < roadSpan-1 && r.count(d) < want {
		d++
	}
	return d
}

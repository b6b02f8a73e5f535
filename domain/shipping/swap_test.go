package shipping

import (
	"testing"

	"pgregory.net/rapid"
)

// A swap changes what is in the parcel and nothing else: as many units of each line, and the channel's ids of units, stay; no line is there twice.
func TestASwapKeepsUnitsAndLines(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := whole("1")
		s.Lines = nil
		for _, item := range []string{"a", "b"} {
			if n := rapid.Int64Range(0, 3).Draw(t, item); n > 0 {
				s.Lines = append(s.Lines, Line{OrderID: "c:1", Key: "k", ItemID: item, Qty: n})
			}
		}
		if len(s.Lines) == 0 {
			return
		}
		s.Lines[0].Units = []string{"u1", "u2"}
		was := append([]Line(nil), s.Lines...)
		ids := func() (units int64, ids int, of map[string]int64) {
			of = map[string]int64{}
			for _, l := range s.Lines {
				if of[l.ItemID] != 0 || l.Qty < 1 {
					t.Fatalf("%+v after %+v", s.Lines, was)
				}
				of[l.ItemID] = l.Qty
				units, ids = units+l.Qty, ids+len(l.Units)
			}
			return units, ids, of
		}
		units, named, before := ids()
		item, by := rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "item"), rapid.SampledFrom([]string{"d", "b"}).Draw(t, "by")
		if item == by {
			return
		}
		n := rapid.Int64Range(0, 4).Draw(t, "n")
		got := s.Swap("c:1", "k", item, by, n)
		after, still, now := ids()
		if got != min(n, before[item]) || after != units || still != named || now[item] != before[item]-got || now[by] != before[by]+got || len(s.Lines[0].Units) != named {
			t.Fatalf("%d of %d %s for %s made %+v of %+v", got, n, item, by, s.Lines, was)
		}
	})
}

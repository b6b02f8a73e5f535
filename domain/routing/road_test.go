package routing

import (
	"testing"
	"time"

	"github.com/spillway/spillway/domain/policy/calendar"
)

// The road's own count agrees with the policies' calendar for every day it holds.
func TestRoadCountsAsCalendarsDo(t *testing.T) {
	for _, h := range []calendar.Holidays{calendar.NoHolidays, calendar.USFederal, calendar.USPostal} {
		c, err := calendar.New(calendar.Spec{Zone: time.UTC, Holidays: h})
		if err != nil {
			t.Fatal(err)
		}
		for _, today := range []calendar.Day{calendar.Date(2026, 11, 22), calendar.Date(2027, 12, 30), calendar.Date(2028, 2, 29), calendar.Date(2026, 1, 3)} {
			r := newRoad(today, h)
			base := today - roadBefore
			for d := base; d < base+roadSpan; d++ {
				if got, want := int(r.count(d)-r.count(base)), c.Between(base, d); got != want {
					t.Fatalf("%s to %s with %s: %d, not %d", base, d, h, got, want)
				}
				if want, _ := c.Add(d, 4); d < base+roadSpan-20 && r.add(d, 4) != want {
					t.Fatalf("4 days after %s: %s, not %s", d, r.add(d, 4), want)
				}
			}
		}
	}
}

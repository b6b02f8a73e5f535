package allocation

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestADayCapIsShownInSteps(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := DayCap{PerDay: rapid.Int64Range(0, 100_000).Draw(t, "per day")}
		was, steps := c.Left(0), 0
		for n := int64(0); n <= c.PerDay+2; n += 1 + c.PerDay/500 {
			left, free := c.Left(n), max(0, c.PerDay-n)
			if int64(left) < free || int64(left) >= 2*max(free, 1) || (left == 0) != (free == 0) {
				t.Fatalf("%d of %d: shows %d", n, c.PerDay, left)
			}
			if left > was {
				t.Fatalf("%d of %d: shows %d after %d", n, c.PerDay, left, was)
			}
			if left != was {
				was, steps = left, steps+1
			}
		}
		if steps > 19 {
			t.Fatalf("%d steps", steps)
		}
	})
}

func TestADayCapKnowsItsDay(t *testing.T) {
	at := time.Date(2026, 3, 8, 12, 0, 0, 0, time.UTC) // clocks go forward in New York
	c := DayCap{PerDay: 5, From: at.Add(-time.Hour), Until: at.Add(time.Hour), Zone: "America/New_York"}
	from, until := c.Day(at)
	if from.UTC() != time.Date(2026, 3, 8, 5, 0, 0, 0, time.UTC) || until.Sub(from) != 23*time.Hour {
		t.Errorf("%v to %v", from, until)
	}
	for d, want := range map[time.Duration]bool{-time.Hour - 1: false, -time.Hour: true, time.Hour - 1: true, time.Hour: false} {
		if c.Holds(at.Add(d)) != want {
			t.Errorf("after %v: %t", d, !want)
		}
	}
	if c.Check() != nil {
		t.Error(c.Check())
	}
	for name, spoil := range map[string]func(*DayCap){"below 0": func(c *DayCap) { c.PerDay = -1 }, "too many": func(c *DayCap) { c.PerDay = MaxDayCap + 1 },
		"no end": func(c *DayCap) { c.Until = c.From }, "no beginning": func(c *DayCap) { c.From = time.Time{} }, "no zone": func(c *DayCap) { c.Zone = "Reno" }} {
		b := c
		if spoil(&b); b.Check() == nil {
			t.Errorf("%s is taken", name)
		}
	}
}

package connector

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/spillway/spillway/connector/driver"
)

// TestPagesOfKnownOrders: what is known reaches the driver, and a page of such a query has its own size.
func TestPagesOfKnownOrders(t *testing.T) {
	known := func(id string) (driver.Seen, bool) { return driver.Seen{Ordered: 7}, id == "1" }
	for name, tc := range map[string]struct {
		knownPage, ask int
		known          func(string) (driver.Seen, bool)
		want           int
	}{
		"nothing known":                    {knownPage: 250, want: 5},
		"known":                            {knownPage: 250, known: known, want: 250},
		"known, fewer asked for":           {knownPage: 250, ask: 3, known: known, want: 3},
		"known, too many asked for":        {knownPage: 250, ask: 999, known: known, want: 250},
		"known, and the driver has no own": {known: known, want: 5},
	} {
		f := &fake{limits: driver.Limits{Default: 1000, Burst: 100, OrderIDs: 3, OrderPage: 5, KnownPage: tc.knownPage, ReadQuantities: 2, SetQuantities: 4, MaxQuantity: 1000}}
		s := session(t, f)
		if _, err := s.Orders(t.Context(), driver.OrderQuery{Limit: tc.ask, Known: tc.known}); err != nil {
			t.Fatal(err)
		}
		if f.asked.Limit != tc.want {
			t.Errorf("%s: a page of %d, want %d", name, f.asked.Limit, tc.want)
		}
		for _, err := range s.OrderPages(t.Context(), time.Time{}, tc.known) {
			if err != nil {
				t.Fatal(err)
			}
		}
		if (f.asked.Known != nil) != (tc.known != nil) {
			t.Errorf("%s: the driver is told of something known: %v", name, f.asked.Known != nil)
		} else if tc.known != nil {
			if seen, ok := f.asked.Known("1"); !ok || seen.Ordered != 7 {
				t.Errorf("%s: the driver is told %+v", name, seen)
			}
		}
	}
}

// A walk that has pages behind it waits out a throttled channel; one that has not begun leaves it to the caller, and a dead channel
// is waited for by neither.
func TestAWalkUnderWayWaitsForItsPage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{pages: func(cursor string) driver.ListingPage {
			return driver.ListingPage{Next: map[string]string{"": "second", "second": "third"}[cursor]}
		}}
		busyAt, refusals := 2, 12 // more than one call repeats
		f.call = func(context.Context, driver.Operation) error {
			if n := f.count(); n >= busyAt && n < busyAt+refusals {
				return &driver.Error{Class: driver.RetryAfter, After: time.Second}
			}
			return nil
		}
		walk := func() (n int, last error) {
			for _, last = range session(t, f).ListingPages(t.Context()) {
				n++
			}
			return n, last
		}
		if n, err := walk(); n != 3 || err != nil || f.count() != 3+refusals {
			t.Errorf("%d pages after %d calls: %v", n, f.count(), err)
		}
		busyAt, refusals = f.count()+1, 1000
		if n, err := walk(); n != 1 || driver.ClassOf(err) != driver.RetryAfter {
			t.Errorf("a walk that has not begun: %d pages, %v", n, err)
		}
		busyAt = f.count() + 2
		start := time.Now()
		if n, err := walk(); n != 2 || driver.ClassOf(err) != driver.RetryAfter || time.Since(start) > 2*walkPatience {
			t.Errorf("a channel that stays busy: %d pages, %v, after %v", n, err, time.Since(start))
		}
	})
}

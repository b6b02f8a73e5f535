package connector

import (
	"testing"
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

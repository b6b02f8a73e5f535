package drivertest

import (
	"testing"
	"time"

	"github.com/spillway/spillway/connector"
	"github.com/spillway/spillway/connector/driver"
	"github.com/spillway/spillway/domain/order"
)

// testKnown demands that OrderQuery.Known leaves out nothing that is new for stock, even where the change bears the same time as
// what is known, and that orders left out count for paging.
func testKnown(t *testing.T, h *Harness) {
	h.supports(t, "order poll")
	start := h.now().Add(-time.Minute)
	same, s := h.place(t, ordersPlaced), h.open(t)
	changes := map[string]func(*testing.T, string){"cancelled": h.Cancel, "sent": h.Ship, "less one unit": h.TakeOff}
	changed := map[string]string{}
	for name, change := range changes {
		if change != nil {
			changed[h.Place(t, h.SKUs[0], 2)] = name
		}
	}
	known := map[string]driver.Seen{}
	for _, f := range allOrders(t, s, start) {
		seen, ok := driver.SeenOf(f)
		if !ok {
			t.Fatalf("order %s is not a full snapshot", f.ExternalID)
		}
		known[f.ExternalID] = seen
	}
	want := map[string]order.Fact{}
	for id, name := range changed {
		changes[name](t, id)
		now, err := s.OrdersByID(t.Context(), []string{id})
		if err != nil || len(now) != 1 {
			t.Fatalf("OrdersByID: %d orders, %v", len(now), err)
		}
		want[id] = now[0]
		seen := known[id] // as if both states had been of one moment
		seen.UpdatedAt, seen.ReadAt = now[0].UpdatedAt, now[0].UpdatedAt
		known[id] = seen
	}
	fresh := h.Place(t, h.SKUs[1], 1)
	got, _ := h.knownOrders(t, s, start, known)
	for id, f := range want {
		g, there := got[id]
		if !there {
			t.Errorf("the order that was %s within the moment is left out", changed[id])
			continue
		}
		if a, b := hash(t, f), hash(t, g); a != b {
			t.Errorf("the order that was %s reads as another: %+v, want %+v", changed[id], g, f)
		}
	}
	if _, there := got[fresh]; !there {
		t.Error("an order nobody knows is left out")
	}
	var newest time.Time
	for _, f := range allOrders(t, s, start) {
		known[f.ExternalID], _ = driver.SeenOf(f)
		newest = later(newest, f.UpdatedAt)
	}
	if _, to := h.knownOrders(t, s, start, known); !to.Equal(newest) {
		t.Errorf("with everything known the pages come to %v, the newest change is of %v: the next sweep begins there", to, newest)
	}
	for _, id := range same { // may be left out; if not, it is as it was
		if f, there := got[id]; there {
			if seen, _ := driver.SeenOf(f); seen.Status != known[id].Status || seen.Ordered != known[id].Ordered {
				t.Errorf("unchanged order %s is now %+v, was %+v", id, seen, known[id])
			}
		}
	}
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// knownOrders walks every order from a time on, three a page, telling what is known. to is the newest change it came to.
func (h *Harness) knownOrders(t *testing.T, s *connector.Session, from time.Time, known map[string]driver.Seen) (found map[string]order.Fact, to time.Time) {
	t.Helper()
	got := map[string]order.Fact{}
	q := driver.OrderQuery{UpdatedFrom: from, Limit: 3, Known: func(id string) (driver.Seen, bool) { seen, ok := known[id]; return seen, ok }}
	for range ordersPlaced + len(known) { // orders that are left out count, so there are fewer pages than orders
		page, err := s.Orders(t.Context(), q)
		if err != nil {
			t.Fatalf("Orders: %v", err)
		}
		if len(page.Orders) > q.Limit {
			t.Fatalf("a page of at most %d has %d orders", q.Limit, len(page.Orders))
		}
		to = later(to, page.ChangedTo)
		for _, f := range page.Orders {
			got[f.ExternalID] = f
			if page.ChangedTo.IsZero() {
				to = later(to, f.UpdatedAt)
			}
		}
		if q.Cursor = page.Next; q.Cursor == "" {
			return got, to
		}
	}
	t.Fatal("the pages do not come to an end")
	return nil, to
}

func hash(t *testing.T, f order.Fact) string {
	t.Helper()
	h, err := f.Hash()
	if err != nil {
		t.Fatal(err)
	}
	return h
}

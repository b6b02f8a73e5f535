package drivertest

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spillway/spillway/connector/driver"
	"github.com/spillway/spillway/domain/order"
)

// ordersPlaced makes more orders than fit on two pages of three.
const ordersPlaced = 7

func (h *Harness) now() time.Time {
	if h.Now != nil {
		return h.Now()
	}
	return time.Now()
}

func (h *Harness) place(t *testing.T, n int) []string {
	t.Helper()
	var ids []string
	for i := range n {
		ids = append(ids, h.Place(t, h.SKUs[i%len(h.SKUs)], 1+i%2))
	}
	return ids
}

func testOrders(t *testing.T, h *Harness) {
	h.supports(t, "order poll")
	start := h.now().Add(-time.Minute)
	ids := h.place(t, ordersPlaced)
	s := h.open(t)
	var got []order.Fact
	cursor := ""
	for range 20 {
		page, err := s.Orders(t.Context(), driver.OrderQuery{UpdatedFrom: start, Cursor: cursor, Limit: 3})
		if err != nil {
			t.Fatalf("Orders: %v", err)
		}
		if len(page.Orders) > 3 {
			t.Fatalf("a page of at most 3 has %d orders", len(page.Orders))
		}
		got = append(got, page.Orders...)
		if cursor = page.Next; cursor == "" {
			break
		}
	}
	var found []string
	for i, f := range got {
		found = append(found, f.ExternalID)
		if f.Kind != order.Snapshot || f.Detail == nil || f.ConnectionID != h.Connection.ID || f.ReadAt.IsZero() {
			t.Fatalf("order %s is not a full snapshot of this connection: %+v", f.ExternalID, f)
		}
		if i > 0 && f.UpdatedAt.Before(got[i-1].UpdatedAt) {
			t.Errorf("order %s (%v) comes after %v", f.ExternalID, f.UpdatedAt, got[i-1].UpdatedAt)
		}
		if _, _, err := order.Merge(nil, f); err != nil {
			t.Errorf("order %s: %v", f.ExternalID, err)
		}
	}
	for _, id := range ids {
		if !slices.Contains(found, id) {
			t.Errorf("order %s was placed and is not among %v", id, found)
		}
	}
	// From the last change on, with an overlap, the last order must still be there: nothing may slip between two polls.
	last := got[len(got)-1]
	again := allOrders(t, s, last.UpdatedAt)
	if !slices.ContainsFunc(again, func(f order.Fact) bool { return f.ExternalID == last.ExternalID }) {
		t.Errorf("the order changed at %v is not found from that time on: the bound must be included", last.UpdatedAt)
	}
	if far := allOrders(t, s, h.now().Add(time.Hour)); len(far) != 0 {
		t.Errorf("%d orders changed in the future", len(far))
	}
}

func testOrdersByID(t *testing.T, h *Harness) {
	ids := h.place(t, 3)
	s := h.open(t)
	asked := append(slices.Clone(ids), "999999999999999999") // one the channel does not know
	got, err := s.OrdersByID(t.Context(), asked)
	if err != nil {
		t.Fatalf("OrdersByID: %v", err)
	}
	if len(got) != len(ids) {
		t.Fatalf("%d orders for %d known ids and an unknown one", len(got), len(ids))
	}
	for i, f := range got {
		if f.Kind != order.Snapshot || !slices.Contains(ids, f.ExternalID) {
			t.Errorf("order %d is %s of kind %s", i, f.ExternalID, f.Kind)
		}
		if units := unitsOf(f); units != int64(1+slices.Index(ids, f.ExternalID)%2) {
			t.Errorf("order %s has %d units, placed with %d", f.ExternalID, units, 1+slices.Index(ids, f.ExternalID)%2)
		}
	}
	// More ids than one request takes are asked for in portions.
	many := make([]string, 0, h.Vendor.Describe().Limits.OrderIDs+len(ids))
	for range h.Vendor.Describe().Limits.OrderIDs {
		many = append(many, ids[0])
	}
	if got, err = s.OrdersByID(t.Context(), append(many, ids[1:]...)); err != nil || len(got) < len(ids) {
		t.Errorf("OrdersByID beyond one request: %d orders, %v", len(got), err)
	}
	if got, err = s.OrdersByID(t.Context(), nil); err != nil || len(got) != 0 {
		t.Errorf("OrdersByID of nothing: %d orders, %v", len(got), err)
	}
}

func unitsOf(f order.Fact) int64 {
	var n int64
	for _, l := range f.Detail.Lines {
		n += max(l.Qty, int64(len(l.Units)))
	}
	return n
}

func testOrderFactsRepeat(t *testing.T, h *Harness) {
	start := h.now().Add(-time.Minute)
	id := h.Place(t, h.SKUs[0], 2)
	s := h.open(t)
	searched := func() order.Fact {
		for _, f := range allOrders(t, s, start) {
			if f.ExternalID == id {
				return f
			}
		}
		t.Fatalf("order %s is not found", id)
		return order.Fact{}
	}
	first, second := searched(), searched()
	byID, err := s.OrdersByID(t.Context(), []string{id})
	if err != nil || len(byID) != 1 {
		t.Fatalf("OrdersByID: %d orders, %v", len(byID), err)
	}
	for what, f := range map[string]order.Fact{"again": second, "by id": byID[0]} {
		a, errA := first.Hash()
		b, errB := f.Hash()
		if errA != nil || errB != nil {
			t.Fatalf("Hash: %v, %v", errA, errB)
		}
		f.ReadAt = first.ReadAt
		if a != b {
			t.Errorf("the order read %s is another fact:\n%s", what, cmp.Diff(first, f))
		}
	}
	known, _, err := order.Merge(nil, first)
	if err != nil {
		t.Fatalf("Merge: %v", err)
	}
	_, changes, err := order.Merge(&known, byID[0])
	if err != nil || changes.Any() {
		t.Errorf("reading the same order again changes %+v, %v", changes, err)
	}
}

func testCancelled(t *testing.T, h *Harness) {
	id := h.Place(t, h.SKUs[1], 1)
	s := h.open(t)
	read := func() order.Order {
		got, err := s.OrdersByID(t.Context(), []string{id})
		if err != nil || len(got) != 1 {
			t.Fatalf("OrdersByID: %d orders, %v", len(got), err)
		}
		o, _, err := order.Merge(nil, got[0])
		if err != nil {
			t.Fatalf("Merge: %v", err)
		}
		return o
	}
	if before := read(); before.Status == order.Cancelled || before.Status == "" {
		t.Fatalf("a new order has the status %q", before.Status)
	}
	h.Cancel(t, id)
	after := read()
	if after.Status != order.Cancelled {
		t.Fatalf("a cancelled order has the status %q (%s)", after.Status, after.StatusText)
	}
	for _, l := range after.Lines {
		if l.Cancelled != l.Qty {
			t.Errorf("of line %s %d of %d units are cancelled", l.Key, l.Cancelled, l.Qty)
		}
	}
}

package driver_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spillway/spillway/connector/driver"
	"github.com/spillway/spillway/domain/order"
)

// A stored order leaves what its last snapshot left, so that a process that takes a shop over need not read it again.
func TestAStoredOrderLeavesWhatItsSnapshotLeft(t *testing.T) {
	at := time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	snapshot := order.Fact{Kind: order.Snapshot, ConnectionID: "shop", ExternalID: "1", UpdatedAt: at, ReadAt: at.Add(time.Second), Status: order.AwaitingShipment,
		StatusText: "PAID/UNFULFILLED", Detail: &order.Detail{Fulfilment: order.BySeller, CreatedAt: at, Lines: []order.Line{
			{ExternalLineID: "l1", ExternalSKU: "s1", Qty: 3, Cancelled: 1},
			{ExternalSKU: "s2", Qty: 2, Units: []order.Unit{{ExternalLineID: "u1", Status: order.AwaitingShipment}, {ExternalLineID: "u2", Status: order.Cancelled, Cancelled: true}}},
		}}}
	stored, _, err := order.Merge(nil, snapshot)
	if err != nil {
		t.Fatal(err)
	}
	want, whole := driver.SeenOf(snapshot)
	got, known := driver.SeenIn(&stored)
	want.ReadAt = time.Time{}
	if diff := cmp.Diff(want, got); diff != "" || !whole || !known {
		t.Errorf("whole %t, known %t: %s", whole, known, diff)
	}

	later, _, err := order.Merge(&stored, order.Fact{Kind: order.StatusNotice, ConnectionID: "shop", ExternalID: "1", UpdatedAt: at.Add(time.Minute), Status: order.InTransit, StatusText: "SENT"})
	if err != nil {
		t.Fatal(err)
	}
	if seen, known := driver.SeenIn(&later); known {
		t.Errorf("a later notice said more, and %+v counts as all that is known", seen)
	}
	if seen, known := driver.SeenIn(&order.Order{}); known {
		t.Errorf("of an order never read %+v is known", seen)
	}
}

package ops

import (
	"strconv"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/spillway/spillway/domain/allocation"
	"github.com/spillway/spillway/domain/catalog"
	"github.com/spillway/spillway/domain/order"
	"github.com/spillway/spillway/domain/stock"
)

func snapshotOf(id string, at time.Time, status order.Status) order.Fact {
	return order.Fact{Kind: order.Snapshot, ConnectionID: "c", ExternalID: id, UpdatedAt: at, ReadAt: at, Status: status,
		Detail: &order.Detail{Fulfilment: order.BySeller, CreatedAt: at}}
}

func TestASweepTakesInOnlyWhatIsNew(t *testing.T) {
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	var r recent
	seen := snapshotOf("1", at, order.AwaitingShipment)
	r.add([]order.Fact{seen})
	again := seen
	again.ReadAt = at.Add(time.Minute) // read again, nothing new
	if got := r.fresh([]order.Fact{again}); len(got) != 0 {
		t.Errorf("an unchanged order is taken in again: %v", got)
	}
	changed := snapshotOf("1", at, order.InTransit) // another state within the same second
	if got := r.fresh([]order.Fact{changed, snapshotOf("2", at, order.AwaitingShipment)}); len(got) != 2 {
		t.Errorf("%d of 2 news taken in", len(got))
	}
	r.forget([]string{"1"}) // a notice left something open: whatever comes next counts
	if got := r.fresh([]order.Fact{again}); len(got) != 1 {
		t.Error("after a notice the next snapshot must be merged")
	}
	for i := range 3 * keepRecent {
		r.add([]order.Fact{snapshotOf("x"+strconv.Itoa(i), at, order.Unpaid)})
	}
	if n := len(r.now) + len(r.old); n > 2*keepRecent {
		t.Errorf("%d orders are remembered: the memory is not bounded", n)
	}
}

func TestANumberIsDividedWhole(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(2, 5).Draw(t, "warehouses")
		cat := &catalogue{items: map[string]catalog.Item{"i": {ID: "i", SKU: "i"}}}
		l := catalog.Listing{ID: "c:s", ConnectionID: "c", ItemID: "i"}
		held := map[string][]stock.Balance{}
		for k := range n {
			place := "w" + strconv.Itoa(k)
			l.Locations = append(l.Locations, "ext-"+place)
			if rapid.Bool().Draw(t, "tied") {
				cat.locations = append(cat.locations, stock.Location{ID: place, Kind: stock.Own, Active: true, ExternalRefs: map[string]string{"c": "ext-" + place}})
				held["i"] = append(held["i"], stock.Balance{ItemID: "i", LocationID: place, OnHand: rapid.Int64Range(0, 1000).Draw(t, "units")})
			}
		}
		p := allocation.Push{Kind: allocation.Absolute, Quantity: rapid.IntRange(0, 5000).Draw(t, "quantity")}
		var sum int64
		parts := split(cat, l, p, held)
		for place, units := range parts {
			if units < 0 {
				t.Fatalf("%s gets %d", place, units)
			}
			sum += units
		}
		if sum != int64(p.Quantity) || len(parts) != n {
			t.Fatalf("%v: %d of %d units over %d of %d warehouses", parts, sum, p.Quantity, len(parts), n)
		}
	})
}

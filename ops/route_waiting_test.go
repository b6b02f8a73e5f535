package ops

import (
	"testing"
	"time"

	"github.com/spillway/spillway/domain/network"
	"github.com/spillway/spillway/domain/order"
	"github.com/spillway/spillway/domain/stock"
	"github.com/spillway/spillway/ops/view"
	"github.com/spillway/spillway/store"
)

// edit changes an order as it is stored.
func (r *rig) edit(id string, change func(*order.Order)) {
	r.t.Helper()
	r.must(r.st.Update(r.t.Context(), func(tx *store.Tx) error {
		got, err := tx.OrdersForUpdate([]string{id})
		if err != nil {
			return err
		}
		change(&got[0])
		return tx.OrdersSave(got)
	}))
}

// An order that was first heard of when a part of it had shipped elsewhere ships the rest.
func TestTheRestOfAnOrderThatWasShippedInPartElsewhereIsRouted(t *testing.T) {
	rigOnBoth(t, func(t *testing.T, r *rig) {
		id := r.sell("S1", 3)
		r.edit(id, func(o *order.Order) {
			o.Status = order.PartiallyShipping
			o.Fates = []order.Fate{{ID: o.Lines[0].ExternalLineID, Left: 1}}
		})
		r.network(0)
		for range 2 { // the second changes nothing
			_, err := r.x.RouteWaiting(t.Context())
			r.must(err)
		}
		told, live, held := r.standing(id)
		if len(live) != 1 || live[0].Lines[0].Qty != 2 || told.Left != 0 || held["main"] != 2 {
			t.Errorf("%+v, left %d, held %v", live, told.Left, held)
		}
	})
}

// An order that cannot be routed holds up none of those behind it, and is not told of again and again.
func TestOneThatCannotBeRoutedHoldsUpNoOther(t *testing.T) {
	r := newRig(t)
	ids := []string{r.sell("S1", 1), r.sell("S1", 1), r.sell("S1", 1)}
	r.edit(min(ids[0], ids[1], ids[2]), func(o *order.Order) { o.Totals.Total.Minor = -1 })
	r.network(0)
	for range 2 {
		_, err := r.x.RouteWaiting(t.Context())
		r.must(err)
	}
	for _, id := range ids {
		if _, live, _ := r.standing(id); (len(live) == 1) != (id != min(ids[0], ids[1], ids[2])) {
			t.Errorf("%s has %d parcels", id, len(live))
		}
		r.must(r.st.View(t.Context(), func(tx *store.Tx) error {
			rows, err := tx.EventsOf(id, 100)
			for _, e := range rows {
				if e.Kind == EventUnrouted {
					t.Errorf("%s is told of: %s", id, e.Data)
				}
			}
			return err
		}))
	}
}

// A platform's warehouse is a node, and has what an order wants: what the platform has left to the seller leaves from elsewhere all the same.
func TestAPlatformsWarehouseShipsNothingThatWasLeftToTheSeller(t *testing.T) {
	r := newRig(t)
	r.network(0)
	r.must(r.st.Update(t.Context(), func(tx *store.Tx) error {
		if err := tx.LocationPut(stock.Location{ID: "fbt", Name: "Platform", Kind: stock.FBT, Serves: []string{r.conn}, Active: true}); err != nil {
			return err
		}
		n := network.Node{ID: "fbt", Name: "PLATFORM", Kind: network.FBT, Active: true, Zone: "America/New_York", Place: network.Place{Country: "US", State: "NY", Postal: "10001"},
			Lanes: []network.Lane{{Carrier: "Platform", Days: [10]int{1, 1, 1, 1, 1, 1, 1, 1, 1, 1}}}}
		for day := time.Sunday; day <= time.Saturday; day++ {
			n.Shifts = append(n.Shifts, network.Shift{Weekday: day, From: 0, Until: 86399, PerHour: 100})
		}
		return tx.NodePut(n, 0, "lena")
	}))
	r.must(r.x.reloadCatalogue(t.Context()))
	r.did(r.d.AdjustStock(t.Context(), view.StockDraft{ID: "fbt-mugs", Kind: "receive", ItemID: "MUG", LocationID: "fbt", Qty: 50, Actor: "lena"}))
	r.x.network.mu.Lock()
	r.x.network.made = time.Time{}
	r.x.network.mu.Unlock()
	id := r.sell("S1", 2)
	if told, live, held := r.standing(id); len(live) != 1 || live[0].Node != "main" || held["main"] != 2 || told.Left != 0 {
		t.Errorf("%+v %+v %v", told, live, held)
	}
}

package ops

import (
	"slices"
	"testing"

	"github.com/spillway/spillway/domain/order"
	"github.com/spillway/spillway/domain/shipping"
	tiktoksim "github.com/spillway/spillway/sim/tiktok"
	"github.com/spillway/spillway/store"
)

// Units that are cancelled after another part of their order was shipped do not leave all the same, and what was shipped is left alone.
func TestWhatIsCancelledBehindAPartThatShippedDoesNotShip(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		cancel int
		left   int64 // of two lamps, which are still to ship
	}{"one of two": {1, 1}, "all": {2, 0}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			j := newJoint(t, "US", "west")
			id := j.places(tiktoksim.PlaceOptions{}, 2, "MUG", "LAMP")
			of := func(node string) (out []store.Shipment) {
				return slices.DeleteFunc(j.parcels(id), func(p store.Shipment) bool { return p.Node != node })
			}
			pack := func(node string) {
				for _, p := range of(node) {
					if p.Next(j.clock.Now()).Kind == shipping.Pack {
						j.must(p.Pack(shipping.Box{LengthMM: 200, WidthMM: 150, HeightMM: 100, Grams: 400, At: j.clock.Now()}))
						_ = j.st.Update(t.Context(), func(tx *store.Tx) error { return tx.ShipmentsSave([]store.Shipment{p}) })
					}
				}
			}
			j.eventually("the mugs have their label", func() bool {
				j.sweeps()
				pack("main")
				mugs := of("main")
				return len(mugs) == 1 && mugs[0].Label.Fate == shipping.Done && len(of("west")) == 1
			})
			mugs, number := of("main")[0].ID, of("main")[0].Label.Tracking
			j.eventually("the order is known to have shipped in part", func() bool {
				j.sweeps()
				var got []order.Order
				j.must(j.st.View(t.Context(), func(tx *store.Tx) (err error) { got, err = tx.OrdersGet([]string{j.id(id)}); return err }))
				return got[0].Status == order.PartiallyShipping
			})
			j.must(j.sim.CancelUnits(id, "LAMP", c.cancel))
			j.eventually("the lamps that are cancelled do not ship", func() bool {
				j.sweeps()
				var lamps int64
				for _, p := range of("west") {
					for _, l := range p.Lines {
						lamps += l.Qty
					}
				}
				return lamps == c.left
			})
			if now := of("main"); len(now) != 1 || now[0].ID != mugs || now[0].Label.Tracking != number {
				t.Errorf("%+v", now)
			}
			if paid, _ := j.labels(id); paid != 1 {
				t.Errorf("%d labels were paid", paid)
			}
		})
	}
}

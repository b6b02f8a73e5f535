package ops

import (
	"slices"
	"testing"

	"github.com/spillway/spillway/domain/shipping"
	"github.com/spillway/spillway/ops/view"
)

// Where a channel splits orders by item, routing does too: units of one item wait until a place has all of them, instead of leaving from two places in
// parcels the channel would refuse.
func TestAllUnitsOfAnItemLeaveFromOnePlaceWhereTheChannelWantsIt(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		region    string
		undivided bool
	}{{"TH", true}, {"GB", false}} {
		t.Run(c.region, func(t *testing.T) {
			t.Parallel()
			j := newJoint(t, c.region, "west")
			j.did(j.d.AdjustStock(t.Context(), view.StockDraft{ID: "few", Kind: "count", ItemID: "MUG", LocationID: "main", Qty: 2, Actor: "lena"}))
			j.did(j.d.AdjustStock(t.Context(), view.StockDraft{ID: "few-west", Kind: "receive", ItemID: "MUG", LocationID: "west", Qty: 1, Actor: "lena"}))
			a := j.sells("", "MUG", "MUG", "MUG", "LAMP")
			mugs := func() (at []string) {
				for _, s := range j.parcels(a) {
					if slices.ContainsFunc(s.Lines, func(l shipping.Line) bool { return l.ItemID == "MUG" }) {
						at = append(at, s.Node)
					}
				}
				slices.Sort(at)
				return at
			}
			j.eventually("the lamp has a parcel", func() bool { j.sweeps(); return len(j.parcels(a)) > 0 })
			if !c.undivided {
				j.eventually("the mugs leave from both places", func() bool { return slices.Equal(mugs(), []string{"main", "west"}) })
				return
			}
			if at := mugs(); len(at) != 0 {
				t.Fatalf("mugs leave from %v, and no place has three", at)
			}
			j.did(j.d.AdjustStock(t.Context(), view.StockDraft{ID: "more", Kind: "receive", ItemID: "MUG", LocationID: "main", Qty: 5, Actor: "lena"}))
			_, err := j.x.RouteWaiting(t.Context())
			j.must(err)
			if at := mugs(); !slices.Equal(at, []string{"main"}) {
				t.Fatalf("mugs leave from %v", at)
			}
			j.packs(a)
			if paid, numbers := j.labels(a); paid != 2 || len(numbers) != 2 {
				t.Errorf("%d labels, numbers %v", paid, numbers)
			}
		})
	}
}

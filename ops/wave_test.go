package ops

import (
	"testing"

	"github.com/spillway/spillway/domain/routing"
	"github.com/spillway/spillway/domain/shipping"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/ops/view"
	"github.com/spillway/spillway/store"
)

// sound wants every unit held where an order's parcels leave from, and a ledger that adds up.
func (r *rig) sound(ids ...string) {
	r.t.Helper()
	for _, id := range ids {
		_, live, held := r.standing(id)
		for _, s := range live {
			for _, l := range s.Lines {
				held[s.Node] -= l.Qty
			}
		}
		for node, n := range held {
			if n != 0 {
				r.t.Errorf("%s: %d units more are held at %s than leave from there", id, n, node)
			}
		}
	}
	if proof, err := r.x.Prove(r.t.Context()); err != nil || len(proof.Ledger) > 0 {
		r.t.Errorf("%+v %v", proof, err)
	}
}

func TestOrdersOfBeforeThereWereNodesAreRouted(t *testing.T) {
	r := newRig(t)
	old := r.sell("S1", 2)
	if told, live, _ := r.standing(old); len(told.Parts)+len(live) != 0 {
		t.Fatalf("%+v %+v", told, live)
	}
	r.network(3)
	n, err := r.x.RouteWaiting(t.Context())
	r.must(err)
	told, _, _ := r.standing(old)
	if n != 1 || len(told.Parts) != 1 || told.Parts[0].Node != "west" {
		t.Errorf("%d %+v", n, told)
	}
	r.sound(old)
	if n, err := r.x.RouteWaiting(t.Context()); n != 0 || err != nil {
		t.Errorf("routed again for nothing: %d %v", n, err)
	}
}

func TestUnitsThatComeLaterShipLater(t *testing.T) {
	r := newRig(t)
	r.network(0)
	r.did(r.d.AdjustStock(t.Context(), view.StockDraft{ID: "few", Kind: "count", ItemID: "MUG", LocationID: "main", Qty: 1, Actor: "lena"}))
	id := r.sell("S1", 2)
	told, _, _ := r.standing(id)
	if told.Left == 0 && len(told.Parts) == 1 && told.Parts[0].Units == 2 {
		t.Fatalf("there is one: %+v", told)
	}
	r.did(r.d.AdjustStock(t.Context(), view.StockDraft{ID: "more", Kind: "receive", ItemID: "MUG", LocationID: "west", Qty: 5, Actor: "lena"}))
	_, err := r.x.RouteWaiting(t.Context())
	r.must(err)
	told, _, _ = r.standing(id)
	if told.Left != 0 || len(told.Parts) == 0 {
		t.Errorf("%+v", told)
	}
	r.sound(id)
}

func TestWhatAPersonSaidHoldsAndIsSaidOnce(t *testing.T) {
	r := newRig(t)
	r.network(3)
	ctx, id := t.Context(), r.sell("S1", 1)
	over := routing.Override{Nodes: []string{"main"}, By: "lena", Reason: "west is flooded"}
	look, err := r.x.PreviewReroute(ctx, id, over)
	if told, _, held := r.standing(id); err != nil || look.Parts[0].Node != "main" || told.Parts[0].Node != "west" || held["west"] != 1 {
		t.Fatalf("a look changed something: %+v %+v %v", look, told, err)
	}
	for range 2 {
		if _, err := r.x.Reroute(ctx, id, "call-1", over); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := r.x.Reroute(ctx, id, "call-1", routing.Override{Nodes: []string{"west"}, By: "lena", Reason: "dry"}); !errs.Is(err, errs.Conflict) {
		t.Errorf("the id of another change: %v", err)
	}
	version := func() (v int64) {
		r.must(r.st.View(ctx, func(tx *store.Tx) error {
			routes, err := tx.RoutesGet(id)
			v = routes[0].Version
			return err
		}))
		return v
	}
	if version() != 2 {
		t.Errorf("%d routes for one change", version())
	}
	plan, err := r.x.Replan(ctx, nil, true, nil)
	if told, _, _ := r.standing(id); err != nil || plan.Pinned != 1 || told.Parts[0].Node != "main" {
		t.Errorf("%+v %+v %v", plan, told, err)
	}
	if _, err := r.x.Reroute(ctx, id, "", routing.Override{}); err != nil {
		t.Fatal(err)
	}
	if told, _, _ := r.standing(id); told.Parts[0].Node != "west" || len(told.Asked) != 0 {
		t.Errorf("by the rules again: %+v", told)
	}
	r.sound(id)
}

// The first order takes the last two units at the cheap node, one at a time; together another split is cheaper.
func TestAWaveMovesWhatNobodyWorksOn(t *testing.T) {
	r := newRig(t)
	r.network(0)
	ctx := t.Context()
	ids := []string{r.sell("S1", 1), r.sell("S1", 1), r.sell("S1", 2)}
	begun, _, _ := r.standing(ids[0])
	_, live, _ := r.standing(ids[0])
	r.must(r.st.Update(ctx, func(tx *store.Tx) error {
		if err := live[0].Pack(shipping.Box{Grams: 400, At: tx.Now()}); err != nil {
			return err
		}
		return tx.ShipmentsSave(live[:1])
	}))
	r.did(r.d.AdjustStock(ctx, view.StockDraft{ID: "west", Kind: "receive", ItemID: "MUG", LocationID: "west", Qty: 50, Actor: "lena"}))
	look, err := r.x.Replan(ctx, nil, false, nil)
	if err != nil || look.Orders != 2 || look.Started != 0 || look.ToMove != 2 || look.Moved != 0 || look.Best.Total > look.Greedy.Total || look.Lower > look.Best.Total || look.Best.Total >= look.Now {
		t.Fatalf("%+v %v", look, err)
	}
	var heard [][2]int
	did, err := r.x.Replan(ctx, []string{"main", "west"}, true, func(done, total int) { heard = append(heard, [2]int{done, total}) })
	if err != nil || did.Moved != 2 || did.Stayed != 0 || len(heard) != 1 || heard[0] != [2]int{2, 2} {
		t.Fatalf("%+v %v %v", did, heard, err)
	}
	for _, id := range ids[1:] {
		if told, _, held := r.standing(id); told.Parts[0].Node != "west" || held["main"] != 0 || told.Together != 2 || len(told.Candidates) != 2 {
			t.Errorf("%+v %v", told, held)
		}
	}
	if told, _, held := r.standing(ids[0]); told.Parts[0].Shipment != begun.Parts[0].Shipment || held["main"] != 1 {
		t.Errorf("a packed parcel went elsewhere: %+v %v", told, held)
	}
	r.sound(ids...)
	if again, err := r.x.Replan(ctx, nil, true, nil); err != nil || again.ToMove != 0 {
		t.Errorf("%+v %v", again, err)
	}
	if _, err := r.x.Replan(ctx, []string{"nowhere"}, false, nil); !errs.Is(err, errs.Invalid) {
		t.Error(err)
	}
	if _, err := r.x.Replan(ctx, []string{"west"}, false, nil); err != nil {
		t.Error(err)
	}
}

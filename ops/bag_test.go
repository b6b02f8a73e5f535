package ops

import (
	"testing"
	"time"

	"github.com/spillway/spillway/domain/shipping"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/ops/view"
	"github.com/spillway/spillway/sim/world"
	"github.com/spillway/spillway/store"
)

func TestParcelsGoInOneBagOnce(t *testing.T) {
	t.Parallel()
	j := newJoint(t, "TH", "main")
	a, b := j.sells("", "MUG"), j.sells("", "LAMP")
	j.routed(1, a, b)
	j.packs(a, b)
	waiting := func(n int) {
		t.Helper()
		j.eventually("parcels wait for the van", func() bool {
			sum := 0
			for _, node := range []string{"main", "west"} {
				v, err := j.d.HandOver(t.Context(), node)
				j.must(err)
				for _, x := range v.Bag {
					sum += int(x.N)
				}
			}
			return sum == n
		})
	}
	waiting(2)
	draft := view.BagDraft{ID: "bag-1", Node: "main", ConnectionID: j.conn, Actor: "mia", DropOff: true}
	j.did(j.d.MakeBag(t.Context(), draft))
	j.did(j.d.MakeBag(t.Context(), draft)) // sent again
	id, orders, err := j.sim.Bundle(a)
	if err != nil || id == "" || len(orders) != 2 {
		t.Fatalf("%s %v %v", id, orders, err)
	}
	waiting(0)
	draft.ID = "bag-2"
	if _, err := j.d.MakeBag(t.Context(), draft); !errs.Is(err, errs.Conflict) {
		t.Errorf("nothing is left for a second bag: %v", err)
	}
	sheet, err := j.d.FloorSheet(t.Context(), "bag", "bag-1")
	if err != nil || sheet.Type != "application/pdf" || len(sheet.Data) == 0 {
		t.Errorf("%q, %v", sheet.Type, err)
	}

	c := j.sells("", "MUG")
	j.routed(1, c)
	j.packs(c)
	waiting(1)
	if _, err := j.faults.Add(world.Rule{Point: "POST /fulfillment/202510/*", Kind: world.LostReply, Remaining: 1}); err != nil {
		t.Fatal(err)
	}
	if _, err := j.d.MakeBag(t.Context(), draft); err == nil {
		t.Error("an answer that was lost is taken for one")
	}
	waiting(0) // it may be made, so they go in no other
	j.must(j.st.View(t.Context(), func(tx *store.Tx) error {
		bag, ok, err := tx.BagGet("bag-2")
		if !ok || bag.Fate != string(shipping.Unknown) || bag.Why == "" {
			t.Errorf("%+v", bag)
		}
		return err
	}))
	if n := j.bundles(); n != 2 {
		t.Errorf("%d bags are asked for, want 2", n)
	}
	v, err := j.d.HandOver(t.Context(), "main")
	j.must(err)
	if b := v.Bags[0]; b.ID != "bag-2" || !b.Made || b.NotMade || b.Level != view.Bad {
		t.Errorf("%+v", b)
	}
	if _, err := j.d.SettleBag(t.Context(), "bag-2", false, "mia"); !errs.Is(err, errs.Conflict) {
		t.Errorf("the call may still be carried out: %v", err)
	}
	j.did(j.d.SettleBag(t.Context(), "bag-2", true, "mia"))
	j.did(j.d.SettleBag(t.Context(), "bag-2", true, "mia")) // sent again
	waiting(0)
	if _, err := j.d.SettleBag(t.Context(), "bag-2", false, "mia"); !errs.Is(err, errs.Conflict) {
		t.Errorf("it was made: %v", err)
	}
	if _, err := j.d.SettleBag(t.Context(), "bag-9", true, "mia"); !errs.Is(err, errs.NotFound) {
		t.Errorf("there is no such bag: %v", err)
	}
	if v, err = j.d.HandOver(t.Context(), "main"); err != nil || v.Bags[0].Made || v.Bags[0].Level != view.Good {
		t.Errorf("%+v, %v", v.Bags, err)
	}
}

// What somebody has found not to be made frees its parcels for another bag, once nothing can come of the lost call.
func TestABagThatWasNotMadeFreesItsParcels(t *testing.T) {
	t.Parallel()
	j := newJoint(t, "TH", "main")
	a := j.sells("", "MUG")
	j.routed(1, a)
	j.packs(a)
	j.eventually("its parcel waits for the van", func() bool {
		v, err := j.d.HandOver(t.Context(), "main")
		j.must(err)
		return len(v.Bag) == 1 && v.Bag[0].N == 1
	})
	j.must(j.st.Update(t.Context(), func(tx *store.Tx) error {
		all, err := tx.ShipmentsOf(j.id(a))
		if err != nil {
			return err
		}
		_, err = tx.BagAdd(store.Bag{ID: "lost", ConnectionID: j.conn, Node: "main", At: tx.Now().Add(-time.Hour), Orders: []string{j.id(a)}, Parcels: []string{all[0].ID}, Fate: string(shipping.Open), By: "mia"})
		return err
	}))
	draft := view.BagDraft{ID: "next", Node: "main", ConnectionID: j.conn, Actor: "mia"}
	if _, err := j.d.MakeBag(t.Context(), draft); !errs.Is(err, errs.Conflict) {
		t.Errorf("it may be in the other: %v", err)
	}
	v, err := j.d.HandOver(t.Context(), "main")
	if j.must(err); len(v.Bags) != 1 || !v.Bags[0].NotMade {
		t.Errorf("%+v", v.Bags)
	}
	j.did(j.d.SettleBag(t.Context(), "lost", false, "mia"))
	j.did(j.d.MakeBag(t.Context(), draft))
	if id, orders, err := j.sim.Bundle(a); err != nil || id == "" || len(orders) != 1 {
		t.Errorf("%s %v %v", id, orders, err)
	}
}

// bundles counts the bags that were asked for.
func (j *joint) bundles() (n int) {
	for _, r := range j.sim.Requests(0) {
		if r.Method+" "+r.Path == "POST /fulfillment/202510/first_mile_bundle" {
			n++
		}
	}
	return n
}

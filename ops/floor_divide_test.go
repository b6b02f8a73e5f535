package ops

import (
	"slices"
	"strings"
	"testing"

	"github.com/spillway/spillway/domain/catalog"
	"github.com/spillway/spillway/domain/floor"
	"github.com/spillway/spillway/domain/routing"
	"github.com/spillway/spillway/domain/shipping"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/ops/view"
	"github.com/spillway/spillway/store"
)

// What fits into no box is divided at the station: what was scanned goes into the first box, the rest is the parcel the station has next. Both are told to
// the shop, and routing leaves them as they are.
func TestAParcelIsDividedAtTheStation(t *testing.T) {
	rigOnBoth(t, func(t *testing.T, r *rig) {
		r.network(90)
		id := r.sell("S1", 5)
		r.until("it has a parcel", func() bool { _, live, _ := r.standing(id); return len(live) == 1 && live[0].Node == "west" })
		n := strings.TrimPrefix(id, r.conn+":")
		r.packs([3]string{"1", n, "Yours."}, [3]string{"2", codeDivide, "Scan what goes into the first box"}, [3]string{"3", "2*4006381333931", "Counted."},
			[3]string{"4", codeDivide, "The rest, 3 units, is another parcel"}, [3]string{"4", codeDivide, "The rest, 3 units"}) // its answer was lost
		_, live, held := r.standing(id)
		if len(live) != 2 || held["west"] != 5 {
			t.Fatalf("%d parcels, held %v", len(live), held)
		}
		r.packs([3]string{"5", "", "weigh"}, [3]string{"6", "412", "The label."}, [3]string{"7", codeDivide, "all out"}, [3]string{"8", "2*4006381333931", "All in."},
			[3]string{"9", "", "weigh"}, [3]string{"10", "412", "The label."}, [3]string{"11", "TEST-LABEL-0001", "Now the rest of the order."})
		if v, err := r.d.Pack(t.Context(), "west", "one"); err != nil || len(v.Items) != 1 || v.Items[0].Qty != 3 {
			t.Errorf("%v: the station has %+v", err, v.Items)
		}
		_, err := r.x.Reroute(t.Context(), id, "", routing.Override{}) // as when another parcel of it is short
		if !errs.Is(err, errs.Conflict) {
			t.Errorf("routed again: %v", err)
		}
		r.packs([3]string{"12", codeDivide, "Scan what goes"}, [3]string{"13", "3*4006381333931", "All in."}, [3]string{"14", "", "weigh"}, [3]string{"15", "600", "The label."},
			[3]string{"16", "TEST-LABEL-0002", "Packed. Next, please."})
		r.until("the shop knows both", func() bool {
			_, live, _ = r.standing(id)
			return len(live) == 2 && live[0].Tell.Fate == shipping.Done && live[1].Tell.Fate == shipping.Done
		})
		if a, b := live[0].Label.Tracking, live[1].Label.Tracking; a == b || live[0].Box.Grams+live[1].Box.Grams != 1012 {
			t.Errorf("numbers %s and %s, boxes %+v and %+v", a, b, live[0].Box, live[1].Box)
		}
		r.until("it has left", func() bool { _ = r.shop.Scan(n); return r.heldBy(id)["MUG shipped"] == 5 })
		r.balanced()
		v, err := r.d.Order(t.Context(), id)
		r.must(err)
		if !strings.Contains(timelineOf(v), "ships in one parcel more") {
			t.Errorf("the order's page does not tell: %s", timelineOf(v))
		}
	})
}

func timelineOf(v view.OrderPage) string {
	var out []string
	for _, e := range v.Timeline {
		out = append(out, e.Text)
	}
	return strings.Join(out, "\n")
}

// What is missing of a divided order is routed from elsewhere, as of any other; what is packed of it stays.
func TestTheShortPartOfADividedOrderIsRoutedAgain(t *testing.T) {
	rigOnBoth(t, func(t *testing.T, r *rig) {
		r.network(3)
		id := r.sell("S1", 3)
		r.until("it has a parcel", func() bool { _, live, _ := r.standing(id); return len(live) == 1 && live[0].Node == "west" })
		r.packs([3]string{"1", strings.TrimPrefix(id, r.conn+":"), "Yours."}, [3]string{"2", "4006381333931", "Counted."}, [3]string{"3", codeDivide, "The rest, 2 units"},
			[3]string{"4", "", "weigh"}, [3]string{"5", "412", "The label."}, [3]string{"6", "TEST-LABEL-0001", "Now the rest of the order."}, [3]string{"7", codeShort, "Put it on the bench."})
		_, live, held := r.standing(id)
		if len(live) != 2 || held["west"] != 1 || held["main"] != 2 {
			t.Fatalf("held %v, parcels %+v", held, live)
		}
		for _, s := range live {
			if packed := s.Box != nil; packed != (s.Node == "west") || unitsIn(&s.Shipment) != map[bool]int64{true: 1, false: 2}[packed] {
				t.Errorf("%+v", s)
			}
		}
		r.balanced()
	})
}

// In a wave both parcels stay in it, and what is still to be picked is picked for the one that lacks it.
func TestADividedParcelStaysInItsWave(t *testing.T) {
	rigOnBoth(t, func(t *testing.T, r *rig) {
		r.network(90)
		id := r.sell("S1", 4)
		r.until("it has a parcel", func() bool { _, live, _ := r.standing(id); return len(live) == 1 && live[0].Node == "west" })
		_, live, _ := r.standing(id)
		first := live[0].ID
		r.must(r.st.Update(t.Context(), func(tx *store.Tx) error {
			live[0].Wave = "W1"
			if _, err := tx.WavesAdd([]store.FloorWave{{ID: "W1", Node: "west", At: tx.Now()}}, []store.FloorTask{{ID: "T1", Wave: "W1",
				Task: floor.Task{Bin: "A1", Item: "MUG", Feeds: []floor.Feed{{Parcel: first, Qty: 4}}, Picked: 3}}}); err != nil {
				return err
			}
			return tx.ShipmentsSave(live[:1])
		}))
		other, err := r.x.DivideParcel(t.Context(), id, first, map[string]int64{"MUG": 1}, "lena")
		r.must(err)
		r.must(r.st.View(t.Context(), func(tx *store.Tx) error {
			in, err := tx.ShipmentsOfWave("W1", store.ShipmentPlace{}, 10)
			if err != nil || len(in) != 2 {
				t.Errorf("%v: %d parcels in the wave", err, len(in))
			}
			tasks, err := tx.WalksOf("W1")
			if err != nil || len(tasks) != 1 || tasks[0].Qty() != 4 || tasks[0].Left() != 1 || len(tasks[0].Feeds) != 2 || tasks[0].Feeds[1] != (floor.Feed{Parcel: other, Qty: 3}) {
				t.Errorf("%v: %+v", err, tasks)
			}
			return nil
		}))
		if _, err := r.x.DivideParcel(t.Context(), id, first, map[string]int64{"MUG": 1}, "lena"); !errs.Is(err, errs.Invalid) {
			t.Errorf("divided again it leaves nothing: %v", err)
		}
	})
}

// A set is not torn apart, and who routes the order again by hand has one parcel again.
func TestDividingHoldsTogetherWhatIsSoldAsOne(t *testing.T) {
	r := newRig(t)
	r.network(90)
	r.did(r.d.AdjustStock(t.Context(), view.StockDraft{ID: "west-lamps", Kind: "receive", ItemID: "LAMP", LocationID: "west", Qty: 50, Actor: "lena"}))
	r.must(r.x.PutItems(t.Context(), []catalog.Item{{ID: "SET", SKU: "SET", Title: "Two mugs and a lamp", Components: []catalog.Component{{ItemID: "MUG", Qty: 2}, {ItemID: "LAMP", Qty: 1}}}}))

	r.must(r.x.MapListing(t.Context(), r.listing("S1"), "SET", "lena"))
	id := r.sell("S1", 2)
	r.until("it has a parcel", func() bool { _, live, _ := r.standing(id); return len(live) == 1 && len(live[0].Lines) == 2 })
	_, live, _ := r.standing(id)
	if _, err := r.x.DivideParcel(t.Context(), id, live[0].ID, map[string]int64{"MUG": 2}, "lena"); !errs.Is(err, errs.Invalid) {
		t.Errorf("a set is torn apart: %v", err)
	}
	_, err := r.x.DivideParcel(t.Context(), id, live[0].ID, map[string]int64{"MUG": 2, "LAMP": 1}, "lena")
	r.must(err)
	if _, live, _ = r.standing(id); len(live) != 2 || unitsIn(&live[0].Shipment) != 3 || unitsIn(&live[1].Shipment) != 3 {
		t.Fatalf("%+v", live)
	}
	_, err = r.x.Reroute(t.Context(), id, "", routing.Override{By: "lena", Reason: "one box after all"})
	r.must(err)
	if _, live, _ = r.standing(id); len(live) != 1 || unitsIn(&live[0].Shipment) != 6 {
		t.Errorf("%+v", live)
	}
	r.balanced()
}

// The station says before the first scan that it takes several boxes, and what goes into the first; with all in it says so still.
func TestAStationSaysThatItTakesSeveralBoxes(t *testing.T) {
	r := newRig(t)
	r.network(90)
	r.must(r.x.SayHandling(t.Context(), Said{
		Physicals: []ItemSaid{{ItemID: "MUG", Physical: Physical{Grams: 400, LengthMM: 100, WidthMM: 100, HeightMM: 100}}},
		Cartons: []store.Carton{{Carton: catalog.Carton{ID: "B2", Name: "Two mugs", Inner: catalog.Sides{LengthMM: 210, WidthMM: 110, HeightMM: 110},
			Outer: catalog.Sides{LengthMM: 216, WidthMM: 116, HeightMM: 116}, Grams: 100, Active: true}}}}, "lena"))
	id := r.sell("S1", 3)
	r.until("it has a parcel", func() bool { _, live, _ := r.standing(id); return len(live) == 1 && live[0].Node == "west" })
	several := func() string {
		v, err := r.d.Pack(t.Context(), "west", "one")
		r.must(err)
		return v.Several
	}
	r.packs([3]string{"1", strings.TrimPrefix(id, r.conn+":"), "Yours."})
	if say := several(); say != "It takes 2 boxes. Into the first, Two mugs: 2 × ITEM-S1. Scan those, then “Another box”." {
		t.Error(say)
	}
	r.packs([3]string{"2", "3*4006381333931", "All in."})
	if say := several(); !strings.Contains(say, "To divide it, “Another box”.") {
		t.Error(say)
	}
	r.packs([3]string{"3", "", "weigh"}, [3]string{"4", codeDivide, "Take all out."}, [3]string{"5", "2*4006381333931", "Counted."}, [3]string{"6", codeDivide, "The rest, 1 unit,"},
		[3]string{"7", "", "weigh"}, [3]string{"8", "900", "The label."}, [3]string{"9", "TEST-LABEL-0001", "Now the rest of the order."})
	if say := several(); say != "" {
		t.Error(say)
	}
	_, live, _ := r.standing(id)
	if i := slices.IndexFunc(live, func(s store.Shipment) bool { return s.Box != nil }); len(live) != 2 || i < 0 || live[i].Box.Carton != "B2" {
		t.Errorf("%+v", live)
	}
}

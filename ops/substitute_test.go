package ops

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/spillway/spillway/domain/catalog"
	"github.com/spillway/spillway/domain/custody"
	"github.com/spillway/spillway/domain/order"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/ops/view"
	"github.com/spillway/spillway/store"
)

// equalMugs has a mug in a new box stand in for the mug, and west hold some of it.
func (r *rig) equalMugs(west int64) {
	r.t.Helper()
	r.must(r.x.PutItems(r.t.Context(), []catalog.Item{{ID: "MUG-NEW", SKU: "ITEM-S1B", Title: "A mug, new box", Barcode: "4006381333948"}}))
	r.must(r.x.SayHandling(r.t.Context(), Said{Physicals: []ItemSaid{{ItemID: "MUG", Physical: Physical{Equals: []string{"MUG-NEW"}}}}}, "lena"))
	if west > 0 {
		r.did(r.d.AdjustStock(r.t.Context(), view.StockDraft{ID: "west-new", Kind: "receive", ItemID: "MUG-NEW", LocationID: "west", Qty: west, Actor: "lena"}))
	}
}

// heldBy is what an order holds, by item and place.
func (r *rig) heldBy(orderID string) map[string]int64 {
	r.t.Helper()
	out := map[string]int64{}
	r.must(r.st.View(r.t.Context(), func(tx *store.Tx) error {
		rs, err := tx.ReservationsForOrders([]string{orderID})
		for _, x := range rs {
			if x.Held > 0 {
				out[x.ItemID+" at "+x.LocationID] += x.Held
			}
			if x.Shipped > 0 {
				out[x.ItemID+" shipped"] += x.Shipped
			}
			if x.Short+x.Unbooked > 0 {
				out[x.ItemID+" short"] += x.Short + x.Unbooked
			}
		}
		return err
	}))
	return out
}

func (r *rig) onHand(item, place string) int64 {
	r.t.Helper()
	all, err := r.x.balancesAt(r.t.Context(), place)
	r.must(err)
	return all[item].OnHand
}

func (r *rig) balanced() {
	r.t.Helper()
	r.must(r.st.View(r.t.Context(), func(tx *store.Tx) error {
		found, err := tx.LedgerCheck()
		if len(found) > 0 {
			r.t.Error(found)
		}
		return err
	}))
}

// packs sends scans to a station; each is ID, text and what is to be said.
func (r *rig) packs(scans ...[3]string) {
	r.t.Helper()
	for _, s := range scans {
		a, err := r.x.PackScan(r.t.Context(), view.Scan{ID: s[0], Node: "west", Station: "one", Text: s[1], Actor: "ann"})
		r.must(err)
		if !strings.Contains(a.Say, s[2]) {
			r.t.Fatalf("scan %v: %+v", s, a)
		}
	}
}

// What is not found at the station is sent as what the brand has declared equal: the order's units move with it, the page and the log say so, and when the
// channel says that the order has left each item is booked as what it was.
func TestAnEqualItemIsPackedForWhatIsMissing(t *testing.T) {
	rigOnBoth(t, func(t *testing.T, r *rig) {
		r.network(90)
		r.equalMugs(5)
		id := r.sell("S1", 3)
		r.until("it has a parcel", func() bool { _, live, _ := r.standing(id); return len(live) == 1 && live[0].Node == "west" })
		n := strings.TrimPrefix(id, r.conn+":")
		r.packs([3]string{"1", n, "Yours."}, [3]string{"2", "4006381333931", "Counted."},
			[3]string{"3", codeShort, "scan 2 × A mug, new box (ITEM-S1B)"}, [3]string{"3", codeShort, "scan 2 × A mug, new box (ITEM-S1B)"}, // its answer was lost
			[3]string{"4", "4006381333931", "more than it holds"}, [3]string{"5", "2*4006381333948", "All in."},
			[3]string{"6", codeShort, "no box"}, [3]string{"7", "", "weigh"}, [3]string{"8", "412", "412 g."}, [3]string{"9", "TEST-LABEL-0001", "Packed."})
		if diff := cmp.Diff(map[string]int64{"MUG at west": 1, "MUG-NEW at west": 2}, r.heldBy(id)); diff != "" {
			t.Error(diff)
		}
		_, live, _ := r.standing(id)
		if len(live) != 1 || len(live[0].Lines) != 2 || live[0].Lines[0].ItemID != "MUG" || live[0].Lines[1].ItemID != "MUG-NEW" || live[0].Lines[1].Qty != 2 {
			t.Errorf("the parcel is %+v", live)
		}
		r.proves(live[0].ID, custody.ShortPicked, custody.Substituted, custody.Packed, custody.Weighed)
		v, err := r.d.Order(t.Context(), id)
		r.must(err)
		if text := fmt.Sprintf("%+v", v.Timeline); !strings.Contains(text, "2 units of A mug (ITEM-S1) were not there: A mug, new box (ITEM-S1B) is sent instead") {
			t.Errorf("the order's page does not tell: %s", text)
		}
		r.balanced()
		if on := r.onHand("MUG", "west"); on != 88 {
			t.Errorf("%d mugs are in the books of west, 2 of 90 were not found", on)
		}
		r.until("the channel knows its parcel", func() bool { return r.shop.Scan(n) == nil })
		r.until("it has left", func() bool { return r.heldBy(id)["MUG-NEW shipped"] == 2 })
		if diff := cmp.Diff(map[string]int64{"MUG shipped": 1, "MUG-NEW shipped": 2}, r.heldBy(id)); diff != "" {
			t.Error(diff)
		}
		r.balanced()
	})
}

// What stands in may be missing too, or there may be too little of it: then the parcel goes to the bench and the order is routed again, as without equals.
func TestTooFewEqualsSendTheParcelToTheBench(t *testing.T) {
	r := newRig(t)
	r.network(90)
	r.equalMugs(1)
	id := r.sell("S1", 2)
	r.until("it has a parcel", func() bool { _, live, _ := r.standing(id); return len(live) == 1 && live[0].Node == "west" })
	r.packs([3]string{"1", strings.TrimPrefix(id, r.conn+":"), "Yours."}, [3]string{"2", codeShort, "Put it on the bench."})
	if held := r.heldBy(id); held["MUG-NEW at west"] != 0 {
		t.Errorf("%v", held)
	}
	other := r.sell("S1", 1)
	r.until("it has a parcel", func() bool { _, live, _ := r.standing(other); return len(live) == 1 && live[0].Node == "west" })
	r.packs([3]string{"3", strings.TrimPrefix(other, r.conn+":"), "Yours."}, [3]string{"4", codeShort, "scan 1 × A mug, new box"}, [3]string{"5", codeShort, "Put it on the bench."})
	r.balanced()
	r.must(r.shop.Cancel(strings.TrimPrefix(other, r.conn+":")))
	r.until("nothing is held for it", func() bool { return len(r.heldBy(other)) == 0 })
	r.balanced()
}

// A bin that runs out sends the picker to the equal item's bin, at the end of the walk, for the parcels due first; what it does not cover is routed again.
func TestAWavePicksEqualItemsWhereABinRunsOut(t *testing.T) {
	rigOnBoth(t, func(t *testing.T, r *rig) {
		r.network(90)
		r.equalMugs(2)
		r.must(r.x.SayHandling(t.Context(), Said{Bins: map[string]BinsSaid{"west": {Items: []string{"MUG-NEW"}, Bins: []Bin{{Node: "west", ItemID: "MUG-NEW", Code: "B-07", Primary: true}}}}}, "lena"))
		ids := []string{r.sell("S1", 1), r.sell("S1", 2), r.sell("S1", 2)}
		for _, o := range ids {
			r.until("it has a parcel", func() bool { _, live, _ := r.standing(o); return len(live) == 1 && live[0].Node == "west" })
		}
		waves, err := r.x.ReleaseWaves(t.Context(), view.FloorWaveDraft{ID: "draft-1", Node: "west", Actor: "lead"})
		if err != nil || len(waves) != 1 {
			t.Fatal(waves, err)
		}
		for _, s := range []struct {
			id, text string
			qty      int64
			say      string
		}{
			{"1", "ITEM-S1", 1, "4 units still to come."},
			{"2", codeShort, 0, "4 units missing. 1 parcel goes to the bench and routed again. 1 parcel gets A mug, new box (ITEM-S1B) instead, at the end of this walk."},
			{"3", "ITEM-S1", 1, "Expected: A mug, new box (ITEM-S1B) from B-07."},
			{"4", "ITEM-S1B", 2, "This bin is done."},
			{"5", "ITEM-S1B", 1, "This wave is picked."},
		} {
			a, err := r.x.PickScan(t.Context(), view.Scan{ID: s.id, Wave: waves[0], Text: s.text, Qty: s.qty, Actor: "ann"})
			r.must(err)
			if !strings.Contains(a.Say, s.say) {
				t.Fatalf("scan %s %q: %+v, want %q", s.id, s.text, a, s.say)
			}
		}
		substituted := 0
		for _, o := range ids {
			if r.heldBy(o)["MUG-NEW at west"] == 2 {
				substituted++
			}
		}
		if substituted != 1 || r.onHand("MUG", "west") != 86 {
			t.Errorf("%d orders hold the new mug, %d of 90 old ones are in the books, 4 were not found", substituted, r.onHand("MUG", "west"))
		}
		r.balanced()
	})
}

// A parcel may be open at a station while its wave is still walked, fed from the tote of another one: it lacks only what is not in its box, the station
// asks for what stands in, and a parcel that is packed lacks nothing.
func TestABinRunsOutWhileItsParcelsAreAtStations(t *testing.T) {
	rigOnBoth(t, func(t *testing.T, r *rig) {
		r.network(90)
		r.equalMugs(1)
		packed, open := r.sell("S1", 1), r.sell("S1", 2)
		parcel := func(o string) (s store.Shipment) {
			r.until("it has a parcel", func() bool {
				_, live, _ := r.standing(o)
				if len(live) == 1 {
					s = live[0]
				}
				return len(live) == 1 && s.Node == "west"
			})
			return s
		}
		parcel(packed)
		parcel(open)
		waves, err := r.x.ReleaseWaves(t.Context(), view.FloorWaveDraft{ID: "draft-1", Node: "west", Actor: "lead"})
		if err != nil || len(waves) != 1 {
			t.Fatal(waves, err)
		}
		r.packs([3]string{"1", strings.TrimPrefix(packed, r.conn+":"), "Yours."}, [3]string{"2", "4006381333931", "All in."}, [3]string{"3", codeShort, "no box"},
			[3]string{"4", "", "weigh"}, [3]string{"5", "412", "412 g."}, [3]string{"6", "TEST-LABEL-0001", "Packed."},
			[3]string{"7", strings.TrimPrefix(open, r.conn+":"), "Yours."}, [3]string{"8", "4006381333931", "Counted."})
		a, err := r.x.PickScan(t.Context(), view.Scan{ID: "9", Wave: waves[0], Text: codeShort, Actor: "bob"})
		r.must(err)
		if want := "Noted: 3 units missing. 1 parcel gets A mug, new box (ITEM-S1B) instead, at the end of this walk."; a.Say != want {
			t.Fatalf("%+v, want %q", a, want)
		}
		if s := parcel(packed); s.Wave == "" || len(s.Lines) != 1 {
			t.Errorf("the packed parcel is %+v", s)
		}
		a, err = r.x.PickScan(t.Context(), view.Scan{ID: "10", Wave: waves[0], Text: "ITEM-S1B", Actor: "bob"})
		if r.must(err); !strings.Contains(a.Say, "This wave is picked.") && !strings.Contains(a.Say, "This bin is done.") {
			t.Errorf("%+v", a)
		}
		r.packs([3]string{"11", "4006381333931", "more than it holds"}, [3]string{"12", "4006381333948", "All in."})
		if diff := cmp.Diff(map[string]int64{"MUG at west": 1, "MUG-NEW at west": 1}, r.heldBy(open)); diff != "" {
			t.Error(diff)
		}
		if on := r.onHand("MUG", "west"); on != 87 {
			t.Errorf("%d mugs are in the books of west, 3 of 90 were not found", on)
		}
		r.balanced()
	})
}

func TestWhatCannotStandInIsRefused(t *testing.T) {
	r := newRig(t)
	r.must(r.x.PutItems(t.Context(), []catalog.Item{{ID: "SET", SKU: "SET", Title: "Two mugs", Components: []catalog.Component{{ItemID: "MUG", Qty: 2}}}}))
	for equal, kind := range map[string]errs.Kind{"MUG": errs.Invalid, "SET": errs.Invalid, "NONE": errs.NotFound, "": errs.NotFound} {
		err := r.x.SayHandling(t.Context(), Said{Physicals: []ItemSaid{{ItemID: "MUG", Physical: Physical{Equals: []string{equal}}}}}, "lena")
		if !errs.Is(err, kind) {
			t.Errorf("%q: %v", equal, err)
		}
	}
	var o order.Order
	if o.Substitute("", "a", "b", 1) == nil {
		t.Error("a substitution of no line was taken")
	}
}

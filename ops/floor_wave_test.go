package ops

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/spillway/spillway/domain/shipping"
	"github.com/spillway/spillway/domain/stock"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/ops/view"
	"github.com/spillway/spillway/store"
)

// A wave is released once, walked by scans that refuse what does not fit, and a bin that runs out sends its last parcel to be routed again.
func TestAWaveIsWalkedByScans(t *testing.T) {
	rigOnBoth(t, func(t *testing.T, r *rig) {
		r.network(90)
		one, two := r.sell("S1", 1), r.sell("S1", 2)
		for _, o := range []string{one, two} {
			r.until("it has a parcel", func() bool { _, live, _ := r.standing(o); return len(live) == 1 && live[0].Node == "west" })
		}
		draft := view.FloorWaveDraft{ID: "draft-1", Node: "west", Actor: "lead"}
		ids, err := r.x.ReleaseWaves(t.Context(), draft)
		again, err2 := r.x.ReleaseWaves(t.Context(), draft)
		if err != nil || err2 != nil || len(ids) != 1 || len(again) != 1 || again[0] != ids[0] {
			t.Fatalf("released twice: %v %v, %v %v", ids, again, err, err2)
		}
		draft.ID = "draft-2"
		if _, err := r.x.ReleaseWaves(t.Context(), draft); !errs.Is(err, errs.Conflict) {
			t.Errorf("nothing waits, and it is released: %v", err)
		}
		for _, s := range []struct {
			id, text string
			qty      int64
			say      string
		}{
			{"1", "ITEM-S4", 1, "Wrong item. Expected: A mug (ITEM-S1)."},
			{"2", "ITEM-S1", 9, "Only 3 units are to be picked here, not 9."},
			{"3", "ITEM-S1", 2, "1 unit still to come."},
			{"3", "ITEM-S1", 2, "1 unit still to come."}, // sent again after a lost answer
			{"4", codeShort, 0, "1 unit missing. 1 parcel goes to the bench and routed again."},
			{"5", "ITEM-S1", 1, "This wave is picked."},
		} {
			a, err := r.x.PickScan(t.Context(), view.Scan{ID: s.id, Wave: ids[0], Text: s.text, Qty: s.qty, Actor: "ann"})
			r.must(err)
			if !strings.Contains(a.Say, s.say) {
				t.Fatalf("scan %s %q: %+v, want %q", s.id, s.text, a, s.say)
			}
		}
		_, after, _ := r.standing(two)
		if len(after) != 1 || after[0].Wave != "" {
			t.Errorf("what was short is still in its wave: %+v", after)
		}
		r.must(r.shop.Cancel(strings.TrimPrefix(one, r.conn+":")))
		r.until("its parcel is stopped", func() bool { _, live, _ := r.standing(one); return len(live) == 0 })
		a, err := r.x.PackScan(t.Context(), view.Scan{ID: "6", Node: "west", Station: "one", Text: strings.TrimPrefix(one, r.conn+":"), Actor: "ann"})
		if err != nil || a.OK || !strings.Contains(a.Say, "it is not to ship any more") {
			t.Errorf("a cancelled order is packed: %+v %v", a, err)
		}
		r.must(r.st.View(t.Context(), func(tx *store.Tx) error {
			found, err := tx.LedgerCheck()
			if len(found) > 0 {
				t.Error(found)
			}
			return err
		}))
	})
}

// A parcel goes on the van of its place once; an act on many says of each what became of it.
func TestAParcelIsHandedOverOnce(t *testing.T) {
	rigOnBoth(t, func(t *testing.T, r *rig) {
		r.network(90)
		order := r.sell("S1", 1)
		r.until("it has a parcel", func() bool { _, live, _ := r.standing(order); return len(live) == 1 })
		_, live, _ := r.standing(order)
		for i, text := range []string{strings.TrimPrefix(order, r.conn+":"), "4006381333931", "", "412", "TEST-LABEL-0001"} {
			a, err := r.x.PackScan(t.Context(), view.Scan{ID: string(rune('a' + i)), Node: "west", Station: "one", Text: text, Actor: "ann"})
			if err != nil || !a.OK {
				t.Fatalf("%q: %+v %v", text, a, err)
			}
		}
		for i, s := range [][3]string{
			{"west", "TEST-LABEL-9999", "No parcel of ours has this label."},
			{"main", "TEST-LABEL-0001", "This parcel leaves from west."},
			{"west", "TEST-LABEL-0001", "…"},
			{"west", "TEST-LABEL-0001", "It is on the van already."},
		} {
			a, err := r.x.HandScan(t.Context(), view.Scan{ID: string(rune('k' + i)), Node: s[0], Text: s[1], Actor: "ann"})
			if err != nil || !strings.Contains(a.Say, s[2]) {
				t.Errorf("%v: %+v %v", s, a, err)
			}
		}
		acted, err := r.x.ActOnFloor(t.Context(), view.FloorAct{Act: "retry", Node: "west", Parcels: []string{live[0].ID, "none"}, Actor: "ann"})
		if err != nil || len(acted.Rows) != 2 || !acted.Rows[0].OK || acted.Rows[1].OK {
			t.Errorf("%+v %v", acted, err)
		}
		if acted, err = r.x.ActOnFloor(t.Context(), view.FloorAct{Act: "back", Node: "main", Parcels: []string{live[0].ID}, Actor: "ann"}); err != nil || acted.Rows[0].OK {
			t.Errorf("from another node: %+v %v", acted, err)
		}
	})
}

// For an order that is cancelled nobody picks any more, and what was picked for it is put back.
func TestNobodyPicksForACancelledOrder(t *testing.T) {
	for name, picked := range map[string]int64{"not picked yet": 0, "picked": 3} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.network(90)
			one, two := r.sell("S1", 1), r.sell("S1", 2)
			for _, o := range []string{one, two} {
				r.until("it has a parcel", func() bool { _, live, _ := r.standing(o); return len(live) == 1 && live[0].Node == "west" })
			}
			ids, err := r.x.ReleaseWaves(t.Context(), view.FloorWaveDraft{ID: "draft", Node: "west", Actor: "lead"})
			r.must(err)
			if picked > 0 {
				a, err := r.x.PickScan(t.Context(), view.Scan{ID: "1", Wave: ids[0], Text: "ITEM-S1", Qty: picked, Actor: "ann"})
				if err != nil || !a.OK {
					t.Fatalf("%+v %v", a, err)
				}
			}
			r.must(r.shop.Cancel(strings.TrimPrefix(one, r.conn+":")))
			r.until("its parcel is stopped", func() bool { _, live, _ := r.standing(one); return len(live) == 0 })
			r.must(r.st.View(t.Context(), func(tx *store.Tx) error {
				walk, err := tx.WalksOf(ids[0])
				if len(walk) != 1 || walk[0].Qty() != 2 || walk[0].Left() != max(0, 2-picked) || walk[0].Surplus() != max(0, picked-2) {
					t.Errorf("%+v", walk)
				}
				return err
			}))
			r.must(r.shop.Cancel(strings.TrimPrefix(two, r.conn+":")))
			r.until("the other's is stopped too", func() bool { _, live, _ := r.standing(two); return len(live) == 0 })
			a, err := r.x.PickScan(t.Context(), view.Scan{ID: "2", Wave: ids[0], Text: "ITEM-S1", Actor: "ann"})
			r.must(err)
			r.must(r.st.View(t.Context(), func(tx *store.Tx) error {
				w, err := tx.WaveGet(ids[0])
				if a.OK || !strings.Contains(a.Say, "This wave is picked") || !w.Done {
					t.Errorf("nothing is left of it, and it goes on: %+v %+v", a, w)
				}
				return err
			}))
		})
	}
}

// Behind a long queue a parcel is still found by its item, and counted: neither stops at the first thousand.
func TestALongQueueIsSeenToItsEnd(t *testing.T) {
	r := newRig(t)
	r.network(90)
	const ahead = 2*floorPage + 10
	at := time.Now().UTC().Truncate(time.Microsecond)
	r.must(r.st.Update(t.Context(), func(tx *store.Tx) error {
		var all []store.Shipment
		for i := range ahead + 1 {
			s := shipping.Shipment{ID: fmt.Sprintf("q%05d", i), ConnectionID: r.conn, Orders: []string{fmt.Sprintf("%s:q%05d", r.conn, i)}, Node: "west", Way: shipping.ByHand, Carrier: "USPS",
				Due: at.Add(time.Hour + time.Duration(i)*time.Second), CreatedAt: at}
			s.Lines = []shipping.Line{{OrderID: s.Orders[0], Key: "1", ItemID: "LAMP", Qty: 1}, {OrderID: s.Orders[0], Key: "2", ItemID: "MUG", Qty: 1}}
			if i == ahead {
				s.Lines = s.Lines[1:]
			}
			made, err := shipping.New(s)
			if err != nil {
				return err
			}
			all = append(all, store.Shipment{Shipment: *made})
		}
		_, err := tx.ShipmentsAdd(all)
		return err
	}))
	r.must(r.st.View(t.Context(), func(tx *store.Tx) error {
		q, err := routedQueue(tx, NodeState{Location: stock.Location{ID: "west"}}, at, time.UTC)
		if q.waiting != ahead+1 {
			t.Errorf("%d wait, want %d", q.waiting, ahead+1)
		}
		return err
	}))
	r.packs([3]string{"1", "4006381333948000", "Nothing that waits here is called"}, [3]string{"2", "4006381333931", "Yours."})
}

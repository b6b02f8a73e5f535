package ops

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/spillway/spillway/domain/order"
	"github.com/spillway/spillway/domain/shipping"
	"github.com/spillway/spillway/ops/view"
	"github.com/spillway/spillway/store"
)

// What may not ship at the moment is not packed, not loaded, and has no label paid for; when it may again, it goes on. What is on the bench is neither
// loaded nor taken back by a scan of what is in it.
func TestWhatMayNotShipStaysHere(t *testing.T) {
	rigOnBoth(t, func(t *testing.T, r *rig) {
		r.network(90)
		id := r.sell("S1", 1)
		r.until("it has a parcel", func() bool { _, live, _ := r.standing(id); return len(live) == 1 && live[0].Node == "west" })
		_, live, _ := r.standing(id)
		asks := func(o *order.Order) { o.Cancel.RequestOpen = true }
		fine := func(o *order.Order) { o.Cancel.RequestOpen, o.Status = false, order.AwaitingShipment }
		held := func(o *order.Order) { o.Status = order.OnHold }
		scans := 0
		scan := func(scan func(view.Scan) (view.ScanAnswer, error), text string, ok bool, say string) {
			t.Helper()
			scans++
			a, err := scan(view.Scan{ID: fmt.Sprint(scans), Node: "west", Station: "one", Text: text, Actor: "ann"})
			if err != nil || a.OK != ok || !strings.Contains(a.Say, say) {
				t.Fatalf("%q: %+v %v, want %q", text, a, err, say)
			}
		}
		pack := func(s view.Scan) (view.ScanAnswer, error) { return r.x.PackScan(t.Context(), s) }
		hand := func(s view.Scan) (view.ScanAnswer, error) { return r.x.HandScan(t.Context(), s) }
		name := strings.TrimPrefix(id, r.conn+":")
		r.edit(id, asks)
		scan(pack, name, false, "asked to cancel")
		scan(pack, "4006381333931", false, "asked to cancel")
		r.edit(id, fine)
		scan(pack, name, true, "Yours.")
		r.edit(id, held)
		scan(pack, "4006381333931", false, "The platform holds the order")
		scan(pack, codeAside, true, "on the bench")
		r.edit(id, fine)
		scan(pack, "4006381333931", false, "Nothing that waits here") // it is on the bench, and nothing else is of this item
		for _, text := range []string{name, "4006381333931", "", "412"} {
			scan(pack, text, true, "")
		}
		r.until("it has its label", func() bool {
			var s store.Shipment
			r.must(r.st.View(t.Context(), func(tx *store.Tx) (err error) { s, err = tx.ShipmentGet(live[0].ID); return err }))
			return s.Label.Fate == shipping.Done || s.Way == shipping.ByHand
		})
		scan(pack, "TEST-LABEL-0001", true, "")
		r.edit(id, asks)
		scan(hand, "TEST-LABEL-0001", false, "asked to cancel")
		r.edit(id, fine)
		r.must(r.st.Update(t.Context(), func(tx *store.Tx) error {
			return tx.TroublePut(store.FloorTrouble{Shipment: live[0].ID, Node: "west", At: time.Now(), Kind: "aside", Orders: []string{id}, By: ByRules, Text: "Take a lamp out."})
		}))
		scan(hand, "TEST-LABEL-0001", false, "Take a lamp out.")
		r.must(r.st.Update(t.Context(), func(tx *store.Tx) error { return tx.TroubleDrop(live[0].ID) }))
		scan(hand, "TEST-LABEL-0001", true, "")
	})
}

func TestNoLabelIsPaidForWhatMayNotShip(t *testing.T) {
	r := newRig(t)
	b, a := r.broker()
	id := r.sell("S1", 1)
	r.edit(id, func(o *order.Order) { o.Cancel.RequestOpen = true })
	r.must(r.st.Update(t.Context(), func(tx *store.Tx) error {
		_, err := tx.ShipmentsAdd([]store.Shipment{r.shipment("sh-1", id, shipping.ByCarrier, a.ID)})
		return err
	}))
	s := r.shipped("sh-1", "it waits", func(s store.Shipment) bool { return s.Label.N > 0 && s.Label.Fate != shipping.Open })
	b.mu.Lock()
	defer b.mu.Unlock()
	if s.Question() != "" || !strings.Contains(s.Label.Message, "asked to cancel") || !s.Label.After.After(time.Now()) || len(b.labels) != 0 {
		t.Errorf("%+v %v", s.Label, b.labels)
	}
}

// Whatever is released already, what is due after it can be released too; what may not ship is left out.
func TestWavesGoOnBehindWhatIsReleased(t *testing.T) {
	r := newRig(t)
	r.network(90)
	id := r.sell("S1", 1)
	r.until("it has a parcel", func() bool { _, live, _ := r.standing(id); return len(live) == 1 && live[0].Node == "west" })
	r.must(r.st.Update(t.Context(), func(tx *store.Tx) error {
		var many []store.Shipment
		for i := range floorPage + 5 { // due before it, and in a wave
			s := store.Shipment{Shipment: shipping.Shipment{ID: fmt.Sprintf("early-%04d", i), ConnectionID: "nobody", Orders: []string{"nobody:1"}, Node: "west", Way: shipping.ByHand,
				Due: time.Now().Add(time.Hour), CreatedAt: time.Now(), Lines: []shipping.Line{{OrderID: "nobody:1", Key: "k", ItemID: "MUG", Qty: 1}}}, Wave: "early"}
			many = append(many, s)
		}
		_, err := tx.ShipmentsAdd(many)
		return err
	}))
	planned := func() (out []string) {
		r.must(r.st.View(t.Context(), func(tx *store.Tx) error {
			p, err := r.x.planWaves(tx, view.FloorWaveDraft{ID: "d", Node: "west", Actor: "lead"})
			for _, s := range p.ships {
				out = append(out, s.Orders...)
			}
			return err
		}))
		return out
	}
	if got := planned(); len(got) != 1 || got[0] != id {
		t.Errorf("%v", got)
	}
	r.edit(id, func(o *order.Order) { o.Status = order.OnHold })
	if got := planned(); len(got) != 0 {
		t.Errorf("on hold, and it is released: %v", got)
	}
}

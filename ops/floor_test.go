package ops

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/spillway/spillway/domain/shipping"
	"github.com/spillway/spillway/ops/view"
	"github.com/spillway/spillway/store"
)

// A parcel is packed by scans: a wrong one, one sent twice, and one of another station change nothing.
func TestAParcelIsPackedByScans(t *testing.T) {
	rigOnBoth(t, func(t *testing.T, r *rig) {
		r.network(90)
		order := r.sell("S1", 2)
		r.until("it has a parcel", func() bool { _, live, _ := r.standing(order); return len(live) == 1 && live[0].Node == "west" })
		n := strings.TrimPrefix(order, r.conn+":")
		for _, s := range []struct{ id, station, text, say string }{
			{"1", "one", n, "Yours."},
			{"2", "two", n, "station west/one has this parcel (ann)"},
			{"3", "one", "ITEM-S4", "Expected: 2 × A mug (ITEM-S1)"},
			{"4", "one", "4006381333931", "Counted."},
			{"4", "one", "4006381333931", "Counted."}, // its answer was lost
			{"5", "one", "2*4006381333931", "more than it holds"},
			{"6", "one", "4006381333931", "All in."},
			{"7", "one", "", "weigh"},
			{"8", "one", "heavy", "That is no weight."},
			{"9", "one", "412", "412 g."},
			{"10", "one", "TEST-LABEL-0001", "Packed."},
			{"11", "two", n, "packed already"},
		} {
			a, err := r.x.PackScan(t.Context(), view.Scan{ID: s.id, Node: "west", Station: s.station, Text: s.text, Actor: "ann"})
			r.must(err)
			if !strings.Contains(a.Say, s.say) {
				t.Fatalf("scan %s %q: %+v, want %q", s.id, s.text, a, s.say)
			}
		}
		if _, live, _ := r.standing(order); live[0].Box == nil || live[0].Box.Grams != 412 || live[0].Label.Fate != shipping.Done {
			t.Errorf("%+v", live[0])
		}
	})
}

// A parcel that waits for its label is put aside, and another station goes on with it when the label is there; one that is done is not opened again.
func TestAParcelPutAsideForItsLabelIsGoneOnWith(t *testing.T) {
	r := newRig(t)
	r.network(90)
	order := r.sell("S1", 1)
	r.until("it has a parcel", func() bool { _, live, _ := r.standing(order); return len(live) == 1 })
	_, live, _ := r.standing(order)
	_, account := r.broker()
	live[0].Way, live[0].Account = shipping.ByCarrier, account.ID
	live[0].Label.Call = shipping.Call{After: time.Now().Add(time.Hour)} // the broker is not asked yet
	r.must(r.st.Update(t.Context(), func(tx *store.Tx) error { return tx.ShipmentsSave(live[:1]) }))
	n := strings.TrimPrefix(order, r.conn+":")
	scans := 0
	says := func(station, text, say string) {
		t.Helper()
		scans++
		a, err := r.x.PackScan(t.Context(), view.Scan{ID: fmt.Sprint(scans), Node: "west", Station: station, Text: text, Actor: "ann"})
		r.must(err)
		if !strings.Contains(a.Say, say) {
			t.Fatalf("%s %q: %+v, want %q", station, text, a, say)
		}
	}
	for _, s := range [][2]string{{n, "Yours."}, {"4006381333931", "All in."}, {"", "weigh"}, {"412", "The label."}, {"4006381333931", "no label"}, {codeAside, "Put aside."}} {
		says("one", s[0], s[1])
	}
	says("two", n, "Yours.")
	says("one", n, "station west/two has this parcel")
	says("two", codeAside, "Put aside.")
	_, live, _ = r.standing(order)
	live[0].Booked(time.Now(), shipping.Label{Ref: "r", Carrier: "USPS", Tracking: "9400111206206406300106"})
	r.must(r.st.Update(t.Context(), func(tx *store.Tx) error { return tx.ShipmentsSave(live[:1]) }))
	says("one", n, "Yours.")
	says("one", "9400111206206406300113", "another parcel’s")
	says("one", "9400111206206406300106", "Packed.")
	says("two", n, "it is packed already")
}

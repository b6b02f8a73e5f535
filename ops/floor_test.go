package ops

import (
	"strings"
	"testing"

	"github.com/spillway/spillway/domain/shipping"
	"github.com/spillway/spillway/ops/view"
)

// A parcel is packed by scans: a wrong one, one sent twice, and one of another station change nothing.
func TestAParcelIsPackedByScans(t *testing.T) {
	r := newRig(t)
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
}

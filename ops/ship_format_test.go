package ops

import (
	"testing"

	"github.com/spillway/spillway/domain/shipping"
	"github.com/spillway/spillway/kit/errs"
)

func TestLabelsAreAskedForAsTheNodePrintsThem(t *testing.T) {
	t.Parallel()
	j := newJoint(t, "BR", "main") // the one market in which this platform makes ZPL
	if err := j.x.SetLabelFormat(t.Context(), "main", "PNG"); !errs.Is(err, errs.Invalid) {
		t.Error(err)
	}
	if err := j.x.SetLabelFormat(t.Context(), "nowhere", LabelZPL); !errs.Is(err, errs.NotFound) {
		t.Error(err)
	}
	for _, c := range [][2]string{{LabelPDF, "application/pdf"}, {LabelZPL, "application/zpl"}} {
		j.did(j.d.SetLabelFormat(t.Context(), "main", c[0]))
		a := j.sells("", "MUG")
		j.routed(1, a)
		j.packs(a)
		j.eventually("its label is here", func() bool { return j.parcels(a)[0].Label.Fetch.Fate == shipping.Done })
		doc, err := j.x.Document(t.Context(), j.parcels(a)[0].Label.Document)
		if err != nil || doc.Type != c[1] {
			t.Errorf("%s: %q, %v", c[0], doc.Type, err)
		}
	}
}

package policy

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestRatesAreCountedAsWritten(t *testing.T) {
	scan := Rate{ID: "ldr", Metric: LDR, Counts: Orders, Anchor: AtHandedOver, Test: HandedOverLate, Days: 7, Exclude: []Class{Sample}}
	road := Rate{ID: "otdr", Metric: OTDR, Counts: Orders, Anchor: AtHandedOver, Test: DeliveredWithin, Within: 6, Days: 7}
	for _, c := range []struct {
		of   Rate
		text string
		want func(*Rate) // nil: it cannot be
	}{
		{scan, "14 days", func(r *Rate) { r.Days = 14 }},
		{scan, "1 day, 1 day ago", func(r *Rate) { r.Days, r.Lag = 1, 1 }},
		{scan, " 30 Days ,  up to 4 days ago", func(r *Rate) { r.Days, r.Lag = 30, 4 }},
		{scan, "when arranged", func(r *Rate) { r.Test, r.Anchor = ReadyLate, AtReady }},
		{scan, "when scanned, 9 days", func(r *Rate) { r.Days = 9 }},
		{scan, "without samples and pre orders", func(r *Rate) { r.Exclude = []Class{Sample, PreOrder} }},
		{scan, "without any", func(r *Rate) { r.Exclude = nil }},
		{scan, "0 days ago", func(r *Rate) {}},
		{road, "fewer than 9 business days", func(r *Rate) { r.Within = 9 }},
		{scan, "fewer than 9 business days", nil}, {road, "when scanned", nil}, {scan, "", nil}, {scan, "14", nil}, {scan, "-1 days", nil},
		{scan, "14 days,", nil}, {scan, "without gifts", nil}, {scan, "soon", nil}, {scan, "2 weeks", nil},
	} {
		got, err := c.of.Counted(c.text)
		if c.want == nil {
			if err == nil {
				t.Errorf("%q is taken for %+v", c.text, got)
			}
			continue
		}
		want := c.of
		c.want(&want)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%q: %v\n%s", c.text, err, diff)
		}
		if again, err := got.Counted(c.text); err != nil || !cmp.Equal(got, again) {
			t.Errorf("%q twice: %+v, %v", c.text, again, err)
		}
	}
	if scan.Exclude[0] != Sample || len(scan.Exclude) != 1 {
		t.Error("the rate it was made of has changed")
	}
}

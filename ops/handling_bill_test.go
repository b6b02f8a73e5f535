package ops

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/spillway/spillway/domain/catalog"
	"github.com/spillway/spillway/domain/policy/calendar"
)

// What a unit weighs on a bill follows the terms of the day: the post divides by 139 since July 2026, and looks at no size up to a cubic foot.
func TestWhatAUnitWeighsOnTheBill(t *testing.T) {
	big := catalog.Physical{Grams: 300, LengthMM: 400, WidthMM: 300, HeightMM: 300}
	small := catalog.Physical{Grams: 300, LengthMM: 200, WidthMM: 150, HeightMM: 150}
	long := catalog.Physical{Grams: 900, LengthMM: 3000, WidthMM: 50, HeightMM: 50}
	before, after := calendar.Date(2026, 7, 11), calendar.Date(2026, 7, 12)
	for _, c := range []struct {
		name string
		what catalog.Physical
		day  calendar.Day
		want string
	}{
		{"the post, before its divisor changed", big, before, "USPS 14 by its size: 166 in³ to a pound since 2019-06-23"}, // 16 × 12 × 12 in
		{"the post, since", big, after, "USPS 17 by its size: 139 in³ to a pound since 2026-07-12"},
		{"the post, small", small, after, "USPS 1 by the scales: sizes up to 1,728 in³ are not looked at"},
		{"UPS, small", small, after, "UPS 3 by its size: 139 in³ to a pound since 2025-08-18"}, // 8 × 6 × 6 in
		{"too long for UPS", long, after, "UPS 4 by its size: 139 in³ to a pound since 2025-08-18; not taken: too long"},
	} {
		var got []string
		for _, b := range billInputs(unitBills(c.what, c.day)) {
			got = append(got, fmt.Sprint(b.Name, " ", strings.TrimSuffix(b.Value, " lb"), " ", b.Text))
		}
		if !slices.Contains(got, c.want) {
			t.Errorf("%s: %q is not among %q", c.name, c.want, got)
		}
	}
	if got := unitBills(catalog.Physical{Grams: 300}, after); got != nil {
		t.Errorf("no sides are known: %+v", got)
	}
	names := map[string]bool{}
	for _, b := range unitBills(big, after) {
		if names[b.Carrier] {
			t.Errorf("%s is told twice", b.Carrier)
		}
		names[b.Carrier] = true
	}
	if len(names) < 4 {
		t.Errorf("only %v are told", names)
	}
}

package transit

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/spillway/spillway/domain/policy/calendar"
	"github.com/spillway/spillway/kit/errs"
)

func day(t testing.TB, text string) calendar.Day {
	t.Helper()
	d, err := calendar.ParseDay(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestBilled(t *testing.T) {
	odd := Size{3099, 2540, 2032} // 12.2 × 10 × 8 inches
	for _, c := range []struct {
		name           string
		carrier, rates string
		day            string
		size           Size
		grams          int64
		pounds, volume int64
		over           []string
	}{
		{"sides up: 13 × 10 × 8 is 1,040, 7.48 lb", UPS, "daily", "2026-08-01", odd, 1000, 8, 8, nil},
		{"sides to the nearest: 12 × 10 × 8 is 960, 6.9 lb", UPS, "daily", "2025-08-17", odd, 1000, 7, 7, nil},
		{"the first day of sides up", FedEx, "", "2025-08-18", odd, 1000, 8, 8, nil},
		{"retail counts by 166: 6.27 lb", UPS, "retail", "2026-08-01", odd, 1000, 7, 7, nil},
		{"the post looks at large parcels only", USPS, "ground", "2026-08-01", odd, 1000, 3, 0, nil},
		{"a cubic foot is not above a cubic foot", USPS, "ground", "2026-08-01", Inches(12, 12, 12), 100, 1, 0, nil},
		{"18 × 14 × 12 is 3,024, by 139 21.8 lb", USPS, "ground", "2026-07-12", Inches(12, 18, 14), 1000, 22, 22, nil},
		{"the day before by 166, 18.2 lb", USPS, "ground", "2026-07-11", Inches(14, 12, 18), 1000, 19, 19, nil},
		{"heavy for its size", FedEx, "", "2026-08-01", Inches(10, 10, 10), 20 * 454, 21, 8, nil},
		{"a pound to the gram", FedEx, "", "2026-08-01", Inches(1, 1, 1), 453, 1, 1, nil},
		{"a gram more", FedEx, "", "2026-08-01", Inches(1, 1, 1), 454, 2, 1, nil},
		{"whole millimetres of a carton of 12 inches", FedEx, "", "2026-08-01", Millimetres(305, 305, 305), 454, 13, 13, nil},
		{"too long", UPS, "daily", "2026-08-01", Inches(109, 5, 5), 454, 20, 20, []string{"too long"}},
		{"too heavy", UPS, "daily", "2026-08-01", Inches(10, 10, 10), 70_000, 155, 8, []string{"too heavy"}},
		{"length and girth of 110 by priority", USPS, "priority", "2026-08-01", Inches(30, 20, 20), 454, 87, 87, []string{"length and girth too large"}},
		{"length and girth of 110 by ground", USPS, "ground", "2026-08-01", Inches(30, 20, 20), 454, 87, 87, nil},
	} {
		terms, ok := TermsOn(c.carrier, c.rates, day(t, c.day))
		if !ok {
			t.Errorf("%s: no terms", c.name)
			continue
		}
		b, err := terms.Billed(c.size, c.grams)
		if err != nil || b.Pounds != c.pounds || b.Volume != c.volume || b.ByVolume() != (b.Volume > b.Actual) || !cmp.Equal(b.Over, c.over) {
			t.Errorf("%s: %+v %v", c.name, b, err)
		}
	}
	for name, f := range map[string]func(Terms) (Bill, error){
		"no weight": func(t Terms) (Bill, error) { return t.Billed(Inches(1, 1, 1), 0) },
		"no side":   func(t Terms) (Bill, error) { return t.Billed(Inches(0, 1, 1), 1) },
		"a house":   func(t Terms) (Bill, error) { return t.Billed(Size{MaxSide + 1, 1, 1}, 1) },
		"a train":   func(t Terms) (Bill, error) { return t.Billed(Inches(1, 1, 1), MaxGrams+1) },
		"no terms":  func(Terms) (Bill, error) { return Terms{}.Billed(Inches(1, 1, 1), 1) },
	} {
		if _, err := f(terms[0]); !errs.Is(err, errs.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// On any day at most one set of terms of a carrier's rates holds, and each says where it is from.
func TestTermsDoNotOverlap(t *testing.T) {
	all := AllTerms()
	for i, a := range all {
		if a.Source == "" || a.Confidence == "" || a.Divisor <= 0 || a.Sides == "" {
			t.Errorf("%+v is not whole", a)
		}
		for _, b := range all[:i] {
			if a.Carrier == b.Carrier && a.Rates == b.Rates && a.Overlaps(b.Span) {
				t.Errorf("%s %s has two sets of terms on a day", a.Carrier, a.Rates)
			}
		}
	}
	for _, unknown := range []struct{ carrier, rates, day string }{{"ups", "daily", "2001-01-01"}, {"ups", "", "2026-01-01"}, {"nobody", "", "2026-01-01"}} {
		if got, ok := TermsOn(unknown.carrier, unknown.rates, day(t, unknown.day)); ok {
			t.Errorf("%+v: %+v", unknown, got)
		}
	}
}

// Turning a parcel changes nothing; larger or heavier never bills less; what is billed covers both weights.
func TestBilledIsMonotone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		terms := rapid.SampledFrom(terms).Draw(t, "terms")
		side := rapid.Int64Range(1, 40*tenthsPerInch)
		size := Size{side.Draw(t, "a"), side.Draw(t, "b"), side.Draw(t, "c")}
		grams := rapid.Int64Range(1, 80_000).Draw(t, "grams")
		bill := func(s Size, g int64) Bill {
			b, err := terms.Billed(s, g)
			if err != nil {
				t.Fatal(err)
			}
			return b
		}
		b := bill(size, grams)
		if turned := bill(Size{size[2], size[0], size[1]}, grams); !cmp.Equal(b, turned) {
			t.Fatalf("turned %+v, before %+v", turned, b)
		}
		larger := size
		larger[rapid.IntRange(0, 2).Draw(t, "side")] += rapid.Int64Range(0, 1000).Draw(t, "more")
		if l := bill(larger, grams+rapid.Int64Range(0, 5000).Draw(t, "heavier")); l.Pounds < b.Pounds || len(l.Over) < len(b.Over) {
			t.Fatalf("larger %+v, smaller %+v", l, b)
		}
		if b.Pounds*45_359_237 < grams*100_000 || b.Pounds*terms.Divisor < b.Volume*terms.Divisor || b.Pounds < 1 {
			t.Fatalf("%+v", b)
		}
	})
}

package transit

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/spillway/spillway/domain/network"
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

func TestGroundDays(t *testing.T) {
	for _, c := range []struct {
		name         string
		from, to     string
		likely, late int
	}{
		{"next door", "10001", "07030", 2, 3}, {"across", "94107", "10001", 5, 7}, {"within Alaska", "99501", "99501", 2, 3},
		{"to Hawaii", "94107", "96813", 8, 13}, {"to an army post office", "10001", "09012", 9, 17}, {"to Palau", "94107", "96940", 10, 20},
	} {
		d, ok := GroundDays(us(c.from), us(c.to), nil)
		if !ok || d.Likely != c.likely || d.Late != c.late || d.From == "" {
			t.Errorf("%s: %+v", c.name, d)
		}
	}
	if d, ok := GroundDays(us("94107"), us(""), nil); ok {
		t.Errorf("to nowhere: %+v", d)
	}
}

func TestArrival(t *testing.T) {
	la, err := time.LoadLocation("America/Los_Angeles")
	if err != nil {
		t.Fatal(err)
	}
	post, err := Calendar(USPS, la)
	if err != nil {
		t.Fatal(err)
	}
	other, err := Calendar(UPS, la, calendar.Closure{Span: calendar.Span{From: day(t, "2026-11-27"), Until: day(t, "2026-11-28")}, Name: "the day after Thanksgiving"})
	if err != nil {
		t.Fatal(err)
	}
	cutoff := calendar.Clock(17 * 3600)
	for _, c := range []struct {
		name    string
		carrier *calendar.Calendar
		at      string
		days    int
		want    string
	}{
		{"before the cut-off", post, "2026-11-23 16:59", 2, "2026-11-25"},
		{"at the cut-off", post, "2026-11-23 17:00", 2, "2026-11-27"}, // Thanksgiving between
		{"the post delivers on Saturday", post, "2026-11-25 12:00", 2, "2026-11-28"},
		{"others rest, and the day after too", other, "2026-11-25 12:00", 2, "2026-12-01"},
		{"handed over on a Sunday", post, "2026-11-22 12:00", 1, "2026-11-24"},
	} {
		at, err := time.ParseInLocation("2006-01-02 15:04", c.at, la)
		if err != nil {
			t.Fatal(err)
		}
		if d, ok := Arrival(c.carrier, at, cutoff, c.days); !ok || d.String() != c.want {
			t.Errorf("%s: %s", c.name, d)
		}
	}
	if d, ok := Arrival(post, time.Date(1999, 1, 1, 0, 0, 0, 0, la), cutoff, 1); ok {
		t.Errorf("before all years: %s", d)
	}
}

func TestExpect(t *testing.T) {
	var few, many Seen
	for i := range 40 {
		many.Add(2 + i/10)
	}
	few.Add(9)
	few.Add(-1)
	few.Add(1000)
	if few.Total() != 2 || few[MaxDays] != 1 {
		t.Errorf("%v", few)
	}
	usual := Days{Likely: 4, Late: 6, From: "usual"}
	if d := Expect(usual, Group{"to the ZIP area", few}, Group{"to zone 5", many}); d != (Days{Likely: 3, Late: 5, From: "seen on 40 parcels, to zone 5", Seen: 40}) {
		t.Errorf("%+v", d)
	}
	if d := Expect(usual, Group{"to the ZIP area", few}); d != usual {
		t.Errorf("%+v", d)
	}
	for _, percent := range []int64{0, 101} {
		if d, ok := many.Quantile(percent); ok {
			t.Errorf("%d %%: %d", percent, d)
		}
	}
	if d, ok := (Seen{}).Quantile(50); ok {
		t.Errorf("of nothing: %d", d)
	}
}

// Quantiles are the days of the sorted list; counting in two parts is counting in one.
func TestSeenQuantiles(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		days := rapid.SliceOfN(rapid.IntRange(0, MaxDays), 1, 40).Draw(t, "days")
		var a, b, all Seen
		for i, d := range days {
			all.Add(d)
			if i%2 == 0 {
				a.Add(d)
			} else {
				b.Add(d)
			}
		}
		if a.Join(b) != all || b.Join(a) != all {
			t.Fatal("joined counts differ")
		}
		percent := rapid.Int64Range(1, 100).Draw(t, "percent")
		q, ok := all.Quantile(percent)
		within := func(most int) (n int64) {
			for _, d := range days {
				if d <= most {
					n++
				}
			}
			return n
		}
		if total := int64(len(days)); !ok || within(q)*100 < percent*total || within(q-1)*100 >= percent*total {
			t.Fatalf("%d %% of %v is %d", percent, days, q)
		}
	})
}

func TestLaneDays(t *testing.T) {
	lane := network.Lane{Carrier: "USPS", Days: [10]int{0: 12, 8: 5}}
	for zone, want := range map[int]Days{0: {Likely: 12, Late: 17, From: "stated for USPS"}, 8: {Likely: 5, Late: 7, From: "stated for USPS"}, 4: {}, -1: {}, 10: {}} {
		if d, ok := LaneDays(lane, zone); d != want || ok != (want != Days{}) {
			t.Errorf("zone %d: %+v %v", zone, d, ok)
		}
	}
}

package packing_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/spillway/spillway/domain/packing"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/kit/money"
)

func usd(cents int64) money.Amount { return money.Amount{Minor: cents, Currency: "USD"} }

// anyOrder draws orders with everything in them that Pack has to heed, small enough to be packed in many ways.
func anyOrder(t *rapid.T) packing.Order {
	edge := func(most int, name string) int { return rapid.IntRange(1, most).Draw(t, name) }
	var o packing.Order
	for i := range rapid.IntRange(0, 6).Draw(t, "lines") {
		it := packing.Item{
			ID: string(rune('a' + i)), Units: rapid.IntRange(1, 5).Draw(t, "units"), Grams: rapid.Int64Range(0, 900).Draw(t, "grams"),
			Size:    packing.Size{L: edge(45, "l"), W: edge(45, "w"), H: edge(45, "h")},
			Upright: packing.Upright(rapid.IntRange(0, 7).Draw(t, "upright")),
			Fragile: rapid.IntRange(0, 4).Draw(t, "fragile") == 0,
			Alone:   rapid.IntRange(0, 9).Draw(t, "alone") == 0,
		}
		if rapid.IntRange(0, 2).Draw(t, "limited") == 0 {
			it.MaxOnTop = rapid.Int64Range(1, 2000).Draw(t, "on top")
		}
		o.Items = append(o.Items, it)
	}
	for i := range rapid.IntRange(0, 4).Draw(t, "cartons") {
		in := packing.Size{L: edge(70, "L"), W: edge(70, "W"), H: edge(70, "H")}
		o.Cartons = append(o.Cartons, packing.Carton{
			ID: string(rune('A' + i)), Inner: in, Outer: packing.Size{L: in.L + 2, W: in.W + 2, H: in.H + 2}, Grams: rapid.Int64Range(0, 50).Draw(t, "tare"),
			MaxGrams: rapid.SampledFrom([]int64{0, 1000, 5000}).Draw(t, "most"), Cost: usd(rapid.Int64Range(0, 90).Draw(t, "cost")),
			Stock: rapid.IntRange(0, 3).Draw(t, "stock"), Padding: rapid.SampledFrom([]int{0, 0, 2}).Draw(t, "padding"),
		})
	}
	o.Rules = packing.Rules{
		MaxGrams: rapid.SampledFrom([]int64{0, 0, 3000}).Draw(t, "lane"), Support: rapid.SampledFrom([]int{0, 51, 100}).Draw(t, "support"),
		Effort: rapid.SampledFrom([]int{1, 3000, 20_000}).Draw(t, "effort"),
	}
	if rapid.Bool().Draw(t, "tariff") {
		o.Rules.Tariff = packing.ByTiers(5_000_000, 0, []packing.Tier{{UpTo: 500, Price: usd(400)}, {UpTo: 1500, Price: usd(700)}, {UpTo: 4000, Price: usd(1500)}})
	}
	return o
}

func TestEveryPackingIsValid(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o := anyOrder(t)
		p, err := packing.Pack(o)
		if err != nil {
			t.Fatal(err)
		}
		if faults := check(o, p); len(faults) > 0 {
			t.Fatalf("%s\n%+v", strings.Join(faults, "\n"), p)
		}
		for _, u := range p.Unplaced {
			i := slices.IndexFunc(o.Items, func(it packing.Item) bool { return it.ID == u.Item })
			if want := reason(o, o.Items[i]); u.Reason != want {
				t.Fatalf("%+v: the reason is %s", u, want)
			}
		}
	})
}

// reason says why one unit by itself could not be packed, NoCarton if it could.
func reason(o packing.Order, it packing.Item) packing.Reason {
	why := packing.TooLarge
	for _, c := range o.Cartons {
		ways := [3]packing.Size{it.Size, {L: it.Size.L, W: it.Size.H, H: it.Size.W}, {L: it.Size.H, W: it.Size.W, H: it.Size.L}}
		fits := false
		for _, s := range ways {
			l, w, h := c.Inner.L-2*c.Padding, c.Inner.W-2*c.Padding, c.Inner.H-2*c.Padding
			if mayStand(it, s) && s.H <= h && (s.L <= l && s.W <= w || s.L <= w && s.W <= l) {
				fits = true
			}
		}
		gross := it.Grams + c.Grams
		switch {
		case !fits:
		case c.MaxGrams > 0 && gross > c.MaxGrams || o.Rules.MaxGrams > 0 && gross > o.Rules.MaxGrams:
			if why == packing.TooLarge {
				why = packing.TooHeavy
			}
		case o.Rules.Tariff != nil && o.Rules.Tariff(c.Outer, gross).Refused:
			why = packing.Refused
		default:
			return packing.NoCarton
		}
	}
	return why
}

// TestSomethingLeftMeansNoStock: with every carton in any number, whatever fits one by itself is packed.
func TestSomethingLeftMeansNoStock(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o := anyOrder(t)
		for i := range o.Cartons {
			o.Cartons[i].Stock = 0
		}
		p, err := packing.Pack(o)
		if err != nil {
			t.Fatal(err)
		}
		for _, u := range p.Unplaced {
			if u.Reason == packing.NoCarton {
				t.Fatalf("%+v though there are cartons", u)
			}
		}
	})
}

func TestOrderOfItemsDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o := anyOrder(t)
		a, err := packing.Pack(o)
		if err != nil {
			t.Fatal(err)
		}
		o.Items = rapid.Permutation(o.Items).Draw(t, "items")
		b, err := packing.Pack(o)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(a, b); d != "" {
			t.Fatal(d)
		}
	})
}

func TestLoadIsValid(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o := anyOrder(t)
		if len(o.Cartons) == 0 {
			return
		}
		o.Cartons = o.Cartons[:1]
		o.Cartons[0].Stock = 1
		for i := range o.Items {
			o.Items[i].Alone = false
		}
		p, err := packing.Load(o.Cartons[0], o.Items, o.Rules)
		if err != nil {
			t.Fatal(err)
		}
		if faults := check(o, p); len(faults) > 0 || len(p.Parcels) > 1 {
			t.Fatalf("%d parcels, %s", len(p.Parcels), strings.Join(faults, "\n"))
		}
	})
}

// TestTheCheckerSeesFaults spoils a good packing in every way the checker is there for.
func TestTheCheckerSeesFaults(t *testing.T) {
	o := packing.Order{
		Items: []packing.Item{
			{ID: "base", Units: 2, Size: packing.Size{L: 20, W: 20, H: 10}, Grams: 100, Upright: packing.UprightH, MaxOnTop: 400},
			{ID: "top", Units: 1, Size: packing.Size{L: 40, W: 20, H: 10}, Grams: 300, Fragile: true, Upright: packing.UprightH},
		},
		Cartons: []packing.Carton{{ID: "c", Inner: packing.Size{L: 40, W: 20, H: 30}, Outer: packing.Size{L: 40, W: 20, H: 30}, MaxGrams: 900}},
	}
	good := func() packing.Packing {
		p, err := packing.Pack(o)
		if err != nil || len(p.Parcels) != 1 || len(check(o, p)) > 0 {
			t.Fatalf("%+v %v %v", p, err, check(o, p))
		}
		return p
	}
	at := func(p packing.Packing, item string) *packing.Placement {
		ps := p.Parcels[0].Placements
		return &ps[slices.IndexFunc(ps, func(q packing.Placement) bool { return q.Item == item })]
	}
	for want, spoil := range map[string]func(*packing.Packing){
		"in twice":       func(p *packing.Packing) { at(*p, "base").Unit = 3 },
		"packed and":     func(p *packing.Packing) { p.Parcels[0].Placements = p.Parcels[0].Placements[1:] },
		"may not stand":  func(p *packing.Packing) { at(*p, "top").Size = packing.Size{L: 40, W: 10, H: 20} },
		"sticks out":     func(p *packing.Packing) { at(*p, "top").X++ },
		"overlap":        func(p *packing.Packing) { at(*p, "top").Z-- },
		"rests on":       func(p *packing.Packing) { at(*p, "top").Z++ },
		"put in before":  func(p *packing.Packing) { slices.Reverse(p.Parcels[0].Placements) },
		"told wrongly":   func(p *packing.Packing) { p.Parcels[0].NetGrams++ },
		"is too heavy":   func(*packing.Packing) { o.Cartons[0].MaxGrams = 400 },
		"over fragile":   func(*packing.Packing) { o.Items[0].Fragile = true },
		"which bears":    func(*packing.Packing) { o.Items[0].MaxOnTop = 149 },
		"is not alone":   func(*packing.Packing) { o.Items[1].Alone = true },
		"not as ordered": func(p *packing.Packing) { p.Parcels[0].Carton = "d" },
		"cost ":          func(p *packing.Packing) { p.Cost.Minor = 5 },
	} {
		p := good()
		before := packing.Order{Items: slices.Clone(o.Items), Cartons: slices.Clone(o.Cartons)}
		spoil(&p)
		if got := strings.Join(check(o, p), "; "); !strings.Contains(got, want) {
			t.Errorf("no word of %q: %s", want, got)
		}
		o = before
	}
}

// TestDearerTierLoses: the smaller carton is billed a tier lower, so it wins though the larger one costs nothing.
func TestDearerTierLoses(t *testing.T) {
	o := packing.Order{
		Items: []packing.Item{{ID: "shoes", Units: 1, Size: packing.Size{L: 300, W: 200, H: 110}, Grams: 900}},
		Cartons: []packing.Carton{
			{ID: "large", Inner: packing.Size{L: 400, W: 300, H: 200}, Outer: packing.Size{L: 410, W: 310, H: 210}, Grams: 250},
			{ID: "small", Inner: packing.Size{L: 310, W: 210, H: 120}, Outer: packing.Size{L: 320, W: 220, H: 130}, Grams: 150, Cost: usd(60)},
		},
		Rules: packing.Rules{Tariff: packing.ByTiers(5_000_000, 0, []packing.Tier{{UpTo: 2000, Price: usd(700)}, {UpTo: 6000, Price: usd(1200)}})},
	}
	p, err := packing.Pack(o)
	if err != nil || len(p.Parcels) != 1 {
		t.Fatal(p, err)
	}
	got := p.Parcels[0]
	want := packing.Charge{DimGrams: 1831, BilledGrams: 1831, Price: usd(700)}
	if got.Carton != "small" || got.Charge != want || p.Cost != usd(760) {
		t.Errorf("%+v costs %s", got, p.Cost)
	}
	o.Rules.Tariff = nil // without the carrier's price the free carton is the cheaper one
	if p, err = packing.Pack(o); err != nil || p.Parcels[0].Carton != "large" {
		t.Error(p, err)
	}
}

// TestTiersAcrossParcels: two units to a parcel is what fits, and how the four kinds are shared out decides the tiers.
func TestTiersAcrossParcels(t *testing.T) {
	o := packing.Order{
		Cartons: []packing.Carton{{ID: "c", Inner: packing.Size{L: 20, W: 10, H: 10}, Outer: packing.Size{L: 20, W: 10, H: 10}}},
		Rules:   packing.Rules{Tariff: packing.ByTiers(0, 0, []packing.Tier{{UpTo: 1000, Price: usd(500)}, {UpTo: 2000, Price: usd(900)}, {UpTo: 9000, Price: usd(5000)}})},
	}
	for i, g := range []int64{1600, 1500, 400, 300} {
		o.Items = append(o.Items, packing.Item{ID: string(rune('a' + i)), Units: 1, Size: packing.Size{L: 10, W: 10, H: 10}, Grams: g})
	}
	p, err := packing.Pack(o)
	if err != nil || len(p.Parcels) != 2 {
		t.Fatal(p, err)
	}
	if p.Cost != usd(1800) {
		t.Errorf("%s; 1600+400 with 1500+300, or 1600+300 with 1500+400, cost 18.00", p.Cost)
	}
}

func TestCheckNamesWhatIsWrong(t *testing.T) {
	good := func() packing.Order {
		return packing.Order{
			Items:   []packing.Item{{ID: "a", Units: 1, Size: packing.Size{L: 1, W: 1, H: 1}}, {ID: "b", Units: 1, Size: packing.Size{L: 1, W: 1, H: 1}}},
			Cartons: []packing.Carton{{ID: "A", Inner: packing.Size{L: 1, W: 1, H: 1}, Outer: packing.Size{L: 1, W: 1, H: 1}}},
		}
	}
	if err := good().Check(); err != nil {
		t.Fatal(err)
	}
	for want, spoil := range map[string]func(*packing.Order){
		"id of its own":  func(o *packing.Order) { o.Items[1].ID = "a" },
		"0 units":        func(o *packing.Order) { o.Items[1].Units = 0 },
		"units; at most": func(o *packing.Order) { o.Items[0].Units = packing.MaxUnits },
		"edges of 0":     func(o *packing.Order) { o.Items[1].Size.L = 0 },
		"weight is neg":  func(o *packing.Order) { o.Items[1].Grams = -1 },
		"may be upright": func(o *packing.Order) { o.Items[1].Upright = 8 },
		"lines; at most": func(o *packing.Order) { o.Items = make([]packing.Item, packing.MaxLines+1) },
		"carton 1":       func(o *packing.Order) { o.Cartons[0].ID = "" },
		"outer edge":     func(o *packing.Order) { o.Cartons[0].Outer.H = packing.MaxEdge + 1 },
		"padding":        func(o *packing.Order) { o.Cartons[0].Padding = -1 },
		"stock is out":   func(o *packing.Order) { o.Cartons[0].Stock = -1 },
		"it costs":       func(o *packing.Order) { o.Cartons[0].Cost.Minor = -1 },
		"EUR where others": func(o *packing.Order) {
			o.Cartons = append(o.Cartons, o.Cartons[0])
			o.Cartons[1].ID, o.Cartons[1].Cost, o.Cartons[0].Cost = "B", money.Amount{Currency: "EUR"}, usd(1)
		},
		"at most 64":      func(o *packing.Order) { o.Cartons = make([]packing.Carton, packing.MaxCartons+1) },
		"support is 50":   func(o *packing.Order) { o.Rules.Support = 50 },
		"effort is -1":    func(o *packing.Order) { o.Rules.Effort = -1 },
		"greatest weight": func(o *packing.Order) { o.Rules.MaxGrams = -1 },
		"charges EUR": func(o *packing.Order) {
			o.Cartons[0].Cost = usd(1)
			o.Rules.Tariff = func(packing.Size, int64) packing.Charge {
				return packing.Charge{Price: money.Amount{Minor: 1, Currency: "EUR"}}
			}
		},
		"asks for": func(o *packing.Order) {
			o.Rules.Tariff = func(packing.Size, int64) packing.Charge { return packing.Charge{Price: usd(-1)} }
		},
	} {
		o := good()
		spoil(&o)
		if _, err := packing.Pack(o); !errs.Is(err, errs.Invalid) || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, got %v", want, err)
		}
	}
}

package catalog

import (
	"slices"
	"strconv"
	"testing"

	"pgregory.net/rapid"

	"github.com/spillway/spillway/domain/network"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/kit/money"
)

func TestPhysicalCheck(t *testing.T) {
	good := Physical{Grams: 350, LengthMM: 120, WidthMM: 100, HeightMM: 110, Stance: ThisWayUp, Needs: []network.Ability{network.Hazmat}, Origin: "CN", HSCode: "691200"}
	if err := good.Check(); err != nil || !good.Known() || good.Empty() {
		t.Error(err)
	}
	if err := (Physical{}).Check(); err != nil || !(Physical{}).Empty() {
		t.Error(err)
	}
	for name, spoil := range map[string]func(*Physical){
		"two sides":       func(p *Physical) { p.HeightMM = 0 },
		"a negative side": func(p *Physical) { p.WidthMM = -1 },
		"a long side":     func(p *Physical) { p.LengthMM = MaxEdgeMM + 1 },
		"too heavy":       func(p *Physical) { p.Grams = MaxUnitGrams + 1 },
		"negative":        func(p *Physical) { p.Grams = -1 },
		"stance":          func(p *Physical) { p.Stance = "down" },
		"origin":          func(p *Physical) { p.Origin = "China" },
		"tariff code":     func(p *Physical) { p.HSCode = "6912" },
		"ability":         func(p *Physical) { p.Needs = []network.Ability{"magic"} },
	} {
		bad := good
		spoil(&bad)
		if err := bad.Check(); !errs.Is(err, errs.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestTidySaysTheSameTheSame(t *testing.T) {
	a := Physical{Needs: []network.Ability{network.Oversize, network.Fragile, network.Oversize}}.Tidy()
	if !slices.Equal(a.Needs, []network.Ability{network.Fragile, network.Oversize}) {
		t.Error(a.Needs)
	}
	if b := (Physical{Needs: []network.Ability{}}).Tidy(); b.Needs != nil {
		t.Error(b.Needs)
	}
}

func TestCartonCheck(t *testing.T) {
	good := Carton{ID: "box-m", Name: "Medium", Inner: Sides{300, 220, 180}, Outer: Sides{308, 228, 190}, Grams: 210, MaxGrams: 15_000, Padding: 5,
		Cost: money.Amount{Minor: 55, Currency: "USD"}, Active: true}
	if err := good.Check(); err != nil {
		t.Error(err)
	}
	for name, spoil := range map[string]func(*Carton){
		"id":             func(c *Carton) { c.ID = "a b" },
		"name":           func(c *Carton) { c.Name = " " },
		"no room":        func(c *Carton) { c.Inner.HeightMM = 0 },
		"inside out":     func(c *Carton) { c.Outer.WidthMM = 219 },
		"all padding":    func(c *Carton) { c.Padding = 90 },
		"limit":          func(c *Carton) { c.MaxGrams = 210 },
		"cost":           func(c *Carton) { c.Cost.Minor = -1 },
		"no currency":    func(c *Carton) { c.Cost.Currency = "" },
		"negative grams": func(c *Carton) { c.Grams = -1 },
	} {
		bad := good
		spoil(&bad)
		if err := bad.Check(); !errs.Is(err, errs.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if !good.At("reno") || (Carton{Active: true, Node: "oslo"}).At("reno") || (Carton{}).At("reno") {
		t.Error("where a carton may be packed in")
	}
}

func TestCheckBins(t *testing.T) {
	bin := func(code string, primary bool) Bin {
		return Bin{Node: "reno", ItemID: "mug", Code: code, Primary: primary}
	}
	var many []Bin
	for i := range MaxBinsOfItem + 1 {
		many = append(many, bin("A-"+strconv.Itoa(i), false))
	}
	if err := CheckBins(many[1:]); err != nil {
		t.Error(err)
	}
	for name, bad := range map[string][]Bin{
		"too many":      many,
		"twice":         {bin("A-1", false), bin("A-1", true)},
		"two first":     {bin("A-1", true), bin("A-2", true)},
		"blank in code": {bin("A 1", false)},
		"no code":       {bin("", false)},
		"walk":          {{Node: "reno", ItemID: "mug", Code: "A", Walk: -1}},
	} {
		if err := CheckBins(bad); !errs.Is(err, errs.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestBinsAreWalkedInOrder(t *testing.T) {
	bins := []Bin{{Code: "B-1"}, {Code: "A-10"}, {Code: "A-2"}, {Code: "Z-9", Walk: 1}, {Code: "A-02-3"}, {Code: "C-1", Primary: true}}
	SortBins(bins)
	var got []string
	for _, b := range bins {
		got = append(got, b.Code)
	}
	if want := []string{"C-1", "Z-9", "A-2", "A-02-3", "A-10", "B-1"}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

// The walking order is an order: whatever bins there are, sorting them is the same from any beginning.
func TestWalkOrderIsAnOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		one := rapid.Custom(func(t *rapid.T) Bin {
			return Bin{Code: rapid.StringMatching(`[A-C]?[0-9]{0,3}-?[0-9]{0,2}`).Draw(t, "code"), Walk: rapid.Int64Range(0, 2).Draw(t, "walk")}
		})
		a, b, c := one.Draw(t, "a"), one.Draw(t, "b"), one.Draw(t, "c")
		if WalkOrder(a, b) != -WalkOrder(b, a) {
			t.Fatalf("%v and %v come before each other", a, b)
		}
		if WalkOrder(a, b) <= 0 && WalkOrder(b, c) <= 0 && WalkOrder(a, c) > 0 {
			t.Fatalf("%v, %v, %v go in a circle", a, b, c)
		}
	})
}

package shipping

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/spillway/spillway/kit/errs"
)

// soldLine is a line of an order, of units that take pieces of items.
type soldLine struct {
	key    string
	pieces map[string]int64
	units  int64
	named  bool // the channel has an id for each unit
}

func linesOf(sold []soldLine) (out []Line, of func(Line) Sold) {
	for _, s := range sold {
		var ids []string
		for u := range s.units {
			if s.named {
				ids = append(ids, fmt.Sprintf("%s/%d", s.key, u))
			}
		}
		for _, item := range slices.Sorted(maps.Keys(s.pieces)) {
			out = append(out, Line{OrderID: "c:1", Key: s.key, ItemID: item, Qty: s.units * s.pieces[item], Units: ids})
			ids = nil
		}
	}
	return out, func(l Line) Sold {
		i := slices.IndexFunc(sold, func(s soldLine) bool { return s.key == l.Key })
		return Sold{Part: l.ItemID, Pieces: sold[i].pieces[l.ItemID]}
	}
}

func drawSold(t *rapid.T) (out []soldLine) {
	for k := range rapid.IntRange(1, 3).Draw(t, "lines") {
		s := soldLine{key: fmt.Sprint(k), pieces: map[string]int64{}, units: rapid.Int64Range(1, 3).Draw(t, "units"), named: rapid.Bool().Draw(t, "named")}
		for _, item := range rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"a", "b", "c"}), 1, 2, rapid.ID[string]).Draw(t, "items") {
			s.pieces[item] = rapid.Int64Range(1, 2).Draw(t, "pieces")
		}
		out = append(out, s)
	}
	return out
}

// possible reports by trying all whether what is in the box can be whole units.
func possible(sold []soldLine, in map[string]int64, whole bool) bool {
	if len(sold) == 0 {
		for _, n := range in {
			if n != 0 {
				return false
			}
		}
		return true
	}
	for k := range sold[0].units + 1 {
		if whole && k != 0 && k != sold[0].units {
			continue
		}
		left := map[string]int64{}
		for i, n := range in {
			left[i] = n - k*sold[0].pieces[i]
		}
		if possible(sold[1:], left, whole) {
			return true
		}
	}
	return false
}

// A parcel is divided whenever what is in the box can be whole units, as trying all of them says; nothing is lost or made, units stay whole, and the
// channel's ids go with them.
func TestDividingKeepsUnitsWhole(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		sold := drawSold(t)
		s := whole("1")
		var of func(Line) Sold
		s.Lines, of = linesOf(sold)
		was, in := slices.Clone(s.Lines), map[string]int64{}
		for _, l := range sold { // whole units, mostly
			k := rapid.Int64Range(0, l.units).Draw(t, "stay")
			for item, n := range l.pieces {
				in[item] += k * n
			}
		}
		if rapid.IntRange(0, 3).Draw(t, "tear") == 0 {
			in[rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "of")]++
		}
		all, none := true, true
		for _, item := range []string{"a", "b", "c"} {
			var n int64
			for _, l := range was {
				if l.ItemID == item {
					n += l.Qty
				}
			}
			all, none = all && n == in[item], none && in[item] == 0
		}
		d := Division{In: in, Sold: of, Whole: rapid.Bool().Draw(t, "whole"), Packages: true}
		want := possible(sold, in, d.Whole) && !all && !none
		other, err := s.Divide("s2", d, noon)
		if (err == nil) != want {
			t.Fatalf("%v of %+v, in the box %v, whole %v: %v", want, sold, in, d.Whole, err)
		}
		if err != nil {
			if !errs.Is(err, errs.Invalid) || !slices.EqualFunc(s.Lines, was, sameLine) || s.Divided {
				t.Fatalf("refused it changed: %v %+v", err, s)
			}
			return
		}
		if !s.Divided || !other.Divided || !s.Package.Wanted || !other.Package.Wanted || other.Node != s.Node || other.Way != s.Way || !other.Due.Equal(s.Due) {
			t.Fatalf("%+v and %+v", s, other)
		}
		dividedWell(t, sold, was, &s, other, in)
	})
}

func sameLine(a, b Line) bool {
	return a.OrderID == b.OrderID && a.Key == b.Key && a.ItemID == b.ItemID && a.Qty == b.Qty && slices.Equal(a.Units, b.Units)
}

func dividedWell(t *rapid.T, sold []soldLine, was []Line, s, other *Shipment, in map[string]int64) {
	got := map[string]int64{}
	for _, l := range s.Lines {
		got[l.ItemID] += l.Qty
	}
	for item, n := range in {
		if got[item] != n {
			t.Fatalf("%d of %s stayed, not %d", got[item], item, n)
		}
	}
	sum := map[string]int64{}
	for _, l := range was {
		sum[l.Key+l.ItemID] += l.Qty
	}
	for _, p := range []*Shipment{s, other} {
		for _, line := range sold {
			units, ids := int64(-1), 0
			for item, pieces := range line.pieces {
				var n int64
				for _, l := range p.Lines {
					if l.Key == line.key && l.ItemID == item {
						n, ids = n+l.Qty, ids+len(l.Units)
						sum[l.Key+l.ItemID] -= l.Qty
					}
				}
				if n%pieces != 0 || units >= 0 && units != n/pieces {
					t.Fatalf("a unit of %+v is torn apart: %+v", line, p.Lines)
				}
				units = n / pieces
			}
			if line.named && int64(ids) != units {
				t.Fatalf("%d units have %d ids: %+v", units, ids, p.Lines)
			}
		}
	}
	for k, n := range sum {
		if n != 0 {
			t.Fatalf("%d of %s are lost or made", n, k)
		}
	}
}

// What has its label, is shared or somebody else's is not divided; a label that was refused for the box is asked for again.
func TestWhatMayBeDivided(t *testing.T) {
	two := func() Shipment {
		s := whole("1")
		s.Lines[0].Qty, s.Lines[0].Units = 2, []string{"u1", "u2"}
		return s
	}
	d := Division{In: map[string]int64{"MUG": 1}, Sold: func(l Line) Sold { return Sold{l.ItemID, 1} }}
	for name, spoil := range map[string]func(*Shipment){
		"stopped": func(s *Shipment) { s.Stop(noon, "x") }, "labelled": func(s *Shipment) { s.Booked(noon, Label{Ref: "r"}) }, "being labelled": func(s *Shipment) { s.Label.Fate = Open },
		"a lost answer": func(s *Shipment) { s.Label.Fate = Unknown }, "its package asked for": func(s *Shipment) { s.Package.Fate = Open },
		"a provider": func(s *Shipment) { s.Way, s.Account = ByProvider, "acc" }, "several orders": func(s *Shipment) { s.Orders = append(s.Orders, "c:2") },
	} {
		s := two()
		spoil(&s)
		if _, err := s.Divide("s2", d, noon); !errs.Is(err, errs.Conflict) {
			t.Errorf("%s: %v", name, err)
		}
	}
	s := two()
	s.Box = &Box{Grams: 40_000}
	s.Label.Fate, s.Label.Stuck, s.Label.After = Refused, true, noon
	other, err := s.Divide("s2", d, noon)
	if err != nil || s.Box != nil || s.Label.Stuck || s.Next(noon).Kind != Pack || other.Next(noon).Kind != Pack {
		t.Errorf("%v: %+v and %+v", err, s, other)
	}
	if s.Lines[0].Units[0] != "u1" || other.Lines[0].Units[0] != "u2" {
		t.Errorf("%+v and %+v", s.Lines, other.Lines)
	}
}

// A provider sends in two packages what it was handed over as one: the rest stays booked with it, and the channel's packages are made before it is told.
func TestAProviderSendsInParts(t *testing.T) {
	handed := func() Shipment {
		s := whole("1")
		s.Way, s.Account = ByProvider, "acc"
		s.Lines[0].Qty, s.Lines[0].Units = 3, []string{"u1", "u2", "u3"}
		s.Booked(noon, Label{Ref: "r"})
		return s
	}
	d := Division{In: map[string]int64{"MUG": 1}, Sold: func(l Line) Sold { return Sold{l.ItemID, 1} }, Packages: true}
	for name, spoil := range map[string]func(*Shipment){
		"own label": func(s *Shipment) { s.Way = ByCarrier }, "not handed over": func(s *Shipment) { s.Label.Fate = Unknown }, "stopped": func(s *Shipment) { s.Stop(noon, "x") },
		"told": func(s *Shipment) { s.Told(noon, "9400", "", "", 1) }, "being told": func(s *Shipment) { s.Tell.Fate = Open }, "several orders": func(s *Shipment) { s.Orders = append(s.Orders, "c:2") },
	} {
		s := handed()
		spoil(&s)
		if _, err := s.Part("s2", d, noon); !errs.Is(err, errs.Conflict) || s.MayPart() || s.Divided {
			t.Errorf("%s: %v", name, err)
		}
	}
	s := handed()
	s.Booked(noon, Label{Ref: "r", Carrier: "USPS", Tracking: "9400"})
	other, err := s.Part("s2", d, noon)
	if err != nil {
		t.Fatal(err)
	}
	if s.Label.Tracking != "9400" || s.Next(noon).Kind != Group || other.Label.Tracking != "" || other.Label.Ref != "r" || other.Label.PartOf != s.ID || other.Next(noon).Kind != Group {
		t.Errorf("%+v and %+v", s, other)
	}
	if !slices.Equal(s.Lines[0].Units, []string{"u1"}) || !slices.Equal(other.Lines[0].Units, []string{"u2", "u3"}) {
		t.Errorf("%+v and %+v", s.Lines, other.Lines)
	}
	third, err := other.Part("s3", d, noon)
	if err != nil || third.Label.PartOf != s.ID {
		t.Errorf("%v: %+v", err, third)
	}
	s.Packaged(noon, "p1", true)
	if s.Next(noon).Kind != Tell {
		t.Errorf("next is %s", s.Next(noon).Kind)
	}
	other.Booked(noon, Label{Ref: "r", Carrier: "USPS", Tracking: "9401"})
	if other.Label.PartOf != s.ID {
		t.Error("it is forgotten what it was booked as")
	}
}

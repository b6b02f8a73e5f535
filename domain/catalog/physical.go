package catalog

import (
	"cmp"
	"regexp"
	"slices"

	"github.com/spillway/spillway/domain/network"
	"github.com/spillway/spillway/kit/errs"
)

// Bounds of one unit: what packing reckons with, so that whatever is said here can be packed.
const (
	MaxEdgeMM    = 20_000    // a sea container is 12,032 long
	MaxUnitGrams = 5_000_000 // five tonnes
)

// Stance says which way up a unit may stand. It may always be spun about its vertical edge.
type Stance string

const (
	AnyWay    Stance = ""      // on any of its sides
	ThisWayUp Stance = "up"    // its height stays vertical
	NeverEnd  Stance = "never" // not on its end: its length stays level
)

// Stances lists all.
var Stances = []Stance{AnyWay, ThisWayUp, NeverEnd}

// Physical is what one unit of an item is like: what routing, packing, labels and customs must know of it, and what is sent
// where there is none. The zero Physical says nothing.
type Physical struct {
	Grams    int64             `json:"grams,omitzero"`     // of one unit as it is packed; 0: not known
	LengthMM int64             `json:"length_mm,omitzero"` // as the unit stands by itself; all three or none
	WidthMM  int64             `json:"width_mm,omitzero"`
	HeightMM int64             `json:"height_mm,omitzero"`
	Stance   Stance            `json:"stance,omitzero"`
	Fragile  bool              `json:"fragile,omitzero"` // nothing may lie on it
	Alone    bool              `json:"alone,omitzero"`   // every unit is a parcel by itself
	Needs    []network.Ability `json:"needs,omitempty"`  // what a node must be able to handle for it
	Origin   string            `json:"origin,omitzero"`  // ISO 3166 country it was made in, two letters
	HSCode   string            `json:"hs_code,omitzero"` // of the Harmonized System: 6 to 10 digits
	// Equals are items that are the same thing to a buyer, such as one in a new wrapping: a floor that finds none of this item sends one of them, the
	// first of which there is enough. Item ids, best first.
	Equals []string `json:"equals,omitempty"`
}

// MaxEquals bounds how many items stand in for one.
const MaxEquals = 8

var (
	originCode = regexp.MustCompile(`^[A-Z]{2}$`)
	tariffCode = regexp.MustCompile(`^[0-9]{6,10}$`)
)

// Sized reports whether its three sides are known.
func (p Physical) Sized() bool { return p.LengthMM > 0 && p.WidthMM > 0 && p.HeightMM > 0 }

// Known reports whether enough is known to pack it: weight and sides.
func (p Physical) Known() bool { return p.Grams > 0 && p.Sized() }

// Empty reports whether nothing is said.
func (p Physical) Empty() bool {
	return p.Grams == 0 && p.LengthMM == 0 && p.WidthMM == 0 && p.HeightMM == 0 && p.Stance == AnyWay && !p.Fragile && !p.Alone && len(p.Needs) == 0 &&
		p.Origin == "" && p.HSCode == "" && len(p.Equals) == 0
}

// Tidy puts what a unit needs in one order, each once, so that the same is written the same. Whether it is fragile and whether a node must be able to
// handle fragile goods stay two things: most fragile goods travel by any node.
func (p Physical) Tidy() Physical {
	if len(p.Needs) == 0 {
		p.Needs = nil
		return p
	}
	p.Needs = slices.Compact(slices.SortedFunc(slices.Values(p.Needs), func(a, b network.Ability) int { return cmp.Compare(a, b) }))
	return p
}

// Check names the first thing that cannot be. Errors: Invalid, with the field and the way out.
func (p Physical) Check() error {
	bad := func(field, format string, args ...any) error {
		return errs.New(errs.Invalid, "catalog.Physical", field, field+": "+format, args...)
	}
	sides := [3]int64{p.LengthMM, p.WidthMM, p.HeightMM}
	for i, name := range [3]string{"length_mm", "width_mm", "height_mm"} {
		switch {
		case sides[i] < 0 || sides[i] > MaxEdgeMM:
			return bad(name, "a side is 1 to %d mm", MaxEdgeMM)
		case sides[i] == 0 && sides != [3]int64{}:
			return bad(name, "write all three sides or none")
		}
	}
	switch {
	case p.Grams < 0 || p.Grams > MaxUnitGrams:
		return bad("grams", "one unit weighs 1 to %d grams", MaxUnitGrams)
	case !slices.Contains(Stances, p.Stance):
		return bad("stance", "%q is none of “up”, “never” and nothing", p.Stance)
	case p.Origin != "" && !originCode.MatchString(p.Origin):
		return bad("origin", "write two letters such as US, not %q", p.Origin)
	case p.HSCode != "" && !tariffCode.MatchString(p.HSCode):
		return bad("hs_code", "write 6 to 10 digits, not %q", p.HSCode)
	case len(p.Equals) > MaxEquals:
		return bad("equals", "at most %d items stand in for one", MaxEquals)
	case len(p.Needs) > len(network.Abilities):
		return bad("needs", "there are only %v", network.Abilities)
	}
	for _, a := range p.Needs {
		if !slices.Contains(network.Abilities, a) {
			return bad("needs", "%q is none of %v", a, network.Abilities)
		}
	}
	for i, id := range p.Equals {
		if id == "" || len(id) > MaxIDBytes || slices.Contains(p.Equals[:i], id) {
			return bad("equals", "%q is no item, or is named twice", id)
		}
	}
	return nil
}

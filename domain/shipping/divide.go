package shipping

import (
	"cmp"
	"slices"
	"time"

	"github.com/spillway/spillway/kit/errs"
)

// Sold is what a line of a parcel is of what was sold: which part of its order line's unit, and how many pieces of it one unit takes. A line sold as
// it is has one part with one piece; a bundle has a part for each of its items. An item that is sent in place of another is the same part.
type Sold struct {
	Part   string
	Pieces int64
}

// Division is how a parcel is divided.
type Division struct {
	In       map[string]int64 // pieces by item that stay in it
	Sold     func(Line) Sold
	Packages bool // the channel makes packages before they ship
	Whole    bool // and wants all units of a line in one
}

// MayDivide says whether a parcel may be divided yet, and if not, why, in a sentence for people.
func (s *Shipment) MayDivide() (why string, may bool) {
	switch {
	case !s.Stopped.IsZero():
		return "It is not to ship any more: " + s.StopWhy, false
	case s.Label.unsure() || s.Label.Fate == Done || s.Shipped():
		return "It has its label, or is about to get it: void that first.", false
	case s.Package.unsure():
		return "The channel is just being asked for its package: try again in a minute.", false
	case s.Way == ByProvider:
		return "A logistics provider packs it.", false
	case len(s.Orders) > 1:
		return "Several orders share it: route one of them again to take it out.", false
	}
	return "", true
}

// Divide leaves in the parcel what stays in its box and returns the rest as a parcel of its own, which goes from the same place in the same way. What
// the channel sold as one unit stays in one. Both are packed anew, and the channel's packages are made to fit. Errors: Conflict (see MayDivide), Invalid.
func (s *Shipment) Divide(id string, d Division, at time.Time) (*Shipment, error) {
	if why, may := s.MayDivide(); !may {
		return nil, s.conflict("Divide", "%s", why)
	}
	other, err := s.divide(id, d, at)
	if err != nil {
		return nil, err
	}
	return other, s.Unpack()
}

// MayPart says whether the parcel may turn out to be several: a logistics provider has it, and the channel knows no number of it.
func (s *Shipment) MayPart() bool {
	return s.Way == ByProvider && s.Label.Fate == Done && s.Stopped.IsZero() && s.Tell.Tracking == "" && !s.Tell.unsure() && len(s.Orders) == 1
}

// Part leaves in the parcel what its provider sent in one package and returns the rest as a parcel of its own, which the provider still has under the
// same booking. Errors: Conflict (see MayPart), Invalid.
func (s *Shipment) Part(id string, d Division, at time.Time) (*Shipment, error) {
	if !s.MayPart() {
		return nil, s.conflict("Part", "its provider does not have it, or the channel was told a number of it")
	}
	other, err := s.divide(id, d, at)
	if err != nil {
		return nil, err
	}
	other.Label = Label{Call: Call{Fate: Done, N: s.Label.N, At: s.Label.At}, Ref: s.Label.Ref, PartOf: cmp.Or(s.Label.PartOf, s.ID), BookedAt: s.Label.BookedAt}
	return other, nil
}

// Undivided says that the channel keeps in one package what a provider sent in several, so that it takes one number for all of them: along, that of
// another parcel.
func (s *Shipment) Undivided(along bool) { s.Package, s.Tell.Along = Package{}, along }

func (s *Shipment) divide(id string, d Division, at time.Time) (*Shipment, error) {
	stay, ok := d.settle(s.Lines)
	switch {
	case !ok && d.Whole:
		return nil, s.invalidly("this channel wants all units of an item in one parcel: put all of it into this box, or none")
	case !ok:
		return nil, s.invalidly("what is in the box is not in the parcel, or tears apart what is sold as one: the pieces of a set go into one box")
	}
	kept, rest := parts(s.Lines, stay, d.Sold)
	if len(kept) == 0 || len(rest) == 0 {
		return nil, s.invalidly("divided, each parcel holds something: say what stays in this one, and leave something for the other")
	}
	other, err := New(Shipment{ID: id, ConnectionID: s.ConnectionID, Orders: s.Orders, Node: s.Node, Lines: rest, Way: s.Way, Account: s.Account, Carrier: s.Carrier,
		Service: s.Service, Due: s.Due, CreatedAt: at, Road: s.Road, Divided: true})
	if err != nil {
		return nil, err
	}
	s.Lines, s.Divided = kept, true
	if d.Packages {
		other.Package.Wanted = true
		s.repackage(at)
	}
	return other, nil
}

func (s *Shipment) invalidly(why string) error {
	return errs.New(errs.Invalid, "shipping.Divide", s.ID, "%s", why)
}

// Unpack says that the parcel is taken out of its box again; what was refused for that box is asked anew. Errors: Conflict (its label is made, or may be).
func (s *Shipment) Unpack() error {
	if s.Label.Fate != Never && s.Label.Fate != Refused {
		return s.conflict("Unpack", "it has its label, or is about to get it: void that first")
	}
	s.Box, s.Label.After, s.Label.Stuck = nil, time.Time{}, false
	return nil
}

// maxDivideSteps bounds the search for lines that what is in a box may be of: one item may be sold alone and in several sets of one order.
const maxDivideSteps = 10_000

// settle says how many pieces of each line stay; false: they cannot be in the box by whole units.
func (d Division) settle(lines []Line) (stay []int64, ok bool) {
	left := map[string]int64{}
	for item, n := range d.In {
		if n < 0 {
			return nil, false
		}
		left[item] = n
	}
	stay = make([]int64, len(lines))
	groups, steps := unitsOf(lines, d.Sold), 0
	var next func(g int) bool
	next = func(g int) bool {
		if steps++; steps > maxDivideSteps {
			return false
		}
		if g == len(groups) {
			for _, n := range left {
				if n > 0 {
					return false
				}
			}
			return true
		}
		most := groups[g].most(lines, left)
		for k := most; k >= 0; k-- {
			if d.Whole && k != 0 && k != groups[g].units {
				continue
			}
			groups[g].put(lines, k, left, stay, 1)
			if next(g + 1) {
				return true
			}
			groups[g].put(lines, k, left, stay, -1)
		}
		return false
	}
	return stay, next(0)
}

// sold is the lines of a parcel that make up units of one order line.
type sold struct {
	order, key string
	units      int64
	parts      []soldPart
}

// soldPart is the lines of one part of a unit: several where some pieces are sent as another item.
type soldPart struct {
	name   string
	pieces int64
	lines  []int
}

func unitsOf(lines []Line, of func(Line) Sold) (out []sold) {
	for i, l := range lines {
		g := slices.IndexFunc(out, func(x sold) bool { return x.order == l.OrderID && x.key == l.Key })
		if g < 0 {
			g = len(out)
			out = append(out, sold{order: l.OrderID, key: l.Key})
		}
		is := of(l)
		p := slices.IndexFunc(out[g].parts, func(x soldPart) bool { return x.name == is.Part })
		if p < 0 {
			p = len(out[g].parts)
			out[g].parts = append(out[g].parts, soldPart{name: is.Part, pieces: max(1, is.Pieces)})
		}
		out[g].parts[p].lines = append(out[g].parts[p].lines, i)
	}
	for g := range out {
		for i, p := range out[g].parts {
			var n int64
			for _, l := range p.lines {
				n += lines[l].Qty
			}
			if u := n / p.pieces; i == 0 || u < out[g].units {
				out[g].units = u
			}
		}
	}
	return out
}

// most is how many units there can be of what is left in the box.
func (g *sold) most(lines []Line, left map[string]int64) int64 {
	most := g.units
	for _, p := range g.parts {
		var n int64
		for _, l := range p.lines {
			n += min(lines[l].Qty, left[lines[l].ItemID])
		}
		most = min(most, n/p.pieces)
	}
	return most
}

// put takes k units out of what is left in the box, or with sign -1 gives them back.
func (g *sold) put(lines []Line, k int64, left map[string]int64, stay []int64, sign int64) {
	for _, p := range g.parts {
		want := k * p.pieces
		for _, l := range p.lines {
			n := stay[l]
			if sign > 0 {
				n = min(want, lines[l].Qty, left[lines[l].ItemID])
			}
			want -= n
			left[lines[l].ItemID] -= sign * n
			stay[l] += sign * n
		}
	}
}

// parts are the lines that stay and the others. The channel's ids of units, which the first line of an order line names, go with their units.
func parts(lines []Line, stay []int64, of func(Line) Sold) (kept, rest []Line) {
	for _, g := range unitsOf(lines, of) {
		var units []string
		var pieces int64
		for _, p := range g.parts {
			for _, l := range p.lines {
				units = append(units, lines[l].Units...)
			}
		}
		for _, l := range g.parts[0].lines {
			pieces += stay[l]
		}
		here := int(min(pieces/g.parts[0].pieces, int64(len(units))))
		ks, rs := len(kept), len(rest)
		for _, p := range g.parts {
			for _, l := range p.lines {
				k, r := lines[l], lines[l]
				k.Qty, r.Qty = stay[l], lines[l].Qty-stay[l]
				k.Units, r.Units = nil, nil
				if k.Qty > 0 {
					kept = append(kept, k)
				}
				if r.Qty > 0 {
					rest = append(rest, r)
				}
			}
		}
		if len(kept) > ks {
			kept[ks].Units = units[:here:here]
		}
		if len(rest) > rs {
			rest[rs].Units = units[here:]
		}
	}
	return kept, rest
}

package routing

import (
	"cmp"
	"slices"
	"strings"

	"github.com/spillway/spillway/domain/network"
	"github.com/spillway/spillway/kit/errs"
)

// want is what an order asks of one item.
type want struct {
	item       string
	qty, grams int64 // grams of one unit
	need       uint8
	sites      uint64  // those that rules and abilities let ship it
	row        []int64 // what is available, by the index sites were given with
	price      []int64 // of a unit, in a re-plan; nil: none
	serial     int32   // index of its item in a re-plan
}

// problem is an order worked out: what it wants and the ways to ship it.
type problem struct {
	o       *Order
	wants   []want  // by item
	of      []int32 // want of each line
	sorted  []int32 // lines by item
	heavy   []int32 // wants, the heaviest units first
	due     dues
	allowed uint64 // sites that are open to it at all
	why     [network.MaxNodes]Why
	said    [network.MaxNodes]string // of a limit, its reason
	slots   []slot                   // by site
	spans   [network.MaxNodes + 1]int32
	guessed bool // the zone or days of a lane were not known
}

// Check names what routing cannot work with. Errors: Invalid, with the order.
func (o *Order) Check() error {
	bad := func(format string, args ...any) error {
		return errs.New(errs.Invalid, "routing.Order", o.ID, format, args...)
	}
	switch {
	case len(o.Lines) == 0:
		return bad("an order without lines goes nowhere")
	case len(o.Lines) > MaxLines:
		return bad("at most %d lines, not %d: split the order", MaxLines, len(o.Lines))
	case o.Value < 0 || o.Value > MaxValue:
		return bad("a value is from 0 to %d minor units", MaxValue)
	case o.Regime.Saving < 0 || o.Regime.Saving > 1_000_000:
		return bad("a saving is from 0 to 100 %%")
	case len(o.Override.Nodes) > 0 && (o.Override.Reason == "" || o.Override.By == ""):
		return bad("an override needs who made it and why")
	}
	var units, grams int64
	for i := range o.Lines {
		l := &o.Lines[i]
		if l.Item == "" || l.Qty <= 0 || l.Qty > MaxQty || l.Grams < 0 || l.Grams > MaxGrams {
			return bad("line %d needs an item, 1 to %d units and a weight from 0", i+1, MaxQty)
		}
		if units, grams = units+l.Qty, grams+l.Qty*l.Grams; units > MaxQty || grams > MaxGrams {
			return bad("at most %d units and %d grams", MaxQty, MaxGrams)
		}
		for _, a := range l.Needs {
			if !slices.Contains(network.Abilities, a) {
				return bad("line %d: %q is none of %v", i+1, a, network.Abilities)
			}
		}
	}
	return nil
}

// load works an order out. Stock is looked up later, by the rows it finds here. all: with every day that could be planned.
func (d *Desk) load(p *problem, o *Order, st Stock, all bool) {
	p.o, p.due = o, d.dues(o)
	p.merge(o, d.rules.Unknown)
	for i := range p.wants {
		p.wants[i].row = st[p.wants[i].item]
	}
	d.admit(p)
	ways := d.waysTo(o.Dest)
	p.slots, p.guessed = p.slots[:0], false
	for si := range d.sites {
		p.spans[si] = int32(len(p.slots))
		if p.allowed>>si&1 == 0 {
			continue
		}
		s := &d.sites[si]
		covered := false
		for j := range s.lanes {
			w := &ways[s.ways+j]
			covered = covered || w.covers
			p.guessed = p.guessed || w.covers && !w.known
		}
		before := len(p.slots)
		p.slots = d.slots(p.slots, o, si, &p.due, ways, all)
		if len(p.slots) == before {
			p.allowed &^= 1 << si
			p.why[si] = Full
			if !covered {
				p.why[si] = NoLane
			}
		}
	}
	p.spans[len(d.sites)] = int32(len(p.slots))
}

// merge makes wants of lines: one for each item, by item.
func (p *problem) merge(o *Order, unknown int64) {
	p.wants, p.of, p.sorted = p.wants[:0], grow(p.of, len(o.Lines)), p.sorted[:0]
	for i := range o.Lines {
		p.sorted = append(p.sorted, int32(i))
	}
	slices.SortFunc(p.sorted, func(a, b int32) int {
		return cmp.Or(strings.Compare(o.Lines[a].Item, o.Lines[b].Item), cmp.Compare(a, b))
	})
	for _, i := range p.sorted {
		l := &o.Lines[i]
		grams := cmp.Or(l.Grams, unknown)
		if n := len(p.wants); n > 0 && p.wants[n-1].item == l.Item {
			t := &p.wants[n-1]
			t.qty, t.grams, t.need = t.qty+l.Qty, max(t.grams, grams), t.need|abilities(l.Needs)
		} else {
			p.wants = append(p.wants, want{item: l.Item, qty: l.Qty, grams: grams, need: abilities(l.Needs)})
		}
		p.of[i] = int32(len(p.wants) - 1)
	}
	p.heavy = p.heavy[:0]
	for i := range p.wants {
		p.heavy = append(p.heavy, int32(i))
	}
	slices.SortFunc(p.heavy, func(a, b int32) int {
		return cmp.Or(cmp.Compare(p.wants[b].grams, p.wants[a].grams), cmp.Compare(a, b))
	})
}

// admit says which sites are open to the order and to each of its wants.
func (d *Desk) admit(p *problem) {
	o := p.o
	p.allowed = 0
	for si := range d.sites {
		p.said[si] = ""
		if p.why[si] = d.closed(o, &d.sites[si]); p.why[si] == Open {
			p.allowed |= 1 << si
		}
	}
	p.limit(d.limits.general, ^uint64(0))
	var some uint64
	for i := range p.wants {
		w := &p.wants[i]
		w.sites = p.allowed
		for _, l := range d.limits.byItem[w.item] {
			if l.holds(o) {
				w.sites &= l.allowed
			}
		}
		some |= w.sites
		if w.need == 0 {
			continue
		}
		for si := range d.sites {
			if w.need&^d.sites[si].able != 0 {
				w.sites &^= 1 << si
			}
		}
	}
	for i := range p.wants { // a site that limits close to every item says so
		p.limit(d.limits.byItem[p.wants[i].item], some)
	}
}

// limit closes the sites that limits forbid and that are not in keep.
func (p *problem) limit(list []limit, keep uint64) {
	for i := range list {
		l := &list[i]
		shut := p.allowed &^ l.allowed
		if keep != ^uint64(0) {
			shut &^= keep
		}
		if shut == 0 || !l.holds(p.o) {
			continue
		}
		p.allowed &^= shut
		for si := range p.why {
			if shut>>si&1 == 1 {
				p.why[si], p.said[si] = Limited, l.reason
			}
		}
	}
}

// closed says why a site is not open to an order, whatever is in it.
func (d *Desk) closed(o *Order, s *site) Why {
	switch {
	case !s.node.Active || !s.loc.Active:
		return Inactive
	case !s.loc.MayServe(o.Connection):
		return NotServed
	case o.ByPlatform && s.node.Kind != network.FBT:
		return ByPlatform
	case o.BySeller && s.node.Kind == network.FBT:
		return BySeller
	case o.Regime.Forbidden != "" && !o.Regime.PlatformPicks && s.node.Kind != network.FBT:
		return Forbidden
	case o.Regime.PlatformPicks && !s.node.Kind.Ours() && s.node.Kind != network.FBT:
		return OwnLabels
	case len(o.Override.Nodes) > 0 && !slices.Contains(o.Override.Nodes, s.node.ID):
		return Overridden
	}
	if len(o.Regime.Areas) == 0 {
		return Open
	}
	home := s.node.Place.Country
	for _, a := range o.Regime.Areas {
		if a == home || (len(a) == len(home)+1+len(s.node.Place.State) && a[:len(home)] == home && a[len(home)] == '-' && a[len(home)+1:] == s.node.Place.State) {
			return Open
		}
	}
	return OutsideArea
}

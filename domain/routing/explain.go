package routing

import (
	"fmt"
	"strings"
)

// Why is what became of a node when an order was routed.
type Why uint8

const (
	Open          Why = iota // nothing spoke against it
	Taken                    // the order leaves from it, or a part of it
	Dearer                   // it could ship all of the order, and it would cost more, or as much and another goes first
	Lacks                    // it does not have all of the order, and sharing costs more
	Cannot                   // it has an item that it or its carriers cannot handle
	PlatformFirst            // a platform's warehouse has all of it, and such stock goes first
	Inactive                 // switched off
	NotServed                // its stock may not be promised to this channel
	ByPlatform               // the platform ships the order itself
	BySeller                 // the platform has left the order to the seller, and ships no such order itself
	Overridden               // a person named other nodes
	Limited                  // a rule of the seller
	OutsideArea              // the way of shipping does not collect there
	NoLane                   // no carrier goes from there to the destination
	Full                     // it can be given no more orders on any day that is planned, or no van comes
	Forbidden                // by the channel's rules of that day the seller may not label it
	OwnLabels                // a provider labels what leaves there, and the order ships on the platform's label
)

// Candidate is a node and what became of it.
type Candidate struct {
	Node     string
	Name     string
	Why      Why
	Said     string // the reason of a limit or an override
	Item     string // the first item that stands in the way
	Have     int64  // units of it in reach
	Need     int64
	Short    int  // items of which it has too few
	Alone    bool // it could ship all, and the figures below are of that
	Cost     Cost
	Late     Chances
	LateCost int64
	Currency string
}

// Total is what the order would cost from this node alone, in minor units.
func (c *Candidate) Total() int64 { return c.Cost.Total() + c.LateCost }

// Words says it in a sentence for whoever works in a warehouse.
func (c *Candidate) Words() string {
	name := c.Name
	if name == "" {
		name = c.Node
	}
	switch c.Why {
	case Taken:
		return name + " ships it."
	case Dearer:
		return fmt.Sprintf("%s could ship all of it, for %s. That is no better.", name, c.money(c.Total()))
	case Lacks:
		text := fmt.Sprintf("%s has %d of %d of %s", name, c.Have, c.Need, c.Item)
		if c.Short > 1 {
			text += fmt.Sprintf(" and too few of %d more items", c.Short-1)
		}
		return text + "."
	case Cannot:
		return fmt.Sprintf("%s or its carriers cannot handle %s.", name, c.Item)
	case PlatformFirst:
		return "The platform's warehouse has all of it, and its stock goes first."
	case Inactive:
		return name + " is switched off."
	case NotServed:
		return fmt.Sprintf("The stock at %s may not be promised to this channel.", name)
	case ByPlatform:
		return "The platform ships this order from its own stock."
	case BySeller:
		return "The platform has left this order to you: " + name + " ships only what the platform took for it when the order was placed."
	case Overridden:
		return "A person chose where it leaves from: " + strings.TrimSuffix(c.Said, ".") + "."
	case Limited:
		return "A rule keeps it away from " + name + ": " + strings.TrimSuffix(c.Said, ".") + "."
	case OutsideArea:
		return fmt.Sprintf("The carrier of this way of shipping does not collect at %s.", name)
	case Forbidden:
		return "The channel's rules forbid labels of your own, which is how " + name + " ships: " + strings.TrimSuffix(c.Said, ".") + "."
	case OwnLabels:
		return name + " labels its parcels itself, and this order ships on a label of the platform."
	case NoLane:
		return fmt.Sprintf("No carrier goes from %s to where it is sent.", name)
	case Full:
		return fmt.Sprintf("%s can take no more orders on the days that are planned, or no van comes there.", name)
	}
	return name + " was open to it."
}

func (c *Candidate) money(minor int64) string {
	p := Plan{Currency: c.Currency}
	return p.Money(minor).String()
}

// candidates says of every node what became of it.
func (d *Desk) candidates(p *problem, a *answer) []Candidate {
	out := make([]Candidate, len(d.sites))
	var taken uint64
	for j := range a.n {
		taken |= 1 << a.kept[j].site
	}
	for si := range d.sites {
		c := &out[si]
		c.Node, c.Name, c.Currency = d.sites[si].node.ID, d.sites[si].node.Name, d.rules.Currency
		if p.allowed>>si&1 == 0 {
			switch c.Why, c.Said = p.why[si], p.said[si]; c.Why {
			case Overridden:
				c.Said = p.o.Override.Reason
			case Forbidden:
				c.Said = p.o.Regime.Forbidden
			}
			continue
		}
		d.alone(p, si, c)
		switch {
		case taken>>si&1 == 1:
			c.Why = Taken
		case d.s.first:
			c.Why = PlatformFirst
		}
	}
	return out
}

// alone reckons what the order would cost from one site, or says what it lacks.
func (d *Desk) alone(p *problem, si int, c *Candidate) {
	s := &d.s
	var lines, units, grams int64
	var need uint8
	for i := range p.wants {
		w := &p.wants[i]
		lines, units, grams, need = lines+1, units+w.qty, grams+w.qty*w.grams, need|w.need
		have := s.avail[i*s.sites+si]
		if have >= w.qty {
			continue
		}
		if c.Short++; c.Short == 1 {
			c.Item, c.Have, c.Need, c.Why = w.item, have, w.qty, Lacks
			if in := d.sites[si].in; in < len(w.row) && w.row[in] >= w.qty {
				c.Why = Cannot
			}
		}
	}
	if c.Short > 0 {
		return
	}
	best, cost := -1, never
	for x := s.spans[si]; x < s.spans[si+1]; x++ {
		t := &s.slots[x]
		if need&^t.able != 0 || !fits(p.wants, t) {
			continue
		}
		if sum := t.fixed + lines*t.line + units*t.unit + t.weigh(grams) + p.due.lateness(t.sure); sum < cost {
			best, cost = int(x), sum
		}
	}
	if best < 0 {
		c.Why, c.Item = Cannot, "all of it in one go"
		return
	}
	t := &s.slots[best]
	k := &d.sites[si].buckets[t.bucket]
	base := &d.sites[si].cost
	c.Why, c.Alone = Dearer, true
	c.Cost = Cost{Handling: base[0] + lines*base[1] + units*base[2], Parcel: (t.parcel + t.weigh(grams)) / mill}
	c.Cost.Surge = surged(base[0], k.percent) + (lines*t.line+units*t.unit)/mill - c.Cost.Handling
	if p.o.Held != "" && p.o.Held != c.Node {
		c.Cost.Move = d.rules.Move
	}
	c.Late, c.LateCost = p.due.chances(t.sure), p.due.lateness(t.sure)/mill
}

func fits(wants []want, t *slot) bool {
	for i := range wants {
		if t.max > 0 && wants[i].grams > t.max {
			return false
		}
	}
	return true
}

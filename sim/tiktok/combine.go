package tiktok

import (
	"slices"
	"strings"
)

// maxCombined orders share one tracking number at most (facts, section 9.1).
const maxCombined = 20

// combinable reports whether an order's package may be combined with others: outside the US, where a package exists before it is shipped, on the
// platform's label or in a market where the package is what the seller ships, all of the order in one package that waits, and nobody asks to cancel.
func (o *order) combinable() bool {
	return o.shop.region != "US" && !o.fbt && o.status == awaitingShipment && (o.request == nil || !o.request.open()) && (o.ship == "TIKTOK" || byPackage[o.shop.region]) &&
		len(o.parcels) == 1 && o.parcels[0].status == toFulfill && len(o.parcels[0].with) == 0
}

// likeness is what combinable orders have in common: buyer, address, warehouse and way.
func (o *order) likeness() string {
	a := o.address
	return strings.Join([]string{o.buyer, a.first, a.last, a.phone, a.street, a.city, a.state, a.postal, a.country, o.lines[0].stock.warehouse.id, o.ship}, "\x00")
}

// offer is a set of orders that may be combined, under the id the platform gives it.
type offer struct {
	id     string
	orders []*order
	place  uint64
}

// offers are what may be combined in a shop now, each under the same id as long as it holds the same orders.
func (s *Sim) offers(sh *shop) []offer {
	by := map[string]int{}
	var all []offer
	for _, o := range sh.index.created {
		if !o.combinable() {
			continue
		}
		key := o.likeness()
		i, ok := by[key]
		if !ok || len(all[i].orders) == maxCombined {
			by[key], i = len(all), len(all)
			all = append(all, offer{place: o.place})
		}
		all[i].orders = append(all[i].orders, o)
	}
	all = slices.DeleteFunc(all, func(x offer) bool { return len(x.orders) < 2 })
	for i := range all {
		key := strings.Join(idsOf(all[i].orders), ",")
		if sh.offered[key] == "" {
			sh.offered[key] = s.ids.of("package")
		}
		all[i].id = sh.offered[key]
	}
	return all
}

func idsOf(orders []*order) []string {
	out := []string{}
	for _, o := range orders {
		out = append(out, o.id)
	}
	return out
}

// combine puts the orders' waiting packages into one.
func (s *Sim) combine(orders []*order) *parcel {
	var lines []*line
	provider, shipping := orders[0].parcels[0].provider, orders[0].parcels[0].shipping
	for _, o := range orders {
		lines = append(lines, o.active()...)
		s.discard(o.parcels[0])
	}
	p := s.newParcel(orders[0], lines, "", provider, shipping)
	p.with = slices.Clone(orders[1:])
	for _, o := range p.with {
		o.parcels = append(o.parcels, p)
	}
	for _, o := range orders {
		s.touch(o)
	}
	return p
}

// discard takes a package that waits out of the world: its units are in others now.
func (s *Sim) discard(p *parcel) {
	p.status, p.updated = parcelCancelled, s.now()
	for _, o := range p.orders() {
		o.parcels = slices.DeleteFunc(o.parcels, func(x *parcel) bool { return x == p })
	}
}

// takeOut takes an order out of a combined package.
func (s *Sim) takeOut(p *parcel, o *order) {
	p.lines = slices.DeleteFunc(p.lines, func(l *line) bool { return slices.Contains(o.lines, l) })
	left := slices.DeleteFunc(p.orders(), func(x *order) bool { return x == o })
	p.order, p.with, p.updated = left[0], left[1:], s.now()
	o.parcels = slices.DeleteFunc(o.parcels, func(x *parcel) bool { return x == p })
	for _, x := range append(left, o) {
		s.touch(x)
	}
}

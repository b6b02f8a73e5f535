package ops

import (
	"cmp"
	"slices"

	"github.com/spillway/spillway/connector/driver"
	"github.com/spillway/spillway/domain/shipping"
	"github.com/spillway/spillway/domain/tracking"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/store"
)

// A logistics provider packs as it likes: what was handed over as one parcel may leave in several, each under a number of its own, or not all of it at
// once. Each package it tells of becomes a parcel; what is left of the booking is a parcel that it still has.

// told are the numbers that a batch of news tells, by booking: a number that is told again beside another was not replaced by it.
func told(news []driver.ParcelNews) map[string]bool {
	out := map[string]bool{}
	for _, n := range news {
		if n.Tracking != "" {
			out[tracking.Normalise(n.Tracking)] = true
		}
	}
	return out
}

// match finds which parcel of a booking news is of, and what of it the provider sent where that is only part; -1: of none that can be told.
func match(cat *catalogue, of []store.Shipment, n driver.ParcelNews, told map[string]bool) (i int, part map[string]int64) {
	number := tracking.Normalise(n.Tracking)
	sent := sentOf(cat, of, n)
	at := func(is func(*store.Shipment) bool) int {
		return slices.IndexFunc(of, func(s store.Shipment) bool { return is(&s) })
	}
	free := func(s *store.Shipment) bool { return s.Label.Tracking == "" }
	stands := func(s *store.Shipment) bool { return told[tracking.Normalise(s.Label.Tracking)] }
	all := func(s *store.Shipment) bool { h := holds(cat, s, sent); return len(sent) == 0 || h.fits && !h.more }
	some := func(s *store.Shipment) bool { h := holds(cat, s, sent); return h.fits && h.more }
	i = at(func(s *store.Shipment) bool { return number != "" && tracking.Normalise(s.Label.Tracking) == number })
	switch {
	case i >= 0:
	case number == "":
		i = max(0, at(free))
	case len(of) == 1 && (free(&of[0]) || !some(&of[0]) && !stands(&of[0])): // another number of all of it has replaced the one before
		i = 0
	default:
		if i = at(func(s *store.Shipment) bool { return free(s) && all(s) }); i < 0 {
			i = at(func(s *store.Shipment) bool { return free(s) && some(s) })
		}
		if replaced := func(s *store.Shipment) bool { return all(s) && !stands(s) }; i < 0 && count(of, replaced) == 1 {
			i = at(replaced)
		}
	}
	if i < 0 || number == "" || !some(&of[i]) {
		return i, nil
	}
	part = map[string]int64{}
	for _, l := range of[i].Lines {
		if n := sent[skuOf(cat, l.ItemID)]; n > 0 {
			part[l.ItemID] = n
		}
	}
	return i, part
}

func count(all []store.Shipment, is func(*store.Shipment) bool) (n int) {
	for i := range all {
		if is(&all[i]) {
			n++
		}
	}
	return n
}

// sentOf is what a provider says is in a package, by SKU; nothing where it does not say, or names what it was not given: part of what is in a package
// would be taken for all of it.
func sentOf(cat *catalogue, of []store.Shipment, n driver.ParcelNews) map[string]int64 {
	given, sent := map[string]bool{}, map[string]int64{}
	for _, s := range of {
		for _, l := range s.Lines {
			given[skuOf(cat, l.ItemID)] = true
		}
	}
	for _, l := range n.Shipped {
		if !given[l.SKU] || n.Brief {
			return nil
		}
		sent[l.SKU] += l.Qty
	}
	return sent
}

// holding says how a parcel compares with what was sent.
type holding struct {
	fits bool // it holds all of that
	more bool // and more
}

func holds(cat *catalogue, s *store.Shipment, sent map[string]int64) holding {
	if len(sent) == 0 {
		return holding{}
	}
	left, h := map[string]int64{}, holding{fits: true}
	for _, l := range s.Lines {
		left[skuOf(cat, l.ItemID)] += l.Qty
	}
	for sku, n := range sent {
		h.fits = h.fits && n <= left[sku]
		left[sku] -= n
	}
	for _, n := range left {
		h.more = h.more || n > 0
	}
	return h
}

// skuOf is the SKU a provider was given for an item.
func skuOf(cat *catalogue, item string) string { return cmp.Or(cat.items[item].SKU, item) }

// sendPart makes a parcel of its own of what a provider still has of one, and reports whether it could: a set whose pieces go in two packages stays one
// parcel, under the number of the first.
func (x *Ops) sendPart(tx *store.Tx, s *store.Shipment, part map[string]int64, by string) (bool, error) {
	if !s.MayPart() {
		return false, nil
	}
	d, id, err := x.division(tx, x.catalog.Load(), s, part)
	if err != nil {
		return false, err
	}
	other, err := s.Part(id, d, tx.Now())
	if errs.Is(err, errs.Invalid) {
		x.log.Warn("a provider sends in part what was sold as one; the channel is told one number", "shipment", s.ID, "err", err)
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return true, x.addPart(tx, s, store.Shipment{Shipment: *other, Wave: s.Wave}, by)
}

// booking is the id by which a shipper knows a parcel.
func booking(s *shipping.Shipment) string { return cmp.Or(s.Label.PartOf, s.ID) }

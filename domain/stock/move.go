package stock

import (
	"slices"

	"github.com/spillway/spillway/kit/errs"
)

// Move books what people or warehouses say happened: receive, adjust, count, transfer legs, return, damage, repair, FBT sync, and the
// reversals of these (Reverse). A loss larger than the free units takes holds back, the weakest claim first, into shorts.
//
// Errors, with nothing changed: Invalid (kind, signs), NotFound (location), Insufficient (more lost than there is),
// *MissingHolders. The caller has made sure that m.ID is not in the journal yet.
func (b *Book) Move(m Movement) error {
	if !m.Kind.Physical() {
		return errs.New(errs.Invalid, "stock.Move", m.ID, "movements of kind %q follow from orders; use Settle", m.Kind)
	}
	if err := m.check(); err != nil {
		return err
	}
	if b.place[m.LocationID] == nil {
		return errs.New(errs.NotFound, "stock.Move", m.LocationID, "there is no such location")
	}
	if m.At.IsZero() {
		m.At = b.at
	}
	if m.Actor == "" {
		m.Actor = b.actor
	}
	m.RecordedAt = b.at
	k := slot{m.ItemID, m.LocationID}
	x := b.balance(k)
	onHand, damaged := x.OnHand+m.OnHand, x.Damaged+m.Damaged
	if onHand < damaged || damaged < 0 || onHand > MaxUnits {
		return errs.New(errs.Insufficient, "stock.Move", m.ItemID, "%s at %s does not fit: it would leave %d on hand of which %d damaged",
			m.Kind, m.LocationID, onHand, damaged)
	}
	if lack := x.Reserved + damaged - onHand; lack > 0 {
		if !b.known(k) {
			return &MissingHolders{ItemID: m.ItemID}
		}
		if err := b.takeBack(k, lack, m.ID); err != nil {
			return err
		}
	}
	return b.post(m)
}

// SetTo books a count or an FBT sync: m is completed with the differences that make the balance onHand and damaged, and moved.
func (b *Book) SetTo(m Movement, onHand, damaged int64) error {
	if m.Kind != Count && m.Kind != FBTSync {
		return errs.New(errs.Invalid, "stock.SetTo", m.ID, "only a count or a sync states totals, not %q", m.Kind)
	}
	if onHand < 0 || damaged < 0 || damaged > onHand || onHand > MaxUnits {
		return errs.New(errs.Invalid, "stock.SetTo", m.ID, "%d on hand of which %d damaged cannot be", onHand, damaged)
	}
	x := b.balance(slot{m.ItemID, m.LocationID})
	m.OnHand, m.Damaged = onHand-x.OnHand, damaged-x.Damaged
	return b.Move(m)
}

// lacking lists the rows without a location that pass, best claim first.
func (b *Book) lacking(itemID string, pass func(*Reservation) bool) []*Reservation {
	var out []*Reservation
	for _, l := range b.byItem[itemID] {
		if r := l.find(""); r != nil && pass(r) {
			out = append(out, r)
		}
	}
	slices.SortFunc(out, byClaim)
	return out
}

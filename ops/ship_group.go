package ops

import (
	"context"
	"slices"
	"time"

	"github.com/spillway/spillway/connector/driver"
	"github.com/spillway/spillway/domain/shipping"
	"github.com/spillway/spillway/store"
)

// group has the channel's package hold just what a parcel holds, or looks whether it does.
func (t shipWay) group(ctx context.Context, k shipping.StepKind, s store.Shipment) outcome {
	parcel, err := t.w.contents(ctx, &s.Shipment)
	if err != nil {
		return failed(k, driver.BeforeCall(err))
	}
	if k == shipping.Seek {
		pkg, is, err := t.w.session.Packaged(ctx, parcel)
		switch {
		case err != nil:
			return failed(k, err)
		case !is:
			return func(s *shipping.Shipment, at time.Time) { s.NotPackaged(at) }
		}
		return func(s *shipping.Shipment, at time.Time) { s.Packaged(at, pkg.ID, true) }
	}
	others, err := t.w.others(ctx, &s.Shipment)
	if err != nil {
		return failed(k, driver.BeforeCall(err))
	}
	pkg, err := t.w.session.MakePackage(ctx, driver.Grouping{Parcel: parcel, Others: others})
	if err != nil {
		return t.apart(ctx, s, err)
	}
	return func(s *shipping.Shipment, at time.Time) { s.Packaged(at, pkg.ID, pkg.ID != "" || pkg.Free) }
}

// apart is what a refusal changes: orders that the channel does not let ship as one ship apart, and what a provider sent in several packages is told as
// one where the channel does not let it be split.
func (t shipWay) apart(ctx context.Context, s store.Shipment, refusal error) outcome {
	plain := failed(shipping.Group, refusal)
	if driver.MayBeApplied(refusal) || driver.ClassOf(refusal) != driver.GiveUp {
		return plain
	}
	if s.MayPart() && s.Divided {
		return t.undivided(ctx, &s, plain)
	}
	if len(s.Orders) < 2 {
		return plain
	}
	if err := t.w.x.separate(ctx, &s, sentence(refusal)); err != nil {
		t.w.log.Warn("orders that cannot share a parcel are not apart yet; it is tried again", "shipment", s.ID, "err", err)
		return func(s *shipping.Shipment, at time.Time) { s.Refuse(shipping.Group, at, 0, sentence(refusal), false) }
	}
	return func(s *shipping.Shipment, at time.Time) {
		if len(s.Orders) > 1 {
			plain(s, at)
			return
		}
		s.Packaged(at, "", false) // it is looked at anew for the one that is left
	}
}

// undivided has the channel told one number for all that a provider sent of one parcel in several packages, where it does not split the order: that of
// the first. It is too late to send it otherwise.
func (t shipWay) undivided(ctx context.Context, s *store.Shipment, plain outcome) outcome {
	teller := func(all []store.Shipment) string {
		for i := range all {
			if p := &all[i]; booking(&p.Shipment) == booking(&s.Shipment) && p.Label.PartOf == "" {
				return p.ID
			}
		}
		return s.ID
	}
	first := ""
	err := t.w.x.st.Update(ctx, func(tx *store.Tx) error {
		all, err := tx.ShipmentsOfForUpdate(s.Orders...)
		if err != nil {
			return err
		}
		first = teller(all)
		parts := slices.DeleteFunc(all, func(p store.Shipment) bool {
			return p.ID == s.ID || booking(&p.Shipment) != booking(&s.Shipment) || !p.MayPart()
		})
		for i := range parts {
			parts[i].Undivided(parts[i].ID != first)
		}
		return tx.ShipmentsSave(parts)
	})
	if err != nil {
		t.w.log.Warn("what a provider sent in parts is not told as one yet; it is tried again", "shipment", s.ID, "err", err)
		return plain
	}
	return func(s *shipping.Shipment, _ time.Time) { s.Undivided(s.ID != first) }
}

// others are the lines of the other parcels of the same orders that wait.
func (w *wire) others(ctx context.Context, s *shipping.Shipment) (out [][]string, err error) {
	var all []store.Shipment
	err = w.x.st.View(ctx, func(tx *store.Tx) (err error) {
		all, err = tx.ShipmentsOf(s.Orders...)
		return err
	})
	for i := range all {
		o := &all[i]
		if o.ID == s.ID || !live(o) || o.Label.Fate == shipping.Done && !o.MayPart() {
			continue
		}
		var lines []string
		for _, l := range o.Lines {
			if slices.Contains(s.Orders, l.OrderID) {
				lines = append(lines, l.Units...)
			}
		}
		if len(lines) > 0 {
			out = append(out, lines)
		}
	}
	return out, err
}

package ops

import (
	"slices"

	"github.com/spillway/spillway/domain/floor"
	"github.com/spillway/spillway/domain/shipping"
	"github.com/spillway/spillway/ops/view"
	"github.com/spillway/spillway/store"
)

// divide closes the box with what is in it: what was not scanned yet is a parcel of its own. A box that holds all already is emptied for that first.
func (f *floorScan) divide(c *store.FloorClaim, s *store.Shipment) (view.ScanAnswer, error) {
	if why, may := s.MayDivide(); !may {
		return refuse("It stays one parcel. " + why), nil
	}
	if c.Stage != floor.Check {
		return f.empty(c, s)
	}
	keep := map[string]int64{}
	for _, i := range c.Items {
		if i.In > 0 {
			keep[i.Item] = i.In
		}
	}
	if len(keep) == 0 {
		return refuse("Scan what goes into the first box, then this."), nil
	}
	rest, err := f.x.divideParcel(f.tx, f.cat, s, keep, f.s.Actor)
	if err != nil {
		return view.ScanAnswer{}, err
	}
	c.Part()
	return accept("The rest, " + unitsOf(unitsIn(&rest.Shipment)) + ", is another parcel, next. The box for these."), f.tx.ClaimPut(*c)
}

// empty begins a parcel again that is all in, in its box or not.
func (f *floorScan) empty(c *store.FloorClaim, s *store.Shipment) (view.ScanAnswer, error) {
	if len(s.Lines) == 1 && s.Lines[0].Qty == 1 {
		return refuse("It is one unit: there is nothing to divide."), nil
	}
	if s.Box != nil {
		if err := s.Unpack(); err != nil {
			return view.ScanAnswer{}, err
		}
		if err := f.save(s); err != nil {
			return view.ScanAnswer{}, err
		}
	}
	c.Pack = floor.Open(needsOf(&s.Shipment))
	return accept("Take all out. Scan what goes into the first box, then “Another box”."), f.tx.ClaimPut(*c)
}

// other takes the parcel to this station that the one just packed was divided from, or into: its units lie here.
func (f *floorScan) other(s *store.Shipment) (view.ScanAnswer, error) {
	done := accept("Packed. Next, please.")
	if !s.Divided {
		return done, nil
	}
	all, err := f.tx.ShipmentsOf(s.Orders...)
	if err != nil {
		return done, err
	}
	var ids []string
	for i := range all {
		ids = append(ids, all[i].ID)
	}
	claims, err := f.tx.ClaimsGet(ids...)
	if err != nil {
		return done, err
	}
	troubles, err := f.tx.TroublesGet(ids...)
	if err != nil {
		return done, err
	}
	for i := range all {
		o := &all[i]
		had := slices.ContainsFunc(claims, func(c store.FloorClaim) bool { return c.Parcel == o.ID }) ||
			slices.ContainsFunc(troubles, func(t store.FloorTrouble) bool { return t.Shipment == o.ID })
		if o.ID == s.ID || had || !o.Divided || o.Box != nil || notHere(o, f.s.Node) != "" {
			continue
		}
		claim, err := floor.Take(floor.Claim{}, o.ID, f.station(), f.s.Actor, f.tx.Now())
		if err != nil {
			return done, err
		}
		if _, err := f.begin(store.FloorClaim{}, claim, o, ""); err != nil {
			return done, err
		}
		return accept("Packed. Now the rest of the order."), nil
	}
	return done, nil
}

// unitsIn is how many units a parcel holds.
func unitsIn(s *shipping.Shipment) (n int64) {
	for _, l := range s.Lines {
		n += l.Qty
	}
	return n
}

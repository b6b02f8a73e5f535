package ops

import (
	"context"
	"slices"

	"github.com/spillway/spillway/connector/driver"
	"github.com/spillway/spillway/domain/network"
	"github.com/spillway/spillway/domain/shipping"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/store"
)

// dangerous reports whether a parcel holds what is said to be dangerous goods.
func (c *catalogue) dangerous(s *shipping.Shipment) bool {
	return slices.ContainsFunc(s.Lines, func(l shipping.Line) bool {
		return slices.Contains(c.handling.physicals[l.ItemID].Needs, network.Hazmat)
	})
}

// hazmat fetches what is stuck beside the label of dangerous goods, where the channel makes the labels: once the parcel has left it gives no document any
// more. A channel that has none for a parcel gives none; that keeps no parcel from being labelled.
func (t shipWay) hazmat(ctx context.Context, s *store.Shipment) error {
	x := t.w.x
	if s.Way != shipping.ByPlatform || !x.catalog.Load().dangerous(&s.Shipment) {
		return nil
	}
	doc, err := t.shipper.Document(ctx, booked(&s.Shipment), driver.HazmatLabelDocument, "")
	switch driver.ClassOf(err) {
	case driver.GiveUp, driver.AskHuman:
		x.log.Warn("the channel gives no label for dangerous goods", "parcel", s.ID, "err", err)
		return nil
	}
	if err != nil {
		return err
	}
	_, err = x.keepDocument(ctx, s.ID, s.Label.Ref, doc)
	return err
}

// HazmatLabel is what is stuck on a parcel of dangerous goods beside its label. Errors: NotFound (it holds none, the channel gave none, or it is not here yet).
func (x *Ops) HazmatLabel(ctx context.Context, parcel string) (driver.Document, error) {
	const op = "ops.HazmatLabel"
	var id string
	err := x.st.View(ctx, func(tx *store.Tx) error {
		s, err := tx.ShipmentGet(parcel)
		if err != nil {
			return err
		}
		if !x.catalog.Load().dangerous(&s.Shipment) {
			return errs.New(errs.NotFound, op, parcel, "nothing in this parcel is said to be dangerous goods")
		}
		id, err = tx.DocumentOf(parcel, string(driver.HazmatLabelDocument))
		return err
	})
	if err == nil && id == "" {
		err = errs.New(errs.NotFound, op, parcel, "the channel gave no label for dangerous goods with this parcel: whoever makes its label says what else is stuck on")
	}
	if err != nil {
		return driver.Document{}, err
	}
	return x.Document(ctx, id)
}

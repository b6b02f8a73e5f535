package ops

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"time"

	"github.com/spillway/spillway/connector"
	"github.com/spillway/spillway/connector/driver"
	"github.com/spillway/spillway/domain/network"
	"github.com/spillway/spillway/domain/order"
	"github.com/spillway/spillway/domain/shipping"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/store"
)

// contents is a parcel in the words of shippers and channels, without where it comes from and goes to.
func (w *wire) contents(ctx context.Context, s *shipping.Shipment) (driver.Parcel, error) {
	var orders []order.Order
	err := w.x.st.View(ctx, func(tx *store.Tx) (err error) {
		orders, err = tx.OrdersGet(s.Orders)
		return err
	})
	if err != nil {
		return driver.Parcel{}, err
	}
	p := driver.Parcel{Region: w.session.Connection().Shop.Region}
	cat := w.x.catalog.Load()
	for _, id := range s.Orders {
		i := slices.IndexFunc(orders, func(o order.Order) bool { return o.ID == id })
		if i < 0 {
			return p, errs.New(errs.NotFound, "ops.Ship", id, "the order of this parcel is not known any more")
		}
		o := &orders[i]
		p.OrderIDs = append(p.OrderIDs, o.ExternalID)
		if p.Number == "" {
			p.Number = o.Number
		}
		for _, l := range s.Lines {
			if l.OrderID == id {
				p.Lines = append(p.Lines, parcelLine(o, l, cat))
			}
		}
		p.PackageID = packageOf(o, s)
	}
	if p.Number == "" {
		p.Number = p.OrderIDs[0]
	}
	if b := s.Box; b != nil {
		p.LengthMM, p.WidthMM, p.HeightMM, p.Grams = b.LengthMM, b.WidthMM, b.HeightMM, b.Grams
	}
	return p, nil
}

func parcelLine(o *order.Order, l shipping.Line, cat *catalogue) driver.ParcelLine {
	out := driver.ParcelLine{ExternalLineIDs: l.Units, SKU: l.ItemID, Qty: l.Qty}
	if item, ok := cat.items[l.ItemID]; ok {
		out.SKU, out.Title = item.SKU, item.Title
	}
	cat.handling.declare(&out, l.ItemID)
	for _, ol := range o.Lines {
		if ol.Key != l.Key {
			continue
		}
		out.Value = pieceValue(o, &ol, l.ItemID, cat)
		if out.Title == "" {
			out.Title = ol.Title
		}
		if len(l.Units) == 0 && ol.ExternalLineID != "" {
			out.ExternalLineIDs = []string{ol.ExternalLineID}
		}
		break
	}
	return out
}

// packageOf is the platform's package that holds just what the parcel holds of the order; empty where it has made none.
func packageOf(o *order.Order, s *shipping.Shipment) string {
	ref := ""
	for _, l := range o.Lines {
		for _, u := range l.Units {
			in := slices.ContainsFunc(s.Lines, func(sl shipping.Line) bool { return slices.Contains(sl.Units, u.ExternalLineID) })
			switch {
			case !in || u.PackageRef == "":
			case ref == "":
				ref = u.PackageRef
			case ref != u.PackageRef:
				return ""
			}
		}
	}
	return ref
}

// parcelOf is the whole parcel. Where it goes is asked of the channel and forgotten with the call.
func (w *wire) parcelOf(ctx context.Context, s *shipping.Shipment) (driver.Parcel, error) {
	p, err := w.contents(ctx, s)
	if err != nil || s.Way == shipping.ByPlatform {
		return p, err
	}
	p.ShipOn = w.x.now()
	if s.Way == shipping.ByCarrier {
		if p.From, err = w.x.sender(ctx, s.Node); err != nil {
			return p, err
		}
		p.Return = p.From
	}
	to, ok, err := w.session.Recipient(ctx, p.OrderIDs[0])
	if err == nil && !ok {
		err = errs.New(errs.Invalid, "ops.Ship", s.ID, "this channel does not tell where its orders go")
	}
	p.To = to
	if err == nil && s.Way == shipping.ByCarrier {
		p.Customs, err = declaration(&p)
	}
	return p, err
}

// sender is where a node's parcels come from.
func (x *Ops) sender(ctx context.Context, node string) (a driver.Address, err error) {
	var n network.Node
	err = x.st.View(ctx, func(tx *store.Tx) error {
		got, err := tx.NodeGet(node)
		n = got.Node
		return err
	})
	if err != nil {
		return a, err
	}
	if n.Place.Line1 == "" || n.Place.City == "" || n.Place.Postal == "" {
		return a, errs.New(errs.Invalid, "ops.Ship", node, "a label needs the node's street, city and postal code: enter them on its page")
	}
	a = driver.Address{Company: n.Place.Company, Line1: n.Place.Line1, Line2: n.Place.Line2, City: n.Place.City, State: n.Place.State, Post: n.Place.Postal,
		Country: n.Place.Country, Phone: n.Place.Phone}
	if a.Company == "" {
		a.Company = n.Name
	}
	return a, nil
}

// keepDocument seals and stores something to print, under an id that is the same for the same document.
func (x *Ops) keepDocument(ctx context.Context, shipment, ref string, d driver.Document) (string, error) {
	sum := sha256.Sum256([]byte(shipment + "\x00" + ref + "\x00" + string(d.Kind) + "\x00" + d.Type))
	id := hex.EncodeToString(sum[:16])
	row := store.ShipmentDocument{ID: id, Shipment: shipment, Kind: string(d.Kind), Type: d.Type, Sealed: x.o.Ring.Seal(documentPlace(id), d.Data), At: x.now()}
	return id, x.st.Update(ctx, func(tx *store.Tx) error { return tx.DocumentPut(row) })
}

func documentPlace(id string) string { return "shipment_document/" + id }

// documentKept is how long labels are kept: as long as a parcel may have to be labelled again, and no longer, since they hold an address.
const documentKept = 30 * 24 * time.Hour

// Document opens something to print. Errors: NotFound (it never was, or is forgotten by now).
func (x *Ops) Document(ctx context.Context, id string) (driver.Document, error) {
	var row store.ShipmentDocument
	err := x.st.View(ctx, func(tx *store.Tx) (err error) {
		row, err = tx.DocumentGet(id)
		return err
	})
	if err != nil {
		return driver.Document{}, err
	}
	data, err := x.o.Ring.Open(documentPlace(id), row.Sealed)
	return driver.Document{Kind: driver.DocumentKind(row.Kind), Type: row.Type, Data: data}, err
}

// ParcelLabel is the label of a parcel. Errors: NotFound (there is no such parcel, it has no label of ours, or it is not here yet, or not any more).
func (x *Ops) ParcelLabel(ctx context.Context, parcel string) (driver.Document, error) {
	var s store.Shipment
	err := x.st.View(ctx, func(tx *store.Tx) (err error) {
		s, err = tx.ShipmentGet(parcel)
		return err
	})
	if err == nil && s.Label.Document == "" {
		err = errs.New(errs.NotFound, "ops.ParcelLabel", parcel, "there is no label of this parcel here yet")
	}
	if err != nil {
		return driver.Document{}, err
	}
	return x.Document(ctx, s.Label.Document)
}

// freight is the session of a carrier account.
func (x *Ops) freight(ctx context.Context, account string) (*connector.Freight, error) {
	return x.freights.get(ctx, account)
}

package ops

import (
	"cmp"
	"context"

	"github.com/spillway/spillway/domain/shipping"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/label"
	"github.com/spillway/spillway/ops/view"
	"github.com/spillway/spillway/store"
)

// FloorSheet is something to print: the label or the slip of a parcel, what dangerous goods need beside it, the pick list of a wave, our own list of what leaves a node, a
// carrier's manifest, what is stuck on a bag, the orders a person sends. Errors: NotFound.
func (d *Desk) FloorSheet(ctx context.Context, kind, id string) (view.Sheet, error) {
	const op = "ops.FloorSheet"
	var doc *label.Document
	var err error
	switch kind {
	case "label":
		return d.labelSheet(ctx, id)
	case "hazmat":
		d, err := d.x.HazmatLabel(ctx, id)
		return view.Sheet{Name: "dangerous-goods-" + id, Type: d.Type, Data: d.Data}, err
	case "bag":
		d, err := d.x.BagDocument(ctx, id)
		return view.Sheet{Name: "bag-" + id, Type: d.Type, Data: d.Data}, err
	case "carrier-manifest":
		d, err := d.x.ManifestDocument(ctx, id)
		return view.Sheet{Name: "manifest-" + id, Type: d.Type, Data: d.Data}, err
	case "orders":
		return d.ordersFile(ctx, id)
	case "slip":
		doc, err = d.slip(ctx, id)
	case "picks":
		doc, err = d.pickList(ctx, id)
	case "manifest":
		doc, err = d.manifest(ctx, id)
	default:
		err = errs.New(errs.NotFound, op, kind, "there is no such sheet")
	}
	if err != nil {
		return view.Sheet{}, err
	}
	data, err := doc.PDF(d.x.now())
	return view.Sheet{Name: kind + "-" + id + ".pdf", Type: "application/pdf", Data: data}, err
}

func (d *Desk) labelSheet(ctx context.Context, id string) (view.Sheet, error) {
	doc, err := d.x.ParcelLabel(ctx, id)
	return view.Sheet{Name: "label-" + id, Type: doc.Type, Data: doc.Data}, err
}

func (d *Desk) slip(ctx context.Context, id string) (*label.Document, error) {
	slip := label.Slip{}
	cat := d.x.catalog.Load()
	err := d.read(ctx, "ops.FloorSheet", id, func(tx *store.Tx) error {
		s, err := tx.ShipmentGet(id)
		if err != nil {
			return err
		}
		rows, err := d.floorParcels(tx, []store.Shipment{s}, d.x.now())
		if err != nil {
			return err
		}
		slip.OrderNumber = rows[0].Number
		for _, n := range needsOf(&s.Shipment) {
			it := cat.items[n.Item]
			slip.Lines = append(slip.Lines, label.Line{SKU: cmp.Or(it.SKU, n.Item), Title: it.Title, Qty: n.Qty})
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return label.NewSlip(slip, label.Options{})
}

func (d *Desk) pickList(ctx context.Context, id string) (*label.Document, error) {
	p, err := d.Pick(ctx, id)
	if err != nil {
		return nil, err
	}
	l := label.PickList{Wave: p.Wave.ID, Note: p.Wave.Method}
	for _, t := range p.Tasks {
		if t.Left > 0 {
			l.Lines = append(l.Lines, label.Line{Bin: t.Bin, SKU: t.SKU, Title: t.Title, Qty: t.Left})
		}
	}
	return label.NewPickList(l, label.Options{})
}

// manifest is the parcels of a node that wait for a van.
func (d *Desk) manifest(ctx context.Context, node string) (*label.Document, error) {
	m := label.Manifest{Node: d.nodeOption(node).Label, When: d.x.now().In(d.home).Format("2 Jan 2006 15:04")}
	err := d.read(ctx, "ops.FloorSheet", node, func(tx *store.Tx) error {
		all, err := tx.ShipmentsAt(node, shipping.Hand, store.ShipmentPlace{}, floorPage)
		for _, s := range all {
			m.Tracking = append(m.Tracking, s.Label.Tracking)
			m.Carrier = cmp.Or(m.Carrier, s.Label.Carrier)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return label.NewManifest(m, label.Options{})
}

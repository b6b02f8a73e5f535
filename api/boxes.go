package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/spillway/spillway/ops/view"
)

type boxProposal struct {
	Body struct {
		Parcel  string        `json:"parcel"`
		Boxes   []proposedBox `json:"boxes" doc:"As few as can be; more than one: the parcel has to be divided. None: why says why."`
		Why     []string      `json:"why" doc:"Why this box, or why none, in sentences."`
		Missing []string      `json:"missing" doc:"Items whose weight or sides nobody has said."`
		Left    []string      `json:"left" doc:"What no carton takes, in sentences."`
	}
}

type proposedBox struct {
	Carton   string      `json:"carton"`
	Name     string      `json:"name" doc:"As it is printed on the stack."`
	Outer    [3]int64    `json:"outer_mm" doc:"Length, width and height outside."`
	Inner    [3]int      `json:"inner_mm" doc:"Room inside, before padding, as it stands on the bench. Places are counted from a corner of it."`
	Contents []boxedItem `json:"contents"`
	Places   []boxedUnit `json:"places" doc:"Every unit where it lies, in the order in which they are put in."`
	Grams    int64       `json:"grams" doc:"All in, as it should weigh."`
	Billed   int64       `json:"billed_grams,omitempty" doc:"What the carrier bills; missing: its terms are not known."`
	ByVolume bool        `json:"by_volume" doc:"The carton's size decides what is billed."`
	Price    string      `json:"price,omitempty" doc:"Of carton and carriage, as far as known."`
	Fill     int         `json:"fill_percent"`
}

type boxedItem struct {
	Item string `json:"item"`
	SKU  string `json:"sku"`
	Qty  int64  `json:"qty"`
}

type boxedUnit struct {
	Item string `json:"item"`
	At   [3]int `json:"at_mm" doc:"Its corner that is nearest to the one places are counted from."`
	Size [3]int `json:"size_mm" doc:"As it stands in the carton."`
}

func (s *service) boxes(a huma.API) {
	op := shippingOp("parcelBox", http.MethodGet, "/shipments/{shipment}/box", "In which carton a parcel should be packed, and where in it each unit lies")
	op.Description = "The parcels of an order are listed at /orders/{id}/shipments."
	huma.Register(a, op, s.parcelBox)
}

func (s *service) parcelBox(ctx context.Context, in *struct {
	Shipment string `path:"shipment" maxLength:"40"`
}) (*boxProposal, error) {
	ctx, cancel := bounded(ctx)
	defer cancel()
	v, err := s.x.ProposeBox(ctx, in.Shipment)
	if err != nil {
		return nil, s.problem(err)
	}
	out := &boxProposal{}
	b := &out.Body
	b.Parcel, b.Boxes, b.Missing, b.Why, b.Left = v.Shipment, make([]proposedBox, 0, len(v.Boxes)), make([]string, 0, len(v.Missing)), append([]string{}, v.Why...), append([]string{}, v.Left...)
	for _, m := range v.Missing {
		b.Missing = append(b.Missing, m.ID)
	}
	for _, x := range v.Boxes {
		b.Boxes = append(b.Boxes, boxOf(x))
	}
	return out, nil
}

func boxOf(x view.Box) proposedBox {
	c, p := x.Carton, x.Picture
	out := proposedBox{Carton: c.ID, Name: c.Name, Outer: [3]int64{c.LengthMM, c.WidthMM, c.HeightMM}, Inner: [3]int{p.L, p.W, p.H},
		Contents: make([]boxedItem, 0, len(x.Contents)), Places: make([]boxedUnit, 0, len(p.Units)), Grams: x.Grams, Billed: x.BilledGrams, ByVolume: x.ByVolume, Price: x.Price, Fill: x.FillPercent}
	for _, l := range x.Contents {
		out.Contents = append(out.Contents, boxedItem{Item: l.ItemID, SKU: l.SKU, Qty: l.Qty})
	}
	for _, u := range p.Units { // the picture numbers items in the order of the contents
		out.Places = append(out.Places, boxedUnit{Item: x.Contents[u.Item].ItemID, At: [3]int{u.X, u.Y, u.Z}, Size: [3]int{u.L, u.W, u.H}})
	}
	return out
}

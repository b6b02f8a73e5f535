package storybook

import (
	"context"
	"time"

	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/ops/view"
)

// SettleParcel has somebody say what became of a parcel.
func (b *Book) SettleParcel(_ context.Context, id, _, why string) (view.Done, error) {
	unlock, err := b.lock()
	if err != nil {
		return view.Done{}, err
	}
	defer unlock()
	if b.routed.settled == nil {
		b.routed.settled = map[string]string{}
	}
	b.routed.settled[id] = why
	return view.Done{Sentence: "It is not waited for any more. If anything is heard of it, it is watched again."}, nil
}

// Renumber has a parcel's number corrected once.
func (b *Book) Renumber(_ context.Context, d view.RenumberDraft) (view.Done, error) {
	unlock, err := b.lock()
	if err != nil {
		return view.Done{}, err
	}
	defer unlock()
	if b.routed.renumbered[d.Parcel] != "" {
		return view.Done{}, errs.New(errs.Conflict, "storybook.Renumber", d.Parcel, "The channel was told another number once already, and takes no second correction.")
	}
	if b.routed.renumbered == nil {
		b.routed.renumbered = map[string]string{}
	}
	b.routed.renumbered[d.Parcel] = d.Number
	return view.Done{Sentence: "The parcel travels as " + d.Number + ". The channel is told so within seconds; what it answers is shown with the parcel."}, nil
}

// DivideParcel makes two parcels of one.
func (b *Book) DivideParcel(_ context.Context, d view.DivisionDraft) (view.Done, error) {
	unlock, err := b.lock()
	if err != nil {
		return view.Done{}, err
	}
	defer unlock()
	b.routed.divided = d
	return view.Done{Sentence: "These are two parcels now: each is packed and labelled by itself."}, nil
}

// boxed says what is in the parcels of an order. b is locked.
func (b *Book) boxed(o *view.OrderPage, v *view.OrderRoute) {
	first := &v.Parcels[0]
	for _, l := range o.OrderLines {
		first.Items = append(first.Items, view.ParcelItem{ItemID: l.ItemID, SKU: l.SKU, Qty: l.Qty})
	}
	first.Divides = first.Label == "none yet" && first.Units > 1
	if b.routed.divided.OrderID != o.ID {
		return
	}
	second := *first
	second.ID, second.Items, second.Units, first.Units = "s81d0c22ee094", nil, 0, 0
	for i := range first.Items {
		in := &first.Items[i]
		rest := *in
		in.Qty = b.routed.divided.Keep[in.ItemID]
		rest.Qty -= in.Qty
		second.Items, second.Units, first.Units = append(second.Items, rest), second.Units+rest.Qty, first.Units+in.Qty
	}
	v.Parcels = append(v.Parcels, second)
}

// unheardOrder is one whose parcel’s account tells nothing of any parcel.
const unheardOrder = "clip-north:577180002004"

// onTheWay adds what is waited for of a parcel that has left. b is locked.
func (b *Book) onTheWay(order string, p *view.Parcel) {
	if p.HandedOverAt == nil || p.DeliveredAt != nil {
		return
	}
	p.Renumber = &view.Renumber{May: true, Text: "The channel takes 1 correction, until 24 Nov 09:12 UTC."}
	if n := b.routed.renumbered[p.ID]; n != "" {
		p.Tracking, p.Renumber = n, &view.Renumber{Text: "The channel was told another number once already, and takes no second correction. It knows " + n + "."}
	}
	switch p.Settled = b.routed.settled[p.ID]; {
	case p.Settled != "":
	case order == unheardOrder:
		p.Way = &view.ParcelWay{Unheard: true, Due: b.now().Add(-26 * time.Hour),
			Text: "The last scan was on 18 November 06:12 UTC. Its account has told nothing of any parcel since 18 November 07:40 UTC, so nobody can say whether it is stuck."}
	default:
		p.Way = &view.ParcelWay{Stuck: true, Text: "The last scan was on 18 November 06:12 UTC.", Due: b.now().Add(-26 * time.Hour),
			Next: "Ask the carrier to look for it. When it is lost, claim it, send it again or refund it, and say so on the order’s page.", Source: "ours: what most carriers keep to, since nothing is known of this one"}
	}
}

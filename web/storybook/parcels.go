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

// onTheWay adds what is waited for of a parcel that has left. b is locked.
func (b *Book) onTheWay(p *view.Parcel) {
	if p.HandedOverAt == nil || p.DeliveredAt != nil {
		return
	}
	p.Renumber = &view.Renumber{May: true, Text: "The channel takes 1 correction, until 24 Nov 09:12 UTC."}
	if n := b.routed.renumbered[p.ID]; n != "" {
		p.Tracking, p.Renumber = n, &view.Renumber{Text: "The channel was told another number once already, and takes no second correction. It knows " + n + "."}
	}
	if p.Settled = b.routed.settled[p.ID]; p.Settled == "" {
		p.Way = &view.ParcelWay{Stuck: true, Text: "The last scan was on 18 November 06:12 UTC.", Due: b.now().Add(-26 * time.Hour),
			Next: "Ask the carrier to look for it. When it is lost, claim it, send it again or refund it, and say so on the order’s page.", Source: "ours: what most carriers keep to, since nothing is known of this one"}
	}
}

package ops

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/spillway/spillway/ops/view"
	"github.com/spillway/spillway/store"
)

// togetherShown proposals are listed on a page.
const togetherShown = 50

// together lists the proposals of a node.
func (d *Desk) together(tx *store.Tx, node string, at time.Time) ([]view.Together, error) {
	cs, err := tx.CombinationsAt(node, togetherShown)
	if err != nil || len(cs) == 0 {
		return nil, err
	}
	ch, err := readChannels(tx)
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, c := range cs {
		ids = append(ids, c.Orders...)
	}
	orders, err := tx.OrdersGet(unique(ids))
	if err != nil {
		return nil, err
	}
	var out []view.Together
	for _, c := range cs {
		v := view.Together{ID: c.ID, Shop: ch.of(c.ConnectionID), Due: c.Due, Level: dueLevel(c.Due, at)}
		for i := range orders {
			if slices.Contains(c.Orders, orders[i].ID) {
				v.Orders = append(v.Orders, view.TogetherOrder{ID: orders[i].ID, Number: numberOf(&orders[i])})
			}
		}
		out = append(out, v)
	}
	return out, nil
}

// bags lists what could go in a bag at a node, and the latest bags.
func (d *Desk) bags(tx *store.Tx, node string, at time.Time) (free []view.Baggable, made []view.Bag, err error) {
	ch, err := readChannels(tx)
	if err != nil {
		return nil, nil, err
	}
	waiting, err := d.x.awaitBag(tx, node)
	if err != nil {
		return nil, nil, err
	}
	for _, conn := range slices.Sorted(maps.Keys(waiting)) {
		free = append(free, view.Baggable{ConnectionID: conn, Shop: ch.of(conn), N: waiting[conn]})
	}
	bs, err := tx.BagsAt(node, bagsShown)
	for i := range bs {
		made = append(made, d.bagView(&bs[i], ch.of(bs[i].ConnectionID), at))
	}
	return free, made, err
}

// Combine makes one parcel of the orders of a proposal.
func (d *Desk) Combine(ctx context.Context, id, actor string) (view.Done, error) {
	_, err := d.x.Combine(ctx, id, actor)
	return view.Done{Sentence: "They ship as one parcel, as soon as the channel agrees."}, err
}

// DeclineCombine leaves orders of a proposal apart.
func (d *Desk) DeclineCombine(ctx context.Context, id, actor string) (view.Done, error) {
	return view.Done{Sentence: "They ship apart, and are not proposed again."}, d.x.DeclineCombine(ctx, id, actor)
}

// SetCombine says what is done with what a shop's channel would let ship as one.
func (d *Desk) SetCombine(ctx context.Context, connection, mode string) (view.Done, error) {
	said := map[string]string{CombineOff: "Orders of this shop ship apart.", CombinePropose: "What may ship as one is proposed on the floor.", CombineAutomatic: "What may ship as one does."}
	return view.Done{Sentence: said[mode]}, d.x.SetCombineMode(ctx, connection, mode)
}

// MakeBag makes a bag.
func (d *Desk) MakeBag(ctx context.Context, a view.BagDraft) (view.Done, error) {
	b, err := d.x.MakeBag(ctx, a)
	if err != nil {
		return view.Done{}, err
	}
	if b.Ref == "" {
		return view.Done{Sentence: b.Why}, nil
	}
	return view.Done{Sentence: capital(plural(int64(len(b.Orders)-len(b.Refused)), "order is", "orders are")) + " in bag " + b.Ref + ". Print its sheet and stick it on."}, nil
}

// SettleBag takes a person's word for what became of a bag.
func (d *Desk) SettleBag(ctx context.Context, id string, made bool, actor string) (view.Done, error) {
	b, err := d.x.SettleBag(ctx, id, made, actor)
	return view.Done{Sentence: b.Why}, err
}

// SetLabelFormat says how a node's labels are asked for.
func (d *Desk) SetLabelFormat(ctx context.Context, node, format string) (view.Done, error) {
	return view.Done{Sentence: "Labels are asked for as " + format + " from now on, where whoever makes them can."}, d.x.SetLabelFormat(ctx, node, format)
}

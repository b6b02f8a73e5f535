package ops

import (
	"cmp"
	"context"
	"time"

	"github.com/spillway/spillway/domain/tracking"
	"github.com/spillway/spillway/ops/view"
	"github.com/spillway/spillway/store"
)

// wayView is what is waited for of a parcel on its way.
func wayView(accounts hearing, s *store.Shipment, at time.Time) *view.ParcelWay {
	f, waits := accounts.watch(s, at)
	if !waits {
		return nil
	}
	return &view.ParcelWay{Stuck: f.Stuck, Unheard: f.Unheard, Text: f.Why, Due: f.Due, Next: stuckNext[f.Trouble], Source: s.Terms().Source}
}

// SettleParcel says what became of a stuck parcel.
func (d *Desk) SettleParcel(ctx context.Context, id, actor, why string) (view.Done, error) {
	if err := d.x.SettleParcel(ctx, id, actor, why); err != nil {
		return view.Done{}, err
	}
	return view.Done{Sentence: "It is not waited for any more. If anything is heard of it, it is watched again."}, nil
}

// stuckParcel is one with what is wrong with it.
type stuckParcel struct {
	store.Shipment
	tracking.Finding
}

// stuckOf are the parcels that have left from a node and are stuck, at most stuckRead, and how many there are. Those whose account was not heard either
// are not among them.
func (x *Ops) stuckOf(tx *store.Tx, node string, at time.Time) (out []stuckParcel, n int64, err error) {
	counts, err := tx.StuckCounts(at)
	if err != nil || counts[node] == 0 || node == "" {
		return nil, 0, err
	}
	accounts, err := x.hearing(tx)
	if err != nil {
		return nil, 0, err
	}
	rows, err := tx.ShipmentsStuck(node, at, stuckRead)
	n = counts[node]
	for i := range rows {
		if f, _ := accounts.watch(&rows[i], at); f.Stuck {
			out = append(out, stuckParcel{rows[i], f})
		} else {
			n--
		}
	}
	return out, n, err
}

// stuckAt adds the parcels that have left from a node and are stuck.
func (x *Ops) stuckAt(tx *store.Tx, node string, v *view.Bench) error {
	all, n, err := x.stuckOf(tx, node, v.At)
	if err != nil {
		return err
	}
	v.StuckN = n
	all = all[:min(len(all), floorShown)]
	rows := make([]store.Shipment, len(all))
	for i := range all {
		rows[i] = all[i].Shipment
	}
	orders, err := ordersIn(tx, rows)
	if err != nil {
		return err
	}
	for _, s := range all {
		row := view.StuckParcel{ID: s.ID, OrderID: s.Orders[0], Number: s.Orders[0], Carrier: cmp.Or(s.Label.Carrier, s.Carrier), Tracking: s.Label.Tracking, Text: s.Why, Next: stuckNext[s.Trouble],
			Since: s.Finding.Due, Level: view.Watch}
		if o := orders[s.Orders[0]]; o != nil {
			row.Number = numberOf(o)
		}
		if s.Trouble == tracking.ComesBack {
			row.Level = view.Quiet
		}
		v.Stuck = append(v.Stuck, row)
	}
	return nil
}

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
func wayView(s *store.Shipment, at time.Time) *view.ParcelWay {
	f, waits := s.Watch(at)
	if !waits {
		return nil
	}
	return &view.ParcelWay{Stuck: f.Stuck, Text: f.Why, Due: f.Due, Next: stuckNext[f.Trouble], Source: s.Terms().Source}
}

// SettleParcel says what became of a stuck parcel.
func (d *Desk) SettleParcel(ctx context.Context, id, actor, why string) (view.Done, error) {
	if err := d.x.SettleParcel(ctx, id, actor, why); err != nil {
		return view.Done{}, err
	}
	return view.Done{Sentence: "It is not waited for any more. If anything is heard of it, it is watched again."}, nil
}

// stuckAt adds the parcels that have left from a node and are stuck.
func stuckAt(tx *store.Tx, node string, v *view.Bench) error {
	counts, err := tx.StuckCounts(v.At)
	if err != nil || node == "" {
		return err
	}
	v.StuckN = counts[node]
	rows, err := tx.ShipmentsStuck(node, v.At, floorShown)
	if err != nil {
		return err
	}
	orders, err := ordersIn(tx, rows)
	if err != nil {
		return err
	}
	for i := range rows {
		s := &rows[i]
		f, waits := s.Watch(v.At)
		if !waits {
			continue
		}
		x := view.StuckParcel{ID: s.ID, OrderID: s.Orders[0], Number: s.Orders[0], Carrier: cmp.Or(s.Label.Carrier, s.Carrier), Tracking: s.Label.Tracking, Text: f.Why, Next: stuckNext[f.Trouble],
			Since: f.Due, Level: view.Watch}
		if o := orders[s.Orders[0]]; o != nil {
			x.Number = numberOf(o)
		}
		if f.Trouble == tracking.ComesBack {
			x.Level = view.Quiet
		}
		v.Stuck = append(v.Stuck, x)
	}
	return nil
}

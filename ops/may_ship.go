package ops

import (
	"context"

	"github.com/spillway/spillway/domain/order"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/store"
)

// heldBack says why no parcel of these orders may go on at the moment: one is on hold, unpaid or cancelled, or its buyer asks to cancel; empty: it may.
// That an order must be read again passes within seconds, and that the channel has seen it leave is no reason to keep a parcel here.
func heldBack(orders []order.Order) string {
	for _, o := range orders {
		o.NeedsDetail = false
		if err := order.MayShip(&o); err != nil && !o.Status.Left() {
			return errs.Safe(err)
		}
	}
	return ""
}

// heldBack is that of a parcel's orders.
func (f *floorScan) heldBack(s *store.Shipment) (string, error) {
	orders, err := f.tx.OrdersGet(s.Orders)
	return heldBack(orders), err
}

// heldBack is why a parcel may not be booked at the moment.
func (x *Ops) heldBack(ctx context.Context, s *store.Shipment) (why string, err error) {
	err = x.st.View(ctx, func(tx *store.Tx) error {
		orders, err := tx.OrdersGet(s.Orders)
		why = heldBack(orders)
		return err
	})
	return why, err
}

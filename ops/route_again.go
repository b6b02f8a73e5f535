package ops

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/spillway/spillway/domain/order"
	"github.com/spillway/spillway/domain/routing"
	"github.com/spillway/spillway/domain/stock"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/store"
)

// shipmentsOf picks those of one order.
func shipmentsOf(all []store.Shipment, orderID string) []store.Shipment {
	var out []store.Shipment
	for _, s := range all {
		if slices.Contains(s.Orders, orderID) {
			out = append(out, s)
		}
	}
	return out
}

// follow brings the parcels of an order in line with what it has become.
func (r *router) follow(o *order.Order, had []store.Shipment) error {
	if routable(o) {
		return r.plan(o, had, routing.Override{})
	}
	for i := range had {
		s := &had[i]
		was := s.Shipment
		switch {
		case o.Status == order.Cancelled:
			s.Stop(r.at, "the order is cancelled")
		case o.Status.Left() && len(o.Lines) > 0 && !s.Shipped() && s.Label.Tracking != "":
			s.Left(orNow(o.Moments.HandedOverAt, r.at), o.Moments.DeliveredAt)
		case o.Status == order.Delivered || o.Status == order.Completed:
			s.Left(orNow(o.Moments.HandedOverAt, r.at), orNow(o.Moments.DeliveredAt, r.at))
		}
		if !s.Stopped.Equal(was.Stopped) || !s.HandedOverAt.Equal(was.HandedOverAt) || !s.DeliveredAt.Equal(was.DeliveredAt) {
			r.saves = append(r.saves, *s)
		}
	}
	return nil
}

func orNow(t, now time.Time) time.Time {
	if t.IsZero() {
		return now
	}
	return t
}

// Reroute routes an order again: by the rules, or from the nodes a person names, with the reason. Its reservation moves in the same transaction.
// Errors: NotFound, Conflict (it has left or is not to be shipped), Invalid.
func (x *Ops) Reroute(ctx context.Context, orderID string, over routing.Override) (RouteTold, error) {
	const op = "ops.Reroute"
	if len(over.Nodes) > 0 && (strings.TrimSpace(over.Reason) == "" || over.By == "") {
		return RouteTold{}, errs.New(errs.Invalid, op, "reason", "say why this order leaves from there: whoever looks at it later must understand it")
	}
	var told RouteTold
	x.network.mu.Lock()
	defer x.network.mu.Unlock()
	err := x.st.Update(ctx, func(tx *store.Tx) error {
		cat := x.catalog.Load()
		orders, err := tx.OrdersForUpdate([]string{orderID})
		if err != nil {
			return err
		}
		if len(orders) == 0 {
			return errs.New(errs.NotFound, op, orderID, "there is no such order")
		}
		if !routable(&orders[0]) {
			return errs.New(errs.Conflict, op, orderID, "this order does not wait to be shipped by you")
		}
		if on, err := x.network.look(tx, cat.locations, tx.Now()); err != nil || !on {
			if err == nil {
				err = errs.New(errs.Conflict, op, orderID, "nothing is said of any node yet: enter where orders leave from first")
			}
			return err
		}
		r := &router{x: x, tx: tx, at: tx.Now()}
		_, err = settleWants(tx, cat, "routing", cat.demand(&orders[0]), func(book *stock.Book) error {
			r.book = book
			had, err := tx.ShipmentsOfForUpdate(orderID)
			if err != nil {
				return err
			}
			return r.plan(&orders[0], had, over)
		})
		if err != nil {
			return err
		}
		if len(r.routes) == 0 {
			return errs.New(errs.Conflict, op, orderID, "this order asks nothing of your stock")
		}
		if err := json.Unmarshal(r.routes[0].Body, &told); err != nil {
			return err
		}
		return r.save()
	})
	if err == nil {
		x.live.notify("order:"+orderID, topicShipments)
	}
	return told, err
}

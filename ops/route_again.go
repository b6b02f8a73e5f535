package ops

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/spillway/spillway/domain/custody"
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
	had = r.latest(o, had)
	surplus := r.surplus(o, had)
	if o.Status == order.PartiallyShipping && r.was[o.ID].Lacking == 0 && len(surplus) == 0 && r.covered(o, had) {
		return nil // all of it is on its way: nothing is planned anew behind what left
	}
	if routable(o) {
		if r.whole(o, had) {
			return nil
		}
		over, err := r.pinned(o.ID)
		if err != nil {
			return err
		}
		return r.plan(o, had, over)
	}
	for i := range had {
		s := &had[i]
		was := s.Shipment
		gone := o.Status.Arranged() && onlyOf(s, o.ID, surplus)
		if (o.Status == order.Cancelled || gone) && len(s.Orders) > 1 && live(s) {
			if err := r.takeOut(s, o, "is cancelled"); err != nil {
				return err
			}
			continue
		}
		switch {
		case gone:
			s.Stop(r.at, "what it holds of the order is cancelled")
		case o.Status == order.Cancelled && s.Shipped() && len(s.Orders) == 1:
			_ = s.Settle(r.at, ByRules, "the order is cancelled") // refused where nothing is waited for
		case o.Status == order.Cancelled:
			s.Stop(r.at, "the order is cancelled")
		case o.Status.Left() && len(o.Lines) > 0 && s.SeenAt.IsZero() && s.Label.Tracking != "":
			s.Left(orNow(o.Moments.HandedOverAt, r.at), o.Moments.DeliveredAt)
		case o.Status == order.Delivered || o.Status == order.Completed:
			s.Left(orNow(o.Moments.HandedOverAt, r.at), orNow(o.Moments.DeliveredAt, r.at))
		}
		if !s.Stopped.Equal(was.Stopped) || !s.HandedOverAt.Equal(was.HandedOverAt) || !s.SeenAt.Equal(was.SeenAt) || !s.DeliveredAt.Equal(was.DeliveredAt) || s.Settled != was.Settled {
			r.keepSave(*s)
			next := *s
			next.Version++ // as it is stored
			r.custody = append(r.custody, passages(&was, &next, nil, custody.Channel, r.at)...)
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

// errLooked ends the transaction of a change that was only looked at.
var errLooked = errors.New("only looked at")

// Reroute routes an order again: by the rules, or from the nodes a person names, with the reason. Its reservation moves in the same transaction. request
// is the caller's id of the change, which makes repeating it safe; empty: none.
// Errors: NotFound, Conflict (it has left, is not to be shipped, or the id was used for another change), Invalid.
func (x *Ops) Reroute(ctx context.Context, orderID, request string, over routing.Override) (RouteTold, error) {
	told, err := x.reroute(ctx, orderID, request, over, false)
	if err == nil {
		x.live.notify("order:"+orderID, topicShipments)
	}
	return told, err
}

// PreviewReroute is what Reroute would come to; it changes nothing.
func (x *Ops) PreviewReroute(ctx context.Context, orderID string, over routing.Override) (RouteTold, error) {
	return x.reroute(ctx, orderID, "", over, true)
}

func (x *Ops) reroute(ctx context.Context, orderID, request string, over routing.Override, look bool) (told RouteTold, err error) {
	const op = "ops.Reroute"
	if len(over.Nodes) > 0 && !look && (strings.TrimSpace(over.Reason) == "" || over.By == "") {
		return told, errs.New(errs.Invalid, op, "reason", "say why this order leaves from there: whoever looks at it later must understand it")
	}
	if len(over.Nodes) > routing.MaxParts || len(over.Reason) > maxReason || len(request) > maxRequest {
		return told, errs.New(errs.Invalid, op, "nodes", "at most %d nodes, %d bytes of reason and %d of id", routing.MaxParts, maxReason, maxRequest)
	}
	over.Nodes = slices.Sorted(slices.Values(over.Nodes))
	err = x.st.Update(ctx, func(tx *store.Tx) error {
		orders, err := tx.OrdersForUpdate([]string{orderID})
		if err != nil {
			return err
		}
		if len(orders) == 0 {
			return errs.New(errs.NotFound, op, orderID, "there is no such order")
		}
		if request != "" {
			if done, err := rerouted(tx, orderID, request, over.Nodes, &told); done || err != nil {
				return err
			}
		}
		if !routable(&orders[0]) {
			return errs.New(errs.Conflict, op, orderID, "this order does not wait to be shipped by you")
		}
		cat := x.catalog.Load()
		for _, n := range over.Nodes {
			if _, ok := cat.location(n); !ok {
				return errs.New(errs.Invalid, op, "nodes", "there is no node %s", n)
			}
		}
		_, err = settleWants(tx, cat, "routing", cat.demand(&orders[0]), func(book *stock.Book) error {
			return x.rerouteIn(tx, cat, book, &orders[0], request, over, &told)
		})
		if err == nil && look {
			return errLooked
		}
		return err
	})
	if look && errors.Is(err, errLooked) {
		err = nil
	}
	return told, err
}

// rerouteIn plans one order anew with the book of its items in hand. Locks are taken in the order of intake: rows first, then the desk.
func (x *Ops) rerouteIn(tx *store.Tx, cat *catalogue, book *stock.Book, o *order.Order, request string, over routing.Override, told *RouteTold) error {
	x.network.mu.Lock()
	defer x.network.mu.Unlock()
	if on, err := x.network.look(tx, cat.locations, tx.Now()); err != nil || !on {
		if err == nil {
			err = errs.New(errs.Conflict, "ops.Reroute", o.ID, "nothing is said of any node yet: enter where orders leave from first")
		}
		return err
	}
	r := &router{x: x, tx: tx, cat: cat, at: tx.Now(), book: book, asks: true, anew: over.By != "", request: request}
	had, err := tx.ShipmentsOfForUpdate(o.ID)
	if err != nil {
		return err
	}
	if err := r.plan(o, had, over); err != nil {
		return err
	}
	if len(r.routes) == 0 {
		return errs.New(errs.Conflict, "ops.Reroute", o.ID, "nothing of this order is left to route: what it asks of your stock is being packed, or it asks nothing")
	}
	if err := json.Unmarshal(r.routes[0].Body, told); err != nil {
		return err
	}
	return r.save()
}

// rerouted finds a change that was asked for before under the same id, and reads the route as it is now.
func rerouted(tx *store.Tx, orderID, request string, asked []string, told *RouteTold) (bool, error) {
	events, err := tx.EventsOf(orderID, orderEvents)
	if err != nil {
		return false, err
	}
	for _, e := range events {
		var said struct {
			Request string   `json:"request"`
			Asked   []string `json:"asked"`
		}
		if e.Kind != EventRouted || json.Unmarshal(e.Data, &said) != nil || said.Request != request {
			continue
		}
		if !slices.Equal(said.Asked, asked) {
			return false, errs.New(errs.Conflict, "ops.Reroute", request, "this id was used for another change of this order")
		}
		routes, err := tx.RoutesGet(orderID)
		if err != nil || len(routes) == 0 {
			return false, err
		}
		return true, json.Unmarshal(routes[0].Body, told)
	}
	return false, nil
}

const (
	// maxReason and maxRequest bound what a person or a program says of a change.
	maxReason, maxRequest = 500, 100
)

// leaveWaves takes parcels that stop out of their waves: nobody picks for them any more, and what was picked is put back.
func (r *router) leaveWaves() error {
	var waves, ids []string
	for i := range r.saves {
		if s := &r.saves[i]; !s.Stopped.IsZero() && s.Wave != "" {
			waves, ids = append(waves, s.Wave), append(ids, s.ID)
			s.Wave = ""
		}
	}
	if len(ids) == 0 {
		return nil
	}
	return dropFeeds(r.tx, waves, ids...)
}

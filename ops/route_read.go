package ops

import (
	"context"
	"encoding/json"
	"time"

	"github.com/spillway/spillway/domain/routing"
	"github.com/spillway/spillway/domain/shipping"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/store"
)

// Route is from where an order leaves, and what is stored with it; Version 0: it has none yet. Errors: NotFound.
func (x *Ops) Route(ctx context.Context, orderID string) (r store.Route, told RouteTold, err error) {
	err = x.st.View(ctx, func(tx *store.Tx) error {
		if err := known(tx, orderID); err != nil {
			return err
		}
		routes, err := tx.RoutesGet(orderID)
		if err != nil || len(routes) == 0 {
			return err
		}
		r = routes[0]
		return json.Unmarshal(r.Body, &told)
	})
	return r, told, errs.Wrap("ops.Route", orderID, err)
}

// Shipments are the parcels of an order, stopped ones too, as of a time. Errors: NotFound.
func (x *Ops) Shipments(ctx context.Context, orderID string) (all []store.Shipment, at time.Time, err error) {
	err = x.st.View(ctx, func(tx *store.Tx) (err error) {
		if err := known(tx, orderID); err != nil {
			return err
		}
		at = tx.Now()
		all, err = tx.ShipmentsOf(orderID)
		return err
	})
	return all, at, errs.Wrap("ops.Shipments", orderID, err)
}

// Parcel is a parcel as it is stored.
type Parcel = store.Shipment

// ParcelsAt are up to limit parcels of a node that wait for a step, those due first in front, behind the one whose id is after, as of a time. Errors: NotFound
// (after is no parcel).
func (x *Ops) ParcelsAt(ctx context.Context, node, step, after string, limit int) (all []Parcel, at time.Time, err error) {
	err = x.st.View(ctx, func(tx *store.Tx) error {
		var place store.ShipmentPlace
		if after != "" {
			last, err := tx.ShipmentGet(after)
			if err != nil {
				return err
			}
			place = last.Place()
		}
		at = tx.Now()
		all, err = tx.ShipmentsAt(node, shipping.StepKind(step), place, limit)
		return err
	})
	return all, at, errs.Wrap("ops.ParcelsAt", node, err)
}

func known(tx *store.Tx, orderID string) error {
	got, err := tx.OrdersGet([]string{orderID})
	if err == nil && len(got) == 0 {
		err = errs.New(errs.NotFound, "ops.Order", orderID, "there is no such order")
	}
	return err
}

// RetryParcel tries again what a parcel's shipper or channel refused: somebody has settled what stood in the way. Errors: NotFound, Conflict (nothing is
// asked of a person).
func (x *Ops) RetryParcel(ctx context.Context, id, actor string) error {
	const op = "ops.RetryParcel"
	var order string
	err := x.st.Update(ctx, func(tx *store.Tx) error {
		s, err := tx.ShipmentGet(id)
		if err != nil {
			return err
		}
		if s.Question() == "" {
			return errs.New(errs.Conflict, op, id, "nothing is asked of a person about this parcel any more")
		}
		if err := asksSender(&s); err != nil {
			return err
		}
		order = s.Orders[0]
		said := s.Question()
		s.Answered(tx.Now())
		if err := tx.ShipmentsSave([]store.Shipment{s}); err != nil {
			return err
		}
		return tx.EventsAppend([]store.Event{{At: tx.Now(), Kind: EventRetried, Subject: order, Data: jsonOf(map[string]any{"by": actor, "shipment": id, "said": said})}})
	})
	if err == nil {
		x.live.notify("order:"+order, topicShipments)
	}
	return errs.Wrap(op, id, err)
}

// EventRetried says that a person had a parcel's step tried again.
const EventRetried = "order.parcel_retried"

// RerouteFrom is Reroute from nodes named by a program; none: by the rules.
func (x *Ops) RerouteFrom(ctx context.Context, orderID, request string, nodes []string, by, reason string) (RouteTold, error) {
	return x.Reroute(ctx, orderID, request, routing.Override{Nodes: nodes, By: by, Reason: reason})
}

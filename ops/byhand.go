package ops

import (
	"context"
	"errors"
	"slices"

	"github.com/spillway/spillway/connector/driver"
	"github.com/spillway/spillway/domain/shipping"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/ops/view"
	"github.com/spillway/spillway/store"
)

// Orders of a provider that has no account here: a person sends them to it, and enters the numbers it gives.

// addressesOnce orders are in one file at most: where each goes is asked of its channel while the file is waited for.
const addressesOnce = 100

// waitingAtNode are up to limit parcels of a node that wait for a step, those due first in front, with how many there are in all.
func waitingAtNode(tx *store.Tx, node string, step shipping.StepKind, limit int) (all []store.Shipment, n int64, err error) {
	if all, err = tx.ShipmentsAt(node, step, store.ShipmentPlace{}, limit); err != nil || len(all) < limit {
		return all, int64(len(all)), err
	}
	counts, err := tx.ShipmentCounts()
	for _, c := range counts {
		if c.Node == node && c.Step == step {
			n = c.N
		}
	}
	return all, n, err
}

// ByHand is what a person sends to a provider.
func (d *Desk) ByHand(ctx context.Context, node string) (view.ByHand, error) {
	v := view.ByHand{At: d.x.now(), Node: d.nodeOption(node)}
	err := d.look(ctx, "ops.ByHand", node, func(tx *store.Tx) error {
		if n, err := tx.NodeGet(node); err == nil {
			v.Unconnected = !n.Kind.Ours() && n.Account == ""
		} else if !errs.Is(err, errs.NotFound) {
			return err
		}
		send, n, err := waitingAtNode(tx, node, shipping.Send, floorShown)
		if err != nil {
			return err
		}
		if v.SendN = n; len(send) > 0 {
			if v.Send, err = d.floorParcels(tx, send, v.At); err != nil {
				return err
			}
		}
		for i := range send {
			orders, err := tx.OrdersGet(send[i].Orders)
			if err != nil {
				return err
			}
			v.Send[i].Question = heldBack(orders)
		}
		sent, n, err := waitingAtNode(tx, node, shipping.Enter, floorShown)
		if err != nil {
			return err
		}
		if v.SentN, v.Sent, err = n, nil, nil; len(sent) > 0 {
			if v.Sent, err = d.floorParcels(tx, sent, v.At); err != nil {
				return err
			}
		}
		asked, err := tx.ShipmentsAt(node, shipping.Ask, store.ShipmentPlace{}, floorShown)
		if asked = slices.DeleteFunc(asked, func(s store.Shipment) bool { return !s.ByPerson() }); err == nil && len(asked) > 0 {
			v.Asked, err = d.floorParcels(tx, asked, v.At)
		}
		return err
	})
	return v, err
}

// ByHandParcel is one of them with where it goes, which is asked of its channel and not kept.
func (d *Desk) ByHandParcel(ctx context.Context, id string) (view.ByHandParcel, error) {
	var v view.ByHandParcel
	var s store.Shipment
	err := d.look(ctx, "ops.ByHandParcel", id, func(tx *store.Tx) (err error) {
		if s, err = tx.ShipmentGet(id); err != nil {
			return err
		}
		if !s.ByPerson() {
			return errs.New(errs.NotFound, "ops.ByHandParcel", id, "this parcel is not sent by hand")
		}
		rows, err := d.floorParcels(tx, []store.Shipment{s}, d.x.now())
		if err != nil {
			return err
		}
		v.Node, v.Parcel, v.Tracking = d.nodeOption(s.Node), rows[0], s.Label.Tracking
		orders, err := tx.OrdersGet(s.Orders)
		v.Held = heldBack(orders)
		return err
	})
	if err != nil {
		return v, err
	}
	p, err := d.x.parcelFor(ctx, &s)
	if err != nil {
		v.Unknown = capital(sentence(err))
		err = nil
	}
	for _, l := range p.Lines {
		v.Lines = append(v.Lines, view.ByHandLine{SKU: l.SKU, Title: l.Title, Qty: l.Qty})
	}
	a := p.To
	for _, line := range []string{a.Name, a.Company, a.Line1, a.Line2, a.City, a.State + " " + a.Post, a.Country, a.Phone, a.Email} {
		if line != "" && line != " " {
			v.Address = append(v.Address, line)
		}
	}
	return v, err
}

// parcelFor is a parcel with where it goes, whichever process works its shop.
func (x *Ops) parcelFor(ctx context.Context, s *store.Shipment) (driver.Parcel, error) {
	w := x.wires.get(s.ConnectionID)
	if w == nil {
		var c store.Connection
		err := x.st.View(ctx, func(tx *store.Tx) (err error) {
			c, err = tx.ConnectionGet(s.ConnectionID)
			return err
		})
		if err == nil {
			w, err = x.makeWire(ctx, c, nil)
		}
		if err != nil {
			return driver.Parcel{}, err
		}
	}
	return w.parcelOf(ctx, &s.Shipment)
}

// ordersFile is the orders a person has taken to send from a node, or one of them, as a file that providers read. Errors: NotFound, and those of channels:
// a file without one of its orders would be taken for all of them.
func (d *Desk) ordersFile(ctx context.Context, id string) (view.Sheet, error) {
	const op = "ops.FloorSheet"
	var all []store.Shipment
	err := d.read(ctx, op, id, func(tx *store.Tx) error {
		one, err := tx.ShipmentGet(id)
		if err == nil && one.ByPerson() && one.Next(tx.Now()).Kind == shipping.Enter {
			all = []store.Shipment{one}
			return nil
		}
		if err != nil && !errs.Is(err, errs.NotFound) {
			return err
		}
		all, err = tx.ShipmentsAt(id, shipping.Enter, store.ShipmentPlace{}, addressesOnce)
		return err
	})
	if err != nil {
		return view.Sheet{}, err
	}
	if len(all) == 0 {
		return view.Sheet{}, errs.New(errs.NotFound, op, id, "no order is being sent by hand: tick those you send first")
	}
	bookings := make([]driver.Booking, len(all))
	for i := range all {
		p, err := d.x.parcelFor(ctx, &all[i])
		if err != nil {
			return view.Sheet{}, &errs.Error{Kind: errs.Unavailable, Op: op, Item: all[i].Orders[0], Safe: "where the order goes cannot be had: " + sentence(err), Cause: err}
		}
		bookings[i] = driver.Booking{ID: all[i].ID, Parcel: p}
	}
	for _, c := range d.x.carriers {
		if files, ok := c.(driver.OrderFiler); ok {
			doc, err := files.OrdersFile(bookings)
			if e, refused := errors.AsType[*driver.Error](err); refused {
				err = errs.New(errs.Invalid, op, id, "%s", e.Message)
			}
			return view.Sheet{Name: "orders-" + id + ".csv", Type: doc.Type, Data: doc.Data}, err
		}
	}
	return view.Sheet{}, errs.New(errs.NotFound, op, id, "there is no form for such a file here")
}

// sendParcel says that a person sends a parcel to its provider now.
func (x *Ops) sendParcel(ctx context.Context, a view.FloorAct, id string) (string, error) {
	return "yours to send: nothing else sends it now", x.changeByHand(ctx, a, id, func(tx *store.Tx, s *store.Shipment) error {
		orders, err := tx.OrdersGet(s.Orders)
		if why := heldBack(orders); err == nil && why != "" {
			err = errs.New(errs.Conflict, "ops.ActOnFloor", id, "%s", why)
		}
		if err != nil || s.Next(tx.Now()).Kind == shipping.Enter { // pressed twice
			return err
		}
		return s.Send(tx.Now())
	})
}

// unsendParcel says that its provider does not ship it.
func (x *Ops) unsendParcel(ctx context.Context, a view.FloorAct, id string) (string, error) {
	return "its provider does not ship it", x.changeByHand(ctx, a, id, func(tx *store.Tx, s *store.Shipment) error {
		if s.Next(tx.Now()).Kind == shipping.Send {
			return nil
		}
		return s.Unsent(tx.Now())
	})
}

// asksSender says that what a person sent is settled where it is sent, not by trying again.
func asksSender(s *store.Shipment) error {
	if s.ByPerson() && s.Reclaimed() {
		return errs.New(errs.Conflict, "ops.Retry", s.ID, "say under “Send by hand” whether its provider ships it")
	}
	return nil
}

func (x *Ops) changeByHand(ctx context.Context, a view.FloorAct, id string, change func(*store.Tx, *store.Shipment) error) error {
	return x.st.Update(ctx, func(tx *store.Tx) error {
		s, err := atNode(tx, a, id)
		if err != nil {
			return err
		}
		was := s.Shipment
		if err := change(tx, &s); err != nil || sameShipment(was, s.Shipment) {
			return err
		}
		return x.saveParcel(tx, &was, &s, newsBy(s.Way))
	})
}

// toProviders gives what waits at providers' nodes to them: to the account a node has by now what waits to be sent by hand, and what would be packed by our
// people, as it was routed while the place was ours.
func (x *Ops) toProviders(ctx context.Context) error {
	var nodes []store.Node
	if err := x.st.View(ctx, func(tx *store.Tx) (err error) {
		nodes, err = tx.Nodes()
		return err
	}); err != nil {
		return err
	}
	for _, n := range nodes {
		if n.Kind.Ours() {
			continue
		}
		err := x.st.Update(ctx, func(tx *store.Tx) error {
			ours, err := tx.ShipmentsAt(n.ID, shipping.Pack, store.ShipmentPlace{}, routeTake*routeRound)
			if err != nil {
				return err
			}
			ours = slices.DeleteFunc(ours, func(s store.Shipment) bool { return s.Way != shipping.ByHand || begun(&s) })
			var send []store.Shipment
			if n.Account != "" {
				send, err = tx.ShipmentsAt(n.ID, shipping.Send, store.ShipmentPlace{}, routeTake*routeRound)
			}
			all := append(ours, send...)
			for i := range all {
				all[i].Way, all[i].Account = shipping.ByProvider, n.Account
			}
			if err != nil || len(all) == 0 {
				return err
			}
			return tx.ShipmentsSave(all)
		})
		if err != nil && !errs.Is(err, errs.Conflict) { // somebody takes one to send just now: the next round knows
			return errs.Wrap("ops.toProviders", n.ID, err)
		}
	}
	return nil
}

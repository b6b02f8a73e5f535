package ops

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"time"

	"github.com/spillway/spillway/domain/order"
	"github.com/spillway/spillway/domain/shipping"
	"github.com/spillway/spillway/domain/stock"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/store"
)

// What is done with orders of one buyer that the channel would let ship as one.
const (
	CombineOff       = "off"
	CombinePropose   = "propose"   // a person agrees to each; the default
	CombineAutomatic = "automatic" // they are combined at once
)

// CombineModes lists them.
var CombineModes = []string{CombineOff, CombinePropose, CombineAutomatic}

const (
	// combineEvery is how often a channel is asked what may ship as one: orders of a buyer come minutes apart.
	combineEvery = 2 * time.Minute
	// combinePages of it are read, and combineMost proposals of a connection are kept open.
	combinePages, combineMost = 40, 1000
	// keepTogether is how long proposals, bags and manifests are remembered after their day.
	keepTogether = 90 * 24 * time.Hour
	// EventCombined says that orders share a parcel.
	EventCombined = "parcel.combined"
)

func combineSetting(connectionID string) string { return "combine/" + connectionID }

// CombineMode is what is done for a connection. Errors: NotFound.
func (x *Ops) CombineMode(ctx context.Context, connectionID string) (mode string, err error) {
	err = x.st.View(ctx, func(tx *store.Tx) (err error) {
		if _, err := tx.ConnectionGet(connectionID); err != nil {
			return err
		}
		mode, err = combineMode(tx, connectionID)
		return err
	})
	return mode, err
}

func combineMode(tx *store.Tx, connectionID string) (string, error) {
	mode, _, err := tx.SettingGet(combineSetting(connectionID))
	return cmp.Or(mode, CombinePropose), err
}

// Combination is a proposal that orders ship as one.
type Combination = store.Combination

// Combinations are the proposals of a node that wait for somebody to agree or decline, at most combineMost. Errors: NotFound (no such node).
func (x *Ops) Combinations(ctx context.Context, node string) (all []Combination, err error) {
	const op = "ops.Combinations"
	if err := x.knownNode(op, node); err != nil {
		return nil, err
	}
	err = x.st.View(ctx, func(tx *store.Tx) (err error) {
		all, err = tx.CombinationsAt(node, combineMost)
		return err
	})
	return all, errs.Wrap(op, node, err)
}

// knownNode refuses a node that is none. Errors: NotFound.
func (x *Ops) knownNode(op, node string) error {
	if _, ok := x.catalog.Load().location(node); !ok {
		return errs.New(errs.NotFound, op, node, "there is no such node")
	}
	return nil
}

// SetCombineMode says what is done for a connection. Errors: Invalid, NotFound.
func (x *Ops) SetCombineMode(ctx context.Context, connectionID, mode string) error {
	const op = "ops.SetCombineMode"
	if !slices.Contains(CombineModes, mode) {
		return errs.New(errs.Invalid, op, "mode", "%q is none of %s", mode, strings.Join(CombineModes, ", "))
	}
	return x.st.Update(ctx, func(tx *store.Tx) error {
		if _, err := tx.ConnectionGet(connectionID); err != nil {
			return err
		}
		return tx.SettingSet(combineSetting(connectionID), mode)
	})
}

// combineLoop asks the channel what may ship as one.
func (w *wire) combineLoop() {
	if !w.session.Packages() {
		return
	}
	t := time.NewTicker(combineEvery)
	defer t.Stop()
	for {
		select {
		case <-t.C:
		case <-w.ctx.Done():
			return
		}
		if w.paused() || !w.grip.held() {
			continue
		}
		if err := w.lookCombinable(w.ctx); err != nil && w.ctx.Err() == nil {
			w.log.Warn("it is not known what may ship as one; it is asked again", "err", err)
		}
	}
}

// LookCombinable asks the channel of a connection that this process works what may ship as one, as is done every two minutes. Errors: NotFound.
func (x *Ops) LookCombinable(ctx context.Context, connectionID string) error {
	w := x.wires.get(connectionID)
	if w == nil {
		return errs.New(errs.NotFound, "ops.LookCombinable", connectionID, "this process does not work the connection")
	}
	return w.lookCombinable(ctx)
}

// lookCombinable keeps the proposals of a connection in line with what its channel says, and combines where that is automatic.
func (w *wire) lookCombinable(ctx context.Context) error {
	mode, err := w.x.CombineMode(ctx, w.id)
	if err != nil {
		return err
	}
	var offers [][]string
	cursor := ""
	for range combinePages {
		if mode == CombineOff {
			break
		}
		page, err := w.session.Combinable(ctx, cursor)
		if err != nil {
			return err
		}
		for _, o := range page.Offers {
			offers = append(offers, o.Orders)
		}
		if cursor = page.Next; cursor == "" {
			break
		}
	}
	ids, err := w.x.propose(ctx, w.id, offers)
	if err != nil || mode != CombineAutomatic {
		return err
	}
	for _, id := range ids {
		if _, err := w.x.Combine(ctx, id, ByRules); err != nil && !errs.Is(err, errs.Conflict) {
			return err
		}
	}
	return nil
}

// propose stores what may ship as one now, and forgets proposals that do not hold any more. It returns those that are open. What was declined or refused
// is not proposed again.
func (x *Ops) propose(ctx context.Context, connectionID string, offers [][]string) (open []string, err error) {
	err = x.st.Update(ctx, func(tx *store.Tx) error {
		open = nil
		had, err := tx.CombinationsOf(connectionID, store.Proposed, combineMost)
		if err != nil {
			return err
		}
		var puts []store.Combination
		for _, ext := range offers {
			c, ok, err := x.proposal(tx, connectionID, ext)
			if err != nil || !ok || len(open) == combineMost {
				if err != nil {
					return err
				}
				continue
			}
			open = append(open, c.ID)
			if !slices.ContainsFunc(had, func(h store.Combination) bool { return h.ID == c.ID }) {
				puts = append(puts, c)
			}
		}
		for _, h := range had {
			if !slices.Contains(open, h.ID) {
				if err := tx.CombinationDrop(h.ID); err != nil {
					return err
				}
			}
		}
		return tx.CombinationsPut(puts)
	})
	if err == nil {
		x.live.notify(topicShipments)
	}
	return open, err
}

// proposal is what an offer of the channel comes to: those of its orders that ship whole from one node in one way. False: nothing.
func (x *Ops) proposal(tx *store.Tx, connectionID string, external []string) (store.Combination, bool, error) {
	var ids []string
	for _, e := range external {
		ids = append(ids, order.ID(connectionID, e))
	}
	parcels, err := x.wholeParcels(tx, ids, false)
	if err != nil {
		return store.Combination{}, false, err
	}
	for _, group := range byWay(parcels) {
		c := store.Combination{ConnectionID: connectionID, Node: group[0].Node, State: store.Proposed, At: tx.Now()}
		for _, s := range group {
			c.Orders = append(c.Orders, s.Orders[0])
			if !s.Due.IsZero() && (c.Due.IsZero() || s.Due.Before(c.Due)) {
				c.Due = s.Due
			}
		}
		c.ID = combinationID(c.Orders)
		known, err := tx.CombinationsGet(c.ID)
		if err != nil {
			return c, false, err
		}
		if len(known) > 0 && (known[0].State == store.Declined || known[0].State == store.Rejected) {
			continue
		}
		return c, shipping.Apart(plainParcels(group), tx.Now()) == "", nil
	}
	return store.Combination{}, false, nil
}

func combinationID(orders []string) string {
	sum := sha256.Sum256([]byte(strings.Join(slices.Sorted(slices.Values(orders)), "\x00")))
	return hex.EncodeToString(sum[:12])
}

// wholeParcels are those of the orders that hold all of one order and wait untouched.
func (x *Ops) wholeParcels(tx *store.Tx, ids []string, lock bool) (out []store.Shipment, err error) {
	read := tx.ShipmentsOf
	if lock {
		read = tx.ShipmentsOfForUpdate
	}
	all, err := read(ids...)
	if err != nil {
		return nil, err
	}
	orders, err := tx.OrdersGet(ids)
	if err != nil {
		return nil, err
	}
	r := &router{x: x, tx: tx, cat: x.catalog.Load()}
	for i := range orders {
		o := &orders[i]
		mine := slices.DeleteFunc(shipmentsOf(all, o.ID), func(s store.Shipment) bool { return !s.Stopped.IsZero() })
		if len(mine) == 1 && routable(o) && len(mine[0].Orders) == 1 && !begun(&mine[0]) && !r.part(o, &mine[0].Shipment) && shipping.Apart(plainParcels([]store.Shipment{mine[0], mine[0]}), tx.Now()) == "" {
			out = append(out, mine[0])
		}
	}
	return out, nil
}

func plainParcels(ss []store.Shipment) []shipping.Shipment {
	out := make([]shipping.Shipment, len(ss))
	for i := range ss {
		out[i] = ss[i].Shipment
	}
	return out
}

// byWay groups parcels that leave from the same node in the same way, the largest group first; of one alone there is none.
func byWay(ss []store.Shipment) [][]store.Shipment {
	var out [][]store.Shipment
next:
	for _, s := range ss {
		for i, g := range out {
			if f := &g[0]; f.Node == s.Node && f.Way == s.Way && f.Account == s.Account && (s.Way == shipping.ByPlatform || f.Carrier == s.Carrier && f.Service == s.Service) {
				out[i] = append(g, s)
				continue next
			}
		}
		out = append(out, []store.Shipment{s})
	}
	out = slices.DeleteFunc(out, func(g []store.Shipment) bool { return len(g) < 2 })
	slices.SortStableFunc(out, func(a, b []store.Shipment) int { return len(b) - len(a) })
	return out
}

// Combine makes one parcel of the parcels of a proposal. The channel is asked for its package next; if it refuses, they ship apart. Errors: NotFound,
// Conflict (they are not as they were).
func (x *Ops) Combine(ctx context.Context, id, actor string) (parcel string, err error) {
	const op = "ops.Combine"
	err = x.st.Update(ctx, func(tx *store.Tx) error {
		got, err := tx.CombinationsGet(id)
		switch {
		case err != nil:
			return err
		case len(got) == 0:
			return errs.New(errs.NotFound, op, id, "this proposal does not hold any more")
		case got[0].State == store.Joined:
			parcel = got[0].Parcel
			return nil
		}
		c := got[0]
		parcels, err := x.wholeParcels(tx, c.Orders, true)
		if err != nil {
			return err
		}
		if len(parcels) != len(c.Orders) {
			return errs.New(errs.Conflict, op, id, "one of these orders has moved on: they do not ship as one any more")
		}
		sum := sha256.Sum256([]byte(id + tx.Now().Format(time.RFC3339Nano)))
		one, err := shipping.Join("s"+hex.EncodeToString(sum[:12]), plainParcels(parcels), tx.Now())
		if err != nil {
			return err
		}
		var events []store.Event
		for i := range parcels {
			parcels[i].Stop(tx.Now(), "the order ships together with others of the same buyer")
			events = append(events, store.Event{At: tx.Now(), Kind: EventCombined, Subject: parcels[i].Orders[0], Data: jsonOf(map[string]any{"parcel": one.ID, "orders": one.Orders, "by": actor})})
		}
		if err := tx.ShipmentsSave(parcels); err != nil {
			return err
		}
		if _, err := tx.ShipmentsAdd([]store.Shipment{{Shipment: *one}}); err != nil {
			return err
		}
		c.State, c.At, c.Parcel, c.By = store.Joined, tx.Now(), one.ID, actor
		parcel = one.ID
		if err := tx.CombinationsPut([]store.Combination{c}); err != nil {
			return err
		}
		return tx.EventsAppend(events)
	})
	if err == nil {
		x.live.notify("order", topicShipments)
	}
	return parcel, err
}

// DeclineCombine says that orders are to ship apart; they are not proposed again. Errors: NotFound, Conflict (they share a parcel already).
func (x *Ops) DeclineCombine(ctx context.Context, id, actor string) error {
	const op = "ops.DeclineCombine"
	err := x.st.Update(ctx, func(tx *store.Tx) error {
		got, err := tx.CombinationsGet(id)
		switch {
		case err != nil:
			return err
		case len(got) == 0:
			return errs.New(errs.NotFound, op, id, "this proposal does not hold any more")
		case got[0].State == store.Joined:
			return errs.New(errs.Conflict, op, id, "they share a parcel already: route one of them again to take it out")
		}
		c := got[0]
		c.State, c.At, c.By = store.Declined, tx.Now(), actor
		return tx.CombinationsPut([]store.Combination{c})
	})
	if err == nil {
		x.live.notify(topicShipments)
	}
	return err
}

// separate takes orders out of the parcel they share, which the channel refused, and routes each by itself. The first stays in it alone.
func (x *Ops) separate(ctx context.Context, s *store.Shipment, why string) error {
	err := x.st.Update(ctx, func(tx *store.Tx) error {
		got, err := tx.CombinationsGet(combinationID(s.Orders))
		for i := range got {
			got[i].State, got[i].At, got[i].Why = store.Rejected, tx.Now(), why
		}
		if err != nil {
			return err
		}
		return tx.CombinationsPut(got)
	})
	for _, o := range s.Orders[1:] {
		if err != nil {
			return err
		}
		err = x.separateOne(ctx, o, s.ID, why)
	}
	return err
}

func (x *Ops) separateOne(ctx context.Context, orderID, parcel, why string) error {
	return x.st.Update(ctx, func(tx *store.Tx) error {
		cat := x.catalog.Load()
		orders, err := tx.OrdersForUpdate([]string{orderID})
		if err != nil || len(orders) == 0 {
			return err
		}
		_, err = settleWants(tx, cat, "routing", cat.demand(&orders[0]), func(book *stock.Book) error {
			x.network.mu.Lock()
			defer x.network.mu.Unlock()
			on, err := x.network.look(tx, cat.locations, tx.Now())
			if err != nil {
				return err
			}
			had, err := tx.ShipmentsOfForUpdate(orderID)
			if err != nil {
				return err
			}
			r := &router{x: x, tx: tx, cat: cat, at: tx.Now(), book: book, asks: true}
			if err := r.know(orderID); err != nil {
				return err
			}
			for i := range had {
				if had[i].ID == parcel && len(had[i].Orders) > 1 && live(&had[i]) {
					if err := r.takeOut(&had[i], &orders[0], "cannot share it: "+why); err != nil {
						return err
					}
				}
			}
			if on {
				if err := r.follow(&orders[0], had); err != nil {
					return err
				}
			}
			return r.save()
		})
		return err
	})
}

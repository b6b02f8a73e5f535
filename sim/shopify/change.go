package shopify

import (
	"strconv"

	"github.com/spillway/spillway/kit/errs"
)

// fulfillmentStatus is the order's OrderDisplayFulfillmentStatus.
func (o *order) fulfillmentStatus() string {
	open, shipped := 0, 0
	for _, l := range o.lines {
		open += l.open()
		shipped += l.shipped
	}
	switch {
	case shipped > 0 && open == 0:
		return "FULFILLED"
	case shipped > 0:
		return "PARTIALLY_FULFILLED"
	}
	for _, fo := range o.fulfillmentOrders {
		if fo.status == "ON_HOLD" {
			return "ON_HOLD"
		}
	}
	return "UNFULFILLED"
}

// CancelOrder cancels an order that has not been fulfilled. reason is an OrderCancelReason; restock puts the units back on sale.
func (s *Sim) CancelOrder(id int64, reason string, restock bool) (Order, error) {
	const op = "shopify.CancelOrder"
	s.mu.Lock()
	defer s.mu.Unlock()
	o := s.orderByID[id]
	if o == nil {
		return Order{}, errs.New(errs.NotFound, op, gid("Order", id), "There is no such order.")
	}
	if !versions[s.opts.APIVersion].api().EnumHas("OrderCancelReason", reason) {
		return Order{}, errs.New(errs.Invalid, op, "reason", "There is no cancel reason %q.", reason)
	}
	if why := cancellable(o); why != "" {
		return Order{}, errs.New(errs.Conflict, op, o.name(), "%s", why)
	}
	s.cancel(o, reason, restock)
	return s.view(o), nil
}

// cancellable says why an order cannot be cancelled, empty when it can.
func cancellable(o *order) string {
	switch {
	case !o.cancelledAt.IsZero():
		return "The order has already been cancelled."
	case len(o.fulfillments) > 0:
		return "The order has fulfillments and cannot be cancelled."
	}
	return ""
}

func (s *Sim) cancel(o *order, reason string, restock bool) {
	at := s.now()
	o.cancelledAt, o.closedAt, o.cancelReason = at, at, reason
	switch o.financial {
	case "PAID", "PARTIALLY_PAID":
		o.financial = "REFUNDED"
	case "AUTHORIZED", "PENDING":
		o.financial = "VOIDED"
	}
	for _, fo := range o.fulfillmentOrders {
		for _, fl := range fo.lines {
			s.release(fl, fl.remaining, restock)
		}
		fo.status, fo.updatedAt = "CANCELLED", at
	}
	s.touch(o)
	s.counts.Cancelled++
	s.emitOrder(o, "ORDERS_CANCELLED", "ORDERS_UPDATED")
	if restock {
		s.emitLevels(o)
	}
}

// release gives up n units of a line that were not fulfilled.
func (s *Sim) release(fl *fulfillmentOrderLine, n int, restock bool) {
	it, at := fl.line.variant.item, s.now()
	fl.line.removed += n
	fl.remaining -= n
	it.stats.UnitsCancelled += n
	if l := it.levelAt(fl.owner.loc.id); it.tracked && l != nil {
		l.add(committed, -n, at)
		if restock {
			l.add(available, n, at)
		}
	}
}

// FulfillOrder sends everything of the order that is left, as the merchant's staff would.
func (s *Sim) FulfillOrder(id int64, company, number string) (Order, error) {
	const op = "shopify.FulfillOrder"
	s.mu.Lock()
	defer s.mu.Unlock()
	o := s.orderByID[id]
	if o == nil {
		return Order{}, errs.New(errs.NotFound, op, gid("Order", id), "There is no such order.")
	}
	sent := false
	for _, fo := range o.fulfillmentOrders {
		if fo.status != "OPEN" && fo.status != "IN_PROGRESS" {
			continue
		}
		f := &fulfillment{company: company}
		if number != "" {
			f.numbers = []string{number}
		}
		s.fulfil([]pick{{fo: fo}}, f)
		sent = true
	}
	if !sent {
		return Order{}, errs.New(errs.Conflict, op, o.name(), "Nothing of the order is left to fulfill.")
	}
	return s.view(o), nil
}

// PayOrder captures the payment of an order that was placed unpaid.
func (s *Sim) PayOrder(id int64) (Order, error) {
	const op = "shopify.PayOrder"
	s.mu.Lock()
	defer s.mu.Unlock()
	o := s.orderByID[id]
	switch {
	case o == nil:
		return Order{}, errs.New(errs.NotFound, op, gid("Order", id), "There is no such order.")
	case o.financial != "PENDING" && o.financial != "AUTHORIZED" && o.financial != "PARTIALLY_PAID":
		return Order{}, errs.New(errs.Conflict, op, o.name(), "The order's payment is %s.", o.financial)
	}
	o.financial = "PAID"
	s.touch(o)
	s.emitOrder(o, "ORDERS_PAID", "ORDERS_UPDATED")
	return s.view(o), nil
}

// HoldOrder puts an order's open fulfillment orders on hold, or releases them.
func (s *Sim) HoldOrder(id int64, on bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	o := s.orderByID[id]
	if o == nil {
		return errs.New(errs.NotFound, "shopify.HoldOrder", gid("Order", id), "There is no such order.")
	}
	from, to := "OPEN", "ON_HOLD"
	if !on {
		from, to = to, from
	}
	for _, fo := range o.fulfillmentOrders {
		if fo.status == from {
			fo.status, fo.updatedAt = to, s.now()
		}
	}
	s.touch(o)
	s.emitOrder(o, "ORDERS_UPDATED")
	return nil
}

// pick is what a fulfilment takes of one fulfilment order. No units means all that are left.
type pick struct {
	fo    *fulfillmentOrder
	units map[*fulfillmentOrderLine]int
}

// fulfil ships. The caller has checked that the picks are possible and belong to one order and location.
func (s *Sim) fulfil(picks []pick, f *fulfillment) {
	at := s.now()
	o := picks[0].fo.order
	f.id, f.order, f.loc, f.createdAt, f.updatedAt, f.number = s.newID("Fulfillment"), o, picks[0].fo.loc, at, at, len(o.fulfillments)+1
	for _, p := range picks {
		left := 0
		for _, fl := range p.fo.lines {
			n := fl.remaining
			if p.units != nil {
				n = p.units[fl]
			}
			if n > 0 {
				s.ship(f, fl, n)
			}
			left += fl.remaining
		}
		p.fo.updatedAt = at
		p.fo.status = "IN_PROGRESS"
		if left == 0 {
			p.fo.status = "CLOSED"
		}
	}
	o.fulfillments = append(o.fulfillments, f)
	s.ffByID[f.id] = f
	s.counts.Fulfilled++
	topics := []string{"ORDERS_PARTIALLY_FULFILLED", "ORDERS_UPDATED"}
	if o.fulfillmentStatus() == "FULFILLED" {
		topics[0], o.closedAt = "ORDERS_FULFILLED", at
	}
	s.touch(o)
	s.emitFulfillment(f, "FULFILLMENTS_CREATE")
	s.emitOrder(o, topics...)
}

func (s *Sim) ship(f *fulfillment, fl *fulfillmentOrderLine, n int) {
	fl.remaining -= n
	fl.line.shipped += n
	it := fl.line.variant.item
	it.stats.UnitsFulfilled += n
	if l := it.levelAt(fl.owner.loc.id); it.tracked && l != nil {
		l.add(committed, -n, s.now())
	}
	f.lines = append(f.lines, &fulfillmentLine{id: s.newID("FulfillmentLineItem"), line: fl.line, quantity: n})
}

func (f *fulfillment) name() string { return f.order.name() + "." + strconv.Itoa(f.number) }

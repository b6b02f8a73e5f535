package shopify

import "github.com/spillway/spillway/kit/errs"

// EditOrder is the merchant's staff changing the units of a SKU in a placed order: more are sold, or fewer and those taken off were
// not sent yet. restock puts what is taken off back on sale. The buyer's balance is left open, as the vendor leaves it.
func (s *Sim) EditOrder(id int64, sku string, units int, restock bool) (Order, error) {
	const op = "shopify.EditOrder"
	s.mu.Lock()
	defer s.mu.Unlock()
	o := s.orderByID[id]
	if o == nil {
		return Order{}, errs.New(errs.NotFound, op, gid("Order", id), "There is no such order.")
	}
	if !o.cancelledAt.IsZero() {
		return Order{}, errs.New(errs.Conflict, op, o.name(), "The order is cancelled.")
	}
	var ln *line
	for _, l := range o.lines {
		if l.variant.item.sku == sku && ln == nil {
			ln = l
		}
	}
	switch {
	case ln == nil:
		return Order{}, errs.New(errs.NotFound, op, sku, "The order has no line of this SKU.")
	case units == 0 || units > maxUnits-ln.quantity:
		return Order{}, errs.New(errs.Invalid, op, sku, "The change must not be nothing, and a line has at most %d units.", maxUnits)
	case -units > ln.open():
		return Order{}, errs.New(errs.Conflict, op, sku, "Only %d units are left to be taken off.", ln.open())
	case units > 0 && ln.variant.item.tracked && !ln.variant.oversell && ln.variant.item.sellable() < units:
		return Order{}, errs.New(errs.Insufficient, op, sku, "Only %d of %d units are available.", max(ln.variant.item.sellable(), 0), units)
	case units > 0:
		s.addUnits(o, ln, units)
	default:
		s.takeOff(o, ln, -units, restock)
	}
	o.edited = true
	s.touch(o)
	s.emitOrder(o, "ORDERS_UPDATED") // orders/edited has a body of another kind, which is not simulated
	s.emitLevels(o)
	return s.view(o), nil
}

func (s *Sim) addUnits(o *order, ln *line, n int) {
	ln.quantity += n
	s.commit(o, ln, n)
	ln.variant.item.stats.UnitsSold += n
	if o.financial == "PAID" {
		o.financial = "PARTIALLY_PAID"
	}
}

func (s *Sim) takeOff(o *order, ln *line, n int, restock bool) {
	for _, fo := range o.fulfillmentOrders {
		left := 0
		for _, fl := range fo.lines {
			if k := min(n, fl.remaining); fl.line == ln && k > 0 {
				s.release(fl, k, restock)
				n -= k
			}
			left += fl.remaining
		}
		if left == 0 && fo.status != "CANCELLED" {
			fo.status, fo.updatedAt = "CLOSED", s.now()
		}
	}
}

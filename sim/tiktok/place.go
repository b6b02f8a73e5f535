package tiktok

import (
	"github.com/spillway/spillway/kit/errs"
)

// Wanted is one SKU a buyer puts in the basket, by SKU id or seller SKU.
type Wanted struct {
	SKU string `json:"sku"`
	Qty int    `json:"qty"`
}

// PlaceOptions say what is special about an order.
type PlaceOptions struct {
	Unpaid       bool   `json:"unpaid,omitempty"` // stays UNPAID until Pay; else paid at once
	Buyer        string `json:"buyer,omitempty"`  // user id; empty makes one
	Message      string `json:"message,omitempty"`
	FBT          bool   `json:"fbt,omitempty"`           // sold from stock in the platform's warehouses
	Sample       bool   `json:"sample,omitempty"`        // a creator's sample
	Type         string `json:"type,omitempty"`          // order_type; empty is NORMAL
	Shipping     string `json:"shipping,omitempty"`      // SELLER or TIKTOK; empty is the shop's
	HandlingDays int    `json:"handling_days,omitempty"` // the seller's own handling time in business days
	With         string `json:"with,omitempty"`          // an order of the same buyer, which goes to the same address
}

// PlaceOrder is a buyer checking out. It is refused with errs.Insufficient, and counted as lost sales, when the stock
// the platform was last told does not cover every line: that is what a real buyer sees. It returns the order's id.
func (s *Sim) PlaceOrder(shopID string, lines []Wanted, opts PlaceOptions) (string, error) {
	const op = "tiktok.PlaceOrder"
	s.mu.Lock()
	defer s.mu.Unlock()
	sh, err := s.shop(shopID)
	if err != nil {
		return "", err
	}
	if opts.HandlingDays < 0 || opts.HandlingDays > 60 {
		return "", errs.New(errs.Invalid, op, "handling_days", "A handling time lies between 1 and 60 days.")
	}
	need, err := basket(sh, lines)
	if err != nil {
		return "", err
	}
	short := ""
	for _, n := range need {
		if n.sku.product.status != "ACTIVATE" || n.sku.available(opts.FBT) < n.qty {
			short = n.sku.sellerSKU
		}
	}
	if short != "" {
		sh.stats.LostOrders++
		for _, n := range need {
			n.sku.lost += n.qty
			sh.stats.LostUnits += n.qty
		}
		return "", errs.New(errs.Insufficient, op, short, "The shop does not have enough of this on sale.")
	}
	o := s.newOrder(sh, opts)
	for _, n := range need {
		s.take(o, n.sku, n.qty)
	}
	sh.index.add(o)
	s.orders[o.id] = o
	sh.stats.Orders++
	sh.stats.Units += len(o.lines)
	if opts.Unpaid {
		s.touch(o)
		s.arm(o)
		s.orderChanged(o)
		return o.id, nil
	}
	return o.id, s.pay(o) // only the status after payment is announced: the two are one moment to a buyer
}

type wanted struct {
	sku *sku
	qty int
}

// basket adds up the lines by SKU and checks them.
func basket(sh *shop, lines []Wanted) ([]wanted, error) {
	const op = "tiktok.PlaceOrder"
	var need []wanted
	units := 0
next:
	for _, l := range lines {
		k := sh.bySKU[l.SKU]
		if k == nil {
			return nil, errs.New(errs.NotFound, op, l.SKU, "The shop has no SKU with this id or seller SKU.")
		}
		if l.Qty < 1 || l.Qty > maxUnits {
			return nil, errs.New(errs.Invalid, op, l.SKU, "A line needs 1 to %d units.", maxUnits)
		}
		units += l.Qty
		for i := range need {
			if need[i].sku == k {
				need[i].qty += l.Qty
				continue next
			}
		}
		need = append(need, wanted{k, l.Qty})
	}
	if units == 0 || units > maxUnits {
		return nil, errs.New(errs.Invalid, op, "lines", "An order needs 1 to %d units.", maxUnits)
	}
	return need, nil
}

func (s *Sim) newOrder(sh *shop, opts PlaceOptions) *order {
	o := &order{shop: sh, id: s.ids.of("order"), status: unpaid, buyer: opts.Buyer, note: opts.Message, fbt: opts.FBT,
		sample: opts.Sample, kind: opts.Type, ship: opts.Shipping, handlingDays: opts.HandlingDays, created: s.now()}
	if o.buyer == "" {
		o.buyer = s.ids.of("user")
	}
	if o.kind == "" {
		o.kind = "NORMAL"
	}
	if o.ship == "" {
		o.ship = sh.shipping
	}
	if o.fbt {
		o.ship = "TIKTOK"
	}
	o.address = s.someAddress(sh.region)
	if other := s.orders[opts.With]; other != nil {
		o.buyer, o.address = other.buyer, other.address
	}
	return o
}

// take sells units of a SKU, one line item each, from its warehouses in their order. The documentation does not say
// how the platform picks; an order here keeps the warehouse of its first line.
func (s *Sim) take(o *order, k *sku, qty int) {
	before := k.total()
	k.sold += qty
	var last *stock
	for _, st := range k.stock {
		if st.warehouse.fbt != o.fbt {
			continue
		}
		n := min(qty, st.available)
		st.available -= n
		st.committed += n
		qty -= n
		for range n {
			o.lines = append(o.lines, &line{id: s.ids.of("line"), sku: k, stock: st, price: k.price, status: unpaid})
		}
		if n > 0 {
			last = st
		}
	}
	s.stockChanged(k, before, last)
}

// give puts a cancelled unit back on sale. A unit that has left the warehouse does not come back by itself.
func (s *Sim) give(l *line, stage string) {
	before := l.sku.total()
	l.sku.cancelled++
	if stage == unpaid || stage == onHold || stage == awaitingShipment {
		l.stock.committed--
	}
	if stage != inTransit && !s.o.KeepStockOnCancel {
		l.stock.available = min(l.stock.available+1, maxQuantity)
		s.stockChanged(l.sku, before, l.stock)
	}
}

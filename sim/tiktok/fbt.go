package tiktok

import (
	"github.com/spillway/spillway/kit/errs"
)

// inbound is a delivery announced to a warehouse of the platform.
type inbound struct {
	id        string
	shop      *shop
	sku       *sku
	stock     *stock
	qty       int
	good      int // booked in as sound
	status    string
	created   int64
	arrived   int64
	operation []record
}

// SendInbound announces units on their way to the SKU's platform warehouse and returns the inbound order's id.
func (s *Sim) SendInbound(shopID, skuID string, qty int) (string, error) {
	const op = "tiktok.SendInbound"
	s.mu.Lock()
	defer s.mu.Unlock()
	k, err := s.sku(shopID, skuID)
	if err != nil {
		return "", err
	}
	if qty < 1 || qty > maxQuantity {
		return "", errs.New(errs.Invalid, op, skuID, "An inbound order has 1 to %d units.", maxQuantity)
	}
	for _, st := range k.stock {
		if st.warehouse.fbt {
			b := &inbound{id: s.ids.of("after"), shop: k.product.shop, sku: k, stock: st, qty: qty, created: s.now()}
			st.inTransit += qty
			b.shop.inbounds = append(b.shop.inbounds, b)
			s.inboundTo(b, "TO_BE_RECEIVED")
			return b.id, nil
		}
	}
	return "", errs.New(errs.NotFound, op, skuID, "The SKU is not kept in a warehouse of the platform.")
}

// ReceiveInbound is the platform booking an inbound order in, all of it or, with good below the announced quantity, a
// part.
func (s *Sim) ReceiveInbound(shopID, inboundID string, good int) error {
	const op = "tiktok.ReceiveInbound"
	s.mu.Lock()
	defer s.mu.Unlock()
	sh, err := s.shop(shopID)
	if err != nil {
		return err
	}
	for _, b := range sh.inbounds {
		if b.id != inboundID {
			continue
		}
		if b.status != "TO_BE_RECEIVED" || good < 0 || good > b.qty {
			return errs.New(errs.Conflict, op, inboundID, "The order is %s; it can be received once, up to %d units.", b.status, b.qty)
		}
		before := b.sku.total()
		b.arrived = s.now()
		b.stock.inTransit -= b.qty
		b.stock.available = min(b.stock.available+good, maxQuantity)
		status := "RECEIVED"
		if good < b.qty {
			status = "PARTIALLY_RECEIVED"
		}
		b.good = good
		s.inboundTo(b, status)
		s.stockChanged(b.sku, before, b.stock)
		return nil
	}
	return errs.New(errs.NotFound, op, inboundID, "There is no inbound order with this id.")
}

func (s *Sim) inboundTo(b *inbound, status string) {
	b.status = status
	b.operation = append(b.operation, record{event: status, at: s.now()})
	s.notify(b.shop, 21, eventInbound, fields{"inbound_order_id": b.id, "order_status": status, "update_time": s.now()})
}

package tiktok

import (
	"time"

	"github.com/spillway/spillway/kit/errs"
)

// Pay is the buyer paying an UNPAID order.
func (s *Sim) Pay(orderID string) error {
	return s.withOrder(orderID, func(o *order) error {
		if o.status != unpaid {
			return errs.New(errs.Conflict, "tiktok.Pay", o.id, "The order is %s, not unpaid.", o.status)
		}
		return s.pay(o)
	})
}

func (s *Sim) pay(o *order) error {
	o.paid = s.now()
	o.setDeadlines(time.Unix(o.paid, 0))
	o.setLines(awaitingShipment)
	if s.o.Hold < 0 {
		err := s.move(o, awaitingShipment)
		s.released(o)
		return err
	}
	return s.move(o, onHold)
}

// released is what happens by itself when an order becomes ready to ship: outside the US the platform makes its
// package now, and FBT orders are sent off by the platform.
func (s *Sim) released(o *order) {
	switch {
	case o.fbt:
		s.newParcel(o, o.active(), "", provider(o.shop.region, ""), "TIKTOK")
		s.platformShips(o)
	case o.shop.region != "US":
		s.newParcel(o, o.active(), "", provider(o.shop.region, ""), o.ship)
	}
}

// platformShips walks an FBT order through the platform's own fulfilment, a documented hand-off without documented
// times: packed in 4 hours, scanned in 8, delivered in 2 days.
func (s *Sim) platformShips(o *order) {
	if o.status == cancelled || len(o.parcels) == 0 {
		return
	}
	p := o.parcels[len(o.parcels)-1]
	for _, step := range []struct {
		after time.Duration
		do    func() error
	}{
		{4 * time.Hour, func() error { return s.arrange(p, s.trackingNumber(p.provider), p.provider) }},
		{8 * time.Hour, func() error { return s.scan(p) }},
		{48 * time.Hour, func() error { return s.deliver(p) }},
	} {
		s.at(s.o.Clock.Now().Add(step.after), func() {
			if o.status == cancelled {
				return
			}
			if err := step.do(); err != nil {
				s.o.Log.Warn("FBT order not moved", "order", o.id, "err", err)
			}
		})
	}
}

// AdvanceStatus pushes an order to its next status by hand, as the platform's development shops allow: paid, released
// from hold, arranged, scanned, delivered, completed.
func (s *Sim) AdvanceStatus(orderID string) error {
	return s.withOrder(orderID, func(o *order) error {
		switch o.status {
		case unpaid:
			return s.pay(o)
		case onHold:
			return s.release(o)
		case awaitingShipment, partiallyShipping:
			return s.shipRest(o, "", "")
		case awaitingCollection:
			return s.eachParcel(o, s.scan)
		case inTransit:
			return s.eachParcel(o, s.deliver)
		case delivered:
			return s.complete(o)
		}
		return errs.New(errs.Conflict, "tiktok.AdvanceStatus", o.id, "A %s order has no next status.", o.status)
	})
}

func (s *Sim) release(o *order) error {
	if err := s.move(o, awaitingShipment); err != nil {
		return err
	}
	s.released(o)
	return nil
}

func (s *Sim) complete(o *order) error {
	o.setLines(completed)
	return s.move(o, completed)
}

// Ship is the seller arranging everything still open of an order, outside the API. Empty arguments make up a
// tracking number and take the market's first carrier.
func (s *Sim) Ship(orderID, tracking, providerID string) error {
	return s.withOrder(orderID, func(o *order) error { return s.shipRest(o, tracking, providerID) })
}

// Scan is the carrier taking over every arranged package of an order.
func (s *Sim) Scan(orderID string) error {
	return s.withOrder(orderID, func(o *order) error { return s.eachParcel(o, s.scan) })
}

// Deliver is the carrier delivering every scanned package of an order.
func (s *Sim) Deliver(orderID string) error {
	return s.withOrder(orderID, func(o *order) error { return s.eachParcel(o, s.deliver) })
}

// ChangeAddress is the buyer correcting the recipient's address.
func (s *Sim) ChangeAddress(orderID string) error {
	return s.withOrder(orderID, func(o *order) error {
		if o.status != onHold && o.status != awaitingShipment {
			return errs.New(errs.Conflict, "tiktok.ChangeAddress", o.id, "The address of a %s order cannot change.", o.status)
		}
		o.address, o.newAddress = s.someAddress(o.shop.region), true
		s.touch(o)
		s.addressChanged(o)
		return nil
	})
}

func (s *Sim) withOrder(orderID string, do func(*order) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	o, err := s.find(orderID)
	if err != nil {
		return err
	}
	return do(o)
}

// arm arranges the next thing that time does to an order in its status.
func (s *Sim) arm(o *order) {
	if o.timer != nil {
		o.timer()
		o.timer = nil
	}
	var when time.Time
	var do func() error
	platform := func(due int64, reason string) {
		if due > 0 && !s.o.NoAutoCancel {
			when, do = time.Unix(due, 0).Add(time.Second), func() error { return s.cancelLines(o, o.active(), "SYSTEM", reason) }
		}
	}
	switch o.status {
	case unpaid:
		when = time.Unix(o.created, 0).Add(s.o.PayWindow)
		do = func() error { return s.cancelLines(o, o.active(), "SYSTEM", "system_cancel_unpaid_time_out") }
	case onHold:
		when, do = time.Unix(o.paid, 0).Add(s.o.Hold), func() error { return s.release(o) }
	case awaitingShipment, partiallyShipping:
		platform(o.due.shippingDue, "system_cancel_order_reason_shipping_timeout")
	case awaitingCollection:
		platform(o.due.collectionDue, "system_cancel_order_untracked")
	case inTransit:
		platform(o.due.deliveryDue, "package_lost")
	case delivered:
		when, do = time.Unix(o.deliveredAt, 0).Add(s.o.AfterSales), func() error { return s.complete(o) }
	}
	if do == nil {
		return
	}
	o.timer = s.at(when, func() {
		o.timer = nil
		if err := do(); err != nil {
			s.o.Log.Warn("order not moved at its time", "order", o.id, "status", o.status, "err", err)
		}
	})
}

package tiktok

import (
	"slices"
	"time"

	"github.com/spillway/spillway/kit/errs"
)

// Cancellation and return statuses that several places name.
const (
	cancelPending = "CANCELLATION_REQUEST_PENDING"
	cancelSuccess = "CANCELLATION_REQUEST_SUCCESS"
	cancelRefused = "CANCELLATION_REQUEST_CANCEL"
	cancelDone    = "CANCELLATION_REQUEST_COMPLETE"
)

// aftersale is a cancellation or a return of some lines of an order.
type aftersale struct {
	id       string
	order    *order
	lines    []*line
	ret      bool   // a return; else a cancellation
	kind     string // cancel_type or return_type
	status   string
	role     string
	reason   string
	deadline int64  // for the seller's answer; 0 when none is due
	action   string // what the seller is asked to do
	keepItem bool
	partial  int64 // cents offered instead of a full refund
	tracking string
	arrived  bool // the returned parcel

	arbitration      string
	created, updated int64
	place            uint64
	records          []record
	timer            func()
}

type record struct {
	event, role, note string
	at                int64
}

// open reports whether an answer may still change the order.
func (a *aftersale) open() bool {
	return slices.Contains([]string{cancelPending, returnPending, awaitingBuyerShip, buyerShipped, awaitingBuyerResponse,
		replacementPending}, a.status)
}

func (s *Sim) newAftersale(o *order, lines []*line, ret bool, kind, role, reason string) *aftersale {
	a := &aftersale{id: s.ids.of("after"), order: o, lines: lines, ret: ret, kind: kind, role: role, reason: reason,
		created: s.now(), updated: s.now()}
	o.shop.after[a.id] = a
	o.shop.afters = append(o.shop.afters, a)
	a.place = uint64(len(o.shop.afters))
	return a
}

// aftersaleTo sets a status, with the time the seller has to answer if the status asks for one, and announces it.
func (s *Sim) aftersaleTo(a *aftersale, status, action string, timeout func() error) {
	if a.timer != nil {
		a.timer()
		a.timer = nil
	}
	a.status, a.updated, a.action, a.deadline = status, s.now(), action, 0
	a.records = append(a.records, record{event: status, role: a.role, at: a.updated})
	if timeout != nil {
		when := time.Unix(a.updated, 0).Add(s.o.ReviewWindow)
		a.deadline = when.Unix()
		a.timer = s.at(when, func() {
			a.timer = nil
			if err := timeout(); err != nil {
				s.o.Log.Warn("after-sales request not answered by the platform", "id", a.id, "err", err)
			}
		})
	}
	s.aftersaleChanged(a)
}

// Cancel cancels a whole order as BUYER, SELLER, OPERATOR or SYSTEM. An empty reason takes a usual one. A buyer's
// wish after the remorse period becomes a request that the seller has 48 hours to answer; the returned id is that of
// the cancellation.
func (s *Sim) Cancel(orderID, role, reason string) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	o, err := s.find(orderID)
	if err != nil {
		return "", err
	}
	switch role {
	case "BUYER":
		return s.buyerCancel(o, reason)
	case "SELLER", "OPERATOR", "SYSTEM":
		if reason == "" {
			reason = map[string]string{"SELLER": "seller_cancel_reason_out_of_stock", "SYSTEM": "platform_cancel",
				"OPERATOR": "operator_cancel_risk_control_block"}[role]
			if role == "SELLER" && o.status == unpaid {
				reason = "seller_cancel_unpaid_reason_out_of_stock"
			}
		}
		a, err := s.cancelNow(o, o.active(), role, reason)
		if err != nil {
			return "", err
		}
		return a.id, nil
	}
	return "", errs.New(errs.Invalid, "tiktok.Cancel", role, "A cancellation is by BUYER, SELLER, OPERATOR or SYSTEM.")
}

// CancelUnits is the seller cancelling units of a SKU that wait, for want of stock, and nothing else of the order.
func (s *Sim) CancelUnits(orderID, sellerSKU string, units int) error {
	return s.withOrder(orderID, func(o *order) error {
		lines := slices.DeleteFunc(o.waiting(nil), func(l *line) bool { return l.sku.sellerSKU != sellerSKU })
		if len(lines) < units {
			return errs.New(errs.Conflict, "tiktok.CancelUnits", o.id, "Only %d units of %s wait to be shipped.", len(lines), sellerSKU)
		}
		_, err := s.cancelNow(o, lines[:units], "SELLER", "seller_cancel_reason_out_of_stock")
		return err
	})
}

func (s *Sim) buyerCancel(o *order, reason string) (string, error) {
	if reason == "" {
		reason = "ecom_order_to_ship_canceled_reason_no_longer_needed"
	}
	switch o.status {
	case unpaid, onHold:
		a, err := s.cancelNow(o, o.active(), "BUYER", reason)
		if err != nil {
			return "", err
		}
		return a.id, nil
	case awaitingShipment, partiallyShipping:
		if o.request != nil && o.request.open() {
			return "", errs.New(errs.Conflict, "tiktok.Cancel", o.id, "A cancellation request is open already.")
		}
		lines := o.waiting(nil)
		a := s.newAftersale(o, lines, false, "BUYER_CANCEL", "BUYER", reason)
		o.request, o.askedCancel = a, s.now()
		s.touch(o)
		s.aftersaleTo(a, cancelPending, "SELLER_RESPOND_CANCEL", func() error { return s.approveCancel(a) })
		return a.id, nil
	}
	return "", errs.New(errs.Conflict, "tiktok.Cancel", o.id, "A buyer cannot cancel a %s order.", o.status)
}

// WithdrawCancel is the buyer taking back an open cancellation request.
func (s *Sim) WithdrawCancel(orderID string) error {
	return s.withOrder(orderID, func(o *order) error {
		if o.request == nil || !o.request.open() {
			return errs.New(errs.Conflict, "tiktok.WithdrawCancel", o.id, "No cancellation request is open.")
		}
		s.endRequest(o.request)
		return nil
	})
}

// endRequest closes a buyer's request without cancelling anything.
func (s *Sim) endRequest(a *aftersale) {
	a.order.askedCancel = 0
	s.touch(a.order)
	s.aftersaleTo(a, cancelRefused, "", nil)
}

// approveCancel grants a buyer's request for the lines that have not been shipped meanwhile.
func (s *Sim) approveCancel(a *aftersale) error {
	lines := slices.DeleteFunc(slices.Clone(a.lines), func(l *line) bool { return l.status != awaitingShipment })
	if len(lines) == 0 {
		s.endRequest(a)
		return nil
	}
	if err := s.cancelLines(a.order, lines, "BUYER", a.reason); err != nil {
		return err
	}
	s.granted(a)
	return nil
}

// granted takes a cancellation through success to completion, which is when the refund is done.
func (s *Sim) granted(a *aftersale) {
	if a.order.paid == 0 {
		s.aftersaleTo(a, cancelDone, "", nil)
		return
	}
	s.aftersaleTo(a, cancelSuccess, "", nil)
	a.timer = s.at(s.o.Clock.Now().Add(refundDelay), func() {
		a.timer = nil
		s.aftersaleTo(a, cancelDone, "", nil)
	})
}

// cancelNow cancels lines at once and records it as a cancellation of type CANCEL.
func (s *Sim) cancelNow(o *order, lines []*line, role, reason string) (*aftersale, error) {
	if err := s.cancelLines(o, lines, role, reason); err != nil {
		return nil, err
	}
	a := s.newAftersale(o, lines, false, "CANCEL", role, reason)
	s.granted(a)
	return a, nil
}

// cancelLines cancels lines, restocks them, and moves the order to what is left of it.
func (s *Sim) cancelLines(o *order, lines []*line, role, reason string) error {
	whole := len(lines) == len(o.active())
	if len(lines) == 0 || whole && !slices.Contains(moves[o.status], cancelled) {
		return errs.New(errs.Conflict, "tiktok.Cancel", o.id, "A %s order cannot be cancelled.", o.status)
	}
	if o.request != nil && o.request.open() && role != "BUYER" {
		s.endRequest(o.request)
	}
	for _, l := range lines {
		stage := l.status
		l.status, l.cancelReason, l.cancelBy = cancelled, reason, role
		o.shop.stats.CancelledUnits++
		s.give(l, stage)
	}
	for _, p := range slices.Clone(o.parcels) {
		switch {
		case !slices.ContainsFunc(p.lines, (*line).open):
			p.status, p.updated = parcelCancelled, s.now()
		case whole && len(p.with) > 0 && p.status == toFulfill: // the others of a combined package go on without it
			s.takeOut(p, o)
			s.packagesChanged(o.shop, []*parcel{p}, "PARTLY_CANCEL_SPLIT", "ROLE_SYSTEM")
		}
	}
	if whole {
		o.cancelReason, o.cancelBy = reason, role
		o.shop.stats.CancelledOrders++
		return s.move(o, cancelled)
	}
	if o.status == onHold {
		s.touch(o)
		return nil
	}
	return s.settle(o)
}

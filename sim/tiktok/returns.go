package tiktok

import (
	"slices"

	"github.com/spillway/spillway/kit/errs"
)

// Return statuses, as the API spells them.
const (
	returnPending         = "RETURN_OR_REFUND_REQUEST_PENDING"
	returnRejected        = "REFUND_OR_RETURN_REQUEST_REJECT"
	awaitingBuyerShip     = "AWAITING_BUYER_SHIP"
	buyerShipped          = "BUYER_SHIPPED_ITEM"
	receiptRejected       = "REJECT_RECEIVE_PACKAGE"
	returnSuccess         = "RETURN_OR_REFUND_REQUEST_SUCCESS"
	returnCancelled       = "RETURN_OR_REFUND_REQUEST_CANCEL"
	returnDone            = "RETURN_OR_REFUND_REQUEST_COMPLETE"
	awaitingBuyerResponse = "AWAITING_BUYER_RESPONSE"
	replacementPending    = "REPLACEMENT_REQUEST_PENDING"
)

// returnMoves are the documented moves of a return.
var returnMoves = map[string][]string{
	returnPending:         {awaitingBuyerShip, returnSuccess, returnRejected, returnCancelled, awaitingBuyerResponse},
	awaitingBuyerResponse: {returnSuccess, returnPending, returnCancelled},
	awaitingBuyerShip:     {buyerShipped, returnCancelled},
	buyerShipped:          {returnSuccess, receiptRejected},
	returnRejected:        {returnSuccess, awaitingBuyerShip, returnCancelled},
	receiptRejected:       {returnSuccess, returnCancelled},
	returnSuccess:         {returnDone},
}

// RequestReturn is the buyer asking for a refund (kind REFUND) or to send back (RETURN_AND_REFUND) the whole order,
// or the lines named. An empty reason takes a usual one. It returns the return's id.
func (s *Sim) RequestReturn(orderID, kind, reason string, lineIDs ...string) (string, error) {
	var id string
	err := s.withOrder(orderID, func(o *order) error {
		a, err := s.openReturn(o, kind, "BUYER", reason, lineIDs)
		if err != nil {
			return err
		}
		id = a.id
		return nil
	})
	return id, err
}

func (s *Sim) openReturn(o *order, kind, role, reason string, lineIDs []string) (*aftersale, error) {
	const op = "tiktok.RequestReturn"
	if kind != "REFUND" && kind != "RETURN_AND_REFUND" {
		return nil, errs.New(errs.Invalid, op, kind, "A return is of type REFUND or RETURN_AND_REFUND.")
	}
	if !slices.Contains([]string{awaitingCollection, inTransit, delivered, completed}, o.status) {
		return nil, errs.New(errs.Conflict, op, o.id, "Nothing of a %s order can be returned.", o.status)
	}
	lines := slices.DeleteFunc(o.active(), func(l *line) bool {
		return l.returned || len(lineIDs) > 0 && !slices.Contains(lineIDs, l.id)
	})
	if len(lines) == 0 || len(lineIDs) > 0 && len(lines) != len(lineIDs) {
		return nil, errs.New(errs.Conflict, op, o.id, "These lines are being returned already, or are not of this order.")
	}
	if reason == "" {
		reason = "ecom_order_delivered_refund_and_return_reason_no_need"
	}
	for _, l := range lines {
		l.returned = true
	}
	a := s.newAftersale(o, lines, true, kind, role, reason)
	o.returns = append(o.returns, a)
	s.aftersaleTo(a, returnPending, a.request(), func() error { return s.approveReturn(a) })
	return a, nil
}

// moveReturn takes a return along its table.
func (s *Sim) moveReturn(a *aftersale, to, action string, timeout func() error) error {
	if !slices.Contains(returnMoves[a.status], to) {
		return errs.New(errs.Conflict, "tiktok.Return", a.id, "A return cannot go from %s to %s.", a.status, to)
	}
	s.aftersaleTo(a, to, action, timeout)
	return nil
}

// approveReturn grants what is pending: a refund at once, a return once the goods are back.
func (s *Sim) approveReturn(a *aftersale) error {
	if a.kind == "RETURN_AND_REFUND" && !a.keepItem {
		return s.moveReturn(a, awaitingBuyerShip, "", nil)
	}
	return s.refund(a)
}

// refund ends a return in the buyer's favour. The money moves later; an order refunded in full before delivery is
// completed by it.
func (s *Sim) refund(a *aftersale) error {
	if err := s.moveReturn(a, returnSuccess, "", nil); err != nil {
		return err
	}
	a.timer = s.at(s.o.Clock.Now().Add(refundDelay), func() {
		a.timer = nil
		s.aftersaleTo(a, returnDone, "", nil)
	})
	o := a.order
	full := !slices.ContainsFunc(o.active(), func(l *line) bool { return !l.returned })
	if a.partial == 0 && full && (o.status == awaitingCollection || o.status == inTransit) {
		return s.complete(o)
	}
	return nil
}

// BuyerShipsReturn is the buyer handing an approved return to a carrier.
func (s *Sim) BuyerShipsReturn(returnID string) error {
	return s.withReturn(returnID, func(a *aftersale) error {
		a.tracking = s.trackingNumber(provider(a.order.shop.region, ""))
		return s.moveReturn(a, buyerShipped, "", nil)
	})
}

// ReturnArrives is the returned parcel reaching the seller, who then has 48 hours to accept or refuse it.
func (s *Sim) ReturnArrives(returnID string) error {
	return s.withReturn(returnID, func(a *aftersale) error {
		if a.status != buyerShipped || a.arrived {
			return errs.New(errs.Conflict, "tiktok.ReturnArrives", a.id, "No returned parcel is on its way.")
		}
		a.arrived = true
		s.aftersaleTo(a, buyerShipped, "SELLER_RESPOND_RECEIVE_PACKAGE", func() error { return s.refund(a) })
		return nil
	})
}

// WithdrawReturn is the buyer taking a return back, or losing its arbitration.
func (s *Sim) WithdrawReturn(returnID string) error {
	return s.withReturn(returnID, func(a *aftersale) error {
		if err := s.moveReturn(a, returnCancelled, "", nil); err != nil {
			return err
		}
		for _, l := range a.lines {
			l.returned = false
		}
		return nil
	})
}

// Arbitrate decides a rejected return in the buyer's favour.
func (s *Sim) Arbitrate(returnID string) error {
	return s.withReturn(returnID, func(a *aftersale) error {
		a.arbitration = "SUPPORT_BUYER"
		if a.status == returnRejected {
			return s.approveReturn(a)
		}
		return s.refund(a)
	})
}

// AnswerOffer is the buyer taking or declining the partial refund the seller has offered. A declined offer puts the
// request before the seller again.
func (s *Sim) AnswerOffer(returnID string, accept bool) error {
	return s.withReturn(returnID, func(a *aftersale) error {
		if accept {
			return s.refund(a)
		}
		a.partial = 0
		return s.moveReturn(a, returnPending, a.request(), func() error { return s.approveReturn(a) })
	})
}

// request is what a pending return asks of the seller.
func (a *aftersale) request() string {
	if a.kind == "REFUND" {
		return "SELLER_RESPOND_REFUND"
	}
	return "SELLER_RESPOND_RETURN"
}

func (s *Sim) withReturn(returnID string, do func(*aftersale) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, sh := range s.shops {
		if a := sh.after[returnID]; a != nil && a.ret {
			return do(a)
		}
	}
	return errs.New(errs.NotFound, "tiktok.Return", returnID, "There is no return with this id.")
}

package tiktok

import (
	"slices"

	"github.com/spillway/spillway/kit/errs"
)

// Order statuses, as the API spells them.
const (
	unpaid             = "UNPAID"
	onHold             = "ON_HOLD"
	awaitingShipment   = "AWAITING_SHIPMENT"
	partiallyShipping  = "PARTIALLY_SHIPPING"
	awaitingCollection = "AWAITING_COLLECTION"
	inTransit          = "IN_TRANSIT"
	delivered          = "DELIVERED"
	completed          = "COMPLETED"
	cancelled          = "CANCELLED"
)

// moves are the documented transitions; the simulator makes no others.
var moves = map[string][]string{
	unpaid:             {onHold, awaitingShipment, cancelled},
	onHold:             {awaitingShipment, cancelled},
	awaitingShipment:   {partiallyShipping, awaitingCollection, cancelled},
	partiallyShipping:  {awaitingCollection, cancelled},
	awaitingCollection: {inTransit, completed, cancelled},
	inTransit:          {delivered, completed, cancelled},
	delivered:          {completed},
}

type order struct {
	shop    *shop
	id      string
	status  string
	buyer   string
	note    string
	lines   []*line
	fbt     bool
	sample  bool
	kind    string // order_type
	ship    string // shipping_type
	address addressBook

	handlingDays int
	created      int64
	paid         int64
	updated      int64
	rts          int64 // became AWAITING_COLLECTION
	collected    int64 // became IN_TRANSIT
	deliveredAt  int64
	cancelledAt  int64
	askedCancel  int64 // the buyer asked for cancellation
	due          deadlines

	cancelReason string
	cancelBy     string
	newAddress   bool
	parcels      []*parcel
	request      *aftersale // the buyer's open cancellation request
	returns      []*aftersale
	bundle       string // of the first mile it is in

	place   uint64 // in the shop's index by creation
	slot    int    // in the shop's index by update, once touched
	touched bool
	timer   func() // cancels the next deadline
}

// line is one unit.
type line struct {
	id           string
	sku          *sku
	stock        *stock
	price        int64
	status       string // display_status, which has no ON_HOLD and no PARTIALLY_SHIPPING
	rts          int64
	cancelReason string
	cancelBy     string
	parcel       *parcel
	returned     bool
}

func (l *line) open() bool { return l.status != cancelled }

// active are the lines not cancelled.
func (o *order) active() []*line {
	return slices.DeleteFunc(slices.Clone(o.lines), func(l *line) bool { return !l.open() })
}

// derive is the status that the lines call for once the order is past its hold.
func (o *order) derive() string {
	count := map[string]int{}
	for _, l := range o.lines {
		count[l.status]++
	}
	n := len(o.lines) - count[cancelled]
	open := count[awaitingShipment]
	switch {
	case n == 0:
		return cancelled
	case open == n:
		return awaitingShipment
	case open > 0:
		return partiallyShipping
	case count[awaitingCollection] > 0:
		return awaitingCollection
	case count[inTransit] > 0:
		return inTransit
	case count[delivered] > 0:
		return delivered
	}
	return completed
}

// move takes an order to a status along the table, notes the time, and tells the shop's webhook. The caller holds
// the lock.
func (s *Sim) move(o *order, to string) error {
	if o.status == to {
		s.touch(o)
		return nil
	}
	if !slices.Contains(moves[o.status], to) {
		return errs.New(errs.Conflict, "tiktok.Move", o.id, "An order cannot go from %s to %s.", o.status, to)
	}
	o.status = to
	now := s.now()
	switch to {
	case awaitingCollection:
		o.rts = now
	case inTransit:
		o.collected = now
	case delivered:
		o.deliveredAt = now
	case cancelled:
		o.cancelledAt = now
	}
	s.touch(o)
	s.arm(o)
	s.orderChanged(o)
	return nil
}

func (s *Sim) touch(o *order) { o.shop.index.touch(o, s.now()) }

// setLines puts every open line that stands at one of from to a status.
func (o *order) setLines(to string, from ...string) {
	for _, l := range o.lines {
		if l.open() && (len(from) == 0 || slices.Contains(from, l.status)) {
			l.status = to
		}
	}
}

// settle moves an order to what its lines call for. From AWAITING_COLLECTION an order whose parcels are already all
// delivered passes IN_TRANSIT on the way, since the table has no shortcut.
func (s *Sim) settle(o *order) error {
	to := o.derive()
	if o.status == awaitingCollection && to == delivered {
		if err := s.move(o, inTransit); err != nil {
			return err
		}
	}
	return s.move(o, to)
}

func (s *Sim) find(orderID string) (*order, error) {
	if o := s.orders[orderID]; o != nil {
		return o, nil
	}
	return nil, errs.New(errs.NotFound, "tiktok.Order", orderID, "There is no order with this id.")
}

package order

import (
	"cmp"
	"strings"
	"time"
)

// DeadlineKind names a deadline by its field in Deadlines.
type DeadlineKind string

const (
	ShipBy               DeadlineKind = "ship_by"
	HandOverBy           DeadlineKind = "hand_over_by"
	AutoCancelShipBy     DeadlineKind = "auto_cancel_ship_by"
	AutoCancelHandOverBy DeadlineKind = "auto_cancel_hand_over_by"
	AutoCancelDeliverBy  DeadlineKind = "auto_cancel_deliver_by"
	DeliverBy            DeadlineKind = "deliver_by"
	PromisedBy           DeadlineKind = "promised_by"
	PickUpBy             DeadlineKind = "pick_up_by"
	FastDispatchBy       DeadlineKind = "fast_dispatch_by"
)

// Due is a deadline. The zero Due is none.
type Due struct {
	Kind DeadlineKind
	At   time.Time
}

// Binding lists the deadlines that are set and not yet met, gravest first: cancels, then rates, then promises. Orders that
// are over, or that the platform ships itself, have none.
func Binding(o *Order) []Due {
	if o.Status.Terminal() || o.Fulfilment == ByPlatform {
		return nil
	}
	d, m := o.Deadlines, o.Moments
	delivered := o.Status == Delivered || !m.DeliveredAt.IsZero()
	handed := delivered || o.Status.Left() || !m.HandedOverAt.IsZero()
	ready := handed || o.Status.Arranged() || !m.ReadyAt.IsZero()
	var out []Due
	for _, x := range []struct {
		Due
		met bool
	}{
		{Due{AutoCancelShipBy, d.AutoCancelShipBy}, ready},
		{Due{AutoCancelHandOverBy, d.AutoCancelHandOverBy}, handed},
		{Due{AutoCancelDeliverBy, d.AutoCancelDeliverBy}, delivered},
		{Due{ShipBy, d.ShipBy}, ready},
		{Due{HandOverBy, d.HandOverBy}, handed},
		{Due{DeliverBy, d.DeliverBy}, delivered},
		{Due{FastDispatchBy, d.FastDispatchBy}, handed},
		{Due{PickUpBy, d.PickUpBy}, handed},
		{Due{PromisedBy, d.PromisedBy}, delivered},
	} {
		if !x.met && !x.At.IsZero() {
			out = append(out, x.Due)
		}
	}
	return out
}

// NextDue is the earliest binding deadline, the gravest of equals; zero if nothing binds. It may have passed: an order that
// is late stays due until it is done.
func NextDue(o *Order) Due {
	var next Due
	for _, d := range Binding(o) {
		if next.At.IsZero() || d.At.Before(next.At) {
			next = d
		}
	}
	return next
}

// Slack is the time from at to the next binding deadline and which one that is. It is negative when the deadline has passed.
// Without a binding deadline both are zero.
func Slack(o *Order, at time.Time) (time.Duration, Due) {
	due := NextDue(o)
	if due.At.IsZero() {
		return 0, Due{}
	}
	return due.At.Sub(at), due
}

// ByUrgency compares two orders for sorting: earliest deadline first, those without one last, then the older, then by id.
func ByUrgency(a, b *Order) int {
	x, y := NextDue(a).At, NextDue(b).At
	if x.IsZero() || y.IsZero() {
		x, y = y, x // the zero time would come first
	}
	return cmp.Or(x.Compare(y), a.CreatedAt.Compare(b.CreatedAt), strings.Compare(a.ID, b.ID))
}

// OwedSince is when the order became one the seller owes: paid, or placed where it is paid on delivery. It is zero while the platform holds the
// order back or waits for the money, and of one that was cancelled unpaid.
func (o *Order) OwedSince() time.Time {
	switch o.Status {
	case Unpaid, OnHold:
		return time.Time{}
	case Cancelled:
		if r, ok := LookUpReason(o.Cancel.Reason); ok && r.Unpaid {
			return time.Time{}
		}
	}
	if o.PaidAt.IsZero() || o.Flags.COD {
		return o.CreatedAt
	}
	return o.PaidAt
}

// CancelAnswerBy is until when the first of the open requests to cancel wants an answer; zero: none does.
func (o *Order) CancelAnswerBy() (first time.Time) {
	for i := range o.Cancellations {
		if c := &o.Cancellations[i]; c.State == CancelPending {
			first = earlier(first, c.AnswerBy)
		}
	}
	return first
}

// ReturnAnswerBy is until when the first of the returns and refunds wants an answer; zero: none does.
func (o *Order) ReturnAnswerBy() (first time.Time) {
	for i := range o.Returns {
		first = earlier(first, o.Returns[i].AnswerBy)
	}
	return first
}

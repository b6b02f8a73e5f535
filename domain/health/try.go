package health

import (
	"time"

	"github.com/spillway/spillway/domain/order"
	"github.com/spillway/spillway/domain/policy"
	"github.com/spillway/spillway/domain/tracking"
)

// try judges the order; false: it is not counted at all.
func (v *view) try(d *def, r *verdict) bool {
	counted := true
	switch d.test {
	case policy.ReadyLate:
		v.late(r, v.at(atReady), v.shipBy())
	case policy.HandedOverLate:
		v.late(r, v.at(atHandedOver), v.handOverBy())
	case policy.DeliveredOnTime:
		v.delivered(r)
	case policy.DeliveredWithin:
		v.deliveredWithin(r, d.within)
	case policy.CancelledBySeller:
		v.cancelled(r)
	case policy.TrackingValid:
		counted = v.tracked(r)
	default:
		counted = false
	}
	r.num = r.against
	if !d.bad {
		r.num = r.den - r.against
	}
	return counted
}

func (r *verdict) fail(n int64, why Reason) { r.against, r.reason = n, why }
func (r *verdict) unknown(why Reason)       { r.unjudged, r.reason = r.den, why }

// late: something was to be done by due. What has not been done yet is not counted by rates that put it on the day it is done.
func (v *view) late(r *verdict, done, due time.Time) {
	switch {
	case due.IsZero():
		r.unknown(UnknownDue)
	case done.After(due):
		r.fail(r.den, lateReason(done.Sub(due)))
	}
}

func (v *view) delivered(r *verdict) {
	due, done := v.deliverBy(), v.o.Moments.DeliveredAt
	switch {
	case due.IsZero():
		r.unknown(UnknownDue)
	case !done.IsZero():
		v.late(r, done, due)
	case v.o.Status == order.Completed: // refunded in full or delivered: the channel did not say which
		r.unknown(UnknownOutcome)
	default:
		r.fail(r.den, undelivered(v.o))
	}
}

// deliveredWithin counts business days from the day of the first scan, which is not counted, to that of the delivery.
func (v *view) deliveredWithin(r *verdict, within int) {
	calendar := v.j.rs.Calendar()
	if v.o.Moments.HandedOverAt.IsZero() || calendar == nil {
		r.unknown(UnknownDue)
		return
	}
	scanned, _ := v.day(atHandedOver)
	switch done, ok := v.day(atDelivered); {
	case !ok:
		r.fail(r.den, undelivered(v.o))
	case calendar.Between(scanned, done) >= within:
		r.fail(r.den, TooLong)
	}
}

// cancelled: a reason of which the policy leaves open whose fault it is (package order says which) clears nobody.
func (v *view) cancelled(r *verdict) {
	if v.o.Status != order.Cancelled {
		return
	}
	cancel := v.o.Cancel
	reason, _ := order.LookUpReason(cancel.Reason)
	switch {
	case cancel.Fault == order.FaultSeller:
		r.fail(r.den, cancelReason(cancel))
	case cancel.Fault == order.FaultUnknown, cancel.Fault == "", reason.Unverified && reason.Fault == cancel.Fault:
		r.unknown(UnknownFault)
	}
}

// packages is how many parcels the order has; one that lists none is taken to go in one.
func packages(o *order.Order) int64 { return int64(max(1, min(len(o.Parcels), order.MaxUnits))) }

func scanned(o *order.Order) bool {
	return !o.Moments.HandedOverAt.IsZero() || !o.Moments.DeliveredAt.IsZero()
}

// tracked judges each package. An order that was cancelled before any scan was not shipped and has none.
func (v *view) tracked(r *verdict) bool {
	o := v.o
	scanned := scanned(o)
	if o.Status == order.Cancelled && !scanned {
		return false
	}
	if len(o.Parcels) == 0 {
		r.fail(1, NoTracking)
		return true
	}
	for i := range o.Parcels[:r.den] {
		why := v.numbers.fault(&o.Parcels[i])
		if why == "" && !scanned {
			why = unscanned(o)
		}
		if why != "" {
			r.against++
			if r.reason == "" {
				r.reason = why
			}
		}
	}
	return true
}

// numbers remembers what was found of the last tracking numbers: an order is judged before and after its change, by several rates, and mostly with the same
// number. The zero numbers is ready for use.
type numbers struct {
	last [4]struct {
		number, carrier string
		why             Reason
	}
	n int
}

// fault says why a package's number is not valid; "": it is. Channels tell scans of orders, not of packages.
func (k *numbers) fault(p *order.Parcel) Reason {
	for i := range min(k.n, len(k.last)) {
		if e := &k.last[i]; e.number == p.Tracking && e.carrier == p.Carrier {
			return e.why
		}
	}
	e := &k.last[k.n%len(k.last)]
	e.number, e.carrier, e.why = p.Tracking, p.Carrier, faultyTracking(p)
	k.n++
	return e.why
}

func faultyTracking(p *order.Parcel) Reason {
	switch {
	case p.Tracking == "":
		return NoTracking
	case !PlausibleTracking(p.Tracking), tracking.Valid(p.Tracking, p.Carrier) == tracking.NumberWrong:
		return BadTracking
	}
	return ""
}

package health

import (
	"strings"
	"time"

	"github.com/spillway/spillway/domain/order"
)

// Reason says why an order counts against the shop, or why it could not be judged. It is also the key of its text in the interface.
type Reason string

// Reasons of late orders say by how much.
const (
	Late4h     Reason = "late_4h"     // at most 4 hours after the deadline
	Late24h    Reason = "late_24h"    // more than 4, at most 24
	Late48h    Reason = "late_48h"    // more than 24, at most 48
	LateLonger Reason = "late_longer" // more than 48

	NotDelivered    Reason = "not_delivered"     // due, over, and no delivery known
	NotDeliveredYet Reason = "not_delivered_yet" // due, and under way: see Pending
	TooLong         Reason = "too_long"          // delivered, too many business days after the first scan

	CancelledStock     Reason = "cancelled_stock"     // out of stock
	CancelledPrice     Reason = "cancelled_price"     // wrong price
	CancelledLate      Reason = "cancelled_late"      // by the channel: not dispatched in time
	CancelledUntracked Reason = "cancelled_untracked" // by the channel: never seen by the carrier
	CancelledOther     Reason = "cancelled_other"     // by the seller's fault, for another reason

	NoTracking     Reason = "no_tracking"     // no tracking number told
	BadTracking    Reason = "bad_tracking"    // a number no carrier has
	NeverScanned   Reason = "never_scanned"   // a number, but the carrier has never seen the package
	NotScannedYet  Reason = "not_scanned_yet" // a number, and the carrier has not seen the package so far: see Pending
	UnknownDue     Reason = "unknown_due"     // not judged: neither the channel nor the rules say by when
	UnknownFault   Reason = "unknown_fault"   // not judged: cancelled, and not told, or left open by the policy, whose doing it was
	UnknownOutcome Reason = "unknown_outcome" // not judged: over, and not told whether it was delivered
)

// Unjudged reports whether the order was counted, but not against the shop, because it is not known whether it should be.
func (r Reason) Unjudged() bool { return r == UnknownDue || r == UnknownFault || r == UnknownOutcome }

// Pending reports whether the order counts against the shop only as long as something has not happened that usually does. Nearly every order
// is in that state once, on a day still to come: whoever keeps marks had better keep those of days that are over only.
func (r Reason) Pending() bool { return r == NotDeliveredYet || r == NotScannedYet }

// underWay reports whether an order may still be scanned and delivered.
func underWay(o *order.Order) bool { return !o.Status.Terminal() && o.Status != order.Delivered }

// undelivered is why an order without a delivery counts against the shop.
func undelivered(o *order.Order) Reason {
	if underWay(o) {
		return NotDeliveredYet
	}
	return NotDelivered
}

// unscanned is why a package without a scan does.
func unscanned(o *order.Order) Reason {
	if underWay(o) {
		return NotScannedYet
	}
	return NeverScanned
}

func lateReason(by time.Duration) Reason {
	switch {
	case by <= 4*time.Hour:
		return Late4h
	case by <= 24*time.Hour:
		return Late24h
	case by <= 48*time.Hour:
		return Late48h
	}
	return LateLonger
}

// cancelWords are what the reason names of package order end in, before a market's suffix.
var cancelWords = []struct {
	word   string
	reason Reason
}{
	{"out_of_stock", CancelledStock}, {"wrong_price", CancelledPrice}, {"shipping_timeout", CancelledLate}, {"untracked", CancelledUntracked},
}

func cancelReason(c order.Cancel) Reason {
	r, _ := order.LookUpReason(c.Reason)
	for _, w := range cancelWords {
		if strings.HasSuffix(r.Name, w.word) {
			return w.reason
		}
	}
	return CancelledOther
}

// Lengths of tracking numbers: no carrier is known to us with shorter or longer ones.
const (
	minTracking = 8
	maxTracking = 40
)

// PlausibleTracking reports whether a tracking number could be one: 8 to 40 letters and digits with at least 4 digits among them, blanks and
// hyphens not counted. Prefixes, lengths and check digits of carriers are asked of package tracking.
func PlausibleTracking(number string) bool {
	n, digits := 0, 0
	for _, c := range number {
		switch {
		case c >= '0' && c <= '9':
			n, digits = n+1, digits+1
		case c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z':
			n++
		case c == ' ' || c == '-':
		default:
			return false
		}
	}
	return n >= minTracking && n <= maxTracking && digits >= 4
}

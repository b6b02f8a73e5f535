package order

import "slices"

// Status is how far an order (or one unit of it) is. The empty Status means the platform's word is unknown to us.
type Status string

const (
	Unpaid             Status = "unpaid"              // placed, not paid
	OnHold             Status = "on_hold"             // paid, in the platform's hold: reserve, never ship
	AwaitingShipment   Status = "awaiting_shipment"   // may be shipped, nothing arranged yet
	PartiallyShipping  Status = "partially_shipping"  // some lines arranged
	AwaitingCollection Status = "awaiting_collection" // all lines arranged (label made), no carrier event yet
	InTransit          Status = "in_transit"          // the carrier has all packages
	Delivered          Status = "delivered"           // all packages delivered
	Cancelled          Status = "cancelled"           // every line cancelled
	Completed          Status = "completed"           // after-sales period over, or refunded in full
)

// Statuses lists every status, least far along first. This order breaks ties between facts of the same second. Completed
// is after Cancelled because the two cannot follow each other and keeping units back is safer than giving them free.
var Statuses = []Status{Unpaid, OnHold, AwaitingShipment, PartiallyShipping, AwaitingCollection, InTransit, Delivered, Cancelled, Completed}

// rank is 0 for an unknown status and grows with progress.
func (s Status) rank() int { return slices.Index(Statuses, s) + 1 }

// Known reports whether s is one of Statuses.
func (s Status) Known() bool { return s.rank() > 0 }

// Terminal reports whether nothing follows s.
func (s Status) Terminal() bool { return s == Cancelled || s == Completed }

// Left reports whether the goods have left the building in s. A completed order counts as left even when no carrier
// event was seen (refunded in full after the label was made): units found in the warehouse are booked in as a return.
func (s Status) Left() bool { return s == InTransit || s == Delivered || s == Completed }

// Arranged reports whether shipping of the whole order is arranged in s.
func (s Status) Arranged() bool { return s == AwaitingCollection || s.Left() }

// Trigger says what moves an order from one status to the next.
type Trigger string

const (
	Payment         Trigger = "payment"
	PaymentNoHold   Trigger = "payment in a shop without a hold"
	HoldOver        Trigger = "the hold is over"
	FirstPart       Trigger = "first part of a split order arranged"
	LastPart        Trigger = "last line arranged"
	CarrierScan     Trigger = "carrier scan on all packages"
	CarrierDelivery Trigger = "carrier delivery"
	AfterSalesOver  Trigger = "after-sales period over"
	FullRefund      Trigger = "full refund"
	PaymentGivenUp  Trigger = "buyer, or payment timeout"
	CancelInHold    Trigger = "buyer freely, or seller out of stock"
	CancelUnshipped Trigger = "buyer request accepted, seller, or platform timeout"
	CancelAllLines  Trigger = "all lines cancelled by buyer request, seller or platform timeout"
	CancelUntracked Trigger = "seller, or platform when no tracking shows"
	CancelInTransit Trigger = "platform: lost, refused or damaged"
)

// Transition is one move a platform makes.
type Transition struct {
	From, To Status
	Trigger  Trigger
}

// Transitions is the state machine: every single move of an order, as documented by the strictest platform. It has no
// cycles. A channel that reports less often than it moves shows several moves as one jump; see Reachable.
var Transitions = []Transition{
	{Unpaid, OnHold, Payment},
	{Unpaid, AwaitingShipment, PaymentNoHold},
	{OnHold, AwaitingShipment, HoldOver},
	{AwaitingShipment, PartiallyShipping, FirstPart},
	{AwaitingShipment, AwaitingCollection, LastPart},
	{PartiallyShipping, AwaitingCollection, LastPart},
	{AwaitingCollection, InTransit, CarrierScan},
	{InTransit, Delivered, CarrierDelivery},
	{Delivered, Completed, AfterSalesOver},
	{AwaitingCollection, Completed, FullRefund},
	{InTransit, Completed, FullRefund},
	{Unpaid, Cancelled, PaymentGivenUp},
	{OnHold, Cancelled, CancelInHold},
	{AwaitingShipment, Cancelled, CancelUnshipped},
	{PartiallyShipping, Cancelled, CancelAllLines},
	{AwaitingCollection, Cancelled, CancelUntracked},
	{InTransit, Cancelled, CancelInTransit},
}

// Next lists the moves out of from.
func Next(from Status) []Transition {
	var out []Transition
	for _, t := range Transitions {
		if t.From == from {
			out = append(out, t)
		}
	}
	return out
}

// Reachable reports whether an order in from can come to be in to by one or more moves. A status reaches itself.
func Reachable(from, to Status) bool {
	if from == to {
		return true
	}
	for _, t := range Transitions { // the table has no cycles, so this ends
		if t.From == from && Reachable(t.To, to) {
			return true
		}
	}
	return false
}

package reconcile

import (
	"time"

	"github.com/spillway/spillway/domain/order"
	"github.com/spillway/spillway/domain/policy"
)

// Theirs is what the channel's exports say.
type Theirs struct {
	Rows    []Row    // of exports of orders
	Figures []Figure // of exports of performance
	Listed  []Listed // of exports of violations
}

// Row is an order as the channel shows it. What it does not tell is zero.
type Row struct {
	OrderID string // the channel's
	Status  order.Status

	Created, Paid, Ready, HandedOver, Delivered, Cancelled time.Time
	ShipBy, HandOverBy, DeliverBy                          time.Time

	CancelledBy  order.Role
	CancelReason string
	Parcels      []order.Parcel
	Place        Place
}

// Figure is a rate as the channel shows it.
type Figure struct {
	Metric policy.Metric
	// From and To are the first and the last day counted. Without a From, To is the day judged, and the rule tells the window.
	From, To policy.Day
	Share    policy.PPM // valid if Text tells one
	Num, Den int64      // both zero: not told
	Text     string     // as it was written
	Place    Place
}

// Listed is an order the channel counts against the shop.
type Listed struct {
	Metric  policy.Metric
	OrderID string
	Day     policy.Day // zero: not told
	Reason  string     // in its words
	Place   Place
}

// Place is where something was read.
type Place struct {
	File string `json:"file,omitzero"`
	Line int    `json:"line,omitzero"`
}

// fact is one thing an export tells of an order, next to ours.
type fact struct {
	field string
	cause Cause
	// theirs is the time they tell, ours where we keep it; both nil for what is no time.
	theirs func(*Row) time.Time
	ours   func(*order.Order) *time.Time
}

// facts that are times, in the order in which they are tried as an explanation.
var facts = []fact{
	{"handed_over_at", TimeDiffers, func(r *Row) time.Time { return r.HandedOver }, func(o *order.Order) *time.Time { return &o.Moments.HandedOverAt }},
	{"ready_at", TimeDiffers, func(r *Row) time.Time { return r.Ready }, func(o *order.Order) *time.Time { return &o.Moments.ReadyAt }},
	{"delivered_at", TimeDiffers, func(r *Row) time.Time { return r.Delivered }, func(o *order.Order) *time.Time { return &o.Moments.DeliveredAt }},
	{"hand_over_by", DeadlineDiffers, func(r *Row) time.Time { return r.HandOverBy }, func(o *order.Order) *time.Time { return &o.Deadlines.HandOverBy }},
	{"ship_by", DeadlineDiffers, func(r *Row) time.Time { return r.ShipBy }, func(o *order.Order) *time.Time { return &o.Deadlines.ShipBy }},
	{"deliver_by", DeadlineDiffers, func(r *Row) time.Time { return r.DeliverBy }, func(o *order.Order) *time.Time { return &o.Deadlines.DeliverBy }},
	{"paid_at", TimeDiffers, func(r *Row) time.Time { return r.Paid }, func(o *order.Order) *time.Time { return &o.PaidAt }},
	{"created_at", TimeDiffers, func(r *Row) time.Time { return r.Created }, func(o *order.Order) *time.Time { return &o.CreatedAt }},
}

// differs reports whether they tell another time than we have.
func (f fact) differs(o *order.Order, r *Row) bool {
	t := f.theirs(r)
	return !t.IsZero() && !t.Equal(*f.ours(o))
}

// put makes their time ours. A payment or a dispatch we had not heard of moves an order along that was not placed to us.
func (f fact) put(o *order.Order, r *Row) {
	*f.ours(o) = f.theirs(r)
	if (o.Status == order.Unpaid || o.Status == order.OnHold || o.Status == "") && f.cause == TimeDiffers && f.field != "created_at" {
		o.Status = r.status()
	}
}

// The other facts: a cancellation, and the parcels.

func cancellationDiffers(o *order.Order, r *Row) bool {
	switch {
	case r.Cancelled.IsZero() && r.Status == "":
		return false // not told
	case r.cancelled() != (o.Status == order.Cancelled):
		return true
	case !r.cancelled():
		return false
	}
	f := r.fault()
	return f != order.FaultUnknown && f != o.Cancel.Fault
}

func putCancellation(o *order.Order, r *Row) {
	if !r.cancelled() {
		o.Status, o.Cancel, o.Moments.CancelledAt = r.status(), order.Cancel{}, time.Time{}
		return
	}
	o.Status, o.Moments.CancelledAt = order.Cancelled, r.Cancelled
	o.Cancel = order.Cancel{Reason: r.CancelReason, Role: r.CancelledBy, Fault: r.fault()}
}

func parcelsDiffer(o *order.Order, r *Row) bool {
	if len(r.Parcels) == 0 {
		return false
	}
	if len(r.Parcels) != len(o.Parcels) {
		return true
	}
	ours := map[string]int{}
	for _, p := range o.Parcels {
		ours[p.Tracking]++
	}
	for _, p := range r.Parcels {
		if ours[p.Tracking]--; ours[p.Tracking] < 0 {
			return true
		}
	}
	return false
}

func (r *Row) cancelled() bool {
	return r.Status == order.Cancelled || (r.Status == "" && !r.Cancelled.IsZero())
}

// status is the row's own, or what its times say.
func (r *Row) status() order.Status {
	switch {
	case r.Status != "":
		return r.Status
	case !r.Cancelled.IsZero():
		return order.Cancelled
	case !r.Delivered.IsZero():
		return order.Delivered
	case !r.HandedOver.IsZero():
		return order.InTransit
	case !r.Ready.IsZero():
		return order.AwaitingCollection
	}
	return order.AwaitingShipment
}

// fault reads whose doing their cancellation was. Exports write reasons in words of the day; what is not plain stays unknown.
func (r *Row) fault() order.Fault {
	if f := order.FaultOf(r.CancelledBy, r.CancelReason); f != order.FaultUnknown {
		return f
	}
	words := plain(r.CancelReason)
	switch {
	case r.CancelledBy == order.RoleBuyer:
		return order.FaultBuyer
	case hasAny(words, "outofstock", "wrongprice", "pricingerror"):
		return order.FaultSeller
	}
	return order.FaultUnknown
}

// order is the row as an order of which nothing else is known.
func (r *Row) order() *order.Order {
	o := &order.Order{ExternalID: r.OrderID, ID: r.OrderID, Status: r.status()}
	o.Fulfilment = order.BySeller
	for _, f := range facts {
		*f.ours(o) = f.theirs(r)
	}
	o.Parcels = r.Parcels
	if r.cancelled() {
		putCancellation(o, r)
	}
	return o
}

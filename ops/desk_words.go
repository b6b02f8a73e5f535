package ops

import (
	"strconv"
	"strings"
	"time"

	"github.com/spillway/spillway/domain/order"
	"github.com/spillway/spillway/ops/view"
)

// number writes n with group separators: 48,210.
func number[N int | int64](n N) string {
	s := strconv.FormatInt(int64(n), 10)
	sign := ""
	if s[0] == '-' {
		sign, s = "−", s[1:]
	}
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return sign + s
}

// plural writes n with the right form of a noun.
func plural[N int | int64](n N, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return number(n) + " " + many
}

// units writes a quantity of an item.
func unitsOf[N int | int64](n N) string { return plural(n, "unit", "units") }

// lasting writes a duration as one would say it: 41 ms, 3.2 s, 4 minutes, 2 hours.
func lasting(d time.Duration) string {
	switch {
	case d < time.Second:
		return strconv.FormatInt(d.Milliseconds(), 10) + " ms"
	case d < time.Minute:
		return strconv.FormatFloat(d.Seconds(), 'f', 1, 64) + " s"
	case d < 2*time.Hour:
		return plural(int64(d/time.Minute), "minute", "minutes")
	case d < 48*time.Hour:
		return plural(int64(d/time.Hour), "hour", "hours")
	}
	return plural(int64(d/(24*time.Hour)), "day", "days")
}

// clockTime writes a moment in the zone of business times.
func (d *Desk) clockTime(at time.Time) string {
	at = at.In(d.home)
	if now := d.x.now().In(d.home); at.YearDay() == now.YearDay() && at.Year() == now.Year() {
		return at.Format("15:04")
	}
	return at.Format("2 Jan 15:04")
}

// and lists names: "A", "A and B", "A, B and C".
func and(names []string) string {
	switch len(names) {
	case 0:
		return ""
	case 1:
		return names[0]
	}
	return strings.Join(names[:len(names)-1], ", ") + " and " + names[len(names)-1]
}

// whoMoved names who a movement's actor is: what the ledger does by itself for an order, nobody did.
func whoMoved(actor string) string {
	switch actor {
	case "intake", "mapping":
		return view.Self
	}
	return actor
}

// capital begins a sentence.
func capital(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

// ptr is the address of a moment, nil for none.
func ptr(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// states are our words for how far an order is.
var states = map[order.Status]string{
	"": "unknown", order.Unpaid: "not paid", order.OnHold: "on hold", order.AwaitingShipment: "to ship", order.PartiallyShipping: "partly packed",
	order.AwaitingCollection: "to hand over", order.InTransit: "shipped", order.Delivered: "delivered", order.Cancelled: "cancelled", order.Completed: "completed",
}

// openStatuses are those of orders that have not left and are not cancelled.
var openStatuses = []order.Status{"", order.Unpaid, order.OnHold, order.AwaitingShipment, order.PartiallyShipping, order.AwaitingCollection}

// shippedStatuses are those of orders that have left.
var shippedStatuses = []order.Status{order.InTransit, order.Delivered, order.Completed}

// deadlines are the deadlines' names, and what misses them.
var deadlines = map[order.DeadlineKind]struct{ name, field, what string }{
	order.ShipBy:               {"Ship by", "ship-by time", "arrange shipping"},
	order.HandOverBy:           {"Hand to the carrier", "hand-over time", "hand to the carrier"},
	order.AutoCancelShipBy:     {"Automatic cancellation without a label", "automatic cancellation time", "arrange shipping before it is cancelled"},
	order.AutoCancelHandOverBy: {"Automatic cancellation without a scan", "automatic cancellation time", "hand to the carrier before it is cancelled"},
	order.AutoCancelDeliverBy:  {"Automatic cancellation without delivery", "automatic cancellation time", "deliver before it is cancelled"},
	order.DeliverBy:            {"Delivered by", "delivery deadline", "deliver"},
	order.PromisedBy:           {"Promised to the buyer", "delivery promise", "deliver as promised"},
	order.PickUpBy:             {"Carrier's pick-up", "pick-up time", "hand over before the pick-up"},
	order.FastDispatchBy:       {"Fast dispatch", "fast-dispatch time", "hand over to count as fast"},
}

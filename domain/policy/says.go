package policy

import (
	"fmt"
	"strings"

	"github.com/spillway/spillway/domain/order"
)

// Words for people. A topic reads on as "<topic>: <what it says>".

var metricWords = map[Metric]string{LDR: "Late dispatch rate", VTR: "Valid tracking rate", SFCR: "Seller-fault cancellation rate", OTDR: "On-time delivery rate"}

// Words names the metric for people; one it does not know stays as it is.
func (m Metric) Words() string {
	if w := metricWords[m]; w != "" {
		return w
	}
	return string(m)
}

var testWords = map[Test]string{
	ReadyLate: "late is what was not arranged by its deadline", HandedOverLate: "late is what the carrier had not scanned by its deadline",
	DeliveredOnTime: "on time is what was delivered by its date", CancelledBySeller: "counted are cancellations by the seller's fault",
	TrackingValid: "valid is a tracking number the carrier scanned",
}

var momentWords = map[Moment]string{AtPlaced: "placed", AtReady: "arranged", AtHandedOver: "handed over", AtDelivered: "delivered", AtDeliverBy: "due for delivery"}

func (r Rate) topic() string { return r.Metric.Words() + ", how it is counted" }
func (r Rate) says() string {
	test := testWords[r.Test]
	if r.Test == DeliveredWithin {
		test = fmt.Sprintf("on time is what took fewer than %d business days", r.Within)
	}
	text := fmt.Sprintf("%s, of %ss %s in %s", test, r.Counts, momentWords[r.Anchor], count(r.Days, "day"))
	if r.Lag > 0 {
		text += ", up to " + count(r.Lag, "day") + " ago"
	}
	return text + classes(", without ", r.Exclude) + classes("; never late: ", r.Spare)
}

func classes(lead string, list []Class) string {
	if len(list) == 0 {
		return ""
	}
	words := make([]string, len(list))
	for i, c := range list {
		words[i] = strings.ReplaceAll(string(c), "_", " ")
	}
	return lead + strings.Join(words, " and ")
}

func (b Band) topic() string {
	return b.Metric.Words() + map[BandKind]string{Target: ", recommended", Warning: ", warning", Enforcement: ", enforced"}[b.Kind]
}

func (b Band) says() string {
	text := "at least " + b.Limit.String()
	if b.Metric.highIsBad() {
		text = "at most " + b.Limit.String()
		if b.Reached {
			text = "below " + b.Limit.String()
		}
	}
	if b.Paused {
		text += " (enforcement paused)"
	}
	return text
}

// highIsBad reports whether a higher rate is a worse one.
func (m Metric) highIsBad() bool { return m == LDR || m == SFCR }

func (c Closure) topic() string { return "No business days" }
func (c Closure) says() string  { return c.Name }

var fieldWords = map[order.DeadlineKind]string{
	order.ShipBy: "Dispatch (shipment arranged)", order.HandOverBy: "Dispatch (carrier's first scan)",
	order.AutoCancelShipBy: "Cancelled when not arranged", order.AutoCancelHandOverBy: "Cancelled when not scanned",
	order.AutoCancelDeliverBy: "Cancelled when not delivered", order.DeliverBy: "Delivery",
}

var afterWords = map[After]string{AfterPlaced: "after payment", AfterShipBy: "after the dispatch deadline", AfterHandOverBy: "after the deadline for the carrier's scan",
	AfterHandlingEnd: "after the seller's handling time", AfterClosing: "after the closing date"}

func (r DeadlineRule) topic() string {
	words := make([]string, len(r.For))
	for i, h := range r.For {
		words[i] = strings.ReplaceAll(string(h), "_", " ")
	}
	return fmt.Sprintf("%s, %s orders", fieldWords[r.Field], strings.Join(words, ", "))
}

func (r DeadlineRule) says() string {
	text := r.Period.String() + " " + afterWords[r.After]
	if r.Delay.N > 0 {
		text += " and " + r.Delay.String()
	}
	if r.Cutoff > 0 {
		text += ", orders from " + r.Cutoff.String() + " on counted as of the next business day"
	}
	return text
}

func (h HandlingTime) topic() string {
	return "Handling time of " + strings.ReplaceAll(string(h.For), "_", " ") + " orders"
}
func (h HandlingTime) says() string { return h.Min.String() + " to " + h.Max.String() }

var termWords = map[TermKind]string{
	AnswerCancel: "Answer to a wish to cancel", AnswerReturn: "Answer to a wish to return", AnswerParcel: "Judging a return that came back",
	AnswerReplacement: "Answer to a wish for a replacement", BuyerShips: "The buyer sends a return", BuyerAppeals: "The buyer objects to a refusal",
	FreeCancel: "The buyer may cancel freely", ReturnWindow: "Return window", Protection: "Buyer protection by the channel",
	RefundAfter: "Refund after receipt", Appeal: "Appeal", SecondAppeal: "Second appeal", Visible: "Records can be seen",
	CorrectTracking: "Correcting a tracking number", Undelivered: "Cancelled when not delivered", ExtensionTold: "Notice of extended deadlines",
}

func (t Term) topic() string { return about(termWords[t.Kind], t.About) }
func (t Term) says() string  { return then(t.Period.String(), t.Then) }

func (a Account) topic() string { return "Account health" }
func (a Account) says() string {
	return fmt.Sprintf("%d to %d points, starting at %d, looking back %d days, warned %d points before a milestone", a.Min, a.Max, a.Start, a.LookBack, a.Warning)
}

func (z AccountZone) topic() string { return fmt.Sprintf("Account health, %s (%s)", z.Name, z.Scheme) }
func (z AccountZone) says() string {
	return then(fmt.Sprintf("%d to %d points", z.Low, z.High), z.Means)
}

func (m Milestone) topic() string { return fmt.Sprintf("Account health at %d points", m.Points) }
func (m Milestone) says() string {
	switch {
	case m.Closure:
		return "the account is closed for good"
	case m.Days == 0:
		return "without " + strings.Join(m.Blocks, " and ") + " while it lasts"
	}
	return fmt.Sprintf("%s without %s", count(m.Days, "day"), strings.Join(m.Blocks, " and "))
}

func (p Points) topic() string { return "Violation points" }
func (p Points) says() string  { return "lapse after " + count(p.Life, "day") }

func (p PointStep) topic() string { return fmt.Sprintf("At %d violation points", p.Points) }
func (p PointStep) says() string {
	if p.Then == "" {
		return "a step; what happens is not told"
	}
	return p.Then
}

func (p PointCost) topic() string {
	return fmt.Sprintf("Violation points for %s from %s", p.Metric.Words(), p.From)
}
func (p PointCost) says() string {
	text := fmt.Sprint(p.Points)
	if p.To > p.Points {
		text += fmt.Sprintf(" to %d", p.To)
	}
	if p.Orders > 0 {
		text += fmt.Sprintf(" with %d or more such orders", p.Orders)
	}
	return text
}

func about(topic, what string) string {
	if what == "" {
		return topic
	}
	return topic + ", " + what
}

func then(text, more string) string {
	if more == "" {
		return text
	}
	return text + ", then " + more
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

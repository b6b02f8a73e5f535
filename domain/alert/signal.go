package alert

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Severity is how soon a person must know. The empty one is that of the kind's rule.
type Severity string

// Severities, mildest first.
const (
	Info     Severity = "info"     // worth reading in the digest
	Warning  Severity = "warning"  // will become wrong if nobody acts
	Critical Severity = "critical" // wrong now, or so soon that people are woken
)

// Severities in their order.
var Severities = []Severity{Info, Warning, Critical}

func (s Severity) rank() int { return slices.Index(Severities, s) }

// AtLeast reports whether s is as severe as o or more. The empty severity is below all.
func (s Severity) AtLeast(o Severity) bool { return s.rank() >= o.rank() }

// Kind is what can be wrong.
type Kind string

// Kinds. Each has a rule in [Rules].
const (
	RateBreach     Kind = "rate"            // a rate of a shop is past a target, a warning or enforcement
	Forecast       Kind = "forecast"        // a rate will pass its limit
	AccountRating  Kind = "account_rating"  // the account is below its best zone: near a milestone, or past one
	StockAhead     Kind = "stock_ahead"     // an item runs out within days
	Short          Kind = "short"           // promised units that are not there
	OrderSpike     Kind = "order_spike"     // many times the daily average of orders
	TrackingUpload Kind = "tracking_upload" // orders whose tracking number the channel does not have
	StuckParcel    Kind = "stuck_parcel"    // nothing is heard of a parcel on its way, or it comes back
	CancelAnswer   Kind = "cancel_answer"   // a buyer's request to cancel wants an answer
	RefundAnswer   Kind = "refund_answer"   // a refund or return wants an answer
	LateOrders     Kind = "late_orders"     // orders past a deadline the channel acts on
	CarrierUnheard Kind = "carrier_unheard" // a carrier account tells nothing, so nobody can say whether its parcels are stuck
	KeptStock      Kind = "kept_stock"      // a logistics provider counts other stock than the ledger has
	Drift          Kind = "drift"           // channels show numbers nobody told them
	ConnectionDown Kind = "connection_down" // a channel cannot be worked
	TokenExpiry    Kind = "token_expiry"    // a login ends
	InboxStuck     Kind = "inbox_stuck"     // messages are not taken in
	PushStuck      Kind = "push_stuck"      // numbers are not told
	Upkeep         Kind = "upkeep"          // the database is not kept in shape
	Ledger         Kind = "ledger"          // the journal does not prove
	Notify         Kind = "notify"          // alerts cannot be delivered to somebody
)

// Cause is what is wrong with what: there is one open incident for it at most. Subject is an id, of a connection or a rate for example.
type Cause struct {
	Kind    Kind   `json:"kind"`
	Subject string `json:"subject"`
}

// Compare orders causes.
func (c Cause) Compare(o Cause) int {
	return cmp.Or(cmp.Compare(c.Kind, o.Kind), cmp.Compare(c.Subject, o.Subject))
}

// Unit says how a figure is written.
type Unit string

// Units of figures.
const (
	Count   Unit = ""       // a number of whatever the name says
	PPM     Unit = "ppm"    // a rate in millionths, shown as per cent
	Seconds Unit = "s"      // a time, shown in hours and minutes
	Times   Unit = "x1000"  // a multiple in thousandths
	Points  Unit = "points" // of an account rating
)

// Figure is a number that belongs to a signal.
type Figure struct {
	Name  string `json:"name"`
	Value int64  `json:"value"`
	Unit  Unit   `json:"unit,omitzero"`
}

// String is the figure for people: "LDR forecast 10.40 %".
func (f Figure) String() string { return f.Name + " " + f.Text() }

// Text is its value for people.
func (f Figure) Text() string {
	switch f.Unit {
	case PPM:
		return fraction(f.Value, 10_000, 2) + " %"
	case Times:
		return fraction(f.Value, 1_000, 1) + " ×"
	case Seconds:
		return (time.Duration(f.Value) * time.Second).String()
	case Points:
		return fmt.Sprint(f.Value, " points")
	}
	return fmt.Sprint(f.Value)
}

// fraction writes v/of with some digits after the point, cut off, without a float.
func fraction(v, of int64, digits int) string {
	sign := ""
	if v < 0 {
		sign, v = "-", -v
	}
	rest := fmt.Sprintf("%0*d", len(fmt.Sprint(of))-1, v%of)
	return fmt.Sprintf("%s%d.%s", sign, v/of, rest[:digits])
}

// Signal says that something is wrong at the moment it is read. It says so again each time anybody looks, until it no longer is. Texts hold
// no personal data: they leave the house.
type Signal struct {
	Cause
	Severity Severity `json:"severity,omitzero"` // empty: the rule's
	Shop     string   `json:"shop,omitzero"`     // the connection it is about
	Node     string   `json:"node,omitzero"`     // the location it is about
	Order    string   `json:"order,omitzero"`    // our id of the one order it is about
	Text     string   `json:"text"`              // one sentence: what is wrong
	Next     string   `json:"next,omitzero"`     // one sentence: what to do
	Figures  []Figure `json:"figures,omitempty"`
	// Fading says that the figure is on the right side again, by less than the margin that ends it: an incident stays open and none is opened.
	Fading bool      `json:"fading,omitzero"`
	At     time.Time `json:"at,omitzero"`
}

// Figure finds a figure by its name.
func (s Signal) Figure(name string) (Figure, bool) {
	i := slices.IndexFunc(s.Figures, func(f Figure) bool { return f.Name == name })
	if i < 0 {
		return Figure{}, false
	}
	return s.Figures[i], true
}

// Limit is a value a figure must not pass, and how bad it is if it does.
type Limit struct {
	Name     string
	Value    int64
	Severity Severity
}

// Reading is a figure with the limits it is judged by.
type Reading struct {
	Figure Figure
	Limits []Limit
	Low    bool  // being below a limit is what is wrong
	Margin int64 // how far on the right side of a limit the figure must be to be no longer near it
}

// Judge says which limit is passed, the gravest of several. A figure exactly on a limit has not passed it. fading: none is passed, and one
// is nearer than the margin.
func (r Reading) Judge() (passed Limit, fading, any bool) {
	past := func(limit int64) int64 { // > 0: passed
		if r.Low {
			return limit - r.Figure.Value
		}
		return r.Figure.Value - limit
	}
	for _, l := range r.Limits {
		if past(l.Value) > 0 && (!any || fading || l.Severity.rank() > passed.Severity.rank()) {
			passed, any, fading = l, true, false
		} else if !any && past(l.Value)+r.Margin > 0 {
			passed, any, fading = l, true, true
		}
	}
	return passed, fading, any
}

// Signal is the signal of a reading, whose text the caller gives; false: there is none. The figure and the limit are added to the figures.
func (r Reading) Signal(s Signal) (Signal, bool) {
	passed, fading, any := r.Judge()
	if !any {
		return Signal{}, false
	}
	s.Severity, s.Fading = passed.Severity, fading
	s.Figures = append([]Figure{r.Figure, {Name: strings.TrimSpace(passed.Name + " limit"), Value: passed.Value, Unit: r.Figure.Unit}}, s.Figures...)
	return s, true
}

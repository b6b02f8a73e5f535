package ops

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spillway/spillway/domain/alert"
	"github.com/spillway/spillway/domain/order"
	"github.com/spillway/spillway/store"
)

const (
	// namedOrders are named in the text of an incident, those with the least time left.
	namedOrders = 5
	// unlabelledShown bounds the orders looked at for missing tracking numbers, by status.
	unlabelledShown = 1_000
	// leftLately is how long after an order left its tracking number is missed: later nobody can enter it any more.
	leftLately = 3 * day
	// trackingEvery is how often orders are read for it; deadlines are hours away.
	trackingEvery = time.Minute
)

// owed is something an order wants by a time.
type owed struct {
	shop, number string // number is what people know the order by
	by           time.Time
	why          string // what stands in the way, if it is known
}

func owes(o *order.Order, by time.Time) owed {
	return owed{shop: o.ConnectionID, number: numberOf(o), by: by}
}

// owing is how a kind of alert about orders is written.
type owing struct {
	rule      alert.Rule
	one, many string // "request to cancel", "requests to cancel"
	want      string // after their number: "to answer"
	then      string // what happens after it: "then the platform cancels"
	next      string
	figure    string
	past      bool // what is past its time is still wrong; else somebody else has decided
}

// signals makes one signal of each shop, which lists its orders by the time that is left.
func (w owing) signals(all []owed, names map[string]string, at time.Time) (out []alert.Signal) {
	all = slices.DeleteFunc(all, func(o owed) bool {
		_, _, any := w.rule.Grade(secondsTo(o.by, at), 0)
		return o.by.IsZero() || !any || (o.by.Before(at) && !w.past)
	})
	slices.SortFunc(all, func(a, b owed) int {
		return cmp.Or(cmp.Compare(a.shop, b.shop), a.by.Compare(b.by), cmp.Compare(a.number, b.number))
	})
	for from := 0; from < len(all); {
		to := from + 1
		for to < len(all) && all[to].shop == all[from].shop {
			to++
		}
		out = append(out, w.signal(all[from:to], names, at))
		from = to
	}
	return out
}

func (w owing) signal(of []owed, names map[string]string, at time.Time) alert.Signal {
	first, n := of[0], int64(len(of))
	s := alert.Signal{Shop: first.shop, Next: w.next}
	s.Cause = alert.Cause{Kind: w.rule.Kind, Subject: first.shop}
	s.Severity, _, _ = w.rule.Grade(secondsTo(first.by, at), 0)
	when := "by "
	if first.by.Before(at) {
		when = "since "
	}
	s.Text = fmt.Sprintf("%s: %s %s, the first %s%s UTC; %s. They are %s.", cmp.Or(names[first.shop], first.shop), plural(n, w.one, w.many), w.want, when, utcTime(first.by), w.then, named(of))
	if n == 1 {
		s.Text = fmt.Sprintf("%s: %s %s %s%s UTC; %s. It is %s.", cmp.Or(names[first.shop], first.shop), plural(n, w.one, w.many), w.want, when, utcTime(first.by), w.then, first.number+first.because())
	}
	s.Figures = []alert.Figure{{Name: w.figure, Value: n}}
	return s
}

// named names the orders with the least time left.
func named(of []owed) string {
	parts := make([]string, 0, namedOrders+1)
	for i, o := range of {
		if i == namedOrders {
			parts = append(parts, fmt.Sprintf("and %s more", number(int64(len(of)-namedOrders))))
			break
		}
		parts = append(parts, o.number+" by "+utcTime(o.by)+o.because())
	}
	return strings.Join(parts, ", ")
}

// because is why, in brackets; nothing where it is not known.
func (o owed) because() string {
	if o.why == "" {
		return ""
	}
	return " (" + o.why + ")"
}

func utcTime(t time.Time) string { return t.UTC().Format("2 Jan 15:04") }

func secondsTo(by, at time.Time) int64 { return int64(by.Sub(at) / time.Second) }

// cancelSignals are of requests to cancel whose answer is due soon.
func cancelSignals(asked []order.Order, rule alert.Rule, names map[string]string, at time.Time) []alert.Signal {
	var all []owed
	for i := range asked {
		if !asked[i].Status.Terminal() {
			all = append(all, owes(&asked[i], asked[i].CancelAnswerBy()))
		}
	}
	return owing{rule: rule, one: "request to cancel", many: "requests to cancel", want: "to answer", then: "then the platform cancels", figure: "requests",
		next: "Answer them on the channel, the earliest first."}.signals(all, names, at)
}

// refundSignals are of returns and refunds whose answer is due soon, each by its own time.
func refundSignals(asked []order.Order, rule alert.Rule, names map[string]string, at time.Time) []alert.Signal {
	var all []owed
	for i := range asked {
		for _, r := range asked[i].Returns {
			if !r.AnswerBy.IsZero() {
				all = append(all, owes(&asked[i], r.AnswerBy))
			}
		}
	}
	return owing{rule: rule, one: "return or refund", many: "returns and refunds", want: "to answer", then: "then the platform approves", figure: "returns and refunds",
		next: "Answer them on the channel, the earliest first; a parcel that has come back is looked at first."}.signals(all, names, at)
}

// untracked are orders of one look that have a parcel, or have left, and whose tracking number the channel does not have.
type untracked struct {
	at  time.Time
	all []owed
}

// trackingSignals looks at orders whose tracking number is missing as their deadline nears, and at parcels of ours whose number could not be told: an
// order is one row of the list, whatever the reason.
func (x *Ops) trackingSignals(ctx context.Context, rules *alert.Config, at time.Time) ([]alert.Signal, error) {
	rule := rules.Rule(alert.TrackingUpload)
	if rule.Off {
		return nil, nil
	}
	u := &x.alerts.untracked // only the alert loop asks
	var names map[string]string
	err := x.st.View(ctx, func(tx *store.Tx) (err error) {
		if names, err = shopNames(tx); err != nil || (at.Sub(u.at) < trackingEvery && !u.at.IsZero()) {
			return err
		}
		u.all, err = untrackedOrders(tx, at, time.Duration(max(rule.Warn, rule.Critical))*time.Second)
		if err == nil {
			u.at = at
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return owing{rule: rule, one: "order", many: "orders", want: "without a tracking number on the channel", then: "without one an order does not count as dispatched", figure: "orders without a tracking number",
		next: "Settle what stands in the way on the orders' pages, or enter the numbers on the channel, the earliest first.", past: true}.signals(slices.Clone(u.all), names, at), nil
}

// untrackedOrders reads the orders whose tracking number is missing within a time.
func untrackedOrders(tx *store.Tx, at time.Time, within time.Duration) ([]owed, error) {
	var ids []string
	for _, s := range []order.Status{order.AwaitingShipment, order.PartiallyShipping, order.AwaitingCollection} {
		places, err := tx.PlacesByDue("", s, store.DuePlace{}, unlabelledShown)
		if err != nil {
			return nil, err
		}
		for _, p := range places {
			if p.Due.Sub(at) <= within {
				ids = append(ids, p.ID)
			}
		}
	}
	untold, err := untoldOrders(tx)
	if err != nil {
		return nil, err
	}
	for id := range untold {
		if !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	left, err := tx.PlacesEnded(order.InTransit, store.DuePlace{}, unlabelledShown)
	if err != nil {
		return nil, err
	}
	for _, p := range left {
		ids = append(ids, p.ID)
	}
	var out []owed
	for part := range chunks(ids, resultBatch) {
		orders, err := tx.OrdersGet(part)
		if err != nil {
			return nil, err
		}
		for i := range orders {
			o := &orders[i]
			why, waits := untold[o.ID]
			by, missing := trackingMissing(o, at)
			if waits && !missing {
				by, missing = trackingWanted(o, at)
			}
			if missing {
				row := owes(o, by)
				row.why = why
				out = append(out, row)
			}
		}
	}
	return out, nil
}

// trackingMissing says by when an order of ours should have had a tracking number that the channel does not know. Where the label is the
// platform's it knows by itself.
func trackingMissing(o *order.Order, at time.Time) (by time.Time, missing bool) {
	without := o.Status == order.InTransit && len(o.Parcels) == 0
	for _, p := range o.Parcels {
		without = without || p.Tracking == ""
	}
	if !without {
		return by, false
	}
	return trackingWanted(o, at)
}

// trackingWanted says by when an order must have a tracking number on its channel; false: nobody has to enter one, or nobody can any more.
func trackingWanted(o *order.Order, at time.Time) (by time.Time, wanted bool) {
	if o.Fulfilment == order.ByPlatform || o.Flags.PlatformLabel || o.Status.Terminal() || o.Status == order.Delivered {
		return by, false
	}
	if o.Status == order.InTransit && at.Sub(o.Moments.HandedOverAt) > leftLately {
		return by, false
	}
	by = o.Deadlines.ShipBy
	if by.IsZero() || (!o.Deadlines.HandOverBy.IsZero() && o.Deadlines.HandOverBy.Before(by)) {
		by = o.Deadlines.HandOverBy
	}
	return by, !by.IsZero()
}

// shopNames are what people call connections.
func shopNames(tx *store.Tx) (map[string]string, error) {
	conns, err := tx.ConnectionList()
	out := make(map[string]string, len(conns))
	for _, c := range conns {
		out[c.ID] = nameOf(c)
	}
	return out, err
}

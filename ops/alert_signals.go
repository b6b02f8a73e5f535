package ops

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spillway/spillway/connector/driver"
	"github.com/spillway/spillway/domain/alert"
	"github.com/spillway/spillway/store"
)

// What counts as wrong. Where a number is the channel's or the policy's it says so; the others are ours.
const (
	// inboxOld is how long a message may wait; one takes milliseconds.
	inboxOld = 5 * time.Minute
	// pushesOf the last pushTime without one that was taken, fewPushes at least, mean that nothing is told.
	pushTime, fewPushes = 10 * time.Minute, 5
	// driftOld is how long another number may stand: the repair takes seconds.
	driftOld, driftShown = 5 * time.Minute, 500
	// answersShown bounds the requests of buyers that are looked at.
	answersShown = 1_000
	// answersPast is how long ago the first answer of an order may have been due for a later one of the same order to be found.
	answersPast = 7 * 24 * time.Hour
	// Below fewOrders a day nothing is a spike.
	fewOrders = 20
	// usualDays make the average, youngDays of them at least; it is read again every usualEvery, today's orders every spikeEvery.
	usualDays, youngDays   = 28, 3
	usualEvery, spikeEvery = time.Hour, time.Minute
	// day is the period of the average.
	day = 24 * time.Hour
)

// look asks all sources what is wrong. What could not be asked is not taken to be gone.
func (x *Ops) look(ctx context.Context, at time.Time) alert.Seen {
	seen := alert.Seen{Blind: map[alert.Kind]bool{}}
	var c alert.Config
	if err := x.st.View(ctx, func(tx *store.Tx) (err error) { c, _, err = alertConfig(tx, at); return err }); err != nil {
		x.complain(err, "the rules of alerts cannot be read")
		return alert.Seen{AllBlind: true}
	}
	own := []signalSource{
		{func(ctx context.Context) ([]alert.Signal, error) { return x.connectionSignals(ctx, &c, at) },
			[]alert.Kind{alert.ConnectionDown, alert.TokenExpiry, alert.PushStuck, alert.Drift, alert.Upkeep}},
		{func(ctx context.Context) ([]alert.Signal, error) { return x.inboxSignals(ctx, at) }, []alert.Kind{alert.InboxStuck}},
		{func(ctx context.Context) ([]alert.Signal, error) { return x.orderSignals(ctx, &c, at) }, []alert.Kind{alert.CancelAnswer, alert.RefundAnswer, alert.LateOrders, alert.Short}},
		{func(ctx context.Context) ([]alert.Signal, error) { return x.trackingSignals(ctx, &c, at) }, []alert.Kind{alert.TrackingUpload}},
		{func(ctx context.Context) ([]alert.Signal, error) { return x.stuckSignals(ctx, &c, at) }, []alert.Kind{alert.StuckParcel, alert.CarrierUnheard}},
		{func(ctx context.Context) ([]alert.Signal, error) { return x.keptSignals(ctx, at) }, []alert.Kind{alert.KeptStock}},
		{func(ctx context.Context) ([]alert.Signal, error) { return x.stockSignals(ctx, &c, at) }, []alert.Kind{alert.StockAhead}},
		{func(ctx context.Context) ([]alert.Signal, error) {
			got, blind, err := x.healthSignals(ctx, at)
			for _, k := range blind {
				seen.Blind[k] = true
			}
			return got, err
		}, healthKinds},
		{func(ctx context.Context) ([]alert.Signal, error) { return x.spikeSignals(ctx, &c, at) }, []alert.Kind{alert.OrderSpike}},
		{func(ctx context.Context) ([]alert.Signal, error) { return x.houseSignals(ctx, at) }, []alert.Kind{alert.Upkeep, alert.Ledger, alert.Notify}},
	}
	x.alerts.mu.Lock()
	all := append(own, x.alerts.sources...)
	x.alerts.mu.Unlock()
	for n, s := range all {
		got, err := s.read(ctx)
		seen.Signals = append(seen.Signals, got...)
		if err == nil {
			continue
		}
		x.complain(err, "a source of alerts could not be asked")
		for _, k := range s.kinds {
			seen.Blind[k] = true
		}
		seen.AllBlind = seen.AllBlind || len(s.kinds) == 0
		seen.Signals = append(seen.Signals, alert.Signal{Cause: alert.Cause{Kind: alert.Upkeep, Subject: fmt.Sprint("source ", n)}, Text: "A part of what is watched cannot be looked at.",
			Next: "Look into the log for the reason."})
	}
	return seen
}

// connectionSignals looks at the channels.
func (x *Ops) connectionSignals(ctx context.Context, rules *alert.Config, at time.Time) (out []alert.Signal, err error) {
	err = x.st.View(ctx, func(tx *store.Tx) error {
		out = nil
		conns, err := tx.ConnectionList()
		if err != nil {
			return err
		}
		pushes, err := tx.PushesEnded(at.Add(-pushTime))
		if err != nil {
			return err
		}
		wrong, err := x.drifted(tx, at)
		if err != nil {
			return err
		}
		grants, err := tx.GrantList()
		if err != nil {
			return err
		}
		for _, c := range conns {
			if c.State == store.Paused {
				continue
			}
			out = append(out, x.connectionSignal(c)...)
			out = append(out, pushSignal(c, pushes[c.ID])...)
			out = append(out, x.caseSignal(c)...)
			if n := wrong[c.ID]; n > 0 {
				out = append(out, alert.Signal{Cause: alert.Cause{Kind: alert.Drift, Subject: c.ID}, Shop: c.ID, Text: fmt.Sprintf("%s shows other numbers than it was told on %s.", nameOf(c), plural(n, "listing", "listings")),
					Next: "Look whether somebody changes them on the channel.", Figures: []alert.Figure{{Name: "listings", Value: n}}})
			}
		}
		for _, g := range grants {
			out = append(out, tokenSignal(g, rules.Rule(alert.TokenExpiry), at)...)
		}
		return nil
	})
	return out, err
}

// drifted counts by shop the listings that have shown another number for longer than a repair takes, and are still to be put right.
func (x *Ops) drifted(tx *store.Tx, at time.Time) (map[string]int64, error) {
	drifts, err := tx.DriftList(0, driftShown)
	if err != nil {
		return nil, err
	}
	found := map[string]time.Time{} // when first
	for _, d := range drifts {
		if d.RepairedAt.IsZero() && at.Sub(d.FoundAt) > driftOld {
			found[d.ListingID] = d.FoundAt
		}
	}
	out, cat := map[string]int64{}, x.catalog.Load()
	if len(found) == 0 {
		return out, nil
	}
	set, err := x.loadBooks(tx, slices.Collect(maps.Keys(found)))
	if err != nil {
		return nil, err
	}
	for id, b := range set.Books {
		// A repair that is refused goes on being one. Of a number that happens to be the right one nothing is told, so that is believed after a day.
		if !b.RetryAt.IsZero() || b.Repair && at.Sub(found[id]) < day {
			out[cat.listings[id].ConnectionID]++
		}
	}
	return out, nil
}

func nameOf(c store.Connection) string { return cmp.Or(c.Name, c.ID) }

func (x *Ops) connectionSignal(c store.Connection) []alert.Signal {
	s := alert.Signal{Cause: alert.Cause{Kind: alert.ConnectionDown, Subject: c.ID}, Shop: c.ID, Severity: alert.Critical, Next: "Connect it again on the connections page."}
	r, said := x.report(c.ID)
	switch {
	case c.State == store.NeedsLogin:
		s.Text, s.At = nameOf(c)+" refuses our login: no orders are read and no numbers told.", c.UpdatedAt
	case c.State == store.Withdrawn:
		s.Text, s.At = "The seller has withdrawn the consent for "+nameOf(c)+".", c.UpdatedAt
	case !said && !x.keeper.elsewhere(c.ID):
		s.Text, s.Next = nameOf(c)+" is connected but not at work.", "Look into the log, then restart."
	case said && r.Failing != "":
		s.At = r.FailingAt
		s.Text, s.Next = nameOf(c)+" does not answer.", "It is tried again and again; if it stays away, lower what is on sale there by hand."
	default:
		return nil
	}
	return []alert.Signal{s}
}

// caseSignal says that nobody would hear of requests whose answer is due.
func (x *Ops) caseSignal(c store.Connection) []alert.Signal {
	r, said := x.report(c.ID)
	if !said || r.Cases == "" {
		return nil
	}
	return []alert.Signal{{Cause: alert.Cause{Kind: alert.Upkeep, Subject: "requests " + c.ID}, Shop: c.ID, Text: fmt.Sprintf("Until when buyers' requests want an answer cannot be read from %s: %s.", nameOf(c), strings.TrimSuffix(r.Cases, ".")),
		Next: "Give the app the permission to read returns and cancellations, and connect the shop again."}}
}

func pushSignal(c store.Connection, outcomes map[string]int64) []alert.Signal {
	var all int64
	for _, n := range outcomes {
		all += n
	}
	if all < fewPushes || outcomes[string(driver.Confirmed)] > 0 {
		return nil
	}
	return []alert.Signal{{Cause: alert.Cause{Kind: alert.PushStuck, Subject: c.ID}, Shop: c.ID, Text: fmt.Sprintf("%s took none of the %d numbers it was told in %s.", nameOf(c), all, pushTime),
		Next: "Read the errors on the connection's page.", Figures: []alert.Figure{{Name: "numbers not taken", Value: all}}}}
}

// tokenSignal speaks of a consent that ends. Its seller is the shop's own name on the channel.
func tokenSignal(g store.Grant, rule alert.Rule, at time.Time) []alert.Signal {
	left := g.RefreshExpiresAt.Sub(at)
	grade, _, any := rule.Grade(int64(left/time.Second), 0)
	if g.RefreshExpiresAt.IsZero() || (left > tokenSoon && !any) {
		return nil
	}
	s := alert.Signal{Cause: alert.Cause{Kind: alert.TokenExpiry, Subject: g.ID}, Severity: alert.Info, Next: "Ask the seller to agree again on the connections page.",
		Text: fmt.Sprintf("The login of %s ends on %s.", g.SellerName, g.RefreshExpiresAt.Format(time.DateOnly)), Figures: []alert.Figure{{Name: "days left", Value: int64(left / day)}}}
	if any {
		s.Severity = grade
	}
	return []alert.Signal{s}
}

// inboxSignals looks at messages that are not taken in.
func (x *Ops) inboxSignals(ctx context.Context, at time.Time) (out []alert.Signal, err error) {
	err = x.st.ViewInbox(ctx, func(tx *store.InboxTx) error {
		out = nil
		lag, err := tx.InboxLag()
		if err != nil {
			return err
		}
		for _, l := range lag {
			if old := at.Sub(l.Oldest); l.Pending > 0 && old > inboxOld {
				out = append(out, alert.Signal{Cause: alert.Cause{Kind: alert.InboxStuck, Subject: l.ConnectionID}, Shop: l.ConnectionID, Severity: alert.Critical, At: l.Oldest,
					Text: fmt.Sprintf("%s of %s wait to be taken in.", plural(l.Pending, "message", "messages"), cmp.Or(l.ConnectionID, "an unknown shop")), Next: "Look at the connection's page and into the log.",
					Figures: []alert.Figure{{Name: "messages", Value: l.Pending}}})
			}
		}
		n, err := tx.InboxCounts()
		if p := n[store.InboxParked]; p > 0 {
			out = append(out, alert.Signal{Cause: alert.Cause{Kind: alert.InboxStuck, Subject: "parked"}, Severity: alert.Warning, Text: fmt.Sprintf("%s could not be understood.", plural(p, "message", "messages")),
				Next: "Read why on the problems page, and try them again once the cause is gone.", Figures: []alert.Figure{{Name: "messages", Value: p}}})
		}
		return err
	})
	return out, err
}

// orderSignals looks at open orders.
func (x *Ops) orderSignals(ctx context.Context, rules *alert.Config, at time.Time) (out []alert.Signal, err error) {
	err = x.st.View(ctx, func(tx *store.Tx) error {
		out = nil
		asked, err := tx.OrdersCancelOpen(answersShown)
		if err != nil {
			return err
		}
		names, err := shopNames(tx)
		if err != nil {
			return err
		}
		out = append(out, cancelSignals(asked, rules.Rule(alert.CancelAnswer), names, at)...)
		refund := rules.Rule(alert.RefundAnswer)
		due, err := tx.OrdersAnswerDue(at.Add(-answersPast), at.Add(time.Duration(max(refund.Warn, refund.Critical))*time.Second), answersShown)
		if err != nil {
			return err
		}
		out = append(out, refundSignals(due, refund, names, at)...)
		statuses := make([]string, len(openStatuses))
		for i, s := range openStatuses {
			statuses[i] = string(s)
		}
		slack, err := tx.OrderSlack(statuses, at, at, at)
		if err != nil {
			return err
		}
		var late int64
		for _, s := range slack {
			late += s.Late
		}
		if late > 0 {
			by, err := tx.OrdersLate(statuses, at)
			if err != nil {
				return err
			}
			for _, shop := range sortedKeys(by) {
				first, err := firstLate(tx, shop)
				if err != nil {
					return err
				}
				out = append(out, alert.Signal{Cause: alert.Cause{Kind: alert.LateOrders, Subject: shop}, Shop: shop, At: first, Text: fmt.Sprintf("%s: %s passed the deadline.", cmp.Or(names[shop], shop), plural(by[shop], "order has", "orders have")),
					Next: "Pack what can still go, answer the others.", Figures: []alert.Figure{{Name: "orders past a deadline", Value: by[shop]}}})
			}
		}
		shorts, err := x.shortSignals(tx, names, at)
		out = append(out, shorts...)
		return err
	})
	return out, err
}

// firstLate is the earliest deadline that an open order of a shop has; zero: none has one.
func firstLate(tx *store.Tx, shop string) (first time.Time, err error) {
	for _, s := range openStatuses {
		places, err := tx.PlacesByDue(shop, s, store.DuePlace{}, 1)
		if err != nil {
			return first, err
		}
		if len(places) == 1 && (first.IsZero() || places[0].Due.Before(first)) {
			first = places[0].Due
		}
	}
	return first, nil
}

// usualOrders is how many orders shops have on an average day.
type usualOrders struct {
	at, today time.Time
	average   map[string]int64 // in thousandths; a shop too young has none
	last      map[string]int64 // in the last 24 hours
}

// spikeSignals compares the orders of the last 24 hours with the daily average of the four weeks before them.
func (x *Ops) spikeSignals(ctx context.Context, rules *alert.Config, at time.Time) ([]alert.Signal, error) {
	u := &x.alerts.usual // only the alert loop asks
	if at.Sub(u.today) >= spikeEvery || u.last == nil {
		if err := x.st.View(ctx, func(tx *store.Tx) error { return u.read(tx, at) }); err != nil {
			return nil, err
		}
	}
	limits := rules.Rule(alert.OrderSpike).Limits()
	margin := limits[0].Value / 3 // there is one at least, see Rule.Check
	var out []alert.Signal
	for shop, n := range u.last {
		usual := u.average[shop]
		if usual == 0 || n < fewOrders {
			continue
		}
		times := n * 1_000_000 / usual
		r := alert.Reading{Figure: alert.Figure{Name: "times the daily average", Value: times, Unit: alert.Times}, Margin: margin, Limits: limits}
		s, any := r.Signal(alert.Signal{Cause: alert.Cause{Kind: alert.OrderSpike, Subject: shop}, Shop: shop, Next: "Follow the tasks of the runbook.",
			Text:    fmt.Sprintf("%s had %s in 24 hours, %d.%d times as many as on a usual day.", shop, plural(n, "order", "orders"), times/1000, times%1000/100),
			Figures: []alert.Figure{{Name: "orders in 24 hours", Value: n}, {Name: "on a usual day", Value: usual / 1000}}})
		if any {
			out = append(out, s)
		}
	}
	return out, nil
}

func (u *usualOrders) read(tx *store.Tx, at time.Time) (err error) {
	if u.last, err = tx.OrdersByShop(at.Add(-day), at.Add(clockSkew)); err != nil {
		return err
	}
	u.today = at
	if at.Sub(u.at) < usualEvery {
		return nil
	}
	conns, err := tx.ConnectionList()
	if err != nil {
		return err
	}
	until := at.Add(-day)
	before, err := tx.OrdersByShop(until.Add(-usualDays*day), until)
	if err != nil {
		return err
	}
	u.average = map[string]int64{}
	for _, c := range conns {
		// The history of a shop is read when it is connected: it counts, though the connection is young.
		days := int64(min(until.Sub(c.CreatedAt)/day, usualDays))
		if before[c.ID] > 0 && days < usualDays {
			first, err := tx.OrdersByShop(until.Add(-usualDays*day), c.CreatedAt)
			if err != nil {
				return err
			}
			if first[c.ID] > 0 {
				days = usualDays
			}
		}
		if days >= youngDays {
			u.average[c.ID] = before[c.ID] * 1000 / days
		}
	}
	u.at = at
	return nil
}

// houseSignals looks at the database, the proof of the ledger, and the messages themselves.
func (x *Ops) houseSignals(ctx context.Context, at time.Time) (out []alert.Signal, err error) {
	if p := x.proven.Load(); p != nil && (len(p.Ledger) > 0 || len(p.Books) > 0) {
		out = append(out, alert.Signal{Cause: alert.Cause{Kind: alert.Ledger, Subject: "all"}, Text: "The journal does not add up to the balances.",
			Next: "Run “spillway doctor” and keep a backup before anything else.", Figures: []alert.Figure{{Name: "differences", Value: int64(len(p.Ledger) + len(p.Books))}}})
	}
	err = x.st.View(ctx, func(tx *store.Tx) error {
		u, err := lastUpkeep(tx)
		if err != nil {
			return err
		}
		s := alert.Signal{Cause: alert.Cause{Kind: alert.Upkeep, Subject: "database"}, Next: "Run “spillway maintain” and see what it says."}
		switch {
		case u.Failed != "":
			s.Text = "The database could not be kept in shape: " + u.Failed
			out = append(out, s)
		case !u.At.IsZero() && at.Sub(u.At) > upkeepLate:
			s.Text = "The database was last kept in shape on " + u.At.Format(time.DateOnly) + "."
			out = append(out, s)
		}
		targets, err := tx.TargetList()
		if err != nil {
			return err
		}
		for _, t := range targets {
			last, err := tx.DeliveriesOf(t.ID, 1)
			if err != nil {
				return err
			}
			if len(last) == 1 && last[0].State == store.DeliveryFailed && at.Sub(last[0].EndedAt) < day {
				out = append(out, alert.Signal{Cause: alert.Cause{Kind: alert.Notify, Subject: t.ID}, Text: fmt.Sprintf("%s could not be told: %s.", t.Name, last[0].Error),
					Next: "Test it on the alerts page, and enter its address anew."})
			}
		}
		return nil
	})
	return out, err
}

package ops

import (
	"cmp"
	"context"
	"strings"
	"time"

	"github.com/spillway/spillway/domain/alert"
	"github.com/spillway/spillway/domain/order"
	"github.com/spillway/spillway/domain/tracking"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/store"
)

const (
	// stuckEvery is how often stuck parcels are read: what is stuck is stuck for hours.
	stuckEvery = time.Minute
	// stuckRead bounds those read at once, the longest stuck first: incidents name 200 of a kind and count the others.
	stuckRead = 1_000
	// scanSoon is how near a deadline must be for a missing first scan to wake somebody: without a scan the order counts as dispatched late.
	scanSoon = 24 * time.Hour
)

// stuckParcels is what the last reading found.
type stuckParcels struct {
	at  time.Time
	all []alert.Signal
}

// stuckSignals are of parcels of which nothing was heard for too long, and of accounts that were not heard themselves. Which those are is a time in each
// parcel's row, with an index: nobody goes through the others.
func (x *Ops) stuckSignals(ctx context.Context, rules *alert.Config, at time.Time) ([]alert.Signal, error) {
	u := &x.alerts.stuck // only the alert loop asks
	// Where one of them alone is off, its signals are left out by whoever makes incidents of them.
	if rules.Rule(alert.StuckParcel).Off && rules.Rule(alert.CarrierUnheard).Off {
		*u = stuckParcels{}
		return nil, nil
	}
	if !u.at.IsZero() && at.Sub(u.at) < stuckEvery {
		return u.all, nil
	}
	var out []alert.Signal
	err := x.st.View(ctx, func(tx *store.Tx) error {
		out = nil
		rows, err := tx.ShipmentsStuck("", at, stuckRead)
		if err != nil {
			return err
		}
		orders, err := ordersIn(tx, rows)
		if err != nil {
			return err
		}
		names, err := shopNames(tx)
		if err != nil {
			return err
		}
		accounts, err := x.hearing(tx)
		if err != nil {
			return err
		}
		unheard := map[string]int64{}
		for i := range rows {
			switch f, _ := accounts.watch(&rows[i], at); {
			case f.Stuck:
				out = append(out, stuckSignal(&rows[i], orders[rows[i].Orders[0]], f, names, at))
			case f.Unheard:
				unheard[rows[i].Account]++
			}
		}
		out = append(out, accounts.unheardSignals(unheard, at)...)
		return nil
	})
	if err == nil {
		u.at, u.all = at, out
	}
	return out, err
}

// ordersIn reads the first order of each parcel.
func ordersIn(tx *store.Tx, rows []store.Shipment) (map[string]*order.Order, error) {
	var ids []string
	for i := range rows {
		ids = append(ids, rows[i].Orders[0])
	}
	out := map[string]*order.Order{}
	for part := range chunks(unique(ids), resultBatch) {
		got, err := tx.OrdersGet(part)
		if err != nil {
			return nil, err
		}
		for i := range got {
			out[got[i].ID] = &got[i]
		}
	}
	return out, nil
}

// stuckSignal is one parcel's. o is nil where the order is not known any more.
func stuckSignal(s *store.Shipment, o *order.Order, f tracking.Finding, names map[string]string, at time.Time) alert.Signal {
	out := alert.Signal{Cause: alert.Cause{Kind: alert.StuckParcel, Subject: s.ID}, Shop: s.ConnectionID, Node: s.Node, Order: s.Orders[0], Severity: alert.Warning, Next: stuckNext[f.Trouble]}
	name, by := s.Orders[0], s.Due
	if o != nil {
		name = numberOf(o)
		by = order.NextDue(o).At
	}
	carrier := cmp.Or(s.Label.Carrier, s.Carrier, "the carrier")
	out.Text = cmp.Or(names[s.ConnectionID], s.ConnectionID) + ", order " + name + ", parcel … " + tail(s.Label.Tracking) + " with " + carrier + ". " + f.Why
	if !by.IsZero() {
		out.Text += " The order’s next deadline is " + utcTime(by) + " UTC."
	}
	switch {
	case f.Trouble == tracking.ComesBack:
		out.Severity = alert.Info
	case f.Trouble == tracking.NoFirstScan && by.After(at) && by.Sub(at) <= scanSoon:
		out.Severity = alert.Critical
	}
	return out
}

// stuckNext says what to do about a parcel. What became of it is said on its order's page.
var stuckNext = map[tracking.Trouble]string{
	tracking.NoFirstScan: "Look whether it is still in the building, then ask the carrier for a scan; the order’s page has its number.",
	tracking.Silent:      "Ask the carrier to look for it. When it is lost, claim it, send it again or refund it, and say so on the order’s page.",
	tracking.Overdue:     "Tell the buyer, and ask the carrier where it is; on the order’s page say what became of it.",
	tracking.VanTooLong:  "Ask the carrier whether it came back from the van; on the order’s page say what became of it.",
	tracking.NotRetried:  "Ask the carrier to try again, or the buyer for a better address; the order’s page has its number.",
	tracking.NotFetched:  "Remind the buyer before it goes back; the order’s page has its number.",
	tracking.NotSolved:   "Ask the carrier what it needs; the order’s page has its number.",
	tracking.ComesBack:   "Ask the buyer whether to send it again, and look out for it; on the order’s page say what became of it.",
}

// EventSettled says that a person has said what became of a stuck parcel.
const EventSettled = "order.parcel_settled"

// SettleParcel says what became of a parcel of which nothing was heard: it is not waited for any more, until something is heard of it. Errors: NotFound,
// Invalid (without a reason), Conflict (nothing is waited for).
func (x *Ops) SettleParcel(ctx context.Context, id, actor, why string) error {
	const op = "ops.SettleParcel"
	if why = strings.TrimSpace(why); why == "" || len(why) > maxReason {
		return errs.New(errs.Invalid, op, "why", "say what became of it, in 1 to %d characters", maxReason)
	}
	var orders []string
	err := x.st.Update(ctx, func(tx *store.Tx) error {
		s, err := tx.ShipmentGet(id)
		if err != nil {
			return err
		}
		if err := s.Settle(tx.Now(), actor, why); err != nil {
			return err
		}
		if err := tx.ShipmentsSave([]store.Shipment{s}); err != nil {
			return err
		}
		orders = s.Orders
		var events []store.Event
		for _, o := range s.Orders {
			events = append(events, store.Event{At: tx.Now(), Kind: EventSettled, Subject: o, Data: jsonOf(map[string]any{"by": actor, "shipment": id, "said": why})})
		}
		return tx.EventsAppend(events)
	})
	if err == nil {
		for _, o := range orders {
			x.live.notify("order:" + o)
		}
		x.live.notify(topicShipments)
	}
	return errs.Wrap(op, id, err)
}

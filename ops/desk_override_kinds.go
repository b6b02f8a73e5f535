package ops

import (
	"context"
	"fmt"
	"hash/fnv"
	"slices"
	"strings"
	"time"

	"github.com/spillway/spillway/domain/order"
	"github.com/spillway/spillway/domain/policy"
	"github.com/spillway/spillway/domain/policy/calendar"
	"github.com/spillway/spillway/ops/view"
	"github.com/spillway/spillway/store"
)

const (
	// ruleClosure is the rule of a draft for days that are no business days: there is none of it in the channel's rules to name.
	ruleClosure = "closure"
	// movedMost bounds the waiting orders a preview looks at for deadlines that move, those due first.
	movedMost = 5_000
)

// fillOverride puts into an override what a draft asks of a rule.
func fillOverride(o *policy.Override, rs *policy.RuleSet, l *policy.Line, a view.OverrideDraft, span policy.Span) error {
	switch l.Section {
	case "bands":
		b, err := bandOf(rs, l, a.Value)
		if err != nil {
			return err
		}
		b.ID, b.Span = "", span
		o.Band = &b
	case "rates":
		r, err := rs.Rates[slices.IndexFunc(rs.Rates, func(r policy.Rate) bool { return r.ID == l.ID })].Counted(a.Value)
		if err != nil {
			return err
		}
		r.ID, r.Span = ownID(a.ID), span
		o.Rate = &r
	default:
		r := rs.DeadlineRules[slices.IndexFunc(rs.DeadlineRules, func(r policy.DeadlineRule) bool { return r.ID == l.ID })]
		var err error
		if r.Period, err = policy.ParsePeriod(strings.TrimSpace(a.Value)); err != nil {
			return err
		}
		r.ID, r.Span = ownID(a.ID), span
		o.Deadline = &r
	}
	return nil
}

// ownID is the id of a deadline or a rate an operator sets; figures of a rate are kept under it.
func ownID(draft string) string {
	h := fnv.New64a()
	h.Write([]byte(draft))
	return fmt.Sprintf("own-%016x", h.Sum64())
}

// closureOf is the closure a draft asks for. The error says what is wrong with it.
func closureOf(a view.OverrideDraft, span policy.Span) (*calendar.Closure, error) {
	c := calendar.Closure{Span: span, Name: strings.TrimSpace(a.Value)}
	if span.Until == 0 {
		return nil, fmt.Errorf("say from which day on it is business as usual again")
	}
	return &c, c.Check()
}

// bandOf is a limit with another value: "5 %", "5 %, paused", or "paused".
func bandOf(rs *policy.RuleSet, l *policy.Line, value string) (b policy.Band, err error) {
	k := slices.IndexFunc(rs.Bands, func(b policy.Band) bool {
		return b.Metric == l.Metric && b.Kind == l.Kind && b.Span == l.Span && !b.Announced
	})
	b = rs.Bands[k]
	text := strings.ToLower(strings.TrimSpace(value))
	text, b.Paused = strings.CutSuffix(text, "paused")
	text = strings.TrimRight(text, " ,")
	for _, lead := range []string{"at most", "at least", "below"} {
		text = strings.TrimSpace(strings.TrimPrefix(text, lead))
	}
	if text == "" && b.Paused {
		return b, nil
	}
	b.Limit, err = policy.ParsePPM(text)
	return b, err
}

// compareDeadlines adds to a preview what other rules make of the deadlines of orders that wait. Those whose deadline the channel tells keep it.
func (d *Desk) compareDeadlines(ctx context.Context, v *view.Preview, m marketNow, then *policy.RuleSet) error {
	return d.look(ctx, "ops.PreviewOverride", m.Market.Market, func(tx *store.Tx) error {
		ch, err := readChannels(tx)
		if err != nil {
			return err
		}
		rows, err := tx.OrdersOfStatus(order.AwaitingShipment, movedMost)
		if err != nil {
			return err
		}
		all, later, sooner := map[string]int64{}, map[string]int64{}, map[string]int64{}
		for part := range slices.Chunk(rows, readPage) {
			ids := make([]string, len(part))
			for i, r := range part {
				ids[i] = r.ID
			}
			orders, err := tx.OrdersGet(ids)
			if err != nil {
				return err
			}
			for i := range orders {
				o := &orders[i]
				all[o.ConnectionID]++
				switch by := dispatchDue(then, o).Sub(dispatchDue(m.rules, o)); {
				case by > 0:
					later[o.ConnectionID]++
				case by < 0:
					sooner[o.ConnectionID]++
				}
			}
		}
		for _, shop := range m.shops {
			if l, s := later[shop], sooner[shop]; l+s > 0 {
				v.Changes = append(v.Changes, view.Change{What: ch.of(shop) + ", dispatch deadlines", From: fmt.Sprintf("of %s that wait", plural(all[shop], "order", "orders")),
					To: fmt.Sprintf("%d later, %d sooner", l, s), Why: "where the channel tells a deadline itself, that one stays"})
			}
		}
		if len(rows) == movedMost {
			v.Warnings = append(v.Warnings, fmt.Sprintf("Deadlines were compared for the %d waiting orders that are due first.", movedMost))
		}
		return nil
	})
}

// dispatchDue is by when an order must have left: with the carrier, or arranged where only that is asked.
func dispatchDue(rs *policy.RuleSet, o *order.Order) time.Time {
	due := rs.Deadlines(o)
	if due.HandOverBy.IsZero() {
		return due.ShipBy
	}
	return due.HandOverBy
}

package ops

import (
	"context"
	"time"

	"github.com/spillway/spillway/domain/health"
	"github.com/spillway/spillway/domain/policy"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/store"
)

// ShopRates is how a shop stands in every metric on a day.
type ShopRates struct {
	Connection store.Connection
	Rules      *policy.RuleSet // nil: its channel has no rules for its market, and nothing else is known
	Day        policy.Day
	Standings  []health.Standing // in the order of policy.Metrics
	// Counted is when all orders were last counted by these rules; zero: not yet, and Standings hold what has come in since they hold.
	Counted time.Time
	// Counting is how many orders a count that runs now has been through.
	Counting int64
	AsOf     time.Time
}

// Rates is how the connected shops stand on the day of a moment in their markets' zones, or now if it is zero; a connection's id narrows it to that
// one. Errors: NotFound.
func (x *Ops) Rates(ctx context.Context, connection string, at time.Time) (out []ShopRates, err error) {
	if at.IsZero() {
		at = x.now()
	}
	err = x.st.View(ctx, func(tx *store.Tx) error {
		conns, err := tx.ConnectionList()
		if err != nil {
			return err
		}
		out = nil
		for _, c := range conns {
			if connection != "" && c.ID != connection {
				continue
			}
			r, err := x.ratesOf(tx, c, at)
			if err != nil {
				return err
			}
			out = append(out, r)
		}
		return nil
	})
	if err == nil && connection != "" && len(out) == 0 {
		err = errs.New(errs.NotFound, "ops.Rates", connection, "there is no such shop")
	}
	return out, errs.Wrap("ops.Rates", connection, err)
}

func (x *Ops) ratesOf(tx *store.Tx, c store.Connection, at time.Time) (ShopRates, error) {
	rules := x.rules.Load()
	out := ShopRates{Connection: c, AsOf: tx.Now(), Counting: x.counting.Load()}
	last, imported, err := lastCount(tx)
	if err != nil {
		return out, err
	}
	if last.holds(rules, c.ID, imported) {
		out.Counted = last.At
	}
	j := rules.of[c.ID]
	if j == nil {
		return out, nil
	}
	out.Rules, out.Day = j.rules, policy.DayOf(at, j.rules.Location())
	out.Standings, err = standings(tx, j.rules, c.ID, out.Day)
	return out, err
}

// standings are all metrics of a shop on a day, read at once.
func standings(tx *store.Tx, rules *policy.RuleSet, connection string, day policy.Day) (out []health.Standing, err error) {
	var keys []string
	first, last := day, policy.Day(0)
	for _, m := range policy.Metrics {
		if r, ok := rules.RateOn(m, day); ok {
			end := day - policy.Day(r.Lag)
			keys = append(keys, health.Key(rules, r))
			first, last = min(first, end-policy.Day(r.Days)+1), max(last, end)
		}
	}
	all, err := tx.HealthDaysOf(connection, keys, first, last)
	if err != nil {
		return nil, err
	}
	for _, m := range policy.Metrics {
		out = append(out, health.Figure(rules, m, day, func(key string) health.Series { return all[key] }))
	}
	return out, nil
}

// standing is a metric of a shop on a day.
func standing(tx *store.Tx, rules *policy.RuleSet, connection string, m policy.Metric, day policy.Day) (s health.Standing, err error) {
	r, ok := rules.RateOn(m, day)
	if !ok {
		return health.Figure(rules, m, day, nil), nil
	}
	s = health.Figure(rules, m, day, func(key string) (days health.Series) {
		last := day - policy.Day(r.Lag)
		days, err = tx.HealthDays(connection, key, last-policy.Day(r.Days)+1, last)
		return days
	})
	return s, err
}

// trend is a metric of a shop on each day from first to last, each by the definition of its day.
func trend(tx *store.Tx, rules *policy.RuleSet, connection string, m policy.Metric, first, last policy.Day) (out []health.Standing, err error) {
	reach := policy.Day(0)
	for _, r := range rules.Rates {
		if r.Metric == m {
			reach = max(reach, policy.Day(r.Lag+r.Days))
		}
	}
	out = health.Trend(rules, m, first, last, func(key string) health.Series {
		days, failed := tx.HealthDays(connection, key, first-reach, last)
		if failed != nil {
			err = failed
		}
		return days
	})
	return out, err
}

// Trend is how a connected shop stood in a metric on each day from first to last, each by the definition of its day. Errors: NotFound (no such
// shop, or its channel has no rules for its market).
func (x *Ops) Trend(ctx context.Context, connection string, m policy.Metric, first, last policy.Day) (out []health.Standing, err error) {
	j := x.rules.Load().of[connection]
	if j == nil {
		return nil, errs.New(errs.NotFound, "ops.Trend", connection, "no rules are known by which this shop is judged")
	}
	err = x.st.View(ctx, func(tx *store.Tx) error {
		out, err = trend(tx, j.rules, connection, m, first, last)
		return err
	})
	return out, errs.Wrap("ops.Trend", connection, err)
}

// Outlook is what was last foreseen of a shop; false: nothing yet.
func (x *Ops) Outlook(ctx context.Context, connection string) (o Outlook, found bool, err error) {
	err = x.st.View(ctx, func(tx *store.Tx) (err error) {
		o, found, err = outlookOf(tx, connection)
		return err
	})
	return o, found, errs.Wrap("ops.Outlook", connection, err)
}

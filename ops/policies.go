package ops

import (
	"context"
	"slices"

	"github.com/spillway/spillway/connector/driver"
	"github.com/spillway/spillway/domain/health"
	"github.com/spillway/spillway/domain/order"
	"github.com/spillway/spillway/domain/policy"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/store"
)

// Market is a market of a vendor that ships rules for it.
type Market struct {
	Vendor, Title string
	Market        string
}

// Markets are the markets of vendors that ship rules, in the order of vendors and of their lists.
func Markets(vendors []driver.Vendor) (out []Market) {
	for _, v := range vendors {
		d := v.Describe()
		for _, p := range d.Policies {
			out = append(out, Market{Vendor: d.Vendor, Title: d.Title, Market: p.Market})
		}
	}
	return out
}

// ShippedRules are a market's rules as its vendor ships them. Errors: NotFound.
func ShippedRules(vendors []driver.Vendor, m Market) (*policy.RuleSet, error) {
	x := Ops{vendors: map[string]driver.Vendor{}}
	for _, v := range vendors {
		x.vendors[v.Describe().Vendor] = v
	}
	return x.shipped(m)
}

// RulesIn are a market's rules with the overrides in a database that nothing need run on. Errors: NotFound.
func RulesIn(ctx context.Context, st *store.Store, vendors []driver.Vendor, m Market) (*policy.RuleSet, error) {
	x := Ops{vendors: map[string]driver.Vendor{}, st: st}
	for _, v := range vendors {
		x.vendors[v.Describe().Vendor] = v
	}
	return x.Rules(ctx, m)
}

func (x *Ops) shipped(m Market) (*policy.RuleSet, error) {
	j, err := x.rulesOf(m.Vendor, m.Market, nil)
	if err == nil && j == nil {
		err = errs.New(errs.NotFound, "ops.Rules", m.Market, "There are no rules for the market %s.", m.Market)
	}
	if err != nil {
		return nil, err
	}
	return j.rules, nil
}

// Rules are a market's rules with the operator's overrides. Errors: NotFound.
func (x *Ops) Rules(ctx context.Context, m Market) (*policy.RuleSet, error) {
	rows, err := x.overrides(ctx)
	if err != nil {
		return nil, err
	}
	j, err := x.rulesOf(m.Vendor, m.Market, rows)
	if err == nil && j == nil {
		err = errs.New(errs.NotFound, "ops.Rules", m.Market, "There are no rules for the market %s.", m.Market)
	}
	if err != nil {
		return nil, err
	}
	return j.rules, nil
}

// overrides are those that have not been ended.
func (x *Ops) overrides(ctx context.Context) (rows []store.PolicyOverride, err error) {
	err = x.st.View(ctx, func(tx *store.Tx) error {
		rows, err = tx.PolicyOverrides()
		return err
	})
	return slices.DeleteFunc(rows, func(o store.PolicyOverride) bool { return !o.RevokedAt.IsZero() }), errs.Wrap("ops.Rules", "", err)
}

const (
	// effectOrders bounds the orders counted anew for a page.
	effectOrders = 50_000
	// effectBefore is how many days before a window the orders counted in it may have been placed.
	effectBefore = 45
)

// PolicyEffect is what the rules of two days make of one rate of a shop: of the orders of today's window, whatever day the rules are from.
type PolicyEffect struct {
	Shop          store.Connection
	Metric        policy.Metric
	Before, After health.Standing
	Orders        int64 // that count differently
	More          int64 // more of them count against the shop by the later day's rules; negative: fewer
	Recounted     bool  // the orders themselves were counted; else the same ones are judged by other limits
	NotKnown      bool  // too many orders to count
}

// PolicyEffects are what the rules of two days make of the rates of a market's shops, where the rules differ. most bounds the orders that are
// counted anew.
func (x *Ops) PolicyEffects(ctx context.Context, m Market, rules *policy.RuleSet, from, to policy.Day, most int) (out []PolicyEffect, err error) {
	const op = "ops.PolicyEffects"
	before, err := frozen(rules, from)
	if err != nil {
		return nil, errs.Wrap(op, m.Market, err)
	}
	after, err := frozen(rules, to)
	if err != nil {
		return nil, errs.Wrap(op, m.Market, err)
	}
	err = x.st.ViewPages(ctx, func(tx *store.Tx) error {
		out = nil
		conns, err := tx.ConnectionList()
		if err != nil {
			return err
		}
		for _, c := range conns {
			if c.Vendor != m.Vendor || c.Region != m.Market {
				continue
			}
			e := effects{tx: tx, shop: c, rules: rules, before: before, after: after, from: from, to: to, most: most}
			e.today = policy.DayOf(tx.Now(), rules.Location())
			one, err := e.all(ctx)
			if err != nil {
				return err
			}
			out = append(out, one...)
		}
		return nil
	})
	return out, errs.Wrap(op, m.Market, err)
}

// frozen are the rules of one day as if they had always held and always would.
func frozen(rs *policy.RuleSet, day policy.Day) (*policy.RuleSet, error) {
	out := *rs
	out.Rates, out.Bands, out.DeadlineRules = nil, nil, nil
	for _, m := range policy.Metrics {
		if r, ok := rs.RateOn(m, day); ok {
			r.Span = policy.Span{}
			out.Rates = append(out.Rates, r)
		}
		for _, b := range rs.BandsOn(m, day) {
			b.Span = policy.Span{}
			out.Bands = append(out.Bands, b)
		}
	}
	for _, r := range policy.On(rs.DeadlineRules, day) {
		r.Span = policy.Span{}
		out.DeadlineRules = append(out.DeadlineRules, r)
	}
	return policy.New(out)
}

// effects works out what two days' rules make of one shop's rates.
type effects struct {
	tx            *store.Tx
	shop          store.Connection
	rules         *policy.RuleSet
	before, after *policy.RuleSet // frozen
	from, to      policy.Day
	today         policy.Day
	most          int
}

func (e *effects) all(ctx context.Context) (out []PolicyEffect, err error) {
	var anew []policy.Metric
	for _, m := range policy.Metrics {
		switch {
		case !e.differ(m):
		case e.sameAsToday(m, e.from) && e.sameAsToday(m, e.to):
			x := PolicyEffect{Shop: e.shop, Metric: m}
			if x.Before, err = e.kept(e.before, m); err != nil {
				return nil, err
			}
			if x.After, err = e.kept(e.after, m); err != nil {
				return nil, err
			}
			out = append(out, x)
		default:
			anew = append(anew, m)
		}
	}
	if len(anew) == 0 {
		return out, nil
	}
	more, err := e.recount(ctx, anew)
	return append(out, more...), err
}

// differ reports whether a metric is counted or judged differently on the two days.
func (e *effects) differ(m policy.Metric) bool {
	a, okA := e.before.RateOn(m, e.today)
	b, okB := e.after.RateOn(m, e.today)
	if !okA && !okB {
		return false
	}
	if okA != okB || a.ID != b.ID || !sameDeadlines(e.before, e.after, a.Test) {
		return true
	}
	return !slices.EqualFunc(e.before.BandsOn(m, e.today), e.after.BandsOn(m, e.today), func(x, y policy.Band) bool {
		return x.Kind == y.Kind && x.Limit == y.Limit && x.Paused == y.Paused && x.Reached == y.Reached
	})
}

// sameAsToday reports whether the sums of today are those by the rules of a day.
func (e *effects) sameAsToday(m policy.Metric, day policy.Day) bool {
	r, ok := e.rules.RateOn(m, day)
	now, held := e.rules.RateOn(m, e.today)
	if !ok || !held || r.ID != now.ID {
		return false
	}
	first := e.today - policy.Day(now.Lag+now.Days+effectBefore)
	for d := range e.rules.DeadlineRules {
		if rule := &e.rules.DeadlineRules[d]; needs(r.Test, rule.Field) && !rule.Announced && rule.Overlaps(policy.Span{From: first, Until: e.today + 1}) && !rule.Holds(day) {
			return false
		}
	}
	return true
}

// needs reports whether a test judges by a deadline, or by one that it may be counted from.
func needs(t policy.Test, k order.DeadlineKind) bool {
	switch t {
	case policy.ReadyLate:
		return k == order.ShipBy
	case policy.HandedOverLate:
		return k == order.ShipBy || k == order.HandOverBy
	case policy.DeliveredOnTime:
		return k == order.ShipBy || k == order.HandOverBy || k == order.DeliverBy
	}
	return false
}

// sameDeadlines reports whether two frozen rule sets have the same rules for what a test needs.
func sameDeadlines(a, b *policy.RuleSet, t policy.Test) bool {
	ids := func(rs *policy.RuleSet) (out []string) {
		for _, r := range rs.DeadlineRules {
			if needs(t, r.Field) {
				out = append(out, r.ID)
			}
		}
		return out
	}
	return slices.Equal(ids(a), ids(b))
}

// kept is the standing of today's sums by a frozen rule set that counts as today's does.
func (e *effects) kept(rs *policy.RuleSet, m policy.Metric) (s health.Standing, err error) {
	now, _ := e.rules.RateOn(m, e.today)
	s = health.Figure(rs, m, e.today, func(string) (days health.Series) {
		days, err = e.tx.HealthDays(e.shop.ID, health.Key(e.rules, now), e.today-policy.Day(now.Lag+now.Days), e.today)
		return days
	})
	return s, err
}

// recount counts the window's orders by both rule sets.
func (e *effects) recount(ctx context.Context, metrics []policy.Metric) (out []PolicyEffect, err error) {
	by := [2]counter{newCounter(e.before), newCounter(e.after)}
	first := e.today
	for _, c := range by {
		for _, r := range c.rules.Rates {
			if slices.Contains(metrics, r.Metric) {
				first = min(first, e.today-policy.Day(r.Lag+r.Days)+1)
			}
		}
	}
	tooMany, err := e.tooMany(metrics)
	if err != nil {
		return nil, err
	}
	effects := map[policy.Metric]*PolicyEffect{}
	if !tooMany {
		tooMany, err = e.scan(ctx, first, func(o *order.Order) {
			a, b := by[0].add(o, e.today), by[1].add(o, e.today)
			for _, m := range metrics {
				x := effects[m]
				if x == nil {
					x = &PolicyEffect{}
					effects[m] = x
				}
				if a[m] != b[m] {
					x.Orders++
					x.More += b[m].against - a[m].against
				}
			}
		})
		if err != nil {
			return nil, err
		}
	}
	for _, m := range metrics {
		x := PolicyEffect{Shop: e.shop, Metric: m, NotKnown: tooMany, Recounted: true}
		if got := effects[m]; got != nil && !tooMany {
			x.Orders, x.More = got.Orders, got.More
		}
		if !tooMany {
			x.Before, x.After = by[0].figure(m, e.today), by[1].figure(m, e.today)
		}
		out = append(out, x)
	}
	return out, nil
}

// tooMany reports whether today's sums tell already that there are more orders than may be counted.
func (e *effects) tooMany(metrics []policy.Metric) (bool, error) {
	for _, m := range metrics {
		if _, ok := e.rules.RateOn(m, e.today); !ok {
			continue
		}
		s, err := e.kept(e.rules, m)
		if err != nil || s.Den > int64(e.most) {
			return true, err
		}
	}
	return false, nil
}

// scan visits the shop's orders placed since shortly before a day; true: there were more than may be counted.
func (e *effects) scan(ctx context.Context, first policy.Day, visit func(*order.Order)) (bool, error) {
	floor := (first - effectBefore).Start(e.rules.Location())
	seen := 0
	for _, status := range everyStatus {
		var place store.DuePlace
		for more := true; more; {
			if err := ctx.Err(); err != nil {
				return false, err
			}
			places, err := e.tx.PlacesOfShop(e.shop.ID, status, place, readPage)
			if err != nil {
				return false, err
			}
			more = len(places) == readPage
			if i := slices.IndexFunc(places, func(p store.DuePlace) bool { return p.Created.Before(floor) }); i >= 0 {
				places, more = places[:i], false
			}
			if len(places) == 0 {
				break
			}
			if seen += len(places); seen > e.most {
				return true, nil
			}
			orders, err := ordersAt(e.tx, places)
			if err != nil {
				return false, err
			}
			for i := range orders {
				visit(&orders[i])
			}
			place = places[len(places)-1]
		}
	}
	return false, nil
}

// counter adds orders up by a frozen rule set.
type counter struct {
	rules *policy.RuleSet
	judge *health.Judge
	of    map[string]policy.Rate // by key
	days  map[string]map[policy.Day]health.DayCount
}

// verdict is how one order counts in one rate.
type verdict struct{ of, against int64 }

func newCounter(rs *policy.RuleSet) counter {
	c := counter{rules: rs, judge: health.NewJudge(rs), of: map[string]policy.Rate{}, days: map[string]map[policy.Day]health.DayCount{}}
	for _, r := range rs.Rates {
		key := health.Key(rs, r)
		c.of[key], c.days[key] = r, map[policy.Day]health.DayCount{}
	}
	return c
}

// add counts an order and says how it counts in today's window of each metric.
func (c *counter) add(o *order.Order, today policy.Day) map[policy.Metric]verdict {
	out := map[policy.Metric]verdict{}
	for _, n := range c.judge.Counts(o) {
		r := c.of[n.Rate]
		d := c.days[n.Rate][n.Day]
		d.Day, d.Num, d.Den, d.Unjudged = n.Day, d.Num+n.Num, d.Den+n.Den, d.Unjudged+n.Unjudged
		c.days[n.Rate][n.Day] = d
		if last := today - policy.Day(r.Lag); n.Day <= last && n.Day > last-policy.Day(r.Days) {
			out[r.Metric] = verdict{n.Den, n.Against}
		}
	}
	return out
}

func (c *counter) figure(m policy.Metric, today policy.Day) health.Standing {
	return health.Figure(c.rules, m, today, func(key string) health.Series {
		var days []health.DayCount
		for _, d := range c.days[key] {
			days = append(days, d)
		}
		return health.NewSeries(days)
	})
}

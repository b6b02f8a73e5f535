package ops

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/spillway/spillway/domain/health"
	"github.com/spillway/spillway/domain/policy"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/ops/view"
	"github.com/spillway/spillway/store"
)

const (
	// rulesKept is how long what follows from a market's rules alone is kept: it is kept under a sign that changes with them.
	rulesKept = time.Hour
	// switchesMost bounds the days of change that are shown, the latest.
	switchesMost = 200
)

// effectKey names a comparison.
type effectKey struct {
	sign, market string
	from, to     policy.Day
}

// marketNow is a market as it is judged now.
type marketNow struct {
	Market
	rules *policy.RuleSet
	shops []string // ids of the connections
}

// marketList are all markets with rules, those with shops first, and the shops of each.
func (d *Desk) marketList(ctx context.Context) (out []Market, shops map[Market][]string, err error) {
	shops = map[Market][]string{}
	err = d.look(ctx, "ops.Policy", "", func(tx *store.Tx) error {
		conns, err := tx.ConnectionList()
		for _, c := range conns {
			m := Market{Vendor: c.Vendor, Title: d.vendorTitle(c.Vendor), Market: c.Region}
			shops[m] = append(shops[m], c.ID)
		}
		return err
	})
	for _, m := range Markets(d.x.o.Vendors) {
		if !slices.ContainsFunc(out, func(k Market) bool { return k.Market == m.Market && len(shops[k]) >= len(shops[m]) }) {
			out = append(slices.DeleteFunc(out, func(k Market) bool { return k.Market == m.Market }), m) // of two vendors the one with more shops
		}
	}
	slices.SortStableFunc(out, func(a, b Market) int { return cmp.Compare(min(len(shops[b]), 1), min(len(shops[a]), 1)) })
	return out, shops, err
}

// market finds a market by its letters; empty: the first. Errors: NotFound.
func (d *Desk) market(ctx context.Context, op, name string) (out marketNow, options []view.Option, err error) {
	list, shops, err := d.marketList(ctx)
	if err != nil {
		return out, nil, err
	}
	for _, m := range list {
		options = append(options, view.Option{ID: m.Market, Label: m.Market + " · " + m.Title})
	}
	i := slices.IndexFunc(list, func(m Market) bool { return m.Market == name || name == "" })
	if i < 0 && name == "" {
		return out, nil, nil
	}
	if i < 0 {
		return out, options, errs.New(errs.NotFound, op, name, "There are no rules for the market %s.", name)
	}
	out = marketNow{Market: list[i], shops: shops[list[i]]}
	if len(out.shops) > 0 {
		if j := d.x.rules.Load().of[out.shops[0]]; j != nil {
			out.rules = j.rules
			return out, options, nil
		}
	}
	out.rules, err = d.x.Rules(ctx, list[i])
	return out, options, err
}

// today is the day it is now in a market.
func (d *Desk) today(rs *policy.RuleSet) policy.Day { return policy.DayOf(d.x.now(), rs.Location()) }

// Policy is a market's rules on a day, and what differs between two. Errors: NotFound (the market), Invalid (a day).
func (d *Desk) Policy(ctx context.Context, f view.PolicyFilter) (view.Policy, error) {
	const op = "ops.Policy"
	v := view.Policy{At: d.x.now(), Filter: f, On: f.On}
	m, options, err := d.market(ctx, op, f.Market)
	if err != nil || m.rules == nil {
		return v, err
	}
	on, errOn := readDay(f.On)
	from, errFrom := readDay(f.From)
	to, errTo := readDay(f.To)
	if errOn != nil || errFrom != nil || errTo != nil {
		return v, errs.New(errs.Invalid, op, "", "Write days as 2026-11-21.")
	}
	today := d.today(m.rules)
	on = cmp.Or(on, today)
	v.Markets, v.Market, v.Version, v.Zone, v.On, v.Past = options, m.Market.Market, m.rules.Version, m.rules.Zone, dayOf(on), on != today
	v.Groups = groupsOf(m.rules, on)
	for _, g := range m.rules.Gaps {
		v.Gaps = append(v.Gaps, strings.TrimSpace(g.Text+" "+g.Way))
	}
	if v.Switches, _, err = d.health.switches.at(m.Vendor+" "+m.Market.Market+" "+m.rules.Version, d.x.now()).get(ctx, d.x.ctx, d.x.now, rulesKept, func(context.Context) ([]view.Switch, error) {
		return switchList(m.rules), nil
	}); err != nil {
		return v, err
	}
	if v.Overrides, err = d.overridesNow(ctx, m, today); err != nil {
		return v, err
	}
	if from == 0 || to == 0 {
		v.Filter.From, v.Filter.To = dayOf(lastSwitch(m.rules, today)-1), dayOf(today)
		return v, nil
	}
	v.Diff, err = d.policyDiff(ctx, m, min(from, to), max(from, to))
	return v, err
}

// lastSwitch is the last day not after today on which anything changed.
func lastSwitch(rs *policy.RuleSet, today policy.Day) policy.Day {
	last := today
	for _, day := range policy.Timeline(rs) {
		if day <= today {
			last = day
		}
	}
	return last
}

// switchList tells what changes on each day on which anything does, what is announced too.
func switchList(rs *policy.RuleSet) (out []view.Switch) {
	days := policy.Timeline(rs)
	for _, l := range rs.Lines() {
		if l.Announced && l.From != 0 {
			days = append(days, l.From)
		}
	}
	slices.Sort(days)
	for _, day := range slices.Compact(days) {
		out = append(out, switchesOf(rs, day, "")...)
	}
	return out[max(0, len(out)-switchesMost):]
}

// sections are the chapters of the rules by the lists they are in.
var sections = []struct {
	name string
	of   []string
}{
	{"Deadlines", []string{"deadlines", "handling", "closures"}}, {"Account", []string{"accounts", "zones", "milestones", "points", "point_steps", "point_costs"}},
	{"Order limits", []string{"order_limits", "probation"}}, {"Ways of shipping", []string{"regimes"}}, {"Shop score", []string{"scores", "score_metrics", "score_uses"}},
	{"Cancellations and returns", []string{"terms"}}, {"Money", []string{"fees", "settlements"}}, {"Customer service", []string{"service"}}, {"Notices", []string{"notices"}},
}

// groupsOf are the rules of a day, and what is announced and not in force.
func groupsOf(rs *policy.RuleSet, on policy.Day) (out []view.RuleGroup) {
	lines := rs.Lines()
	add := func(name string, takes func(l *policy.Line) bool) {
		g := view.RuleGroup{Name: name}
		for i := range lines {
			l := &lines[i]
			if takes(l) && (l.Holds(on) || l.Announced && (l.Until == 0 || l.Until > on)) {
				g.Rules = append(g.Rules, ruleOf(rs, l))
			}
		}
		if len(g.Rules) > 0 {
			out = append(out, g)
		}
	}
	for _, m := range policy.Metrics {
		add(wordsOf(m).short, func(l *policy.Line) bool { return l.Metric == m })
	}
	for _, s := range sections {
		add(s.name, func(l *policy.Line) bool { return l.Metric == "" && slices.Contains(s.of, l.Section) })
	}
	return out
}

// lineID names a rule: its id, or what it limits, of which one day has one.
func lineID(l *policy.Line) string {
	id := l.ID
	switch {
	case id != "":
	case l.Section == "bands":
		id = bandID(policy.Band{Metric: l.Metric, Kind: l.Kind})
	default:
		id = l.Section + "-" + l.From.String()
	}
	if l.Announced && l.ID == "" {
		id += "-announced"
	}
	return id
}

func ruleOf(rs *policy.RuleSet, l *policy.Line) view.Rule {
	r := view.Rule{ID: lineID(l), Name: ruleName(l), Value: l.Says, From: dayOf(l.From), Until: dayOf(l.Until), Paused: l.Paused,
		Override: l.Confidence == policy.Operator, Cited: citedOf(rs, l.Cited)}
	r.Value = strings.TrimSuffix(r.Value, " (enforcement paused)")
	if l.Section == "rates" {
		r.Text = capital(l.Says)
		if i := slices.IndexFunc(rs.Rates, func(x policy.Rate) bool { return x.ID == l.ID }); i >= 0 {
			r.Value = windowText(&rs.Rates[i])
		}
	}
	switch {
	case l.Announced:
		r.Name += " (announced, not in force)"
		r.Fixed = l.ID == "" || !slices.Contains([]string{"rates", "bands", "deadlines", "regimes"}, l.Section)
	default:
		r.Fixed = l.Section != "bands" && l.Section != "deadlines" && l.Section != "rates"
	}
	return r
}

// ruleName is what a rule rules, without the metric its group is of.
func ruleName(l *policy.Line) string {
	if l.Metric != "" {
		return capital(strings.TrimPrefix(l.Topic, l.Metric.Words()+", "))
	}
	return l.Topic
}

// policyDiff is what differs between two days.
func (d *Desk) policyDiff(ctx context.Context, m marketNow, from, to policy.Day) (*view.PolicyDiff, error) {
	out := &view.PolicyDiff{From: dayOf(from), To: dayOf(to)}
	for _, c := range policy.Diff(m.rules, from, to) {
		out.Changes = append(out.Changes, changeOfRule(m.rules, c))
	}
	k := effectKey{m.rules.Version, m.Vendor + " " + m.Market.Market, from, to}
	var err error
	out.Effects, _, err = d.health.effects.at(k, d.x.now()).get(ctx, d.x.ctx, d.x.now, causesEvery, func(ctx context.Context) ([]view.PolicyEffect, error) {
		got, err := d.x.PolicyEffects(ctx, m.Market, m.rules, from, to, effectOrders)
		var rows []view.PolicyEffect
		for i := range got {
			rows = append(rows, effectOf(&got[i]))
		}
		return rows, err
	})
	return out, err
}

func changeOfRule(rs *policy.RuleSet, c policy.Change) view.Change {
	why := citedOf(rs, policy.Cited{Source: c.Source, Confidence: c.Confidence, Note: c.Note})
	out := view.Change{What: c.Topic, From: cmp.Or(c.Before, "none"), To: cmp.Or(c.After, "none"), Why: why.Source + ", " + why.Confidence}
	switch c.Kind {
	case policy.Passed:
		out.From, out.To = "none", "none; in between: "+c.After
	case policy.Told:
		out.From, out.To = "none", "announced, not in force: "+c.After
	case policy.Event:
		out.From, out.To = "", c.After
	}
	out.Why = c.Day.String() + ": " + out.Why
	if c.Note != "" {
		out.Why += ". " + c.Note
	}
	return out
}

// effectOf puts an effect into words.
func effectOf(e *PolicyEffect) view.PolicyEffect {
	w := wordsOf(e.Metric)
	out := view.PolicyEffect{Shop: cmp.Or(e.Shop.Name, e.Shop.ID), ShopID: e.Shop.ID, Metric: string(e.Metric), Name: e.Metric.Words(), Orders: e.Orders,
		Before: judgedOf(&e.Before), After: judgedOf(&e.After), Text: e.Sentence()}
	if e.NotKnown {
		out.Orders, out.Before.State, out.After.State = -1, view.StateCounting, view.StateCounting
	}
	out.Name = cmp.Or(out.Name, w.short)
	return out
}

func judgedOf(s *health.Standing) view.Judged {
	return view.Judged{Num: s.Num, Den: s.Den, State: stateOf(s.State)}
}

// Sentence says what the rules of the later day make of the rate.
func (e *PolicyEffect) Sentence() string {
	w := wordsOf(e.Metric)
	word := func(n int64) string {
		if n == 1 {
			return "1 " + w.wrong
		}
		return number(n) + " " + w.wrongs
	}
	switch {
	case e.NotKnown:
		return "Too many orders are counted differently to do it here; the command line “spillway policy diff” does."
	case e.Recounted && e.More > 0:
		return capital(word(e.More)) + " more; " + plural(e.Orders, "order counts", "orders count") + " differently."
	case e.Recounted && e.More < 0:
		return capital(word(-e.More)) + " fewer; " + plural(e.Orders, "order counts", "orders count") + " differently."
	case e.Recounted && e.Orders > 0:
		return capital(plural(e.Orders, "order counts", "orders count")) + " differently; as many go wrong."
	case e.Before.State != e.After.State:
		return "The same orders, judged by other limits."
	}
	return "Nothing changes for the orders of today’s window."
}

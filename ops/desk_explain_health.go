package ops

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spillway/spillway/domain/forecast"
	"github.com/spillway/spillway/domain/health"
	"github.com/spillway/spillway/domain/policy"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/ops/view"
	"github.com/spillway/spillway/store"
)

func noFigure(figure string) error {
	return errs.New(errs.NotFound, "ops.Explain", figure, "There is no figure %s.", figure)
}

// shopMetric finds what a figure of a metric of a shop speaks of: shop "@" metric, and "@" day where it is another than today.
func (d *Desk) shopMetric(ctx context.Context, v *view.Explain, id string) (s *shopHealth, now *health.Standing, err error) {
	parts := strings.Split(id, "@")
	if len(parts) < 2 || len(parts) > 3 || !slices.Contains(policy.Metrics, policy.Metric(parts[1])) {
		return nil, nil, noFigure(v.Figure)
	}
	var on policy.Day
	if len(parts) == 3 {
		if on, err = readDay(view.Day(parts[2])); err != nil {
			return nil, nil, noFigure(v.Figure)
		}
	}
	if s, err = d.shopHealth(ctx, "ops.Explain", parts[0], on, policy.Metric(parts[1])); err != nil {
		return nil, nil, err
	}
	if s.Rules == nil || on > d.today(s.Rules) {
		return nil, nil, noFigure(v.Figure)
	}
	v.At = s.at
	return s, s.standing(policy.Metric(parts[1])), nil
}

func (d *Desk) explainRate(ctx context.Context, v *view.Explain, id string) error {
	s, now, err := d.shopMetric(ctx, v, id)
	if err != nil {
		return err
	}
	g, def := s.gauge(now.Metric), definitionOf(s.Rules, now.Rate, s.Day)
	v.Title, v.Value, v.Sentence, v.Formula, v.Level = g.Name+" on "+dayWords(now.Day, s.at), "–", g.Text, def.Formula, levelOf(now.State)
	if now.Rate == nil {
		v.JudgedBy = "the rules of " + now.Day.String() + ", which do not say how it is counted"
		return nil
	}
	if now.Den > 0 {
		v.Value = health.Percent(now.Num, now.Den)
	}
	if g.State == view.StateCounting {
		v.Value, v.Level = "–", view.Quiet
	}
	v.JudgedBy = def.Source + ", " + def.Confidence + "; rule " + now.Rate.ID + " of the rules " + s.Rules.Version
	v.Inputs = []view.Input{input(capital(g.Adjective), now.Num, def.Numerator), input("Counted", now.Den, def.Denominator),
		{Name: "Window", Value: now.First.String() + " to " + now.Last.String(), Text: def.Window + ", days in " + s.Rules.Zone}}
	if now.Unjudged > 0 {
		v.Inputs = append(v.Inputs, input("Not judged", now.Unjudged, "counted, and not held against the shop: what is known does not say"))
	}
	for _, x := range def.Excluded {
		v.Inputs = append(v.Inputs, view.Input{Name: "Left out", Value: x})
	}
	for _, l := range g.Limits {
		text := l.Source + ", " + l.Confidence
		if l.Paused {
			text = "paused; " + text
		}
		v.Inputs = append(v.Inputs, view.Input{Name: capital(l.Kind), Value: share(policy.PPM(l.At)), Text: text, Ref: view.Ref{Kind: view.KindPolicy, ID: s.Rules.Market}})
	}
	if now.Den == 0 {
		return nil
	}
	return d.explainCauses(ctx, v, s, now)
}

// explainCauses lists the worst causes behind a rate.
func (d *Desk) explainCauses(ctx context.Context, v *view.Explain, s *shopHealth, now *health.Standing) error {
	all, err := d.causesOf(ctx, keyOf(s, now), now.Rate.Test.Bad())
	if err != nil {
		return err
	}
	v.Columns = []view.Column{{Name: "By"}, {Name: "Value"}, {Name: "Against the shop", Number: true}, {Name: "Counted", Number: true}}
	cat := d.x.catalog.Load()
	for _, f := range facetNames {
		list := all[f.id]
		for i, p := range list {
			if p.against <= 0 {
				break
			}
			if i >= causeRows || len(v.Rows) >= explainRows {
				v.More++
				continue
			}
			of := "–"
			if f.id != facetReason {
				of = number(p.of)
			}
			v.Rows = append(v.Rows, []view.Cell{{Text: f.name}, {Text: cat.valueName(s.Connection.ID, f.id, p.value), Ref: view.Ref{Kind: view.KindMetric, ID: s.Connection.ID + "@" + string(now.Metric)}},
				{Text: number(p.against)}, {Text: of}})
		}
	}
	return nil
}

func (d *Desk) explainForecast(ctx context.Context, v *view.Explain, id string) error {
	s, now, err := d.shopMetric(ctx, v, id)
	if err != nil {
		return err
	}
	f := s.forecast(now.Metric)
	v.Title, v.Value = "Forecast of "+strings.ToLower(wordsOf(now.Metric).short), "–"
	v.Formula = "for each of many ways in which the common luck of nodes and carriers may go: days of the window that stay + open orders and orders to come × their chance; the range is over all ways"
	v.JudgedBy = "the rules of each day ahead"
	if f == nil {
		v.Sentence = "There is no forecast: none was made yet, or nothing is expected to be counted."
		return nil
	}
	v.At, v.Value = s.out.At, share(policy.PPM(f.P10))+" to "+share(policy.PPM(f.P90))
	v.Sentence = "Where the rate stands at the end of " + dayWords(policy.DayOf(f.At, s.Rules.Location()), s.at) + ", four times in five. It assumes " + f.Assumes + "."
	v.Inputs = []view.Input{input("Open orders", s.out.Open, "looked at one by one"), input("At risk", s.out.AtRisk, "of them, with a chance of "+chance(riskLeast)+" or more to miss their deadline"),
		{Name: "Expected late", Value: number(int64(s.out.Late + 0.5)), Text: "of the open orders"}, {Name: "Worse than " + cmp.Or(f.Against, "a limit"), Value: chance(float64(f.Breach) / 1e6), Text: "chance at the end"}}
	for _, g := range s.out.Grounds[:min(len(s.out.Grounds), explainRows)] {
		v.Inputs = append(v.Inputs, s.ground(g))
	}
	i := slices.IndexFunc(s.out.Metrics, func(m forecast.MetricForecast) bool { return m.Metric == now.Metric })
	v.Columns = []view.Column{{Name: "Day"}, {Name: "1 in 10 below", Number: true}, {Name: "Middle", Number: true}, {Name: "1 in 10 above", Number: true}, {Name: "Chance of enforcement", Number: true}}
	for _, day := range s.out.Metrics[i].Days {
		row := []view.Cell{{Text: day.Day.String()}, {Text: "–"}, {Text: "–"}, {Text: "–"}, {Text: chance(day.Chance(policy.Enforcement))}}
		if day.State == forecast.Expected {
			row[1].Text, row[2].Text, row[3].Text = share(day.P10), share(day.Median), share(day.P90)
		}
		v.Rows = append(v.Rows, row)
	}
	return nil
}

func (d *Desk) explainCompound(ctx context.Context, v *view.Explain, id string) error {
	s, err := d.shopHealth(ctx, "ops.Explain", id, 0)
	if err != nil {
		return err
	}
	v.At, v.Title, v.Value = s.at, "Any rate in breach", "–"
	v.Sentence = "The chance that at least one rate is worse than its enforced limit when its window ends. A limit that is paused counts too: what it will cost later is asked here."
	v.Formula = "1 − P(no rate is in breach), over causes that all rates share: a slow node is slow for all of them"
	v.JudgedBy = "the enforced limits of each day ahead"
	n := len(s.out.Days)
	if n == 0 {
		v.Sentence = "There is no forecast yet. " + v.Sentence
		return nil
	}
	v.At, v.Value = s.out.At, chance(s.out.Days[n-1].AtLeast(1))
	v.Columns = []view.Column{{Name: "Day"}, {Name: "One or more", Number: true}, {Name: "Two or more", Number: true}, {Name: "Three or more", Number: true}}
	for _, day := range s.out.Days {
		v.Rows = append(v.Rows, []view.Cell{{Text: day.Day.String()}, {Text: chance(day.AtLeast(1))}, {Text: chance(day.AtLeast(2))}, {Text: chance(day.AtLeast(3))}})
	}
	v.Inputs = []view.Input{{Name: "On any day", Value: chance(s.out.Within.AtLeast(1)), Text: "today or later in the window"}}
	for i := range s.out.Metrics {
		m := &s.out.Metrics[i]
		v.Inputs = append(v.Inputs, view.Input{Name: wordsOf(m.Metric).short, Value: chance(m.Chance(policy.Enforcement)), Text: "by itself, on any day",
			Ref: view.Ref{Kind: view.KindFigure, ID: view.FigureForecast + id + "@" + string(m.Metric)}})
	}
	return nil
}

func (d *Desk) explainAccount(ctx context.Context, v *view.Explain, id string) error {
	s, err := d.shopHealth(ctx, "ops.Explain", id, 0)
	if err != nil {
		return err
	}
	if s.Rules == nil {
		return noFigure(v.Figure)
	}
	a := s.account()
	if !a.Offered {
		return noFigure(v.Figure)
	}
	v.At, v.Title, v.Value, v.Unit = s.at, a.Name, rangeWords(a.Low, a.High), "points"
	v.Level = map[view.RateState]view.Level{view.StateGood: view.Good, view.StateWatch: view.Watch, view.StateBreach: view.Bad}[a.State]
	v.Sentence = strings.TrimSpace(a.Knows + " " + a.Models)
	v.Formula = "value seen − points stated to be taken + points stated to lapse; an end is open where something happened whose points no source tells"
	if rules := policy.On(s.Rules.Accounts, s.Day); len(rules) > 0 {
		c := citedOf(s.Rules, rules[0].Cited)
		v.JudgedBy = c.Source + ", " + c.Confidence
	}
	for _, z := range a.Zones {
		v.Inputs = append(v.Inputs, view.Input{Name: capital(z.Name), Value: rangeWords(z.Low, z.High), Text: z.Source + ", " + z.Confidence})
	}
	for _, m := range a.Milestones {
		v.Inputs = append(v.Inputs, view.Input{Name: "At " + number(m.At), Value: m.Text, Text: m.Source + ", " + m.Confidence})
	}
	v.Columns = []view.Column{{Name: "Day"}, {Name: "What"}, {Name: "Points", Number: true}}
	for i := len(a.Known) - 1; i >= 0 && len(v.Rows) < explainRows; i-- {
		k := a.Known[i]
		v.Rows = append(v.Rows, []view.Cell{{Text: string(k.Day)}, {Text: "seen by " + k.By}, {Text: number(k.Value)}})
	}
	for _, c := range a.Changes[:min(len(a.Changes), explainRows)] {
		points := "not told"
		if c.Low == c.High {
			points = number(c.Low)
		}
		v.Rows = append(v.Rows, []view.Cell{{Text: string(c.Day)}, {Text: c.Text}, {Text: points}})
	}
	return nil
}

func (d *Desk) explainRisk(ctx context.Context, v *view.Explain, id string) error {
	o, err := d.Order(ctx, id)
	if err != nil {
		return err
	}
	s, err := d.shopHealth(ctx, "ops.Explain", o.ConnectionID, 0)
	if err != nil {
		return err
	}
	v.At, v.Title, v.Value = s.at, "Chance that order "+o.Number+" is late", "–"
	v.Formula = "P(time in its node's queue + wait for the pick-up + wait for the carrier's scan > time to its deadline)"
	v.JudgedBy = "the deadline the channel gives the order; else by the rules of the day on which it was placed"
	i := slices.IndexFunc(s.out.Risks, func(r forecast.Risk) bool { return r.ID == id })
	if s.explainPurchase(v, id); i < 0 {
		v.Sentence = "It is not among the orders at risk: its chance to be late is below " + chance(riskLeast) + ", it has left, or it came after the last forecast."
		return nil
	}
	r := s.out.Risks[i]
	v.At, v.Value, v.Level = s.out.At, chance(r.Miss), view.Quiet
	switch {
	case r.Miss >= 0.5:
		v.Level = view.Bad
	case r.Miss >= 0.1:
		v.Level = view.Watch
	}
	v.Sentence = "The chance that it misses its deadline of " + d.clockTime(r.Due) + ", as things stand."
	v.Inputs = append([]view.Input{{Name: "Node", Value: s.node(r.Node), Text: "works its queue by deadline, as many orders an hour as it has shown"}, {Name: "Deadline", Value: d.clockTime(r.Due)}}, v.Inputs...)
	for _, x := range []struct {
		name string
		at   time.Time
	}{{"Ready", r.Ready}, {"First scan", r.Scan}} {
		in := view.Input{Name: x.name, Value: "not within what was looked ahead", Text: "as often earlier as later"}
		if !x.at.IsZero() {
			in.Value = d.clockTime(x.at)
		}
		v.Inputs = append(v.Inputs, in)
	}
	v.Inputs = append(v.Inputs, view.Input{Name: "Cancelled for it", Value: chance(r.Cancel), Text: "chance that the channel cancels it for lateness"},
		view.Input{Name: "Delivered late", Value: chance(r.Late), Text: "chance that it arrives after its date"})
	return nil
}

func (d *Desk) explainAdvice(ctx context.Context, v *view.Explain, id string) error {
	shop, id, _ := strings.Cut(id, "@")
	s, err := d.shopHealth(ctx, "ops.Explain", shop, 0)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(s.out.Advice, func(a Advice) bool { return a.ID == id })
	if i < 0 || s.Rules == nil {
		return errs.New(errs.NotFound, "ops.Explain", id, "This advice does not hold any more.")
	}
	a := s.out.Advice[i]
	said := s.adviceOf(a)
	v.At, v.Title, v.Value, v.Unit, v.Level = s.out.At, "Smallest set of orders", number(a.Count), "orders", said.Level
	v.Sentence = said.Sentence + " " + said.Why
	v.Formula = "take, again and again, the order whose being ready in time brings the rate nearest to its limit, at a node that can still do one; no smaller set the nodes can do reaches it"
	v.JudgedBy = string(a.Kind) + " of " + share(a.Q.Limit) + " on " + a.Q.Day.String()
	for _, c := range said.Effect {
		v.Inputs = append(v.Inputs, view.Input{Name: c.What, Value: c.From + " → " + c.To, Text: c.Why})
	}
	v.Columns = []view.Column{{Name: "Order"}, {Name: "Node"}, {Name: "Worth, in late orders", Number: true}, {Name: "Rate then", Number: true}}
	picks := a.A.Picks[:min(len(a.A.Picks), explainRows)]
	v.More = int64(a.Count - len(picks))
	return d.look(ctx, "ops.Explain", shop, func(tx *store.Tx) error {
		v.Rows = nil
		var ids []string
		for _, p := range picks {
			ids = append(ids, p.ID)
		}
		orders, err := tx.OrdersGet(ids)
		names := map[string]string{}
		for i := range orders {
			names[orders[i].ID] = cmp.Or(orders[i].Number, orders[i].ExternalID)
		}
		for _, p := range picks {
			v.Rows = append(v.Rows, []view.Cell{{Text: cmp.Or(names[p.ID], p.ID), Ref: view.Ref{Kind: view.KindOrder, ID: p.ID}}, {Text: s.node(p.Node)},
				{Text: strconv.FormatFloat(p.Gain, 'f', 2, 64)}, {Text: share(p.After)}})
		}
		return err
	})
}

func (d *Desk) explainRule(ctx context.Context, v *view.Explain, id string) error {
	name, rule, _ := strings.Cut(id, "@")
	m, _, err := d.market(ctx, "ops.Explain", name)
	if err != nil {
		return err
	}
	if m.rules == nil {
		return noFigure(v.Figure)
	}
	lines, today := m.rules.Lines(), d.today(m.rules)
	same := func(l policy.Line) bool { return lineID(&l) == rule }
	i := slices.IndexFunc(lines, func(l policy.Line) bool { return same(l) && l.Holds(today) && !l.Announced })
	if i < 0 {
		i = slices.IndexFunc(lines, same)
	}
	if i < 0 {
		return errs.New(errs.NotFound, "ops.Explain", rule, "There is no rule %s.", rule)
	}
	l := &lines[i]
	c := citedOf(m.rules, l.Cited)
	v.Title, v.Value, v.Sentence = l.Topic, ruleOf(m.rules, l).Value, capital(l.Says)+"."
	v.JudgedBy = c.Source + ", " + c.Confidence
	v.Inputs = []view.Input{{Name: "Confidence", Value: c.Confidence, Text: c.Note}, {Name: "Rules", Value: m.rules.Version, Text: "version; days in " + m.rules.Zone}}
	if c.Seen != "" {
		v.Inputs = append(v.Inputs, view.Input{Name: "Source read", Value: string(c.Seen)})
	}
	if l.Announced {
		v.Inputs = append(v.Inputs, view.Input{Name: "Announced", Value: "not in force", Text: "it judges nothing until an operator turns it on"})
	}
	v.Columns = []view.Column{{Name: "From"}, {Name: "Until"}, {Name: "Rule"}, {Name: "Source"}}
	for k := range lines {
		x := &lines[k]
		if x.Section != l.Section || x.Topic != l.Topic || len(v.Rows) == explainRows {
			continue
		}
		says := x.Says
		if x.Announced {
			says += " (announced, not in force)"
		}
		at := citedOf(m.rules, x.Cited)
		v.Rows = append(v.Rows, []view.Cell{{Text: cmp.Or(string(dayOf(x.From)), "always")}, {Text: cmp.Or(string(dayOf(x.Until)), "open")}, {Text: says}, {Text: at.Source + ", " + at.Confidence}})
	}
	return nil
}

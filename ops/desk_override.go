package ops

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/spillway/spillway/domain/health"
	"github.com/spillway/spillway/domain/policy"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/ops/view"
	"github.com/spillway/spillway/store"
)

// turnOn is what is written to turn an announced rule on.
const turnOn = "on"

// overridesNow are the operator's rules of a market in force or to come, newest first.
func (d *Desk) overridesNow(ctx context.Context, m marketNow, today policy.Day) (out []view.Override, err error) {
	rows, err := d.x.overrides(ctx)
	if err != nil {
		return nil, err
	}
	rows = slices.DeleteFunc(rows, func(o store.PolicyOverride) bool { return o.Market != m.Market.Market })
	if len(rows) == 0 {
		return nil, nil
	}
	shipped, err := d.x.shipped(m.Market)
	if err != nil {
		return nil, err
	}
	for _, row := range rows {
		if v := overrideView(shipped, row, today); v.Until == "" || v.Until > dayOf(today) {
			out = append(out, v)
		}
	}
	slices.Reverse(out)
	return out, nil
}

// overrideView is an operator's rule beside what was shipped. One that does not go with the shipped rules any more is told by its bare facts.
func overrideView(shipped *policy.RuleSet, row store.PolicyOverride, today policy.Day) view.Override {
	v := view.Override{ID: row.ID, Author: row.Actor, At: row.CreatedAt, Rule: "A rule that is not known any more", Was: "none"}
	var o policy.Override
	if json.Unmarshal(row.Data, &o) != nil {
		return v
	}
	v.Author, v.Reason = cmp.Or(o.Author, v.Author), o.Reason
	if o.Closure != nil {
		v.Was = "business as usual"
	}
	with, err := shipped.With([]policy.Override{o})
	if err != nil {
		return v
	}
	for _, l := range with.Lines() {
		if l.Confidence != policy.Operator {
			continue
		}
		v.RuleID, v.Rule, v.Value, v.From, v.Until = lineID(&l), l.Topic, l.Says, dayOf(l.From), dayOf(l.Until)
		on := cmp.Or(l.From, today)
		for _, was := range shipped.Lines() {
			if was.Section == l.Section && was.Topic == l.Topic && was.Holds(on) && !was.Announced {
				v.Was = was.Says
			}
		}
	}
	return v
}

// overrideOf makes the rule a draft asks for. The error is Invalid, with a sentence for who filled the form in.
func (d *Desk) overrideOf(rs *policy.RuleSet, a view.OverrideDraft) (o policy.Override, err error) {
	bad := func(format string, args ...any) (policy.Override, error) {
		return o, errs.New(errs.Invalid, "ops.Override", a.RuleID, format, args...)
	}
	from, errFrom := readDay(a.From)
	until, errUntil := readDay(a.Until)
	switch {
	case errFrom != nil || errUntil != nil:
		return bad("Write days as 2026-11-21.")
	case from == 0:
		return bad("Say from which day it holds.")
	case until != 0 && until <= from:
		return bad("It would end before it begins.")
	case a.ID == "":
		return bad("The form is not complete. Open it again.")
	}
	o = policy.Override{Author: a.Actor, Reason: strings.TrimSpace(a.Reason), At: d.x.now()}
	span := policy.Span{From: from, Until: until}
	if a.RuleID == ruleClosure {
		if o.Closure, err = closureOf(a, span); err != nil {
			return bad("%s", capital(err.Error())+".")
		}
		return o, nil
	}
	lines := rs.Lines()
	i := slices.IndexFunc(lines, func(l policy.Line) bool { return lineID(&l) == a.RuleID && (l.Holds(from) || l.Announced) })
	if i < 0 {
		return bad("There is no such rule on %s.", from)
	}
	switch l := &lines[i]; {
	case ruleOf(rs, l).Fixed:
		return bad("This rule cannot be set by hand.")
	case l.Announced && strings.EqualFold(strings.TrimSpace(a.Value), turnOn):
		o.Enable, o.Span = l.ID, span
	case l.Announced:
		return bad("It is announced and not in force. Write “%s” to turn it on as it was announced.", turnOn)
	default:
		if err := fillOverride(&o, rs, l, a, span); err != nil {
			return bad("%s", capital(err.Error())+".")
		}
	}
	return o, nil
}

// overridden is what a market's rules become with one operator's rule more, or without one. Every vendor that has the market must be able to live
// with it, since it holds for all of them.
func (d *Desk) overridden(ctx context.Context, m marketNow, more *policy.Override, without string) (*policy.RuleSet, error) {
	rows, err := d.x.overrides(ctx)
	if err != nil {
		return nil, err
	}
	rows = slices.DeleteFunc(rows, func(o store.PolicyOverride) bool { return o.ID == without })
	if more != nil {
		data, err := json.Marshal(more)
		if err != nil {
			return nil, errs.Wrap("ops.Override", m.Market.Market, err)
		}
		rows = append(rows, store.PolicyOverride{ID: "preview", Market: m.Market.Market, Data: data})
	}
	var out *policy.RuleSet
	for _, k := range Markets(d.x.o.Vendors) {
		if k.Market != m.Market.Market {
			continue
		}
		j, err := d.x.rulesOf(k.Vendor, k.Market, rows)
		if err != nil {
			return nil, err
		}
		if k.Vendor == m.Vendor {
			out = j.rules
		}
	}
	return out, nil
}

// PreviewOverride works out what a rule of one's own would change.
func (d *Desk) PreviewOverride(ctx context.Context, a view.OverrideDraft) (view.Preview, error) {
	const op = "ops.PreviewOverride"
	m, _, err := d.market(ctx, op, a.Market)
	if err != nil {
		return view.Preview{}, err
	}
	if m.rules == nil {
		return view.Preview{Refused: "No market has rules."}, nil
	}
	o, err := d.overrideOf(m.rules, a)
	var then *policy.RuleSet
	if err == nil {
		then, err = d.overridden(ctx, m, &o, "")
	}
	if errs.Is(err, errs.Invalid) {
		return view.Preview{Refused: errs.Safe(err)}, nil
	}
	if err != nil {
		return view.Preview{}, err
	}
	data, _ := json.Marshal(o) // it was marshalled a moment ago
	shown := overrideView(m.rules, store.PolicyOverride{Data: data}, d.today(m.rules))
	v := view.Preview{Undo: "It can be ended at any time.",
		Sentence: shown.Rule + ": " + shown.Value + " " + spanWords(a) + ", instead of " + shown.Was + "."}
	v.Warnings = []string{"The channel goes on judging by its own rule. Only Spillway’s figures and warnings follow yours."}
	if from, _ := readDay(a.From); from < d.today(m.rules) {
		v.Warnings = append(v.Warnings, "It begins in the past: the days since then are judged anew.")
	}
	if err := d.compareDeadlines(ctx, &v, m, then); err != nil {
		return v, err
	}
	return v, d.compareRules(ctx, &v, m, then)
}

// spanWords says on which days a rule holds.
func spanWords(a view.OverrideDraft) string {
	if a.Until == "" {
		return "from " + string(a.From)
	}
	return "from " + string(a.From) + " to before " + string(a.Until)
}

// compareRules adds to a preview what other rules make of the shops' rates today.
func (d *Desk) compareRules(ctx context.Context, v *view.Preview, m marketNow, then *policy.RuleSet) error {
	anew := false
	err := d.look(ctx, "ops.PreviewOverride", m.Market.Market, func(tx *store.Tx) error {
		ch, err := readChannels(tx)
		if err != nil {
			return err
		}
		today := d.today(m.rules)
		for _, shop := range m.shops {
			for _, metric := range policy.Metrics {
				was, err := standing(tx, m.rules, shop, metric, today)
				if err != nil {
					return err
				}
				a, okA := m.rules.RateOn(metric, today)
				b, okB := then.RateOn(metric, today)
				if okA != okB || okA && health.Key(m.rules, a) != health.Key(then, b) {
					anew = true
					v.Changes = append(v.Changes, view.Change{What: ch.of(shop) + ", " + strings.ToLower(wordsOf(metric).short), From: stateWord(was.State), To: "counted anew",
						Why: "its orders are counted in another way"})
					continue
				}
				is, err := standing(tx, then, shop, metric, today)
				if err != nil {
					return err
				}
				if !slices.Equal(was.Bands, is.Bands) {
					v.Changes = append(v.Changes, view.Change{What: ch.of(shop) + ", " + strings.ToLower(wordsOf(metric).short), From: stateWord(was.State), To: stateWord(is.State),
						Why: capital(gaugeTextOf(&is, tx)), Level: levelOf(is.State)})
				}
			}
		}
		return nil
	})
	if anew {
		v.Warnings = append(v.Warnings, "All orders are counted anew, which takes minutes in large shops; until then rates say that they are still being counted.")
	}
	return err
}

func gaugeTextOf(s *health.Standing, tx *store.Tx) string {
	return gaugeText(s, &shopHealth{at: tx.Now()})
}

// stateWord and levelOf are a state in a word and as a colour.
func stateWord(s health.State) string {
	switch s {
	case health.Good:
		return "good"
	case health.Watch, health.Unsure:
		return "watch"
	case health.Breach:
		return "in breach"
	case health.Nothing:
		return "nothing counted"
	}
	return "no rule"
}

func levelOf(s health.State) view.Level {
	switch s {
	case health.Good:
		return view.Good
	case health.Watch, health.Unsure:
		return view.Watch
	case health.Breach:
		return view.Bad
	}
	return view.Quiet
}

// SetOverride keeps a rule of one's own. The same form again changes nothing. Errors: Invalid, NotFound (the market), Conflict (the form was used
// for another rule).
func (d *Desk) SetOverride(ctx context.Context, a view.OverrideDraft) (view.Done, error) {
	const op = "ops.SetOverride"
	m, _, err := d.market(ctx, op, a.Market)
	if err != nil {
		return view.Done{}, err
	}
	if m.rules == nil {
		return view.Done{}, errs.New(errs.Invalid, op, a.Market, "No market has rules.")
	}
	done := view.Done{Sentence: "Your rule holds from " + string(a.From) + ".", Undo: "override " + a.ID}
	known, err := d.findOverride(ctx, a.ID)
	if err == nil {
		return done, sameOverride(op, known, a)
	}
	if !errs.Is(err, errs.NotFound) {
		return view.Done{}, err
	}
	o, err := d.overrideOf(m.rules, a)
	if err != nil {
		return view.Done{}, err
	}
	if _, err := d.overridden(ctx, m, &o, ""); err != nil {
		return view.Done{}, err
	}
	data, err := json.Marshal(o)
	if err != nil {
		return view.Done{}, errs.Wrap(op, a.ID, err)
	}
	return done, d.putOverride(ctx, op, store.PolicyOverride{ID: a.ID, Market: m.Market.Market, Actor: a.Actor, Data: data}, "policy.set", a.Actor)
}

// sameOverride reports a conflict unless a kept rule is what the draft asks for.
func sameOverride(op string, known store.PolicyOverride, a view.OverrideDraft) error {
	var o policy.Override
	if err := json.Unmarshal(known.Data, &o); err != nil {
		return errs.Wrap(op, known.ID, err)
	}
	var span policy.Span
	same := known.RevokedAt.IsZero() && o.Author == a.Actor && o.Reason == strings.TrimSpace(a.Reason)
	switch {
	case o.Band != nil:
		span = o.Band.Span
		b, err := bandOf(&policy.RuleSet{Bands: []policy.Band{*o.Band}}, &policy.Line{Metric: o.Band.Metric, Kind: o.Band.Kind, Span: o.Band.Span}, a.Value)
		same = same && err == nil && b.Limit == o.Band.Limit && b.Paused == o.Band.Paused
	case o.Rate != nil:
		span = o.Rate.Span
		r, err := o.Rate.Counted(a.Value)
		same = same && err == nil && string(jsonOf(r)) == string(jsonOf(o.Rate))
	case o.Closure != nil:
		span = o.Closure.Span
		same = same && a.RuleID == ruleClosure && o.Closure.Name == strings.TrimSpace(a.Value)
	case o.Deadline != nil:
		span = o.Deadline.Span
		same = same && o.Deadline.Period.String() == strings.TrimSpace(a.Value)
	default:
		span = o.Span
		same = same && o.Enable == a.RuleID
	}
	if !same || dayOf(span.From) != a.From || dayOf(span.Until) != a.Until {
		return errs.New(errs.Conflict, op, a.ID, "This form was used for another rule, or its rule has ended. Open a new one.")
	}
	return nil
}

// putOverride stores an operator's rule with its event, and judges by it at once.
func (d *Desk) putOverride(ctx context.Context, op string, row store.PolicyOverride, kind, actor string) error {
	err := d.x.st.Update(ctx, func(tx *store.Tx) error {
		if err := tx.PolicyOverridePut(row); err != nil {
			return err
		}
		return tx.EventsAppend([]store.Event{{Kind: kind, Subject: row.Market, Data: jsonOf(map[string]any{"id": row.ID, "by": actor, "rule": row.Data})}})
	})
	if err == nil {
		err = d.x.followRules(ctx)
	}
	if err != nil {
		return errs.Wrap(op, row.ID, err)
	}
	d.didHealth(view.TopicPolicy, view.TopicPolicy+":"+row.Market)
	return nil
}

func (d *Desk) findOverride(ctx context.Context, id string) (out store.PolicyOverride, err error) {
	err = d.read(ctx, "ops.Override", id, func(tx *store.Tx) error {
		rows, err := tx.PolicyOverrides()
		if err != nil {
			return err
		}
		i := slices.IndexFunc(rows, func(o store.PolicyOverride) bool { return o.ID == id })
		if i < 0 {
			return errs.New(errs.NotFound, "ops.Override", id, "There is no such rule.")
		}
		out = rows[i]
		return nil
	})
	return out, err
}

// liveOverride finds a rule that has not ended.
func (d *Desk) liveOverride(ctx context.Context, op, id string) (store.PolicyOverride, error) {
	row, err := d.findOverride(ctx, id)
	if err == nil && !row.RevokedAt.IsZero() {
		err = errs.New(errs.NotFound, op, id, "This rule has ended already.")
	}
	return row, err
}

// PreviewOverrideEnd works out what the channel's own rule would change.
func (d *Desk) PreviewOverrideEnd(ctx context.Context, id string) (view.Preview, error) {
	const op = "ops.PreviewOverrideEnd"
	row, err := d.liveOverride(ctx, op, id)
	if err != nil {
		return view.Preview{}, err
	}
	m, _, err := d.market(ctx, op, row.Market)
	if err != nil {
		return view.Preview{}, err
	}
	shipped, err := d.x.shipped(m.Market)
	if err != nil {
		return view.Preview{}, err
	}
	o := overrideView(shipped, row, d.today(m.rules))
	v := view.Preview{Sentence: o.Rule + ": " + o.Was + " again instead of " + o.Value + ".", Undo: "It can be put back with one click."}
	then, err := d.overridden(ctx, m, nil, id)
	if errs.Is(err, errs.Invalid) {
		return view.Preview{Refused: errs.Safe(err)}, nil
	}
	if err == nil {
		err = d.compareDeadlines(ctx, &v, m, then)
	}
	if err != nil {
		return view.Preview{}, err
	}
	return v, d.compareRules(ctx, &v, m, then)
}

// EndOverride takes a rule of one's own away: the channel's holds again, for the past too. Errors: NotFound.
func (d *Desk) EndOverride(ctx context.Context, id, actor string) (view.Done, error) {
	const op = "ops.EndOverride"
	row, err := d.liveOverride(ctx, op, id)
	if err != nil {
		return view.Done{}, err
	}
	row.RevokedAt = d.x.now()
	err = d.putOverride(ctx, op, row, "policy.ended", actor)
	return view.Done{Sentence: "The channel’s own rule holds again.", Undo: "override-again " + id}, err
}

// restoreOverride puts a rule back that was ended.
func (d *Desk) restoreOverride(ctx context.Context, id, actor string) (view.Done, error) {
	const op = "ops.restoreOverride"
	row, err := d.findOverride(ctx, id)
	if err != nil {
		return view.Done{}, err
	}
	if row.RevokedAt.IsZero() {
		return view.Done{}, errs.New(errs.Conflict, op, id, "Your rule holds already.")
	}
	var o policy.Override
	if err := json.Unmarshal(row.Data, &o); err != nil {
		return view.Done{}, errs.Wrap(op, id, err)
	}
	m, _, err := d.market(ctx, op, row.Market)
	if err != nil {
		return view.Done{}, err
	}
	if _, err := d.overridden(ctx, m, &o, ""); err != nil {
		return view.Done{}, err
	}
	row.RevokedAt = time.Time{}
	return view.Done{Sentence: "Your rule holds again.", Undo: "override " + id}, d.putOverride(ctx, op, row, "policy.set", actor)
}

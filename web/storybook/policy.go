package storybook

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"

	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/ops/view"
)

// Policy is a market's rules on a day.
func (b *Book) Policy(_ context.Context, f view.PolicyFilter) (view.Policy, error) {
	unlock, err := b.lock()
	if err != nil {
		return view.Policy{}, err
	}
	defer unlock()
	v := view.Policy{At: b.now(), Filter: f, Version: "2026-11-02", Zone: "America/Los_Angeles", On: cmp.Or(f.On, b.dayBack(0))}
	if len(b.conns) == 0 {
		return v, nil
	}
	v.Markets = []view.Option{{ID: "US", Label: "United States"}, {ID: "GB", Label: "United Kingdom"}}
	v.Market = cmp.Or(f.Market, "US")
	if v.Market != "US" && v.Market != "GB" {
		return view.Policy{}, errs.New(errs.NotFound, "storybook.Policy", f.Market, "There are no rules for the market %s.", f.Market)
	}
	v.Past = f.On != "" && f.On != b.dayBack(0)
	v.Groups = b.ruleGroups(v.Market, v.On)
	v.Overrides = slices.Clone(b.overrides)
	if v.Market == "GB" {
		v.Overrides = nil
		v.Gaps = []string{"How many points a breach costs is in no source. The account is modelled as a range for that reason."}
	}
	v.Switches = []view.Switch{
		{Day: "2026-03-02", Text: "Late dispatch: 4 % recommended, 10 % enforced; before, 4 % was the limit", Cited: clipPage},
		{Day: "2026-09-14", Text: "Enforcement of late dispatch paused", Cited: clipMail},
		{Day: "2026-10-19", Text: "Late dispatch counted by carrier scan instead of tracking; enforcement back", Cited: clipPage},
		{Day: "2027-01-15", Text: "Valid tracking: at least 96 %", Cited: view.Cited{Source: "Seller newsletter", Confidence: "unverified", Note: "One third party; the page does not say so yet"}},
	}
	if f.From != "" && f.To != "" {
		v.Diff = b.diff(v.Market, f.From, f.To)
	} else {
		v.Filter.From, v.Filter.To = "2026-10-01", b.dayBack(0)
	}
	return v, nil
}

func (b *Book) ruleGroups(market string, day view.Day) []view.RuleGroup {
	var out []view.RuleGroup
	for _, m := range meters {
		g := view.RuleGroup{Name: m.short}
		d := definitionOf(shopStory{market: market}, m, day)
		if d.RateID != "" {
			g.Rules = append(g.Rules, view.Rule{ID: m.id + "-count", Name: "How it is counted", Value: strconv.Itoa(m.days) + " days", Text: d.Numerator + " ÷ " + d.Denominator, From: d.From, Until: d.Until, Fixed: true, Cited: d.Cited})
		}
		for _, l := range limitsOn(market, m.id, day) {
			r := view.Rule{ID: l.RuleID, Name: capital(l.Kind), Value: atMost(m, l.At), From: l.From, Until: l.Until, Paused: l.Paused, Cited: l.Cited}
			for _, o := range b.overrides {
				if o.RuleID == r.ID && market == "US" && day >= o.From && (o.Until == "" || day < o.Until) {
					r.Value, r.From, r.Until, r.Override, r.Cited = o.Value, o.From, o.Until, true, view.Cited{Source: o.Author, Confidence: "override", Note: o.Reason}
				}
			}
			g.Rules = append(g.Rules, r)
		}
		out = append(out, g)
	}
	return append(out,
		view.RuleGroup{Name: "Deadlines", Rules: []view.Rule{
			{ID: "dispatch-regular", Name: "Hand to the carrier", Value: "2 business days", Text: "Cut-off 23:59 Pacific; the order’s own field goes first", From: "2026-01-26", Cited: clipPage},
			{ID: "cancel-regular", Name: "Cancelled by the channel", Value: "7 business days", Text: "When it was not ready to ship by then", From: "2025-10-23", Cited: clipPage},
		}},
		view.RuleGroup{Name: "Account", Rules: []view.Rule{
			{ID: "account-green", Name: "Green from", Value: "200", From: "2025-07-01", Cited: accountPage},
			{ID: "account-150", Name: "At 150", Value: "7 days without new listings", From: "2025-07-01", Cited: view.Cited{Source: "Two tool makers’ pages", Confidence: "unverified"}},
		}},
	)
}

func capital(s string) string { return string(s[0]-'a'+'A') + s[1:] }

func atMost(m meter, at view.PPM) string {
	n := strconv.FormatFloat(float64(at)/10_000, 'f', -1, 64) + " %"
	if m.highIsBad {
		return "at most " + n
	}
	return "at least " + n
}

// diff is what differs between two days, and what that makes of the shops of the market.
func (b *Book) diff(market string, from, to view.Day) *view.PolicyDiff {
	d := &view.PolicyDiff{From: from, To: to}
	was := map[string]view.Rule{}
	for _, g := range b.ruleGroups(market, from) {
		for _, r := range g.Rules {
			was[r.ID] = r
		}
	}
	word := func(r view.Rule) string {
		if r.Paused {
			return r.Value + ", paused"
		}
		return r.Value
	}
	for _, g := range b.ruleGroups(market, to) {
		for _, r := range g.Rules {
			if old, ok := was[r.ID]; !ok || word(old) != word(r) || old.Text != r.Text {
				c := view.Change{What: g.Name + ": " + r.Name, From: "none", To: word(r), Why: r.Source}
				if ok {
					c.From = word(old)
					if word(old) == word(r) {
						c.From, c.To = old.Text, r.Text
					}
				}
				d.Changes = append(d.Changes, c)
			}
		}
	}
	if len(d.Changes) == 0 {
		return d
	}
	for _, s := range shopStories {
		if s.market != market {
			continue
		}
		m := meters[0]
		against, of := b.windowCount(s, m, 0)
		early := against - against/6
		e := view.PolicyEffect{Shop: channelNames[s.id], ShopID: s.id, Metric: m.id, Name: m.name, Orders: against - early}
		e.Before = view.Judged{Num: early, Den: of, State: standing(m, early, of, limitsOn(market, m.id, from))}
		e.After = view.Judged{Num: against, Den: of, State: standing(m, against, of, limitsOn(market, m.id, to))}
		e.Text = fmt.Sprintf("%d more orders count as late.", e.Orders)
		d.Effects = append(d.Effects, e)
	}
	return d
}

func (b *Book) ruleNamed(market, id string) (string, view.Rule, bool) {
	if id == "closure" {
		return "Deadlines", view.Rule{ID: id, Name: "No business days", Value: "business as usual"}, true
	}
	for _, g := range b.ruleGroups(market, b.dayBack(0)) {
		for _, r := range g.Rules {
			if r.ID == id {
				return g.Name, r, true
			}
		}
	}
	return "", view.Rule{}, false
}

// PreviewOverride works out what a rule of one's own would change.
func (b *Book) PreviewOverride(_ context.Context, d view.OverrideDraft) (view.Preview, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	group, r, ok := b.ruleNamed(d.Market, d.RuleID)
	if !ok || r.Fixed {
		return view.Preview{Refused: "This rule cannot be set by hand."}, nil
	}
	return view.Preview{
		Sentence: fmt.Sprintf("%s, %s: %s instead of %s.", group, r.Name, d.Value, r.Value),
		Changes:  []view.Change{{What: channelNames["clip-north"] + ", " + group, From: "watch", To: "watch", Why: "its rate does not change, only how it is judged"}},
		Warnings: []string{"The channel goes on judging by its own rule. Only Spillway’s warnings follow yours."},
		Undo:     "It can be ended at any time.",
	}, nil
}

// SetOverride keeps a rule of one's own.
func (b *Book) SetOverride(_ context.Context, d view.OverrideDraft) (view.Done, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if old, ok := b.done[d.ID]; ok {
		return old, nil
	}
	group, r, ok := b.ruleNamed(d.Market, d.RuleID)
	if !ok || r.Fixed {
		return view.Done{}, errs.New(errs.Invalid, "storybook.SetOverride", d.RuleID, "This rule cannot be set by hand.")
	}
	b.overrides = append([]view.Override{{ID: d.ID, RuleID: r.ID, Rule: group + ", " + r.Name, Was: r.Value, Value: d.Value, From: d.From, Until: d.Until, Author: d.Actor, Reason: d.Reason, At: b.now()}}, b.overrides...)
	b.done[d.ID] = view.Done{Sentence: "Your rule holds from " + string(d.From) + ".", Undo: "override " + d.ID}
	b.tell(view.TopicPolicy + ":" + d.Market)
	return b.done[d.ID], nil
}

// PreviewOverrideEnd works out what the channel's own rule would change.
func (b *Book) PreviewOverrideEnd(_ context.Context, id string) (view.Preview, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, o := range b.overrides {
		if o.ID == id {
			return view.Preview{Sentence: fmt.Sprintf("%s: %s again instead of %s.", o.Rule, o.Was, o.Value), Undo: "Set it anew if it was wrong."}, nil
		}
	}
	return view.Preview{}, errs.New(errs.NotFound, "storybook.PreviewOverrideEnd", id, "This rule has ended already.")
}

// EndOverride takes a rule of one's own away.
func (b *Book) EndOverride(_ context.Context, id, _ string) (view.Done, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.endOverride(id)
}

func (b *Book) endOverride(id string) (view.Done, error) {
	for i, o := range b.overrides {
		if o.ID == id {
			b.overrides = slices.Delete(b.overrides, i, i+1)
			b.tell(view.TopicPolicy + ":US")
			return view.Done{Sentence: o.Rule + ": the channel’s own rule holds again."}, nil
		}
	}
	return view.Done{}, errs.New(errs.NotFound, "storybook.EndOverride", id, "This rule has ended already.")
}

package storybook

import (
	"context"
	"slices"
	"strconv"

	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/ops/view"
)

// rule finds what is watched. The caller holds the lock.
func (b *Book) rule(id string) (*view.AlertRule, error) {
	i := slices.IndexFunc(b.settings.Rules, func(r view.AlertRule) bool { return r.ID == id })
	if i < 0 {
		return nil, errs.New(errs.NotFound, "storybook.rule", id, "There is no such kind of alert.")
	}
	return &b.settings.Rules[i], nil
}

// defaultRule is what a kind's form says before anybody has changed it.
func defaultRule(r view.AlertRule) view.AlertRuleDraft {
	d := view.AlertRuleDraft{ID: r.ID, On: true, Role: r.Role, After: "15", Clear: "60"}
	if r.ID == "stockout" {
		d.Warn = "48"
	} else {
		d.Level = "warning"
	}
	return d
}

// AlertRule shows one kind.
func (b *Book) AlertRule(_ context.Context, id string) (view.AlertRulePage, error) {
	unlock, err := b.lock()
	if err != nil {
		return view.AlertRulePage{}, err
	}
	defer unlock()
	r, err := b.rule(id)
	if err != nil {
		return view.AlertRulePage{}, err
	}
	v := view.AlertRulePage{At: b.now(), Rule: *r, Default: defaultRule(*r), Roles: b.settings.Roles,
		Levels: []view.Option{{ID: "info", Label: "a line in the digest"}, {ID: "warning", Label: "will become wrong"}, {ID: "critical", Label: "wrong now"}},
		Hushes: []view.Option{{Label: "only what is wrong now comes through"}, {ID: "through", Label: "comes through, whatever it is"}, {ID: "waits", Label: "waits until they end, whatever it is"}}}
	if id == "stockout" {
		v.Unit, v.Asks, v.Graded = "hours", "when no more than this is left", true
		v.Levels = slices.Insert(v.Levels, 0, view.Option{Label: "as severe as it is"})
	}
	v.Now = v.Default
	if d, changed := b.rules[id]; changed {
		v.Now = d
	}
	return v, nil
}

// PreviewRule works out what would change.
func (b *Book) PreviewRule(_ context.Context, d view.AlertRuleDraft) (view.Preview, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	r, err := b.rule(d.ID)
	if err != nil {
		return view.Preview{}, err
	}
	v := view.Preview{Sentence: "It holds from the next look on, a few seconds later.", Undo: "It can be taken back."}
	if d.Reset {
		v.Changes = []view.Change{{What: r.Name, From: "set by " + r.By, To: "as it came"}}
		return v, nil
	}
	was, changed := b.rules[d.ID]
	if !changed {
		was = defaultRule(*r)
	}
	for _, f := range []struct{ what, from, to string }{{"Warning", was.Warn, d.Warn}, {"Critical", was.Critical, d.Critical}, {"Must last", was.After, d.After}, {"Role", was.Role, d.Role}} {
		if f.from != f.to {
			v.Changes = append(v.Changes, view.Change{What: f.what, From: orNever(f.from), To: orNever(f.to)})
		}
	}
	for _, n := range []struct{ what, text string }{{"Warning", d.Warn}, {"Critical", d.Critical}} {
		if _, err := strconv.ParseFloat(n.text, 64); n.text != "" && err != nil {
			v.Refused = n.what + ": is a number of hours, or empty for never"
		}
	}
	if !d.On {
		v.Warnings = []string{"Nobody hears of it any more, and no incident is opened."}
	}
	return v, nil
}

func orNever(v string) string {
	if v == "" {
		return "never"
	}
	return v
}

// SetRule keeps it.
func (b *Book) SetRule(_ context.Context, d view.AlertRuleDraft) (view.Done, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	r, err := b.rule(d.ID)
	if err != nil {
		return view.Done{}, err
	}
	was, draft, changed := *r, b.rules[d.ID], b.rules[d.ID].ID != ""
	back := func() {
		if *r = was; changed {
			b.rules[d.ID] = draft
		} else {
			delete(b.rules, d.ID)
		}
	}
	if d.Reset {
		delete(b.rules, d.ID)
		r.By, r.ByAt = "", nil
		return b.changed("rule "+d.ID, r.Name+" is as it came.", back), nil
	}
	now := b.now()
	r.On, r.Role, r.By, r.ByAt = d.On, d.Role, d.Actor, &now
	if b.rules == nil {
		b.rules = map[string]view.AlertRuleDraft{}
	}
	b.rules[d.ID] = d
	return b.changed("rule "+d.ID, r.Name+" is set.", back), nil
}

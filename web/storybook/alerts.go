package storybook

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"time"

	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/ops/view"
)

// alertsUp fills the settings.
func (b *Book) alertsUp() {
	t := b.opened
	at := func(d time.Duration) *time.Time { x := t.Add(-d); return &x }
	next := t.Add(43 * time.Hour).Truncate(time.Hour)
	b.settings = view.Alerts{
		Kinds: []view.TargetKind{{ID: "webhook", Name: "Webhook", Help: "an https address"}, {ID: "mail", Name: "Mail", Help: "an address such as ops@shop.example"}, {ID: "sms", Name: "Text message", Help: "a number such as +49 170 …"}},
		Roles: []view.Option{{ID: "operations", Label: "Operations"}, {ID: "warehouse", Label: "Warehouse"}, {ID: "engineer", Label: "Engineer"}, {ID: "head", Label: "Head of operations"}},
		Targets: []view.AlertTarget{
			{ID: "tg-1", Name: "Operations room", Kind: "webhook", Hint: "hooks.chat.example, ending …x9f2", Role: "operations", From: view.Watch, LastAt: at(38 * time.Minute), Last: "delivered", Level: view.Good},
			{ID: "tg-2", Name: "Pager", Kind: "webhook", Hint: "pager.example, ending …71aa", Role: "engineer", From: view.Bad, LastAt: at(7 * time.Minute), Last: "no answer within 10 s", Level: view.Bad},
			{ID: "tg-3", Name: "Mail to engineers", Kind: "mail", Hint: "e…@nordlicht.example", Role: "engineer", From: view.Watch, LastAt: at(6 * time.Minute), Last: "delivered", Level: view.Good},
		},
		Rules: []view.AlertRule{
			{ID: "forecast", Name: "A rate will break", When: "the chance of a breach is at least 50 % for 10 min", Level: view.Watch, Role: "operations", On: true, LastAt: at(47 * time.Hour)},
			{ID: "breach", Name: "A rate is in breach", When: "it is worse than an enforcement in force", Level: view.Bad, Role: "head", On: true},
			{ID: "tracking", Name: "Tracking upload fails", When: "3 refusals in a row", Level: view.Bad, Role: "engineer", On: true, LastAt: at(7 * time.Minute)},
			{ID: "spike", Name: "Order spike", When: "orders of an hour are above 3 × the daily average", Level: view.Watch, Role: "operations", On: true, LastAt: at(38 * time.Minute)},
			{ID: "stockout", Name: "Sold out ahead", When: "an item is sold out within 2 h at its rate", Level: view.Watch, Role: "operations", On: true, Quiet: true},
			{ID: "login", Name: "A login expires", When: "within 3 days", Level: view.Watch, Role: "engineer", On: true, Quiet: true, LastAt: at(190 * time.Hour)},
			{ID: "drift", Name: "Drift", When: "more than 3 listings changed by hand in an hour", Level: view.Watch, Role: "operations", On: false},
		},
		Quiet:    view.QuietHours{On: true, From: "22:00", Until: "07:00", Zone: "Europe/Berlin", Weekend: true, Through: view.Bad},
		Steps:    []view.EscalationStep{{After: 0, Role: "operations"}, {After: 15 * time.Minute, Role: "head"}},
		Silences: []view.Silence{{ID: "si-1", What: "Drift on Clip · Outlet", From: t.Add(-2 * time.Hour), Until: t.Add(4 * time.Hour), By: "mia@nordlicht.example", Reason: "the outlet’s team counts by hand today", Held: 3}},
		Matches:  []view.Option{{ID: "shop:clip-north", Label: "Everything of Clip · Nordlicht"}, {ID: "shop:clip-outlet", Label: "Everything of Clip · Outlet"}, {ID: "rule:spike", Label: "Order spikes"}, {ID: "rule:stockout", Label: "Sold out ahead"}},
		Digest:   view.Digest{On: true, Day: "Monday", Hour: 8, Zone: "Europe/Berlin", Role: "head", NextAt: &next},
	}
}

// Alerts shows the settings.
func (b *Book) Alerts(context.Context) (view.Alerts, error) {
	unlock, err := b.lock()
	if err != nil {
		return view.Alerts{}, err
	}
	defer unlock()
	v := b.settings
	v.At, v.Targets, v.Silences, v.Steps = b.now(), slices.Clone(v.Targets), slices.Clone(v.Silences), slices.Clone(v.Steps)
	return v, nil
}

// AddTarget keeps a target; of its address only a hint.
func (b *Book) AddTarget(_ context.Context, d view.TargetDraft) (view.Done, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	u, err := url.Parse(d.Address)
	if d.Kind == "webhook" && (err != nil || u.Scheme != "https" || u.Host == "") {
		return view.Done{}, errs.New(errs.Invalid, "storybook.AddTarget", "address", "The address of a webhook begins with https://.")
	}
	hint := d.Address[:1] + "…"
	if d.Kind == "webhook" {
		hint = u.Host + ", ending …" + d.Address[max(0, len(d.Address)-4):]
	}
	b.settings.Targets = append(b.settings.Targets, view.AlertTarget{ID: d.ID, Name: d.Name, Kind: d.Kind, Hint: hint, Role: d.Role, From: d.From, Last: "no message yet"})
	b.tell(view.TopicAlerts)
	return view.Done{Sentence: d.Name + " is kept. Test it before you need it."}, nil
}

func (b *Book) target(id string) (*view.AlertTarget, error) {
	for i := range b.settings.Targets {
		if b.settings.Targets[i].ID == id {
			return &b.settings.Targets[i], nil
		}
	}
	return nil, errs.New(errs.NotFound, "storybook.target", id, "This target does not exist any more.")
}

// TestTarget pretends to send a test.
func (b *Book) TestTarget(_ context.Context, id, _ string) (view.Done, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	t, err := b.target(id)
	if err != nil {
		return view.Done{}, err
	}
	now := b.now()
	t.LastAt, t.Last, t.Level = &now, "delivered", view.Good
	b.tell(view.TopicAlerts)
	return view.Done{Sentence: t.Name + " answered in 84 ms. Look whether the test has arrived."}, nil
}

// PreviewTargetEnd works out who would not be reached any more.
func (b *Book) PreviewTargetEnd(_ context.Context, id string) (view.Preview, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	t, err := b.target(id)
	if err != nil {
		return view.Preview{}, err
	}
	v := view.Preview{Sentence: t.Name + " is not told any more.", Undo: "There is no undo: its address is not kept."}
	n := 0
	for _, x := range b.settings.Targets {
		if x.Role == t.Role {
			n++
		}
	}
	if n == 1 {
		v.Warnings = []string{"Nobody else is reached for this role."}
	}
	return v, nil
}

// RemoveTarget forgets a target.
func (b *Book) RemoveTarget(_ context.Context, id, _ string) (view.Done, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	t, err := b.target(id)
	if err != nil {
		return view.Done{}, err
	}
	name := t.Name
	b.settings.Targets = slices.DeleteFunc(b.settings.Targets, func(x view.AlertTarget) bool { return x.ID == id })
	b.tell(view.TopicAlerts)
	return view.Done{Sentence: name + " is removed."}, nil
}

func onOff(on bool) string {
	if on {
		return "on"
	}
	return "off"
}

func hours(q view.QuietHours) string {
	if !q.On {
		return "off"
	}
	return q.From + " to " + q.Until
}

// PreviewQuiet works out what other quiet hours would change.
func (b *Book) PreviewQuiet(_ context.Context, d view.QuietDraft) (view.Preview, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if _, err := time.LoadLocation(d.Zone); err != nil {
		return view.Preview{Refused: d.Zone + " is no zone this machine knows. Write it like Europe/Berlin."}, nil
	}
	return view.Preview{
		Sentence: "Of the 23 alerts of last week, 4 would have waited for the morning.", Undo: "The old hours can be set again with one click.",
		Changes: []view.Change{{What: "Quiet hours", From: hours(b.settings.Quiet), To: hours(d.QuietHours)}},
	}, nil
}

// SetQuiet keeps quiet hours.
func (b *Book) SetQuiet(_ context.Context, d view.QuietDraft) (view.Done, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	was := b.settings.Quiet
	b.settings.Quiet = d.QuietHours
	return b.changed("quiet", "Quiet hours are "+onOff(d.On)+".", func() { b.settings.Quiet = was }), nil
}

// changed tells of new settings and keeps the way back. The caller holds the lock.
func (b *Book) changed(undo, said string, back func()) view.Done {
	b.before[undo] = func() { back(); b.tell(view.TopicAlerts) }
	b.tell(view.TopicAlerts)
	return view.Done{Sentence: said, Undo: undo}
}

// PreviewEscalation works out how long it would take until the last role is told.
func (b *Book) PreviewEscalation(_ context.Context, d view.EscalationDraft) (view.Preview, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(d.Steps) == 0 {
		return view.Preview{Refused: "At least one role must be told."}, nil
	}
	var all time.Duration
	for _, s := range d.Steps {
		all += s.After
	}
	return view.Preview{
		Sentence: fmt.Sprintf("%d roles are told, the last after %d min.", len(d.Steps), int(all.Minutes())), Undo: "The old steps can be set again with one click.",
		Changes: []view.Change{{What: "Steps", From: fmt.Sprint(len(b.settings.Steps)), To: fmt.Sprint(len(d.Steps))}},
	}, nil
}

// SetEscalation keeps who is told when.
func (b *Book) SetEscalation(_ context.Context, d view.EscalationDraft) (view.Done, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	was := b.settings.Steps
	b.settings.Steps = d.Steps
	return b.changed("escalation", "The escalation is set.", func() { b.settings.Steps = was }), nil
}

// PreviewSilence works out what would keep still.
func (b *Book) PreviewSilence(_ context.Context, d view.SilenceDraft) (view.Preview, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return view.Preview{
		Sentence: fmt.Sprintf("Nobody is told of it for %s. Last week that would have been 2 alerts.", d.Until.Sub(d.From)), Undo: "It can be ended at any time.",
		Warnings: []string{"Incidents are opened all the same and stand on their page."},
	}, nil
}

// AddSilence keeps something still.
func (b *Book) AddSilence(_ context.Context, d view.SilenceDraft) (view.Done, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	what := d.Match
	for _, m := range b.settings.Matches {
		if m.ID == d.Match {
			what = m.Label
		}
	}
	was := b.settings.Silences
	b.settings.Silences = append(slices.Clone(was), view.Silence{ID: d.ID, What: what, From: d.From, Until: d.Until, By: d.Actor, Reason: d.Reason})
	return b.changed("silence "+d.ID, what+" keeps still.", func() { b.settings.Silences = was }), nil
}

// EndSilence makes something heard again.
func (b *Book) EndSilence(_ context.Context, id, _ string) (view.Done, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	was := b.settings.Silences
	b.settings.Silences = slices.DeleteFunc(slices.Clone(was), func(s view.Silence) bool { return s.ID == id })
	if len(was) == len(b.settings.Silences) {
		return view.Done{}, errs.New(errs.NotFound, "storybook.EndSilence", id, "This silence has ended already.")
	}
	return b.changed("silence "+id, "It is heard again.", func() { b.settings.Silences = was }), nil
}

// PreviewDigest works out what another digest would change.
func (b *Book) PreviewDigest(_ context.Context, d view.DigestDraft) (view.Preview, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	when := func(on bool, day string, hour int) string {
		if !on {
			return "not sent"
		}
		return fmt.Sprintf("%s %d:00", day, hour)
	}
	old := b.settings.Digest
	return view.Preview{
		Sentence: "The digest is " + when(d.On, "sent on "+d.Day+" at", d.Hour) + ".", Undo: "The old day can be set again with one click.",
		Changes: []view.Change{{What: "Weekly digest", From: when(old.On, old.Day, old.Hour), To: when(d.On, d.Day, d.Hour)}},
	}, nil
}

// SetDigest keeps when the digest is sent.
func (b *Book) SetDigest(_ context.Context, d view.DigestDraft) (view.Done, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	was := b.settings.Digest
	b.settings.Digest.On, b.settings.Digest.Day, b.settings.Digest.Hour, b.settings.Digest.Role = d.On, d.Day, d.Hour, d.Role
	return b.changed("digest", "The digest is set.", func() { b.settings.Digest = was }), nil
}

package ops

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spillway/spillway/domain/alert"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/notify"
	"github.com/spillway/spillway/ops/view"
	"github.com/spillway/spillway/store"
)

// firedIncidents are read to say when a rule fired last.
const firedIncidents = 500

// Alerts is who is told what, and when not.
func (d *Desk) Alerts(ctx context.Context) (view.Alerts, error) {
	v := view.Alerts{At: d.x.now()}
	for _, s := range notify.Services() {
		v.Kinds = append(v.Kinds, view.TargetKind{ID: s.ID, Name: s.Name, Help: s.Help})
	}
	for _, r := range alert.Roles {
		v.Roles = append(v.Roles, view.Option{ID: string(r), Label: capital(roleWord(r))})
	}
	v.Roles = append(v.Roles, view.Option{ID: string(alert.Owner), Label: capital(roleWord(alert.Owner))})
	err := d.read(ctx, "ops.Alerts", "", func(tx *store.Tx) error {
		w, err := d.incidentDesk(tx)
		if err != nil {
			return err
		}
		if v.Targets, err = w.targets(tx); err != nil {
			return err
		}
		if v.Rules, err = w.rules(tx); err != nil {
			return err
		}
		if v.Silences, err = w.silences(tx); err != nil {
			return err
		}
		v.Matches = w.matches()
		v.Quiet, v.Steps = w.quiet(), stepRows(w.settings)
		v.Digest, err = w.digest(tx)
		return err
	})
	return v, err
}

func (w *incidentDesk) targets(tx *store.Tx) ([]view.AlertTarget, error) {
	rows, err := tx.TargetList()
	if err != nil {
		return nil, err
	}
	var out []view.AlertTarget
	for _, t := range rows {
		v := view.AlertTarget{ID: t.ID, Name: t.Name, Kind: t.Service, Hint: t.Hint, Role: string(t.Role), From: loudness(t.Least), Last: "no message yet"}
		last, err := tx.DeliveriesOf(t.ID, 1)
		if err != nil {
			return nil, err
		}
		if len(last) == 1 {
			l := last[0]
			v.LastAt, v.Last, v.Level = ptr(l.At), "delivered", view.Good
			switch {
			case l.State == store.DeliveryFailed:
				v.Last, v.Level = l.Error, view.Bad
			case l.State == store.DeliveryWaiting:
				v.Last, v.Level = cmp.Or(l.Error, "on its way"), view.Watch
			}
		}
		out = append(out, v)
	}
	return out, nil
}

func (w *incidentDesk) rules(tx *store.Tx) ([]view.AlertRule, error) {
	fired, err := tx.IncidentsOpened(w.at.Add(-keepLogs), firedIncidents)
	if err != nil {
		return nil, err
	}
	var out []view.AlertRule
	for _, base := range alert.Rules() {
		v := w.ruleRow(base.Kind)
		if i := slices.IndexFunc(fired, func(i store.Incident) bool { return i.Kind == base.Kind }); i >= 0 {
			v.LastAt = ptr(fired[i].OpenedAt)
		}
		out = append(out, v)
	}
	return out, nil
}

func (w *incidentDesk) silences(tx *store.Tx) ([]view.Silence, error) {
	rows, err := tx.SilenceList(w.at)
	if err != nil {
		return nil, err
	}
	live, err := liveIncidents(tx, w.at)
	if err != nil {
		return nil, err
	}
	var out []view.Silence
	for _, s := range rows {
		v := view.Silence{ID: s.ID, What: w.what(s.Silence), From: s.From, Until: s.Until, By: s.Author, Reason: s.Reason}
		for _, i := range live {
			if s.Covers(i.Last, w.at) {
				v.Held++
			}
		}
		out = append(out, v)
	}
	return out, nil
}

// what says what a silence matches.
func (w *incidentDesk) what(s alert.Silence) string {
	out := "Everything"
	if s.Kind != "" {
		out = w.c.Rule(s.Kind).Title
	}
	if s.Shop != "" {
		out += " of " + w.ch.of(s.Shop)
	}
	if s.Subject != "" && s.Subject != s.Shop {
		out += " (" + s.Subject + ")"
	}
	if s.Node != "" {
		out += " at " + s.Node
	}
	return out
}

// What a silence of the form matches: everything of a shop, or a kind.
const (
	matchShop = "shop:"
	matchKind = "rule:"
)

func (w *incidentDesk) matches() []view.Option {
	var out []view.Option
	for _, o := range w.ch.options() {
		out = append(out, view.Option{ID: matchShop + o.ID, Label: "Everything of " + o.Label})
	}
	for _, r := range alert.Rules() {
		out = append(out, view.Option{ID: matchKind + string(r.Kind), Label: w.c.Rule(r.Kind).Title})
	}
	return out
}

func (w *incidentDesk) quiet() view.QuietHours {
	q := w.settings.Quiet
	if !q.On && q.From == q.Until { // what the form begins with
		q.From, q.Until = 22*60, 7*60
	}
	return view.QuietHours{On: q.On, From: minutes(q.From), Until: minutes(q.Until), Zone: cmp.Or(q.Zone, w.d.home.String()), Weekend: q.Weekend, Through: view.Bad}
}

func minutes(m int) string { return fmt.Sprintf("%02d:%02d", m/60, m%60) }

func stepRows(s AlertSettings) []view.EscalationStep {
	var out []view.EscalationStep
	for _, st := range s.config().Escalation[alert.Critical].Steps {
		for _, r := range st.Roles {
			out = append(out, view.EscalationStep{After: st.After, Role: string(r)})
		}
	}
	return out
}

func (w *incidentDesk) digest(tx *store.Tx) (view.Digest, error) {
	s := w.settings.Digest
	v := view.Digest{On: s.On, Day: s.Day.String(), Hour: s.Hour, Zone: cmp.Or(s.Zone, w.d.home.String()), Role: string(s.Role)}
	if !s.On {
		if s.Role == "" { // what the form begins with
			v.Day, v.Hour, v.Role = time.Monday.String(), 8, string(alert.Operations)
		}
		return v, nil
	}
	loc, err := time.LoadLocation(s.Zone)
	if err != nil {
		loc = time.UTC
	}
	week, _, until := alert.DigestTime{Day: s.Day, Hour: s.Hour, Zone: loc}.Due(w.at)
	sent, _, err := tx.SettingGet(digestSetting)
	v.NextAt = ptr(until.AddDate(0, 0, 7))
	if sent == week {
		v.LastAt = ptr(until)
	}
	return v, err
}

// AddTarget keeps somebody to be told.
func (d *Desk) AddTarget(ctx context.Context, t view.TargetDraft) (view.Done, error) {
	if kind, _, ok := strings.Cut(strings.TrimSpace(t.Address), ":"); !ok || !strings.EqualFold(kind, t.Kind) {
		for _, s := range notify.Services() {
			if s.ID == t.Kind {
				return view.Done{}, errs.New(errs.Invalid, "ops.AddTarget", "address", "The address looks like %s.", s.Help)
			}
		}
	}
	row, err := d.x.PutTarget(ctx, NewTarget{ID: t.ID, Name: t.Name, Address: t.Address, Role: alert.Role(t.Role), Least: severityOf(t.From), Actor: t.Actor})
	return view.Done{Sentence: row.Name + " is kept. Test it before you need it."}, d.did(err)
}

// TestTarget sends a test and says what came of it.
func (d *Desk) TestTarget(ctx context.Context, id, actor string) (view.Done, error) {
	began := d.x.now()
	if err := d.did(d.x.TestTarget(ctx, id, actor)); err != nil {
		return view.Done{}, err
	}
	return view.Done{Sentence: "It was taken after " + lasting(d.x.now().Sub(began)) + ". Look whether the test has arrived."}, nil
}

// PreviewTargetEnd works out who would not be reached any more.
func (d *Desk) PreviewTargetEnd(ctx context.Context, id string) (view.Preview, error) {
	all, err := d.x.Targets(ctx)
	if err != nil {
		return view.Preview{}, err
	}
	i := slices.IndexFunc(all, func(t store.AlertTarget) bool { return t.ID == id })
	if i < 0 {
		return view.Preview{}, errs.New(errs.NotFound, "ops.PreviewTargetEnd", id, "There is nobody to be told under this id any more.")
	}
	v := view.Preview{Sentence: all[i].Name + " is not told any more.", Undo: "There is no undo: its address is not kept.",
		Changes: []view.Change{{What: all[i].Name, From: "told", To: "not told", Level: view.Watch}}}
	same := 0
	for _, t := range all {
		if t.Role == all[i].Role {
			same++
		}
	}
	switch {
	case len(all) == 1:
		v.Warnings = []string{"Nobody is told of anything then; incidents are only shown here."}
	case same == 1:
		v.Warnings = []string{"Nobody else is reached as " + roleWord(all[i].Role) + "."}
	}
	return v, nil
}

// RemoveTarget forgets somebody.
func (d *Desk) RemoveTarget(ctx context.Context, id, actor string) (view.Done, error) {
	return view.Done{Sentence: "Nobody is told there any more."}, d.did(d.x.RemoveTarget(ctx, id, actor))
}

// previewSettings works out what a change of settings would do, with the code that does it.
func (d *Desk) previewSettings(ctx context.Context, what, sentence string, words func(AlertSettings) string, change func(*AlertSettings) error) (view.Preview, error) {
	was, err := d.x.AlertSettings(ctx)
	if err != nil {
		return view.Preview{}, err
	}
	s := was
	v := view.Preview{Sentence: sentence, Undo: "It can be taken back."}
	err = change(&s)
	if err == nil {
		err = s.Check()
	}
	if err != nil {
		v.Refused = errs.Safe(err)
		return v, nil
	}
	v.Changes = []view.Change{{What: what, From: words(was), To: words(s)}}
	return v, nil
}

func (d *Desk) setSettings(ctx context.Context, actor, sentence string, change func(*AlertSettings) error) (view.Done, error) {
	var refused error
	was, err := d.x.SetAlertSettings(ctx, actor, func(s *AlertSettings) {
		next := *s
		if refused = change(&next); refused == nil {
			*s = next
		}
	})
	if refused != nil {
		err = refused
	}
	was.Rules = nil // they have an undo of their own
	return view.Done{Sentence: sentence, Undo: "alertsettings " + string(jsonOf(was))}, d.did(err)
}

// settingsBefore reads what an undo of settings goes back to. It is checked as any other settings are.
func (d *Desk) settingsBefore(_ context.Context, text string) (s AlertSettings, err error) {
	if json.Unmarshal([]byte(text), &s) != nil {
		return s, errs.New(errs.Invalid, "ops.Undo", "", "This cannot be undone.")
	}
	return s, nil
}

func quietWords(s AlertSettings) string {
	if !s.Quiet.On {
		return "none"
	}
	out := minutes(s.Quiet.From) + " to " + minutes(s.Quiet.Until) + ", " + s.Quiet.Zone
	if s.Quiet.Weekend {
		out += ", and all weekend"
	}
	return out
}

func quietChange(a view.QuietDraft) func(*AlertSettings) error {
	return func(s *AlertSettings) error {
		from, err := clockMinutes(a.From)
		if err != nil {
			return err
		}
		until, err := clockMinutes(a.Until)
		if err != nil {
			return err
		}
		if a.Through != view.Bad {
			return errs.New(errs.Invalid, "ops.SetQuiet", "through", "Only what is bad wakes somebody in quiet hours.")
		}
		s.Quiet = HouseQuiet{On: a.On, From: from, Until: until, Weekend: a.Weekend, Zone: a.Zone}
		return nil
	}
}

func clockMinutes(s string) (int, error) {
	t, err := time.Parse("15:04", s)
	if err != nil {
		return 0, errs.New(errs.Invalid, "ops.SetQuiet", s, "is not a time such as 22:00")
	}
	return t.Hour()*60 + t.Minute(), nil
}

// PreviewQuiet and SetQuiet are of the quiet hours of those who have none of their own.
func (d *Desk) PreviewQuiet(ctx context.Context, a view.QuietDraft) (view.Preview, error) {
	return d.previewSettings(ctx, "Quiet hours", "In these hours only what is bad wakes somebody; the rest is told when they end.", quietWords, quietChange(a))
}

// SetQuiet see PreviewQuiet.
func (d *Desk) SetQuiet(ctx context.Context, a view.QuietDraft) (view.Done, error) {
	return d.setSettings(ctx, a.Actor, "The quiet hours are set.", quietChange(a))
}

func stepWords(s AlertSettings) string {
	var out []string
	for _, st := range stepRows(s) {
		out = append(out, roleWord(alert.Role(st.Role))+" after "+lasting(st.After))
	}
	return strings.Join(out, ", ")
}

func stepChange(a view.EscalationDraft) func(*AlertSettings) error {
	return func(s *AlertSettings) error {
		rows := slices.SortedStableFunc(slices.Values(a.Steps), func(x, y view.EscalationStep) int { return cmp.Compare(x.After, y.After) })
		s.Steps = nil
		for _, r := range rows {
			if n := len(s.Steps); n > 0 && s.Steps[n-1].After == r.After {
				s.Steps[n-1].Roles = append(s.Steps[n-1].Roles, alert.Role(r.Role))
				continue
			}
			s.Steps = append(s.Steps, alert.Step{After: r.After, Roles: []alert.Role{alert.Role(r.Role)}})
		}
		return nil
	}
}

// PreviewEscalation is of who is told of what is bad until somebody takes it.
func (d *Desk) PreviewEscalation(ctx context.Context, a view.EscalationDraft) (view.Preview, error) {
	return d.previewSettings(ctx, "What is bad is told to", "The next one is told when nobody has taken it by then.", stepWords, stepChange(a))
}

// SetEscalation see PreviewEscalation.
func (d *Desk) SetEscalation(ctx context.Context, a view.EscalationDraft) (view.Done, error) {
	return d.setSettings(ctx, a.Actor, "The escalation is set.", stepChange(a))
}

func (d *Desk) silenceDraft(a view.SilenceDraft) (alert.Silence, error) {
	s := alert.Silence{ID: a.ID, From: a.From.UTC().Truncate(time.Microsecond), Until: a.Until.UTC().Truncate(time.Microsecond), Author: a.Actor, Reason: strings.TrimSpace(a.Reason)}
	shop, isShop := strings.CutPrefix(a.Match, matchShop)
	kind, isKind := strings.CutPrefix(a.Match, matchKind)
	switch {
	case isShop:
		s.Shop = shop
	case isKind:
		s.Kind = alert.Kind(kind)
	default:
		return s, errs.New(errs.Invalid, "ops.AddSilence", "match", "Choose what is to be kept still.")
	}
	return s, s.Check()
}

// PreviewSilence says what would be kept still.
func (d *Desk) PreviewSilence(ctx context.Context, a view.SilenceDraft) (view.Preview, error) {
	v := view.Preview{Undo: "It can be ended at any time."}
	s, err := d.silenceDraft(a)
	if err != nil {
		v.Refused = errs.Safe(err)
		return v, nil
	}
	err = d.read(ctx, "ops.PreviewSilence", "", func(tx *store.Tx) error {
		w, err := d.incidentDesk(tx)
		if err != nil {
			return err
		}
		live, err := liveIncidents(tx, w.at)
		held := int64(0)
		for _, i := range live {
			if s.Covers(i.Last, s.From) {
				held++
			}
		}
		v.Sentence = w.what(s) + " is kept still until " + d.clockTime(s.Until) + ". Incidents are still opened and shown."
		v.Changes = []view.Change{{What: "Open incidents it keeps still", From: "0", To: number(held)}}
		return err
	})
	return v, err
}

// AddSilence keeps it still.
func (d *Desk) AddSilence(ctx context.Context, a view.SilenceDraft) (view.Done, error) {
	s, err := d.silenceDraft(a)
	if err != nil {
		return view.Done{}, err
	}
	return view.Done{Sentence: "It is kept still until " + d.clockTime(s.Until) + ".", Undo: "silence " + s.ID}, d.did(d.x.AddSilence(ctx, s))
}

// EndSilence ends one now.
func (d *Desk) EndSilence(ctx context.Context, id, actor string) (view.Done, error) {
	return view.Done{Sentence: "The silence is over. What is still wrong is told now."}, d.did(d.x.EndSilence(ctx, id, actor))
}

func digestWords(s AlertSettings) string {
	if !s.Digest.On {
		return "none"
	}
	return fmt.Sprintf("%s at %02d:00, %s, to %s", s.Digest.Day, s.Digest.Hour, s.Digest.Zone, roleWord(s.Digest.Role))
}

func (d *Desk) digestChange(a view.DigestDraft) func(*AlertSettings) error {
	return func(s *AlertSettings) error {
		day := -1
		for w := time.Sunday; w <= time.Saturday; w++ {
			if strings.EqualFold(w.String(), a.Day) {
				day = int(w)
			}
		}
		if day < 0 {
			return errs.New(errs.Invalid, "ops.SetDigest", a.Day, "is not a day of the week")
		}
		s.Digest = DigestSetting{On: a.On, Day: time.Weekday(day), Hour: a.Hour, Role: alert.Role(a.Role), Zone: d.home.String()}
		return nil
	}
}

// PreviewDigest is of the weekly message.
func (d *Desk) PreviewDigest(ctx context.Context, a view.DigestDraft) (view.Preview, error) {
	return d.previewSettings(ctx, "The week's message", "Once a week: what was opened, how soon it was taken, and what is still open.", digestWords, d.digestChange(a))
}

// SetDigest see PreviewDigest.
func (d *Desk) SetDigest(ctx context.Context, a view.DigestDraft) (view.Done, error) {
	return d.setSettings(ctx, a.Actor, "The weekly message is set.", d.digestChange(a))
}

package ops

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spillway/spillway/domain/alert"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/ops/view"
	"github.com/spillway/spillway/store"
)

// judgedBy says of kinds without numbers of their own what they go by.
var judgedBy = map[alert.Kind]string{
	alert.RateBreach:    "The limits are the channel's, of the day and the market; they are on the policy page.",
	alert.Forecast:      "It is raised by the rule of the alarm: a chance of 70 % within seven days, twice in a row.",
	alert.AccountRating: "The milestones are the channel's; they are on the policy page.",
}

// ruleRow is a kind in the list of what is watched.
func (w *incidentDesk) ruleRow(k alert.Kind) view.AlertRule {
	r := w.c.Rule(k)
	v := view.AlertRule{ID: string(r.Kind), Name: r.Title, When: whenWords(r), Level: loudness(loudest(r)), Role: string(r.Owner), On: !r.Off,
		Quiet: !r.ComesThrough(loudest(r))}
	if i := slices.IndexFunc(w.settings.Rules, func(o OwnRule) bool { return o.Kind == k }); i >= 0 {
		v.By, v.ByAt = w.settings.Rules[i].By, ptr(w.settings.Rules[i].At)
	}
	return v
}

// loudest is how loud a kind can be.
func loudest(r alert.Rule) alert.Severity {
	s := r.Severity
	if r.Critical > 0 || r.Kind == alert.RateBreach {
		s = alert.Critical
	} else if r.Warn > 0 {
		s = alert.Warning
	}
	if r.Most != "" && s.AtLeast(r.Most) {
		s = r.Most
	}
	return s
}

// whenWords says when a rule opens an incident.
func whenWords(r alert.Rule) string {
	var parts []string
	m, _ := alert.MeasureOf(r.Kind)
	for _, l := range []struct {
		word  string
		value int64
	}{{"warning", r.Warn}, {"critical", r.Critical}} {
		switch {
		case l.value == 0:
		case m.Unit == alert.Seconds:
			parts = append(parts, l.word+" "+lasting(time.Duration(l.value)*time.Second)+" ahead")
		default:
			parts = append(parts, l.word+" above "+alert.Figure{Value: l.value, Unit: m.Unit}.Text())
		}
	}
	if r.After > 0 {
		parts = append(parts, "when it lasts "+lasting(r.After))
	}
	if len(parts) == 0 {
		return "at once"
	}
	return strings.Join(parts, ", ")
}

// AlertRule is how one kind of alert is treated, to be changed.
func (d *Desk) AlertRule(ctx context.Context, id string) (view.AlertRulePage, error) {
	const op = "ops.AlertRule"
	kind := alert.Kind(id)
	if !alert.Known(kind) {
		return view.AlertRulePage{}, errs.New(errs.NotFound, op, id, "There is no such kind of alert.")
	}
	m, numbers := alert.MeasureOf(kind)
	v := view.AlertRulePage{At: d.x.now(), Asks: m.Name, Judged: judgedBy[kind], Graded: alert.Graded(kind), Default: ruleDraft(alert.Config{}.Rule(kind))}
	if numbers {
		v.Unit = unitWord(m.Unit)
	}
	for _, r := range alert.Roles {
		v.Roles = append(v.Roles, view.Option{ID: string(r), Label: capital(roleWord(r))})
	}
	if v.Graded {
		v.Levels = []view.Option{{ID: "", Label: "as severe as it is"}}
	}
	for _, s := range alert.Severities {
		v.Levels = append(v.Levels, view.Option{ID: string(s), Label: severityWords[s]})
	}
	v.Hushes = []view.Option{{ID: "", Label: "only what is wrong now comes through"}, {ID: string(alert.Through), Label: "comes through, whatever it is"}, {ID: string(alert.Waits), Label: "waits until they end, whatever it is"}}
	err := d.read(ctx, op, id, func(tx *store.Tx) error {
		w, err := d.incidentDesk(tx)
		if err != nil {
			return err
		}
		v.Rule, v.Now = w.ruleRow(kind), ruleDraft(w.c.Rule(kind))
		return nil
	})
	return v, err
}

var severityWords = map[alert.Severity]string{alert.Info: "a line in the digest", alert.Warning: "will become wrong", alert.Critical: "wrong now"}

func unitWord(u alert.Unit) string {
	if u == alert.Seconds {
		return "hours"
	}
	return "times"
}

// ruleDraft fills the form with a rule.
func ruleDraft(r alert.Rule) view.AlertRuleDraft {
	m, _ := alert.MeasureOf(r.Kind)
	d := view.AlertRuleDraft{ID: string(r.Kind), On: !r.Off, Warn: shownAs(r.Warn, m.Unit), Critical: shownAs(r.Critical, m.Unit), Role: string(r.Owner), Quiet: string(r.Quiet),
		After: minutesOf(r.After), Clear: minutesOf(r.Clear), Level: string(r.Severity)}
	if alert.Graded(r.Kind) {
		d.Level = string(r.Most)
	}
	return d
}

func minutesOf(d time.Duration) string { return strconv.FormatInt(int64(d/time.Minute), 10) }

// perUnit is what one of the unit that people enter is.
func perUnit(u alert.Unit) float64 {
	if u == alert.Seconds {
		return time.Hour.Seconds()
	}
	return 1_000
}

func shownAs(v int64, u alert.Unit) string {
	if v == 0 {
		return ""
	}
	return strconv.FormatFloat(float64(v)/perUnit(u), 'f', -1, 64)
}

// Labels of the form's fields, as errors name them.
var ruleFields = map[string]string{"warn": "Warning", "critical": "Critical", "owner": "Role", "severity": "As", "most": "As", "after": "Must last", "clear": "Over after", "quiet": "In quiet hours"}

// alertRuleOf is the rule a form describes. Errors: Invalid, which names the field.
func alertRuleOf(a view.AlertRuleDraft) (alert.Rule, error) {
	const op = "ops.SetRule"
	kind := alert.Kind(a.ID)
	if !alert.Known(kind) {
		return alert.Rule{}, errs.New(errs.NotFound, op, a.ID, "There is no such kind of alert.")
	}
	r := alert.Config{}.Rule(kind)
	if a.Reset {
		return r, nil
	}
	r.Off, r.Owner, r.Quiet = !a.On, alert.Role(a.Role), alert.Hush(a.Quiet)
	if alert.Graded(kind) {
		r.Most = alert.Severity(a.Level)
	} else if r.Severity = alert.Severity(a.Level); r.Severity != (alert.Config{}.Rule(kind)).Severity {
		r.Most = r.Severity
	}
	m, _ := alert.MeasureOf(kind)
	for _, f := range []struct {
		name, text string
		to         *int64
	}{{"warn", a.Warn, &r.Warn}, {"critical", a.Critical, &r.Critical}} {
		n, err := numberIn(f.text, perUnit(m.Unit))
		if err != nil {
			return r, errs.New(errs.Invalid, op, ruleFields[f.name], "is a number of %s, or empty for never", unitWord(m.Unit))
		}
		*f.to = n
	}
	for _, f := range []struct {
		name, text string
		to         *time.Duration
	}{{"after", a.After, &r.After}, {"clear", a.Clear, &r.Clear}} {
		n, err := numberIn(f.text, 1)
		if err != nil || n > int64(alert.Remembered) {
			return r, errs.New(errs.Invalid, op, ruleFields[f.name], "is a number of minutes")
		}
		*f.to = time.Duration(n) * time.Minute
	}
	err := r.Check()
	if e, ok := errors.AsType[*errs.Error](err); ok {
		err = errs.New(errs.Invalid, op, cmp.Or(ruleFields[e.Item], e.Item), "%s", e.Safe)
	}
	return r, err
}

// numberIn reads a number that is not negative; empty is 0.
func numberIn(text string, per float64) (int64, error) {
	text = strings.TrimSpace(text)
	if text == "" {
		return 0, nil
	}
	v, err := strconv.ParseFloat(text, 64)
	if err == nil && !(v >= 0 && v <= 1e6) {
		err = strconv.ErrRange
	}
	return int64(v*per + 0.5), err
}

// PreviewRule says what would change.
func (d *Desk) PreviewRule(ctx context.Context, a view.AlertRuleDraft) (view.Preview, error) {
	s, err := d.x.AlertSettings(ctx)
	if err != nil {
		return view.Preview{}, err
	}
	was := s.config().Rule(alert.Kind(a.ID))
	v := view.Preview{Sentence: "It holds from the next look on, a few seconds later.", Undo: "It can be taken back."}
	r, err := alertRuleOf(a)
	if errs.Is(err, errs.NotFound) {
		return v, err
	}
	if err != nil {
		v.Refused = errs.Safe(err)
		return v, nil
	}
	v.Changes = ruleChanges(was, r)
	if len(v.Changes) == 0 {
		v.Refused = "It is so already."
	}
	if r.Off && !was.Off {
		v.Warnings = append(v.Warnings, "Nobody hears of it any more, and no incident is opened. Open ones end in "+lasting(max(r.Clear, time.Minute))+".")
	}
	if r.Quiet == alert.Waits && loudest(r) == alert.Critical {
		v.Warnings = append(v.Warnings, "Even what is wrong now waits for the end of somebody's quiet hours.")
	}
	return v, nil
}

// ruleChanges lists what differs, in the words of the form.
func ruleChanges(was, now alert.Rule) (out []view.Change) {
	a, b := ruleDraft(was), ruleDraft(now)
	unit := " " + unitWord(mustMeasure(now.Kind).Unit)
	level := func(s string) string {
		return cmp.Or(severityWords[alert.Severity(s)], "as severe as it is")
	}
	for _, f := range []struct{ what, from, to string }{
		{"Watched", yesNo(a.On), yesNo(b.On)},
		{"Warning", never(a.Warn, unit), never(b.Warn, unit)}, {"Critical", never(a.Critical, unit), never(b.Critical, unit)},
		{"As", level(a.Level), level(b.Level)}, {"Role", roleWord(alert.Role(a.Role)), roleWord(alert.Role(b.Role))},
		{"Must last", a.After + " min", b.After + " min"}, {"Over after", a.Clear + " min", b.Clear + " min"},
		{"In quiet hours", cmp.Or(a.Quiet, "only what is wrong now"), cmp.Or(b.Quiet, "only what is wrong now")},
	} {
		if f.from != f.to {
			out = append(out, view.Change{What: f.what, From: f.from, To: f.to})
		}
	}
	return out
}

func mustMeasure(k alert.Kind) alert.Measure {
	m, _ := alert.MeasureOf(k)
	return m
}

func yesNo(v bool) string {
	if v {
		return "yes"
	}
	return "no"
}

func never(v, unit string) string {
	if v == "" {
		return "never"
	}
	return v + unit
}

// SetRule changes how a kind is treated, or gives it the program's own rule again.
func (d *Desk) SetRule(ctx context.Context, a view.AlertRuleDraft) (view.Done, error) {
	r, err := alertRuleOf(a)
	if err != nil {
		return view.Done{}, err
	}
	was, err := d.x.SetAlertRule(ctx, r, a.Actor)
	sentence := "“" + r.Title + "” is set."
	if a.Reset {
		sentence = "“" + r.Title + "” is as it came."
	}
	return view.Done{Sentence: sentence, Undo: "alertrule " + a.ID + " " + string(jsonOf(was))}, d.did(err)
}

// undoRule goes back to the operator's rule there was before, or to none. It keeps who had set it.
func (d *Desk) undoRule(ctx context.Context, rest, actor string) (view.Done, error) {
	kind, text, _ := strings.Cut(rest, " ")
	var was *OwnRule
	if json.Unmarshal([]byte(text), &was) != nil || !alert.Known(alert.Kind(kind)) || (was != nil && string(was.Kind) != kind) {
		return view.Done{}, errs.New(errs.Invalid, "ops.Undo", "", "This cannot be undone.")
	}
	_, err := d.x.changeRule(ctx, alert.Kind(kind), was, actor)
	return view.Done{Sentence: "It is as it was before."}, d.did(err)
}

package ops

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spillway/spillway/domain/alert"
	"github.com/spillway/spillway/domain/incident"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/ops/view"
	"github.com/spillway/spillway/store"
)

const (
	// pastIncidents are on a page; shownNotices of one incident.
	pastIncidents, shownNotices = 50, 100
)

// incidentDesk is what rows of incidents are written with.
type incidentDesk struct {
	d        *Desk
	at       time.Time
	ch       channels
	c        alert.Config
	settings AlertSettings
	tasks    map[string][]incident.Task
}

func (d *Desk) incidentDesk(tx *store.Tx) (w incidentDesk, err error) {
	w = incidentDesk{d: d, at: d.x.now(), tasks: map[string][]incident.Task{}}
	if w.ch, err = readChannels(tx); err != nil {
		return w, err
	}
	w.c, w.settings, err = alertConfig(tx, w.at)
	return w, err
}

func (w *incidentDesk) readTasks(tx *store.Tx, is []store.Incident) error {
	ids := make([]string, len(is))
	for n, i := range is {
		ids[n] = i.ID
	}
	ts, err := tx.TasksOf(ids)
	for _, t := range ts {
		w.tasks[t.IncidentID] = append(w.tasks[t.IncidentID], t)
	}
	return err
}

// Incidents lists them.
func (d *Desk) Incidents(ctx context.Context, f view.IncidentFilter) (view.Incidents, error) {
	const op = "ops.Incidents"
	v := view.Incidents{At: d.x.now(), Filter: f}
	before, last, err := pastCursor(f.After)
	if err != nil {
		return v, err
	}
	err = d.read(ctx, op, "", func(tx *store.Tx) error {
		w, err := d.incidentDesk(tx)
		if err != nil {
			return err
		}
		v.Shops, v.Open, v.Past, v.Next, v.Rules, v.Muted = w.ch.options(), nil, nil, "", 0, 0
		for _, r := range alert.Rules() {
			if !w.c.Rule(r.Kind).Off {
				v.Rules++
			}
		}
		for _, s := range w.c.Silences {
			if !v.At.Before(s.From) {
				v.Muted++
			}
		}
		live, err := tx.IncidentsLive(v.At.Add(time.Hour)) // none is resolved in the future
		if err != nil {
			return err
		}
		live = slices.DeleteFunc(live, func(i store.Incident) bool { return !i.Live() || (f.Shop != "" && i.Last.Shop != f.Shop) })
		slices.SortFunc(live, func(a, b store.Incident) int {
			if a.Severity != b.Severity {
				return gravity(loudness(b.Severity)) - gravity(loudness(a.Severity))
			}
			return cmp.Or(a.OpenedAt.Compare(b.OpenedAt), cmp.Compare(a.ID, b.ID))
		})
		past, err := tx.IncidentsPast(before, last, f.Shop, pastIncidents+1)
		if err != nil {
			return err
		}
		if len(past) > pastIncidents {
			past = past[:pastIncidents]
			end := past[pastIncidents-1]
			v.Next = strconv.FormatInt(end.ResolvedAt.UnixMicro(), 10) + " " + end.ID
		}
		if err := w.readTasks(tx, append(slices.Clone(live), past...)); err != nil {
			return err
		}
		for _, i := range live {
			v.Open = append(v.Open, w.row(i))
		}
		for _, i := range past {
			v.Past = append(v.Past, w.row(i))
		}
		return nil
	})
	return v, err
}

func pastCursor(after string) (time.Time, string, error) {
	if after == "" {
		return time.Time{}, "", nil
	}
	at, id, ok := strings.Cut(after, " ")
	us, err := strconv.ParseInt(at, 10, 64)
	if !ok || err != nil {
		return time.Time{}, "", errs.New(errs.Invalid, "ops.Incidents", "after", "is not a place in this list")
	}
	return time.UnixMicro(us).UTC(), id, nil
}

// loudness is how loud a severity is.
func loudness(s alert.Severity) view.Level {
	switch s {
	case alert.Critical:
		return view.Bad
	case alert.Warning:
		return view.Watch
	}
	return view.Quiet
}

// severityOf is the least severity a level asks for.
func severityOf(l view.Level) alert.Severity {
	switch l {
	case view.Bad:
		return alert.Critical
	case view.Watch:
		return alert.Warning
	}
	return alert.Info
}

// roleWords are what people call roles.
var roleWords = map[alert.Role]string{alert.Owner: "whoever owns it", alert.Operations: "head of operations", alert.Warehouse: "warehouse lead", alert.Marketing: "marketing",
	alert.Engineering: "engineering", alert.Everyone: "everyone"}

func roleWord(r alert.Role) string { return cmp.Or(roleWords[r], string(r)) }

// row is one incident of a list.
func (w *incidentDesk) row(i store.Incident) view.IncidentRow {
	rule := w.c.Rule(i.Kind)
	r := view.IncidentRow{ID: i.ID, Number: i.Number, Title: rule.Title, Cause: strings.ReplaceAll(string(i.Kind), "_", " "), State: view.IncidentState(i.Phase), Level: loudness(i.Severity),
		Owner: cmp.Or(i.AckBy, roleWord(rule.Owner)), Since: i.OpenedAt, Alerts: int64(len(i.Told)), Text: i.Last.Text}
	if i.Last.Shop != "" {
		r.Shop = w.ch.of(i.Last.Shop)
	}
	r.Until = ptr(i.ResolvedAt)
	for _, t := range w.tasks[i.ID] {
		r.Tasks++
		if !t.DoneAt.IsZero() {
			r.TasksDone++
		}
	}
	if i.Phase == alert.Resolved {
		return r
	}
	r.Silenced = ptr(w.c.SilencedUntil(i.Incident, w.at))
	if at, roles, ok := w.c.NextStep(i.Incident, w.at); ok && r.Silenced == nil {
		r.Escalates = &at
		names := make([]string, len(roles))
		for n, role := range roles {
			if role == alert.Owner {
				role = rule.Owner
			}
			names[n] = roleWord(role)
		}
		r.EscalateTo = and(names)
	}
	return r
}

// entryWords are the words of a timeline, and how loud they are.
var entryWords = map[alert.EntryKind]struct {
	word  string
	level view.Level
}{
	alert.EntryBegan: {"began", view.Watch}, alert.EntryOpened: {"opened", view.Watch}, alert.EntryReturned: {"back", view.Watch}, alert.EntryWorse: {"worse", view.Bad}, alert.EntryFigures: {"now", view.Quiet},
	alert.EntryGone: {"gone", view.Quiet}, alert.EntryBack: {"back", view.Watch}, alert.EntryAcknowledged: {"taken", view.Good}, alert.EntryResolved: {"over", view.Good},
	alert.EntryTelling: {"told", view.Quiet}, alert.EntryDelivered: {"arrived", view.Good}, alert.EntryUndelivered: {"failed", view.Bad}, alert.EntryTask: {"task", view.Quiet},
	alert.EntryNote: {"note", view.Quiet}, alert.EntryEvent: {"event", view.Quiet},
}

// Incident is everything about one.
func (d *Desk) Incident(ctx context.Context, id string) (view.Incident, error) {
	const op = "ops.Incident"
	var v view.Incident
	err := d.read(ctx, op, id, func(tx *store.Tx) error {
		w, err := d.incidentDesk(tx)
		if err != nil {
			return err
		}
		f, err := d.x.readIncidentFile(tx, id, w.at)
		if err != nil {
			return err
		}
		if f.OpenedAt.IsZero() { // only watched so far
			return errs.New(errs.NotFound, op, id, "There is no such incident.")
		}
		w.tasks[id] = f.Tasks
		v = view.Incident{IncidentRow: w.row(f.Incident), At: w.at, Sentence: strings.TrimSpace(f.Last.Text + " " + f.Last.Next)}
		if f.Last.Order != "" {
			v.About = view.Ref{Kind: view.KindOrder, ID: f.Last.Order}
		}
		v.Figures = w.milestones(f)
		for _, g := range f.Last.Figures {
			v.Figures = append(v.Figures, view.Fact{Name: g.Name, Value: g.Text()})
		}
		for _, e := range slices.SortedFunc(slices.Values(f.Entries), alert.Entry.Compare) {
			word := entryWords[e.Kind]
			v.Timeline = append(v.Timeline, view.Entry{At: e.At, Kind: cmp.Or(word.word, string(e.Kind)), Text: e.Text, Actor: cmp.Or(e.Actor, view.Self), Level: word.level, Ref: f.Refs[e.ID]})
		}
		if err := w.runbook(tx, f, &v); err != nil {
			return err
		}
		if v.Notices, err = w.notices(tx, f); err != nil {
			return err
		}
		if f.Phase == alert.Resolved {
			v.Postmortem = f.Postmortem(w.at, d.home)
		}
		return nil
	})
	return v, err
}

// milestones are what somebody asks first: since when, how soon it was noticed, told and taken.
func (w *incidentDesk) milestones(f IncidentFile) (out []view.Fact) {
	m := incident.MilestonesOf(f.Incident.Incident, f.Entries, f.Facts)
	began := w.d.clockTime(m.Began)
	if !m.Known {
		began = "first seen " + began
	}
	out = append(out, view.Fact{Name: "Began", Value: began}, view.Fact{Name: "Noticed", Value: soonAfter(m.Opened.Sub(m.Began))})
	told := view.Fact{Name: "Told", Value: "nobody"}
	if !m.Told.IsZero() {
		told.Value = soonAfter(m.Told.Sub(m.Opened))
	}
	out = append(out, told)
	if !m.Taken.IsZero() {
		out = append(out, view.Fact{Name: "Taken", Value: soonAfter(m.Taken.Sub(m.Opened)) + " by " + m.Taker})
	}
	return out
}

// soonAfter says how long something took, from minutes on.
func soonAfter(d time.Duration) string {
	if d < time.Minute {
		return "at once"
	}
	return "after " + lasting(d)
}

// runbook shows the tasks, and the runbook most of them are of.
func (w *incidentDesk) runbook(tx *store.Tx, f IncidentFile, v *view.Incident) error {
	ts := slices.Clone(f.Tasks)
	slices.SortFunc(ts, func(a, b incident.Task) int {
		return cmp.Or(cmp.Compare(a.Runbook, b.Runbook), cmp.Compare(a.Order, b.Order), a.CreatedAt.Compare(b.CreatedAt), cmp.Compare(a.ID, b.ID))
	})
	for _, t := range ts {
		why := t.Why
		if !t.Due.IsZero() && t.DoneAt.IsZero() {
			why = strings.TrimSpace(why + " Due by " + w.d.clockTime(t.Due) + ".")
		}
		v.Tasks = append(v.Tasks, view.Task{ID: t.ID, Text: t.Text, Why: why, Owner: roleWord(alert.Role(t.Owner)), Done: !t.DoneAt.IsZero(), By: t.DoneBy, At: t.DoneAt, Ref: pageRef(t.Page)})
	}
	books, err := readRunbooks(tx)
	if err != nil {
		return err
	}
	for _, b := range books {
		if !slices.ContainsFunc(ts, func(t incident.Task) bool { return t.Runbook == b.ID }) {
			continue
		}
		r := &view.Runbook{Name: b.Title, Trigger: b.Trigger.Words}
		for _, t := range ts {
			if t.Runbook != b.ID {
				continue
			}
			s := view.RunbookStep{ID: t.ID, Text: t.Text, State: "waiting", Ref: pageRef(t.Page), At: ptr(t.DoneAt)}
			switch {
			case !t.DoneAt.IsZero():
				s.State, s.Level, s.Note = "done", view.Good, t.DoneBy
			case !t.Due.IsZero() && w.at.After(t.Due):
				s.Level, s.Note = view.Bad, "was due by "+w.d.clockTime(t.Due)
			case !t.Due.IsZero():
				s.Note = "due by " + w.d.clockTime(t.Due)
			}
			r.Steps = append(r.Steps, s)
		}
		v.Runbook = r
		return nil
	}
	return nil
}

// pageRef is where a step's page is found.
func pageRef(page string) view.Ref {
	switch page {
	case "/items":
		return view.Ref{Kind: view.KindItems}
	case "/connections":
		return view.Ref{Kind: view.KindApps}
	case "/problems":
		return view.Ref{Kind: view.KindProblems}
	case "/orders":
		return view.Ref{Kind: view.KindFigure, ID: view.FigureOpenOrders}
	}
	return view.Ref{}
}

// notices are the messages about an incident, and those that wait for the end of somebody's quiet hours.
func (w *incidentDesk) notices(tx *store.Tx, f IncidentFile) ([]view.Notice, error) {
	var out []view.Notice
	for _, t := range w.c.Targets {
		if f.Phase == alert.Open && t.Active && t.Quiet.Holds(w.at) && !f.Rule.ComesThrough(f.Severity) && f.Told[t.ID].Episode != f.Episode {
			out = append(out, view.Notice{At: w.at, Target: t.Name, Role: roleWord(t.Role), State: "held for quiet hours", Level: view.Quiet, Text: f.Last.Text})
		}
	}
	for id := range f.Told {
		t, err := tx.TargetGet(id)
		if err != nil {
			return nil, err
		}
		ds, err := tx.DeliveriesOf(id, shownNotices)
		if err != nil {
			return nil, err
		}
		for _, d := range ds {
			if !slices.Contains(d.Incidents, f.ID) {
				continue
			}
			n := view.Notice{At: d.At, Target: t.Name, Role: roleWord(t.Role), State: "delivered", Level: view.Good, Text: d.Title}
			switch {
			case d.State == store.DeliveryFailed:
				n.State, n.Level, n.Text = "failed", view.Bad, d.Title+": "+d.Error
			case d.State == store.DeliveryWaiting && d.Error != "":
				n.State, n.Level, n.Text = fmt.Sprintf("tried %d times", d.Tries), view.Watch, d.Title+": "+d.Error
			case d.State == store.DeliveryWaiting:
				n.State, n.Level = "on its way", view.Quiet
			}
			out = append(out, n)
		}
	}
	slices.SortStableFunc(out, func(a, b view.Notice) int { return cmp.Or(b.At.Compare(a.At), cmp.Compare(a.Target, b.Target)) })
	return out, nil
}

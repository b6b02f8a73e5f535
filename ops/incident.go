package ops

import (
	"context"
	"strings"
	"time"

	"github.com/spillway/spillway/domain/alert"
	"github.com/spillway/spillway/domain/incident"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/ops/view"
	"github.com/spillway/spillway/store"
)

// shownEntries bounds a timeline that is read.
const shownEntries = 1_000

// changeIncident changes one incident, in turn with whoever decides on it.
func (x *Ops) changeIncident(ctx context.Context, op, incidentID string, change func(*store.Tx, alert.Incident) (alert.Incident, []alert.Entry, error)) (store.Incident, error) {
	var i store.Incident
	err := x.st.Update(ctx, func(tx *store.Tx) (err error) {
		if err := tx.IncidentLock(); err != nil {
			return err
		}
		if i, err = tx.IncidentGet(incidentID); err != nil {
			return err
		}
		var entries []alert.Entry
		if i.Incident, entries, err = change(tx, i.Incident); err != nil || len(entries) == 0 {
			return err
		}
		if err := tx.IncidentSave([]store.Incident{i}); err != nil {
			return err
		}
		return tx.EntriesAppend(entries)
	})
	if err == nil {
		x.live.notify(view.TopicIncident, view.TopicIncident+":"+incidentID)
	}
	return i, errs.Wrap(op, incidentID, err)
}

// Acknowledge says that actor looks after an incident. Doing it again changes nothing. Errors: NotFound, Conflict (it is over).
func (x *Ops) Acknowledge(ctx context.Context, incidentID, actor string) (store.Incident, error) {
	return x.changeIncident(ctx, "ops.Acknowledge", incidentID, func(_ *store.Tx, i alert.Incident) (alert.Incident, []alert.Entry, error) {
		return i.Acknowledge(x.now(), actor)
	})
}

// Resolve ends an incident by hand. Doing it again changes nothing. Errors: NotFound.
func (x *Ops) Resolve(ctx context.Context, incidentID, actor, note string) (store.Incident, error) {
	return x.changeIncident(ctx, "ops.Resolve", incidentID, func(_ *store.Tx, i alert.Incident) (alert.Incident, []alert.Entry, error) {
		at := x.now()
		i, entries, err := i.Resolve(at, actor)
		if note = strings.TrimSpace(note); note != "" && len(entries) > 0 {
			entries = append(entries, alert.NewEntry(i.ID, at, alert.EntryNote, actor, actor+": "+note, note))
		}
		return i, entries, err
	})
}

// Reopen takes back that an incident is over. Doing it again changes nothing. Errors: NotFound, Conflict (its cause has a newer incident).
func (x *Ops) Reopen(ctx context.Context, incidentID, actor string) (store.Incident, error) {
	return x.changeIncident(ctx, "ops.Reopen", incidentID, func(tx *store.Tx, i alert.Incident) (alert.Incident, []alert.Entry, error) {
		live, err := tx.IncidentsLive(x.now().Add(time.Hour)) // none is resolved in the future
		if err != nil {
			return i, nil, err
		}
		for _, o := range live {
			if o.Cause == i.Cause && o.ID != i.ID {
				return i, nil, errs.New(errs.Conflict, "ops.Reopen", i.ID, "the same is wrong again already: see the newer incident")
			}
		}
		return i.Reopen(x.now(), actor)
	})
}

// Note adds a line to an incident's timeline.
func (x *Ops) Note(ctx context.Context, incidentID, actor, text string) error {
	text = strings.TrimSpace(text)
	if text == "" || len(text) > maxComment {
		return errs.New(errs.Invalid, "ops.Note", incidentID, "a note has 1 to %d characters", maxComment)
	}
	_, err := x.changeIncident(ctx, "ops.Note", incidentID, func(_ *store.Tx, i alert.Incident) (alert.Incident, []alert.Entry, error) {
		return i, []alert.Entry{alert.NewEntry(i.ID, x.now(), alert.EntryNote, actor, actor+": "+text, text)}, nil
	})
	return err
}

// NoteOnce adds a line to an incident's timeline under an id of the caller's: the same again changes nothing. Errors: NotFound, Invalid, Conflict (the
// id is taken by another text).
func (x *Ops) NoteOnce(ctx context.Context, incidentID, noteID, actor, text string) (e alert.Entry, err error) {
	const op = "ops.NoteOnce"
	text = strings.TrimSpace(text)
	if text == "" || len(text) > maxComment || noteID == "" {
		return e, errs.New(errs.Invalid, op, incidentID, "a note has an id and 1 to %d characters", maxComment)
	}
	_, err = x.changeIncident(ctx, op, incidentID, func(tx *store.Tx, i alert.Incident) (alert.Incident, []alert.Entry, error) {
		e = alert.NewNote(i.ID, noteID, x.now(), actor, text)
		was, found, err := tx.EntryGet(e.ID)
		switch {
		case err != nil:
			return i, nil, err
		case !found:
			return i, []alert.Entry{e}, nil
		case was.Text != e.Text:
			return i, nil, errs.New(errs.Conflict, op, noteID, "this id is that of another note")
		}
		e = was
		return i, nil, nil
	})
	return e, err
}

// IncidentList reads those that were ever opened, the newest first, with numbers below before (0: from the newest), at most limit. Errors: Invalid.
func (x *Ops) IncidentList(ctx context.Context, f store.IncidentFilter, before int64, limit int) (out []store.Incident, err error) {
	if f.Kind != "" && !alert.Known(f.Kind) {
		return nil, errs.New(errs.Invalid, "ops.IncidentList", string(f.Kind), "there is no such kind of alert")
	}
	err = x.st.View(ctx, func(tx *store.Tx) error { out, err = tx.IncidentList(f, before, limit); return err })
	return out, errs.Wrap("ops.IncidentList", "", err)
}

// maxComment bounds a note of a person.
const maxComment = 2_000

// AddTask adds a task of a person's. Its id is caller-made; the same again changes nothing. Errors: NotFound, Invalid.
func (x *Ops) AddTask(ctx context.Context, t incident.Task) error {
	t.CreatedAt = x.now()
	if err := t.Check(); err != nil {
		return err
	}
	_, err := x.changeIncident(ctx, "ops.AddTask", t.IncidentID, func(tx *store.Tx, i alert.Incident) (alert.Incident, []alert.Entry, error) {
		return i, []alert.Entry{alert.NewEntry(i.ID, x.now(), alert.EntryTask, t.CreatedBy, "To do: "+t.Text, t.ID)}, tx.TasksAdd([]incident.Task{t})
	})
	return err
}

// SetTask ticks a task, or takes the tick back. Doing it again changes nothing. Errors: NotFound.
func (x *Ops) SetTask(ctx context.Context, incidentID, taskID string, done bool, actor string) error {
	_, err := x.changeIncident(ctx, "ops.SetTask", incidentID, func(tx *store.Tx, i alert.Incident) (alert.Incident, []alert.Entry, error) {
		tasks, err := tx.TasksOf([]string{incidentID})
		if err != nil {
			return i, nil, err
		}
		for _, t := range tasks {
			if t.ID != taskID {
				continue
			}
			at, by, text := x.now(), actor, "Done: "+t.Text
			when := at
			if !done {
				when, by, text = time.Time{}, "", "Not done after all: "+t.Text
			}
			changed, err := tx.TaskDone(incidentID, taskID, when, by)
			if err != nil || !changed {
				return i, nil, err
			}
			return i, []alert.Entry{alert.NewEntry(i.ID, at, alert.EntryTask, actor, text, taskID)}, nil
		}
		return i, nil, errs.New(errs.NotFound, "ops.SetTask", taskID, "there is no such task")
	})
	return err
}

// Incidents lists those that are open and acknowledged, and those resolved last.
func (x *Ops) Incidents(ctx context.Context, past int) (out []store.Incident, err error) {
	err = x.st.View(ctx, func(tx *store.Tx) error {
		live, err := tx.IncidentsLive(x.now().Add(time.Hour))
		if err != nil {
			return err
		}
		out = nil
		for _, i := range live {
			if i.Live() {
				out = append(out, i)
			}
		}
		if past == 0 {
			return nil
		}
		over, err := tx.IncidentsPast(time.Time{}, "", "", past)
		out = append(out, over...)
		return err
	})
	return out, errs.Wrap("ops.Incidents", "", err)
}

// IncidentFile is all that is known of an incident.
type IncidentFile struct {
	store.Incident
	Rule    alert.Rule
	Entries []alert.Entry // the newest first
	Tasks   []incident.Task
	Refs    map[string]view.Ref // by entry: what it is about
	Facts   incident.Facts
}

// IncidentFile reads one. Errors: NotFound.
func (x *Ops) IncidentFile(ctx context.Context, incidentID string) (f IncidentFile, err error) {
	err = x.st.View(ctx, func(tx *store.Tx) error { f, err = x.readIncidentFile(tx, incidentID, x.now()); return err })
	return f, errs.Wrap("ops.IncidentFile", incidentID, err)
}

func (x *Ops) readIncidentFile(tx *store.Tx, incidentID string, at time.Time) (f IncidentFile, err error) {
	if f.Incident, err = tx.IncidentGet(incidentID); err != nil {
		return f, err
	}
	s, err := readAlertSettings(tx)
	if err != nil {
		return f, err
	}
	f.Rule = s.config().Rule(f.Kind)
	if f.Entries, err = tx.EntriesOf(incidentID, shownEntries); err != nil {
		return f, err
	}
	if f.Tasks, err = tx.TasksOf([]string{incidentID}); err != nil || f.OpenedAt.IsZero() {
		return f, err
	}
	m, err := x.readMeanwhile(tx, at, []store.Incident{f.Incident})
	if err != nil {
		return f, err
	}
	f.Entries, f.Refs = withStory(f.Entries, m.of(x.catalog.Load(), f.Incident, at))
	f.Facts, err = x.incidentFacts(tx, f.Incident, at)
	return f, err
}

// Postmortem drafts the report of an incident as Markdown, its times on the clock of zone. Errors: NotFound.
func (x *Ops) Postmortem(ctx context.Context, incidentID string, zone *time.Location) (string, error) {
	f, err := x.IncidentFile(ctx, incidentID)
	if err != nil {
		return "", err
	}
	return f.Postmortem(x.now(), zone), nil
}

// Postmortem drafts the report of the incident.
func (f IncidentFile) Postmortem(at time.Time, zone *time.Location) string {
	return incident.Postmortem(incident.Report{Incident: f.Incident.Incident, Number: f.Number, Rule: f.Rule, Entries: f.Entries, Tasks: f.Tasks, Facts: f.Facts, At: at, Zone: zone})
}

// readRunbooks are the shipped runbooks and the operator's own.
func readRunbooks(tx *store.Tx) ([]incident.Runbook, error) {
	base, err := incident.Shipped()
	if err != nil {
		return nil, err
	}
	text, found, err := tx.SettingGet(runbookSetting)
	if err != nil || !found {
		return base, err
	}
	own, err := incident.Decode(strings.NewReader(text))
	return incident.With(base, own), err
}

// Runbooks lists those in force.
func (x *Ops) Runbooks(ctx context.Context) (out []incident.Runbook, err error) {
	err = x.st.View(ctx, func(tx *store.Tx) error { out, err = readRunbooks(tx); return err })
	return out, errs.Wrap("ops.Runbooks", "", err)
}

// SetRunbooks replaces the operator's own runbooks, YAML with one document each; empty: there are none. Errors: Invalid.
func (x *Ops) SetRunbooks(ctx context.Context, text, actor string) error {
	if _, err := incident.Decode(strings.NewReader(text)); err != nil {
		return err
	}
	err := x.st.Update(ctx, func(tx *store.Tx) error {
		if err := tx.SettingSet(runbookSetting, text); err != nil {
			return err
		}
		return tx.EventsAppend([]store.Event{{Kind: "alert.runbooks", Subject: actor, Data: jsonOf(map[string]int{"bytes": len(text)})}})
	})
	return errs.Wrap("ops.SetRunbooks", "", err)
}

// IncidentByNumber finds an incident by the number people know. Errors: NotFound.
func (x *Ops) IncidentByNumber(ctx context.Context, number int64) (i store.Incident, err error) {
	err = x.st.View(ctx, func(tx *store.Tx) error { i, err = tx.IncidentByNumber(number); return err })
	return i, errs.Wrap("ops.IncidentByNumber", "", err)
}

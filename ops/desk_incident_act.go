package ops

import (
	"context"
	"strings"
	"time"

	"github.com/spillway/spillway/domain/alert"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/ops/view"
	"github.com/spillway/spillway/store"
)

// What one can do with an incident.
const (
	actAcknowledge = "acknowledge"
	actResolve     = "resolve"
	actSilence     = "silence"
	actReopen      = "reopen"
)

// PreviewIncident says what a deed would do.
func (d *Desk) PreviewIncident(ctx context.Context, a view.IncidentDraft) (view.Preview, error) {
	const op = "ops.PreviewIncident"
	f, err := d.x.IncidentFile(ctx, a.ID)
	if err != nil {
		return view.Preview{}, errs.Wrap(op, a.ID, err)
	}
	v := view.Preview{Changes: []view.Change{{What: "Incident " + number(f.Number), From: string(f.Phase)}}}
	switch a.Act {
	case actAcknowledge:
		v.Changes[0].To, v.Sentence, v.Undo = string(alert.Acknowledged), "You look after it; nobody else is told any more.", "Resolve it and open it again to have people told anew."
		if f.Phase == alert.Resolved {
			v.Refused = "It is over already."
		}
	case actResolve:
		v.Changes[0].To, v.Sentence, v.Undo = string(alert.Resolved), "It counts as over; those who were told of it are told so.", "It can be opened again."
		if f.Live() && f.GoneSince.IsZero() {
			v.Warnings = []string{"Its cause is still there. It is opened again when it grows worse, comes back after having gone, or in a day."}
		}
	case actSilence:
		v.Changes[0].What, v.Changes[0].From, v.Changes[0].To = "Its alerts", "told", "kept still until "+d.clockTime(a.Until)
		v.Sentence, v.Undo = "Nobody is told of it until "+d.clockTime(a.Until)+". It stays in the list.", "The silence can be ended on the alerts page."
		if err := d.silenceOf(f, a).Check(); err != nil {
			v.Refused = errs.Safe(err)
		}
	case actReopen:
		v.Changes[0].To, v.Sentence, v.Undo = string(alert.Open), "It is open again, and people are told anew.", "It can be resolved."
	default:
		return v, errs.New(errs.Invalid, op, "act", "Choose what to do: acknowledge, resolve, silence or reopen.")
	}
	if v.Changes[0].From == v.Changes[0].To {
		v.Refused = "It is " + v.Changes[0].To + " already."
	}
	return v, nil
}

// silenceOf is a silence of just this incident's cause. Its id follows from the draft, so that a second press is the first one again.
func (d *Desk) silenceOf(f IncidentFile, a view.IncidentDraft) alert.Silence {
	reason := strings.TrimSpace(a.Note)
	if reason == "" {
		reason = "incident " + number(f.Number)
	}
	return alert.Silence{ID: f.ID + "/" + a.Until.UTC().Format("20060102T150405"), Kind: f.Kind, Subject: f.Subject, From: d.x.now().Truncate(time.Microsecond), Until: a.Until.UTC().Truncate(time.Microsecond),
		Author: a.Actor, Reason: reason}
}

// ActOnIncident does it.
func (d *Desk) ActOnIncident(ctx context.Context, a view.IncidentDraft) (view.Done, error) {
	const op = "ops.ActOnIncident"
	switch a.Act {
	case actAcknowledge:
		_, err := d.x.Acknowledge(ctx, a.ID, a.Actor)
		if err == nil && strings.TrimSpace(a.Note) != "" {
			err = d.x.Note(ctx, a.ID, a.Actor, a.Note)
		}
		return view.Done{Sentence: "It is yours. Nobody else is told any more."}, d.did(err)
	case actResolve:
		_, err := d.x.Resolve(ctx, a.ID, a.Actor, a.Note)
		return view.Done{Sentence: "It is over.", Undo: "incident " + a.ID}, d.did(err)
	case actReopen:
		_, err := d.x.Reopen(ctx, a.ID, a.Actor)
		return view.Done{Sentence: "It is open again; people are told anew."}, d.did(err)
	case actSilence:
		f, err := d.x.IncidentFile(ctx, a.ID)
		if err != nil {
			return view.Done{}, errs.Wrap(op, a.ID, err)
		}
		s := d.silenceOf(f, a)
		return view.Done{Sentence: "Nobody is told of it until " + d.clockTime(a.Until) + ".", Undo: "silence " + s.ID}, d.did(d.x.AddSilence(ctx, s))
	}
	return view.Done{}, errs.New(errs.Invalid, op, "act", "Choose what to do: acknowledge, resolve, silence or reopen.")
}

// SetTask ticks a task or takes the tick back.
func (d *Desk) SetTask(ctx context.Context, t view.TaskDraft) (view.Done, error) {
	v := view.Done{Sentence: "Done.", Undo: "untick " + t.Incident + " " + t.Task}
	if !t.Done {
		v = view.Done{Sentence: "Not done after all."}
	}
	return v, d.did(d.x.SetTask(ctx, t.Incident, t.Task, t.Done, t.Actor))
}

// undoAlert takes back what an action on incidents and alerts offered to undo; false: it is none of theirs.
func (d *Desk) undoAlert(ctx context.Context, what, rest, actor string) (view.Done, bool, error) {
	switch what {
	case "incident":
		_, err := d.x.Reopen(ctx, rest, actor)
		return view.Done{Sentence: "It is open again."}, true, d.did(err)
	case "silence":
		return view.Done{Sentence: "The silence is over."}, true, d.did(d.x.EndSilence(ctx, rest, actor))
	case "untick":
		id, task, _ := strings.Cut(rest, " ")
		return view.Done{Sentence: "The tick is taken back."}, true, d.did(d.x.SetTask(ctx, id, task, false, actor))
	case "alertrule":
		v, err := d.undoRule(ctx, rest, actor)
		return v, true, err
	case "alertsettings":
		was, err := d.settingsBefore(ctx, rest)
		if err != nil {
			return view.Done{}, true, err
		}
		_, err = d.x.SetAlertSettings(ctx, actor, func(s *AlertSettings) { was.Rules = s.Rules; *s = was })
		return view.Done{Sentence: "It is as it was before."}, true, d.did(err)
	}
	return view.Done{}, false, nil
}

// liveIncidents are those open now.
func liveIncidents(tx *store.Tx, at time.Time) ([]store.Incident, error) {
	all, err := tx.IncidentsLive(at.Add(time.Hour)) // none is resolved in the future
	var out []store.Incident
	for _, i := range all {
		if i.Live() {
			out = append(out, i)
		}
	}
	return out, err
}

package web

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/a-h/templ"

	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/ops/view"
)

// incidentList shows what is open first.
func (s *Site) incidentList(ctx context.Context, r *http.Request) (page, error) {
	q := r.URL.Query()
	v, err := s.b.Incidents(ctx, view.IncidentFilter{Shop: q.Get("shop"), After: q.Get("after")})
	if err != nil {
		return page{}, err
	}
	return page{
		Title: "Incidents", Nav: "/incidents", Topics: []string{view.TopicIncident, view.TopicAlerts},
		Parts: []part{{id: "in-open", held: true, c: incidentsOpen(v)}, {id: "in-past", held: true, c: incidentsPast(v)}},
		body:  func(p page) templ.Component { return incidentsPage(p, v) },
	}, nil
}

// incident shows one, from its first sign to its postmortem.
func (s *Site) incident(ctx context.Context, r *http.Request) (page, error) {
	v, err := s.b.Incident(ctx, r.PathValue("id"))
	if err != nil {
		return page{}, err
	}
	return page{
		Title: "Incident " + strconv.FormatInt(v.Number, 10), Nav: "/incidents", Fixed: v.State == view.IncidentResolved, Topics: []string{view.TopicIncident + ":" + v.ID},
		Parts: []part{
			{id: "ic-head", c: incidentHead(v)},
			{id: "ic-tasks", held: true, c: incidentTasks(v)},
			{id: "ic-runbook", c: incidentRunbook(v)},
			{id: "ic-time", c: incidentTimeline(v)},
			{id: "ic-notices", c: incidentNotices(v)},
			{id: "ic-post", c: incidentPostmortem(v)},
		},
		body: func(p page) templ.Component { return incidentPage(p, v) },
	}, nil
}

// postmortem hands the draft over as a file.
func (s *Site) postmortem(w http.ResponseWriter, r *http.Request) error {
	v, err := s.b.Incident(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	if v.Postmortem == "" {
		return errs.New(errs.NotFound, "web.postmortem", v.ID, "This incident has no postmortem yet; it is drafted once the incident is resolved.")
	}
	h := w.Header()
	h.Set("Content-Type", "text/markdown; charset=utf-8")
	h.Set("Content-Disposition", `attachment; filename="incident-`+strconv.FormatInt(v.Number, 10)+`.md"`)
	_, err = w.Write([]byte(v.Postmortem))
	return err
}

// actVerbs are what one can do with an incident, as on the button.
var actVerbs = map[string]string{"acknowledge": "Take it", "resolve": "Resolve it", "silence": "Silence it", "reopen": "Open it again"}

// act acknowledges, resolves, silences or reopens: first its effect, then the deed.
func (s *Site) act(w http.ResponseWriter, r *http.Request) error {
	_, ctx := s.frame(r.Context())
	f, incident := readForm(ctx, r), r.PathValue("id")
	d := view.IncidentDraft{ID: incident, Act: f.text("act", "What to do", true), Note: f.text("note", "Note", false), Actor: s.user(ctx)}
	verb, ok := actVerbs[d.Act]
	if !ok {
		f.bad("act", "Choose what to do: acknowledge, resolve, silence or reopen.")
	}
	if d.Act == "silence" {
		d.Until = f.moment("until", "Until")
	}
	if f.err != nil {
		return f.err
	}
	back := string(link(view.Ref{Kind: view.KindIncident, ID: incident}))
	if f.confirmed() {
		done, err := s.b.ActOnIncident(ctx, d)
		if err != nil {
			return err
		}
		return s.finish(w, r, done, back)
	}
	v, err := s.b.PreviewIncident(ctx, d)
	if err != nil {
		return err
	}
	return s.preview(w, r, v, offer{title: verb, verb: verb, back: templ.SafeURL(back), action: back, fields: f.carried("act", "until", "note")})
}

// setTask ticks a task or takes the tick back; the toast offers the way back.
func (s *Site) setTask(w http.ResponseWriter, r *http.Request) error {
	f := readForm(r.Context(), r)
	d := view.TaskDraft{Incident: r.PathValue("id"), Task: f.text("task", "Task", true), Done: f.r.PostForm.Get("done") == "1", Actor: s.user(r.Context())}
	if f.err != nil {
		return f.err
	}
	done, err := s.b.SetTask(r.Context(), d)
	if err != nil {
		return err
	}
	return s.finish(w, r, done, string(link(view.Ref{Kind: view.KindIncident, ID: d.Incident}))+"#tasks-h")
}

func incidentLink(id string) templ.SafeURL { return link(view.Ref{Kind: view.KindIncident, ID: id}) }

// incidentWord is the state in words, with who has it.
func incidentWord(i view.IncidentRow) string {
	switch i.State {
	case view.IncidentOpen:
		return "open"
	case view.IncidentAcknowledged:
		return "taken"
	case view.IncidentResolved:
		return "resolved"
	}
	return string(i.State)
}

// incidentLevel is how loud an incident is: a resolved one is quiet.
func incidentLevel(i view.IncidentRow) view.Level {
	if i.State == view.IncidentResolved {
		return view.Good
	}
	return i.Level
}

// lasted is how long an incident took, or takes.
func lasted(now time.Time, i view.IncidentRow) string {
	if i.Until != nil {
		return span(i.Until.Sub(i.Since))
	}
	return span(now.Sub(i.Since))
}

func taskPath(id string) string { return "/incidents/" + url.PathEscape(id) + "/tasks" }

// stepNote says who does a step, and what came of it.
func stepNote(ctx context.Context, s view.RunbookStep) string {
	text := "by hand"
	if s.Auto {
		text = "by itself"
	}
	if s.Note != "" {
		text += ", " + s.Note
	}
	if s.At != nil {
		text += ", " + short(ctx, *s.At)
	}
	return text
}

// taskNote says why a task is to be done, or who did it when.
func taskNote(ctx context.Context, t view.Task) string {
	if t.Done {
		return "done by " + t.By + ", " + short(ctx, t.At)
	}
	return t.Why
}

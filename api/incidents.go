package api

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/spillway/spillway/ops"
)

// incidentsAtOnce is how many incidents a page has unless fewer are asked for.
const incidentsAtOnce = 50

// IncidentSummary is exported because it is a part of two answers and the describing document sees no other.
type IncidentSummary struct {
	Number         int64            `json:"number" doc:"As people call it: incident 41."`
	State          string           `json:"state" enum:"open,acknowledged,resolved"`
	Kind           string           `json:"kind" doc:"What is wrong, as the guide to alerts lists it."`
	Subject        string           `json:"subject" doc:"With what: the id of a connection, an item, a rate."`
	Shop           string           `json:"shop,omitempty" doc:"Id of the connection it is about; missing: all."`
	Order          string           `json:"order,omitempty" doc:"Id of the one order it is about."`
	Severity       string           `json:"severity" enum:"info,warning,critical" doc:"The worst since it was opened."`
	Title          string           `json:"title"`
	Text           string           `json:"text" doc:"What is wrong, as it is or was last."`
	Next           string           `json:"next,omitempty" doc:"What to do."`
	Figures        []incidentFigure `json:"figures"`
	OpenedAt       time.Time        `json:"opened_at"`
	AcknowledgedAt time.Time        `json:"acknowledged_at,omitzero"`
	AcknowledgedBy string           `json:"acknowledged_by,omitempty"`
	ResolvedAt     time.Time        `json:"resolved_at,omitzero"`
	ResolvedBy     string           `json:"resolved_by,omitempty" doc:"Missing though it is resolved: its cause was gone."`
}

type incidentFigure struct {
	Name  string `json:"name"`
	Value int64  `json:"value" doc:"In the unit: ppm are millionths, x1000 thousandths, s seconds."`
	Unit  string `json:"unit,omitempty" enum:"ppm,s,x1000,points"`
}

type incidentEntry struct {
	At    time.Time `json:"at"`
	Kind  string    `json:"kind" doc:"opened, worse, telling, delivered, acknowledged, note, task, event, gone, resolved…"`
	Actor string    `json:"actor,omitempty" doc:"Missing: Spillway itself."`
	Text  string    `json:"text"`
}

type incidentTask struct {
	ID     string    `json:"id"`
	Text   string    `json:"text"`
	Why    string    `json:"why,omitempty"`
	Owner  string    `json:"owner,omitempty"`
	Due    time.Time `json:"due,omitzero"`
	Done   bool      `json:"done"`
	DoneAt time.Time `json:"done_at,omitzero"`
	DoneBy string    `json:"done_by,omitempty"`
}

type incidentDetail struct {
	IncidentSummary
	Timeline   []incidentEntry `json:"timeline" doc:"The oldest first; of very long ones the newest thousand."`
	Tasks      []incidentTask  `json:"tasks"`
	Postmortem string          `json:"postmortem,omitempty" doc:"Draft of the report as Markdown; missing until it is resolved."`
}

type incidentListAnswer struct {
	Body struct {
		Incidents []IncidentSummary `json:"incidents" doc:"The newest first."`
		Next      int64             `json:"next,omitempty" doc:"Ask with before=next for what comes after; missing on the last page."`
	}
}

type (
	incidentAnswer struct{ Body incidentDetail }
	noteAnswer     struct{ Body incidentEntry }
	incidentNumber struct {
		Number int64 `path:"number" minimum:"1"`
	}
)

func (s *service) incidents(a huma.API) {
	op := func(id, method, path, summary string, errors ...int) huma.Operation {
		return huma.Operation{OperationID: id, Method: method, Path: base + "/incidents" + path, Summary: summary, Security: security, Tags: []string{"incidents"},
			Errors: append(errors, http.StatusUnauthorized, http.StatusForbidden, http.StatusServiceUnavailable)}
	}
	huma.Register(a, op("incidents", http.MethodGet, "", "What is wrong and what was, the newest first", http.StatusBadRequest), s.incidentList)
	huma.Register(a, op("incident", http.MethodGet, "/{number}", "One incident with its timeline, its tasks, and the draft of its report", http.StatusNotFound), s.incident)
	huma.Register(a, op("acknowledge", http.MethodPost, "/{number}/acknowledge", "Say that you look after it: nobody else is told any more. Again changes nothing", http.StatusNotFound, http.StatusConflict), s.acknowledge)
	huma.Register(a, op("resolve", http.MethodPost, "/{number}/resolve", "Say that it is over. Again changes nothing", http.StatusNotFound), s.resolve)
	huma.Register(a, op("note", http.MethodPost, "/{number}/notes", "Add a line to its timeline", http.StatusNotFound, http.StatusConflict), s.note)
	huma.Register(a, op("task", http.MethodPut, "/{number}/tasks/{task}", "Tick a task, or take the tick back. Again changes nothing", http.StatusNotFound), s.task)
}

func (s *service) incidentList(ctx context.Context, in *struct {
	State  string `query:"state" enum:"open,acknowledged,resolved" doc:"Only these."`
	Shop   string `query:"shop" maxLength:"200" doc:"Id of a connection: only what is about it."`
	Kind   string `query:"kind" maxLength:"40" doc:"Only this kind."`
	Before int64  `query:"before" minimum:"0" doc:"Only those with a lower number: the next of the page before."`
	Limit  int    `query:"limit" minimum:"1" maximum:"200" default:"50" doc:"At most so many."`
}) (*incidentListAnswer, error) {
	ctx, cancel := bounded(ctx)
	defer cancel()
	limit := in.Limit
	if limit <= 0 {
		limit = incidentsAtOnce
	}
	got, err := s.x.IncidentList(ctx, ops.IncidentFilter{Phase: ops.IncidentPhase(in.State), Shop: in.Shop, Kind: ops.AlertKind(in.Kind)}, in.Before, limit+1)
	if err != nil {
		return nil, s.problem(err)
	}
	out := &incidentListAnswer{}
	if len(got) > limit {
		got = got[:limit]
		out.Body.Next = got[limit-1].Number
	}
	rules, err := s.x.AlertSettings(ctx)
	if err != nil {
		return nil, s.problem(err)
	}
	out.Body.Incidents = make([]IncidentSummary, 0, len(got))
	for _, i := range got {
		out.Body.Incidents = append(out.Body.Incidents, summaryOf(i, rules.Rule(i.Kind)))
	}
	return out, nil
}

func (s *service) incident(ctx context.Context, in *incidentNumber) (*incidentAnswer, error) {
	ctx, cancel := bounded(ctx)
	defer cancel()
	return s.detail(ctx, in.Number)
}

func (s *service) acknowledge(ctx context.Context, in *incidentNumber) (*incidentAnswer, error) {
	return s.change(ctx, in.Number, func(ctx context.Context, id string) error {
		_, err := s.x.Acknowledge(ctx, id, caller(ctx))
		return err
	})
}

func (s *service) resolve(ctx context.Context, in *struct {
	Number int64 `path:"number" minimum:"1"`
	Body   *struct {
		Note string `json:"note,omitempty" maxLength:"2000" doc:"What was done, for the report."`
	}
}) (*incidentAnswer, error) {
	note := ""
	if in.Body != nil {
		note = in.Body.Note
	}
	return s.change(ctx, in.Number, func(ctx context.Context, id string) error {
		_, err := s.x.Resolve(ctx, id, caller(ctx), note)
		return err
	})
}

func (s *service) note(ctx context.Context, in *struct {
	Number int64 `path:"number" minimum:"1"`
	Body   struct {
		ID   string `json:"id" minLength:"1" maxLength:"200" doc:"Yours. Sending the same id with the same text again changes nothing."`
		Text string `json:"text" minLength:"1" maxLength:"2000"`
	}
}) (*noteAnswer, error) {
	ctx, cancel := bounded(ctx)
	defer cancel()
	i, err := s.x.IncidentByNumber(ctx, in.Number)
	if err != nil {
		return nil, s.problem(err)
	}
	e, err := s.x.NoteOnce(ctx, i.ID, in.Body.ID, caller(ctx), in.Body.Text)
	if err != nil {
		return nil, s.problem(err)
	}
	return &noteAnswer{Body: entryOf(e)}, nil
}

func (s *service) task(ctx context.Context, in *struct {
	Number int64  `path:"number" minimum:"1"`
	Task   string `path:"task" maxLength:"200"`
	Body   struct {
		Done bool `json:"done"`
	}
}) (*incidentAnswer, error) {
	return s.change(ctx, in.Number, func(ctx context.Context, id string) error {
		return s.x.SetTask(ctx, id, in.Task, in.Body.Done, caller(ctx))
	})
}

// change does something with an incident and answers with what it is afterwards.
func (s *service) change(ctx context.Context, number int64, do func(ctx context.Context, id string) error) (*incidentAnswer, error) {
	ctx, cancel := bounded(ctx)
	defer cancel()
	i, err := s.x.IncidentByNumber(ctx, number)
	if err == nil {
		err = do(ctx, i.ID)
	}
	if err != nil {
		return nil, s.problem(err)
	}
	return s.detail(ctx, number)
}

func (s *service) detail(ctx context.Context, number int64) (*incidentAnswer, error) {
	i, err := s.x.IncidentByNumber(ctx, number)
	if err != nil {
		return nil, s.problem(err)
	}
	f, err := s.x.IncidentFile(ctx, i.ID)
	if err != nil {
		return nil, s.problem(err)
	}
	out := incidentDetail{IncidentSummary: summaryOf(f.Incident, f.Rule), Timeline: []incidentEntry{}, Tasks: []incidentTask{}}
	for _, e := range slices.SortedFunc(slices.Values(f.Entries), ops.AlertEntry.Compare) {
		out.Timeline = append(out.Timeline, entryOf(e))
	}
	for _, t := range f.Tasks {
		out.Tasks = append(out.Tasks, incidentTask{ID: t.ID, Text: t.Text, Why: t.Why, Owner: t.Owner, Due: t.Due, Done: !t.DoneAt.IsZero(), DoneAt: t.DoneAt, DoneBy: t.DoneBy})
	}
	if f.Phase == ops.IncidentResolved {
		out.Postmortem = f.Postmortem(f.ResolvedAt, time.UTC)
	}
	return &incidentAnswer{Body: out}, nil
}

func entryOf(e ops.AlertEntry) incidentEntry {
	return incidentEntry{At: e.At, Kind: string(e.Kind), Actor: e.Actor, Text: e.Text}
}

func summaryOf(i ops.Incident, rule ops.AlertRule) IncidentSummary {
	out := IncidentSummary{Number: i.Number, State: string(i.Phase), Kind: string(i.Kind), Subject: i.Subject, Shop: i.Last.Shop, Order: i.Last.Order, Severity: string(i.Severity), Title: rule.Title,
		Text: i.Last.Text, Next: i.Last.Next, Figures: []incidentFigure{}, OpenedAt: i.OpenedAt, AcknowledgedAt: i.AckAt, AcknowledgedBy: i.AckBy,
		ResolvedAt: i.ResolvedAt, ResolvedBy: i.ResolvedBy}
	for _, f := range i.Last.Figures {
		out.Figures = append(out.Figures, incidentFigure{Name: f.Name, Value: f.Value, Unit: string(f.Unit)})
	}
	return out
}

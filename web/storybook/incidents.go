package storybook

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/ops/view"
)

// happen fills the incidents: two open, two past.
func (b *Book) happen() {
	t, m := b.opened, time.Minute
	soon := t.Add(8 * m)
	spike := &view.Incident{
		IncidentRow: view.IncidentRow{
			ID: "inc-41", Number: 41, Title: "Orders at 4.2 × the daily average", Cause: "order spike", State: view.IncidentAcknowledged, Level: view.Watch, Shop: channelNames["clip-north"],
			Owner: "mia@nordlicht.example", Since: t.Add(-38 * m), Alerts: 6, Text: "Berlin keeps up; Porto Logistica falls behind by 12 orders an hour.",
		},
		Sentence: "Since 13:24 orders come in at 4.2 times the daily average, nearly all for MUG-01. Berlin ships 74 an hour and keeps up; Porto Logistica ships 31 and 43 come in.",
		Figures: []view.Fact{
			{Name: "Orders in the last hour", Value: "702"}, {Name: "Late dispatch now", Value: "4.9 %", Figure: view.FigureRate + "clip-north@ldr", Level: view.Watch},
			{Name: "Chance of enforcement", Value: "<1 %", Figure: view.FigureForecast + "clip-north@ldr"}, {Name: "Orders at risk", Value: "9", Level: view.Watch},
		},
	}
	spike.Tasks = []view.Task{
		{ID: "t1", Text: "Ask Porto Logistica for a second pick-up at 20:00", Why: "12 orders an hour stay behind", Owner: "operations"},
		{ID: "t2", Text: "Put two more people on packing in Berlin", Why: "until 20:00", Owner: "warehouse"},
		{ID: "t3", Text: "Raise the buffer of MUG-01", Why: "It sells 48 a minute", Owner: "operations", Done: true, By: "mia@nordlicht.example", At: t.Add(-31 * m), Ref: view.Ref{Kind: view.KindItem, ID: "MUG-01"}},
		{ID: "t4", Text: "Tell marketing that the mug lasts until Monday", Why: "1,140 units are left", Owner: "marketing"},
	}
	at := func(n time.Duration) *time.Time { x := t.Add(-n * m); return &x }
	spike.Runbook = &view.Runbook{Name: "Order spike", Trigger: "orders of an hour are above 3 × the daily average", Steps: []view.RunbookStep{
		{ID: "s1", Text: "Keep LIVE holds and lower no channel below its minimum", Auto: true, State: "done", Level: view.Good, At: at(38)},
		{ID: "s2", Text: "Route new orders to the node with the shortest queue", Auto: true, State: "done", Level: view.Good, At: at(37), Note: "Berlin since 13:25"},
		{ID: "s3", Text: "Print the pick lists by slack", Auto: false, State: "running", Level: view.Watch, Note: "2 of 5 lists"},
		{ID: "s4", Text: "Ask carriers for a second pick-up", State: "waiting"},
		{ID: "s5", Text: "Pause what is short", State: "skipped", Note: "nothing is short"},
	}}
	spike.Timeline = []view.Entry{
		{At: t.Add(-38 * m), Kind: "opened", Text: "702 orders in an hour, 3 × 167 is the trigger", Level: view.Watch},
		{At: t.Add(-38 * m), Kind: "told", Text: "operations, by chat"},
		{At: t.Add(-36 * m), Kind: "taken", Text: "by mia@nordlicht.example after 2 min", Level: view.Good},
		{At: t.Add(-31 * m), Kind: "task", Text: "Raise the buffer of MUG-01", Actor: "mia@nordlicht.example", Ref: view.Ref{Kind: view.KindItem, ID: "MUG-01"}, Level: view.Good},
		{At: t.Add(-12 * m), Kind: "grew", Text: "late dispatch passed its target of 4 %", Ref: view.Ref{Kind: view.KindMetric, ID: "clip-north@ldr"}, Level: view.Watch},
	}
	spike.Notices = []view.Notice{{At: t.Add(-38 * m), Target: "Operations room", Role: "operations", State: "delivered", Level: view.Good, Text: "Orders at 4.2 × the daily average on Clip · Nordlicht"}}
	upload := &view.Incident{
		IncidentRow: view.IncidentRow{
			ID: "inc-42", Number: 42, Title: "Tracking of 14 parcels is refused", Cause: "tracking upload", State: view.IncidentOpen, Level: view.Bad, Shop: channelNames["clip-outlet"], Since: t.Add(-7 * m), Alerts: 14,
			Escalates: &soon, EscalateTo: "head of operations", Text: "The channel answers “unknown carrier” since 13:55.",
		},
		Sentence: "Clip · Outlet refuses the tracking of 14 parcels with “unknown carrier”. They count against valid tracking from 23:59 on.",
		Figures:  []view.Fact{{Name: "Parcels refused", Value: "14", Level: view.Bad}, {Name: "Time left", Value: "10 h 58 min"}},
		Tasks:    []view.Task{{ID: "t1", Text: "Map “Paketblitz” to a carrier the channel knows", Why: "its name changed on the channel’s side", Owner: "engineer", Ref: view.Ref{Kind: view.KindConnection, ID: "clip-outlet"}}},
		Timeline: []view.Entry{{At: t.Add(-7 * m), Kind: "opened", Text: "3 refusals in a row", Level: view.Bad}, {At: t.Add(-7 * m), Kind: "told", Text: "engineer, by webhook: no answer", Level: view.Watch}, {At: t.Add(-6 * m), Kind: "told", Text: "engineer, by mail"}},
		Notices:  []view.Notice{{At: t.Add(-6 * m), Target: "Mail to engineers", Role: "engineer", State: "delivered", Level: view.Good, Text: "Tracking of 14 parcels is refused"}, {At: t.Add(-7 * m), Target: "Pager", Role: "engineer", State: "failed", Level: view.Bad, Text: "no answer within 10 s"}},
	}
	past := func(n int64, title, cause string, ago, long time.Duration) *view.Incident {
		since := t.Add(-ago)
		until := since.Add(long)
		i := &view.Incident{IncidentRow: view.IncidentRow{ID: fmt.Sprintf("inc-%d", n), Number: n, Title: title, Cause: cause, State: view.IncidentResolved, Level: view.Watch, Shop: channelNames["clip-north"], Owner: "mia@nordlicht.example", Since: since, Until: &until, Alerts: 3, Text: fmt.Sprintf("Resolved after %d hours.", int(long.Hours()))}}
		i.Sentence = "Over. Nothing is left to do."
		i.Timeline = []view.Entry{{At: since, Kind: "opened", Text: title, Level: view.Watch}, {At: until, Kind: "resolved", Text: "the rate fell below its target", Actor: "mia@nordlicht.example", Level: view.Good}}
		i.Postmortem = postmortem(i)
		return i
	}
	b.incidents = []*view.Incident{upload, spike, past(40, "Late dispatch may pass 10 %", "forecast", 47*time.Hour, 5*time.Hour), past(39, "Login of Clip · Nordlicht expires in 3 days", "login", 190*time.Hour, 26*time.Hour)}
	b.alertsUp()
}

func postmortem(i *view.Incident) string {
	return fmt.Sprintf("# %s\n\n**Incident %d**, %s to %s, %s.\n\n## Cause\n\nThe 17:00 pick-up of Nordpost did not come; 41 parcels stood ready in Porto.\n\n## In numbers\n\n| | |\n|---|---|\n| Orders late | 41 |\n| Late dispatch at its highest | 5.8 %% |\n| Chance of enforcement at its highest | 12 %% |\n| Until somebody took it | 2 min |\n\n## What was done\n\n- 13:24 the carrier was asked for a second pick-up\n- 16:10 Berlin took over 20 orders\n\n## Message to customers\n\nYour parcel left one day later than we promised. It is on its way; we are sorry.\n", i.Title, i.Number, i.Since.Format("2 Jan 15:04"), i.Until.Format("2 Jan 15:04"), i.Shop)
}

func (b *Book) row(i *view.Incident) view.IncidentRow {
	r := i.IncidentRow
	r.Tasks = int64(len(i.Tasks))
	for _, t := range i.Tasks {
		if t.Done {
			r.TasksDone++
		}
	}
	return r
}

// openIncidents are those of a shop. The caller holds the lock.
func (b *Book) openIncidents(shop string) []view.IncidentRow {
	var out []view.IncidentRow
	for _, i := range b.incidents {
		if i.State != view.IncidentResolved && (shop == "" || i.Shop == "" || i.Shop == channelNames[shop]) {
			out = append(out, b.row(i))
		}
	}
	return out
}

// Incidents lists them.
func (b *Book) Incidents(_ context.Context, f view.IncidentFilter) (view.Incidents, error) {
	unlock, err := b.lock()
	if err != nil {
		return view.Incidents{}, err
	}
	defer unlock()
	v := view.Incidents{At: b.now(), Filter: f, Rules: int64(len(b.settings.Rules)), Muted: int64(len(b.settings.Silences)), Open: b.openIncidents(f.Shop)}
	for _, c := range b.conns {
		v.Shops = append(v.Shops, view.Option{ID: c.ID, Label: channelNames[c.ID]})
	}
	for _, i := range b.incidents {
		if i.State == view.IncidentResolved && (f.Shop == "" || i.Shop == channelNames[f.Shop]) {
			v.Past = append(v.Past, b.row(i))
		}
	}
	return v, nil
}

func (b *Book) incidentOf(id string) (*view.Incident, error) {
	for _, i := range b.incidents {
		if i.ID == id {
			return i, nil
		}
	}
	return nil, errs.New(errs.NotFound, "storybook.Incident", id, "There is no incident %s.", id)
}

// Incident shows one.
func (b *Book) Incident(_ context.Context, id string) (view.Incident, error) {
	unlock, err := b.lock()
	if err != nil {
		return view.Incident{}, err
	}
	defer unlock()
	i, err := b.incidentOf(id)
	if err != nil {
		return view.Incident{}, err
	}
	v := *i
	v.IncidentRow, v.At, v.Tasks, v.Timeline = b.row(i), b.now(), slices.Clone(i.Tasks), slices.Clone(i.Timeline)
	return v, nil
}

// PreviewIncident works out what an act would do.
func (b *Book) PreviewIncident(_ context.Context, d view.IncidentDraft) (view.Preview, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	i, err := b.incidentOf(d.ID)
	if err != nil {
		return view.Preview{}, err
	}
	left := 0
	for _, t := range i.Tasks {
		if !t.Done {
			left++
		}
	}
	switch d.Act {
	case "acknowledge":
		v := view.Preview{Sentence: "It is yours. Nobody else is told.", Undo: "You can hand it back."}
		if i.Escalates != nil {
			v.Changes = []view.Change{{What: "Who is told next", From: i.EscalateTo, To: "nobody", Why: "because somebody has it"}}
		}
		return v, nil
	case "resolve":
		v := view.Preview{Sentence: "It is over. A postmortem is drafted.", Undo: "It can be opened again."}
		if left > 0 {
			v.Warnings = []string{fmt.Sprintf("%d tasks are not done. They stay on its page.", left)}
		}
		return v, nil
	case "silence":
		if !d.Until.After(b.now()) {
			return view.Preview{Refused: "The end of a silence must lie ahead."}, nil
		}
		return view.Preview{Sentence: "Its alerts keep still until " + d.Until.Format("15:04 UTC") + "; they are counted all the same.", Undo: "It can be ended under Alerts."}, nil
	}
	return view.Preview{Sentence: "It is open again and its role is told.", Undo: "Resolve it again."}, nil
}

// ActOnIncident does it.
func (b *Book) ActOnIncident(_ context.Context, d view.IncidentDraft) (view.Done, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	i, err := b.incidentOf(d.ID)
	if err != nil {
		return view.Done{}, err
	}
	now, undo, was := b.now(), "incident "+d.ID, *i
	said := ""
	switch d.Act {
	case "acknowledge":
		i.State, i.Owner, i.Escalates, said = view.IncidentAcknowledged, d.Actor, nil, "It is yours."
	case "resolve":
		i.State, i.Until, i.Escalates, said = view.IncidentResolved, &now, nil, "It is resolved."
		i.Postmortem = postmortem(i)
	case "silence":
		i.Silenced, said = &d.Until, "It keeps still until then."
	case "reopen":
		i.State, i.Until, said = view.IncidentOpen, nil, "It is open again."
	}
	i.Timeline = append(i.Timeline, view.Entry{At: now, Kind: map[string]string{"acknowledge": "taken", "resolve": "resolved", "silence": "silenced", "reopen": "opened"}[d.Act], Text: cmp.Or(d.Note, said), Actor: d.Actor})
	b.before[undo] = func() {
		was.Timeline = append(i.Timeline, view.Entry{At: b.now(), Kind: "undone", Text: said, Actor: d.Actor})
		*i = was
		b.tell(view.TopicIncident + ":" + d.ID)
	}
	b.tell(view.TopicIncident + ":" + d.ID)
	return view.Done{Sentence: said, Undo: undo}, nil
}

// SetTask ticks a task.
func (b *Book) SetTask(_ context.Context, d view.TaskDraft) (view.Done, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	i, err := b.incidentOf(d.Incident)
	if err != nil {
		return view.Done{}, err
	}
	for n := range i.Tasks {
		t := &i.Tasks[n]
		if t.ID != d.Task {
			continue
		}
		was := *t
		t.Done, t.By, t.At = d.Done, d.Actor, b.now()
		b.before["task "+d.Incident] = func() { *t = was; b.tell(view.TopicIncident + ":" + d.Incident) }
		b.tell(view.TopicIncident + ":" + d.Incident)
		return view.Done{Sentence: map[bool]string{true: "Done: ", false: "Not done: "}[d.Done] + t.Text, Undo: "task " + d.Incident}, nil
	}
	return view.Done{}, errs.New(errs.NotFound, "storybook.SetTask", d.Task, "This incident has no such task.")
}

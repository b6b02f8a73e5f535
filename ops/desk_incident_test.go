package ops

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/spillway/spillway/domain/alert"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/ops/view"
	"github.com/spillway/spillway/store"
)

func newWatchDesk(t *testing.T) (*watch, *Desk) {
	t.Helper()
	w := newWatch(t, "sqlite:"+t.TempDir()+"/a.db")
	w.must(w.x.st.Update(t.Context(), func(tx *store.Tx) error {
		return tx.ConnectionPut(store.Connection{ID: "shop-1", Name: "Nordlicht", Vendor: "v", State: store.Active})
	}))
	d, err := NewDesk(w.x, DeskOptions{Zones: []view.Zone{{Label: "Warehouse", Location: "Europe/Berlin"}}})
	w.must(err)
	return w, d
}

func TestPagesOfAnIncident(t *testing.T) {
	w, d := newWatchDesk(t)
	h := newHooks(t)
	ctx := t.Context()
	w.target("eng", alert.Engineering, h.url())
	w.target("lena", alert.Operations, h.url())
	w.now = []alert.Signal{gone("shop-1")}
	w.pass(8*time.Minute, true)
	list, err := d.Incidents(ctx, view.IncidentFilter{})
	w.must(err)
	// The shop has a row and no wire here, so the program itself sees that it is not at work: one cause, one incident.
	if len(list.Open) != 1 || list.Rules == 0 {
		t.Fatalf("%+v", list)
	}
	row := list.Open[0]
	if row.Shop != "Nordlicht" || row.Level != view.Bad || row.State != view.IncidentOpen || row.Escalates == nil || row.EscalateTo != "head of operations and engineering" || row.Tasks != 4 {
		t.Errorf("%+v", row)
	}
	v, err := d.Incident(ctx, row.ID)
	w.must(err)
	if len(v.Timeline) < 3 || v.Timeline[0].Kind != "began" || v.Timeline[1].Kind != "opened" || v.Runbook == nil || len(v.Notices) != 1 || v.Notices[0].State != "delivered" || v.Postmortem != "" {
		t.Errorf("%+v", v)
	}
	p, err := d.PreviewIncident(ctx, view.IncidentDraft{ID: row.ID, Act: "resolve", Actor: "lena"})
	w.must(err)
	if p.Refused != "" || len(p.Warnings) != 1 {
		t.Errorf("%+v", p)
	}
	for _, act := range []string{"acknowledge", "resolve"} {
		done, err := d.ActOnIncident(ctx, view.IncidentDraft{ID: row.ID, Act: act, Actor: "lena", Note: "on it"})
		w.must(err)
		if act == "resolve" {
			v, err = d.Incident(ctx, row.ID)
			w.must(err)
			if v.State != view.IncidentResolved || !strings.Contains(v.Postmortem, "on it") {
				t.Errorf("%+v", v)
			}
			_, err := d.Undo(ctx, done.Undo, "lena")
			w.must(err)
		}
	}
	if len(w.open()) != 1 {
		t.Error("undone and not open")
	}
	task := v.Tasks[0]
	done, err := d.SetTask(ctx, view.TaskDraft{Incident: row.ID, Task: task.ID, Done: true, Actor: "lena"})
	w.must(err)
	_, err = d.Undo(ctx, done.Undo, "lena")
	w.must(err)
	done, err = d.ActOnIncident(ctx, view.IncidentDraft{ID: row.ID, Act: "silence", Until: w.at.Add(time.Hour), Actor: "lena"})
	w.must(err)
	if list, err = d.Incidents(ctx, view.IncidentFilter{Shop: "shop-1"}); err != nil || list.Muted != 1 || list.Open[0].Silenced == nil {
		t.Errorf("%+v %v", list, err)
	}
	_, err = d.Undo(ctx, done.Undo, "lena")
	w.must(err)
	if _, err := d.Incident(ctx, "none"); !errs.Is(err, errs.NotFound) {
		t.Error(err)
	}
	if p, err := d.PreviewIncident(ctx, view.IncidentDraft{ID: row.ID, Act: "odd"}); !errs.Is(err, errs.Invalid) {
		t.Errorf("%+v %v", p, err)
	}
}

func TestPastIncidentsArePaged(t *testing.T) {
	w, d := newWatchDesk(t)
	w.must(w.x.st.Update(t.Context(), func(tx *store.Tx) error {
		for n := range pastIncidents + 7 {
			s := gone(fmt.Sprint("old-", n))
			if err := tx.IncidentSave([]store.Incident{{Incident: alert.Incident{ID: fmt.Sprint("i", n), Cause: s.Cause, Phase: alert.Resolved, Severity: alert.Critical, Last: s,
				OpenedAt: w.at.Add(-48 * time.Hour), ResolvedAt: w.at.Add(-40 * time.Hour)}}}); err != nil {
				return err
			}
		}
		return nil
	}))
	seen := map[string]bool{}
	after := ""
	for page := 0; page == 0 || after != ""; page++ {
		v, err := d.Incidents(t.Context(), view.IncidentFilter{After: after})
		w.must(err)
		for _, r := range v.Past {
			if seen[r.ID] {
				t.Errorf("%s is listed twice", r.ID)
			}
			seen[r.ID] = true
		}
		after = v.Next
	}
	if len(seen) != pastIncidents+7 {
		t.Errorf("%d of %d", len(seen), pastIncidents+7)
	}
	if _, err := d.Incidents(t.Context(), view.IncidentFilter{After: "odd"}); !errs.Is(err, errs.Invalid) {
		t.Error(err)
	}
}

func TestThePageOfAlerts(t *testing.T) {
	w, d := newWatchDesk(t)
	h := newHooks(t)
	ctx := t.Context()
	_, err := d.AddTarget(ctx, view.TargetDraft{ID: "t1", Name: "Lena", Kind: "webhook", Address: h.url(), Role: "operations", From: view.Watch, Actor: "lena"})
	w.must(err)
	if _, err := d.AddTarget(ctx, view.TargetDraft{ID: "t2", Name: "Mo", Kind: "smtp", Address: h.url(), Role: "operations", Actor: "lena"}); !errs.Is(err, errs.Invalid) {
		t.Error(err)
	}
	done, err := d.TestTarget(ctx, "t1", "lena")
	w.must(err)
	if !strings.Contains(done.Sentence, "taken after") || len(h.texts()) != 1 {
		t.Errorf("%+v", done)
	}
	v, err := d.Alerts(ctx)
	w.must(err)
	if len(v.Targets) != 1 || v.Targets[0].Last != "delivered" || v.Targets[0].From != view.Watch || strings.Contains(fmt.Sprint(v), hookSecret) || v.Quiet.Zone != "Europe/Berlin" || len(v.Steps) < 3 {
		t.Errorf("%+v", v)
	}
	quiet := view.QuietDraft{QuietHours: view.QuietHours{On: true, From: "22:00", Until: "07:00", Zone: "Europe/Berlin", Through: view.Bad}, Actor: "lena"}
	p, err := d.PreviewQuiet(ctx, quiet)
	w.must(err)
	if len(p.Changes) != 1 || p.Changes[0].To != "22:00 to 07:00, Europe/Berlin" {
		t.Errorf("%+v", p)
	}
	done, err = d.SetQuiet(ctx, quiet)
	w.must(err)
	if s, err := w.x.AlertSettings(ctx); err != nil || !s.Quiet.On {
		t.Errorf("%+v %v", s, err)
	}
	_, err = d.Undo(ctx, done.Undo, "lena")
	w.must(err)
	if s, err := w.x.AlertSettings(ctx); err != nil || s.Quiet.On {
		t.Errorf("%+v %v", s, err)
	}
	for _, bad := range []string{"25:00", "soon"} {
		quiet.From = bad
		if _, err := d.SetQuiet(ctx, quiet); !errs.Is(err, errs.Invalid) {
			t.Errorf("%s: %v", bad, err)
		}
	}
	_, err = d.SetEscalation(ctx, view.EscalationDraft{Steps: []view.EscalationStep{{After: 0, Role: "owner"}, {After: 20 * time.Minute, Role: "operations"}, {After: 20 * time.Minute, Role: "warehouse"}}, Actor: "lena"})
	w.must(err)
	if v, err = d.Alerts(ctx); err != nil || len(v.Steps) != 3 || v.Steps[2].Role != "warehouse" {
		t.Errorf("%+v %v", v.Steps, err)
	}
	if p, err := d.PreviewEscalation(ctx, view.EscalationDraft{Steps: []view.EscalationStep{{Role: "cook"}}}); err != nil || p.Refused == "" {
		t.Errorf("%+v %v", p, err)
	}
	_, err = d.SetDigest(ctx, view.DigestDraft{On: true, Day: "Friday", Hour: 9, Role: "operations", Actor: "lena"})
	w.must(err)
	if v, err = d.Alerts(ctx); err != nil || v.Digest.NextAt == nil || v.Digest.NextAt.Weekday() != time.Friday || !v.Digest.NextAt.After(w.at) {
		t.Errorf("%+v %v", v.Digest, err)
	}
	sil := view.SilenceDraft{ID: "s1", Match: "shop:shop-1", From: w.at, Until: w.at.Add(time.Hour), Reason: "counting", Actor: "lena"}
	if p, err := d.PreviewSilence(ctx, sil); err != nil || p.Refused != "" || !strings.HasPrefix(p.Sentence, "Everything of Nordlicht") {
		t.Errorf("%+v %v", p, err)
	}
	_, err = d.AddSilence(ctx, sil)
	w.must(err)
	if v, err = d.Alerts(ctx); err != nil || len(v.Silences) != 1 || len(v.Matches) < 10 {
		t.Errorf("%+v %v", v.Silences, err)
	}
	_, err = d.EndSilence(ctx, "s1", "lena")
	w.must(err)
	if p, err := d.PreviewTargetEnd(ctx, "t1"); err != nil || len(p.Warnings) != 1 {
		t.Errorf("%+v %v", p, err)
	}
	_, err = d.RemoveTarget(ctx, "t1", "lena")
	w.must(err)
}

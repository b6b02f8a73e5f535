package storetest

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spillway/spillway/domain/alert"
	"github.com/spillway/spillway/domain/incident"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/store"
)

var incidentCases = []testcase{
	{"incidents are numbered, found and forgotten", incidentsKept},
	{"a cause has one incident that is not resolved", oneIncidentACause},
	{"processes that decide at once decide one after the other", incidentsDecidedInTurn},
	{"timelines and tasks are written once", entriesAndTasks},
	{"targets and silences", targetsAndSilences},
	{"messages keep their fate", deliveries},
	{"incidents move and are backed up", incidentsMove},
}

func wrong(id, subject string, phase alert.Phase) store.Incident {
	s := alert.Signal{Cause: alert.Cause{Kind: alert.Drift, Subject: subject}, Shop: subject, Text: "It is wrong."}
	i := alert.Incident{ID: id, Cause: s.Cause, Phase: phase, Severity: alert.Warning, First: s, Last: s, Since: day, UpdatedAt: day, Told: map[string]alert.Told{"t": {Episode: 1, First: day, At: day}}}
	if phase != alert.Watching {
		i.OpenedAt = day
	}
	if phase == alert.Resolved {
		i.ResolvedAt = day.Add(time.Hour)
	}
	return store.Incident{Incident: i}
}

func saving(is ...store.Incident) func(*store.Tx) error {
	return func(tx *store.Tx) error {
		if err := tx.IncidentLock(); err != nil {
			return err
		}
		return tx.IncidentSave(is)
	}
}

func incidentsKept(t *testing.T, d *database) {
	a, b, c := wrong("a", "x", alert.Watching), wrong("b", "y", alert.Open), wrong("c", "z", alert.Resolved)
	d.update(t, saving(a, b, c))
	a.Phase, a.OpenedAt = alert.Open, day.Add(time.Minute)
	d.update(t, saving(a, wrong("w", "w", alert.Watching)))
	d.view(t, func(tx *store.Tx) error {
		got, err := tx.IncidentGet("a")
		a.Number = 3
		if diff := cmp.Diff(a, got); diff != "" {
			t.Error(diff)
		}
		if err != nil {
			return err
		}
		if got, err := tx.IncidentByNumber(1); err != nil || got.ID != "b" {
			t.Errorf("%+v %v", got, err)
		}
		for since, want := range map[time.Time]int{{}: 4, day.Add(time.Hour): 4, day.Add(time.Hour + 1e3): 3} {
			if live, err := tx.IncidentsLive(since); err != nil || len(live) != want {
				t.Errorf("%d live since %s: %v", len(live), since, err)
			}
		}
		for shop, want := range map[string]int{"": 1, "z": 1, "x": 0} {
			if past, err := tx.IncidentsPast(time.Time{}, "", shop, 10); err != nil || len(past) != want {
				t.Errorf("%d past of %q: %v", len(past), shop, err)
			}
		}
		if past, err := tx.IncidentsPast(c.ResolvedAt, "c", "", 10); err != nil || len(past) != 0 {
			t.Errorf("%d before the first: %v", len(past), err)
		}
		if opened, err := tx.IncidentsOpened(day.Add(time.Second), 10); err != nil || len(opened) != 1 {
			t.Errorf("%d opened: %v", len(opened), err)
		}
		return nil
	})
	d.update(t, func(tx *store.Tx) error { return tx.IncidentDrop([]string{"w", "b"}) }) // one that is open is not forgotten
	d.fails(t, errs.NotFound, func(tx *store.Tx) error { _, err := tx.IncidentGet("w"); return err })
	d.fails(t, errs.NotFound, func(tx *store.Tx) error { _, err := tx.IncidentByNumber(0); return err })
	d.update(t, func(tx *store.Tx) error {
		_, err := tx.IncidentGet("b")
		if n, err := tx.IncidentsPrune(day.Add(2*time.Hour), 10); err != nil || n != 1 {
			t.Errorf("pruned %d: %v", n, err)
		}
		return err
	})
}

func oneIncidentACause(t *testing.T, d *database) {
	d.update(t, saving(wrong("a", "x", alert.Open)))
	if err := d.Update(d.ctx, saving(wrong("b", "x", alert.Watching))); err == nil {
		t.Error("a cause has two incidents")
	}
	over := wrong("a", "x", alert.Resolved)
	over.Number = 1
	d.update(t, saving(over, wrong("b", "x", alert.Open)))
}

func incidentsDecidedInTurn(t *testing.T, d *database) {
	for _, err := range together(8, func(i int) error {
		return d.Update(d.ctx, func(tx *store.Tx) error {
			if err := tx.IncidentLock(); err != nil {
				return err
			}
			live, err := tx.IncidentsLive(time.Time{})
			if err != nil {
				return err
			}
			return tx.IncidentSave([]store.Incident{wrong(orderID(len(live)), orderID(len(live)), alert.Open)})
		})
	}) {
		if err != nil {
			t.Error(err)
		}
	}
	d.view(t, func(tx *store.Tx) error {
		live, err := tx.IncidentsLive(time.Time{})
		if len(live) != 8 {
			t.Errorf("%d incidents", len(live))
		}
		for n := range live {
			if _, err := tx.IncidentByNumber(int64(n + 1)); err != nil {
				t.Error(err)
			}
		}
		return err
	})
}

func entriesAndTasks(t *testing.T, d *database) {
	e := alert.NewEntry("a", day, alert.EntryOpened, "", "It is wrong.", "")
	later := alert.NewEntry("a", day.Add(time.Second), alert.EntryNote, "ann", "Looked.", "")
	task := incident.Task{ID: "t", IncidentID: "a", Text: "Count.", Owner: "warehouse", CreatedAt: day}
	for range 2 {
		d.update(t, func(tx *store.Tx) error {
			if err := tx.EntriesAppend([]alert.Entry{e, later, e}); err != nil {
				return err
			}
			return tx.TasksAdd([]incident.Task{task})
		})
		d.update(t, func(tx *store.Tx) error {
			for n, want := range []bool{true, false} {
				if did, err := tx.TaskDone("a", "t", day, "ann"); err != nil || did != want {
					t.Errorf("tick %d: %t %v", n, did, err)
				}
			}
			if did, err := tx.TaskDone("other", "t", time.Time{}, "ann"); err != nil || did {
				t.Errorf("of another incident: %t %v", did, err)
			}
			return nil
		})
		d.view(t, func(tx *store.Tx) error {
			got, err := tx.EntriesOf("a", 10)
			if diff := cmp.Diff([]alert.Entry{later, e}, got); diff != "" {
				t.Error(diff)
			}
			if err != nil {
				return err
			}
			tasks, err := tx.TasksOf([]string{"a", "b"})
			if len(tasks) != 1 || tasks[0].DoneBy != "ann" || !tasks[0].DoneAt.Equal(day) || tasks[0].Text != "Count." {
				t.Errorf("%+v", tasks)
			}
			return err
		})
		d.update(t, func(tx *store.Tx) error {
			did, err := tx.TaskDone("a", "t", time.Time{}, "")
			if !did {
				t.Error("a tick could not be taken back")
			}
			return err
		})
	}
}

func targetsAndSilences(t *testing.T, d *database) {
	a := store.AlertTarget{Target: alert.Target{ID: "a", Name: "Ann", Role: alert.Operations, Least: alert.Warning, Quiet: alert.Quiet{From: 60, Until: 120}, Active: true}, Zone: "Europe/Berlin",
		Service: "smtp", Hint: "mail.example.com", Sealed: []byte{0, 255}, CreatedBy: "root", CreatedAt: day}
	s := alert.Silence{ID: "s", Shop: "x", From: day, Until: day.Add(time.Hour), Author: "ann", Reason: "moving"}
	for range 2 {
		d.update(t, func(tx *store.Tx) error {
			if err := tx.TargetPut(a); err != nil {
				return err
			}
			return tx.SilencePut(s)
		})
	}
	d.update(t, func(tx *store.Tx) error {
		got, err := tx.TargetList()
		if diff := cmp.Diff([]store.AlertTarget{a}, got); diff != "" || err != nil {
			t.Error(diff, err)
		}
		for after, want := range map[time.Time]int{day: 1, s.Until: 0} {
			if got, err := tx.SilenceList(after); err != nil || len(got) != want {
				t.Errorf("%+v %v", got, err)
			}
		}
		for n, want := range []bool{true, false} {
			if did, err := tx.SilenceEnd("s", day.Add(time.Minute), "bob"); err != nil || did != want {
				t.Errorf("end %d: %t %v", n, did, err)
			}
		}
		sil, err := tx.SilenceGet("s")
		if sil.EndedBy != "bob" || !sil.Until.Equal(day.Add(time.Minute)) || sil.Reason != "moving" {
			t.Errorf("%+v", sil)
		}
		if err != nil {
			return err
		}
		a.Sealed, a.RemovedAt = nil, day
		return tx.TargetPut(a)
	})
	d.view(t, func(tx *store.Tx) error {
		if all, err := tx.TargetList(); err != nil || len(all) != 0 {
			t.Errorf("%+v %v", all, err)
		}
		got, err := tx.TargetGet("a")
		if len(got.Sealed) != 0 || !got.RemovedAt.Equal(day) {
			t.Errorf("%+v", got)
		}
		return err
	})
	d.fails(t, errs.NotFound, func(tx *store.Tx) error { _, err := tx.TargetGet("x"); return err })
	d.fails(t, errs.NotFound, func(tx *store.Tx) error { _, err := tx.SilenceGet("x"); return err })
	d.fails(t, errs.Invalid, func(tx *store.Tx) error {
		return tx.TargetPut(store.AlertTarget{Target: alert.Target{ID: "x", Name: "x"}})
	})
	d.fails(t, errs.Invalid, func(tx *store.Tx) error { return tx.SilencePut(alert.Silence{ID: "x"}) })
}

func deliveries(t *testing.T, d *database) {
	one := alert.Delivery{ID: "1", Target: "a", Incidents: []string{"i"}, Kind: alert.Drift, Reason: alert.BecauseOpened, Severity: alert.Critical, Title: "T", Text: "X", At: day}
	two := one
	two.ID, two.Target, two.At = "2", "b", day.Add(time.Minute)
	d.update(t, func(tx *store.Tx) error { return tx.DeliveriesAdd([]alert.Delivery{one, two}) })
	d.update(t, func(tx *store.Tx) error {
		due, err := tx.DeliveriesDue(day, 10)
		if len(due) != 1 || err != nil {
			t.Fatalf("%+v %v", due, err)
		}
		if diff := cmp.Diff(store.AlertDelivery{Delivery: one, State: store.DeliveryWaiting, NextAt: day}, due[0]); diff != "" {
			t.Error(diff)
		}
		due[0].Tries, due[0].NextAt, due[0].Error = 1, day.Add(time.Hour), "It hangs."
		if ok, err := tx.DeliveryFate(due[0]); !ok || err != nil {
			t.Error(ok, err)
		}
		due[0].State, due[0].EndedAt = store.DeliverySent, day.Add(2*time.Hour)
		for n, want := range []bool{true, false} { // what was sent stays sent
			if ok, err := tx.DeliveryFate(due[0]); ok != want || err != nil {
				t.Errorf("fate %d: %t %v", n, ok, err)
			}
		}
		return tx.DeliveriesAdd([]alert.Delivery{one}) // decided again it is not sent again
	})
	d.update(t, func(tx *store.Tx) error {
		of, err := tx.DeliveriesOf("a", 10)
		if len(of) != 1 || of[0].State != store.DeliverySent || of[0].Tries != 1 || err != nil {
			t.Errorf("%+v %v", of, err)
		}
		if err := tx.DeliveriesDrop("b", "Removed."); err != nil {
			return err
		}
		in, err := tx.DeliveriesIn([]string{"1", "2", "3"})
		if len(in) != 2 || in[0].ID != "2" || in[0].State != store.DeliveryFailed || in[0].Error != "Removed." {
			t.Errorf("%+v", in)
		}
		if n, err := tx.DeliveriesPrune(day.Add(time.Second)); err != nil || n != 1 {
			t.Errorf("pruned %d: %v", n, err)
		}
		return err
	})
}

// fillIncidents puts something into every table of theirs.
func (d *database) fillIncidents(t *testing.T) {
	t.Helper()
	d.update(t, func(tx *store.Tx) error {
		for _, err := range []error{
			saving(wrong("a", "x", alert.Open), wrong("b", "x", alert.Resolved))(tx),
			tx.EntriesAppend([]alert.Entry{alert.NewEntry("a", day, alert.EntryOpened, "", "x", "")}),
			tx.TasksAdd([]incident.Task{{ID: "t", IncidentID: "a", Text: "x"}}),
			tx.TargetPut(store.AlertTarget{Target: alert.Target{ID: "a", Name: "Ann"}, Sealed: []byte{0, 255}, CreatedAt: day}),
			tx.SilencePut(alert.Silence{ID: "s", From: day, Until: day.Add(time.Hour), Author: "ann", Reason: "moving"}),
			tx.DeliveriesAdd([]alert.Delivery{{ID: "d", Target: "a", At: day}}),
		} {
			if err != nil {
				return err
			}
		}
		return nil
	})
}

func incidentsMove(t *testing.T, d *database) {
	d.fillIncidents(t)
	want := rowsOf(t, d.backup(t))
	to := d.fresh(t)
	if _, err := store.MigrateData(d.ctx, d.url, to, silent); err != nil {
		t.Fatal(err)
	}
	home := open(t, to)
	if diff := cmp.Diff(want, rowsOf(t, home.backup(t))); diff != "" {
		t.Error(diff)
	}
	home.update(t, saving(wrong("c", "new", alert.Open)))
	home.view(t, func(tx *store.Tx) error {
		got, err := tx.IncidentGet("c")
		if got.Number != 3 {
			t.Errorf("number %d", got.Number)
		}
		return err
	})
}

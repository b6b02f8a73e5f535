package postgres

import (
	"database/sql"
	"strings"
	"testing"
	"time"

	"github.com/spillway/spillway/internal/pgtest"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/store/sqlcore"
)

// patience bounds the wait for a change of state on a loaded machine.
const patience = time.Minute

// await waits until the standby is in use, or out of it for a reason that holds why.
func await(t *testing.T, changes <-chan sqlcore.ReplicaState, used bool, why string) {
	t.Helper()
	late := time.After(patience)
	for {
		select {
		case s := <-changes:
			if s.Used == used && strings.Contains(s.Why, why) {
				return
			}
			t.Log("meanwhile:", s)
		case <-late:
			t.Fatalf("the standby did not become used: %v, %q", used, why)
		}
	}
}

// ask runs a statement on a server.
func ask(t *testing.T, s pgtest.Server, text string) {
	t.Helper()
	if err := s.Run(t.Context(), text); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
}

func TestAStandbyIsReadWhileItKeepsUp(t *testing.T) {
	primary := pgtest.Own(t)
	standby := primary.Standby(t)
	changes := make(chan sqlcore.ReplicaState, 100)
	engine, err := OpenReplicated(t.Context(), primary.URL(), standby.URL(), func(s sqlcore.ReplicaState) { changes <- s })
	if err != nil {
		t.Fatal(err)
	}
	defer engine.Close()
	if err := engine.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	await(t, changes, true, "")
	// The tests are the superuser; Spillway need not be.
	for _, text := range []string{primaryAt, standbyAt} {
		ask(t, primary, "BEGIN; CREATE ROLE nobody_special; SET LOCAL ROLE nobody_special; "+text+"; ROLLBACK")
	}
	run, use, err := engine.Replica.Begin(t.Context())
	if err != nil || !use {
		t.Fatalf("not to be used: %v", err)
	}
	var recovering int64
	all(t, "recovery", func() (*sql.Rows, error) { return run.Query(t.Context(), "SELECT pg_is_in_recovery()::int") }, &recovering)
	if recovering != 1 {
		t.Error("it read the primary")
	}
	if _, err := run.Exec(t.Context(), "INSERT INTO setting VALUES ('a', 'b')"); err == nil {
		t.Error("it could write")
	}
	if err := run.Rollback(); err != nil {
		t.Error(err)
	}

	ask(t, standby, "SELECT pg_wal_replay_pause()")
	ask(t, primary, "INSERT INTO setting VALUES ('c', 'd')")
	await(t, changes, false, "behind")
	if _, use, err := engine.Replica.Begin(t.Context()); use || err != nil {
		t.Errorf("a standby that is behind is used: %v", err)
	}
	ask(t, standby, "SELECT pg_wal_replay_resume()")
	await(t, changes, true, "")

	if err := standby.Stop(); err != nil {
		t.Fatal(err)
	}
	await(t, changes, false, "")
	if s := engine.Replica.State(); s.Used || s.Why == "" {
		t.Errorf("a standby that is gone: %+v", s)
	}
	if err := standby.Restart(); err != nil {
		t.Fatal(err)
	}
	await(t, changes, true, "")
	engine.Replica.Failed(nil)
	await(t, changes, false, "failed")
	await(t, changes, true, "")
}

// Whoever names the database itself, or a standby of another one, must not be shown that for their own.
func TestAStandbyMustBeOne(t *testing.T) {
	primary, other := pgtest.Own(t), pgtest.Own(t)
	for url, why := range map[string]string{primary.URL(): "no standby", other.Standby(t).URL(): "another database", "postgres://postgres@127.0.0.1:1/x": "not answer"} {
		changes := make(chan sqlcore.ReplicaState, 100)
		engine, err := OpenReplicated(t.Context(), primary.URL(), url, func(s sqlcore.ReplicaState) { changes <- s })
		if err != nil {
			t.Fatal(err)
		}
		await(t, changes, false, why)
		if err := engine.Close(); err != nil {
			t.Error(err)
		}
	}
	if _, err := OpenReplicated(t.Context(), primary.URL(), "postgres://user:geheim@[::1", nil); !errs.Is(err, errs.Invalid) || strings.Contains(err.Error(), "geheim") {
		t.Errorf("a broken URL: %v", err)
	}
}

package ops

import (
	"net/http"
	"testing"
	"time"

	"github.com/spillway/spillway/internal/pgtest"
	"github.com/spillway/spillway/kit/seal"
	"github.com/spillway/spillway/ops/view"
	"github.com/spillway/spillway/store"
)

// Pages are read from a standby. Whoever has just written reads the database, figures kept for everybody do so as well, and a live page is told
// of a change no sooner than it can see it.
func TestPagesOfAReplicaShowWhatWasJustWritten(t *testing.T) {
	primary := pgtest.Own(t)
	standby := primary.Standby(t)
	changes := make(chan store.ReplicaState, 100)
	st, err := store.Open(t.Context(), primary.URL(), store.Options{Replica: standby.URL(), ReplicaChanged: func(s store.ReplicaState) { changes <- s }})
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	for s := range changes {
		if s.Used {
			break
		}
	}
	// A standby counts as usable seconds behind, and the tables are younger than that.
	for until := time.Now().Add(patience); ; {
		err := st.ViewPages(t.Context(), func(tx *store.Tx) error { _, _, err := tx.SettingGet("written"); return err })
		if err == nil {
			break
		}
		if time.Now().After(until) {
			t.Fatal(err)
		}
	}
	ring, err := seal.Parse(seal.NewKey())
	if err != nil {
		t.Fatal(err)
	}
	client := func(bool) *http.Client { return &http.Client{Timeout: time.Second} }
	x, err := New(Options{Store: st, Ring: ring, Now: time.Now, Client: client, Files: client})
	if err != nil {
		t.Fatal(err)
	}
	d, err := NewDesk(x, DeskOptions{})
	if err != nil {
		t.Fatal(err)
	}
	seen := func(look func(func(*store.Tx) error) error) (found bool) {
		t.Helper()
		if err := look(func(tx *store.Tx) (err error) {
			_, found, err = tx.SettingGet("written")
			return err
		}); err != nil {
			t.Fatal(err)
		}
		return found
	}
	others := func(f func(*store.Tx) error) error { return d.look(t.Context(), "test", "", f) }
	mine := func(f func(*store.Tx) error) error { return d.look(view.Fresh(t.Context()), "test", "", f) }
	kept := func(f func(*store.Tx) error) error { return d.count(t.Context(), f) }

	halted(t, standby, "SELECT pg_wal_replay_pause()")
	if err := st.Update(t.Context(), func(tx *store.Tx) error { return tx.SettingSet("written", "yes") }); err != nil {
		t.Fatal(err)
	}
	notices := make(chan string, 2)
	live := d.caughtUp(t.Context(), notices)
	notices <- "item"
	notices <- "item"
	if seen(others) || seen(kept) {
		t.Error("the standby is not read: it shows what it cannot know")
	}
	if !seen(mine) {
		t.Error("whoever wrote does not see it")
	}
	if !seen(kept) {
		t.Error("kept figures do not follow what somebody wrote")
	}
	if d.shows(time.Now()) {
		t.Error("a live page would be told of what it cannot see")
	}
	halted(t, standby, "SELECT pg_wal_replay_resume()")
	if <-live != "item" || !seen(others) {
		t.Error("a live page is told and does not see it")
	}
	close(notices)
	if topic, more := <-live; more {
		t.Errorf("%q was told twice", topic)
	}
}

func halted(t *testing.T, s pgtest.Server, text string) {
	t.Helper()
	if err := s.Run(t.Context(), text); err != nil {
		t.Fatal(err)
	}
}

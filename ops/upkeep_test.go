package ops

import (
	"strings"
	"testing"
	"time"

	"github.com/spillway/spillway/internal/pgtest"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/store"
)

// The database is kept in shape once a day, once among all processes, and people see what became of it.
func TestTheDatabaseIsKeptInShapeOnceADay(t *testing.T) {
	url := pgtest.Start(t)
	both := []*Ops{ledgerOps(t, url), ledgerOps(t, url)}
	at := func() time.Time {
		t.Helper()
		s, err := ReadStatus(t.Context(), both[0].st)
		if err != nil {
			t.Fatal(err)
		}
		return s.Upkeep.At
	}
	tend := func() {
		t.Helper()
		for _, x := range both {
			if err := x.upkeep(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
	if !at().IsZero() {
		t.Fatal("it is done before anybody did it")
	}
	tend()
	first := at()
	s, err := ReadStatus(t.Context(), both[1].st)
	if err != nil {
		t.Fatal(err)
	}
	if first.IsZero() || len(s.Upkeep.Made) == 0 || !strings.Contains(s.Upkeep.String(), "made event_") {
		t.Fatalf("parts for the months to come were not made: %+v", s.Upkeep)
	}
	tend()
	if again := at(); again != first {
		t.Errorf("it was done twice in a day: %v and %v", first, again)
	}
	// A day later it is due, and once only; after a failure in an hour.
	set := func(u Upkeep) {
		t.Helper()
		if err := both[0].st.Update(t.Context(), func(tx *store.Tx) error { return tx.SettingSet(upkeepSetting, string(jsonOf(u))) }); err != nil {
			t.Fatal(err)
		}
	}
	for _, last := range []Upkeep{{At: first.Add(-upkeepEvery - time.Minute)}, {At: first.Add(-upkeepAgain - time.Minute), Failed: "busy"}} {
		set(last)
		if f := examined(t, both[0]); f.OK != (last.Failed == "") {
			t.Errorf("the doctor says of %+v: %+v", last, f)
		}
		tend()
		if now := at(); !now.After(first) {
			t.Errorf("after %+v it was not done", last)
		}
	}
	set(Upkeep{At: first.Add(-upkeepLate - time.Hour)})
	if f := examined(t, both[1]); f.OK || f.Fix == "" {
		t.Errorf("the doctor does not see that nobody does it: %+v", f)
	}
	if _, err := KeepUp(t.Context(), both[0].st, time.Hour); !errs.Is(err, errs.Invalid) {
		t.Errorf("events kept for an hour: %v", err)
	}
}

func examined(t *testing.T, x *Ops) Finding {
	t.Helper()
	var fs []Finding
	if err := x.st.View(t.Context(), func(tx *store.Tx) (err error) { fs, err = x.findUpkeep(tx); return err }); err != nil || len(fs) != 1 {
		t.Fatalf("%v %v", fs, err)
	}
	return fs[0]
}

// The running program does it by itself, and with it gives up events past their keeping.
func TestARunningProgramKeepsItsDatabaseInShape(t *testing.T) {
	x := ledgerOps(t, "sqlite:"+t.TempDir()+"/upkeep.db")
	x.o.EventsKept = MinEventsKept
	old := time.Now().Add(-48 * time.Hour)
	if err := x.st.Update(t.Context(), func(tx *store.Tx) error {
		return tx.EventsAppend([]store.Event{{Kind: "old", Subject: "s", At: old}, {Kind: "new", Subject: "s"}})
	}); err != nil {
		t.Fatal(err)
	}
	if err := x.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(30 * time.Second); ; <-tick.C {
		s, err := ReadStatus(t.Context(), x.st)
		if err != nil {
			t.Fatal(err)
		}
		if !s.Upkeep.At.IsZero() {
			if s.Upkeep.Deleted != 1 {
				t.Errorf("%+v", s.Upkeep)
			}
			return
		}
		if time.Now().After(end) {
			t.Fatal("it was never done")
		}
	}
}

package main

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spillway/spillway/domain/custody"
	"github.com/spillway/spillway/store"
)

// custodyGrow appends n more entries to the custody log of a home, of parcels P-from and so on.
func custodyGrow(t *testing.T, e *env, h home, from, n int) {
	t.Helper()
	a, err := offline(e, h, false)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Stop(t.Context())
	var es []custody.Event
	for i := range n {
		es = append(es, custody.Event{ID: fmt.Sprint(from + i), At: time.Date(2026, 11, 22, 12, 0, i, 0, time.UTC), What: custody.Packed, Role: custody.Packer, ParcelID: fmt.Sprintf("P-%d", from+i)})
	}
	if err := a.Store().Update(t.Context(), func(tx *store.Tx) error { return tx.CustodyAppend(es) }); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Ops().SequenceCustody(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// exitOf is the code a command ends with.
func exitOf(err error) int {
	own, ok := errors.AsType[*exitError](err)
	switch {
	case err == nil:
		return 0
	case ok:
		return own.code
	}
	return 1
}

func TestVerifySaysWhatIsWrong(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	e := &env{ctx: t.Context(), log: slog.New(slog.DiscardHandler)}
	h := home{Home: at("home")}
	write := func(name string, text []byte) string {
		t.Helper()
		if err := os.WriteFile(at(name), text, 0o600); err != nil {
			t.Fatal(err)
		}
		return at(name)
	}
	custodyGrow(t, e, h, 0, 30)
	proof := func(h home, name, parcel, since string) string {
		t.Helper()
		if err := (&custodyProof{home: h, Parcel: parcel, Since: since, Out: at(name)}).Run(e); err != nil {
			t.Fatal(err)
		}
		return at(name)
	}
	first := proof(h, "first", "P-7", "")
	if err := (&backupCmd{home: h, To: at("backup")}).Run(e); err != nil {
		t.Fatal(err)
	}
	custodyGrow(t, e, h, 30, 20)
	later := proof(h, "later", "P-40", first)

	// A home restored to before, and on from there.
	back := home{Home: at("back")}
	if err := (&restoreCmd{home: back, From: at("backup")}).Run(e); err != nil {
		t.Fatal(err)
	}
	keys, err := os.ReadFile(filepath.Join(h.Home, "keys"))
	if err == nil {
		err = os.WriteFile(filepath.Join(back.Home, "keys"), keys, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	setBack := proof(back, "set back", "P-7", "")
	if err := (&custodyProof{home: back, Parcel: "P-7", Since: later, Out: at("none")}).Run(e); err == nil || !strings.Contains(sentence(err), "set back") {
		t.Errorf("a log that was set back proves since later: %v", err)
	}
	custodyGrow(t, e, back, 1000, 40)
	forked := proof(back, "forked", "P-1003", later)

	text, err := os.ReadFile(first)
	if err != nil {
		t.Fatal(err)
	}
	p, err := custody.ParseProof(text)
	if err != nil {
		t.Fatal(err)
	}
	otherKey := strings.Replace(p.Key, "+", "x+", 1)
	for _, c := range []struct {
		name      string
		cmd       verifyCmd
		exit      int
		says, out string
	}{
		{"good", verifyCmd{File: first}, 0, "", "1 entry is in the log spillway-custody-"},
		{"good without a key", verifyCmd{File: first}, 0, "", "did not say which key"},
		{"good with its key", verifyCmd{File: first, Key: p.Key}, 0, "", "P-7"},
		{"good with its key in a file", verifyCmd{File: first, Key: write("key.txt", []byte(p.Key+"\n"))}, 0, "", "verified"},
		{"gone on", verifyCmd{File: later, Key: p.Key, Since: first}, 0, "", "went on unchanged from its earlier size of 30"},
		{"gone on from a checkpoint", verifyCmd{File: later, Since: write("old.checkpoint", []byte(p.Checkpoint))}, 0, "", "unchanged"},
		{"changed", verifyCmd{File: write("changed", bytes.Replace(text, []byte("packed"), []byte("picked"), 1))}, 1, "changed", ""},
		{"another parcel", verifyCmd{File: write("parcel", bytes.Replace(text, []byte(`"parcel": "P-7"`), []byte(`"parcel": "P-8"`), 1))}, 1, "something else", ""},
		{"another key", verifyCmd{File: first, Key: otherKey}, 2, "not a key", ""},
		{"set back", verifyCmd{File: setBack, Key: p.Key, Since: later}, 1, "set back", ""},
		{"forked", verifyCmd{File: forked, Key: p.Key, Since: later}, 1, "forked", ""},
		{"not told since", verifyCmd{File: forked, Since: first}, 2, "ask for it again", ""},
		{"not a proof", verifyCmd{File: write("text", []byte("hello"))}, 2, "not a custody proof", ""},
		{"cut off", verifyCmd{File: write("cut", text[:len(text)/2])}, 2, "not a custody proof", ""},
		{"not there", verifyCmd{File: at("nowhere")}, 2, "cannot be opened", ""},
		{"since nothing", verifyCmd{File: first, Since: write("nothing", nil)}, 2, "not a checkpoint", ""},
	} {
		var out bytes.Buffer
		err := c.cmd.verify(&out)
		if got := exitOf(c.cmd.Run()); got != c.exit {
			t.Errorf("%s: exit %d, want %d (%v)", c.name, got, c.exit, err)
		}
		if err != nil && !strings.Contains(sentence(err), c.says) || err == nil && !strings.Contains(out.String(), c.out) {
			t.Errorf("%s: says %v\n%s", c.name, err, &out)
		}
	}
}

package storetest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"

	"github.com/spillway/spillway/domain/custody"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/store"
)

var custodyCases = []testcase{
	{"custody entries get their places in the order of commits", custodySequenced},
	{"a custody id is one event", custodyIDs},
	{"custody entries are gone with a transaction that fails", custodyAtomic},
	{"two processes that sequence at once make one log", custodyByTwo},
	{"a custody event never comes before one it followed", custodyFollows},
	{"proofs of a parcel and an order verify", custodyProofs},
	{"one changed byte anywhere in the custody log is found", custodyChanged},
	{"nothing is built on a custody log that was changed", custodyNotBuiltOn},
	{"the custody log survives kills", custodyKilled},
	{"the custody log moves and is backed up unchanged", custodyMoves},
	{"a custody log restored to an earlier state is a fork to who saw the later one", custodyForked},
}

func handled(i int) custody.Event {
	return custody.Event{ID: fmt.Sprintf("pack/%d", i), At: day.Add(time.Duration(i) * time.Second), What: custody.Packed, Role: custody.Packer, Node: "wh",
		OrderID: orderID(i / 4), ParcelID: fmt.Sprintf("P-%d", i/2), Documents: []custody.Document{{Kind: "slip", SHA256: sha256.Sum256([]byte{byte(i)})}}}
}

func handledMany(from, n int) (out []custody.Event) {
	for i := range n {
		out = append(out, handled(from+i))
	}
	return out
}

// custodySigner is the key of all logs of these tests.
func custodySigner(tb testing.TB) (note.Signer, store.CustodyKey) {
	tb.Helper()
	s, k, err := custodyKeys()
	if err != nil {
		tb.Fatal(err)
	}
	return s, k
}

func custodyKeys() (note.Signer, store.CustodyKey, error) {
	seed := sha256.Sum256([]byte("storetest"))
	skey, vkey, err := note.GenerateKey(bytes.NewReader(seed[:]), custody.Origin("test"))
	if err != nil {
		return nil, store.CustodyKey{}, err
	}
	s, err := note.NewSigner(skey)
	return s, store.CustodyKey{Origin: custody.Origin("test"), Verifier: vkey, Sealed: []byte("sealed elsewhere")}, err
}

// custodyBegun begins the log of an empty database.
func (d *database) custodyBegun(tb testing.TB) {
	tb.Helper()
	_, key := custodySigner(tb)
	d.update(tb, func(tx *store.Tx) error { return tx.CustodyKeyPut(key) })
}

func (d *database) custodyAppend(events ...custody.Event) error {
	return d.Update(d.ctx, func(tx *store.Tx) error { return tx.CustodyAppend(events) })
}

func (d *database) sequence(tb testing.TB) (placed int) {
	tb.Helper()
	s, key := custodySigner(tb)
	d.update(tb, func(tx *store.Tx) (err error) {
		placed, _, err = tx.CustodySequence(s, key.Verifier, 1000)
		return err
	})
	return placed
}

func (d *database) custodyCheck(tb testing.TB) (r store.CustodyReport) {
	tb.Helper()
	d.view(tb, func(tx *store.Tx) (err error) { r, err = tx.CustodyCheck(); return err })
	return r
}

// custodySound fails unless the log holds so many entries as they were written, and so many wait.
func (d *database) custodySound(tb testing.TB, entries, waiting int64) store.CustodyReport {
	tb.Helper()
	r := d.custodyCheck(tb)
	if len(r.Found) > 0 || r.Entries != entries || r.Waiting != waiting {
		tb.Errorf("%+v, want %d entries and %d waiting", r, entries, waiting)
	}
	return r
}

// filled is a log of n entries, sequenced in steps.
func (d *database) custodyFilled(tb testing.TB, n int) {
	tb.Helper()
	d.custodyBegun(tb)
	for from := 0; from < n; from += 100 {
		if err := d.custodyAppend(handledMany(from, min(100, n-from))...); err != nil {
			tb.Fatal(err)
		}
		d.sequence(tb)
	}
}

func custodySequenced(t *testing.T, d *database) {
	d.custodySound(t, 0, 0)
	d.custodyBegun(t)
	if n := d.sequence(t); n != 0 {
		t.Errorf("%d of nothing placed", n)
	}
	for i := range 5 {
		if err := d.custodyAppend(handled(4 - i)); err != nil {
			t.Fatal(err)
		}
	}
	d.custodySound(t, 0, 5)
	if n := d.sequence(t); n != 5 {
		t.Errorf("%d placed, want 5", n)
	}
	if err := d.custodyAppend(handledMany(5, 600)...); err != nil {
		t.Fatal(err)
	}
	if n := d.sequence(t); n != 600 {
		t.Errorf("%d placed, want 600", n)
	}
	r := d.custodySound(t, 605, 0)
	if r.Tiles != 4 || r.Checkpoints != 2 {
		t.Errorf("%d tiles and %d checkpoints, want 3 of leaves and one above, and those of 5 and 605 entries", r.Tiles, r.Checkpoints)
	}
	d.view(t, func(tx *store.Tx) error {
		page, err := tx.CustodyPage(0, 7)
		for i, id := range []string{"pack/4", "pack/3", "pack/2", "pack/1", "pack/0", "pack/5", "pack/6"} {
			if page[i].ID != id || page[i].Place != int64(i) {
				t.Errorf("at %d there is %s at %d, want %s", i, page[i].ID, page[i].Place, id)
			}
		}
		return err
	})
	d.custodyHeadsBounded(t)
}

// custodyHeadsBounded signs often between two tiles: only one checkpoint stays.
func (d *database) custodyHeadsBounded(t *testing.T) {
	t.Helper()
	for i := range 20 {
		if err := d.custodyAppend(handled(605 + i)); err != nil {
			t.Fatal(err)
		}
		d.sequence(t)
	}
	if r := d.custodySound(t, 625, 0); r.Checkpoints != 2 {
		t.Errorf("%d checkpoints are kept, want 2", r.Checkpoints)
	}
}

func custodyIDs(t *testing.T, d *database) {
	d.custodyBegun(t)
	a := handled(1)
	for range 2 { // before and after it has its place
		for range 2 {
			if err := d.custodyAppend(a, handled(2), a); err != nil {
				t.Fatal(err)
			}
		}
		other := a
		other.Role = custody.Supervisor
		if err := d.custodyAppend(other); !errs.Is(err, errs.Conflict) {
			t.Errorf("one id for two events: %v", err)
		}
		if err := d.custodyAppend(custody.Event{ID: "x"}); !errs.Is(err, errs.Invalid) {
			t.Errorf("no event: %v", err)
		}
		d.sequence(t)
		d.custodySound(t, 2, 0)
	}
}

func custodyAtomic(t *testing.T, d *database) {
	d.custodyBegun(t)
	err := d.Update(d.ctx, func(tx *store.Tx) error {
		if err := tx.CustodyAppend(handledMany(0, 3)); err != nil {
			return err
		}
		return errStop
	})
	if err == nil {
		t.Fatal("it did not stop")
	}
	s, key := custodySigner(t)
	if err := d.custodyAppend(handled(9)); err != nil {
		t.Fatal(err)
	}
	if err := d.Update(d.ctx, func(tx *store.Tx) error {
		if _, _, err := tx.CustodySequence(s, key.Verifier, 100); err != nil {
			return err
		}
		return errStop
	}); err == nil {
		t.Fatal("it did not stop")
	}
	d.custodySound(t, 0, 1)
}

func custodyByTwo(t *testing.T, d *database) {
	d.custodyBegun(t)
	s, key := custodySigner(t)
	both := []*database{d, open(t, d.url)}
	const writers, each = 4, 30
	for _, err := range together(writers+2, func(w int) error {
		if w >= writers { // the sequencers
			for range 40 {
				if err := both[w%2].Update(d.ctx, func(tx *store.Tx) error {
					_, _, err := tx.CustodySequence(s, key.Verifier, 17)
					return err
				}); err != nil {
					return err
				}
			}
			return nil
		}
		for i := range each {
			if err := both[w%2].custodyAppend(handled(w*1000 + i)); err != nil {
				return err
			}
		}
		return nil
	}) {
		if err != nil {
			t.Error(err)
		}
	}
	for d.sequence(t) > 0 {
	}
	d.custodySound(t, writers*each, 0)
}

// custodyFollows has each writer begin only after the one before has committed, in two processes, while a third sequences.
func custodyFollows(t *testing.T, d *database) {
	d.custodyBegun(t)
	both := []*database{d, open(t, d.url)}
	ctx, stop := context.WithCancel(d.ctx)
	var sequencer sync.WaitGroup
	s, key := custodySigner(t)
	sequencer.Go(func() {
		third := both[1]
		for ctx.Err() == nil {
			if err := third.Update(d.ctx, func(tx *store.Tx) error { _, _, err := tx.CustodySequence(s, key.Verifier, 5); return err }); err != nil {
				t.Error(err)
				return
			}
		}
	})
	const n = 60
	for i := range n {
		if err := both[i%2].custodyAppend(handled(i)); err != nil {
			t.Fatal(err)
		}
	}
	stop()
	sequencer.Wait()
	for d.sequence(t) > 0 {
	}
	d.view(t, func(tx *store.Tx) error {
		page, err := tx.CustodyPage(0, n)
		for i, e := range page {
			if e.ID != handled(i).ID {
				t.Fatalf("at %d there is %s", i, e.ID)
			}
		}
		return err
	})
}

// proof makes and reads a proof file.
func (d *database) custodyProof(order, parcel string, since int64) (p *custody.Proof, err error) {
	_, key, err := custodyKeys()
	if err != nil {
		return nil, err
	}
	err = d.View(d.ctx, func(tx *store.Tx) error {
		p, err = tx.CustodyProve(key, order, parcel, since)
		return err
	})
	return p, err
}

func custodyProofs(t *testing.T, d *database) {
	_, key := custodySigner(t)
	if _, err := d.custodyProof("", "P-1", 0); !errs.Is(err, errs.NotFound) {
		t.Errorf("of an empty log: %v", err)
	}
	d.custodyFilled(t, 700)
	for _, c := range []struct {
		order, parcel string
		since         int64
		entries       int
	}{{"", "P-3", 0, 2}, {orderID(2), "", 0, 4}, {"", "P-349", 300, 2}, {"", "", 699, 0}, {"", "P-3", 700, 2}, {"", "P-0", 256, 2}} {
		p, err := d.custodyProof(c.order, c.parcel, c.since)
		if err != nil {
			t.Errorf("%+v: %v", c, err)
			continue
		}
		got, err := p.Check(key.Verifier)
		if err != nil || len(got.Events) != c.entries || got.Tree.N != 700 {
			t.Errorf("%+v: %+v, %v", c, got, err)
		}
	}
	if _, err := d.custodyProof("", "P-9999", 0); !errs.Is(err, errs.NotFound) {
		t.Errorf("of no such parcel: %v", err)
	}
	if _, err := d.custodyProof("", "P-1", 701); !errs.Is(err, errs.Conflict) {
		t.Errorf("since more than there is: %v", err)
	}
}

// acknowledgeCustody appends in several goroutines, prints each event after its commit, and sequences meanwhile, until it is killed.
func acknowledgeCustody(url, run string) error {
	st, err := store.Open(context.Background(), url, store.Options{})
	if err != nil {
		return err
	}
	s, key, err := custodyKeys()
	if err != nil {
		return err
	}
	d := &database{url: url, ctx: context.Background(), Store: st}
	failed := make(chan error, 1)
	fail := func(err error) {
		select {
		case failed <- err:
		default:
		}
	}
	for w := range 3 {
		go func() {
			for i := 0; ; i++ {
				e := handled(i)
				e.ID = fmt.Sprintf("%s/%d/%d", run, w, i)
				if err := d.custodyAppend(e); err != nil {
					fail(err)
					return
				}
				fmt.Printf("acknowledged %s\n", e.ID)
			}
		}()
	}
	go func() {
		for {
			if err := d.Update(d.ctx, func(tx *store.Tx) error { _, _, err := tx.CustodySequence(s, key.Verifier, 7); return err }); err != nil {
				fail(err)
				return
			}
		}
	}()
	return <-failed
}

func custodyKilled(t *testing.T, d *database) {
	d.custodyBegun(t)
	if exe, err := os.Executable(); err != nil || !strings.HasSuffix(filepath.Base(exe), ".test") {
		t.Fatalf("the program to be killed is this test: %v", err)
	}
	t.Setenv(custodyCrash, "1")
	var acknowledged []string
	for run := range 3 {
		acknowledged = append(acknowledged, d.killAfter(t, run, 11+run*23)...)
		r := d.custodyCheck(t)
		if len(r.Found) > 0 || r.Entries+r.Waiting < int64(len(acknowledged)) {
			t.Errorf("after kill %d: %+v, %d acknowledged", run+1, r, len(acknowledged))
		}
	}
	for d.sequence(t) > 0 {
	}
	ids := map[string]bool{}
	d.view(t, func(tx *store.Tx) error {
		page, err := tx.CustodyPage(0, 10_000)
		for _, e := range page {
			ids[e.ID] = true
		}
		return err
	})
	for _, id := range acknowledged {
		if !ids[id] {
			t.Errorf("%s was acknowledged and is not in the log", id)
		}
	}
	d.custodySound(t, int64(len(ids)), 0)
}

func custodyMoves(t *testing.T, d *database) {
	d.custodyFilled(t, 300)
	if err := d.custodyAppend(handled(300)); err != nil {
		t.Fatal(err)
	}
	before := d.custodySound(t, 300, 1)
	path := d.backup(t)
	want := rowsOf(t, path)
	restored := d.fresh(t)
	if err := store.Restore(d.ctx, restored, path); err != nil {
		t.Fatal(err)
	}
	at := restored
	for _, to := range []string{"sqlite:" + filepath.Join(t.TempDir(), "m.db"), d.fresh(t)} {
		if _, err := store.MigrateData(d.ctx, at, to, silent); err != nil {
			t.Fatal(err)
		}
		at = to
	}
	home := open(t, at)
	home.fresh = d.fresh
	got := rowsOf(t, home.backup(t))
	for _, table := range []string{"custody_key", "custody_entry", "custody_tile", "custody_checkpoint"} {
		if got[table] != want[table] || got[table] == "" {
			t.Errorf("%s is another after a restore and two moves", table)
		}
	}
	if after := home.custodySound(t, 300, 1); after.Head != before.Head {
		t.Errorf("the head is %v, was %v", after.Head, before.Head)
	}
	if err := home.custodyAppend(handled(301)); err != nil { // behind the one that waits
		t.Fatal(err)
	}
	home.sequence(t)
	home.custodySound(t, 302, 0)
	p, err := home.custodyProof("", handled(301).ParcelID, 300)
	if err != nil {
		t.Fatal(err)
	}
	if p.Entries[0].Index != 300 || p.Entries[1].Index != 301 {
		t.Errorf("they are at %d and %d", p.Entries[0].Index, p.Entries[1].Index)
	}
	if err := p.CheckSince(before.Head, headOf(t, p)); err != nil {
		t.Errorf("not the same log: %v", err)
	}
}

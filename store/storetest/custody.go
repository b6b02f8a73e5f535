package storetest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

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

// change is one value of one row that is changed.
type change struct{ table, column, where string }

// custodyChanged changes a bit of every byte of rows at the beginning, in the middle and at the end of each table, every number in several ways,
// and takes rows away and puts some in.
func custodyChanged(t *testing.T, d *database) {
	d.custodyFilled(t, 300)
	if err := d.custodyAppend(handled(300)); err != nil {
		t.Fatal(err)
	}
	d.custodySound(t, 300, 1)
	db := d.raw(t, false)
	tried := 0
	try := func(what, text string, args ...any) {
		t.Helper()
		res, err := db.ExecContext(d.ctx, text, args...)
		if err != nil {
			return // the database itself refuses it
		}
		if n, _ := res.RowsAffected(); n == 0 {
			t.Fatalf("%s: nothing was changed", what)
		}
		tried++
		if r, err := d.custodyChecked(); err == nil && len(r.Found) == 0 {
			t.Errorf("%s was not found", what)
		}
	}
	for _, c := range []change{
		{"custody_entry", "leaf", "n IN (0, 150, 299) OR seq IS NOT NULL"}, {"custody_entry", "hash", "n IN (0, 299) OR seq IS NOT NULL"},
		{"custody_entry", "id", "n IN (0, 255) OR seq IS NOT NULL"}, {"custody_entry", "order_id", "n = 7"}, {"custody_entry", "parcel", "n = 7 OR seq IS NOT NULL"},
		{"custody_tile", "data", "level = 0"}, {"custody_tile", "data", "level = 1"},
		{"custody_checkpoint", "note", "size > 0"}, {"custody_key", "verifier", "origin <> ''"}, {"custody_key", "origin", "origin <> ''"},
	} {
		d.eachByte(t, db, c, try)
	}
	for table, column := range map[string]string{"custody_entry": "n", "custody_checkpoint": "size", "custody_tile": "n"} {
		for _, to := range []string{column + " + 1000", "-1 - " + column, column + " + 1"} {
			for _, most := range []string{"max", "min"} {
				undo := d.custodyCopy(t, db, table)
				try(table+"."+column+" = "+to, "UPDATE "+table+" SET "+column+" = "+to+" WHERE "+column+" = (SELECT "+most+"("+column+") FROM "+table+")")
				undo()
			}
		}
	}
	for what, text := range map[string]string{
		"a tile's level":       "UPDATE custody_tile SET level = level + 2 WHERE level = 1",
		"no last entry":        "DELETE FROM custody_entry WHERE n = 299",
		"no entry amid":        "DELETE FROM custody_entry WHERE n = 100",
		"no entries":           "DELETE FROM custody_entry WHERE n IS NOT NULL",
		"no tile":              "DELETE FROM custody_tile WHERE level = 0 AND n = 1",
		"no checkpoint":        "DELETE FROM custody_checkpoint WHERE size = 300",
		"no key":               "DELETE FROM custody_key",
		"two entries swapped":  "UPDATE custody_entry SET leaf = (SELECT leaf FROM custody_entry WHERE n = 6) WHERE n = 5",
		"an entry put in":      "INSERT INTO custody_entry (id, n, order_id, parcel, leaf, hash) SELECT 'x', 300, order_id, parcel, leaf, hash FROM custody_entry WHERE n = 1",
		"a tile put in":        "INSERT INTO custody_tile (level, n, data) SELECT level, 9, data FROM custody_tile WHERE level = 0 AND n = 1",
		"a longer tile":        "UPDATE custody_tile SET data = (SELECT data FROM custody_tile WHERE level = 0 AND n = 0) WHERE level = 0 AND n = 1",
		"a checkpoint put in":  "INSERT INTO custody_checkpoint (size, note) SELECT 7, note FROM custody_checkpoint WHERE size = 300",
		"two of a head's rows": "UPDATE custody_checkpoint SET note = (SELECT note FROM custody_checkpoint WHERE size = 300)",
	} {
		table := strings.Fields(strings.NewReplacer("UPDATE ", "", "DELETE FROM ", "", "INSERT INTO ", "").Replace(text))[0]
		undo := d.custodyCopy(t, db, table)
		try(what, text)
		undo()
	}
	d.custodySound(t, 300, 1)
	t.Logf("%d changes, all found", tried)
}

func (d *database) custodyChecked() (r store.CustodyReport, err error) {
	err = d.View(d.ctx, func(tx *store.Tx) error { r, err = tx.CustodyCheck(); return err })
	return r, err
}

// custodyCopy keeps a table aside; undo puts it back.
func (d *database) custodyCopy(t *testing.T, db *sql.DB, table string) (undo func()) {
	t.Helper()
	for _, text := range []string{"DROP TABLE IF EXISTS kept_aside", "CREATE TABLE kept_aside AS SELECT * FROM " + table} {
		if _, err := db.ExecContext(d.ctx, text); err != nil {
			t.Fatal(err)
		}
	}
	return func() {
		t.Helper()
		for _, text := range []string{"DELETE FROM " + table, "INSERT INTO " + table + " SELECT * FROM kept_aside", "DROP TABLE kept_aside"} {
			if _, err := db.ExecContext(d.ctx, text); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// maxFlips bounds how many bytes of one value are changed; a tile's are taken at equal distances.
const maxFlips = 60

// eachByte changes single bits of the values of a column and puts them back.
func (d *database) eachByte(t *testing.T, db *sql.DB, c change, try func(what, text string, args ...any)) {
	t.Helper()
	key := map[string]string{"custody_entry": "coalesce(n, -1)", "custody_tile": "level * 1000 + n", "custody_checkpoint": "size", "custody_key": "1"}[c.table]
	rows, err := db.QueryContext(d.ctx, "SELECT "+c.column+", "+key+" FROM "+c.table+" WHERE "+c.where)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	values := map[int64][]byte{}
	for rows.Next() {
		var v []byte
		var k int64
		if err := rows.Scan(&v, &k); err != nil {
			t.Fatal(err)
		}
		values[k] = v
	}
	if len(values) == 0 {
		t.Fatalf("%+v is nothing", c)
	}
	rows.Close()
	text := "UPDATE " + c.table + " SET " + c.column + " = $1 WHERE " + key + " = $2"
	for k, v := range values {
		arg := func(b []byte) any {
			if c.column == "leaf" || c.column == "hash" || c.column == "data" {
				return slices.Clone(b)
			}
			return string(b)
		}
		for i := 0; i < len(v); i += max(1, len(v)/maxFlips) {
			changed := slices.Clone(v)
			changed[i] ^= 1
			try(fmt.Sprintf("byte %d of %d of %s.%s", i, len(v), c.table, c.column), text, arg(changed), k)
			if _, err := db.ExecContext(d.ctx, text, arg(v), k); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func custodyNotBuiltOn(t *testing.T, d *database) {
	s, key := custodySigner(t)
	d.custodyFilled(t, 300)
	db := d.raw(t, false)
	for what, text := range map[string]string{
		"a hash at the edge": "UPDATE custody_tile SET data = (SELECT data FROM custody_tile WHERE level = 0 AND n = 0) WHERE level = 0 AND n = 1",
		"no tile":            "DELETE FROM custody_tile WHERE level = 0 AND n = 1",
		"no checkpoints":     "DELETE FROM custody_checkpoint",
		"another head":       "UPDATE custody_checkpoint SET size = 299 WHERE size = 300",
	} {
		undo := d.custodyCopy(t, db, strings.Fields(strings.NewReplacer("UPDATE ", "", "DELETE FROM ", "").Replace(text))[0])
		if _, err := db.ExecContext(d.ctx, text); err != nil {
			t.Fatal(err)
		}
		if err := d.custodyAppend(handled(500)); err != nil {
			t.Fatal(err)
		}
		if err := d.Update(d.ctx, func(tx *store.Tx) error { _, _, err := tx.CustodySequence(s, key.Verifier, 100); return err }); err == nil {
			t.Errorf("%s: the log went on", what)
		}
		if _, err := d.custodyProof("", "P-149", 0); err == nil {
			t.Errorf("%s: it is proved", what)
		}
		undo()
	}
	d.custodySound(t, 300, 1)
	// An entry that was changed while it waited stays behind, and the others go on.
	if _, err := db.ExecContext(d.ctx, "UPDATE custody_entry SET parcel = 'P-x' WHERE seq IS NOT NULL"); err != nil {
		t.Fatal(err)
	}
	if err := d.custodyAppend(handled(501)); err != nil {
		t.Fatal(err)
	}
	d.update(t, func(tx *store.Tx) error {
		placed, spoilt, err := tx.CustodySequence(s, key.Verifier, 100)
		if placed != 1 || spoilt != 1 {
			t.Errorf("%d placed and %d spoilt", placed, spoilt)
		}
		return err
	})
	if r := d.custodyCheck(t); r.Entries != 301 || r.Waiting != 1 || len(r.Found) != 1 {
		t.Errorf("%+v", r)
	}
}

// custodyCrash is the variable that makes the program to be killed write custody events.
const custodyCrash = "SPILLWAY_STORETEST_CRASH_CUSTODY"

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

func headOf(t *testing.T, p *custody.Proof) tlog.Tree {
	t.Helper()
	got, err := p.Check("")
	if err != nil {
		t.Fatal(err)
	}
	return got.Tree
}

func custodyForked(t *testing.T, d *database) {
	_, key := custodySigner(t)
	d.custodyFilled(t, 100)
	path := d.backup(t)
	if err := d.custodyAppend(handledMany(100, 50)...); err != nil {
		t.Fatal(err)
	}
	d.sequence(t)
	seen, err := d.custodyProof("", "P-60", 0)
	if err != nil {
		t.Fatal(err)
	}
	later := headOf(t, seen)

	url := d.fresh(t)
	if err := store.Restore(d.ctx, url, path); err != nil {
		t.Fatal(err)
	}
	back := open(t, url)
	back.custodySound(t, 100, 0) // within itself it is whole: nothing inside can tell
	if _, err := back.custodyProof("", "P-3", later.N); !errs.Is(err, errs.Conflict) {
		t.Errorf("the log that was set back does not say so: %v", err)
	}
	p, err := back.custodyProof("", "P-3", 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.CheckSince(later, headOf(t, p)); !errs.Is(err, errs.Conflict) {
		t.Errorf("set back: %v", err)
	}
	for _, more := range []int{50, 60} { // as long as it was, then longer
		if err := back.custodyAppend(handledMany(1000*more, more)...); err != nil {
			t.Fatal(err)
		}
		back.sequence(t)
		if p, err = back.custodyProof("", "P-3", later.N); err != nil {
			t.Fatal(err)
		}
		if _, err := p.Check(key.Verifier); err != nil {
			t.Error(err)
		}
		if err := p.CheckSince(later, headOf(t, p)); !errs.Is(err, errs.Conflict) {
			t.Errorf("forked after %d more: %v", more, err)
		}
	}
}

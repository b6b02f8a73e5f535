package storetest

import (
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/spillway/spillway/domain/custody"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/store"
)

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

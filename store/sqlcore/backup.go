package sqlcore

import (
	"context"
	"database/sql"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/spillway/spillway/kit/errs"
)

// Tables are the tables a backup holds, each after those it refers to. Sessions are left out: after a restore people sign in again.
var Tables = []string{"item", "component", "location", "listing", "balance", "movement", "reservation", "orders", "event", "cursor", "inbox",
	"channel_book", "hold", "drift", "push_log", "app", "seller_grant", "connection", "watermark", "app_user", "setting"}

// NotBackedUp are the tables a backup leaves out.
var NotBackedUp = []string{"session", "event_base", "schema_version"}

// numbered are the tables whose row numbers PostgreSQL takes from a sequence, which a restore must move on.
var numbered = []string{"movement", "inbox", "drift", "push_log"}

// Backup writes all of the database, as it is at one moment, to a new file at path, while everything goes on. The file appears under its
// name only when it is complete and on disk. It holds personal data as the database does: keep it as safely. Errors: Conflict (the
// file exists), Unavailable (disk).
func (s *Store) Backup(ctx context.Context, path string) (err error) {
	if _, err := os.Lstat(path); err == nil {
		return errs.New(errs.Conflict, "store.Backup", path, "this file exists already")
	}
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".part*")
	if err != nil {
		return &errs.Error{Kind: errs.Unavailable, Op: "store.Backup", Item: path, Safe: "the file cannot be written", Cause: err}
	}
	defer func() {
		f.Close()
		os.Remove(f.Name()) // gone already when all went well
	}()
	if err := s.View(ctx, func(tx *Tx) error { return tx.dump(f) }); err != nil {
		return errs.Wrap("store.Backup", path, err)
	}
	// A hard link, unlike a rename, refuses to replace a file made meanwhile.
	if err := errors.Join(f.Sync(), f.Close(), os.Link(f.Name(), path), syncFolder(filepath.Dir(path))); err != nil {
		return &errs.Error{Kind: errs.Unavailable, Op: "store.Backup", Item: path, Safe: "the file cannot be written", Cause: err}
	}
	return nil
}

func syncFolder(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

func (tx *Tx) dump(w io.Writer) error {
	version, err := tx.schema()
	if err != nil {
		return err
	}
	a := newArchiveWriter(w, Manifest{Schema: version, Dialect: tx.dialect().String(), MadeAt: tx.now})
	for _, t := range Tables {
		if err := tx.dumpTable(a, t); err != nil {
			return errs.Wrap("store.Backup", t, err)
		}
	}
	return a.close()
}

func (tx *Tx) dumpTable(a *archiveWriter, table string) error {
	rows, err := tx.run.Query(tx.ctx, "SELECT * FROM "+table+" ORDER BY 1, 2")
	if err != nil {
		return tx.fail("store.Backup", err)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		return tx.fail("store.Backup", err)
	}
	if err := a.table(table, columns); err != nil {
		return err
	}
	values, into := make([]any, len(columns)), make([]any, len(columns))
	for i := range values {
		into[i] = &values[i]
	}
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return tx.fail("store.Backup", err)
		}
		if err := a.row(values); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return tx.fail("store.Backup", err)
	}
	return nil
}

func (tx *Tx) schema() (version int64, err error) {
	rows, err := tx.run.Query(tx.ctx, "SELECT max(version_id) FROM schema_version")
	if err != nil {
		return 0, tx.fail("store.Backup", err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := rows.Scan(&version); err != nil {
			return 0, tx.fail("store.Backup", err)
		}
	}
	return version, rows.Err()
}

// RestoreFrom fills an empty database from a backup, all or nothing, and proves the ledger before it commits. Errors: Conflict (the database
// is not empty; the backup is from a newer program), Invalid (the backup is damaged or its ledger does not prove).
func (s *Store) RestoreFrom(ctx context.Context, r io.ReadSeeker) (Manifest, error) {
	var m Manifest
	err := s.Update(ctx, func(tx *Tx) (err error) {
		if err := tx.mustBeEmpty(); err != nil {
			return err
		}
		if _, err := r.Seek(0, io.SeekStart); err != nil { // Update may run this twice
			return errs.Wrap("store.Restore", "", err)
		}
		into := map[string]*stmt{}
		if m, err = readArchive(r, func(table string, columns []string, rows [][]any) error {
			key := table + "\n" + join(columns)
			if into[key] == nil {
				if into[key], err = tx.restoreInto(table, columns); err != nil {
					return err
				}
			}
			return tx.restoreRows(into[key], rows)
		}); err != nil {
			return err
		}
		version, err := tx.schema()
		if err != nil {
			return err
		}
		if m.Schema > version {
			return errs.New(errs.Conflict, "store.Restore", "", "the backup has schema version %d, this program knows %d: use a newer program", m.Schema, version)
		}
		if err := tx.moveNumbersOn(); err != nil {
			return err
		}
		found, err := tx.LedgerCheck()
		if err == nil && len(found) > 0 {
			return errs.New(errs.Invalid, "store.Restore", found[0].ItemID, "the ledger in the backup does not prove, first at %s: %s", found[0].LocationID, found[0].What)
		}
		return err
	})
	return m, err
}

func join(columns []string) string {
	out := ""
	for _, c := range columns {
		out += c + ","
	}
	return out
}

func (tx *Tx) mustBeEmpty() error {
	for _, t := range Tables {
		rows, err := tx.run.Query(tx.ctx, "SELECT 1 FROM "+t+" LIMIT 1")
		if err != nil {
			return tx.fail("store.Restore", err)
		}
		some := rows.Next()
		if err := errors.Join(rows.Err(), rows.Close()); err != nil {
			return tx.fail("store.Restore", err)
		}
		if some {
			return errs.New(errs.Conflict, "store.Restore", t, "the database is not empty; restore into a new one")
		}
	}
	return nil
}

// restoreInto makes the insert of a table for the columns a backup has: an older backup may lack some.
func (tx *Tx) restoreInto(table string, columns []string) (*stmt, error) {
	if !slices.Contains(Tables, table) {
		return nil, badArchive(table, "there is no such table")
	}
	rows, err := tx.run.Query(tx.ctx, "SELECT * FROM "+table+" LIMIT 0")
	if err != nil {
		return nil, tx.fail("store.Restore", err)
	}
	types, err := rows.ColumnTypes()
	if err := errors.Join(err, rows.Close()); err != nil {
		return nil, tx.fail("store.Restore", err)
	}
	cols := make([]col, len(columns))
	for i, name := range columns {
		at := slices.IndexFunc(types, func(t *sql.ColumnType) bool { return t.Name() == name })
		if at < 0 {
			return nil, badArchive(table, "there is no column %q", name)
		}
		cols[i] = col{name, textOrNull}
		switch types[at].DatabaseTypeName() {
		case "INTEGER", "INT8":
			cols[i].kind = bigintOrNull
		case "BOOL":
			cols[i].kind = boolean
		case "BLOB", "BYTEA":
			cols[i].kind = bytea
		}
	}
	return newInsert("store.Restore", table, cols, ""), nil
}

func (tx *Tx) restoreRows(s *stmt, rows [][]any) error {
	for _, row := range rows {
		for i, v := range row {
			ok := true
			switch s.kind[i] {
			case textOrNull:
				_, ok = v.(string)
				ok = ok || v == nil
			case bigintOrNull:
				_, ok = v.(int64)
				ok = ok || v == nil
			case bytea:
				_, ok = v.([]byte)
			case boolean:
				var n int64
				n, ok = v.(int64)
				row[i] = n != 0
			}
			if !ok {
				return badArchive("", "a value of the wrong type for %s", s.text[SQLite])
			}
		}
	}
	_, err := tx.bulk(s, rows)
	return err
}

// moveNumbersOn lets PostgreSQL's own numbers go on after the restored ones. SQLite does so by itself.
func (tx *Tx) moveNumbersOn() error {
	if tx.dialect() != Postgres {
		return nil
	}
	texts := []string{EventBaseSQL}
	for _, t := range numbered {
		texts = append(texts, "SELECT setval(pg_get_serial_sequence('"+t+"', 'seq'), (SELECT greatest(max(seq), 1) FROM "+t+"))")
	}
	for _, text := range texts {
		if _, err := tx.run.Exec(tx.ctx, text); err != nil {
			return tx.fail("store.Restore", err)
		}
	}
	return nil
}

// EventBaseSQL lifts the event numbers of a PostgreSQL cluster above those in restored rows, which carry another cluster's transaction
// numbers. Where nothing was restored it changes nothing.
const EventBaseSQL = `UPDATE event_base SET base = 1 + top - pg_current_xact_id()::text::bigint
	FROM (SELECT coalesce(max(seq) >> 20, 0) AS top FROM event) t WHERE top >= pg_snapshot_xmax(pg_current_snapshot())::text::bigint + base`

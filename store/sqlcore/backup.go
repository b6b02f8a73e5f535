package sqlcore

import (
	"context"
	"database/sql"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/spillway/spillway/kit/errs"
)

// Tables are the tables a backup holds, each after those it refers to, and before them InboxTable. Sessions are left out: after a restore
// people sign in again.
var Tables = []string{"item", "component", "item_physical", "carton", "bin", "bin_item", "location", "listing", "balance", "movement", "reservation", "orders", "event",
	"channel_book", "hold", "drift", "push_log", "app", "seller_grant", "connection", "watermark", "app_user", "api_token", "account_rating", "policy_override",
	"reconciliation", "reconciliation_rate", "reconciliation_order", "account_deduction",
	"incident", "incident_entry", "incident_task", "alert_target", "alert_silence", "alert_delivery", "node",
	"route", "carrier_account", "shipment", "shipment_order", "shipment_document", "floor_wave", "floor_task", "floor_claim", "floor_scan", "floor_trouble", "combination", "bag",
	"carrier_manifest", "manifest_parcel",
	"custody_key", "custody_entry", "custody_tile", "custody_checkpoint", "setting"}

// InboxTable is the table of the inbox, which SQLite keeps in a file of its own.
const InboxTable = "inbox"

// NotBackedUp are the tables a backup leaves out: what follows from others is made anew.
var NotBackedUp = []string{"session", "event_base", "schema_version", "schema_lock", "lease", "process", "order_ref",
	"health_delta", "health_part_delta", "health_day", "health_part", "health_mark", "health_state", "flow_hour", "flow_lag"}

// numbered are the tables whose row numbers PostgreSQL takes from a sequence, which a restore must move on.
var numbered = []string{"movement", InboxTable, "drift", "push_log", "custody_entry"}

// Backup writes all of the database to a new file at path, while everything goes on: the inbox as it is at one moment, and all else as it is at
// the same moment or, where the inbox has a file of its own, at a later one. The file appears under its name only when it is complete and
// on disk. It holds personal data as the database does: keep it as safely. Errors: Conflict (the file exists), Unavailable (disk).
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
	if err := s.dump(ctx, f); err != nil {
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

// dump writes the inbox first. A delivery is marked done only after its effects were committed, so one that is done in the copy has its
// effects in what is copied later, and one still pending is taken in again after a restore, which changes nothing the second time. The other
// way round, a delivery that came and was worked in between the two would be done without its effects: lost. Where one transaction sees
// both there is no between.
func (s *Store) dump(ctx context.Context, w io.Writer) error {
	a := newArchiveWriter(w, Manifest{Dialect: s.Dialect(), MadeAt: s.now().UTC().Truncate(time.Microsecond)})
	if s.apart {
		if err := s.ViewInbox(ctx, func(x *InboxTx) error { return x.tx.dumpTables(a, InboxTable) }); err != nil {
			return err
		}
	}
	if err := s.View(ctx, func(tx *Tx) error {
		if !s.apart {
			if err := tx.dumpTables(a, InboxTable); err != nil {
				return err
			}
		}
		return tx.dumpTables(a, Tables...)
	}); err != nil {
		return err
	}
	return a.close()
}

func (tx *Tx) dumpTables(a *archiveWriter, tables ...string) error {
	version, err := tx.schema()
	if err != nil {
		return err
	}
	a.manifest.Schema = max(a.manifest.Schema, version)
	for _, t := range tables {
		if err := tx.dumpTable(a, t); err != nil {
			return errs.Wrap("store.Backup", t, err)
		}
	}
	return nil
}

func (tx *Tx) dumpTable(a *archiveWriter, table string) error {
	rows, err := tx.run.Query(tx.ctx, "SELECT * FROM "+table+noMarks(table)+" ORDER BY 1, 2")
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

// schema is the version of the schema. Both files of SQLite and PostgreSQL share one sequence of numbers, so the greater of the two files'
// is comparable between databases.
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

// RestoreFrom fills an empty database from a backup and proves the ledger before it commits: all or nothing. Errors: Conflict (the database
// is not empty; the backup is from a newer program), Invalid (the backup is damaged or its ledger does not prove).
func (s *Store) RestoreFrom(ctx context.Context, r io.ReadSeeker) (Manifest, error) {
	var m Manifest
	err := s.Update(ctx, func(tx *Tx) (err error) {
		if !s.apart {
			m, err = restore(r, tx, tx)
			return err
		}
		// The inbox commits first. Cut off between the two commits, a restore leaves an inbox and no stock, which nobody takes for a whole
		// database and a second try refuses. The other way round it would leave a database that works and lacks its messages.
		return s.UpdateInbox(ctx, func(x *InboxTx) error {
			m, err = restore(r, tx, x.tx)
			return err
		})
	})
	return m, err
}

// restore reads a backup into two transactions, or twice the same.
func restore(r io.ReadSeeker, tx, inbox *Tx) (Manifest, error) {
	none := Manifest{}
	if err := errors.Join(inbox.mustBeEmpty(InboxTable), tx.mustBeEmpty(Tables...)); err != nil {
		return none, err
	}
	if _, err := r.Seek(0, io.SeekStart); err != nil { // a transaction may run twice
		return none, errs.Wrap("store.Restore", "", err)
	}
	into := map[string]*stmt{}
	m, err := readArchive(r, func(table string, columns []string, rows [][]any) (err error) {
		to := tx
		if table == InboxTable {
			to = inbox
		}
		key := table + "\n" + join(columns)
		if into[key] == nil {
			if into[key], err = to.restoreInto(table, columns); err != nil {
				return err
			}
		}
		err = to.restoreRows(into[key], rows)
		if errs.Is(err, errs.Internal) { // a damaged row may break a rule of its table before the end, where the damage would be found
			err = &errs.Error{Kind: errs.Invalid, Op: "store.Restore", Item: table, Safe: "a row of the backup cannot be: the file is damaged", Cause: err}
		}
		return err
	})
	if err != nil {
		return none, err
	}
	known, err := tx.schema()
	if err != nil {
		return none, err
	}
	ofInbox, err := inbox.schema()
	if err != nil {
		return none, err
	}
	if known = max(known, ofInbox); m.Schema > known {
		return none, errs.New(errs.Conflict, "store.Restore", "", "the backup has schema version %d, this program knows %d: use a newer program", m.Schema, known)
	}
	if err := tx.afterFilling(); err != nil {
		return none, err
	}
	found, err := tx.LedgerCheck()
	if err == nil && len(found) > 0 {
		err = errs.New(errs.Invalid, "store.Restore", found[0].ItemID, "the ledger in the backup does not prove, first at %s: %s", found[0].LocationID, found[0].What)
	}
	return m, err
}

func join(columns []string) string {
	out := ""
	for _, c := range columns {
		out += c + ","
	}
	return out
}

func (tx *Tx) mustBeEmpty(tables ...string) error {
	for _, t := range tables {
		rows, err := tx.run.Query(tx.ctx, "SELECT 1 FROM "+t+noMarks(t)+" LIMIT 1")
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
	if table != InboxTable && !slices.Contains(Tables, table) {
		return nil, badArchive(table, "there is no such table")
	}
	return tx.insertInto(table, columns)
}

// insertInto makes the insert of a table for columns.
func (tx *Tx) insertInto(table string, columns []string) (*stmt, error) {
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

// afterFilling makes what follows from the filled tables.
func (tx *Tx) afterFilling() error {
	if _, err := tx.exec(refsMake); err != nil {
		return err
	}
	return tx.moveNumbersOn()
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

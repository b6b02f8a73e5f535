package storetest

import (
	"bytes"
	"compress/gzip"
	"context"
	"database/sql"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/spillway/spillway/domain/catalog"
	"github.com/spillway/spillway/domain/order"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/store"
	"github.com/spillway/spillway/store/sqlcore"
)

var backupCases = []testcase{
	{"a backup knows every table", everyTableBackedUp},
	{"a backup restores, into either database", backupRestores},
	{"a backup is of one moment", backupWhileWriting},
	{"a backup while deliveries come in loses and doubles none", backupWhileReceiving},
	{"event numbers go on after greater ones", numbersGoOn},
	{"a damaged backup is refused and leaves nothing", backupDamaged},
	{"a restore goes into an empty database only", restoreNeedsEmpty},
}

func everyTableBackedUp(t *testing.T, d *database) {
	q := "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'"
	if d.Dialect() == "postgres" {
		q = "SELECT relname FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition"
	}
	seen := map[string]bool{}
	for _, inbox := range []bool{false, true} {
		rows, err := d.raw(t, inbox).QueryContext(d.ctx, q)
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		for rows.Next() {
			var name string
			if err := rows.Scan(&name); err != nil {
				t.Fatal(err)
			}
			seen[name] = true
			if name != sqlcore.InboxTable && !slices.Contains(sqlcore.Tables, name) && !slices.Contains(sqlcore.NotBackedUp, name) {
				t.Errorf("table %s is in no backup", name)
			}
		}
		if rows.Err() != nil {
			t.Error(rows.Err())
		}
	}
	for _, name := range append([]string{sqlcore.InboxTable}, sqlcore.Tables...) {
		if !seen[name] {
			t.Errorf("there is no table %s", name)
		}
	}
}

// fill puts something into every table.
func (d *database) fill(t *testing.T) {
	d.stocked(t, 10, "a", "b")
	d.update(t, func(tx *store.Tx) error {
		five := int64(5)
		for _, err := range []error{
			tx.ItemPut([]catalog.Item{{ID: "kit 🎁", SKU: "kit", Components: []catalog.Component{{ItemID: "a", Qty: 2}}}}),
			tx.ListingPut([]catalog.Listing{{ID: "c:1", ConnectionID: "c", ExternalSKU: "1", ItemID: "a", Active: true}, {ID: "c:2", ConnectionID: "c", ExternalSKU: "2"}}),
			tx.OrdersSave([]order.Order{merged(t, nil, fact("1", order.AwaitingShipment, day))}),
			tx.EventsAppend([]store.Event{{Kind: "k", Subject: "s"}, {Kind: "k", Subject: "t"}}),
			tx.BooksSave([]store.BookRow{{ListingID: "c:1", ConnectionID: "c", Told: &five}, {ListingID: "c:2", ConnectionID: "c"}}),
			tx.HoldPut(store.Hold{ID: "h", ItemID: "a", ListingID: "c:1", Qty: 1, From: day, Until: day.Add(1e9)}),
			tx.DriftAppend([]store.Drift{{ListingID: "c:1"}}),
			tx.PushLogAppend([]store.Push{{ListingID: "c:1"}}),
			tx.AppPut(store.App{ID: "app", Sealed: []byte{0, 1, 255}}),
			tx.GrantPut(store.Grant{ID: "g"}),
			tx.ConnectionPut(store.Connection{ID: "c", Vendor: "v"}),
			tx.WatermarkSet("c", "orders", store.Watermark{At: day}),
			tx.UserPut(store.User{ID: "u", Email: "a@b.c"}),
			tx.SettingSet("s", "line\nbreak \"quoted\" <&>"),
		} {
			if err != nil {
				return err
			}
		}
		return nil
	})
	d.inbox(t, func(tx *store.InboxTx) error {
		_, err := tx.InboxAppend([]store.InboxRow{{ID: "d", Body: []byte("\x00\xff")}, {ID: "e"}})
		return err
	})
	if err := d.reserve("shop:1", "a", 3); err != nil {
		t.Fatal(err)
	}
}

// backup makes a backup file.
func (d *database) backup(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "spillway.backup")
	if err := d.Backup(d.ctx, path); err != nil {
		t.Fatal(err)
	}
	return path
}

func backupRestores(t *testing.T, d *database) {
	d.fill(t)
	path := d.backup(t)
	if err := d.Backup(d.ctx, path); !errs.Is(err, errs.Conflict) {
		t.Errorf("overwriting a backup: %v", err)
	}
	for name, url := range map[string]string{"itself": d.fresh(t), "sqlite": "sqlite:" + filepath.Join(t.TempDir(), "r.db")} {
		if err := store.Restore(d.ctx, url, path); err != nil {
			t.Errorf("into %s: %v", name, err)
			continue
		}
		again := open(t, url)
		again.fresh = d.fresh
		if diff := cmp.Diff(rowsOf(t, path), rowsOf(t, again.backup(t))); diff != "" {
			t.Errorf("into %s: %s", name, diff)
		}
		again.works(t)
		// And back into this kind of database.
		back := d.fresh(t)
		if err := store.Restore(d.ctx, back, again.backup(t)); err != nil {
			t.Errorf("back from %s: %v", name, err)
			continue
		}
		open(t, back).works(t)
	}
}

// works does new work on a restored database: numbers must go on where they were.
func (d *database) works(t *testing.T) {
	t.Helper()
	var cursor int64
	d.view(t, func(tx *store.Tx) (err error) { cursor, err = tx.EventLast(); return err })
	d.update(t, func(tx *store.Tx) error { return tx.EventsAppend([]store.Event{{Kind: "new", Subject: "s"}}) })
	d.view(t, func(tx *store.Tx) error {
		got, err := tx.EventsAfter(cursor, 10)
		if len(got) != 1 || got[0].Kind != "new" {
			t.Errorf("events after the restore: %+v", got)
		}
		return err
	})
	d.update(t, func(tx *store.Tx) error {
		return tx.PushLogAppend([]store.Push{{ListingID: "c:1"}})
	})
	d.inbox(t, func(tx *store.InboxTx) error {
		_, err := tx.InboxAppend([]store.InboxRow{{ID: fmt.Sprint("new", cursor)}})
		return err
	})
	var reserved int64
	d.view(t, func(tx *store.Tx) error {
		bs, err := tx.Balances([]string{"a"})
		reserved = bs[0].Reserved
		return err
	})
	if err := d.reserve(fmt.Sprint("new ", cursor), "a", 1); err != nil {
		t.Fatal(err)
	}
	d.proven(t, "a", 10, reserved+1)
}

// rowsOf reads a backup's entries as text, the manifest aside.
func rowsOf(t *testing.T, path string) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := sqlcore.ReadArchive(path, func(table string, columns []string, rows [][]any) error {
		out[table] += fmt.Sprintf("%q\n", columns)
		for _, r := range rows {
			out[table] += fmt.Sprintf("%q\n", r)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// numbersGoOn restores events whose numbers come from a database that has seen far more transactions.
func numbersGoOn(t *testing.T, d *database) {
	file := filepath.Join(t.TempDir(), "old.db")
	old := open(t, "sqlite:"+file)
	old.fresh = d.fresh
	old.fill(t)
	db, err := sql.Open("sqlite", file)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(d.ctx, "UPDATE event SET seq = seq + ($1 << 20)", int64(1)<<40); err != nil {
		t.Fatal(err)
	}
	if err := store.Restore(d.ctx, d.url, old.backup(t)); err != nil {
		t.Fatal(err)
	}
	d.works(t)
	open(t, d.url).works(t) // opening again must not lift them twice, or lose them
}

func backupWhileWriting(t *testing.T, d *database) {
	d.stocked(t, 1_000_000, "a", "b")
	ctx, stop := context.WithCancel(d.ctx)
	started := make(chan struct{})
	writing := make(chan error, 1)
	go func() {
		var err error
		for i := 0; ctx.Err() == nil && err == nil; i++ {
			err = d.reserve(orderID(i), []string{"a", "b"}[i%2], 3)
			if i == 20 {
				close(started)
			}
		}
		writing <- err
	}()
	<-started
	path := d.backup(t)
	stop()
	if err := <-writing; err != nil {
		t.Fatal(err)
	}
	url := "sqlite:" + filepath.Join(t.TempDir(), "r.db")
	if err := store.Restore(d.ctx, url, path); err != nil { // proves the ledger
		t.Fatal(err)
	}
	open(t, url).view(t, func(tx *store.Tx) error {
		got, err := tx.ReservationsForOrders([]string{orderID(19)})
		if len(got) != 1 {
			t.Error("what was acknowledged before the backup began is not in it")
		}
		return err
	})
}

func backupDamaged(t *testing.T, d *database) {
	d.fill(t)
	whole, err := os.ReadFile(d.backup(t))
	if err != nil {
		t.Fatal(err)
	}
	url := d.fresh(t)
	target := open(t, url)
	try := func(name string, content []byte) {
		if _, err := target.RestoreFrom(d.ctx, bytes.NewReader(content)); !errs.Is(err, errs.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
		if n := target.items(t); n != 0 {
			t.Fatalf("%s: %d items were left behind", name, n)
		}
		target.inbox(t, func(tx *store.InboxTx) error {
			return tx.InboxIDs(func(_, id string) bool { t.Fatalf("%s: delivery %s was left behind", name, id); return false })
		})
	}
	try("empty", nil)
	try("not a backup", []byte("PK\x03\x04"))
	for _, at := range []int{1, len(whole) / 3, len(whole) / 2, len(whole) - 40} {
		try(fmt.Sprintf("cut at %d of %d", at, len(whole)), whole[:at])
	}
	for _, at := range []int{11, len(whole) / 3, len(whole) * 2 / 3} {
		spoilt := bytes.Clone(whole)
		for spoilt[at] ^= 0x10; bytes.Equal(unzipped(spoilt), unzipped(whole)); at++ { // some bits only fill a byte up, and say nothing
			spoilt[at+1] ^= 0x10
		}
		try(fmt.Sprintf("changed at %d of %d", at, len(whole)), spoilt)
	}
	if _, err := target.RestoreFrom(d.ctx, bytes.NewReader(whole)); err != nil {
		t.Errorf("the sound one: %v", err)
	}
}

// unzipped is what a backup holds, as far as it can be read; nil: it is damaged.
func unzipped(backup []byte) []byte {
	zip, err := gzip.NewReader(bytes.NewReader(backup))
	if err != nil {
		return nil
	}
	content, err := io.ReadAll(zip)
	if err != nil {
		return nil
	}
	return content
}

func restoreNeedsEmpty(t *testing.T, d *database) {
	d.fill(t)
	path := d.backup(t)
	if err := store.Restore(d.ctx, d.url, path); !errs.Is(err, errs.Conflict) {
		t.Errorf("over what is there: %v", err)
	}
	if err := store.Restore(d.ctx, d.fresh(t), path+".none"); !errs.Is(err, errs.NotFound) {
		t.Errorf("from nothing: %v", err)
	}
	d.proven(t, "a", 10, 3)
}

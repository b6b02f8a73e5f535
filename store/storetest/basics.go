package storetest

import (
	"context"
	"database/sql"
	"errors"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx", to prepare statements with

	"github.com/spillway/spillway/domain/catalog"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/store"
	"github.com/spillway/spillway/store/sqlcore"
)

var basics = []testcase{
	{"every statement prepares", everyStatementPrepares},
	{"reopening keeps everything", reopening},
	{"an error rolls back", errorRollsBack},
	{"a panic rolls back", panicRollsBack},
	{"a failed verb spoils the transaction", failedVerbSpoils},
	{"a view is a snapshot and does not write", viewIsSnapshot},
	{"a cancelled caller gets an answer", cancelled},
	{"one time in a transaction", oneTime},
	{"odd text", oddText},
	{"too large a batch is refused", tooLarge},
	{"a closed store says so", closedStore},
}

var param = regexp.MustCompile(`\$(\d+)`)

// raw connects to the database past the store; to the inbox's file, where the inbox has one.
func (d *database) raw(t *testing.T, inbox bool) *sql.DB {
	t.Helper()
	driver, dsn := "pgx", d.url
	if path, ok := strings.CutPrefix(d.url, "sqlite:"); ok {
		driver, dsn = "sqlite", path
		if inbox {
			dsn += "-inbox"
		}
	}
	db, err := sql.Open(driver, dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func everyStatementPrepares(t *testing.T, d *database) {
	dialect := sqlcore.SQLite
	if d.Dialect() == "postgres" {
		dialect = sqlcore.Postgres
	}
	all, inbox := d.raw(t, false), d.raw(t, true)
	statements := sqlcore.Statements(dialect)
	if len(statements) < 50 {
		t.Fatalf("only %d verbs have statements", len(statements))
	}
	for verb, texts := range statements {
		db := all
		if strings.HasPrefix(verb, "store.Inbox") {
			db = inbox
		}
		for _, text := range texts {
			if dialect == sqlcore.Postgres {
				st, err := db.PrepareContext(d.ctx, text)
				if err != nil {
					t.Errorf("%s: %v\n%s", verb, err, text)
					continue
				}
				st.Close()
				continue
			}
			most := strings.Count(text, "?") // SQLite's driver compiles at the first run: let it explain
			for _, m := range param.FindAllStringSubmatch(text, -1) {
				n, _ := strconv.Atoi(m[1])
				most = max(most, n)
			}
			rows, err := db.QueryContext(d.ctx, "EXPLAIN "+text, make([]any, most)...)
			if err != nil {
				t.Errorf("%s: %v\n%s", verb, err, text)
				continue
			}
			rows.Close()
		}
	}
}

func put(tx *store.Tx, ids ...string) error {
	var items []catalog.Item
	for _, id := range ids {
		items = append(items, catalog.Item{ID: id, SKU: id})
	}
	return tx.ItemPut(items)
}

func (d *database) items(t *testing.T) int64 {
	t.Helper()
	var n int64
	d.view(t, func(tx *store.Tx) (err error) { n, err = tx.ItemCount(); return err })
	return n
}

func reopening(t *testing.T, d *database) {
	d.update(t, func(tx *store.Tx) error { return put(tx, "a", "b") })
	again := open(t, d.url)
	if n := again.items(t); n != 2 {
		t.Fatalf("%d items after opening again", n)
	}
}

func errorRollsBack(t *testing.T, d *database) {
	err := d.Update(d.ctx, func(tx *store.Tx) error {
		if err := put(tx, "a"); err != nil {
			return err
		}
		return errStop
	})
	if !errors.Is(err, errStop) || d.items(t) != 0 {
		t.Fatalf("%v, %d items", err, d.items(t))
	}
}

func panicRollsBack(t *testing.T, d *database) {
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the panic was swallowed")
			}
		}()
		_ = d.Update(d.ctx, func(tx *store.Tx) error {
			if err := put(tx, "a"); err != nil {
				t.Error(err)
			}
			panic("defect")
		})
	}()
	d.update(t, func(tx *store.Tx) error { return put(tx, "b") }) // the connection is free again
	if n := d.items(t); n != 1 {
		t.Fatalf("%d items", n)
	}
}

func failedVerbSpoils(t *testing.T, d *database) {
	d.fails(t, errs.Conflict, func(tx *store.Tx) error {
		if err := put(tx, "a"); err != nil {
			return err
		}
		_ = tx.ItemPut([]catalog.Item{{ID: "other", SKU: "a"}}) // ignored, as a careless caller would
		return nil
	})
	d.fails(t, errs.Conflict, func(tx *store.Tx) error {
		_ = tx.BooksSave([]store.BookRow{{ListingID: "c:1", ConnectionID: "c"}, {ListingID: "c:2", ConnectionID: "c", Revision: 7}})
		return put(tx, "a")
	})
	if n := d.items(t); n != 0 {
		t.Fatalf("%d items", n)
	}
}

func viewIsSnapshot(t *testing.T, d *database) {
	d.view(t, func(tx *store.Tx) error {
		before, err := tx.ItemCount()
		if err != nil {
			return err
		}
		d.update(t, func(tx *store.Tx) error { return put(tx, "a") })
		after, err := tx.ItemCount()
		if before != after {
			t.Errorf("the snapshot went from %d to %d items", before, after)
		}
		return err
	})
	err := d.View(d.ctx, func(tx *store.Tx) error { return put(tx, "b") })
	if err == nil || d.items(t) != 1 {
		t.Fatalf("writing in a view: %v, %d items", err, d.items(t))
	}
	if err := d.View(d.ctx, func(tx *store.Tx) error { _, err := tx.BalancesForUpdate([]string{"a"}); return err }); err == nil {
		t.Error("locking in a view must fail")
	}
}

func cancelled(t *testing.T, d *database) {
	ctx, cancel := context.WithCancel(d.ctx)
	err := d.Update(ctx, func(tx *store.Tx) error {
		cancel()
		return put(tx, "a")
	})
	if !errs.Is(err, errs.Unavailable) || !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled inside: %v", err)
	}
	if err := d.Update(ctx, func(*store.Tx) error { return nil }); !errs.Is(err, errs.Unavailable) {
		t.Errorf("cancelled before: %v", err)
	}
	d.update(t, func(tx *store.Tx) error { return put(tx, "b") })
	if n := d.items(t); n != 1 {
		t.Fatalf("%d items", n)
	}
}

func oneTime(t *testing.T, d *database) {
	d.update(t, func(tx *store.Tx) error {
		now := tx.Now()
		if now.Location() != time.UTC || !now.Equal(now.Truncate(time.Microsecond)) {
			t.Errorf("%v is not UTC in whole microseconds", now)
		}
		if err := tx.ItemPut([]catalog.Item{{ID: "a", SKU: "a"}}); err != nil {
			return err
		}
		got, err := tx.ItemsGet([]string{"a"})
		if err == nil && !got[0].CreatedAt.Equal(now) {
			t.Errorf("created at %v in a transaction of %v", got[0].CreatedAt, now)
		}
		return err
	})
}

func oddText(t *testing.T, d *database) {
	fine := []string{"日本語 🎁", "O'Brien; DROP TABLE item;--", `"quoted" \ back`, "%_!", "ﷺ", "é", "$1", " a ", "\t\n\r\x01", "null", "[]", "{}", "𝔘𝔫𝔦"}
	d.update(t, func(tx *store.Tx) error { return put(tx, fine...) })
	d.view(t, func(tx *store.Tx) error {
		got, err := tx.ItemsGet(fine)
		if err != nil || len(got) != len(fine) {
			t.Errorf("%d of %d odd ids came back: %v", len(got), len(fine), err)
		}
		for _, want := range []string{"%", "_", "!", "日本", "drop table", "🎁"} {
			found, err := tx.ItemList("", 10, want)
			if err != nil || len(found) != 1 {
				t.Errorf("searching %q found %d: %v", want, len(found), err)
			}
		}
		return nil
	})
	for _, bad := range []string{"a\x00b", "\x00", "a\xffb", string([]byte{0xed, 0xa0, 0x80})} {
		for name, f := range map[string]func(tx *store.Tx) error{
			"item":   func(tx *store.Tx) error { return put(tx, bad) },
			"lookup": func(tx *store.Tx) error { _, err := tx.ItemsGet([]string{"a", bad}); return err },
			"search": func(tx *store.Tx) error { _, err := tx.ItemList("", 5, bad); return err },
			"event": func(tx *store.Tx) error {
				return tx.EventsAppend([]store.Event{{Kind: "k", Subject: "s", Data: []byte(bad)}})
			},
			"setting": func(tx *store.Tx) error { return tx.SettingSet("a", bad) },
		} {
			if err := d.Update(d.ctx, f); !errs.Is(err, errs.Invalid) {
				t.Errorf("%s %q: %v, want Invalid", name, bad, err)
			}
		}
		for name, f := range map[string]func(tx *store.InboxTx) error{
			"delivery": func(tx *store.InboxTx) error { _, err := tx.InboxAppend([]store.InboxRow{{ID: bad}}); return err },
			"reason":   func(tx *store.InboxTx) error { return tx.InboxPark("x", bad) },
		} {
			if err := d.UpdateInbox(d.ctx, f); !errs.Is(err, errs.Invalid) {
				t.Errorf("%s %q: %v, want Invalid", name, bad, err)
			}
		}
	}
	// Bytes are bytes: what came in by wire is kept as it came.
	body := []byte("\x00\xff{}")
	d.inbox(t, func(tx *store.InboxTx) error {
		if _, err := tx.InboxAppend([]store.InboxRow{{ID: "d", Body: body}}); err != nil {
			return err
		}
		rows, err := tx.InboxPending(1, 0)
		if err == nil && string(rows[0].Body) != string(body) {
			t.Errorf("body %q came back as %q", body, rows[0].Body)
		}
		return err
	})
}

func tooLarge(t *testing.T, d *database) {
	ids := make([]string, 100_001)
	d.fails(t, errs.Invalid, func(tx *store.Tx) error { _, err := tx.ItemsGet(ids); return err })
	d.fails(t, errs.Invalid, func(tx *store.Tx) error { return tx.EventsAppend(make([]store.Event, 100_001)) })
	d.update(t, func(tx *store.Tx) error { // nothing is a batch too
		if err := tx.ItemPut(nil); err != nil {
			return err
		}
		_, err := tx.ItemsGet(nil)
		return err
	})
}

func closedStore(t *testing.T, d *database) {
	other, err := store.Open(d.ctx, d.url, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := other.Close(); err != nil {
		t.Fatal(err)
	}
	if err := other.Close(); err != nil {
		t.Errorf("closing twice: %v", err)
	}
	if err := other.Update(d.ctx, func(*store.Tx) error { return nil }); !errs.Is(err, errs.Unavailable) {
		t.Errorf("update after close: %v", err)
	}
	if err := other.View(d.ctx, func(*store.Tx) error { return nil }); !errs.Is(err, errs.Unavailable) {
		t.Errorf("view after close: %v", err)
	}
	if err := other.UpdateInbox(d.ctx, func(*store.InboxTx) error { return nil }); !errs.Is(err, errs.Unavailable) {
		t.Errorf("update of the inbox after close: %v", err)
	}
}

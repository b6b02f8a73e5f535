package storetest

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/store"
	"github.com/spillway/spillway/store/sqlcore"
)

var inboxCases = []testcase{
	{"the inbox knows redeliveries", inboxOnce},
	{"deliveries are parked and tried again", inboxParked},
	{"no delivery is worked on twice", workOnce},
	{"the inbox waits for no other writer", inboxApart},
	{"counting what waits reads no done delivery", countsByIndex},
	{"a view of the inbox does not write", inboxView},
}

func inboxOnce(t *testing.T, d *database) {
	row := store.InboxRow{ID: "v:app:1", Vendor: "v", AppID: "app", ConnectionID: "c", Topic: "order", ReceivedAt: day, SentAt: day.Add(-time.Second), Body: []byte(`{"a":1}`)}
	d.inbox(t, func(tx *store.InboxTx) error {
		fresh, err := tx.InboxAppend([]store.InboxRow{row, {ID: "v:app:2", ReceivedAt: day}, row})
		if !slices.Equal(fresh, []string{"v:app:1", "v:app:2"}) {
			t.Errorf("new: %q", fresh)
		}
		return err
	})
	d.inbox(t, func(tx *store.InboxTx) error {
		fresh, err := tx.InboxAppend([]store.InboxRow{row, {ID: "v:app:3"}})
		if !slices.Equal(fresh, []string{"v:app:3"}) {
			t.Errorf("new: %q", fresh)
		}
		return err
	})
	d.inbox(t, func(tx *store.InboxTx) error {
		got, err := tx.InboxPending(10, 0)
		if len(got) != 3 {
			t.Fatalf("pending: %+v", got)
		}
		want := row
		want.Seq, want.State = got[0].Seq, store.InboxPending
		if diff := cmp.Diff(want, got[0]); diff != "" {
			t.Error(diff)
		}
		if err != nil {
			return err
		}
		rest, err := tx.InboxPending(10, got[0].Seq)
		if len(rest) != 2 {
			t.Errorf("rest: %+v", rest)
		}
		if err != nil {
			return err
		}
		return tx.InboxDone([]string{"v:app:1", "v:app:2"})
	})
	d.inbox(t, func(tx *store.InboxTx) error {
		fresh, err := tx.InboxAppend([]store.InboxRow{row}) // done, and still known
		if len(fresh) != 0 {
			t.Errorf("new: %q", fresh)
		}
		if err != nil {
			return err
		}
		for _, want := range []int64{1, 1, 0} { // a page at a time
			if n, err := tx.InboxPrune(day.Add(time.Hour), 1); err != nil || n != want {
				t.Errorf("pruned %d: %v", n, err)
			}
		}
		counts, err := tx.InboxCounts()
		if diff := cmp.Diff(map[store.InboxState]int64{store.InboxPending: 1, store.InboxParked: 0}, counts); diff != "" {
			t.Error(diff)
		}
		return err
	})
}

func inboxParked(t *testing.T, d *database) {
	d.inbox(t, func(tx *store.InboxTx) error {
		if _, err := tx.InboxAppend([]store.InboxRow{{ID: "1"}, {ID: "2"}, {ID: "3"}}); err != nil {
			return err
		}
		if err := tx.InboxPark("1", "field status: 7 is not text"); err != nil {
			return err
		}
		return tx.InboxPark("3", "no such topic")
	})
	if err := d.UpdateInbox(d.ctx, func(tx *store.InboxTx) error { return tx.InboxPark("9", "") }); !errs.Is(err, errs.NotFound) {
		t.Errorf("parking what is not there: %v", err)
	}
	// What was worked in and parked besides waits for its person, whichever came first.
	d.inbox(t, func(tx *store.InboxTx) error { return tx.InboxDone([]string{"1", "3"}) })
	d.inbox(t, func(tx *store.InboxTx) error {
		parked, err := tx.InboxParked(10)
		if len(parked) != 2 || parked[0].Reason != "field status: 7 is not text" || parked[0].Tries != 1 {
			t.Errorf("parked: %+v", parked)
		}
		if err != nil {
			return err
		}
		if n, err := tx.InboxRetry([]string{"1", "2"}); err != nil || n != 1 {
			t.Errorf("retried %d: %v", n, err)
		}
		if n, err := tx.InboxRetryParked(); err != nil || n != 1 {
			t.Errorf("retried all %d: %v", n, err)
		}
		pending, err := tx.InboxPending(10, 0)
		if len(pending) != 3 || pending[0].Reason != "field status: 7 is not text" || pending[0].Tries != 1 || pending[1].Tries != 0 {
			t.Errorf("pending: %+v", pending)
		}
		return err
	})
}

func workOnce(t *testing.T, d *database) {
	const n = 120
	both := []*database{d, open(t, d.url)}
	d.inbox(t, func(tx *store.InboxTx) error {
		var rows []store.InboxRow
		for i := range n {
			rows = append(rows, store.InboxRow{ID: fmt.Sprintf("d%d", i)})
		}
		_, err := tx.InboxAppend(rows)
		return err
	})
	var mu sync.Mutex
	worked := map[string]int{}
	for _, err := range together(6, func(i int) error {
		for {
			var mine []string
			err := both[i%2].UpdateInbox(d.ctx, func(tx *store.InboxTx) error {
				mine = nil
				rows, err := tx.InboxPending(7, 0)
				for _, r := range rows {
					mine = append(mine, r.ID)
				}
				if err != nil {
					return err
				}
				return tx.InboxDone(mine)
			})
			if err != nil {
				return err
			}
			mu.Lock()
			for _, id := range mine {
				worked[id]++
			}
			all := len(worked) == n
			mu.Unlock()
			if all {
				return nil
			}
		}
	}) {
		if err != nil {
			t.Error(err)
		}
	}
	for id, times := range worked {
		if times != 1 {
			t.Errorf("%s was worked on %d times", id, times)
		}
	}
}

// inboxApart holds a transaction open that has written, and stores deliveries meanwhile, and the other way round.
func inboxApart(t *testing.T, d *database) {
	d.update(t, func(tx *store.Tx) error {
		if err := put(tx, "a"); err != nil {
			return err
		}
		d.inbox(t, func(x *store.InboxTx) error { _, err := x.InboxAppend([]store.InboxRow{{ID: "1"}}); return err })
		again := open(t, d.url) // as another process would
		again.inbox(t, func(x *store.InboxTx) error { _, err := x.InboxAppend([]store.InboxRow{{ID: "2"}}); return err })
		return nil
	})
	d.inbox(t, func(x *store.InboxTx) error {
		if err := x.InboxDone([]string{"1"}); err != nil {
			return err
		}
		d.update(t, func(tx *store.Tx) error { return put(tx, "b") })
		return nil
	})
	if err := d.Update(d.ctx, func(tx *store.Tx) error { // their commits are two
		d.inbox(t, func(x *store.InboxTx) error { return x.InboxDone([]string{"2"}) })
		return errStop
	}); err != errStop {
		t.Error(err)
	}
	d.inbox(t, func(x *store.InboxTx) error {
		counts, err := x.InboxCounts()
		if counts[store.InboxPending] != 0 {
			t.Errorf("%v", counts)
		}
		return err
	})
	if n := d.items(t); n != 2 {
		t.Errorf("%d items", n)
	}
}

// countsByIndex asks the database how it counts. Done deliveries are nearly all, and the pages count twice a second.
func countsByIndex(t *testing.T, d *database) {
	dialect, explain := sqlcore.SQLite, "EXPLAIN QUERY PLAN "
	if d.Dialect() == "postgres" {
		dialect, explain = sqlcore.Postgres, "EXPLAIN "
	}
	db := d.raw(t, true)
	if d.Dialect() == "postgres" {
		d.inbox(t, func(x *store.InboxTx) error {
			var rows []store.InboxRow
			for i := range 20_000 {
				rows = append(rows, store.InboxRow{ID: fmt.Sprint(i), State: store.InboxDone, Body: make([]byte, 200)})
			}
			_, err := x.InboxAppend(rows)
			return err
		})
		if _, err := db.ExecContext(d.ctx, "ANALYZE inbox"); err != nil {
			t.Fatal(err)
		}
	}
	rows, err := db.QueryContext(d.ctx, explain+sqlcore.Statements(dialect)["store.InboxCounts"][0])
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var plan strings.Builder
	for rows.Next() {
		var id, parent, unused int
		var line string
		into := []any{&line}
		if dialect == sqlcore.SQLite {
			into = []any{&id, &parent, &unused, &line}
		}
		if err := rows.Scan(into...); err != nil {
			t.Fatal(err)
		}
		plan.WriteString(line + "\n")
	}
	if rows.Err() != nil || !strings.Contains(plan.String(), "inbox_pending") || !strings.Contains(plan.String(), "inbox_parked") || strings.Contains(plan.String(), "Seq Scan") {
		t.Errorf("%v\n%s", rows.Err(), plan.String())
	}
}

func inboxView(t *testing.T, d *database) {
	d.inbox(t, func(tx *store.InboxTx) error { _, err := tx.InboxAppend([]store.InboxRow{{ID: "1"}}); return err })
	err := d.ViewInbox(d.ctx, func(tx *store.InboxTx) error {
		rows, err := tx.InboxPending(10, 0)
		if len(rows) != 1 || err != nil {
			t.Errorf("%+v, %v", rows, err)
		}
		return tx.InboxDone([]string{"1"})
	})
	if !errs.Is(err, errs.Internal) {
		t.Errorf("writing in a view: %v", err)
	}
}

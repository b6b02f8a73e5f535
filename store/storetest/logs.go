package storetest

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/store"
)

var logCases = []testcase{
	{"events are read in order by cursor", eventsInOrder},
	{"pruned events leave cursors in place", eventsPruned},
	{"the inbox knows redeliveries", inboxOnce},
	{"deliveries are parked and tried again", inboxParked},
	{"users, sessions and settings", people},
}

func eventsInOrder(t *testing.T, d *database) {
	for batch := range 3 {
		d.update(t, func(tx *store.Tx) error {
			if err := tx.EventsAppend([]store.Event{{Kind: "a", Subject: "x", At: day, Data: json.RawMessage(`{"n":1}`)}}); err != nil {
				return err
			}
			return tx.EventsAppend([]store.Event{{Kind: "b", Subject: orderID(batch)}, {Kind: "c", Subject: "x"}})
		})
	}
	d.view(t, func(tx *store.Tx) error {
		var kinds string
		cursor := int64(0)
		for {
			page, err := tx.EventsAfter(cursor, 2)
			if err != nil {
				return err
			}
			if len(page) == 0 {
				break
			}
			for _, e := range page {
				if e.Seq <= cursor {
					t.Errorf("number %d after %d", e.Seq, cursor)
				}
				cursor, kinds = e.Seq, kinds+e.Kind
			}
		}
		if kinds != "abcabcabc" {
			t.Errorf("order of events: %s", kinds)
		}
		last, err := tx.EventLast()
		if last != cursor {
			t.Errorf("last is %d, read %d", last, cursor)
		}
		if err != nil {
			return err
		}
		of, err := tx.EventsOf("x", 100)
		if len(of) != 6 || of[5].Kind != "a" || !of[5].At.Equal(day) || string(of[5].Data) != `{"n":1}` {
			t.Errorf("of x: %+v", of)
		}
		return err
	})
}

func eventsPruned(t *testing.T, d *database) {
	d.update(t, func(tx *store.Tx) error {
		for range 3 {
			if err := tx.EventsAppend([]store.Event{{Kind: "a", Subject: "x", At: day}, {Kind: "b", Subject: "x"}}); err != nil {
				return err
			}
		}
		return nil
	})
	d.update(t, func(tx *store.Tx) error {
		n, err := tx.EventsPrune(day.Add(time.Second))
		if n != 3 {
			t.Errorf("pruned %d", n)
		}
		if err != nil {
			return err
		}
		if err := tx.CursorSet("web", 7); err != nil {
			return err
		}
		if err := tx.CursorSet("web", 8); err != nil {
			return err
		}
		at, err := tx.CursorGet("web")
		none, _ := tx.CursorGet("none")
		if at != 8 || none != 0 {
			t.Errorf("cursors %d and %d", at, none)
		}
		return err
	})
	// Pruning everything must not start the numbers again: cursors would wait for them to catch up.
	var last int64
	d.update(t, func(tx *store.Tx) (err error) { last, err = tx.EventLast(); return err })
	d.update(t, func(tx *store.Tx) error { _, err := tx.EventsPrune(time.Now().Add(time.Hour)); return err })
	d.update(t, func(tx *store.Tx) error { return tx.EventsAppend([]store.Event{{Kind: "d", Subject: "x"}}) })
	d.view(t, func(tx *store.Tx) error {
		got, err := tx.EventsAfter(last, 10)
		if len(got) != 1 {
			t.Errorf("after pruning: %+v", got)
		}
		return err
	})
}

func inboxOnce(t *testing.T, d *database) {
	row := store.InboxRow{ID: "v:app:1", Vendor: "v", AppID: "app", ConnectionID: "c", Topic: "order", ReceivedAt: day, SentAt: day.Add(-time.Second), Body: []byte(`{"a":1}`)}
	d.update(t, func(tx *store.Tx) error {
		fresh, err := tx.InboxAppend([]store.InboxRow{row, {ID: "v:app:2", ReceivedAt: day}, row})
		if !slices.Equal(fresh, []string{"v:app:1", "v:app:2"}) {
			t.Errorf("new: %q", fresh)
		}
		return err
	})
	d.update(t, func(tx *store.Tx) error {
		fresh, err := tx.InboxAppend([]store.InboxRow{row, {ID: "v:app:3"}})
		if !slices.Equal(fresh, []string{"v:app:3"}) {
			t.Errorf("new: %q", fresh)
		}
		return err
	})
	d.update(t, func(tx *store.Tx) error {
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
	d.update(t, func(tx *store.Tx) error {
		fresh, err := tx.InboxAppend([]store.InboxRow{row}) // done, and still known
		if len(fresh) != 0 {
			t.Errorf("new: %q", fresh)
		}
		if err != nil {
			return err
		}
		if n, err := tx.InboxPrune(day.Add(time.Hour)); err != nil || n != 2 {
			t.Errorf("pruned %d: %v", n, err)
		}
		counts, err := tx.InboxCounts()
		if diff := cmp.Diff(map[store.InboxState]int64{store.InboxPending: 1}, counts); diff != "" {
			t.Error(diff)
		}
		return err
	})
}

func inboxParked(t *testing.T, d *database) {
	d.update(t, func(tx *store.Tx) error {
		if _, err := tx.InboxAppend([]store.InboxRow{{ID: "1"}, {ID: "2"}, {ID: "3"}}); err != nil {
			return err
		}
		if err := tx.InboxPark("1", "field status: 7 is not text"); err != nil {
			return err
		}
		if err := tx.InboxTried([]string{"2"}, "busy"); err != nil {
			return err
		}
		return tx.InboxPark("3", "no such topic")
	})
	d.fails(t, errs.NotFound, func(tx *store.Tx) error { return tx.InboxPark("9", "") })
	d.fails(t, errs.NotFound, func(tx *store.Tx) error { _, err := tx.InboxGet("9"); return err })
	d.update(t, func(tx *store.Tx) error {
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
		if len(pending) != 3 || pending[1].Reason != "busy" || pending[1].Tries != 1 {
			t.Errorf("pending: %+v", pending)
		}
		return err
	})
}

func people(t *testing.T, d *database) {
	u := store.User{ID: "1", Email: "Ann@Example.com", Name: "Ann", PasswordHash: "h", Role: "admin", CreatedAt: day}
	d.update(t, func(tx *store.Tx) error {
		if n, err := tx.UserCount(); err != nil || n != 0 {
			t.Errorf("%d users: %v", n, err)
		}
		return tx.UserPut(u)
	})
	d.fails(t, errs.Conflict, func(tx *store.Tx) error { return tx.UserPut(store.User{ID: "2", Email: "ann@example.COM"}) })
	d.fails(t, errs.NotFound, func(tx *store.Tx) error { _, err := tx.UserByEmail("bob@example.com"); return err })
	d.update(t, func(tx *store.Tx) error {
		got, err := tx.UserByEmail("ANN@example.com")
		u.Email = "ann@example.com"
		if diff := cmp.Diff(u, got); diff != "" {
			t.Error(diff)
		}
		if err != nil {
			return err
		}
		if got, err = tx.UserByID("1"); got.Name != "Ann" || err != nil {
			t.Errorf("%+v, %v", got, err)
		}
		if err := tx.SessionCommit("token", []byte{0, 1}, tx.Now().Add(time.Hour)); err != nil {
			return err
		}
		return tx.SessionCommit("old", []byte{2}, tx.Now().Add(-time.Hour))
	})
	d.update(t, func(tx *store.Tx) error {
		data, found, err := tx.SessionFind("token")
		if !found || string(data) != "\x00\x01" {
			t.Errorf("%v %v", data, found)
		}
		if err != nil {
			return err
		}
		if _, found, err := tx.SessionFind("old"); found || err != nil {
			t.Errorf("an expired session was found: %v", err)
		}
		all, err := tx.SessionAll()
		if len(all) != 1 || err != nil {
			t.Errorf("%v, %v", all, err)
		}
		if err := tx.SessionPrune(); err != nil {
			return err
		}
		if err := tx.SessionDelete("token"); err != nil {
			return err
		}
		if err := tx.SettingSet("k", "1"); err != nil {
			return err
		}
		if err := tx.SettingSet("k", "2"); err != nil {
			return err
		}
		v, found, err := tx.SettingGet("k")
		if v != "2" || !found {
			t.Errorf("%q %v", v, found)
		}
		_, found, _ = tx.SettingGet("none")
		if found {
			t.Error("found a setting that was never set")
		}
		return err
	})
}

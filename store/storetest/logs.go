package storetest

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/store"
)

var logCases = []testcase{
	{"events are read in order by cursor", eventsInOrder},
	{"api tokens", apiTokens},
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

func apiTokens(t *testing.T, d *database) {
	one := store.APIToken{ID: "1", Name: "erp", Hash: []byte{1, 2}, CreatedBy: "ann", CreatedAt: day, Scopes: []string{"nodes:read", "nodes:write"}}
	d.update(t, func(tx *store.Tx) error {
		if err := tx.TokenAdd(one); err != nil {
			return err
		}
		return tx.TokenAdd(store.APIToken{ID: "2", Name: "shop", Hash: []byte{3}, CreatedAt: day.Add(time.Hour)})
	})
	d.fails(t, errs.Conflict, func(tx *store.Tx) error { return tx.TokenAdd(store.APIToken{ID: "3", Name: "other", Hash: []byte{3}}) })
	d.fails(t, errs.Invalid, func(tx *store.Tx) error { return tx.TokenAdd(store.APIToken{ID: "4", Name: "no hash"}) })
	d.view(t, func(tx *store.Tx) error {
		got, err := tx.TokenByHash([]byte{1, 2})
		if diff := cmp.Diff(one, got); diff != "" {
			t.Error(diff)
		}
		return err
	})
	d.update(t, func(tx *store.Tx) error { return tx.TokenRevoke("1") })
	d.fails(t, errs.NotFound, func(tx *store.Tx) error { _, err := tx.TokenByHash([]byte{1, 2}); return err })
	d.fails(t, errs.NotFound, func(tx *store.Tx) error { return tx.TokenRevoke("1") })
	d.view(t, func(tx *store.Tx) error {
		all, err := tx.TokensAll()
		if len(all) != 2 || all[0].RevokedAt.IsZero() || !all[1].RevokedAt.IsZero() {
			t.Errorf("%+v", all)
		}
		return err
	})
}

package storetest

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/store"
)

var channelCases = []testcase{
	{"books are saved by revision", booksByRevision},
	{"live holds", liveHolds},
	{"drift and push log", driftAndPushes},
	{"apps, grants, connections and watermarks", connections},
	{"unknown apps, grants and connections", unknownConnections},
}

func booksByRevision(t *testing.T, d *database) {
	five := int64(5)
	row := store.BookRow{ListingID: "c:1", ConnectionID: "c", Told: &five, Exposure: 5, Desired: 7, State: json.RawMessage(`{"since":1}`), UpdatedAt: day}
	d.update(t, func(tx *store.Tx) error {
		return tx.BooksSave([]store.BookRow{row, {ListingID: "c:2", ConnectionID: "c"}})
	})
	d.update(t, func(tx *store.Tx) error {
		got, err := tx.BooksGet([]string{"c:1", "c:9"})
		row.Revision = 1
		if diff := cmp.Diff([]store.BookRow{row}, got); diff != "" {
			t.Error(diff)
		}
		if err != nil {
			return err
		}
		got[0].Told, got[0].Desired = nil, 9
		return tx.BooksSave(got)
	})
	runs := 0
	err := d.Update(d.ctx, func(tx *store.Tx) error { runs++; return tx.BooksSave([]store.BookRow{row}) })
	if !errs.Is(err, errs.Conflict) || runs < 2 {
		t.Errorf("saving an old revision: %v after %d runs", err, runs)
	}
	d.fails(t, errs.Conflict, func(tx *store.Tx) error { return tx.BooksSave([]store.BookRow{{ListingID: "c:1", ConnectionID: "c"}}) })
	d.view(t, func(tx *store.Tx) error {
		got, err := tx.BooksGet([]string{"c:1", "c:2"})
		if len(got) != 2 || got[0].Revision != 2 || got[0].Told != nil || got[0].Desired != 9 {
			t.Errorf("%+v", got)
		}
		return err
	})
}

func liveHolds(t *testing.T, d *database) {
	h := store.Hold{ID: "live", ItemID: "a", ListingID: "c:1", Qty: 500, From: day, Until: day.Add(time.Hour), Title: "Friday LIVE", CreatedBy: "ann", CreatedAt: day}
	d.update(t, func(tx *store.Tx) error {
		if err := put(tx, "a"); err != nil {
			return err
		}
		if err := tx.HoldPut(h); err != nil {
			return err
		}
		return tx.HoldPut(store.Hold{ID: "shop", ItemID: "a", ConnectionID: "c", Qty: 1, From: day.Add(2 * time.Hour), Until: day.Add(3 * time.Hour)})
	})
	for _, c := range []struct {
		at     time.Time
		active int
	}{{day.Add(-time.Microsecond), 0}, {day, 1}, {day.Add(time.Hour - time.Microsecond), 1}, {day.Add(time.Hour), 0}, {day.Add(2 * time.Hour), 1}} {
		d.view(t, func(tx *store.Tx) error {
			got, err := tx.HoldsActive(c.at)
			if len(got) != c.active {
				t.Errorf("%d holds in force at %v, want %d", len(got), c.at, c.active)
			}
			return err
		})
	}
	d.view(t, func(tx *store.Tx) error {
		got, err := tx.HoldGet("live")
		if diff := cmp.Diff(h, got); diff != "" {
			t.Error(diff)
		}
		list, err2 := tx.HoldList(day.Add(time.Hour), 10)
		if len(list) != 1 || err2 != nil {
			t.Errorf("%+v, %v", list, err2)
		}
		return err
	})
	d.update(t, func(tx *store.Tx) error { return tx.HoldDelete("live") })
	d.fails(t, errs.NotFound, func(tx *store.Tx) error { return tx.HoldDelete("live") })
	for name, spoil := range map[string]func(*store.Hold){
		"no quantity": func(h *store.Hold) { h.Qty = 0 }, "ends before it begins": func(h *store.Hold) { h.Until = h.From },
		"two targets": func(h *store.Hold) { h.ConnectionID = "c" }, "no target": func(h *store.Hold) { h.ListingID = "" },
		"unknown item": func(h *store.Hold) { h.ItemID = "none" },
	} {
		bad := h
		spoil(&bad)
		if err := d.Update(d.ctx, func(tx *store.Tx) error { return tx.HoldPut(bad) }); !errs.Is(err, errs.Invalid) {
			t.Errorf("a hold with %s: %v", name, err)
		}
	}
}

func driftAndPushes(t *testing.T, d *database) {
	p := store.Push{ListingID: "c:1", ConnectionID: "c", Kind: "set", Qty: 4, Outcome: "applied", SentAt: day, AnsweredAt: day.Add(time.Second)}
	d.update(t, func(tx *store.Tx) error {
		if err := tx.DriftAppend([]store.Drift{{ListingID: "c:1", Expected: 4, Found: 6, FoundAt: day}, {ListingID: "c:2", Expected: 1, Found: 0, FoundAt: day}}); err != nil {
			return err
		}
		if err := tx.DriftRepaired("c:1", "sweep"); err != nil {
			return err
		}
		return tx.PushLogAppend([]store.Push{p, {ListingID: "c:2", SentAt: day.Add(time.Hour), Error: "429"}})
	})
	d.view(t, func(tx *store.Tx) error {
		drifts, err := tx.DriftList(0, 10)
		if len(drifts) != 2 || drifts[0].ListingID != "c:2" || !drifts[0].RepairedAt.IsZero() || drifts[1].Actor != "sweep" || drifts[1].RepairedAt.IsZero() {
			t.Errorf("%+v", drifts)
		}
		if err != nil {
			return err
		}
		older, err := tx.DriftList(drifts[0].Seq, 10)
		if len(older) != 1 {
			t.Errorf("%+v", older)
		}
		if err != nil {
			return err
		}
		all, err := tx.PushLogList("", 0, 10)
		if len(all) != 2 || all[0].Error != "429" {
			t.Errorf("%+v", all)
		}
		if err != nil {
			return err
		}
		of, err := tx.PushLogList("c:1", 0, 10)
		p.Seq = of[0].Seq
		if diff := cmp.Diff([]store.Push{p}, of); diff != "" {
			t.Error(diff)
		}
		return err
	})
	d.update(t, func(tx *store.Tx) error {
		n, err := tx.LogsPrune(day.Add(time.Minute))
		if n != 3 {
			t.Errorf("pruned %d", n)
		}
		return err
	})
}

func connections(t *testing.T, d *database) {
	app := store.App{ID: "app", Vendor: "v", Key: "key", Sealed: []byte{0, 255}, Settings: map[string]string{"host": "h"}}
	grant := store.Grant{ID: "g", AppID: "app", Subject: "seller", SellerName: "Ann's", Scopes: []string{"orders"}, Sealed: []byte("s"),
		AccessExpiresAt: day, RefreshExpiresAt: day.Add(time.Hour)}
	conn := store.Connection{ID: "c", Vendor: "v", Name: "Shop", AppID: "app", GrantID: "g", ExternalID: "7", Region: "US",
		ShopSettings: map[string]string{"cipher": "x"}, Settings: map[string]string{"a": "b"}, State: store.Active}
	d.update(t, func(tx *store.Tx) error {
		for range 2 {
			if err := tx.AppPut(app); err != nil {
				return err
			}
			if err := tx.GrantPut(grant); err != nil {
				return err
			}
			if err := tx.ConnectionPut(conn); err != nil {
				return err
			}
		}
		app.CreatedAt, app.UpdatedAt = tx.Now(), tx.Now()
		grant.CreatedAt, grant.UpdatedAt = tx.Now(), tx.Now()
		conn.CreatedAt, conn.UpdatedAt = tx.Now(), tx.Now()
		return tx.WatermarkSet("c", "orders", store.Watermark{At: day, Cursor: "x"})
	})
	d.update(t, func(tx *store.Tx) error {
		a, err := tx.AppGet("app")
		if diff := cmp.Diff(app, a); diff != "" || err != nil {
			t.Error(diff, err)
		}
		g, err := tx.GrantGet("g")
		if diff := cmp.Diff(grant, g); diff != "" || err != nil {
			t.Error(diff, err)
		}
		c, err := tx.ConnectionGet("c")
		if diff := cmp.Diff(conn, c); diff != "" || err != nil {
			t.Error(diff, err)
		}
		w, err := tx.WatermarkGet("c", "orders")
		if !w.At.Equal(day) || w.Cursor != "x" || err != nil {
			t.Errorf("%+v, %v", w, err)
		}
		if w, err := tx.WatermarkGet("c", "none"); err != nil || !w.At.IsZero() {
			t.Errorf("%+v, %v", w, err)
		}
		return tx.ConnectionState("c", store.NeedsLogin, "The login has expired.")
	})
	d.view(t, func(tx *store.Tx) error {
		if _, err := tx.GrantGet("g"); err != nil {
			t.Errorf("reading a grant in a view: %v", err)
		}
		apps, err := tx.AppList()
		grants, err2 := tx.GrantList()
		conns, err3 := tx.ConnectionList()
		if len(apps) != 1 || len(grants) != 1 || len(conns) != 1 || conns[0].State != store.NeedsLogin || conns[0].StateReason == "" {
			t.Errorf("%v %v %v, %v %v %v", apps, grants, conns, err, err2, err3)
		}
		return nil
	})
}

func unknownConnections(t *testing.T, d *database) {
	d.update(t, func(tx *store.Tx) error { return tx.ConnectionPut(store.Connection{ID: "c", Vendor: "v"}) })
	for name, f := range map[string]func(tx *store.Tx) error{
		"app":        func(tx *store.Tx) error { _, err := tx.AppGet("x"); return err },
		"grant":      func(tx *store.Tx) error { _, err := tx.GrantGet("x"); return err },
		"connection": func(tx *store.Tx) error { _, err := tx.ConnectionGet("x"); return err },
		"state":      func(tx *store.Tx) error { return tx.ConnectionState("x", store.Paused, "") },
	} {
		if err := d.Update(d.ctx, f); !errs.Is(err, errs.NotFound) {
			t.Errorf("unknown %s: %v", name, err)
		}
	}
	if err := d.Update(d.ctx, func(tx *store.Tx) error { return tx.ConnectionState("c", "odd", "") }); err == nil {
		t.Error("an unknown state was kept")
	}
}

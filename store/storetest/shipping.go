package storetest

import (
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spillway/spillway/domain/order"
	"github.com/spillway/spillway/domain/shipping"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/kit/money"
	"github.com/spillway/spillway/store"
)

var shippingCases = []testcase{
	{"shipments are stored, found and changed", shipmentsKept},
	{"of two who change a shipment at once one must look again", shipmentsRace},
	{"shipments are listed by deadline and found by what they wait for", shipmentsListed},
	{"what is stuck is found by its time, and by its node", shipmentsStuck},
	{"documents are kept and forgotten", documentsKept},
	{"carrier accounts lose their secrets when they are removed", carrierAccounts},
	{"routes replace each other, and orders without one are found", routesKept},
	{"shipments move and are backed up", shipmentsMove},
}

func parcel(id, node string, due time.Time) store.Shipment {
	return store.Shipment{Shipment: shipping.Shipment{ID: id, ConnectionID: "c", Orders: []string{"c:" + id}, Node: node, Way: shipping.ByCarrier, Account: "acc", Due: due, CreatedAt: day,
		Lines: []shipping.Line{{OrderID: "c:" + id, Key: "k", ItemID: "MUG", Qty: 1, Units: []string{"u"}}}}}
}

func adding(ss ...store.Shipment) func(*store.Tx) error {
	return func(tx *store.Tx) error { _, err := tx.ShipmentsAdd(ss); return err }
}

func shipmentsKept(t *testing.T, d *database) {
	a, b := parcel("a", "main", day), parcel("b", "main", time.Time{})
	b.Orders = append(b.Orders, "c:a")
	d.update(t, func(tx *store.Tx) error {
		added, err := tx.ShipmentsAdd([]store.Shipment{a, b})
		if !added["a"] || !added["b"] {
			t.Error(added)
		}
		return err
	})
	d.update(t, func(tx *store.Tx) error {
		added, err := tx.ShipmentsAdd([]store.Shipment{parcel("a", "elsewhere", day), parcel("x", "main", day)})
		if added["a"] || !added["x"] {
			t.Error(added)
		}
		return err
	})
	a.Version = 1
	a.Label = shipping.Label{Call: shipping.Call{Fate: shipping.Done, N: 1, At: day}, Ref: "shp_1", Tracking: "9400", Price: money.Amount{Minor: 512, Currency: "USD"}, BookedAt: day}
	a.Wave = "w"
	d.update(t, func(tx *store.Tx) error { return tx.ShipmentsSave([]store.Shipment{a}) })
	d.fails(t, errs.Conflict, func(tx *store.Tx) error { return tx.ShipmentsSave([]store.Shipment{a}) })
	d.fails(t, errs.NotFound, func(tx *store.Tx) error { _, err := tx.ShipmentGet("none"); return err })
	d.view(t, func(tx *store.Tx) error {
		got, err := tx.ShipmentGet("a")
		a.Version = 2
		if diff := cmp.Diff(a, got); diff != "" {
			t.Error(diff)
		}
		if err != nil {
			return err
		}
		of, err := tx.ShipmentsOf("c:a")
		if err != nil || len(of) != 2 || of[0].ID != "a" || of[1].ID != "b" {
			t.Errorf("%+v %v", of, err)
		}
		for _, number := range []string{"a", "9400", "shp_1"} {
			if by, err := tx.ShipmentsBy(number, 5); err != nil || len(by) != 1 || by[0].ID != "a" {
				t.Errorf("%s: %+v %v", number, by, err)
			}
		}
		if by, err := tx.ShipmentsBy("", 5); err != nil || len(by) != 0 {
			t.Errorf("%+v %v", by, err)
		}
		return nil
	})
}

func shipmentsRace(t *testing.T, d *database) {
	d.update(t, adding(parcel("a", "main", day), parcel("b", "main", day)))
	done := 0
	for _, err := range together(6, func(int) error {
		return d.Update(d.ctx, func(tx *store.Tx) error {
			a, b := parcel("a", "main", day), parcel("b", "main", day)
			a.Version, b.Version = 1, 1
			return tx.ShipmentsSave([]store.Shipment{a, b})
		})
	}) {
		switch {
		case err == nil:
			done++
		case !errs.Is(err, errs.Conflict):
			t.Error(err)
		}
	}
	if done != 1 {
		t.Errorf("%d were first", done)
	}
}

func shipmentsListed(t *testing.T, d *database) {
	var all []store.Shipment
	for i := range 5 {
		all = append(all, parcel("s"+strconv.Itoa(i), "main", day.Add(-time.Duration(i)*time.Hour)))
	}
	all = append(all, parcel("never", "main", time.Time{}), parcel("other", "other", day))
	packed := parcel("packed", "main", day)
	packed.Box = &shipping.Box{Grams: 100, At: day}
	later := packed
	later.ID, later.Label.After = "later", day.Add(time.Hour)
	d.update(t, adding(append(all, packed, later)...))
	d.view(t, func(tx *store.Tx) error {
		var got []string
		after := store.ShipmentPlace{}
		for {
			page, err := tx.ShipmentsAt("main", shipping.Pack, after, 2)
			if err != nil {
				return err
			}
			if len(page) == 0 {
				break
			}
			for i := range page {
				got = append(got, page[i].ID)
				after = page[i].Place()
			}
		}
		if diff := cmp.Diff([]string{"s4", "s3", "s2", "s1", "s0", "never"}, got); diff != "" {
			t.Error(diff)
		}
		for at, want := range map[time.Time]int{day: 1, day.Add(2 * time.Hour): 2} {
			if due, err := tx.ShipmentsDue("c", at, 10); err != nil || len(due) != want {
				t.Errorf("at %v: %d are due, want %d: %v", at, len(due), want, err)
			}
		}
		if next, ok, err := tx.ShipmentsNext("c"); err != nil || !ok || !next.IsZero() {
			t.Errorf("%v %v %v", next, ok, err)
		}
		if _, ok, err := tx.ShipmentsNext("none"); err != nil || ok {
			t.Errorf("%v %v", ok, err)
		}
		counts, err := tx.ShipmentCounts()
		want := []store.ShipmentCount{{Node: "main", Step: shipping.Book, N: 2, Due: day}, {Node: "main", Step: shipping.Pack, N: 6, Due: day.Add(-4 * time.Hour)}, {Node: "other", Step: shipping.Pack, N: 1, Due: day}}
		if diff := cmp.Diff(want, counts); diff != "" {
			t.Error(diff)
		}
		return err
	})
}

func shipmentsStuck(t *testing.T, d *database) {
	// The clock of the test's transactions is not day's: what is stuck follows from the parcel alone.
	var all []store.Shipment
	for i := range 6 {
		s := parcel("s"+strconv.Itoa(i), []string{"main", "other"}[i%2], day)
		s.Booked(day, shipping.Label{Ref: "r" + s.ID, Carrier: "UPS", Tracking: "1Z5R89390357567127"})
		if err := s.HandOver(day.AddDate(0, 0, 4*i)); err != nil {
			t.Fatal(err)
		}
		all = append(all, s)
	}
	all[4].DeliveredAt = day.Add(time.Hour)
	d.update(t, adding(all...))
	due := func(i int) time.Time {
		f, ok := all[i].Watch(day)
		if !ok {
			t.Fatalf("nothing is waited for of %d", i)
		}
		return f.Due
	}
	look := func(at time.Time, node string, want ...string) {
		t.Helper()
		d.view(t, func(tx *store.Tx) error {
			var got []string
			rows, err := tx.ShipmentsStuck(node, at, 10)
			for _, s := range rows {
				got = append(got, s.ID)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("at %v: %s", at, diff)
			}
			counts, cerr := tx.StuckCounts(at)
			if cerr != nil {
				return cerr
			}
			if n := counts[node]; node != "" && n != int64(len(want)) {
				t.Errorf("%d are counted at %s, want %d", n, node, len(want))
			}
			return err
		})
	}
	look(due(0), "")
	look(due(0).Add(time.Microsecond), "", "s0")
	look(day.Add(30*24*time.Hour), "", "s0", "s1", "s2", "s3", "s5")
	look(day.Add(30*24*time.Hour), "other", "s1", "s3", "s5")
	look(due(0).Add(shipping.WatchedFor+time.Microsecond), "main", "s2")
	var s store.Shipment
	d.view(t, func(tx *store.Tx) (err error) { s, err = tx.ShipmentGet("s1"); return err })
	if err := s.Settle(day.Add(20*24*time.Hour), "lena", "lost"); err != nil {
		t.Fatal(err)
	}
	d.update(t, func(tx *store.Tx) error { return tx.ShipmentsSave([]store.Shipment{s}) })
	look(day.Add(30*24*time.Hour), "other", "s3", "s5")
}

func documentsKept(t *testing.T, d *database) {
	put := func(id string, at time.Time) {
		d.update(t, func(tx *store.Tx) error {
			return tx.DocumentPut(store.ShipmentDocument{ID: id, Shipment: "s", Kind: "label", Type: "application/pdf", Sealed: []byte(id), At: at})
		})
	}
	put("old", day)
	put("new", day.Add(time.Hour))
	d.update(t, func(tx *store.Tx) error {
		n, err := tx.DocumentsPrune(day.Add(time.Minute), 10)
		if n != 1 {
			t.Errorf("%d were forgotten", n)
		}
		return err
	})
	d.fails(t, errs.NotFound, func(tx *store.Tx) error { _, err := tx.DocumentGet("old"); return err })
	d.view(t, func(tx *store.Tx) error {
		got, err := tx.DocumentGet("new")
		if string(got.Sealed) != "new" || got.Shipment != "s" || !got.At.Equal(day.Add(time.Hour)) {
			t.Errorf("%+v", got)
		}
		if err != nil {
			return err
		}
		for kind, want := range map[string]string{"label": "new", "invoice": ""} {
			if id, err := tx.DocumentOf("s", kind); err != nil || id != want {
				t.Errorf("%s: %q, %v", kind, id, err)
			}
		}
		return nil
	})
}

func carrierAccounts(t *testing.T, d *database) {
	a := store.CarrierAccount{ID: "a", Carrier: "broker", Name: "Main", Settings: map[string]string{"mode": "test"}, Sealed: []byte("x"), CreatedBy: "ann", CreatedAt: day}
	put := func(tx *store.Tx) error { return tx.CarrierAccountPut(a) }
	d.update(t, put)
	d.view(t, func(tx *store.Tx) error {
		all, err := tx.CarrierAccounts()
		if diff := cmp.Diff([]store.CarrierAccount{a}, all); diff != "" {
			t.Error(diff)
		}
		return err
	})
	a.RemovedAt = day.Add(time.Hour)
	d.fails(t, errs.Invalid, put)
	a.Sealed = nil
	d.update(t, put)
	d.fails(t, errs.NotFound, func(tx *store.Tx) error { _, err := tx.CarrierAccountGet("none"); return err })
	d.view(t, func(tx *store.Tx) error {
		if all, err := tx.CarrierAccounts(); err != nil || len(all) != 0 {
			t.Errorf("%+v %v", all, err)
		}
		got, err := tx.CarrierAccountGet("a")
		if len(got.Sealed) != 0 || got.RemovedAt.IsZero() {
			t.Errorf("%+v", got)
		}
		return err
	})
}

func shipmentsMove(t *testing.T, d *database) {
	a := parcel("a", "main", day)
	d.update(t, adding(a))
	d.update(t, func(tx *store.Tx) error {
		return tx.DocumentPut(store.ShipmentDocument{ID: "doc", Shipment: "a", Kind: "label", Type: "application/pdf", Sealed: []byte{0, 1, 255}, At: day})
	})
	want := rowsOf(t, d.backup(t))
	to := d.fresh(t)
	if _, err := store.MigrateData(d.ctx, d.url, to, silent); err != nil {
		t.Fatal(err)
	}
	home := open(t, to)
	if diff := cmp.Diff(want, rowsOf(t, home.backup(t))); diff != "" {
		t.Error(diff)
	}
	a.Version = 1
	home.view(t, func(tx *store.Tx) error {
		got, err := tx.ShipmentsOf("c:a")
		if diff := cmp.Diff([]store.Shipment{a}, got); diff != "" {
			t.Error(diff)
		}
		return err
	})
}

func routesKept(t *testing.T, d *database) {
	put := func(actor, body string, ids ...string) {
		d.update(t, func(tx *store.Tx) error {
			var rs []store.Route
			for _, id := range ids {
				rs = append(rs, store.Route{OrderID: id, At: day, Actor: actor, Reason: "why", Body: []byte(body), Lacking: int64(len(ids) - 1)})
			}
			return tx.RoutesPut(rs)
		})
	}
	waiting := func(n string) order.Order {
		return order.Order{ID: "c:" + n, ConnectionID: "c", ExternalID: n, Status: order.AwaitingShipment, Detail: order.Detail{CreatedAt: day}}
	}
	gone := waiting("3")
	gone.Status = order.InTransit
	d.update(t, func(tx *store.Tx) error { return tx.OrdersSave([]order.Order{waiting("1"), waiting("2"), gone}) })
	put("rules", `{"a":1}`, "c:1", "c:9")
	put("ann", `{"a":2}`, "c:1")
	d.view(t, func(tx *store.Tx) error {
		got, err := tx.RoutesGet("c:1", "c:2")
		if len(got) != 1 || got[0].Version != 2 || got[0].Actor != "ann" || string(got[0].Body) != `{"a":2}` || !got[0].At.Equal(day) {
			t.Errorf("%+v", got)
		}
		if err != nil {
			return err
		}
		if open, err := tx.RoutesLacking("", 10); err != nil || len(open) != 1 || open[0] != "c:9" {
			t.Errorf("%v %v", open, err)
		}
		lack, err := tx.OrdersUnrouted(order.AwaitingShipment, "", 10)
		if diff := cmp.Diff([]string{"c:2"}, lack); diff != "" {
			t.Error(diff)
		}
		return err
	})
}

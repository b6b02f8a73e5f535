package storetest

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spillway/spillway/domain/network"
	"github.com/spillway/spillway/domain/policy/calendar"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/kit/money"
	"github.com/spillway/spillway/store"
)

var nodeCases = []testcase{
	{"what is said of nodes is kept with its history", nodesKept},
	{"of two who change a node at once one must look again", nodesRace},
	{"nodes move and are backed up", nodesMove},
}

func nodeNamed(id string) network.Node {
	return network.Node{ID: id, Name: "Reno", Kind: network.Own, Zone: "America/Los_Angeles", Active: true, Place: network.Place{Country: "US"},
		Shifts:   []network.Shift{{Weekday: time.Monday, From: 8 * 3600, Until: calendar.LastSecond, PerHour: 60}},
		Closed:   network.Closed{Holidays: calendar.USFederal, Days: []calendar.Closure{{Name: "moving", Span: calendar.Span{From: calendar.Date(2026, 1, 2), Until: calendar.Date(2026, 1, 4)}}}},
		Overtime: []network.Overtime{{Day: calendar.Date(2026, 1, 3), From: 3600, Until: 7200, PerHour: 5}},
		Lanes: []network.Lane{{Carrier: "USPS", Serves: []string{"US"}, Pickups: []network.Pickup{{Weekday: time.Monday, At: 17 * 3600, CutOff: 30}},
			Tariff: network.Tariff{PerPound: money.Amount{Minor: 60, Currency: "USD"}}, Days: [10]int{9, 1, 2}}},
		Abilities: []network.Ability{network.Fragile}, Surge: network.Surge{Above: 100, Percent: 50}}
}

func nodesKept(t *testing.T, d *database) {
	n := nodeNamed("a")
	d.fails(t, errs.NotFound, func(tx *store.Tx) error { _, err := tx.NodeGet("a"); return err })
	d.update(t, func(tx *store.Tx) error { return tx.NodePut(n, 0, "ann") })
	d.update(t, func(tx *store.Tx) error { return tx.NodePut(nodeNamed("b"), 0, "bob") })
	was := n
	n.Name = "Sparks"
	d.update(t, func(tx *store.Tx) error { return tx.NodePut(n, 1, "bob") })
	d.fails(t, errs.Conflict, func(tx *store.Tx) error { return tx.NodePut(n, 1, "bob") })
	d.fails(t, errs.Conflict, func(tx *store.Tx) error { return tx.NodePut(n, 0, "bob") })
	d.fails(t, errs.Conflict, func(tx *store.Tx) error { return tx.NodePut(n, 3, "bob") })
	d.fails(t, errs.Invalid, func(tx *store.Tx) error { return tx.NodePut(network.Node{ID: "a"}, 2, "bob") })
	d.view(t, func(tx *store.Tx) error {
		got, err := tx.NodeGet("a")
		if diff := cmp.Diff(n, got.Node); diff != "" || err != nil || got.Version != 2 || got.Actor != "bob" || got.At.IsZero() {
			t.Errorf("%s %+v %v", diff, got, err)
		}
		all, err := tx.Nodes()
		if err != nil || len(all) != 2 || all[0].Version != 2 || all[1].ID != "b" {
			t.Errorf("%+v %v", all, err)
		}
		history, err := tx.NodeHistory("a", 0, 10)
		if err != nil || len(history) != 2 || history[0].Version != 2 || cmp.Diff(was, history[1].Node) != "" || history[1].Actor != "ann" {
			t.Errorf("%+v %v", history, err)
		}
		if older, err := tx.NodeHistory("a", 2, 1); err != nil || len(older) != 1 || older[0].Version != 1 {
			t.Errorf("%+v %v", older, err)
		}
		return nil
	})
}

func nodesRace(t *testing.T, d *database) {
	done := 0
	for _, err := range together(6, func(int) error {
		return d.Update(d.ctx, func(tx *store.Tx) error { return tx.NodePut(nodeNamed("a"), 0, "ann") })
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

func nodesMove(t *testing.T, d *database) {
	d.update(t, func(tx *store.Tx) error { return tx.NodePut(nodeNamed("a"), 0, "ann") })
	d.update(t, func(tx *store.Tx) error { return tx.NodePut(nodeNamed("a"), 1, "ann") })
	want := rowsOf(t, d.backup(t))
	to := d.fresh(t)
	if _, err := store.MigrateData(d.ctx, d.url, to, silent); err != nil {
		t.Fatal(err)
	}
	home := open(t, to)
	if diff := cmp.Diff(want, rowsOf(t, home.backup(t))); diff != "" {
		t.Error(diff)
	}
	home.view(t, func(tx *store.Tx) error {
		got, err := tx.NodeGet("a")
		if got.Version != 2 {
			t.Errorf("version %d", got.Version)
		}
		return err
	})
}

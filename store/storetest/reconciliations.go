package storetest

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spillway/spillway/domain/policy"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/store"
)

func deductionsTakenDown(t *testing.T, d *database) {
	one := store.AccountDeduction{ID: "d1", ConnectionID: "c", Day: 20_500, Points: 8, Reason: "late parcels", Note: "appeal possible", Source: "entered", Actor: "ann"}
	d.update(t, func(tx *store.Tx) error { return tx.AccountDeductionPut(one) })
	d.update(t, func(tx *store.Tx) error { return tx.AccountDeductionPut(one) }) // the same form again
	other := one
	other.Points = 9
	d.fails(t, errs.Conflict, func(tx *store.Tx) error { return tx.AccountDeductionPut(other) })
	for _, bad := range []func(*store.AccountDeduction){func(x *store.AccountDeduction) { x.ID = "" }, func(x *store.AccountDeduction) { x.ConnectionID = "" },
		func(x *store.AccountDeduction) { x.Day = 0 }, func(x *store.AccountDeduction) { x.Points = 0 }} {
		x := one
		bad(&x)
		d.fails(t, errs.Invalid, func(tx *store.Tx) error { return tx.AccountDeductionPut(x) })
	}
	count := func(since policy.Day) (n int) {
		d.view(t, func(tx *store.Tx) error {
			got, err := tx.AccountDeductions("c", since, 10)
			n = len(got)
			return err
		})
		return n
	}
	if count(20_500) != 1 || count(20_501) != 0 {
		t.Error("a deduction is not found by its day")
	}
	d.update(t, func(tx *store.Tx) error { return tx.AccountDeductionRemove("d1", "ben", true) })
	d.fails(t, errs.NotFound, func(tx *store.Tx) error { return tx.AccountDeductionRemove("d1", "ben", true) })
	d.fails(t, errs.NotFound, func(tx *store.Tx) error { return tx.AccountDeductionRemove("d2", "ben", true) })
	d.view(t, func(tx *store.Tx) error {
		got, err := tx.AccountDeductionGet("d1")
		if got.RemovedAt.IsZero() || got.RemovedBy != "ben" || got.EnteredAt.IsZero() || got.Reason != one.Reason {
			t.Errorf("taken back: %+v", got)
		}
		return err
	})
	d.fails(t, errs.NotFound, func(tx *store.Tx) error { _, err := tx.AccountDeductionGet("d2"); return err })
	if count(0) != 0 {
		t.Error("one that was taken back still counts")
	}
	d.update(t, func(tx *store.Tx) error { return tx.AccountDeductionRemove("d1", "ann", false) })
	if count(0) != 1 {
		t.Error("one that counts again does not")
	}
}

// reconciliation begins one, and ends it with a figure of 40 % on the day to and two orders.
func (d *database) reconciliation(t *testing.T, id string, at time.Time, to policy.Day) {
	t.Helper()
	r := store.Reconciliation{ID: id, ConnectionID: "c", State: store.ReconciliationReading, Actor: "ann", CreatedAt: at, UpdatedAt: at, Data: json.RawMessage(`{}`)}
	d.update(t, func(tx *store.Tx) error { return tx.ReconciliationPut(r) })
	d.update(t, func(tx *store.Tx) error { // as much of one as a process that dies leaves
		return tx.ReconciliationTell(store.Reconciliation{ID: id, State: store.ReconciliationReading, UpdatedAt: at.Add(time.Second), Data: json.RawMessage(`{"rows":5}`)})
	})
	d.update(t, func(tx *store.Tx) error {
		if err := tx.ReconciliationTell(store.Reconciliation{ID: id, State: store.ReconciliationDone, UpdatedAt: at.Add(time.Minute), Data: json.RawMessage(`{"rows":9}`)}); err != nil {
			return err
		}
		return tx.ReconciliationFill(id,
			[]store.ReconciledRate{{N: 0, ConnectionID: "c", Metric: policy.LDR, To: to, Told: true, CreatedAt: at, Data: json.RawMessage(`{"ppm":400000}`)},
				{N: 1, ConnectionID: "c", Metric: policy.VTR, To: to, CreatedAt: at, Data: json.RawMessage(`{}`)}},
			[]store.ReconciledOrder{{N: 0, Rate: 0, Cause: "time", OrderID: "1", Data: json.RawMessage(`{}`)}, {N: 1, Rate: 1, Cause: "unknown_here", OrderID: "2", Data: json.RawMessage(`{}`)}})
	})
}

func reconciliationsKept(t *testing.T, d *database) {
	d.reconciliation(t, "a", day, 100)
	d.reconciliation(t, "b", day.Add(time.Hour), 99)
	d.fails(t, errs.Conflict, func(tx *store.Tx) error {
		return tx.ReconciliationPut(store.Reconciliation{ID: "a", ConnectionID: "c", State: store.ReconciliationReading})
	})
	d.fails(t, errs.Conflict, func(tx *store.Tx) error { // it ends once
		return tx.ReconciliationTell(store.Reconciliation{ID: "a", State: store.ReconciliationDone, Data: json.RawMessage(`{}`)})
	})
	d.fails(t, errs.Invalid, func(tx *store.Tx) error { return tx.ReconciliationPut(store.Reconciliation{ID: "x"}) })
	d.fails(t, errs.NotFound, func(tx *store.Tx) error { _, err := tx.ReconciliationGet("x"); return err })
	d.update(t, func(tx *store.Tx) error { // one that was refused can be tried again
		r := store.Reconciliation{ID: "r", ConnectionID: "c", State: store.ReconciliationRefused, CreatedAt: day, UpdatedAt: day, Data: json.RawMessage(`{}`)}
		if err := tx.ReconciliationPut(r); err != nil {
			return err
		}
		r.State = store.ReconciliationReading
		return tx.ReconciliationPut(r)
	})
	d.view(t, func(tx *store.Tx) error {
		got, err := tx.ReconciliationGet("a")
		want := store.Reconciliation{ID: "a", ConnectionID: "c", State: store.ReconciliationDone, Actor: "ann", CreatedAt: day, UpdatedAt: day.Add(time.Minute), Data: json.RawMessage(`{"rows":9}`)}
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Error(diff, err)
		}
		list, err := tx.Reconciliations("c", time.Time{}, "", 2)
		if len(list) != 2 || list[0].ID != "b" || list[1].ID != "r" || err != nil {
			t.Errorf("newest first: %+v, %v", list, err)
		}
		rest, err := tx.Reconciliations("c", list[1].CreatedAt, list[1].ID, 2)
		if len(rest) != 1 || rest[0].ID != "a" || err != nil {
			t.Errorf("the next page: %+v, %v", rest, err)
		}
		told, err := tx.ReconciledTold("c", policy.LDR, 5)
		if len(told) != 2 || told[0].ReconciliationID != "a" || told[0].To != 100 || !told[0].Told || string(told[0].Data) != `{"ppm":400000}` || err != nil {
			t.Errorf("the latest days first: %+v, %v", told, err)
		}
		if none, err := tx.ReconciledTold("c", policy.VTR, 5); len(none) != 0 || err != nil {
			t.Errorf("orders alone are no figure: %+v, %v", none, err)
		}
		rates, err := tx.ReconciledRates("a", 10)
		if len(rates) != 2 || rates[1].Metric != policy.VTR || rates[1].Told || err != nil {
			t.Errorf("rates: %+v, %v", rates, err)
		}
		for _, x := range []struct {
			after, rate int64
			cause       string
			want        int
		}{{-1, store.AnyRate, "", 2}, {0, store.AnyRate, "", 1}, {-1, 1, "", 1}, {-1, 1, "time", 0}, {-1, store.AnyRate, "unknown_here", 1}, {-1, -1, "", 0}} {
			if got, err := tx.ReconciledOrders("a", x.after, x.rate, x.cause, 10); len(got) != x.want || err != nil {
				t.Errorf("%+v: %d orders, %v", x, len(got), err)
			}
		}
		return err
	})
}

func reconciliationsGo(t *testing.T, d *database) {
	for i := range 4 {
		d.reconciliation(t, fmt.Sprint(i), day.Add(time.Duration(i)*time.Hour), policy.Day(100+i))
	}
	d.update(t, func(tx *store.Tx) error {
		return tx.AccountDeductionPut(store.AccountDeduction{ID: "d", ConnectionID: "c", Day: 100, Points: 3})
	})
	path := d.backup(t)
	d.update(t, func(tx *store.Tx) error { return tx.ReconciliationDelete("2") })
	d.fails(t, errs.NotFound, func(tx *store.Tx) error { return tx.ReconciliationDelete("2") })
	d.update(t, func(tx *store.Tx) error { return tx.ReconciliationsPrune("c", 2) })
	d.update(t, func(tx *store.Tx) error { return tx.ReconciliationsPrune("other", 0) })
	left := func(d *database) (out string) {
		d.view(t, func(tx *store.Tx) error {
			list, err := tx.Reconciliations("c", time.Time{}, "", 10)
			for _, r := range list {
				out += r.ID
			}
			for i := range 4 {
				rates, err := tx.ReconciledRates(fmt.Sprint(i), 10)
				if err != nil {
					return err
				}
				orders, err := tx.ReconciledOrders(fmt.Sprint(i), -1, store.AnyRate, "", 10)
				if err != nil {
					return err
				}
				out += fmt.Sprint(" ", len(rates), len(orders))
			}
			return err
		})
		return out
	}
	if got := left(d); got != "31 0 0 2 2 0 0 2 2" {
		t.Errorf("left are %q", got)
	}
	url := "sqlite:" + filepath.Join(t.TempDir(), "r.db")
	if err := store.Restore(d.ctx, url, path); err != nil {
		t.Fatal(err)
	}
	again := open(t, url)
	if got := left(again); got != "3210 2 2 2 2 2 2 2 2" {
		t.Errorf("restored are %q", got)
	}
	again.view(t, func(tx *store.Tx) error {
		got, err := tx.AccountDeductions("c", 0, 10)
		if len(got) != 1 || got[0].Points != 3 {
			t.Errorf("deductions restored: %+v", got)
		}
		return err
	})
}

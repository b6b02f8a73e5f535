package storetest

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spillway/spillway/domain/flow"
	"github.com/spillway/spillway/domain/health"
	"github.com/spillway/spillway/domain/order"
	"github.com/spillway/spillway/domain/policy"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/store"
)

var healthCases = []testcase{
	{"what intakes append is taken once", healthTaken},
	{"sums add up, and marks go when nothing is left of them", healthAdded},
	{"two who add up at once lose and double nothing", healthRaces},
	{"what passed through nodes adds up, and goes when it is old", flowAdded},
	{"account ratings and overrides", ratingsAndOverrides},
	{"points that were taken", deductionsTakenDown},
	{"reconciliations begin, are told of and end once", reconciliationsKept},
	{"what is taken back of a reconciliation goes whole, and old ones go", reconciliationsGo},
	{"all orders one after the other", ordersOneByOne},
}

func healthTaken(t *testing.T, d *database) {
	d.update(t, func(tx *store.Tx) error {
		for _, s := range []string{"a", "b", "c"} {
			if err := tx.HealthAppend(store.HealthDelta{Days: []byte(s), Flow: []byte("f" + s)}); err != nil {
				return err
			}
		}
		return errors.Join(tx.HealthAppend(store.HealthDelta{}), tx.HealthAppend(store.HealthDelta{Parts: []byte("d")}))
	})
	d.view(t, func(tx *store.Tx) error {
		got, err := tx.HealthPending()
		if len(got) != 7 {
			t.Errorf("%v wait", got)
		}
		n, err2 := tx.HealthWaiting(2)
		all, err3 := tx.HealthWaiting(9)
		if n != 2 || all != 3 {
			t.Errorf("%d and %d wait", n, all)
		}
		return errors.Join(err, err2, err3)
	})
	undone := errors.New("undone")
	if err := d.Update(d.ctx, func(tx *store.Tx) error {
		if _, err := tx.HealthTake(2); err != nil {
			return err
		}
		if _, err := tx.HealthTakeParts(2); err != nil {
			return err
		}
		return undone
	}); !errors.Is(err, undone) {
		t.Fatal(err)
	}
	if err := d.Update(d.ctx, func(tx *store.Tx) error {
		return errors.Join(tx.HealthAppend(store.HealthDelta{Days: []byte("x"), Parts: []byte("x")}), undone)
	}); !errors.Is(err, undone) {
		t.Fatal(err)
	}
	var days, parts []string
	for range 4 {
		d.update(t, func(tx *store.Tx) error {
			got, err := tx.HealthTake(2)
			for _, b := range got {
				days = append(days, string(b))
			}
			divided, err2 := tx.HealthTakeParts(2)
			for _, b := range divided {
				parts = append(parts, string(b.Parts)+string(b.Flow))
			}
			return errors.Join(err, err2)
		})
	}
	slices.Sort(days)
	slices.Sort(parts)
	if !slices.Equal(days, []string{"a", "b", "c"}) || !slices.Equal(parts, []string{"d", "fa", "fb", "fc"}) {
		t.Errorf("taken: %q and %q", days, parts)
	}
}

func healthAdded(t *testing.T, d *database) {
	day := policy.Date(2026, time.March, 2)
	mark := func(order string, n int64) health.Mark {
		return health.Mark{Connection: "c", Rate: "r", Day: day, OrderID: order, Reason: "late", N: n}
	}
	add := func(num, den, n int64) {
		t.Helper()
		d.update(t, func(tx *store.Tx) error {
			return tx.HealthAdd([]health.Tally{
				{Connection: "c", Rate: "r", Day: day, Num: num, Den: den},
				{Connection: "c", Rate: "r", Day: day + 1, Num: 1, Den: 1},
				{Connection: "c2", Rate: "r", Day: day, Num: 7, Den: 7},
				{Connection: "c", Rate: "r", Facet: health.FacetUnjudged, Day: day, Den: 2},
			}, []health.Mark{mark("c:1", n), mark("c:2", 1)})
		})
		d.update(t, func(tx *store.Tx) error {
			return tx.HealthAddParts(health.PartsOf([]health.Tally{{Connection: "c", Rate: "r", Facet: "node", Value: "w1", Day: day, Num: num, Den: den},
				{Connection: "c", Rate: "r", Facet: "node", Value: "w2", Day: day, Num: num - 2, Den: den - 10}}))
		})
	}
	add(2, 10, 1)
	add(-1, 5, -1)
	d.view(t, func(tx *store.Tx) error {
		days, err := tx.HealthDays("c", "r", day, day)
		if diff := cmp.Diff(health.Series{{Day: day, Num: 1, Den: 15, Unjudged: 4}}, days); diff != "" {
			t.Error(diff)
		}
		if of, err := tx.HealthDaysOf("c", []string{"r", "none"}, day, day+1); err != nil || len(of) != 1 || len(of["r"]) != 2 || of["r"][0] != days[0] {
			t.Errorf("of several rates: %+v, %v", of, err)
		}
		parts, err2 := tx.HealthParts("c", "r", day-1, day+1)
		if len(parts) != 2 || parts[1].Value != "w2" || parts[1].Den != -5 || parts[0].Facet != "node" || parts[0].Value != "w1" || parts[0].Num != 1 || parts[0].Den != 15 {
			t.Errorf("parts: %+v", parts)
		}
		marks, err3 := tx.HealthMarks("c", "r", day, day+1, "", 10)
		if len(marks) != 1 || marks[0].OrderID != "c:2" || marks[0].N != 2 {
			t.Errorf("marks: %+v", marks)
		}
		if pending, err := tx.HealthPendingMarks("c"); len(pending) != 0 || err != nil {
			t.Errorf("pending: %+v, %v", pending, err)
		}
		reasons, err4 := tx.HealthReasons("c", "r", day, day)
		if len(reasons) != 1 || reasons[0] != (store.ReasonCount{Reason: "late", Orders: 2}) {
			t.Errorf("reasons: %+v", reasons)
		}
		var scanned, marked int
		err5 := tx.HealthScan(func(health.Tally) error { scanned++; return nil }, func(p health.DayParts) error { scanned += p.Len(); return nil },
			func(health.Mark) error { marked++; return nil })
		if scanned != 6 || marked != 1 {
			t.Errorf("scanned %d sums and %d marks", scanned, marked)
		}
		return errors.Join(err, err2, err3, err4, err5)
	})
}

// healthRaces lets several add up at once what several append: in the end the sum is what was appended.
func healthRaces(t *testing.T, d *database) {
	const writers, rows = 4, 25
	day := policy.Date(2026, time.March, 2)
	var work sync.WaitGroup
	fold := func() (int, error) {
		n := 0
		err := d.Update(d.ctx, func(tx *store.Tx) error {
			got, err := tx.HealthTake(7)
			if n = len(got); err != nil || n == 0 {
				return err
			}
			return tx.HealthAdd([]health.Tally{{Connection: "c", Rate: "r", Day: day, Num: int64(n), Den: int64(n)}}, nil)
		})
		return n, err
	}
	for range writers {
		work.Go(func() {
			for range rows {
				if err := d.Update(d.ctx, func(tx *store.Tx) error { return tx.HealthAppend(store.HealthDelta{Days: []byte("x")}) }); err != nil {
					t.Error(err)
				}
				if _, err := fold(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	work.Wait()
	for {
		n, err := fold()
		if err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			break
		}
	}
	d.view(t, func(tx *store.Tx) error {
		got, err := tx.HealthDays("c", "r", day, day)
		if len(got) != 1 || got[0].Num != writers*rows {
			t.Errorf("%+v after %d", got, writers*rows)
		}
		return err
	})
}

func flowAdded(t *testing.T, d *database) {
	at := flow.HourOf(day)
	for range 2 {
		d.update(t, func(tx *store.Tx) error {
			return tx.FlowAdd([]flow.Count{{Connection: "c", Node: "w", Kind: flow.Ready, Hour: at, N: 3}, {Connection: "c", Node: "w", Kind: flow.Ready, Hour: at - 48, N: 1}},
				[]flow.Lag{{Connection: "c", Carrier: "UPS", Leg: flow.ToScan, Ended: at / 24 * 24, Hours: 7, N: 2}})
		})
	}
	check := func(since flow.Hour, counts, lags int, n int64) {
		t.Helper()
		d.view(t, func(tx *store.Tx) error {
			c, err := tx.FlowCounts("c", since)
			l, err2 := tx.FlowLags("c", since/24*24)
			if len(c) != counts || len(l) != lags || (counts > 0 && c[len(c)-1].N != n) {
				t.Errorf("since %d: %+v %+v", since, c, l)
			}
			return errors.Join(err, err2)
		})
	}
	check(at, 1, 1, 6)
	check(at-48, 2, 1, 6)
	d.update(t, func(tx *store.Tx) error { return tx.FlowPrune(at) })
	check(0, 1, 1, 6)
	d.view(t, func(tx *store.Tx) error {
		n := 0
		err := tx.FlowScan(func(flow.Count) { n++ }, func(flow.Lag) { n++ })
		if n != 2 {
			t.Errorf("scanned %d", n)
		}
		return err
	})
}

func ratingsAndOverrides(t *testing.T, d *database) {
	r := store.AccountRating{ConnectionID: "c", At: day, Value: 188, Source: "entered", Actor: "ann", Note: "after the quiz"}
	d.update(t, func(tx *store.Tx) error { return tx.AccountRatingPut(r) })
	r.Value = 190
	d.update(t, func(tx *store.Tx) error { return tx.AccountRatingPut(r) })
	d.view(t, func(tx *store.Tx) error {
		got, err := tx.AccountRatings("c", day, 10)
		if len(got) != 1 || got[0].Value != 190 || got[0].EnteredAt.IsZero() || !got[0].At.Equal(day) {
			t.Errorf("%+v", got)
		}
		return err
	})
	d.update(t, func(tx *store.Tx) error { return tx.AccountRatingDelete("c", day) })
	d.fails(t, errs.NotFound, func(tx *store.Tx) error { return tx.AccountRatingDelete("c", day) })
	d.fails(t, errs.Invalid, func(tx *store.Tx) error { return tx.AccountRatingPut(store.AccountRating{ConnectionID: "c"}) })

	o := store.PolicyOverride{ID: "o1", Market: "US", Data: json.RawMessage(`{"x":1}`), Actor: "ann", CreatedAt: day}
	d.update(t, func(tx *store.Tx) error { return tx.PolicyOverridePut(o) })
	o.RevokedAt = day.Add(time.Hour)
	d.update(t, func(tx *store.Tx) error { return tx.PolicyOverridePut(o) })
	d.view(t, func(tx *store.Tx) error {
		got, err := tx.PolicyOverrides()
		if diff := cmp.Diff([]store.PolicyOverride{o}, got); diff != "" {
			t.Error(diff)
		}
		return err
	})
	var back struct{ A string }
	d.update(t, func(tx *store.Tx) error { return tx.HealthStatePut("x", day, struct{ A string }{"b"}) })
	d.view(t, func(tx *store.Tx) error {
		at, found, err := tx.HealthStateGet("x", &back)
		if !found || !at.Equal(day) || back.A != "b" {
			t.Errorf("%v %v %+v", at, found, back)
		}
		_, found, err2 := tx.HealthStateGet("y", &back)
		if found {
			t.Error("found what nobody kept")
		}
		return errors.Join(err, err2)
	})
	var work sync.WaitGroup // who reads, changes and writes back loses nobody's change, also of what is not there yet
	for range 4 {
		work.Go(func() {
			for range 10 {
				d.update(t, func(tx *store.Tx) error {
					sum := map[string]int{}
					if err := tx.HealthStateTake("sum", &sum); err != nil {
						return err
					}
					sum["n"]++
					return tx.HealthStatePut("sum", day, sum)
				})
			}
		})
	}
	work.Wait()
	d.view(t, func(tx *store.Tx) error {
		sum := map[string]int{}
		_, _, err := tx.HealthStateGet("sum", &sum)
		if sum["n"] != 40 {
			t.Errorf("%d of 40 changes are kept", sum["n"])
		}
		return err
	})
}

func ordersOneByOne(t *testing.T, d *database) {
	d.update(t, func(tx *store.Tx) error {
		var all []order.Order
		for i := range 25 {
			all = append(all, merged(t, nil, fact(fmt.Sprintf("%03d", i), order.AwaitingShipment, day)))
		}
		return tx.OrdersSave(all)
	})
	seen := 0
	d.view(t, func(tx *store.Tx) (err error) {
		last := ""
		for n := 10; n == 10 && err == nil; {
			last, n, err = tx.OrdersAfter(last, 10, func(*order.Order) error { seen++; return nil })
		}
		return err
	})
	if seen != 25 {
		t.Errorf("%d of 25 orders seen", seen)
	}
}

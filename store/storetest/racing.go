package storetest

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/spillway/spillway/domain/order"
	"github.com/spillway/spillway/domain/stock"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/store"
)

// The cases in which several callers, and several processes as far as the database can tell (two stores on one database), do the
// same thing at once.
var racing = []testcase{
	{"300 callers, 100 units: exactly 100 get one", hundredUnits},
	{"two processes, one item", twoProcesses},
	{"the same order delivered to two processes", sameOrderTwice},
	{"two items locked in both orders", crossedLocks},
	{"a deadlock is cured by running again", deadlock},
	{"a first balance made by two", firstBalance},
	{"facts of one order from two processes", factsFromTwo},
	{"no event is skipped by a reader", noEventSkipped},
	{"an event committed late is read late", lateEvent},
	{"books saved by two", booksByTwo},
	{"stock is linearizable", linearizable},
}

func hundredUnits(t *testing.T, d *database) {
	d.stocked(t, 100, "a")
	won := countWins(t, together(300, func(i int) error { return d.reserve(orderID(i), "a", 1) }))
	if won != 100 {
		t.Errorf("%d callers got a unit, want 100", won)
	}
	d.proven(t, "a", 100, 100)
}

// countWins counts the calls that succeeded; the others must have been refused for lack of stock.
func countWins(t *testing.T, results []error) (won int) {
	t.Helper()
	for _, err := range results {
		switch {
		case err == nil:
			won++
		case !errs.Is(err, errs.Insufficient):
			t.Errorf("refused for another reason: %v", err)
		}
	}
	return won
}

func twoProcesses(t *testing.T, d *database) {
	d.stocked(t, 60, "a")
	both := []*database{d, open(t, d.url)}
	won := countWins(t, together(120, func(i int) error { return both[i%2].reserve(orderID(i), "a", 1) }))
	if won != 60 {
		t.Errorf("%d callers got a unit, want 60", won)
	}
	d.proven(t, "a", 60, 60)
}

func sameOrderTwice(t *testing.T, d *database) {
	d.stocked(t, 100, "a")
	both := []*database{d, open(t, d.url)}
	// Each order comes to both processes at once; settled by level, it must hold once.
	for _, err := range together(80, func(i int) error {
		id := orderID(i / 2)
		return both[i%2].Update(d.ctx, func(tx *store.Tx) error {
			return book(tx, []string{"a"}, []string{id}, func(b *stock.Book) error {
				_, err := b.Settle(stock.Want{OrderID: id, LineID: "1", ItemID: "a", Reserve: 2})
				return err
			})
		})
	}) {
		if err != nil {
			t.Error(err)
		}
	}
	d.proven(t, "a", 100, 80)
}

func crossedLocks(t *testing.T, d *database) {
	d.stocked(t, 1000, "a", "b", "c")
	both := []*database{d, open(t, d.url)}
	for _, err := range together(60, func(i int) error {
		items := []string{"a", "b", "c"}
		if i%2 == 0 {
			slices.Reverse(items)
		}
		return both[i%2].Update(d.ctx, func(tx *store.Tx) error {
			return book(tx, items, []string{orderID(i)}, func(b *stock.Book) error {
				for _, item := range items {
					if _, err := b.Settle(stock.Want{OrderID: orderID(i), LineID: "1", ItemID: item, Reserve: 1}); err != nil {
						return err
					}
				}
				return nil
			})
		})
	}) {
		if err != nil {
			t.Error(err)
		}
	}
	for _, item := range []string{"a", "b", "c"} {
		d.proven(t, item, 1000, 60)
	}
}

// deadlock locks two orders in opposite order, which no use-case should. PostgreSQL ends one of the two; on SQLite the second has not
// begun when the first is done, so there is nobody to wait for.
func deadlock(t *testing.T, d *database) {
	d.update(t, func(tx *store.Tx) error {
		return tx.OrdersSave([]order.Order{merged(t, nil, fact("1", order.Unpaid, day)), merged(t, nil, fact("2", order.Unpaid, day))})
	})
	var bothHold sync.WaitGroup
	bothHold.Add(2)
	var runs atomic.Int64
	for _, err := range together(2, func(i int) error {
		ids := []string{"shop:1", "shop:2"}
		if i == 1 {
			slices.Reverse(ids)
		}
		first := true
		return d.Update(d.ctx, func(tx *store.Tx) error {
			runs.Add(1)
			if _, err := tx.OrdersForUpdate(ids[:1]); err != nil {
				return err
			}
			if first {
				first = false
				bothHold.Done()
				if d.Dialect() == "postgres" {
					bothHold.Wait()
				}
			}
			_, err := tx.OrdersForUpdate(ids[1:])
			return err
		})
	}) {
		if err != nil {
			t.Error(err)
		}
	}
	if least := map[string]int64{"sqlite": 2, "postgres": 3}[d.Dialect()]; runs.Load() < least {
		t.Errorf("%d runs, want at least %d", runs.Load(), least)
	}
}

func firstBalance(t *testing.T, d *database) {
	d.stocked(t, 0, "a")
	both := []*database{d, open(t, d.url)}
	for _, err := range together(20, func(i int) error { return receive(both[i%2], fmt.Sprintf("note %d", i), 1) }) {
		if err != nil {
			t.Error(err)
		}
	}
	d.proven(t, "a", 20, 0)
}

func factsFromTwo(t *testing.T, d *database) {
	both := []*database{d, open(t, d.url)}
	const n = 24
	for _, err := range together(n, func(i int) error {
		return both[i%2].Update(d.ctx, func(tx *store.Tx) error {
			known, err := tx.OrdersForUpdate([]string{"shop:1"})
			if err != nil {
				return err
			}
			var before *order.Order
			if len(known) > 0 {
				before = &known[0]
			}
			o, _, err := order.Merge(before, order.Fact{Kind: order.ReturnNotice, ConnectionID: "shop", ExternalID: "1",
				UpdatedAt: day.Add(time.Duration(i) * time.Minute), Return: &order.Return{ID: fmt.Sprintf("r%02d", i)}})
			if err != nil {
				return err
			}
			return tx.OrdersSave([]order.Order{o})
		})
	}) {
		// All start with no row to lock: those that lost five rounds in a row are told so and may come again.
		if err != nil && !errs.Is(err, errs.Conflict) {
			t.Error(err)
		}
		if err != nil {
			t.Logf("gave up: %v", err)
		}
	}
	d.view(t, func(tx *store.Tx) error {
		got, err := tx.OrdersGet([]string{"shop:1"})
		if len(got) != 1 || len(got[0].Returns) != n {
			t.Errorf("%d of %d facts are in the order", len(got[0].Returns), n)
		}
		return err
	})
}

// noEventSkipped lets writers commit in any order while a reader follows its cursor.
func noEventSkipped(t *testing.T, d *database) {
	const writers, each = 6, 40
	both := []*database{d, open(t, d.url)}
	var done atomic.Bool
	var got []string
	var reader sync.WaitGroup
	reader.Go(func() {
		cursor := int64(0)
		for {
			last := done.Load()
			var page []store.Event
			if err := both[1].View(d.ctx, func(tx *store.Tx) (err error) { page, err = tx.EventsAfter(cursor, 7); return err }); err != nil {
				t.Error(err)
				return
			}
			for _, e := range page {
				got, cursor = append(got, e.Subject), e.Seq
			}
			if last && len(page) == 0 {
				return
			}
		}
	})
	for _, err := range together(writers, func(w int) error {
		for i := range each {
			if err := both[w%2].Update(d.ctx, func(tx *store.Tx) error {
				// The first row takes the transaction's place in the log; what follows makes some stay open longer than others.
				if err := tx.EventsAppend([]store.Event{{Kind: "k", Subject: fmt.Sprintf("%d/%d/a", w, i)}}); err != nil {
					return err
				}
				for range w * 2 {
					if _, err := tx.ItemCount(); err != nil {
						return err
					}
				}
				return tx.EventsAppend([]store.Event{{Kind: "k", Subject: fmt.Sprintf("%d/%d/b", w, i)}})
			}); err != nil {
				return err
			}
		}
		return nil
	}) {
		if err != nil {
			t.Error(err)
		}
	}
	done.Store(true)
	reader.Wait()
	if len(got) != writers*each*2 {
		t.Errorf("the reader saw %d events of %d", len(got), writers*each*2)
	}
	slices.Sort(got)
	if len(slices.Compact(got)) != writers*each*2 {
		t.Error("the reader saw events twice")
	}
}

// lateEvent holds one transaction open while another commits. Only PostgreSQL lets two write at once.
func lateEvent(t *testing.T, d *database) {
	after := func() (kinds string) {
		d.view(t, func(tx *store.Tx) error {
			got, err := tx.EventsAfter(0, 10)
			for _, e := range got {
				kinds += e.Kind
			}
			return err
		})
		return kinds
	}
	event := func(kind string) func(*store.Tx) error {
		return func(tx *store.Tx) error { return tx.EventsAppend([]store.Event{{Kind: kind, Subject: "x"}}) }
	}
	if d.Dialect() == "sqlite" {
		d.update(t, func(tx *store.Tx) error {
			if err := event("a")(tx); err != nil {
				return err
			}
			if seen := after(); seen != "" {
				t.Errorf("seen before the commit: %q", seen)
			}
			return nil
		})
		return
	}
	d.update(t, func(tx *store.Tx) error {
		if err := event("a")(tx); err != nil {
			return err
		}
		d.update(t, event("b"))
		if seen := after(); seen != "" {
			t.Errorf("seen while an earlier transaction is open: %q", seen)
		}
		return nil
	})
	if seen := after(); seen != "ab" {
		t.Errorf("seen at the end: %q, want ab", seen)
	}
}

func booksByTwo(t *testing.T, d *database) {
	both := []*database{d, open(t, d.url)}
	d.update(t, func(tx *store.Tx) error { return tx.BooksSave([]store.BookRow{{ListingID: "c:1", ConnectionID: "c"}}) })
	var lost atomic.Int64
	together(20, func(i int) error {
		err := both[i%2].Update(d.ctx, func(tx *store.Tx) error {
			rows, err := tx.BooksGet([]string{"c:1"})
			if err != nil {
				return err
			}
			rows[0].Exposure++
			rows[0].State = json.RawMessage(fmt.Sprintf(`{"by":%d}`, i))
			return tx.BooksSave(rows)
		})
		if errs.Is(err, errs.Conflict) { // lost five rounds in a row: told so, nothing saved
			lost.Add(1)
		} else if err != nil {
			t.Error(err)
		}
		return nil
	})
	d.view(t, func(tx *store.Tx) error {
		rows, err := tx.BooksGet([]string{"c:1"})
		if rows[0].Exposure != 20-lost.Load() {
			t.Errorf("exposure %d after 20 increments of which %d gave up", rows[0].Exposure, lost.Load())
		}
		return err
	})
}

// Operations of the linearizability case.
type stockCall struct {
	kind string // reserve, receive, read
	qty  int64
}

type stockAnswer struct {
	ok        bool
	available int64
}

// linearizable checks recorded histories: there must be an order of the calls, agreeing with who ended before whom began, in which one
// plain counter gives the same answers.
func linearizable(t *testing.T, d *database) {
	d.stocked(t, 10, "a")
	both := []*database{d, open(t, d.url)}
	model := porcupine.Model{
		Init: func() any { return int64(10) },
		Step: func(state, input, output any) (bool, any) {
			n, in, out := state.(int64), input.(stockCall), output.(stockAnswer)
			switch in.kind {
			case "receive":
				return out.ok, n + in.qty
			case "read":
				return out.available == n, n
			}
			if out.ok {
				return n >= in.qty, n - in.qty
			}
			return n < in.qty, n
		},
	}
	began := time.Now()
	var mu sync.Mutex
	var history []porcupine.Operation
	for _, err := range together(5, func(client int) error {
		for i := range 14 {
			in := stockCall{kind: []string{"reserve", "receive", "reserve", "read", "reserve"}[(client+i)%5], qty: int64(1 + (client*7+i)%4)}
			call := time.Since(began)
			out, err := both[client%2].call(in, fmt.Sprintf("%d/%d", client, i))
			if err != nil {
				return err
			}
			op := porcupine.Operation{ClientId: client, Input: in, Call: int64(call), Output: out, Return: int64(time.Since(began))}
			mu.Lock()
			history = append(history, op)
			mu.Unlock()
		}
		return nil
	}) {
		if err != nil {
			t.Fatal(err)
		}
	}
	if result := porcupine.CheckOperationsTimeout(model, history, 30*time.Second); result != porcupine.Ok {
		t.Errorf("the history of %d calls is %s", len(history), result)
	}
}

func (d *database) call(in stockCall, id string) (out stockAnswer, err error) {
	switch in.kind {
	case "receive":
		err = receive(d, "in "+id, in.qty)
		return stockAnswer{ok: err == nil}, err
	case "read":
		err = d.View(d.ctx, func(tx *store.Tx) error {
			bs, err := tx.Balances([]string{"a"})
			if err == nil {
				out.available = bs[0].ATP()
			}
			return err
		})
		return out, err
	}
	err = d.reserve(id, "a", in.qty)
	if _, short := errors.AsType[*stock.Shortage](err); short {
		return stockAnswer{}, nil
	}
	return stockAnswer{ok: err == nil}, err
}

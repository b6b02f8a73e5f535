package ops

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/spillway/spillway/domain/catalog"
	"github.com/spillway/spillway/domain/stock"
	"github.com/spillway/spillway/internal/pgtest"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/kit/id"
	"github.com/spillway/spillway/kit/seal"
	"github.com/spillway/spillway/store"
)

// homes are the databases the ledger's use-cases are tried on.
var homes = map[string]func(testing.TB) string{
	"sqlite":   func(tb testing.TB) string { return "sqlite:" + tb.TempDir() + "/ledger.db" },
	"postgres": pgtest.Start,
}

// onBoth runs a test on each database.
func onBoth(t *testing.T, f func(t *testing.T, url string)) {
	for name, url := range homes {
		t.Run(name, func(t *testing.T) { f(t, url(t)) })
	}
}

// ledgerOps is a process without shops on a database.
func ledgerOps(t testing.TB, url string) *Ops {
	t.Helper()
	st, err := store.Open(t.Context(), url, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	ring, err := seal.Parse(seal.NewKey())
	if err != nil {
		t.Fatal(err)
	}
	client := func(bool) *http.Client { return http.DefaultClient }
	x, err := New(Options{Store: st, Ring: ring, Now: time.Now, Client: client, Files: client})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		x.Stop()
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := x.LoadOnly(t.Context()); err != nil {
		t.Fatal(err)
	}
	return x
}

// shelf makes items with units at one location.
func shelf(t *testing.T, x *Ops, units int64, items ...string) {
	t.Helper()
	if err := x.st.Update(t.Context(), func(tx *store.Tx) error {
		return tx.LocationPut(stock.Location{ID: "main", Kind: stock.Own, Active: true})
	}); err != nil {
		t.Fatal(err)
	}
	var all []catalog.Item
	var moves []stock.Movement
	for _, it := range items {
		all = append(all, catalog.Item{ID: it, SKU: it})
		moves = append(moves, stock.Movement{ID: id.New(), Kind: stock.Receive, ItemID: it, LocationID: "main", OnHand: units})
	}
	if err := errors.Join(x.PutItems(t.Context(), all), x.Move(t.Context(), "test", moves, nil)); err != nil {
		t.Fatal(err)
	}
}

// held proves the ledger and returns what is reserved of an item.
func held(t interface {
	Helper()
	Fatal(...any)
}, x *Ops, item string) (n int64) {
	t.Helper()
	if err := x.st.View(context.Background(), func(tx *store.Tx) error {
		found, err := tx.LedgerCheck()
		if err != nil || len(found) > 0 {
			return fmt.Errorf("the ledger does not prove: %v %v", found, err)
		}
		bs, err := tx.Balances([]string{item})
		for _, b := range bs {
			n += b.Reserved
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return n
}

func one(order, item string, qty int64) Reserve {
	return Reserve{ID: order, Lines: []ReserveLine{{item, qty}}, Actor: "test"}
}

func TestRetriesGetTheFirstAnswerWhateverIsLeft(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		x, ctx := ledgerOps(t, url), t.Context()
		shelf(t, x, 3, "a", "b")
		for _, c := range []struct {
			what string
			do   error
			want errs.Kind // Internal: none
		}{
			{"the first", x.Reserve(ctx, one("1", "a", 2)), errs.Internal},
			{"more than is left", x.Reserve(ctx, one("2", "a", 2)), errs.Insufficient},
			{"a smaller one after it", x.Reserve(ctx, one("3", "a", 1)), errs.Internal},
			{"the first again, sold out", x.Reserve(ctx, one("1", "a", 2)), errs.Internal},
			{"its id with another quantity", x.Reserve(ctx, one("1", "a", 1)), errs.Conflict},
			{"its id with another item", x.Reserve(ctx, one("1", "b", 2)), errs.Conflict},
			{"its id with one more item", x.Reserve(ctx, Reserve{ID: "1", Lines: []ReserveLine{{"a", 2}, {"b", 1}}}), errs.Conflict},
			{"an unknown item", x.Reserve(ctx, one("4", "nothing", 1)), errs.Invalid},
			{"no units", x.Reserve(ctx, one("4", "a", 0)), errs.Invalid},
			{"broken text", x.Reserve(ctx, one("\xff", "a", 1)), errs.Invalid},
			{"both or none", x.Reserve(ctx, Reserve{ID: "5", Lines: []ReserveLine{{"b", 1}, {"a", 1}}}), errs.Insufficient},
			{"lines of one item add up", x.Reserve(ctx, Reserve{ID: "6", Lines: []ReserveLine{{"b", 1}, {"b", 1}}}), errs.Internal},
			{"said otherwise", x.Reserve(ctx, one("6", "b", 2)), errs.Internal},
			{"an end", x.Release(ctx, "1", false, "test"), errs.Internal},
			{"an end again", x.Release(ctx, "1", false, "test"), errs.Internal},
			{"an ended one again", x.Reserve(ctx, one("1", "a", 2)), errs.Conflict},
			{"what became free", x.Reserve(ctx, one("7", "a", 2)), errs.Internal},
			{"shipped", x.Release(ctx, "7", true, "test"), errs.Internal},
			{"a shipped one again", x.Reserve(ctx, one("7", "a", 2)), errs.Internal},
			{"an end of nothing", x.Release(ctx, "8", false, "test"), errs.NotFound},
		} {
			if c.want == errs.Internal && c.do != nil || c.want != errs.Internal && !errs.Is(c.do, c.want) {
				t.Errorf("%s: %v", c.what, c.do)
			}
		}
		if a, b := held(t, x, "a"), held(t, x, "b"); a != 1 || b != 2 {
			t.Errorf("%d of a and %d of b are held, want 1 and 2", a, b)
		}
	})
}

func TestOneBatchIsLikeCallsInTurn(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		x := ledgerOps(t, url)
		run := 0
		rapid.Check(t, func(rt *rapid.T) {
			run++
			items := []string{fmt.Sprintf("a%d", run), fmt.Sprintf("b%d", run)}
			units := rapid.Int64Range(1, 12).Draw(rt, "units")
			shelf(t, x, units, items...)
			m := model{free: map[string]int64{items[0]: units, items[1]: units}, taken: map[string][]ReserveLine{}, ended: map[string]bool{}}
			for range rapid.IntRange(1, 3).Draw(rt, "batches") {
				var calls []ledgerCall
				var want []errs.Kind
				for range rapid.IntRange(1, 12).Draw(rt, "calls") {
					order := fmt.Sprintf("%d/%d", run, rapid.IntRange(0, 7).Draw(rt, "order"))
					if rapid.IntRange(0, 4).Draw(rt, "what") == 0 {
						shipped := rapid.Bool().Draw(rt, "shipped")
						calls = append(calls, ledgerCall{order: reservePrefix + order, ends: true, shipped: shipped})
						want = append(want, m.end(order, shipped))
						continue
					}
					lines := []ReserveLine{{items[rapid.IntRange(0, 1).Draw(rt, "item")], rapid.Int64Range(1, 4).Draw(rt, "qty")}}
					if rapid.Bool().Draw(rt, "two") {
						lines = []ReserveLine{{items[0], lines[0].Qty}, {items[1], rapid.Int64Range(1, 4).Draw(rt, "other")}}
					}
					c, err := x.reserveCall(Reserve{ID: order, Lines: lines})
					if err != nil {
						rt.Fatal(err)
					}
					calls, want = append(calls, c), append(want, m.reserve(order, lines))
				}
				got, err := x.ledgerBatch(t.Context(), calls, func() {})
				if err != nil {
					rt.Fatal(err)
				}
				for i := range got {
					if (got[i] == nil) != (want[i] == errs.Internal) || got[i] != nil && errs.KindOf(got[i]) != want[i] {
						rt.Fatalf("call %d %+v: %v, the model says %s", i, calls[i], got[i], want[i])
					}
				}
				for _, it := range items {
					if n := held(rt, x, it); n != m.holds(it) {
						rt.Fatalf("%d of %s are held, the model holds %d", n, it, m.holds(it))
					}
				}
			}
		})
	})
}

// model is the ledger as one plain counter for each item. Internal stands for yes.
type model struct {
	free  map[string]int64
	taken map[string][]ReserveLine
	ended map[string]bool // held no more; a value says that it was shipped
}

func (m *model) reserve(order string, lines []ReserveLine) errs.Kind {
	if was, known := m.taken[order]; known {
		if shipped, ended := m.ended[order]; ended && !shipped || !slices.Equal(was, lines) {
			return errs.Conflict
		}
		return errs.Internal
	}
	for _, l := range lines {
		if m.free[l.ItemID] < l.Qty {
			return errs.Insufficient
		}
	}
	for _, l := range lines {
		m.free[l.ItemID] -= l.Qty
	}
	m.taken[order] = lines
	return errs.Internal
}

func (m *model) end(order string, shipped bool) errs.Kind {
	lines, known := m.taken[order]
	if !known {
		return errs.NotFound
	}
	if _, ended := m.ended[order]; !ended {
		m.ended[order] = shipped
		for _, l := range lines {
			if !shipped {
				m.free[l.ItemID] += l.Qty
			}
		}
	}
	return errs.Internal
}

func (m *model) holds(item string) (n int64) {
	for order, lines := range m.taken {
		for _, l := range lines {
			if _, ended := m.ended[order]; l.ItemID == item && !ended {
				n += l.Qty
			}
		}
	}
	return n
}

func TestTwoProcessesSellOneItemExactly(t *testing.T) {
	url := pgtest.Start(t)
	a := ledgerOps(t, url)
	shelf(t, a, 100, "hot")
	both := []*Ops{a, ledgerOps(t, url)}
	var mu sync.Mutex
	won := map[string]int{}
	var wg sync.WaitGroup
	for i := range 400 { // 200 orders, each told to both processes at once
		wg.Go(func() {
			order := fmt.Sprint(i / 2)
			err := both[i%2].Reserve(t.Context(), one(order, "hot", 1))
			if err != nil && !errs.Is(err, errs.Insufficient) {
				t.Error(err)
			}
			if err == nil {
				mu.Lock()
				won[order]++
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	if n := held(t, a, "hot"); n != 100 || len(won) != 100 {
		t.Errorf("%d units are held by %d orders, want 100 by 100", n, len(won))
	}
}

// One id with one item told to one process and with another told to the other, at once: the locks of different items do not meet, and one of
// the two must be refused all the same, alone.
func TestTwoProcessesKeepAnIDToItsLines(t *testing.T) {
	url := pgtest.Start(t)
	a := ledgerOps(t, url)
	const ids = 300
	shelf(t, a, ids, "left", "right")
	both, items := []*Ops{a, ledgerOps(t, url)}, []string{"left", "right"}
	var got [2][]error
	var wg sync.WaitGroup
	for p := range both {
		var rs []Reserve
		for i := range ids {
			r := one(fmt.Sprint(i), items[p], 1)
			if i%3 == 0 { // its own: a batch goes on around those refused
				r.ID = fmt.Sprint(items[p], i)
			}
			rs = append(rs, r)
		}
		wg.Go(func() { got[p] = both[p].ReserveAll(t.Context(), rs) })
	}
	wg.Wait()
	won, wantWon := [2]int64{}, int64(0)
	for i := range ids {
		left, right := got[0][i], got[1][i]
		switch {
		case i%3 == 0:
			wantWon += 2
			if left != nil || right != nil {
				t.Errorf("%d, two ids: %v, %v", i, left, right)
			}
		case (left == nil) == (right == nil):
			t.Errorf("%d, one id: %v, %v", i, left, right)
		case left != nil && !errs.Is(left, errs.Conflict), right != nil && !errs.Is(right, errs.Conflict):
			t.Errorf("%d was refused for another reason: %v, %v", i, left, right)
		}
		if i%3 != 0 {
			wantWon++
		}
		for p := range both {
			if got[p][i] == nil {
				won[p]++
			}
		}
	}
	if l, r := held(t, a, "left"), held(t, a, "right"); l != won[0] || r != won[1] || l+r != wantWon {
		t.Errorf("held are %d and %d, won were %v of %d", l, r, won, wantWon)
	}
	// Asked again, each gets the answer it got.
	for p := range both {
		for i := 1; i < ids; i += 3 {
			err := both[1-p].Reserve(t.Context(), one(fmt.Sprint(i), items[p], 1))
			if (err == nil) != (got[p][i] == nil) {
				t.Errorf("%d of %s was answered %v and then %v", i, items[p], got[p][i], err)
			}
		}
	}
}

func TestAPoisonedCallFailsAlone(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		x := ledgerOps(t, url)
		shelf(t, x, 1000, "a")
		var calls []ledgerCall
		for i := range 40 {
			c, err := x.reserveCall(one(fmt.Sprint(i), "a", 1))
			if err != nil {
				t.Fatal(err)
			}
			if i == 17 { // text no database takes, past the checks
				c.wants[0].OrderID += "\x00"
			}
			calls = append(calls, c)
		}
		answers, failed := x.ledger.DoAll(t.Context(), calls)
		for i := range calls {
			if err := errors.Join(answers[i], failed[i]); (err != nil) != (i == 17) {
				t.Errorf("call %d: %v", i, err)
			}
		}
		if n := held(t, x, "a"); n != 39 {
			t.Errorf("%d units are held, want 39", n)
		}
	})
}

func TestReserveAllAnswersEach(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		x := ledgerOps(t, url)
		shelf(t, x, 2, "a")
		got := x.ReserveAll(t.Context(), []Reserve{one("1", "a", 1), one("2", "nothing", 1), one("3", "a", 2), one("1", "a", 1), one("4", "a", 1)})
		for i, want := range []errs.Kind{errs.Internal, errs.Invalid, errs.Insufficient, errs.Internal, errs.Internal} {
			if want == errs.Internal && got[i] != nil || want != errs.Internal && !errs.Is(got[i], want) {
				t.Errorf("answer %d: %v", i, got[i])
			}
		}
		if short, ok := errors.AsType[*stock.Shortage](got[2]); !ok || short.ItemID != "a" || short.Available != 1 {
			t.Errorf("the refusal does not say what is left: %v", got[2])
		}
	})
}

// What was refused is tried again when it is asked again, in the same batch too: units may have become free in between.
func TestARefusalInABatchIsNotKept(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		x := ledgerOps(t, url)
		shelf(t, x, 2, "again")
		var calls []ledgerCall
		for _, id := range []string{"first", "second", "", "second"} {
			c, err := x.reserveCall(Reserve{ID: id, Lines: []ReserveLine{{"again", 2}}})
			if id == "" {
				c, err = ledgerCall{order: reservePrefix + "first", ends: true}, nil
			}
			if err != nil {
				t.Fatal(err)
			}
			calls = append(calls, c)
		}
		got, err := x.ledgerBatch(t.Context(), calls, func() {})
		if err != nil || got[0] != nil || !errs.Is(got[1], errs.Insufficient) || got[2] != nil || got[3] != nil {
			t.Errorf("yes, no, freed and then yes expected: %v, %v", got, err)
		}
	})
}

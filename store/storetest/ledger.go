package storetest

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spillway/spillway/domain/stock"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/store"
)

var ledgerCases = []testcase{
	{"movements and reservations come back as they went in", ledgerRoundTrip},
	{"a movement id is booked once", movementOnce},
	{"a movement is reversed once", reversedOnce},
	{"the last guard refuses an oversold balance", lastGuard},
	{"a stale balance is not saved", staleBalance},
	{"a stale reservation is not saved", staleReservation},
	{"as of", asOf},
	{"expired reservations are found and end", expired},
	{"holders are found when they must give", holdersFound},
	{"the whole ledger is read in pieces", ledgerInPieces},
	{"large batches", largeBatches},
}

func ledgerRoundTrip(t *testing.T, d *database) {
	d.stocked(t, 10, "a", "b")
	w := stock.Want{OrderID: "shop:1", LineID: "l/1", ItemID: "a", ConnectionID: "shop", Reserve: 12, ExpiresAt: day.Add(time.Hour), Due: day.Add(2 * time.Hour)}
	var rows []stock.Reservation
	var moves []stock.Movement
	d.update(t, func(tx *store.Tx) error {
		return book(tx, []string{"a"}, []string{w.OrderID}, func(b *stock.Book) error {
			if s, err := b.Settle(w); err != nil || s.Held != 10 || s.Short != 2 {
				t.Errorf("%+v, %v", s, err)
			}
			moves, rows = b.Movements(), b.DirtyReservations()
			return nil
		})
	})
	d.view(t, func(tx *store.Tx) error {
		got, err := tx.ReservationsForOrders([]string{"shop:1", "shop:2"})
		if err != nil {
			return err
		}
		byPlace := map[string]stock.Reservation{}
		for _, r := range got {
			byPlace[r.LocationID] = r
		}
		for _, r := range rows {
			if diff := cmp.Diff(r, byPlace[r.LocationID]); diff != "" {
				t.Error(diff)
			}
		}
		return journalOf(t, tx, moves[0])
	})
	// Redelivered: nothing to do, nothing to save.
	d.update(t, func(tx *store.Tx) error {
		return book(tx, []string{"a"}, []string{w.OrderID}, func(b *stock.Book) error {
			s, err := b.Settle(w)
			if s.Changed || len(b.Movements())+len(b.DirtyReservations()) > 0 {
				t.Errorf("redelivery: %+v %v", s, b.Movements())
			}
			return err
		})
	})
	d.proven(t, "a", 10, 10)
}

// journalOf looks for the movement first, of the order shop:1 on the item a, in every way the journal is read.
func journalOf(t *testing.T, tx *store.Tx, first stock.Movement) error {
	m, err := tx.MovementGet(first.ID)
	want := first
	want.Seq = m.Seq
	if diff := cmp.Diff(want, m); diff != "" {
		t.Error(diff)
	}
	if err != nil {
		return err
	}
	if _, err := tx.MovementGet("none"); !errs.Is(err, errs.NotFound) {
		t.Errorf("unknown movement: %v", err)
	}
	ofItem, err := tx.MovementsOfItem("a", 0, 10)
	if len(ofItem) != 2 || ofItem[0].Kind != stock.Reserve || ofItem[0].Seq <= ofItem[1].Seq {
		t.Errorf("journal of the item: %+v", ofItem)
	}
	if err != nil {
		return err
	}
	older, err := tx.MovementsOfItem("a", ofItem[0].Seq, 10)
	if len(older) != 1 || older[0].Kind != stock.Receive {
		t.Errorf("older: %+v", older)
	}
	if err != nil {
		return err
	}
	ofRef, err := tx.MovementsOfRef("shop:1")
	if len(ofRef) != 1 {
		t.Errorf("journal of the order: %+v", ofRef)
	}
	if err != nil {
		return err
	}
	short, err := tx.ShortTotal()
	if short != 2 {
		t.Errorf("short in all: %d", short)
	}
	return err
}

func receive(d *database, id string, qty int64) error {
	return d.Update(d.ctx, func(tx *store.Tx) error {
		return book(tx, []string{"a"}, nil, func(b *stock.Book) error {
			return b.Move(stock.Movement{ID: id, Kind: stock.Receive, ItemID: "a", LocationID: "main", OnHand: qty})
		})
	})
}

func movementOnce(t *testing.T, d *database) {
	d.stocked(t, 1, "a")
	if err := receive(d, "delivery note 7", 5); err != nil {
		t.Fatal(err)
	}
	if err := receive(d, "delivery note 7", 5); !errs.Is(err, errs.Conflict) {
		t.Errorf("booked twice: %v", err)
	}
	d.update(t, func(tx *store.Tx) error {
		known, err := tx.MovementsGet([]string{"delivery note 7", "delivery note 8"})
		if len(known) != 1 {
			t.Errorf("keys first: %+v", known)
		}
		return err
	})
	err := d.Update(d.ctx, func(tx *store.Tx) error { // the append itself tells, also inside one batch
		m := stock.Movement{ID: "x", Kind: stock.Receive, ItemID: "b", LocationID: "main", OnHand: 1, OnHandAfter: 1}
		dup, err := tx.MovementsAppend([]stock.Movement{{ID: "delivery note 7", ItemID: "a", LocationID: "main", Kind: stock.Receive}, m, m})
		if diff := cmp.Diff([]string{"delivery note 7", "x"}, dup); diff != "" {
			t.Error(diff)
		}
		if err != nil {
			return err
		}
		return errStop
	})
	if !errors.Is(err, errStop) {
		t.Error(err)
	}
	d.proven(t, "a", 6, 0)
}

func reversedOnce(t *testing.T, d *database) {
	d.stocked(t, 5, "a")
	undo := func(id string) error {
		return d.Update(d.ctx, func(tx *store.Tx) error {
			m, err := tx.MovementGet("first/a")
			if err != nil {
				return err
			}
			r, err := stock.Reverse(m, id, tx.Now(), "ann", "typed twice")
			if err != nil {
				return err
			}
			return book(tx, []string{"a"}, nil, func(b *stock.Book) error {
				if err := b.Move(stock.Movement{ID: "spare/" + id, Kind: stock.Receive, ItemID: "a", LocationID: "main", OnHand: 5}); err != nil {
					return err
				}
				return b.Move(r)
			})
		})
	}
	if err := undo("undo 1"); err != nil {
		t.Fatal(err)
	}
	if err := undo("undo 2"); !errs.Is(err, errs.Conflict) {
		t.Errorf("reversed twice: %v", err)
	}
	d.proven(t, "a", 5, 0)
	d.view(t, func(tx *store.Tx) error {
		r, ok, err := tx.MovementReversal("first/a")
		if !ok || r.ID != "undo 1" {
			t.Errorf("%+v %v", r, ok)
		}
		return err
	})
}

func lastGuard(t *testing.T, d *database) {
	d.stocked(t, 5, "a")
	for name, bad := range map[string]stock.Balance{
		"oversold":     {OnHand: 5, Reserved: 6, Version: 2, Prior: 1},
		"less than no": {OnHand: 5, Reserved: -1, Version: 2, Prior: 1},
		"all damaged":  {OnHand: 5, Reserved: 3, Damaged: 3, Version: 2, Prior: 1},
	} {
		bad.ItemID, bad.LocationID = "a", "main"
		if err := d.Update(d.ctx, func(tx *store.Tx) error { return tx.BalancesSave([]stock.Balance{bad}) }); err == nil {
			t.Errorf("%s: saved", name)
		}
	}
	d.fails(t, errs.Invalid, func(tx *store.Tx) error {
		return tx.BalancesSave([]stock.Balance{{ItemID: "nothing", LocationID: "main", OnHand: 1, Version: 1}})
	})
	d.proven(t, "a", 5, 0)
}

func staleBalance(t *testing.T, d *database) {
	d.stocked(t, 5, "a")
	runs := 0
	err := d.Update(d.ctx, func(tx *store.Tx) error {
		runs++
		return tx.BalancesSave([]stock.Balance{{ItemID: "a", LocationID: "main", OnHand: 9, Version: 8, Prior: 7}})
	})
	if !errs.Is(err, errs.Conflict) || runs < 2 {
		t.Errorf("%v after %d runs", err, runs)
	}
	d.fails(t, errs.Conflict, func(tx *store.Tx) error {
		return tx.BalancesSave([]stock.Balance{{ItemID: "a", LocationID: "main", OnHand: 9, Version: 1}})
	})
	d.proven(t, "a", 5, 0)
}

// staleReservation reads reservations before the lock, as no caller should: the save must not undo what happened in between.
func staleReservation(t *testing.T, d *database) {
	d.stocked(t, 4, "a")
	if err := d.reserve("shop:1", "a", 1); err != nil {
		t.Fatal(err)
	}
	var old []stock.Reservation
	d.view(t, func(tx *store.Tx) (err error) { old, err = tx.ReservationsForOrders([]string{"shop:1"}); return err })
	if err := d.reserve("shop:1", "a", 2); err != nil {
		t.Fatal(err)
	}
	settle := func(rows []stock.Reservation) error {
		return d.Update(d.ctx, func(tx *store.Tx) error {
			b, err := tx.LedgerOpen("test", []string{"a"}, nil)
			if err != nil {
				return err
			}
			b.Load(nil, rows)
			if _, err := b.Settle(stock.Want{OrderID: "shop:1", LineID: "1", ItemID: "a", Reserve: 3}); err != nil {
				return err
			}
			return tx.LedgerSave(b)
		})
	}
	if err := settle(old); !errs.Is(err, errs.Conflict) {
		t.Errorf("saving over a change: %v", err)
	}
	if err := settle(nil); !errs.Is(err, errs.Conflict) {
		t.Errorf("saving as if it were new: %v", err)
	}
	d.proven(t, "a", 4, 2)
}

func asOf(t *testing.T, d *database) {
	clock := day
	st, err := store.Open(d.ctx, d.url, store.Options{Now: func() time.Time { return clock }})
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	timed := &database{url: d.url, ctx: d.ctx, Store: st}
	timed.stocked(t, 10, "a", "b")
	for i := range 3 {
		clock = clock.Add(time.Hour)
		if err := timed.reserve(orderID(i), "a", 2); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		at       time.Time
		reserved int64
		known    bool
	}{
		{day.Add(-time.Microsecond), 0, false}, {day, 0, true}, {day.Add(time.Hour - time.Microsecond), 0, true}, {day.Add(time.Hour), 2, true},
		{day.Add(150 * time.Minute), 4, true}, {day.Add(100 * time.Hour), 6, true},
	} {
		timed.view(t, func(tx *store.Tx) error {
			got, err := tx.BalanceAsOf("a", c.at)
			if (len(got) == 1) != c.known || c.known && (got[0].Reserved != c.reserved || got[0].OnHand != 10) {
				t.Errorf("at %v: %+v, want %d reserved", c.at, got, c.reserved)
			}
			return err
		})
	}
}

func expired(t *testing.T, d *database) {
	d.stocked(t, 10, "a")
	for i := range 3 {
		d.update(t, func(tx *store.Tx) error {
			return book(tx, []string{"a"}, []string{orderID(i)}, func(b *stock.Book) error {
				return b.TryReserve([]stock.Want{{OrderID: orderID(i), LineID: "1", ItemID: "a", Reserve: 1, ExpiresAt: day.Add(time.Duration(i) * time.Hour)}})
			})
		})
	}
	if err := d.reserve("for ever", "a", 1); err != nil {
		t.Fatal(err)
	}
	end := func() (n int) {
		d.update(t, func(tx *store.Tx) error {
			over, err := tx.ReservationsExpired(day.Add(time.Hour), 10)
			n = len(over)
			if err != nil || n == 0 {
				return err
			}
			var orders []string
			for _, r := range over {
				orders = append(orders, r.OrderID)
			}
			return book(tx, []string{"a"}, orders, func(b *stock.Book) error {
				for _, r := range over {
					w, ok := b.WantOf(r.OrderID, r.LineID, r.ItemID)
					if !ok {
						t.Errorf("no demand for %+v", r)
					}
					w.Reserve, w.ReleaseKind = 0, stock.Expire
					if _, err := b.Settle(w); err != nil {
						return err
					}
				}
				return nil
			})
		})
		return n
	}
	if n := end(); n != 2 {
		t.Errorf("%d reservations were over", n)
	}
	if n := end(); n != 0 {
		t.Errorf("%d reservations are over again", n)
	}
	d.proven(t, "a", 10, 2)
}

func holdersFound(t *testing.T, d *database) {
	d.stocked(t, 3, "a")
	for i := range 3 {
		if err := d.reserve(orderID(i), "a", 1); err != nil {
			t.Fatal(err)
		}
	}
	d.update(t, func(tx *store.Tx) error {
		return book(tx, []string{"a"}, nil, func(b *stock.Book) error {
			return b.Move(stock.Movement{ID: "fire", Kind: stock.Adjust, ItemID: "a", LocationID: "main", OnHand: -2})
		})
	})
	d.proven(t, "a", 1, 1)
	d.update(t, func(tx *store.Tx) error {
		b, err := tx.LedgerOpen("test", []string{"a"}, nil)
		if err != nil {
			return err
		}
		if err := b.Move(stock.Movement{ID: "more", Kind: stock.Receive, ItemID: "a", LocationID: "main", OnHand: 5}); err != nil {
			return err
		}
		short, err := tx.ReservationsShort([]string{"a"})
		if err != nil {
			return err
		}
		b.Load(nil, short)
		if got := b.FillShorts("a"); len(got) != 2 {
			t.Errorf("filled: %+v", got)
		}
		return tx.LedgerSave(b)
	})
	d.proven(t, "a", 6, 3)
}

func ledgerInPieces(t *testing.T, d *database) {
	const n = 5200 // more than one piece of 5,000
	items := make([]string, n)
	for i := range items {
		items[i] = fmt.Sprintf("item %05d", i)
	}
	d.stocked(t, 1, items...)
	d.update(t, func(tx *store.Tx) error {
		return book(tx, items, nil, func(b *stock.Book) error {
			for i, id := range items {
				if _, err := b.Settle(stock.Want{OrderID: orderID(i), LineID: "1", ItemID: id, Reserve: 1}); err != nil {
					return err
				}
			}
			return nil
		})
	})
	d.proven(t, items[n-1], 1, 1)
	d.view(t, func(tx *store.Tx) error {
		balances, moves, rows := 0, 0, 0
		if err := tx.BalancesAll(func(stock.Balance) bool { balances++; return true }); err != nil {
			return err
		}
		if err := tx.JournalAll(func(stock.Movement) bool { moves++; return true }); err != nil {
			return err
		}
		if err := tx.ReservationsAll(func(stock.Reservation) bool { rows++; return rows < 10 }); err != nil {
			return err
		}
		if balances != n || moves != 2*n || rows != 10 {
			t.Errorf("%d balances, %d movements, %d reservations", balances, moves, rows)
		}
		return nil
	})
}

// largeBatches is the shape of intake: hundreds of orders on few items, on tables that were empty a moment ago.
func largeBatches(t *testing.T, d *database) {
	d.stocked(t, 1000, "a", "b")
	for round := range 4 {
		var ids []string
		for i := range 512 {
			ids = append(ids, orderID(round*512+i))
		}
		d.update(t, func(tx *store.Tx) error {
			return book(tx, []string{"b", "a"}, ids, func(b *stock.Book) error {
				for i, id := range ids {
					item := []string{"a", "b"}[i%2]
					if _, err := b.Settle(stock.Want{OrderID: id, LineID: "1", ItemID: item, Reserve: 1}); err != nil {
						return err
					}
				}
				return nil
			})
		})
	}
	d.proven(t, "a", 1000, 1000)
	d.view(t, func(tx *store.Tx) error {
		short, err := tx.ShortTotal()
		if short != 48 {
			t.Errorf("%d short, want 2,048 - 2,000", short)
		}
		return err
	})
}

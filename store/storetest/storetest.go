package storetest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/spillway/spillway/domain/catalog"
	"github.com/spillway/spillway/domain/stock"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/store"
)

// patience bounds every case: they take milliseconds to seconds, and a dead lock must not hang the run.
const patience = 2 * time.Minute

// database is one empty database for one case.
type database struct {
	url   string
	fresh func(testing.TB) string // makes another empty one
	ctx   context.Context
	*store.Store
}

// Exercise runs the suite. fresh makes an empty database and returns its URL.
func Exercise(t *testing.T, fresh func(testing.TB) string) {
	for _, group := range [][]testcase{basics, catalogCases, ledgerCases, orderCases, logCases, inboxCases, channelCases, leaseCases, healthCases, incidentCases, nodeCases, handlingCases, shippingCases, floorCases, backupCases, maintainCases, moveCases, custodyCases, racing} {
		for _, c := range group {
			t.Run(c.name, func(t *testing.T) {
				d := open(t, fresh(t))
				d.fresh = fresh
				c.run(t, d)
			})
		}
	}
}

type testcase struct {
	name string
	run  func(*testing.T, *database)
}

func open(tb testing.TB, url string) *database {
	tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	st, err := store.Open(ctx, url, store.Options{})
	if err != nil {
		cancel()
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := st.Close(); err != nil {
			tb.Errorf("Close: %v", err)
		}
		cancel()
	})
	return &database{url: url, ctx: ctx, Store: st}
}

// update runs f in a transaction that must succeed.
func (d *database) update(tb testing.TB, f func(*store.Tx) error) {
	tb.Helper()
	if err := d.Update(d.ctx, f); err != nil {
		tb.Fatal(err)
	}
}

// view runs f on a snapshot and must succeed.
func (d *database) view(tb testing.TB, f func(*store.Tx) error) {
	tb.Helper()
	if err := d.View(d.ctx, f); err != nil {
		tb.Fatal(err)
	}
}

// inbox runs f in a transaction of the inbox that must succeed.
func (d *database) inbox(tb testing.TB, f func(*store.InboxTx) error) {
	tb.Helper()
	if err := d.UpdateInbox(d.ctx, f); err != nil {
		tb.Fatal(err)
	}
}

// fails runs f in a transaction that must fail with kind, and leave nothing behind: the caller looks.
func (d *database) fails(tb testing.TB, kind errs.Kind, f func(*store.Tx) error) {
	tb.Helper()
	if err := d.Update(d.ctx, f); !errs.Is(err, kind) {
		tb.Errorf("got %v, want an error of kind %s", err, kind)
	}
}

// stocked makes items with units in the location "main".
func (d *database) stocked(tb testing.TB, units int64, items ...string) {
	tb.Helper()
	d.update(tb, func(tx *store.Tx) error {
		var all []catalog.Item
		for _, id := range items {
			all = append(all, catalog.Item{ID: id, SKU: id})
		}
		if err := tx.ItemPut(all); err != nil {
			return err
		}
		if err := tx.LocationPut(stock.Location{ID: "main", Kind: stock.Own, Active: true}); err != nil {
			return err
		}
		return book(tx, items, nil, func(b *stock.Book) error {
			for _, id := range items {
				if units == 0 {
					continue
				}
				if err := b.Move(stock.Movement{ID: "first/" + id, Kind: stock.Receive, ItemID: id, LocationID: "main", OnHand: units}); err != nil {
					return err
				}
			}
			return nil
		})
	})
}

// book opens the ledger, runs f and saves.
func book(tx *store.Tx, items, orders []string, f func(*stock.Book) error) error {
	b, err := tx.LedgerOpen("test", items, orders)
	if err != nil {
		return err
	}
	if err := tx.WithHolders(b, func() error { return f(b) }); err != nil {
		return err
	}
	return tx.LedgerSave(b)
}

// reserve tries to hold qty of item for an order, all or nothing.
func (d *database) reserve(order, item string, qty int64) error {
	return d.Update(d.ctx, func(tx *store.Tx) error {
		return book(tx, []string{item}, []string{order}, func(b *stock.Book) error {
			return b.TryReserve([]stock.Want{{OrderID: order, LineID: "1", ItemID: item, Reserve: qty}})
		})
	})
}

// proven fails unless the ledger proves and the item has these balances in "main".
func (d *database) proven(tb testing.TB, item string, onHand, reserved int64) {
	tb.Helper()
	d.view(tb, func(tx *store.Tx) error {
		found, err := tx.LedgerCheck()
		if err != nil {
			return err
		}
		for _, f := range found {
			tb.Errorf("ledger: %+v", f)
		}
		bs, err := tx.Balances([]string{item})
		if err != nil {
			return err
		}
		if len(bs) != 1 || bs[0].OnHand != onHand || bs[0].Reserved != reserved {
			tb.Errorf("balances of %s: %+v, want %d on hand and %d reserved", item, bs, onHand, reserved)
		}
		return nil
	})
}

// together runs f(0) … f(n-1) at once and returns their errors.
func together(n int, f func(i int) error) []error {
	out := make([]error, n)
	gate := make(chan struct{})
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			<-gate
			out[i] = f(i)
		})
	}
	close(gate)
	wg.Wait()
	return out
}

var errStop = errors.New("stop")

func orderID(i int) string { return fmt.Sprintf("shop:%d", i) }

package bench

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/spillway/spillway/domain/catalog"
	"github.com/spillway/spillway/domain/stock"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/kit/id"
	"github.com/spillway/spillway/kit/seal"
	"github.com/spillway/spillway/ops"
	"github.com/spillway/spillway/store"
)

// openLedger opens the use-cases on a database as the program does. Shops there are, if any, are worked by other processes.
func openLedger(ctx context.Context, url string, receiveOnly bool) (*ops.Ops, *store.Store, error) {
	st, err := store.Open(ctx, url, store.Options{})
	if err != nil {
		return nil, nil, err
	}
	ring, err := seal.Parse(seal.NewKey())
	if err != nil {
		return nil, nil, errors.Join(err, st.Close())
	}
	client := func(bool) *http.Client { return http.DefaultClient } // no shop is connected, so nobody is called
	x, err := ops.New(ops.Options{Store: st, Ring: ring, Now: time.Now, Client: client, Files: client, ReceiveOnly: receiveOnly})
	if err == nil {
		err = x.Start(ctx)
	}
	if err != nil {
		return nil, nil, errors.Join(err, st.Close())
	}
	return x, st, nil
}

// spillway is Spillway itself: the same calls an own shop's checkout makes.
func spillway(ctx context.Context, name, url string) (*contender, error) {
	x, st, err := openLedger(ctx, url, false)
	if err != nil {
		return nil, err
	}
	c := &contender{name: name, close: func() error { x.Stop(); return st.Close() }}
	c.reserve = func(ctx context.Context, id, item string) (bool, error) {
		err := x.Reserve(ctx, ops.Reserve{ID: id, Lines: []ops.ReserveLine{{ItemID: item, Qty: 1}}, Actor: actor})
		if errs.Is(err, errs.Insufficient) {
			return false, nil
		}
		return err == nil, err
	}
	c.stock = func(ctx context.Context, items []string, units int64) error {
		if err := st.Update(ctx, func(tx *store.Tx) error {
			return tx.LocationPut(stock.Location{ID: "main", Name: "Main", Kind: stock.Own, Active: true})
		}); err != nil {
			return err
		}
		all, moves := make([]catalog.Item, len(items)), make([]stock.Movement, len(items))
		for i, it := range items {
			all[i] = catalog.Item{ID: it, SKU: it, Title: it}
			moves[i] = stock.Movement{ID: id.New(), Kind: stock.Receive, ItemID: it, LocationID: "main", OnHand: units}
		}
		if err := x.PutItems(ctx, all); err != nil {
			return err
		}
		return x.Move(ctx, actor, moves, nil)
	}
	c.prove = func(ctx context.Context, item string) (held int64, err error) {
		err = st.View(ctx, func(tx *store.Tx) error {
			found, err := tx.LedgerCheck()
			if err != nil {
				return err
			}
			if len(found) > 0 {
				return errs.New(errs.Internal, "bench ledger", name, "the ledger does not prove: %v", found[0])
			}
			bs, err := tx.Balances([]string{item})
			for _, b := range bs {
				held += b.Reserved
			}
			return err
		})
		return held, err
	}
	return c, nil
}

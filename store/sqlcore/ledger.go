package sqlcore

import (
	"errors"
	"iter"

	"github.com/spillway/spillway/domain/stock"
	"github.com/spillway/spillway/kit/errs"
)

// LedgerOpen locks the items (see BalancesForUpdate) and makes a Book of their balances and of the orders' reservations, at the
// transaction's time. It is three statements whatever the batch.
func (tx *Tx) LedgerOpen(actor string, itemIDs, orderIDs []string) (*stock.Book, error) {
	places, err := tx.Locations()
	if err != nil {
		return nil, err
	}
	balances, err := tx.BalancesForUpdate(itemIDs)
	if err != nil {
		return nil, err
	}
	held, err := tx.ReservationsForOrders(orderIDs)
	if err != nil {
		return nil, err
	}
	return stock.NewBook(tx.now, actor, places, balances, held), nil
}

// LedgerHolders loads into b who holds or lacks the items: the cure for *stock.MissingHolders, and what Book.FillShorts needs.
func (tx *Tx) LedgerHolders(b *stock.Book, itemIDs ...string) error {
	rs, err := tx.ReservationsHolding(itemIDs...)
	if err == nil {
		b.Load(nil, rs)
	}
	return err
}

// WithHolders runs f, which calls b. When b says *stock.MissingHolders it loads them and runs f again.
func (tx *Tx) WithHolders(b *stock.Book, f func() error) error {
	loaded := map[string]bool{}
	for {
		err := f()
		missing, ok := errors.AsType[*stock.MissingHolders](err)
		if !ok {
			return err
		}
		if loaded[missing.ItemID] {
			return &errs.Error{Kind: errs.Internal, Op: "store.WithHolders", Item: missing.ItemID, Safe: "reserved units belong to no reservation", Cause: err}
		}
		loaded[missing.ItemID] = true
		if err := tx.LedgerHolders(b, missing.ItemID); err != nil {
			return err
		}
	}
}

// LedgerSave writes what the Book changed: journal, balances, reservations. Errors: Conflict if a movement id is in the journal already (look
// keys up with MovementsGet first); the transaction runs again if a balance was changed by somebody else.
func (tx *Tx) LedgerSave(b *stock.Book) error {
	dup, err := tx.MovementsAppend(b.Movements())
	if err != nil {
		return err
	}
	if len(dup) > 0 {
		return tx.fail("store.LedgerSave", errs.New(errs.Conflict, "store.LedgerSave", dup[0], "this movement is in the journal already"))
	}
	if err := tx.BalancesSave(b.DirtyBalances()); err != nil {
		return err
	}
	return tx.ReservationsSave(b.DirtyReservations())
}

// LedgerCheck proves the ledger (see stock.Check); an empty result is the proof. Run it in View: the three reads must be of one moment.
func (tx *Tx) LedgerCheck() ([]stock.Discrepancy, error) {
	var balances []stock.Balance
	if err := tx.BalancesAll(func(b stock.Balance) bool { balances = append(balances, b); return true }); err != nil {
		return nil, err
	}
	var failed error
	found := stock.Check(balances, sequence(tx.ReservationsAll, &failed), sequence(tx.JournalAll, &failed))
	if failed != nil {
		return nil, failed
	}
	return found, nil
}

// sequence makes an iterator of a verb that calls back and keeps its error.
func sequence[T any](all func(func(T) bool) error, failed *error) iter.Seq[T] {
	return func(yield func(T) bool) {
		if err := all(yield); err != nil {
			*failed = err
		}
	}
}

package sqlcore

import (
	"errors"
	"iter"

	"github.com/spillway/spillway/domain/stock"
	"github.com/spillway/spillway/kit/errs"
)

// LedgerOpen locks the items (see BalancesForUpdate) and makes a Book of their balances and of the orders' reservations, at the
// transaction's time.
func (tx *Tx) LedgerOpen(actor string, itemIDs, orderIDs []string) (*stock.Book, error) {
	places, err := tx.Locations()
	if err != nil {
		return nil, err
	}
	balances, held, err := tx.LedgerRead(itemIDs, orderIDs)
	if err != nil {
		return nil, err
	}
	return stock.NewBook(tx.now, actor, places, balances, held), nil
}

// LedgerRead locks the items as BalancesForUpdate does and reads their balances and the orders' reservations, ended ones included: one
// round trip whatever the batch.
func (tx *Tx) LedgerRead(itemIDs, orderIDs []string) (bs []stock.Balance, rs []stock.Reservation, err error) {
	const op = "store.LedgerRead"
	if tx.readOnly {
		return nil, nil, errs.New(errs.Internal, op, "", "locks need Update")
	}
	var steps []*Step
	add := func(s *stmt, ids []string, each func(Row) error) {
		if err == nil && len(ids) > 0 {
			var args []any
			args, err = tx.args(s.op, []any{ids})
			steps = append(steps, &Step{Op: s.op, Text: s.text[tx.dialect()], Args: args, Each: each})
		}
	}
	if tx.dialect() == Postgres {
		add(itemsLock, itemIDs, func(Row) error { return nil })
	}
	// Statements after the lock on purpose: on PostgreSQL each gets a snapshot taken after the wait, and so sees what the process
	// waited for has committed.
	add(balances, itemIDs, into(&bs, scanBalance))
	add(reservationsForOrders, orderIDs, into(&rs, scanReservation))
	if err != nil {
		return nil, nil, err
	}
	return bs, rs, tx.pipe(steps)
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

// shares are the statements for batches whose rows are alike, the more alike the earlier: all reserve one item for one caller, or all reserve, at
// one time, and nothing else.
var shares = map[*stmt][]sharing{
	movementBook: {
		insertSharing(movementBook, "movement", movementCols, "at", "recorded_at", "kind", "item_id", "location_id", "on_hand", "reserved",
			"damaged", "on_hand_after", "damaged_after", "line", "reason", "actor", "reverses"),
		insertSharing(movementBook, "movement", movementCols, "at", "recorded_at", "kind", "on_hand", "damaged", "damaged_after", "reason", "reverses"),
	},
	reservationNew: {
		insertSharing(reservationNew, "reservation", reservationCols, "line_id", "item_id", "location_id", "connection_id", "pool", "held",
			"shipped", "short", "unbooked", "expires_at", "due", "created_at", "updated_at", "version"),
		insertSharing(reservationNew, "reservation", reservationCols, "pool", "shipped", "short", "unbooked", "created_at", "updated_at", "version"),
	},
}

// LedgerSave writes what the Book changed: journal, balances, reservations. Errors: Conflict if a movement id is in the journal already (look
// keys up with MovementsGet first); the transaction runs again if a row was changed by somebody else.
func (tx *Tx) LedgerSave(b *stock.Book) error { return tx.ledgerSave(b, false) }

// LedgerFinish is LedgerSave as the last verb of a transaction: where it saves a way to the database, the commit rides along. No verb may
// come after it. Where the journal has one of the movements already, another process was quicker since the keys were looked up: the
// transaction runs again and finds what it did.
func (tx *Tx) LedgerFinish(b *stock.Book) error {
	err := tx.ledgerSave(b, tx.dialect() == Postgres)
	if e, ours := errors.AsType[*errs.Error](err); ours && e.Op == movementBook.op && e.Kind == errs.Conflict {
		return tx.stale(e.Op, "movement")
	}
	return err
}

func (tx *Tx) ledgerSave(b *stock.Book, finish bool) error {
	fresh, old := balanceRows(b.DirtyBalances())
	held, changed := reservationRows(b.DirtyReservations())
	update := balanceUpdate
	if finish {
		// Whoever cannot look at the counts before the commit lets the database do it.
		update = balanceUpdateAll
		finish = len(fresh) == 0 && len(changed) == 0
	}
	var steps []*Step
	for _, part := range []struct {
		stmt *stmt
		rows [][]any
	}{
		{balanceInsert, fresh}, {update, old}, {movementBook, movementRows(b.Movements())}, {reservationNew, held}, {reservationSave, changed},
	} {
		if len(part.rows) == 0 {
			continue
		}
		if err := tx.checkRows(part.stmt, part.rows); err != nil {
			return err
		}
		s := &Step{Op: part.stmt.op, Text: part.stmt.text[tx.dialect()], want: int64(len(part.rows))}
		if tx.dialect() == Postgres {
			s.Text, s.Args = compact(part.stmt, part.rows)
		} else {
			s.Rows, s.Tuples = part.rows, part.stmt.many
		}
		if part.stmt == balanceUpdateAll {
			s.want = 1
		}
		steps = append(steps, s)
	}
	run := tx.run.Pipeline
	if finish {
		run = tx.run.Finish
	}
	if err := tx.piped(steps, run); err != nil {
		if e, ours := errors.AsType[*errs.Error](err); ours && e.Op == reservationNew.op && e.Kind == errs.Conflict || ours && e.Op == balanceUpdateAll.op && e.Kind == errs.Invalid {
			return tx.stale(e.Op, "balance or reservation") // somebody else has made or changed it since we looked
		}
		return err
	}
	for _, s := range steps {
		if s.Count != s.want {
			return tx.stale(s.Op, "balance or reservation")
		}
	}
	return nil
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

package sqlcore

import (
	"database/sql"
	"slices"
	"time"

	"github.com/spillway/spillway/domain/stock"
	"github.com/spillway/spillway/kit/errs"
)

var (
	balanceKey   = []col{{"item_id", text}, {"location_id", text}}
	balanceState = []col{{"on_hand", bigint}, {"reserved", bigint}, {"damaged", bigint}, {"version", bigint}}
	balanceList  = "item_id, location_id, on_hand, reserved, damaged, version"

	itemsLock      = def("store.BalancesForUpdate", "SELECT id FROM item WHERE @in(id, $1) ORDER BY id @lock(FOR NO KEY UPDATE)")
	balances       = def("store.Balances", "SELECT "+balanceList+" FROM balance WHERE @in(item_id, $1) ORDER BY item_id, location_id")
	balancesAll    = def("store.BalancesAll", "SELECT "+balanceList+" FROM balance WHERE item_id > $1 ORDER BY item_id, location_id LIMIT $2")
	balanceInsert  = insert("store.BalancesSave", "balance", slices.Concat(balanceKey, balanceState), "ON CONFLICT DO NOTHING")
	balanceUpdate  = update("store.BalancesSave", "balance", balanceState, balanceKey, "version")
	lastMovementAt = def("store.BalanceAsOf", "SELECT on_hand_after, reserved_after, damaged_after FROM movement WHERE item_id = $1 AND location_id = $2 AND seq <= $3 ORDER BY seq DESC LIMIT 1")
)

// balanceUpdateAll is balanceUpdate that fails, by a division by zero, unless every row was as it should be.
var balanceUpdateAll = func() *stmt {
	s := *balanceUpdate
	s.text[Postgres] = "WITH done AS (" + s.text[Postgres] + " RETURNING 1) SELECT 1 / CASE WHEN count(*) = cardinality($1::bigint[]) THEN 1 ELSE 0 END FROM done"
	all = append(all, &s)
	return &s
}()

func scanBalance(r Row, b *stock.Balance) error {
	err := r.Scan(&b.ItemID, &b.LocationID, &b.OnHand, &b.Reserved, &b.Damaged, &b.Version)
	b.Prior = b.Version
	return err
}

// BalancesForUpdate reads all balances of the items. This read locks: until the transaction ends no other transaction gets past this call
// for any of the items, so their balances and reservations, also those without a row yet, are this transaction's alone. The items are
// locked in the order of id, which keeps callers from waiting for each other in a circle. Read reservations after it, never before.
func (tx *Tx) BalancesForUpdate(itemIDs []string) ([]stock.Balance, error) {
	bs, _, err := tx.LedgerRead(itemIDs, nil) // on SQLite the one writer is the lock
	return bs, err
}

// Balances reads all balances of the items without locking.
func (tx *Tx) Balances(itemIDs []string) ([]stock.Balance, error) {
	if len(itemIDs) == 0 {
		return nil, nil
	}
	return query(tx, balances, rowsOf(scanBalance), itemIDs)
}

// BalancesAll calls each with every balance, in the order of item and location, until it returns false.
func (tx *Tx) BalancesAll(each func(stock.Balance) bool) error {
	const chunk = 5000
	after := ""
	for {
		got, err := query(tx, balancesAll, rowsOf(scanBalance), after, int64(chunk))
		if err != nil {
			return err
		}
		full := len(got) == chunk
		if full { // the last item may go on behind the cut: leave it for the next round
			last := got[len(got)-1].ItemID
			cut := slices.IndexFunc(got, func(b stock.Balance) bool { return b.ItemID == last })
			if cut == 0 {
				return errs.New(errs.Internal, "store.BalancesAll", last, "more than %d locations", chunk)
			}
			got = got[:cut]
		}
		for _, b := range got {
			if !each(b) {
				return nil
			}
		}
		if !full {
			return nil
		}
		after = got[len(got)-1].ItemID
	}
}

// BalancesSave writes balances as a Book changed them. A balance that somebody else has changed since it was loaded (Prior) makes the
// transaction run again.
func (tx *Tx) BalancesSave(bs []stock.Balance) error {
	fresh, old := balanceRows(bs)
	if n, err := tx.bulk(balanceInsert, fresh); err != nil {
		return err
	} else if n != int64(len(fresh)) {
		return tx.stale("store.BalancesSave", "balance")
	}
	if n, err := tx.bulk(balanceUpdate, old); err != nil {
		return err
	} else if n != int64(len(old)) {
		return tx.stale("store.BalancesSave", "balance")
	}
	return nil
}

// balanceRows are the rows of balances that are new and of those that were there.
func balanceRows(bs []stock.Balance) (fresh, old [][]any) {
	for _, b := range bs {
		if b.Prior == 0 {
			fresh = append(fresh, []any{b.ItemID, b.LocationID, b.OnHand, b.Reserved, b.Damaged, b.Version})
			continue
		}
		old = append(old, []any{b.OnHand, b.Reserved, b.Damaged, b.Version, b.ItemID, b.LocationID, b.Prior})
	}
	return fresh, old
}

// BalanceAsOf answers what we thought at a moment: the balances of an item as the journal recorded up to then had them. Locations that the
// item had not been at yet are left out. Version is zero.
func (tx *Tx) BalanceAsOf(itemID string, at time.Time) ([]stock.Balance, error) {
	seq, err := tx.MovementSeqAt(at)
	if err != nil {
		return nil, err
	}
	now, err := tx.Balances([]string{itemID})
	if err != nil {
		return nil, err
	}
	var out []stock.Balance
	for _, b := range now {
		then, ok, err := one(tx, lastMovementAt, func(r *sql.Rows, b *stock.Balance) error { return r.Scan(&b.OnHand, &b.Reserved, &b.Damaged) },
			itemID, b.LocationID, seq)
		if err != nil {
			return nil, err
		}
		if ok {
			then.ItemID, then.LocationID = itemID, b.LocationID
			out = append(out, then)
		}
	}
	return out, nil
}

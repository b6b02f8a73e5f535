package ops

import (
	"context"

	"github.com/spillway/spillway/domain/stock"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/store"
)

// reserveLine is the line id of callers' reservations: an item is held once for each id.
const reserveLine = "1"

// ledgerCall is one caller's call that shares a transaction with others'.
type ledgerCall struct {
	order string // its id with the prefix
	actor string
	wants []stock.Want // a reservation: one for each item

	ends, shipped bool // an end instead: its units are free again, or have left
}

// promise is what is known of an id: what is held, or what it was refused in this batch.
type promise struct {
	wants   []stock.Want // by item: all that it was ever promised and is not free again
	rows    int          // stored ones
	ended   bool         // nothing of it is held, shipped or lacking any more
	refused error
}

// ledgerWork is one batch of calls in one transaction.
type ledgerWork struct {
	tx    *store.Tx
	cat   *catalogue
	book  *stock.Book
	known map[string]promise
}

// ledgerBatch carries out calls in the order they came and answers each: one transaction for all. Ids are looked up before stock is looked
// at, so that a repeat gets its first answer whatever is left. A call that is refused changes nothing and stops nobody.
func (x *Ops) ledgerBatch(ctx context.Context, calls []ledgerCall, next func()) ([]error, error) {
	answers := make([]error, len(calls))
	var touched []string
	cat := x.catalog.Load()
	err := x.st.UpdateAhead(ctx, func(tx *store.Tx) error {
		clear(answers)
		w := ledgerWork{tx: tx, cat: cat}
		if err := w.open(calls); err != nil {
			return err
		}
		for i := range calls {
			refused, err := w.carryOut(&calls[i])
			if err != nil {
				return err
			}
			answers[i] = refused
		}
		touched = w.book.Touched()
		return tx.LedgerFinish(w.book)
	}, next)
	if err != nil {
		return nil, err
	}
	x.changed(touched...)
	return answers, nil
}

// open locks what the calls are about and reads it.
func (w *ledgerWork) open(calls []ledgerCall) error {
	items, ids, ends, frees := w.about(calls)
	var before []stock.Reservation
	var err error
	if len(ends) > 0 { // an end does not say what it is about
		if before, err = w.tx.ReservationsForOrders(ends); err != nil {
			return err
		}
		for _, r := range before {
			items = append(items, r.ItemID)
		}
		items = unique(items)
	}
	balances, rows, err := w.tx.LedgerRead(items, ids)
	if err != nil {
		return err
	}
	if len(ends) > 0 {
		if err := locked(rows, ends, items); err != nil {
			return err
		}
	}
	w.book = stock.NewBook(w.tx.Now(), "", w.cat.locations, balances, rows)
	w.known = make(map[string]promise, len(calls))
	for _, r := range rows {
		k := w.known[r.OrderID]
		k.add(r)
		w.known[r.OrderID] = k
	}
	if !frees {
		return nil
	}
	// What becomes free goes to those who lack it before it goes to whoever comes next.
	var freed []string
	for _, r := range before {
		freed = append(freed, r.ItemID)
	}
	shorts, err := w.tx.ReservationsShort(unique(freed))
	w.book.Load(nil, shorts)
	return err
}

// about lists the items and ids of calls, which of the ids are of ends, and whether any of those frees units.
func (w *ledgerWork) about(calls []ledgerCall) (items, ids, ends []string, frees bool) {
	ids = make([]string, 0, len(calls))
	seen := make(map[string]struct{}, 16)
	last := ""
	for i := range calls {
		c := &calls[i]
		ids = append(ids, c.order)
		if c.ends {
			ends = append(ends, c.order)
			frees = frees || !c.shipped
		}
		for _, want := range c.wants {
			if want.ItemID == last { // a hot item comes a hundred times
				continue
			}
			last = want.ItemID
			if _, known := seen[last]; !known {
				seen[last] = struct{}{}
				items = append(items, last)
			}
		}
	}
	return items, ids, ends, frees
}

// locked refuses rows of ends whose items were not known, and so not locked, when the locks were taken: the transaction runs again and finds
// them.
func locked(rows []stock.Reservation, ends, items []string) error {
	have, ending := make(map[string]bool, len(items)), make(map[string]bool, len(ends))
	for _, it := range items {
		have[it] = true
	}
	for _, id := range ends {
		ending[id] = true
	}
	for _, r := range rows {
		if ending[r.OrderID] && !have[r.ItemID] {
			return store.Again("ops.ledgerBatch", r.OrderID)
		}
	}
	return nil
}

// add counts a stored row.
func (k *promise) add(r stock.Reservation) {
	n := r.Held + r.Shipped + r.Short + r.Unbooked
	k.rows++
	k.ended = n == 0 && (k.ended || k.rows == 1)
	for i := range k.wants {
		if k.wants[i].ItemID == r.ItemID {
			k.wants[i].Reserve += n
			return
		}
	}
	k.wants = append(k.wants, stock.Want{ItemID: r.ItemID, Reserve: n})
}

// carryOut answers one call. An error is the batch's, not the call's.
func (w *ledgerWork) carryOut(c *ledgerCall) (refused, err error) {
	w.book.By(c.actor)
	if c.ends {
		return w.end(c)
	}
	k, known := w.known[c.order]
	switch same := known && sameWants(k.wants, c.wants); {
	case known && k.refused == nil && k.ended:
		return errs.New(errs.Conflict, "ops.Reserve", c.order, "has ended; use a new id to hold units again"), nil
	case known && k.refused == nil && !same:
		return errs.New(errs.Conflict, "ops.Reserve", c.order, "was reserved before with other lines; use a new id"), nil
	case known && k.refused == nil:
		return nil, nil
	}
	// Refused before in this batch, it is tried again as by itself: units may have become free since.
	refused = w.book.TryReserveNew(c.wants)
	if errs.Is(refused, errs.Internal) && refused != nil {
		return nil, refused // the book is spoiled
	}
	w.known[c.order] = promise{wants: c.wants, refused: refused}
	return refused, nil
}

// end gives a reservation's units free, or says that they have left.
func (w *ledgerWork) end(c *ledgerCall) (refused, err error) {
	k, known := w.known[c.order]
	if !known || k.refused != nil {
		return errs.New(errs.NotFound, "ops.Release", c.order, "there is no such reservation"), nil
	}
	left := int64(0)
	for _, promised := range k.wants {
		want, ok := w.book.WantOf(c.order, reserveLine, promised.ItemID)
		if !ok {
			continue
		}
		want.Reserve, want.ReleaseKind = 0, stock.Release
		if c.shipped {
			for _, r := range w.book.Reservations(c.order, reserveLine, promised.ItemID) {
				want.Ship += r.Held
			}
		}
		left += want.Ship
		if err := w.tx.WithHolders(w.book, func() error { _, err := w.book.Settle(want); return err }); err != nil {
			return nil, err
		}
		if !c.shipped && len(w.book.Available(promised.ItemID)) > 0 {
			w.book.FillShorts(promised.ItemID)
		}
	}
	k.ended = left == 0
	w.known[c.order] = k
	return nil, nil
}

// sameWants reports whether two lists hold the same units of the same items.
func sameWants(a, b []stock.Want) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i].ItemID == b[i].ItemID {
			if a[i].Reserve != b[i].Reserve {
				return false
			}
			continue
		}
		found := false
		for j := range b {
			found = found || a[i].ItemID == b[j].ItemID && a[i].Reserve == b[j].Reserve
		}
		if !found {
			return false
		}
	}
	return true
}

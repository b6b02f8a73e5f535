package ops

import (
	"context"
	"time"

	"github.com/spillway/spillway/domain/stock"
	"github.com/spillway/spillway/store"
)

const (
	// houseEvery is how often the housekeeping looks.
	houseEvery = time.Second
	// pruneEvery is how often old rows are deleted; keepLogs is how long logs of pushes and drift stay.
	pruneEvery = time.Hour
	keepLogs   = 90 * 24 * time.Hour
	// keepScans is how long a scan of the floor is known, so that its repeat changes nothing: longer than any phone is without a network.
	keepScans = 14 * 24 * time.Hour
	// numbersEvery is how often every number is read back, for edits made on a channel that no message told of.
	numbersEvery = 10 * time.Minute
	// checkEvery is how often the whole ledger is proved while running.
	checkEvery = 24 * time.Hour
	// expiredPage reservations are ended in one transaction.
	expiredPage = 500
	// prunePage messages are deleted in one transaction, in prunePages transactions a round: an hour's million at once would keep webhooks
	// waiting for seconds, and 4,000 a second is more than come in.
	prunePage, prunePages = 200, 20
)

// housekeeping ends reservations whose time is over, deletes what is old, and once a day proves the ledger and keeps the database in shape.
func (x *Ops) housekeeping() {
	tick := time.NewTicker(houseEvery)
	defer tick.Stop()
	var pruned, checked, kept time.Time
	numbers := x.now()
	for {
		select {
		case <-tick.C:
		case <-x.ctx.Done():
			return
		}
		now := x.now()
		if err := x.followImports(x.ctx); err != nil && x.ctx.Err() == nil {
			x.log.Error("an import could not be taken over", "err", err)
		}
		if err := x.followRules(x.ctx); err != nil && x.ctx.Err() == nil {
			x.log.Error("the rules the shops are judged by could not be read", "err", err)
		}
		if !x.keeper.has(schedulerLease) { // another process does the rest
			numbers, checked = now, now
			continue
		}
		if err := x.expire(x.ctx); err != nil && x.ctx.Err() == nil {
			x.log.Error("expired reservations could not be ended", "err", err)
		}
		if now.Sub(pruned) >= pruneEvery && x.prune(now) {
			pruned = now
		}
		if now.Sub(numbers) >= numbersEvery {
			numbers = now
			if err := x.CheckNumbers(x.ctx); err != nil && x.ctx.Err() == nil {
				x.log.Error("numbers could not be read back", "err", err)
			}
		}
		if now.Sub(kept) >= upkeepLook {
			kept = now
			if err := x.upkeep(x.ctx); err != nil && x.ctx.Err() == nil {
				x.log.Error("the database could not be kept in shape; it is tried again in an hour", "err", err)
			}
		}
		if checked.IsZero() {
			checked = now // the first proof a day after the start; doctor proves it at any time
		}
		if now.Sub(checked) >= checkEvery {
			checked = now
			if p, err := x.Prove(x.ctx); err != nil || !p.OK() {
				x.log.Error("the ledger does not hold; run 'spillway doctor'", "proof", p, "err", err)
			}
		}
	}
}

// expire ends reservations of callers that neither shipped nor released in time.
func (x *Ops) expire(ctx context.Context) error {
	var due []stock.Reservation
	err := x.st.View(ctx, func(tx *store.Tx) (err error) {
		due, err = tx.ReservationsExpired(tx.Now(), expiredPage)
		return err
	})
	if err != nil || len(due) == 0 {
		return err
	}
	var touched []string
	err = x.st.Update(ctx, func(tx *store.Tx) error {
		due, err := tx.ReservationsExpired(tx.Now(), expiredPage)
		if err != nil {
			return err
		}
		var orders, items []string
		for _, r := range due {
			orders, items = append(orders, r.OrderID), append(items, r.ItemID)
		}
		items = unique(items)
		book, err := tx.LedgerOpen("expiry", items, unique(orders))
		if err != nil {
			return err
		}
		for _, r := range due {
			w, ok := book.WantOf(r.OrderID, r.LineID, r.ItemID)
			if !ok {
				continue
			}
			w.Reserve, w.ReleaseKind = 0, stock.Expire
			if _, err := book.Settle(w); err != nil {
				return err
			}
		}
		if err := fillShorts(tx, book); err != nil {
			return err
		}
		touched = book.Touched()
		return tx.LedgerSave(book)
	})
	if err == nil {
		x.changed(touched...)
	}
	return err
}

// followImports takes over what another process has imported: its items, its counts, its orders.
func (x *Ops) followImports(ctx context.Context) error {
	var mark string
	err := x.st.View(ctx, func(tx *store.Tx) (err error) {
		if err := tx.LookLeft(); err != nil {
			return err
		}
		mark, _, err = tx.SettingGet(store.CatalogueSetting)
		return err
	})
	if err != nil || mark == x.imported {
		return err
	}
	if err := x.catalogueChanged(ctx); err != nil {
		return err
	}
	x.imported = mark
	return nil
}

// prune deletes what is old. It is false when there are more messages to delete in the next round.
func (x *Ops) prune(now time.Time) bool {
	all, err := x.pruneInbox(now.Add(-keepInbox))
	if err != nil && x.ctx.Err() == nil {
		x.log.Error("old messages could not be deleted", "err", err)
	}
	err = x.st.Update(x.ctx, func(tx *store.Tx) error {
		if _, err := tx.LogsPrune(now.Add(-keepLogs)); err != nil {
			return err
		}
		now, err := tx.Clock()
		if err != nil {
			return err
		}
		if err := tx.ProcessPrune(now.Add(-forgetProcess)); err != nil {
			return err
		}
		return tx.SessionPrune()
	})
	if err != nil && x.ctx.Err() == nil {
		x.log.Error("old rows could not be deleted", "err", err)
	}
	if err := x.pruneParcels(now); err != nil && x.ctx.Err() == nil {
		x.log.Error("labels and scans whose time is over could not be deleted", "err", err)
	}
	return all
}

// pruneParcels forgets labels, which hold addresses, and scans, which are kept to answer repeats only.
func (x *Ops) pruneParcels(now time.Time) error {
	for _, forget := range []func(*store.Tx) (int64, error){
		func(tx *store.Tx) (int64, error) { return tx.DocumentsPrune(now.Add(-documentKept), prunePage) },
		func(tx *store.Tx) (int64, error) { return tx.ScansPrune(now.Add(-keepScans), prunePage) },
		func(tx *store.Tx) (int64, error) { return tx.CombinationsPrune(now.Add(-keepTogether), prunePage) },
		func(tx *store.Tx) (int64, error) { return tx.BagsPrune(now.Add(-keepTogether), prunePage) },
		func(tx *store.Tx) (int64, error) { return tx.ManifestsPrune(now.Add(-keepTogether), prunePage) },
		func(tx *store.Tx) (int64, error) { return tx.ManifestParcelsPrune(now.Add(-keepTogether), prunePage) },
	} {
		for range prunePages {
			var n int64
			err := x.st.Update(x.ctx, func(tx *store.Tx) (err error) {
				n, err = forget(tx)
				return err
			})
			if err != nil {
				return err
			}
			if n < prunePage {
				break
			}
		}
	}
	return nil
}

// pruneInbox deletes a round of old messages and says whether those were all. After an error it says so too: the next try is due in time.
func (x *Ops) pruneInbox(before time.Time) (all bool, err error) {
	for range prunePages {
		var n int64
		err := x.st.UpdateInbox(x.ctx, func(tx *store.InboxTx) (err error) {
			n, err = tx.InboxPrune(before, prunePage)
			return err
		})
		if err != nil || n < prunePage {
			return true, err
		}
	}
	return false, nil
}

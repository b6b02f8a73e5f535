package storetest

import (
	"context"
	"fmt"
	"path/filepath"
	"sync"
	"testing"

	"github.com/spillway/spillway/domain/stock"
	"github.com/spillway/spillway/store"
)

// backupWhileReceiving makes a backup while deliveries come in and are worked in, restores it into both databases, and works in what
// waits there: nothing acknowledged before the backup began is lost, and nothing is counted twice.
func backupWhileReceiving(t *testing.T, d *database) {
	d.stocked(t, 1_000_000, "a")
	d.update(t, func(tx *store.Tx) error { // makes the copy of the main tables take long, so that much happens beside it
		return tx.EventsAppend(make([]store.Event, 10_000))
	})
	ctx, stop := context.WithCancel(d.ctx)
	var mu sync.Mutex
	var acknowledged []string
	coming, underWay := make(chan struct{}), make(chan struct{})
	failed := make(chan error, 2)
	go func() {
		failed <- until(ctx, func(i int) error {
			id := fmt.Sprintf("m%d", i)
			err := d.UpdateInbox(d.ctx, func(tx *store.InboxTx) error { _, err := tx.InboxAppend([]store.InboxRow{{ID: id}}); return err })
			mu.Lock()
			defer mu.Unlock()
			if acknowledged = append(acknowledged, id); i == 20 {
				close(coming)
			}
			return err
		})
	}()
	go func() {
		failed <- until(ctx, func(i int) error {
			if i == 20 {
				close(underWay)
			}
			return d.drain(50)
		})
	}()
	<-coming
	<-underWay
	mu.Lock()
	before := append([]string(nil), acknowledged...)
	mu.Unlock()
	path := d.backup(t)
	stop()
	for range cap(failed) {
		if err := <-failed; err != nil {
			t.Fatal(err)
		}
	}
	for name, url := range map[string]string{"itself": d.fresh(t), "sqlite": "sqlite:" + filepath.Join(t.TempDir(), "r.db")} {
		if err := store.Restore(d.ctx, url, path); err != nil {
			t.Fatalf("into %s: %v", name, err)
		}
		open(t, url).whole(t, name, before)
	}
}

// until runs f again and again until ctx ends or f fails.
func until(ctx context.Context, f func(i int) error) error {
	for i := 0; ctx.Err() == nil; i++ {
		if err := f(i); err != nil {
			return err
		}
	}
	return nil
}

// drain works in at most limit deliveries as the program does: each is an order of one unit, and it is marked done after that is committed.
func (d *database) drain(limit int) error {
	var ids []string
	if err := d.ViewInbox(d.ctx, func(tx *store.InboxTx) error {
		rows, err := tx.InboxPending(limit, 0)
		for _, r := range rows {
			ids = append(ids, r.ID)
		}
		return err
	}); err != nil {
		return err
	}
	if err := d.takeIn(ids); err != nil {
		return err
	}
	return d.UpdateInbox(d.ctx, func(tx *store.InboxTx) error { return tx.InboxDone(ids) })
}

// takeIn takes orders of one unit of the item "a" in; those known already change nothing.
func (d *database) takeIn(ids []string) error {
	return d.Update(d.ctx, func(tx *store.Tx) error {
		return book(tx, []string{"a"}, ids, func(b *stock.Book) error {
			for _, id := range ids {
				if _, err := b.Settle(stock.Want{OrderID: id, LineID: "1", ItemID: "a", Reserve: 1}); err != nil {
					return err
				}
			}
			return nil
		})
	})
}

// whole looks into a restored database: what is done there has its effect, and after working in the rest, every delivery has it once.
func (d *database) whole(t *testing.T, name string, acknowledged []string) {
	t.Helper()
	done := map[string]bool{}
	var all, pending []string
	d.inbox(t, func(tx *store.InboxTx) error {
		if err := tx.InboxIDs(func(_, id string) bool { all = append(all, id); done[id] = true; return true }); err != nil {
			return err
		}
		rows, err := tx.InboxPending(len(all), 0)
		for _, r := range rows {
			pending = append(pending, r.ID)
			delete(done, r.ID)
		}
		return err
	})
	held := d.held(t, all)
	for id := range done {
		if held[id] != 1 {
			t.Fatalf("into %s: %s is done and %d units are held for it", name, id, held[id])
		}
	}
	if err := d.drain(len(pending) + 1); err != nil {
		t.Fatal(err)
	}
	held = d.held(t, all)
	for _, id := range acknowledged {
		if held[id] != 1 {
			t.Fatalf("into %s: %s was acknowledged before the backup and %d units are held for it", name, id, held[id])
		}
	}
	var sum int64
	d.view(t, func(tx *store.Tx) error {
		return tx.ReservationsAll(func(r stock.Reservation) bool {
			if sum += r.Held; r.Held != 1 {
				t.Errorf("into %s: %d units are held for %s", name, r.Held, r.OrderID)
			}
			return true
		})
	})
	if len(acknowledged) == 0 || len(done) == 0 {
		t.Errorf("into %s: %d acknowledged, %d done: the case shows nothing", name, len(acknowledged), len(done))
	}
	d.proven(t, "a", 1_000_000, sum)
}

func (d *database) held(t *testing.T, ids []string) map[string]int64 {
	t.Helper()
	out := map[string]int64{}
	d.view(t, func(tx *store.Tx) error {
		rs, err := tx.ReservationsForOrders(ids)
		for _, r := range rs {
			out[r.OrderID] += r.Held
		}
		return err
	})
	return out
}

package bench

import (
	"context"
	"fmt"
	"strings"

	"github.com/spillway/spillway/app"
	"github.com/spillway/spillway/app/stage"
	"github.com/spillway/spillway/domain/stock"
	"github.com/spillway/spillway/store"
)

// audit compares what shops sold and were promised with what the program knows.
type audit struct {
	articles []stage.Article
	shops    []stage.Shop
	conns    []string
	acked    map[string]bool // message ids answered with 200
	seen     []uint64
}

// readAcks collects which messages were answered with success.
func (c *audit) readAcks() {
	for i, s := range c.shops {
		for _, a := range s.Courier().Attempts(c.seen[i], 10_000) {
			c.seen[i] = max(c.seen[i], a.Seq)
			if a.Delivered {
				id, _, _ := strings.Cut(a.ID, "|") // the store's courier carries more than the message id
				c.acked[c.conns[i]+"/"+id] = true
			}
		}
	}
}

// compare counts units by SKU: what the shops sold must be what the ledger reserved and shipped. It names the first difference.
func (c *audit) compare(ctx context.Context, a *app.App) (string, error) {
	wrong := ""
	err := a.Store().View(ctx, func(tx *store.Tx) error {
		booked := map[string]int64{}
		if err := tx.ReservationsAll(func(r stock.Reservation) bool {
			booked[r.ItemID] += r.Held + r.Shipped + r.Short + r.Unbooked
			return true
		}); err != nil {
			return err
		}
		for _, v := range c.articles {
			var active int64
			for _, s := range c.shops {
				active += int64(s.Active(v.SKU))
			}
			if active != booked[v.SKU] {
				wrong = fmt.Sprintf("%s: the shops sold %d, the ledger knows %d", v.SKU, active, booked[v.SKU])
				return nil
			}
		}
		return nil
	})
	return wrong, err
}

// lost names acknowledged messages that are not in the inbox.
func (c *audit) lost(ctx context.Context, a *app.App) (ids []string, err error) {
	err = a.Store().ViewInbox(ctx, func(tx *store.InboxTx) error {
		ids = nil
		stored := map[string]bool{}
		if err := tx.InboxIDs(func(connectionID, id string) bool {
			stored[connectionID+"/"+id[strings.LastIndexByte(id, '/')+1:]] = true
			return true
		}); err != nil {
			return err
		}
		for id := range c.acked {
			if !stored[id] {
				ids = append(ids, id)
			}
		}
		return nil
	})
	return ids, err
}

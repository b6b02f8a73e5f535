package ops

import (
	"context"
	"time"

	"github.com/spillway/spillway/connector/driver"
	"github.com/spillway/spillway/domain/allocation"
	"github.com/spillway/spillway/domain/stock"
	"github.com/spillway/spillway/store"
)

// otherFact acts on a fact that is not about an order. What cannot be stored now is found again by the regular reads, so a failure
// is logged and not retried here.
func (x *Ops) otherFact(row store.InboxRow, f driver.Fact) {
	var err error
	switch {
	case f.Stock != nil:
		err = x.platformStock(context.WithoutCancel(x.ctx), row.ConnectionID, *f.Stock)
	case f.Quantity != nil:
		err = x.askReading(row.ConnectionID, *f.Quantity)
	case f.Listing != nil:
		if w := x.wires.get(row.ConnectionID); w != nil {
			poke(w.wakeMeet) // what a product's new status means for its listings is read from the shop
		}
	case f.Auth != nil:
		x.authNotice(row, *f.Auth)
	case f.Note != nil:
		data := jsonOf(map[string]any{"kind": f.Note.Kind, "text": f.Note.Text})
		err = x.st.Update(context.WithoutCancel(x.ctx), func(tx *store.Tx) error {
			return tx.EventsAppend([]store.Event{{At: f.Note.At, Kind: "note", Subject: row.ConnectionID + ":" + f.Note.Subject, Data: data}})
		})
	}
	if err != nil {
		x.log.Error("a fact could not be taken in", "message", row.ID, "topic", row.Topic, "err", err)
	}
}

// askReading checks a listing's number when the channel reports one above what it could still sell: somebody raised it there, or put units
// back. A lower number is the usual trace of sales and of our own pushes, and the regular readings look at it.
func (x *Ops) askReading(connectionID string, q driver.Quantity) error {
	w := x.wires.get(connectionID)
	listing, ok := x.catalog.Load().byRef(connectionID, q.Ref)
	if w == nil || !ok {
		return nil
	}
	if b, known := x.opened.last(listing); !known || q.Available <= int64(max(b.Exposure, b.Told)) {
		return nil
	}
	s, err := x.change(x.ctx, bookChange{listings: []string{listing}, apply: func(b allocation.Book, open bool, at time.Time) (allocation.Book, *allocation.Drift, error) {
		if !open || b.InFlight != nil {
			return b, nil, nil
		}
		return b.DemandRead(allocation.ReadScheduled, at), nil, nil
	}})
	if err == nil {
		w.settled(s)
	}
	return err
}

// platformStock makes the ledger's picture of a platform's warehouse equal to what the platform says it holds.
func (x *Ops) platformStock(ctx context.Context, connectionID string, s driver.PlatformStock) error {
	cat := x.catalog.Load()
	it, ok := cat.item(connectionID, s.SKUID, "")
	if !ok {
		return nil
	}
	place := connectionID + "-platform"
	err := x.st.Update(ctx, func(tx *store.Tx) error {
		if _, known := cat.location(place); !known {
			loc := stock.Location{ID: place, Name: "Platform warehouse", Kind: stock.FBT, Serves: []string{connectionID}, Active: true}
			if err := tx.LocationPut(loc); err != nil {
				return err
			}
		}
		book, err := tx.LedgerOpen("platform", []string{it.ID}, nil)
		if err != nil {
			return err
		}
		m := stock.Movement{ID: "fbt/" + connectionID + "/" + s.SKUID + "/" + s.UpdatedAt.UTC().Format(time.RFC3339Nano), At: s.UpdatedAt, Kind: stock.FBTSync,
			ItemID: it.ID, LocationID: place, Reason: "the platform's count"}
		if seen, err := tx.MovementsGet([]string{m.ID}); err != nil || len(seen) > 0 {
			return err
		}
		if err := tx.WithHolders(book, func() error { return book.SetTo(m, s.OnHand, 0) }); err != nil {
			return err
		}
		if err := fillShorts(tx, book); err != nil {
			return err
		}
		return tx.LedgerSave(book)
	})
	if err != nil {
		return err
	}
	x.live.notify("item:" + it.ID)
	x.peers.tell(noticeCatalogue)
	return x.reloadCatalogue(ctx)
}

func (x *Ops) authNotice(row store.InboxRow, a driver.AuthNotice) {
	ids := []string{row.ConnectionID}
	if row.ConnectionID == "" {
		x.wires.mu.RLock()
		ids = append([]string(nil), x.wires.ofApp[row.AppID]...)
		x.wires.mu.RUnlock()
	}
	for _, id := range ids {
		if a.Withdrawn {
			x.setConnectionState(id, store.Withdrawn, "the seller has withdrawn the consent; connect the shop again")
			if w := x.wires.get(id); w != nil {
				w.mu.Lock()
				w.state.needsLogin = true
				w.mu.Unlock()
			}
			continue
		}
		x.log.Warn("consent will end", "connection", id, "expires", a.ExpiresAt)
		x.live.notify("connection:" + id)
	}
}

// CheckNumbers asks for a reading of every number, of one that is being changed after that: the regular check for edits made on a
// channel, now.
func (x *Ops) CheckNumbers(ctx context.Context) error {
	cat := x.catalog.Load()
	for conn, ids := range cat.ofConn {
		w := x.wires.get(conn)
		if w == nil && !x.keeper.elsewhere(conn) {
			continue
		}
		for part := range chunks(ids, resultBatch) {
			s, err := x.change(ctx, bookChange{listings: part, apply: func(b allocation.Book, open bool, at time.Time) (allocation.Book, *allocation.Drift, error) {
				if !open {
					return b, nil, nil
				}
				return b.DemandRead(allocation.ReadScheduled, at), nil, nil
			}})
			if err != nil {
				return err
			}
			if w != nil {
				w.settled(s)
				continue
			}
			for id := range s.books { // its owner plans the reading
				for _, part := range cat.consumes(cat.listings[id]) {
					x.planner.dirty(part.ItemID)
				}
			}
		}
	}
	return nil
}

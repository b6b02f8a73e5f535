package ops

import (
	"context"
	"slices"

	"github.com/spillway/spillway/domain/catalog"
	"github.com/spillway/spillway/domain/order"
	"github.com/spillway/spillway/domain/stock"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/store"
)

// Count says what is there: the movement is completed with the difference.
type Count struct {
	stock.Movement
	OnHand  int64  // all that is there, damaged units too
	Damaged *int64 // how many of them cannot be sold; nil: nobody looked, as many as the journal says when it is booked
}

// Move books what people or warehouses say happened to stock: all of the movements or none. A movement whose id is in the journal
// with the same content is done already.
func (x *Ops) Move(ctx context.Context, actor string, moves []stock.Movement, counts []Count) error {
	const op = "ops.Move"
	var touched []string
	err := x.st.Update(ctx, func(tx *store.Tx) (err error) {
		touched, err = moveIn(tx, actor, moves, counts)
		return err
	})
	if err != nil {
		return errs.Wrap(op, "", err)
	}
	x.changed(touched...)
	return nil
}

// moveIn is Move inside a transaction; it returns the items that changed.
func moveIn(tx *store.Tx, actor string, moves []stock.Movement, counts []Count) ([]string, error) {
	moves, counts, err := notDone(tx, moves, counts)
	if err != nil || len(moves)+len(counts) == 0 {
		return nil, err
	}
	book, err := tx.LedgerOpen(actor, itemsMoved(moves, counts), nil)
	if err != nil {
		return nil, err
	}
	for _, m := range moves {
		m.Actor = actor
		if err := tx.WithHolders(book, func() error { return book.Move(m) }); err != nil {
			return nil, err
		}
	}
	held, err := tx.Balances(itemsMoved(nil, counts)) // locked by LedgerOpen
	if err != nil {
		return nil, err
	}
	for _, c := range counts {
		c.Actor = actor
		damaged, err := c.damaged(append(held, book.DirtyBalances()...))
		if err != nil {
			return nil, err
		}
		if err := tx.WithHolders(book, func() error { return book.SetTo(c.Movement, c.OnHand, damaged) }); err != nil {
			return nil, err
		}
	}
	if err := fillShorts(tx, book); err != nil {
		return nil, err
	}
	return book.Touched(), tx.LedgerSave(book)
}

// damaged is how many of the counted units cannot be sold, beside balances of which later ones replace earlier ones.
func (c Count) damaged(balances []stock.Balance) (int64, error) {
	if c.Damaged != nil {
		if *c.Damaged > c.OnHand {
			return 0, errs.New(errs.Invalid, "ops.Move", "", "%s cannot be damaged when %s counted in all.", unitsOf(*c.Damaged), plural(c.OnHand, "unit was", "units were"))
		}
		return *c.Damaged, nil
	}
	var n int64
	for _, b := range balances {
		if b.ItemID == c.ItemID && b.LocationID == c.LocationID {
			n = b.Damaged
		}
	}
	if n > c.OnHand {
		return 0, errs.New(errs.Invalid, "ops.Move", "", "The journal has %s there, more than were counted in all. Count them too, and say how many of those counted are damaged.", plural(n, "damaged unit", "damaged units"))
	}
	return n, nil
}

// changed lets planners and pages know that items changed.
func (x *Ops) changed(items ...string) {
	topics, sold := make([]string, len(items)), make([]string, 0, len(items))
	cat := x.catalog.Load()
	for i, it := range items {
		topics[i] = "item:" + it
		if len(cat.byItem[it]) > 0 { // no listing consumes it: there is nothing to plan
			sold = append(sold, it)
		}
	}
	x.planner.dirty(sold...)
	x.live.notify(topics...)
}

// notDone leaves out movements that are in the journal already; the same id with other content is a conflict.
func notDone(tx *store.Tx, moves []stock.Movement, counts []Count) ([]stock.Movement, []Count, error) {
	ids := make([]string, 0, len(moves)+len(counts))
	for _, m := range moves {
		ids = append(ids, m.ID)
	}
	for _, c := range counts {
		ids = append(ids, c.ID)
	}
	seen, err := tx.MovementsGet(ids)
	if err != nil {
		return nil, nil, err
	}
	byID := make(map[string]stock.Movement, len(seen))
	for _, m := range seen {
		byID[m.ID] = m
	}
	var openMoves []stock.Movement
	for _, m := range moves {
		was, done := byID[m.ID]
		if done && (was.ItemID != m.ItemID || was.LocationID != m.LocationID || was.Kind != m.Kind || was.OnHand != m.OnHand || was.Damaged != m.Damaged) {
			return nil, nil, errs.New(errs.Conflict, "ops.Move", m.ID, "was booked before with other content; use a new id")
		}
		if !done {
			openMoves = append(openMoves, m)
		}
	}
	var openCounts []Count
	for _, c := range counts {
		was, done := byID[c.ID]
		if done && (was.ItemID != c.ItemID || was.LocationID != c.LocationID || was.OnHandAfter != c.OnHand || (c.Damaged != nil && was.DamagedAfter != *c.Damaged)) {
			return nil, nil, errs.New(errs.Conflict, "ops.Move", c.ID, "was booked before with other content; use a new id")
		}
		if !done {
			openCounts = append(openCounts, c)
		}
	}
	return openMoves, openCounts, nil
}

func itemsMoved(moves []stock.Movement, counts []Count) []string {
	var out []string
	for _, m := range moves {
		out = append(out, m.ItemID)
	}
	for _, c := range counts {
		out = append(out, c.ItemID)
	}
	return unique(out)
}

// Reverse answers a movement with its counter-movement. Nothing is edited.
func (x *Ops) Reverse(ctx context.Context, movementID, id, actor, reason string) error {
	var m stock.Movement
	err := x.st.View(ctx, func(tx *store.Tx) error {
		was, err := tx.MovementGet(movementID)
		if err != nil {
			return err
		}
		if _, reversed, err := tx.MovementReversal(movementID); err != nil || reversed {
			return errsOr(err, errs.New(errs.Conflict, "ops.Reverse", movementID, "has been reversed already"))
		}
		m, err = stock.Reverse(was, id, tx.Now(), actor, reason)
		return err
	})
	if err != nil {
		return errs.Wrap("ops.Reverse", movementID, err)
	}
	return x.Move(ctx, actor, []stock.Movement{m}, nil)
}

func errsOr(err error, other error) error {
	if err != nil {
		return err
	}
	return other
}

// PutItems creates or changes items: all of them or none. Listings with their SKU that no item is known for are mapped to them.
func (x *Ops) PutItems(ctx context.Context, items []catalog.Item) error {
	err := x.st.Update(ctx, func(tx *store.Tx) error {
		if err := tx.ItemPut(items); err != nil {
			return err
		}
		return mapBySKU(tx, items)
	})
	if err != nil {
		return errs.Wrap("ops.PutItems", "", err)
	}
	return x.catalogueChanged(ctx)
}

// mapBySKU maps unmapped listings to the items that carry their SKU.
func mapBySKU(tx *store.Tx, items []catalog.Item) error {
	bySKU := make(map[string]string, len(items))
	for _, it := range items {
		bySKU[it.SKU] = it.ID
	}
	for after := ""; ; {
		page, err := tx.ListingsUnmapped(after, catalogPage)
		if err != nil {
			return err
		}
		for _, l := range page {
			after = l.ID
			if item, ok := bySKU[l.SellerSKU]; ok {
				if err := tx.ListingMap(l.ID, item); err != nil {
					return err
				}
			}
		}
		if len(page) < catalogPage {
			return nil
		}
	}
}

// catalogueChanged takes over a changed catalogue: listings that can be sold from now on get their books, orders that waited for an
// item their reservations.
func (x *Ops) catalogueChanged(ctx context.Context) error {
	x.peers.tell(noticeCatalogue)
	x.live.notify(everything)
	return x.takeOverCatalogue(ctx)
}

// takeOverCatalogue takes a changed catalogue over in this process.
func (x *Ops) takeOverCatalogue(ctx context.Context) error {
	if err := x.reloadCatalogue(ctx); err != nil {
		return err
	}
	for _, w := range x.wires.all() {
		w.mu.Lock()
		opened := w.state.opened
		w.mu.Unlock()
		if opened {
			w.openBooks()
		}
	}
	x.planner.dirtyAll(x.catalog.Load())
	x.live.tell([]string{everything})
	return nil
}

// MapListing says which item a listing sells. Open orders of the listing are settled anew.
func (x *Ops) MapListing(ctx context.Context, listingID, itemID, actor string) error {
	const op = "ops.MapListing"
	l, ok := x.catalog.Load().listings[listingID]
	if !ok {
		return errs.New(errs.NotFound, op, listingID, "there is no such listing")
	}
	err := x.st.Update(ctx, func(tx *store.Tx) error {
		if err := tx.ListingMap(listingID, itemID); err != nil {
			return err
		}
		data := jsonOf(map[string]string{"from": l.ItemID, "to": itemID, "actor": actor})
		return tx.EventsAppend([]store.Event{{Kind: "listing.mapped", Subject: listingID, Data: data}})
	})
	if err != nil {
		return errs.Wrap(op, listingID, err)
	}
	if err := x.catalogueChanged(ctx); err != nil {
		return err
	}
	return x.resettle(ctx, l.ConnectionID, l.ExternalSKU)
}

// SetRules changes what bounds a listing's number.
func (x *Ops) SetRules(ctx context.Context, listingID string, r catalog.ListingRules, actor string) error {
	const op = "ops.SetRules"
	if err := r.Validate(); err != nil {
		return err
	}
	if r.Priority < 0 {
		return errs.New(errs.Invalid, op, "priority", "must not be negative")
	}
	err := x.st.Update(ctx, func(tx *store.Tx) error {
		ls, err := tx.ListingsByID([]string{listingID})
		if err != nil {
			return err
		}
		if len(ls) == 0 {
			return errs.New(errs.NotFound, op, listingID, "there is no such listing")
		}
		was := ls[0].Rules
		ls[0].Rules = r
		if err := tx.ListingPut(ls); err != nil {
			return err
		}
		data := jsonOf(map[string]any{"from": was, "to": r, "actor": actor})
		return tx.EventsAppend([]store.Event{{Kind: "listing.rules", Subject: listingID, Data: data}})
	})
	if err != nil {
		return errs.Wrap(op, listingID, err)
	}
	return x.catalogueChanged(ctx)
}

// resettlePage open orders are settled anew in one transaction.
const resettlePage = 200

// resettle makes the ledger equal to what open orders demand after an item became known, or another one, for what they sell.
func (x *Ops) resettle(ctx context.Context, connectionID, externalSKU string) error {
	after := ""
	for {
		var n int
		var touched []string
		next := after
		err := x.st.Update(ctx, func(tx *store.Tx) error {
			orders, err := tx.OrdersOpen(after, resettlePage)
			if err != nil {
				return err
			}
			n, touched = len(orders), nil
			var ids []string
			var wants []stock.Want
			for i := range orders {
				o := &orders[i]
				next = o.ID
				if o.ConnectionID == connectionID && sells(o, externalSKU) {
					ids = append(ids, o.ID)
				}
			}
			have, err := tx.ReservationsForOrders(ids)
			if err != nil {
				return err
			}
			cat := x.catalog.Load()
			for i := range orders {
				if o := &orders[i]; o.ConnectionID == connectionID && sells(o, externalSKU) {
					ws, _ := cat.wants(o, ofOrder(have, o.ID))
					wants = append(wants, ws...)
				}
			}
			if len(wants) == 0 {
				return nil
			}
			book, err := settleWants(tx, cat, "mapping", wants, nil)
			if err != nil {
				return err
			}
			touched = book.Touched()
			return nil
		})
		if err != nil {
			return errs.Wrap("ops.resettle", externalSKU, err)
		}
		after = next
		x.changed(touched...)
		if n < resettlePage {
			return nil
		}
	}
}

func sells(o *order.Order, externalSKU string) bool {
	return slices.ContainsFunc(o.Lines, func(l order.Line) bool { return l.ExternalSKU == externalSKU })
}

func ofOrder(rows []stock.Reservation, orderID string) []stock.Reservation {
	var out []stock.Reservation
	for _, r := range rows {
		if r.OrderID == orderID {
			out = append(out, r)
		}
	}
	return out
}

// ListingsOf returns the listings that sell an item, bundles' included.
func (x *Ops) ListingsOf(itemID string) []catalog.Listing {
	cat := x.catalog.Load()
	var out []catalog.Listing
	for _, id := range cat.byItem[itemID] {
		out = append(out, cat.listings[id])
	}
	return out
}

// Told counts the listings that sell an item, and those of them that show what they should with nothing under way.
func (x *Ops) Told(ctx context.Context) (told, all int, err error) {
	cat := x.catalog.Load()
	err = x.st.View(ctx, func(tx *store.Tx) error {
		told, all = 0, 0
		for _, ids := range cat.ofConn {
			for part := range chunks(ids, catalogPage) {
				set, err := x.loadBooks(tx, part)
				if err != nil {
					return err
				}
				for _, id := range part {
					if cat.listings[id].ItemID == "" {
						continue
					}
					all++
					if b, open := set.Books[id]; open && b.InFlight == nil && b.Demand == nil {
						told++
					}
				}
			}
		}
		return nil
	})
	if !x.planner.resting() && told == all {
		told-- // something is about to be told
	}
	return told, all, errs.Wrap("ops.Told", "", err)
}

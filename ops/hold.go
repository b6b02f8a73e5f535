package ops

import (
	"cmp"
	"context"
	"slices"

	"github.com/spillway/spillway/domain/allocation"
	"github.com/spillway/spillway/domain/catalog"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/store"
)

// maxHolds bounds the holds read for a plan: active and upcoming ones.
const maxHolds = 1000

// PutHold creates or changes a live hold. It is refused where the units are not there.
func (x *Ops) PutHold(ctx context.Context, h store.Hold) error {
	const op = "ops.PutHold"
	cat := x.catalog.Load()
	if _, ok := cat.items[h.ItemID]; !ok {
		return errs.New(errs.NotFound, op, h.ItemID, "there is no such item")
	}
	if _, ok := cat.favoured(h); !ok {
		return errs.New(errs.Invalid, op, "channel", "does not sell this item; choose one that does")
	}
	problem := cat.problem[h.ItemID]
	err := x.st.Update(ctx, func(tx *store.Tx) error {
		plans, err := x.planner.look(tx, []string{problem}, tx.BalancesForUpdate)
		if err != nil {
			return err
		}
		if err := x.unread(cat, plans[0].set.Books, h); err != nil {
			return err
		}
		if err := admit(plans[0].in, h, cat); err != nil {
			return err
		}
		if err := tx.HoldPut(h); err != nil {
			return err
		}
		return tx.EventsAppend([]store.Event{{Kind: "hold.put", Subject: h.ItemID, Data: jsonOf(h)}})
	})
	if err != nil {
		return errs.Wrap(op, h.ID, err)
	}
	x.planner.dirty(cat.members[problem]...)
	x.live.notify("calendar", "item:"+h.ItemID)
	return nil
}

// unread refuses a hold for a listing whose number was never read: nothing can be kept for it before that, and the reading is under way.
func (x *Ops) unread(cat *catalogue, books map[string]allocation.Book, h store.Hold) error {
	const op = "ops.PutHold"
	l, _ := cat.favoured(h)
	if _, open := books[l.ID]; open {
		return nil
	}
	name := cmp.Or(l.SellerSKU, l.ExternalSKU)
	if !l.Active {
		return errs.New(errs.Invalid, op, name, "The listing of %s is not on sale there, so units kept for it would be kept for nobody.", name)
	}
	if x.wires.paused(l.ConnectionID) {
		return errs.New(errs.Unavailable, op, name, "The listing of %s has not been read yet, and its shop is not being read now. Set the shop to work under Connections first.", name)
	}
	return errs.New(errs.Unavailable, op, name, "The listing of %s has not been read yet; try again in a few seconds.", name)
}

// admit refuses a hold that could not be honoured beside those there are. Changing a hold means admitting it anew.
func admit(in allocation.Input, h store.Hold, cat *catalogue) error {
	l, _ := cat.favoured(h)
	in.Holds = slices.DeleteFunc(slices.Clone(in.Holds), func(o allocation.Hold) bool { return o.ID == h.ID })
	_, err := in.WithHold(allocation.Hold{ID: h.ID, Item: h.ItemID, Listing: l.ID, Quantity: int(h.Qty), From: h.From, Until: h.Until})
	return err
}

// DeleteHold ends or withdraws a hold: its units return to everyone at the next plan.
func (x *Ops) DeleteHold(ctx context.Context, id, actor string) error {
	var h store.Hold
	err := x.st.Update(ctx, func(tx *store.Tx) (err error) {
		if h, err = tx.HoldGet(id); err != nil {
			return err
		}
		if err := tx.HoldDelete(id); err != nil {
			return err
		}
		return tx.EventsAppend([]store.Event{{Kind: "hold.deleted", Subject: h.ItemID, Data: jsonOf(map[string]string{"id": id, "actor": actor})}})
	})
	if err != nil {
		return errs.Wrap("ops.DeleteHold", id, err)
	}
	x.planner.dirty(h.ItemID)
	x.live.notify("calendar", "item:"+h.ItemID)
	return nil
}

// favoured is the listing a hold keeps units for: the connection's listing that sells the item.
func (c *catalogue) favoured(h store.Hold) (catalog.Listing, bool) {
	for _, id := range c.byItem[h.ItemID] {
		if l := c.listings[id]; l.ID == h.ListingID || (h.ListingID == "" && l.ConnectionID == h.ConnectionID) {
			return l, true
		}
	}
	return catalog.Listing{}, false
}

// countHolds adds to the holds in force what their favoured listings sold of the item, so that what is left of them shrinks with
// their own sales. sold is units by listing, net of cancellations.
func countHolds(tx *store.Tx, cat *catalogue, sold map[string]int64) error {
	holds, err := tx.HoldsActive(tx.Now())
	if err != nil {
		return err
	}
	for _, h := range holds {
		l, ok := cat.favoured(h)
		if !ok || sold[l.ID] == 0 {
			continue
		}
		for _, part := range cat.consumes(l) {
			if part.ItemID != h.ItemID {
				continue
			}
			if err := tx.HoldSold(h.ID, sold[l.ID]*part.Qty); err != nil {
				return err
			}
		}
	}
	return nil
}

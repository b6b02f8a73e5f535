package ops

import (
	"context"
	"slices"
	"time"

	"github.com/spillway/spillway/domain/catalog"
	"github.com/spillway/spillway/domain/stock"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/store"
)

// Reserved is a caller's reservation as it is now, by item.
type Reserved struct {
	ID        string
	Lines     []ReservedLine
	ExpiresAt time.Time // zero: until released or shipped
}

// ReservedLine is what a reservation has of one item.
type ReservedLine struct {
	ItemID        string
	Held, Shipped int64 // units
}

// Reservation reads a caller's reservation. Errors: NotFound.
func (x *Ops) Reservation(ctx context.Context, id string) (Reserved, error) {
	r := Reserved{ID: id}
	var rows []stock.Reservation
	err := x.st.View(ctx, func(tx *store.Tx) (err error) {
		rows, err = tx.ReservationsForOrders([]string{reservePrefix + id})
		return err
	})
	if err == nil && len(rows) == 0 {
		err = errs.New(errs.NotFound, "ops.Reservation", id, "there is no such reservation")
	}
	at := map[string]int{}
	for _, row := range rows {
		i, ok := at[row.ItemID]
		if !ok {
			i = len(r.Lines)
			at[row.ItemID], r.Lines = i, append(r.Lines, ReservedLine{ItemID: row.ItemID})
		}
		r.Lines[i].Held, r.Lines[i].Shipped = r.Lines[i].Held+row.Held, r.Lines[i].Shipped+row.Shipped
		r.ExpiresAt = row.ExpiresAt
	}
	return r, errs.Wrap("ops.Reservation", id, err)
}

// Availability is what there is of an item over all places it can be sold from.
type Availability struct {
	ItemID                               string
	OnHand, Reserved, Damaged, ToPromise int64 // units; ToPromise is never below zero
}

// Availability reads what there is of an item. A bundle has no stock of its own: it can be promised as often as its scarcest part allows.
// Errors: NotFound.
func (x *Ops) Availability(ctx context.Context, itemID string) (Availability, error) {
	const op = "ops.Availability"
	cat := x.catalog.Load()
	it, ok := cat.items[itemID]
	if !ok {
		return Availability{}, errs.New(errs.NotFound, op, itemID, "there is no such item")
	}
	var ids []string
	for _, p := range catalog.Explode(it, 1) {
		ids = append(ids, p.ItemID)
	}
	var rows []stock.Balance
	if err := x.st.View(ctx, func(tx *store.Tx) (err error) {
		rows, err = tx.Balances(ids)
		return err
	}); err != nil {
		return Availability{}, errs.Wrap(op, itemID, err)
	}
	a := Availability{ItemID: itemID}
	for _, b := range rows {
		if b.ItemID == itemID {
			a.OnHand, a.Reserved, a.Damaged = a.OnHand+b.OnHand, a.Reserved+b.Reserved, a.Damaged+b.Damaged
		}
	}
	book := stock.NewBook(x.now(), "", cat.locations, rows, nil)
	a.ToPromise = catalog.Sellable(it, func(part string) (n int64) {
		for place, units := range book.Available(part) {
			if cat.serves(place) {
				n += units
			}
		}
		return n
	})
	return a, nil
}

// serves reports whether a place's units may be promised to callers of ours, who come through no channel.
func (c *catalogue) serves(place string) bool {
	i := slices.IndexFunc(c.locations, func(l stock.Location) bool { return l.ID == place })
	return i >= 0 && c.locations[i].MayServe("") && c.locations[i].InPool("")
}

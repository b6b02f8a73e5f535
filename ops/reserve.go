package ops

import (
	"context"
	"time"

	"github.com/spillway/spillway/domain/catalog"
	"github.com/spillway/spillway/domain/stock"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/store"
)

// Reserve is a caller's wish to hold units for a while: an own shop's checkout, a wholesale order. It is all or nothing.
type Reserve struct {
	ID        string // caller-made; the same id and lines again is the same reservation
	Lines     []ReserveLine
	ExpiresAt time.Time // zero: until released or shipped
	Actor     string
}

// ReserveLine is one item of a Reserve.
type ReserveLine struct {
	ItemID string
	Qty    int64
}

// reservePrefix keeps callers' ids apart from those of channels' orders.
const reservePrefix = "api:"

// Reserve holds units or refuses: errs.Insufficient names the item and what is available.
func (x *Ops) Reserve(ctx context.Context, r Reserve) error {
	const op = "ops.Reserve"
	wants, err := x.reserveWants(r)
	if err != nil {
		return err
	}
	var touched []string
	err = x.st.Update(ctx, func(tx *store.Tx) error {
		touched = nil
		book, err := tx.LedgerOpen(r.Actor, itemsOf(wants), []string{reservePrefix + r.ID})
		if err != nil {
			return err
		}
		if known, err := sameReserve(book, wants); err != nil || known {
			return err
		}
		if err := book.TryReserve(wants); err != nil {
			return err
		}
		touched = book.Touched()
		return tx.LedgerSave(book)
	})
	if err != nil {
		return errs.Wrap(op, r.ID, err)
	}
	x.changed(touched...)
	return nil
}

func (x *Ops) reserveWants(r Reserve) ([]stock.Want, error) {
	cat := x.catalog.Load()
	total := map[string]int64{}
	var order []string
	for _, l := range r.Lines {
		it, ok := cat.items[l.ItemID]
		if !ok || l.Qty < 1 {
			return nil, errs.New(errs.Invalid, "ops.Reserve", l.ItemID, "is not an item, or its quantity is below 1")
		}
		for _, part := range catalog.Explode(it, l.Qty) {
			if total[part.ItemID] == 0 {
				order = append(order, part.ItemID)
			}
			total[part.ItemID] += part.Qty
		}
	}
	if r.ID == "" || len(order) == 0 {
		return nil, errs.New(errs.Invalid, "ops.Reserve", r.ID, "a reservation needs an id and at least one line")
	}
	wants := make([]stock.Want, len(order))
	for i, item := range order {
		wants[i] = stock.Want{OrderID: reservePrefix + r.ID, LineID: "1", ItemID: item, Reserve: total[item], ExpiresAt: r.ExpiresAt, ReleaseKind: stock.Release}
	}
	return wants, nil
}

// sameReserve reports whether the reservation exists with the same content; with other content it is a conflict.
func sameReserve(book *stock.Book, wants []stock.Want) (bool, error) {
	known, same := false, true
	for _, w := range wants {
		var sum int64
		for _, r := range book.Reservations(w.OrderID, w.LineID, w.ItemID) {
			sum += r.Held + r.Shipped
		}
		known, same = known || sum > 0, same && sum == w.Reserve
	}
	if known && !same {
		return true, errs.New(errs.Conflict, "ops.Reserve", wants[0].OrderID, "was reserved before with other lines; use a new id")
	}
	return known, nil
}

// Release ends a caller's reservation; shipped says its units have left.
func (x *Ops) Release(ctx context.Context, id string, shipped bool, actor string) error {
	var touched []string
	err := x.st.Update(ctx, func(tx *store.Tx) error {
		rows, err := tx.ReservationsForOrders([]string{reservePrefix + id})
		if err != nil {
			return err
		}
		if len(rows) == 0 {
			return errs.New(errs.NotFound, "ops.Release", id, "there is no such reservation")
		}
		var wants []stock.Want
		for _, r := range rows {
			w := stock.Want{OrderID: r.OrderID, LineID: r.LineID, ItemID: r.ItemID, ReleaseKind: stock.Release, Ship: r.Shipped}
			if shipped {
				w.Ship += r.Held
			}
			wants = append(wants, w)
		}
		book, err := settleWants(tx, x.catalog.Load(), actor, mergeWants(wants))
		if err != nil {
			return err
		}
		touched = book.Touched()
		return nil
	})
	if err != nil {
		return errs.Wrap("ops.Release", id, err)
	}
	x.changed(touched...)
	return nil
}

// mergeWants adds up the wants of one line and item that is held at several locations.
func mergeWants(in []stock.Want) []stock.Want {
	at := map[string]int{}
	var out []stock.Want
	for _, w := range in {
		key := w.LineID + "\x00" + w.ItemID
		if i, ok := at[key]; ok {
			out[i].Ship += w.Ship
			continue
		}
		at[key] = len(out)
		out = append(out, w)
	}
	return out
}

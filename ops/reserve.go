package ops

import (
	"context"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/spillway/spillway/domain/catalog"
	"github.com/spillway/spillway/domain/stock"
	"github.com/spillway/spillway/kit/errs"
)

// Bounds of reservations.
const (
	// reserveBatch calls share a transaction. More would only make the first of them wait for the last.
	reserveBatch = 512
	// reserveBound calls may wait; whoever comes then is told to come again.
	reserveBound = 20_000
	// maxReserves reservations may come in one call, so that one caller cannot take all room to wait.
	maxReserves = 5000
	// maxReserveLines and maxReserveID bound one reservation.
	maxReserveLines, maxReserveID = 500, 200
)

// Reserve is a caller's wish to hold units for a while: an own shop's checkout, a wholesale order. It is all or nothing.
type Reserve struct {
	ID        string // caller-made; the same id and lines again is the same reservation
	Lines     []ReserveLine
	ExpiresAt time.Time // zero: until released or shipped
	Actor     string    // who asks; when more ask than can be served at once, actors take turns
}

// ReserveLine is one item of a Reserve.
type ReserveLine struct {
	ItemID string
	Qty    int64
}

// reservePrefix keeps callers' ids apart from those of channels' orders.
const reservePrefix = "api:"

// Reserve holds units or refuses, and returns when the answer is durable. The same id with the same lines again gets the first answer if
// that was yes, however much is left now; a refusal is not kept, so asking again is a new attempt.
//
// Errors: Insufficient (with a *stock.Shortage: the item and what is available), Conflict (the id was used with other lines, or what it
// held has ended), Invalid, Busy (come again in a moment), Unavailable (it is unknown whether the units are held: ask again with the same
// id).
func (x *Ops) Reserve(ctx context.Context, r Reserve) error {
	c, err := x.reserveCall(r)
	if err == nil {
		var answer error
		if answer, err = x.ledger.Do(ctx, c); err == nil {
			err = answer
		}
	}
	return errs.Wrap("ops.Reserve", r.ID, err)
}

// ReserveAll is Reserve for many at once, with an answer for each: nil where Reserve would return nil. Each is all or nothing; the call is
// not. They are decided in the order given.
func (x *Ops) ReserveAll(ctx context.Context, rs []Reserve) []error {
	out := make([]error, len(rs))
	calls, at := make([]ledgerCall, 0, len(rs)), make([]int, 0, len(rs))
	for i, r := range rs {
		c, err := x.reserveCall(r)
		if len(rs) > maxReserves {
			err = errs.New(errs.Invalid, "ops.ReserveAll", "", "at most %d reservations come in one call", maxReserves)
		}
		if err != nil {
			out[i] = err
			continue
		}
		calls, at = append(calls, c), append(at, i)
	}
	answers, failed := x.ledger.DoAll(ctx, calls)
	for k, i := range at {
		if out[i] = errs.Wrap("ops.Reserve", rs[i].ID, failed[k]); out[i] == nil {
			out[i] = errs.Wrap("ops.Reserve", rs[i].ID, answers[k])
		}
	}
	return out
}

// Release ends a caller's reservation; shipped says its units have left. Ending it again the same way changes nothing. Errors: NotFound,
// Busy and Unavailable as for Reserve.
func (x *Ops) Release(ctx context.Context, id string, shipped bool, actor string) error {
	answer, err := x.ledger.Do(ctx, ledgerCall{order: reservePrefix + id, actor: actor, ends: true, shipped: shipped})
	if err == nil {
		err = answer
	}
	return errs.Wrap("ops.Release", id, err)
}

// reserveCall checks a request and explodes bundles into what is held.
func (x *Ops) reserveCall(r Reserve) (ledgerCall, error) {
	const op = "ops.Reserve"
	bad := func(item, text string) (ledgerCall, error) {
		return ledgerCall{}, errs.New(errs.Invalid, op, item, "%s", text)
	}
	switch {
	case r.ID == "" || len(r.Lines) == 0:
		return bad(r.ID, "a reservation needs an id and at least one line")
	case len(r.ID) > maxReserveID || len(r.Lines) > maxReserveLines:
		return bad("", "the id or the list of lines is too long")
	case !utf8.ValidString(r.ID) || strings.IndexByte(r.ID, 0) >= 0:
		return bad("", "the id must be UTF-8 without zero bytes")
	}
	cat := x.catalog.Load()
	c := ledgerCall{order: reservePrefix + r.ID, actor: r.Actor, wants: make([]stock.Want, 0, len(r.Lines))}
	for _, l := range r.Lines {
		it, ok := cat.items[l.ItemID]
		if !ok || l.Qty < 1 || l.Qty > stock.MaxUnits {
			return bad(l.ItemID, "is not an item, or its quantity is not between 1 and a billion")
		}
		if len(it.Components) == 0 {
			c.want(it.ID, l.Qty, r.ExpiresAt)
			continue
		}
		for _, part := range catalog.Explode(it, l.Qty) {
			c.want(part.ItemID, part.Qty, r.ExpiresAt)
		}
	}
	for _, w := range c.wants {
		if w.Reserve > stock.MaxUnits || w.Reserve < 1 {
			return bad(w.ItemID, "is asked for more than a billion times")
		}
	}
	return c, nil
}

// want adds to what is to be held; one item is one want.
func (c *ledgerCall) want(item string, qty int64, expires time.Time) {
	for i := range c.wants {
		if c.wants[i].ItemID == item {
			c.wants[i].Reserve += qty
			return
		}
	}
	c.wants = append(c.wants, stock.Want{OrderID: c.order, LineID: reserveLine, ItemID: item, Reserve: qty, ExpiresAt: expires, ReleaseKind: stock.Release})
}

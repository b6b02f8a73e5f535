package stock

import (
	"slices"

	"github.com/spillway/spillway/kit/errs"
)

// Swap lets a line hold n units of another item at a place in place of as many of its own, held there or short. Nobody else can take the units in
// between. What the order demands must say the same from then on, or the next Settle undoes it.
//
// Errors, after which nothing has changed: Invalid if the line has fewer at the place and short, the place may not serve it, or units of the other
// have left unbooked; Insufficient if fewer of the other are free there.
func (b *Book) Swap(orderID, lineID, itemID, by, place string, n int64) error {
	const op = "stock.Swap"
	w, ok := b.WantOf(orderID, lineID, itemID)
	if !ok || n < 1 || by == itemID {
		return errs.New(errs.Invalid, op, orderID, "line %s does not hold %s, or nothing is to be swapped", lineID, itemID)
	}
	l := b.line(lineKey{orderID, lineID, itemID})
	var held, short int64
	own, open := l.find(place), l.find("")
	if own != nil {
		held = min(n, own.Held)
	}
	if short = n - held; short > 0 && (open == nil || open.Short < short) {
		return errs.New(errs.Invalid, op, orderID, "line %s has fewer than %d of %s to swap at %s", lineID, n, itemID, place)
	}
	if !slices.Contains(b.places(Want{ConnectionID: w.ConnectionID, Pool: w.Pool}), place) {
		return errs.New(errs.Invalid, op, orderID, "%s may not serve this order", place)
	}
	other := b.line(lineKey{orderID, lineID, by})
	if _, _, _, unbooked := other.sum(); unbooked > 0 {
		return errs.New(errs.Invalid, op, by, "units of it have left with this line that no place had; count it first")
	}
	if free := b.atp(by, place); free < n {
		return errs.New(errs.Insufficient, op, by, "%s has %d free and %d are wanted there", place, free, n)
	}
	if held > 0 {
		own.Held -= held
		if err := b.postFor(own, Release, 0, -held, "swapped"); err != nil {
			return err
		}
	}
	if short > 0 {
		open.Short -= short
		b.mark(open)
		b.touch(itemID)
	}
	r := b.row(other, place)
	r.ConnectionID, r.Pool, r.ExpiresAt, r.Due = w.ConnectionID, w.Pool, w.ExpiresAt, w.Due
	r.Held += n
	return b.postFor(r, Reserve, 0, n, "swapped")
}

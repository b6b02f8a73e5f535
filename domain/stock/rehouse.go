package stock

import (
	"maps"
	"slices"

	"github.com/spillway/spillway/kit/errs"
)

// Held is what a line holds, by location.
func (b *Book) Held(orderID, lineID, itemID string) map[string]int64 {
	out := map[string]int64{}
	if l := b.lines[lineKey{orderID, lineID, itemID}]; l != nil {
		for _, r := range l.rows {
			if r.Held > 0 {
				out[r.LocationID] += r.Held
			}
		}
	}
	return out
}

// Rehouse moves the units a line holds: afterwards it holds at each location what at says, and nowhere else. Nobody else can take the units in
// between, and nothing is short for a moment. Settle leaves them where they are from then on.
//
// Errors, after which nothing has changed: Invalid if at does not add up to what the line holds or names a location that may not serve it,
// Insufficient if a location has too few free.
func (b *Book) Rehouse(orderID, lineID, itemID string, at map[string]int64) error {
	const op = "stock.Rehouse"
	l := b.lines[lineKey{orderID, lineID, itemID}]
	if l == nil {
		return errs.New(errs.Invalid, op, orderID, "line %s holds no %s", lineID, itemID)
	}
	w, _ := b.WantOf(orderID, lineID, itemID)
	may := b.places(Want{ConnectionID: w.ConnectionID, Pool: w.Pool})
	held, _, _, _ := l.sum()
	for _, place := range slices.Sorted(maps.Keys(at)) {
		n := at[place]
		var own int64
		if r := l.find(place); r != nil {
			own = r.Held
		}
		switch {
		case n < 0 || n > own && !slices.Contains(may, place):
			return errs.New(errs.Invalid, op, orderID, "%s may not hold %d of %s for this order", place, n, itemID)
		case n-own > b.atp(itemID, place):
			return errs.New(errs.Insufficient, op, itemID, "%s has %d free and %d more are wanted there", place, b.atp(itemID, place), n-own)
		}
		held -= n
	}
	if held != 0 {
		return errs.New(errs.Invalid, op, orderID, "line %s would hold %d units of %s less than it does", lineID, held, itemID)
	}
	for _, r := range l.rows {
		if n := r.Held - at[r.LocationID]; n > 0 {
			r.Held -= n
			if err := b.postFor(r, Release, 0, -n, "moved"); err != nil {
				return err
			}
		}
	}
	for _, place := range slices.Sorted(maps.Keys(at)) {
		if at[place] == 0 {
			continue
		}
		r := b.row(l, place)
		if n := at[place] - r.Held; n > 0 {
			r.Held += n
			if err := b.postFor(r, Reserve, 0, n, "moved"); err != nil {
				return err
			}
		}
	}
	return nil
}

package order

import "github.com/spillway/spillway/kit/errs"

// Pool is the stock a line is served from.
type Pool string

const (
	PoolOwn      Pool = "own"      // the seller's locations, 3PLs included
	PoolPlatform Pool = "platform" // the platform's own stock: never take from ours
)

// LineDemand is what one line asks of the ledger: totals to be true now, not changes. Whoever keeps the ledger compares them
// with what is booked and writes the difference, so a second comparison writes nothing.
type LineDemand struct {
	Key             string // of the line; all lines with one key are summed here
	ExternalProduct string
	ExternalSKU     string
	SellerSKU       string
	Parts           []Part // what one unit consists of, if the platform told
	Pool            Pool
	Reserve         int64 // units to be held for the order
	Ship            int64 // units that have left the building for it; a cancel does not lower it, goods come back by a return
}

// Demand is the stock consequence of the order's state, for every line in the order of Lines, zeros included. It depends on
// the merged order only, so it converges as the order does. An order that is not yet detailed demands nothing.
//
// Unpaid and held orders reserve. A cancel releases, unless the carrier already had the goods: those stay shipped.
func Demand(o *Order) []LineDemand {
	pool := PoolOwn
	if o.Fulfilment == ByPlatform {
		pool = PoolPlatform
	}
	seen, told := make(map[string]Fate, len(o.Fates)), false
	for _, f := range o.Fates {
		seen[f.ID], told = f, told || f.Left > 0
	}
	out := make([]LineDemand, 0, len(o.Lines))
	for _, l := range o.Lines {
		if n := len(out); n == 0 || out[n-1].Key != l.Key { // Lines are sorted by key
			out = append(out, LineDemand{Key: l.Key, ExternalProduct: l.ExternalProduct, ExternalSKU: l.ExternalSKU,
				SellerSKU: l.SellerSKU, Parts: l.Parts, Pool: pool})
		}
		d := &out[len(out)-1]
		if len(l.Units) == 0 {
			// Quantity lines may be added to an order that has left, so what snapshots told of the lines goes first.
			d.add(o, l.Qty, l.Cancelled, seen[l.ExternalLineID], o.EverLeft && !told)
		}
		for _, u := range l.Units {
			cancelled := int64(0)
			if u.Cancelled {
				cancelled = 1
			}
			d.add(o, 1, cancelled, seen[u.ExternalLineID], o.EverLeft)
		}
	}
	return out
}

// add adds the demand of a line (or unit) of qty pieces; gone says to take them as left although the order is not on its
// way now.
func (d *LineDemand) add(o *Order, qty, cancelled int64, f Fate, gone bool) {
	live := qty - cancelled
	left := f.Left
	switch {
	case o.Status == Cancelled && gone:
		// Cancelled on its way: all left but what was seen cancelled while the order went on.
		left = max(left, qty-min(f.Early, qty))
	case o.Status.Left() || gone:
		left = max(left, live)
	}
	d.Ship += left
	if o.Status != Cancelled {
		d.Reserve += max(0, live-left)
	}
}

// MayShip reports whether a label may be made for the order or its parcel handed over now. The error is errs.Conflict with a
// sentence that says what stands in the way.
func MayShip(o *Order) error {
	no := func(sentence string) error {
		return errs.New(errs.Conflict, "order.MayShip", o.ExternalID, "%s", sentence)
	}
	switch {
	case o.Status == Cancelled:
		return no("The order is cancelled.")
	case o.Status.Left():
		return no("The order is already with the carrier.")
	case o.Fulfilment == ByPlatform:
		return no("The platform ships this order from its own stock.")
	case o.Status == OnHold:
		return no("The platform holds the order so that the buyer can still change his mind. It may ship when the hold is over.")
	case o.Status == Unpaid:
		return no("The order is not paid.")
	case o.Status == "":
		return no("The platform shows a status that is not known here. Look at the order on the platform.")
	case o.NeedsDetail:
		return no("The order has changed on the platform and must be read again first.")
	case o.Cancel.RequestOpen:
		return no("The buyer has asked to cancel. Accept or refuse the request first.")
	}
	return nil
}

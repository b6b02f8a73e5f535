package stock

import (
	"cmp"
	"time"

	"github.com/spillway/spillway/kit/errs"
)

// Reservation is what one order line holds of one item at one location. The row with an empty LocationID counts what the line was
// promised and no location has; Held and Shipped are zero there, and Short and Unbooked are zero everywhere else.
type Reservation struct {
	OrderID, LineID, ItemID, LocationID string

	ConnectionID string // who sold it; decides which locations may serve
	Pool         string // see Want
	Held         int64  // units set aside here, not shipped
	Shipped      int64  // units that left from here
	Short        int64  // units promised by a channel and not there: a backorder
	Unbooked     int64  // units that left although the books had none: the next ones to arrive are theirs

	ExpiresAt            time.Time // zero: holds until the order says otherwise
	Due                  time.Time // earliest deadline; zero: none
	CreatedAt, UpdatedAt time.Time
	Version              int64 // how many batches changed this row; a store refuses to save over any but the one before
}

// Open reports whether the row still binds or lacks units.
func (r Reservation) Open() bool { return r.Held > 0 || r.Short > 0 || r.Unbooked > 0 }

// Want is what an order line demands of one item, as a level and not as a change: telling it twice is telling it once.
type Want struct {
	OrderID, LineID, ItemID string

	ConnectionID string   // see Location.MayServe
	Reserve      int64    // units to be set aside now, beyond those of Ship
	Ship         int64    // units that have left in all; never taken back (units that come home are a return)
	Prefer       []string // location ids, best first; other permitted locations follow in the Book's order
	Pool         string   // empty: the seller's pools; else the id of the platform location that ships the order
	ExpiresAt    time.Time
	Due          time.Time
	ReleaseKind  Kind // Release (also if empty), Cancel or Expire: why holds end when Reserve falls
}

// Settled is what the ledger holds for a Want after Settle, over all locations.
type Settled struct {
	OrderID, LineID, ItemID        string
	Held, Shipped, Short, Unbooked int64
	Changed                        bool // anything to save
}

func (w Want) check() error {
	bad := func(format string, args ...any) error {
		return errs.New(errs.Invalid, "stock.Settle", w.OrderID, format, args...)
	}
	switch {
	case w.OrderID == "" || w.LineID == "" || w.ItemID == "":
		return bad("a demand needs an order, a line and an item")
	case w.Reserve < 0 || w.Ship < 0 || w.Reserve > MaxUnits || w.Ship > MaxUnits:
		return bad("line %s: quantities must be 0 to %d", w.LineID, int64(MaxUnits))
	}
	switch w.ReleaseKind {
	case "", Release, Cancel, Expire:
		return nil
	}
	return bad("line %s: holds end by release, cancel or expire, not %s", w.LineID, w.ReleaseKind)
}

// byClaim orders reservations by who gets units first: earliest Due, no deadline last; then who came first.
func byClaim(a, b *Reservation) int {
	if a.Due.IsZero() != b.Due.IsZero() {
		if a.Due.IsZero() {
			return 1
		}
		return -1
	}
	return cmp.Or(a.Due.Compare(b.Due), a.CreatedAt.Compare(b.CreatedAt), cmp.Compare(a.OrderID, b.OrderID),
		cmp.Compare(a.LineID, b.LineID), cmp.Compare(a.LocationID, b.LocationID))
}

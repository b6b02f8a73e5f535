package allocation

import (
	"math/bits"
	"time"

	"github.com/spillway/spillway/kit/errs"
)

// MaxDayCap bounds an order cap: more than any shop sells in a day is none.
const MaxDayCap = 1_000_000

// DayCap is how many orders a shop is to get on each day of a span: what its warehouses can do, and no more. When they are reached it shows nothing until
// the day is over.
type DayCap struct {
	PerDay int64     `json:"per_day"` // orders; 0: none at all
	From   time.Time `json:"from"`
	Until  time.Time `json:"until"` // exclusive
	Zone   string    `json:"zone"`  // whose days are meant
}

// Check says what is wrong with a cap. Errors: Invalid.
func (c DayCap) Check() error {
	const op = "allocation.DayCap"
	switch {
	case c.PerDay < 0 || c.PerDay > MaxDayCap:
		return errs.New(errs.Invalid, op, "per_day", "an order cap is from 0 to %d orders a day", MaxDayCap)
	case c.From.IsZero() || !c.Until.After(c.From):
		return errs.New(errs.Invalid, op, "until", "an order cap must end after it begins")
	}
	if _, err := time.LoadLocation(c.Zone); err != nil {
		return errs.New(errs.Invalid, op, "zone", "%q is no time zone that is known here", c.Zone)
	}
	return nil
}

// Holds reports whether the cap holds at a moment.
func (c DayCap) Holds(at time.Time) bool { return !at.Before(c.From) && at.Before(c.Until) }

// Day is the day that a moment is on, in the cap's zone: its first moment and the next day's.
func (c DayCap) Day(at time.Time) (from, until time.Time) {
	zone, err := time.LoadLocation(c.Zone)
	if err != nil { // it was checked when it was set
		zone = time.UTC
	}
	y, m, d := at.In(zone).Date()
	return time.Date(y, m, d, 0, 0, 0, 0, zone), time.Date(y, m, d+1, 0, 0, 0, 0, zone)
}

// Left is how many units a listing may show after so many orders of the day: none when the cap is reached, before that the power of two at or above what is
// left. In steps, since what is left changes with every order of the shop, and telling all its listings each time would keep the channel from hearing
// what matters. So a day's orders exceed the cap by what is sold until the last step is told, a second or two.
func (c DayCap) Left(orders int64) int {
	left := c.PerDay - orders
	if left <= 0 {
		return 0
	}
	return 1 << bits.Len64(uint64(left-1))
}

package order

import (
	"slices"
	"strings"

	"github.com/spillway/spillway/kit/errs"
)

// MaxInstead bounds how many different substitutions an order has. Floors substitute an item or two.
const MaxInstead = 50

// Instead is units of an item that an order is sent as units of an equal one, because the item was not there. It is ours: what the channel sold
// stays as it is.
type Instead struct {
	Line string `json:"line"` // Line.Key
	Item string `json:"item"` // what the line takes by the catalogue
	By   string `json:"by"`   // what is sent
	Qty  int64  `json:"qty"`
}

func (s Instead) key() string { return s.Line + "\x00" + s.Item + "\x00" + s.By }

// joinInsteads keeps the later of two: what is sent as another item is never taken back in a shop's facts, it only grows on the floor.
func joinInsteads(a, b Instead) Instead {
	a.Qty = max(a.Qty, b.Qty)
	return a
}

// Substitute notes that qty units of a line are sent as item by and not as item. Where item stands in for another one itself, those units are
// now sent as by. Errors: Invalid (too many different ones, no quantity).
func (o *Order) Substitute(line, item, by string, qty int64) error {
	if qty < 1 || line == "" || item == "" || by == "" || item == by {
		return errs.New(errs.Invalid, "order.Substitute", o.ID, "a substitution needs a line, two different items and a quantity")
	}
	list := slices.Clone(o.Instead)
	for i := range list {
		if s := &list[i]; qty > 0 && s.Line == line && s.By == item && s.Qty > 0 {
			n := min(s.Qty, qty)
			s.Qty, qty = s.Qty-n, qty-n
			if s.Item != by { // the item itself was found again
				list = addInstead(list, Instead{line, s.Item, by, n})
			}
		}
	}
	if qty > 0 {
		list = addInstead(list, Instead{line, item, by, qty})
	}
	list = slices.DeleteFunc(list, func(s Instead) bool { return s.Qty == 0 })
	if len(list) > MaxInstead {
		return errs.New(errs.Invalid, "order.Substitute", o.ID, "more than %d different items were substituted in this order; let somebody look at it", MaxInstead)
	}
	slices.SortFunc(list, func(a, b Instead) int { return strings.Compare(a.key(), b.key()) })
	o.Instead = list
	return nil
}

func addInstead(list []Instead, s Instead) []Instead {
	for i := range list {
		if list[i].key() == s.key() {
			list[i].Qty += s.Qty
			return list
		}
	}
	return append(list, s)
}

// InsteadOf divides what a line demands of an item between the item and those that are sent for it: share is called for each with what is to be held
// and what has left. The item's own units count as those that left first, so that a unit that was booked as the item's stays so whatever is
// substituted later; when all have left, each is booked as what it was.
func (o *Order) InsteadOf(line, item string, reserve, ship int64, share func(item string, reserve, ship int64)) {
	for _, s := range o.Instead {
		if s.Line != line || s.Item != item {
			continue
		}
		n := min(s.Qty, reserve+ship)
		if n <= 0 {
			continue
		}
		left := max(0, n-reserve)
		share(s.By, n-left, left)
		reserve, ship = reserve-(n-left), ship-left
	}
	share(item, reserve, ship)
}

package packing

import (
	"cmp"
	"strconv"

	"github.com/spillway/spillway/kit/errs"
)

// Bounds of the input: far above what an order has, low enough that no question keeps a processor busy.
const (
	MaxLines   = 300
	MaxUnits   = 1000
	MaxCartons = 64
	MaxEdge    = 20_000     // mm; a sea container is 12,032 long
	MaxWeight  = 5_000_000  // g, of a unit or an empty carton; weight times area of a whole order has to fit in 63 bits
	MaxEffort  = 50_000_000 // about two seconds
	MaxCost    = 1 << 40    // minor units of a carton's cost or a charge, so that sums cannot overflow
)

// Check refuses an order that Pack could not answer, naming the field: everything out of bounds, named twice or in mixed currencies.
func (o Order) Check() error {
	if err := o.Rules.check(); err != nil {
		return err
	}
	if err := checkItems(o.Items); err != nil {
		return err
	}
	return checkCartons(o.Cartons)
}

func invalid(item, format string, args ...any) error {
	return errs.New(errs.Invalid, "packing.Check", item, format, args...)
}

func (r Rules) check() error {
	switch {
	case r.MaxGrams < 0:
		return invalid("rules", "the greatest weight is negative")
	case r.Support != 0 && (r.Support < 51 || r.Support > 100):
		return invalid("rules", "support is %d per cent; 51 to 100 are possible", r.Support)
	case r.Effort < 0 || r.Effort > MaxEffort:
		return invalid("rules", "effort is %d; at most %d is possible", r.Effort, MaxEffort)
	}
	return nil
}

func checkItems(items []Item) error {
	if len(items) > MaxLines {
		return invalid("items", "there are %d lines; at most %d are possible", len(items), MaxLines)
	}
	seen := make(map[string]bool, len(items))
	units := 0
	for i, it := range items {
		name := it.ID
		if name == "" {
			name = "line " + strconv.Itoa(i+1)
		}
		switch {
		case it.ID == "" || seen[it.ID]:
			return invalid(name, "every line needs an id of its own")
		case it.Units < 1 || it.Units > MaxUnits:
			return invalid(name, "%d units; 1 to %d are possible", it.Units, MaxUnits)
		case !it.Size.sane():
			return invalid(name, "edges of %d, %d, %d mm; 1 to %d are possible", it.Size.L, it.Size.W, it.Size.H, MaxEdge)
		case it.Grams < 0 || it.Grams > MaxWeight || it.MaxOnTop < 0:
			return invalid(name, "a weight is negative or beyond %d g", MaxWeight)
		case it.Upright > UprightL|UprightW|UprightH:
			return invalid(name, "%d is no set of edges that may be upright", it.Upright)
		}
		seen[it.ID] = true
		units += it.Units
	}
	if units > MaxUnits {
		return invalid("items", "there are %d units; at most %d are possible", units, MaxUnits)
	}
	return nil
}

func (s Size) sane() bool {
	return min(s.L, s.W, s.H) >= 1 && max(s.L, s.W, s.H) <= MaxEdge
}

func checkCartons(cartons []Carton) error {
	if len(cartons) > MaxCartons {
		return invalid("cartons", "there are %d; at most %d are possible", len(cartons), MaxCartons)
	}
	seen := make(map[string]bool, len(cartons))
	currency := ""
	for i, c := range cartons {
		name := c.ID
		if name == "" {
			name = "carton " + strconv.Itoa(i+1)
		}
		switch {
		case c.ID == "" || seen[c.ID]:
			return invalid(name, "every carton needs an id of its own")
		case !c.Inner.sane() || !c.Outer.sane():
			return invalid(name, "an inner or outer edge is not within 1 to %d mm", MaxEdge)
		case c.Padding < 0 || c.Padding > MaxEdge:
			return invalid(name, "padding of %d mm", c.Padding)
		case c.Grams < 0 || c.Grams > MaxWeight || c.MaxGrams < 0 || c.Stock < 0:
			return invalid(name, "a weight or the stock is out of bounds")
		case c.Cost.Minor < 0 || c.Cost.Minor > MaxCost:
			return invalid(name, "it costs %s", c.Cost)
		case currency != "" && c.Cost.Currency != "" && c.Cost.Currency != currency:
			return invalid(name, "it costs %s where others cost %s", c.Cost.Currency, currency)
		}
		seen[c.ID] = true
		currency = cmp.Or(currency, c.Cost.Currency)
	}
	return nil
}

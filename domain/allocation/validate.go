package allocation

import (
	"slices"

	"github.com/spillway/spillway/kit/errs"
)

const opValidate = "allocation.Validate"

// Validate refuses inputs the rules cannot be kept for, and holds that together ask for more than is there. Every error
// names the item, listing or hold; it is Insufficient for a hold that does not fit, else Invalid. Decide works with
// holds that have become too large: they keep what there is.
func (in Input) Validate() error {
	if err := in.check(); err != nil {
		return err
	}
	for _, h := range in.Holds {
		if err := in.fitsHold(h); err != nil {
			return err
		}
	}
	return nil
}

// check is Validate without the question whether there is enough stock.
func (in Input) check() error {
	if len(in.Items) > MaxItems || len(in.Listings) > MaxListings || len(in.Holds) > MaxHolds {
		return errs.New(errs.Invalid, opValidate, "", "At most %d items, %d listings and %d holds fit in one allocation.",
			MaxItems, MaxListings, MaxHolds)
	}
	items := map[string]*Item{}
	for i := range in.Items {
		it := &in.Items[i]
		if items[it.ID] != nil {
			return errs.New(errs.Invalid, opValidate, it.ID, "The item appears twice.")
		}
		items[it.ID] = it
		if err := it.validate(); err != nil {
			return err
		}
	}
	seen := map[string]bool{}
	for _, l := range in.Listings {
		if l.ID == "" || seen[l.ID] {
			return errs.New(errs.Invalid, opValidate, l.ID, "Every listing needs an id of its own.")
		}
		seen[l.ID] = true
		if err := l.validate(items); err != nil {
			return err
		}
	}
	if err := in.validatePools(); err != nil {
		return err
	}
	return in.validateHolds()
}

// validatePools refuses items whose listings draw on too many different sets of pools to check them all.
func (in Input) validatePools() error {
	for i := range in.Items {
		it := &in.Items[i]
		var masks []uint64
		for _, l := range in.Listings {
			for _, c := range l.Components {
				if c.Item == it.ID && !slices.Contains(masks, it.mask(c.Pools)) {
					masks = append(masks, it.mask(c.Pools))
				}
			}
		}
		if _, ok := unions(masks); !ok || len(masks) > MaxPoolSets {
			return errs.New(errs.Invalid, opValidate, it.ID, "The listings draw on more than %d different sets of pools.", MaxPoolSets)
		}
	}
	return nil
}

func (it *Item) validate() error {
	switch {
	case it.ID == "":
		return errs.New(errs.Invalid, opValidate, "", "An item has no id.")
	case it.Mode != "" && it.Mode != Guarded && it.Mode != Shared:
		return errs.New(errs.Invalid, opValidate, it.ID, "An item is guarded or shared; a fixed number belongs to a listing.")
	case it.BufferPercent < 0 || it.BufferPercent > 100:
		return errs.New(errs.Invalid, opValidate, it.ID, "The buffer must be 0 to 100 percent.")
	case it.BufferUnits < 0 || it.BufferUnits > MaxUnits:
		return errs.New(errs.Invalid, opValidate, it.ID, "The buffer must be 0 or more units.")
	}
	if len(it.Pools) > maxPools {
		return errs.New(errs.Invalid, opValidate, it.ID, "An item can have at most %d pools.", maxPools)
	}
	var ids []string
	for _, p := range it.Pools {
		if p.ID == "" || slices.Contains(ids, p.ID) {
			return errs.New(errs.Invalid, opValidate, it.ID, "Every pool of an item needs an id of its own.")
		}
		if p.Promisable > MaxUnits || p.Promisable < -MaxUnits {
			return errs.New(errs.Invalid, opValidate, it.ID, "A pool cannot hold more than %d units.", MaxUnits)
		}
		ids = append(ids, p.ID)
	}
	return nil
}

func (l Listing) validate(items map[string]*Item) error {
	switch {
	case l.Kind != Absolute && l.Kind != CompareAndSet && l.Kind != Delta:
		return errs.New(errs.Invalid, opValidate, l.ID, "The listing's way of writing is not known.")
	case len(l.Components) == 0:
		return errs.New(errs.Invalid, opValidate, l.ID, "The listing consumes no item.")
	case l.Min < 0 || l.Max != nil && *l.Max < l.Min:
		return errs.New(errs.Invalid, opValidate, l.ID, "The minimum must be 0 or more and not above the maximum.")
	case l.Fixed != nil && *l.Fixed < 0, l.OrderCap != nil && *l.OrderCap < 0:
		return errs.New(errs.Invalid, opValidate, l.ID, "A fixed number or an order cap cannot be negative.")
	case l.Weight < 0 || l.Weight > maxWeight:
		return errs.New(errs.Invalid, opValidate, l.ID, "The weight must be 0 to %d.", maxWeight)
	case l.Quantile < 0 || l.Quantile >= 1 || l.Quantile != l.Quantile:
		return errs.New(errs.Invalid, opValidate, l.ID, "The quantile must be at least 0 and below 1.")
	}
	used := map[string]bool{}
	for _, c := range l.Components {
		it := items[c.Item]
		if it == nil || used[c.Item] {
			return errs.New(errs.Invalid, opValidate, l.ID, "Component %q is unknown or named twice.", c.Item)
		}
		used[c.Item] = true
		if c.Quantity < 1 || c.Quantity > MaxUnits {
			return errs.New(errs.Invalid, opValidate, l.ID, "A component needs a quantity of at least 1.")
		}
		for _, id := range c.Pools {
			if !slices.ContainsFunc(it.Pools, func(p Pool) bool { return p.ID == id }) {
				return errs.New(errs.Invalid, opValidate, l.ID, "Pool %q is not a pool of item %q.", id, c.Item)
			}
		}
	}
	return nil
}

func (in Input) validateHolds() error {
	seen := map[string]bool{}
	for _, h := range in.Holds {
		if h.ID == "" || seen[h.ID] {
			return errs.New(errs.Invalid, opValidate, h.ID, "Every hold needs an id of its own.")
		}
		seen[h.ID] = true
		if h.Quantity < 1 || h.Quantity > MaxUnits || h.Sold < 0 || !h.From.Before(h.Until) {
			return errs.New(errs.Invalid, opValidate, h.ID, "A hold needs a quantity and must end after it begins.")
		}
		consumes := func(l Listing) bool {
			return l.ID == h.Listing && slices.ContainsFunc(l.Components, func(c Component) bool { return c.Item == h.Item })
		}
		if !slices.ContainsFunc(in.Listings, consumes) {
			return errs.New(errs.Invalid, opValidate, h.ID, "The favoured listing %q does not sell item %q.", h.Listing, h.Item)
		}
	}
	return nil
}

// WithHold returns the input with a new hold, or refuses one that could not be honoured: overlapping holds of an item add
// up, and together they may not exceed what is there now. Unlike Validate it does not refuse it for others that have
// become too large, because stock was sold before they began. Errors as for Validate.
func (in Input) WithHold(h Hold) (Input, error) {
	in.Holds = append(slices.Clone(in.Holds), h)
	if err := in.check(); err != nil {
		return in, err
	}
	return in, in.fitsHold(h)
}

func (in Input) fitsHold(h Hold) error {
	if free := in.freeForHold(h); h.Left() > free {
		return errs.New(errs.Insufficient, opValidate, h.ID,
			"The hold asks for %d units; %d are free of buffer and other holds.", h.Left(), max(0, free))
	}
	return nil
}

// freeForHold is what hold h could take at the worst moment of its window: the other holds, at the most loaded instant,
// come off first. The load of intervals peaks where one of them begins, so only beginnings are looked at.
func (in Input) freeForHold(h Hold) int {
	peak := 0
	for _, begin := range in.Holds {
		instant := begin.From
		if instant.Before(h.From) {
			instant = h.From
		}
		load := 0
		for _, o := range in.Holds {
			if o.ID != h.ID && o.Item == h.Item && o.active(instant) && h.active(instant) {
				load += o.Left()
			}
		}
		peak = max(peak, load)
	}
	for k := range in.Items {
		if it := &in.Items[k]; it.ID == h.Item {
			total := it.promisable(nil)
			return total - it.buffer(total) - peak
		}
	}
	return 0
}

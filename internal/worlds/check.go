package worlds

import (
	"errors"
	"fmt"

	"github.com/spillway/spillway/domain/allocation"
)

// check asserts what must hold after every step, against the truth of the market. Holds are checked where plans are
// made, because a hold limits what may be raised.
func (k *spillway) check(full bool) error {
	edited, relaxed := k.m.spec.on(Edits), k.m.spec.on(Quantiles)
	if k.failure != nil {
		return k.failure
	}
	for i := range k.m.spec.Items {
		if edited || relaxed {
			break
		}
		err := k.checkItem(i, false)
		k.kept[i] = k.kept[i] || err == nil
		if err != nil && k.kept[i] {
			return err
		}
		if k.m.active[i] > k.m.physical[i] && !k.m.spec.adopted() {
			return fmt.Errorf("item %s oversold: %d in active orders, %d on the shelves", k.m.spec.Items[i].id, k.m.active[i], k.m.physical[i])
		}
	}
	if !edited && !relaxed {
		if err := k.checkBounds(); err != nil {
			return err
		}
	}
	if full {
		return k.ledger.check(edited || k.m.spec.adopted())
	}
	return nil
}

// checkItem asserts the invariant: exposures plus buffer within the stock, for the item and for each pool alone. Lenient
// is content if nothing more is shown of a pool that was oversold before we came.
func (k *spillway) checkItem(item int, lenient bool) error {
	it := k.m.spec.Items[item]
	whole, exposed := 0, 0
	confined := make([]int, len(it.stock))
	for _, l := range k.policy.Listings {
		for _, c := range l.Components {
			if c.Item != it.id {
				continue
			}
			n := c.Quantity * k.books[l.ID].Exposure
			exposed += n
			if len(c.Pools) == 1 {
				for p := range it.stock {
					if c.Pools[0] == poolName(p) {
						confined[p] += n
					}
				}
			}
		}
	}
	for p := range it.stock {
		n := k.ledger.promisable(place{item, p})
		whole += n
		// Orders that any pool can serve do not count against one: they are moved when it is needed.
		if free := n + k.ledger.flexible[place{item, p}]; confined[p] > free && (confined[p] > 0 || !lenient) {
			return fmt.Errorf("item %s pool %d: exposure %d above the %d promisable", it.id, p, confined[p], free)
		}
	}
	buffer := it.bufferUnits
	if it.bufferPercent > 0 {
		buffer = 0 // cancellations make it grow while units are promised; checkRaise covers it
	}
	if exposed > 0 && exposed+buffer > whole {
		return fmt.Errorf("item %s: exposure %d + buffer %d above the %d promisable", it.id, exposed, buffer, whole)
	}
	return nil
}

// checkBounds asserts that every book bounds the truth it cannot see.
func (k *spillway) checkBounds() error {
	for i, l := range k.policy.Listings {
		b := k.books[l.ID]
		truth := max(0, k.m.shown[i]) + k.m.hidden[i]
		if truth > b.Exposure {
			return fmt.Errorf("listing %s can sell or has sold %d unknown to us, its book allows %d", l.ID, truth, b.Exposure)
		}
		if least := k.m.shown[i] + k.m.hidden[i]; b.FloorKnown && least < b.Floor {
			return fmt.Errorf("listing %s has %d, its book says at least %d", l.ID, least, b.Floor)
		}
		if err := b.Check(); err != nil {
			return err
		}
	}
	return nil
}

// checkHolds asserts that holds act as levels: a favoured listing's target covers what the hold keeps as far as there
// is stock, and a schedule whose holds are over gives the same targets as no schedule at all.
func (k *spillway) checkHolds(in allocation.Input, targets []allocation.Target) {
	if len(in.Holds) == 0 || !k.m.spec.Observed {
		return
	}
	now, active := k.m.clock(), false
	for _, h := range in.Holds {
		active = active || !now.Before(h.From) && now.Before(h.Until)
	}
	if active {
		return
	}
	bare := in
	bare.Holds = nil
	for i, t := range allocation.Targets(bare, k.books, now) {
		if t.Units != targets[i].Units {
			k.fail("hold", fmt.Errorf("no hold is active, yet the target of %s is %d instead of %d", t.Listing, targets[i].Units, t.Units))
		}
	}
}

// checkRaise asserts, by a formula of its own, that pushes neither touch the buffer nor what is held for others.
func (k *spillway) checkRaise(in allocation.Input, pushes []allocation.Push) {
	for i, it := range in.Items {
		whole := 0
		for _, pool := range it.Pools {
			whole += pool.Promisable
		}
		spec := k.m.spec.Items[i]
		limit := whole - spec.bufferUnits - (max(0, whole)*spec.bufferPercent+99)/100
		exposed, before, promised := 0, 0, 0
		raised := ""
		for _, l := range in.Listings {
			b, per := k.books[l.ID], k.per(k.listing(l.ID), it.ID)
			hold := k.heldFor(in, l.ID, it.ID)
			was, e := per*b.Exposure, per*b.Exposure
			for _, p := range pushes {
				if p.Listing == l.ID && b.InFlight != nil && per > 0 {
					was = per * b.InFlight.Before
					if e > was && e > hold && p.Quantity > b.InFlight.Before {
						raised = l.ID
					}
				}
			}
			exposed += e
			before += max(was, hold)
			promised += max(e, hold)
		}
		switch {
		case raised != "" && exposed > limit:
			k.fail("raise", fmt.Errorf("%s of item %s raised with %d exposed of %d", raised, it.ID, exposed, limit))
		case raised != "" && before > limit, before <= limit && promised > limit:
			k.fail("raise", fmt.Errorf("item %s: %v promises %d, %d before, of %d free of holds", it.ID, pushes, promised, before, limit))
		}
	}
}

// heldFor is what active holds keep of an item for a listing.
func (k *spillway) heldFor(in allocation.Input, listing, item string) int {
	now, n := k.m.clock(), 0
	for _, h := range in.Holds {
		if h.Listing == listing && h.Item == item && !now.Before(h.From) && now.Before(h.Until) {
			n += max(0, h.Quantity-h.Sold)
		}
	}
	return n
}

var errUnquiet = errors.New("the world does not come to rest")

// checkRest asserts what must hold when nothing happens any more.
func (k *spillway) checkRest() error {
	in, now := k.input(), k.m.clock()
	_, plan := allocation.Decide(in, k.books, now)
	if !plan.Empty() {
		return fmt.Errorf("%w: %+v", errUnquiet, plan)
	}
	for i, kept := range k.kept {
		if err := k.checkItem(i, true); err != nil && !kept && k.m.spec.Off&(Edits|Quantiles) == Edits|Quantiles {
			return fmt.Errorf("never brought under the guard: %w", err)
		}
	}
	for i, l := range k.policy.Listings {
		b := k.books[l.ID]
		if !b.Settled() {
			return fmt.Errorf("listing %s is not settled: %+v", l.ID, b)
		}
		if shown := max(0, k.m.shown[i]); shown != b.Exposure || shown != plan.Desired[l.ID] || max(0, b.Remaining) != shown {
			return fmt.Errorf("listing %s shows %d; exposure %d, believed %d, desired %d", l.ID, shown, b.Exposure, b.Remaining, plan.Desired[l.ID])
		}
	}
	return k.ledger.check(k.m.spec.on(Edits) || k.m.spec.adopted())
}

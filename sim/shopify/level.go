package shopify

import (
	"slices"
	"time"
)

// quantity names one of the states units can be in at a location.
type quantity int

const (
	available quantity = iota
	committed
	reserved
	damaged
	safetyStock
	qualityControl
	incoming // on its way, not yet on hand
	quantityCount
	onHand quantity = -1 // the sum of all but incoming; never stored
)

var quantityNames = [quantityCount]string{"available", "committed", "reserved", "damaged", "safety_stock", "quality_control", "incoming"}

func (q quantity) String() string {
	if q == onHand {
		return "on_hand"
	}
	return quantityNames[q]
}

// quantityOf finds a quantity by its name.
func quantityOf(name string) (quantity, bool) {
	if name == "on_hand" {
		return onHand, true
	}
	i := slices.Index(quantityNames[:], name)
	return quantity(i), i >= 0
}

// level is what one location holds of one item.
type level struct {
	id                   int64
	item                 *item
	loc                  *location
	active               bool
	units                [quantityCount]int
	changedAt            [quantityCount]time.Time
	createdAt, updatedAt time.Time
}

func (l *level) get(q quantity) int {
	if q != onHand {
		return l.units[q]
	}
	n := 0
	for i, u := range l.units {
		if quantity(i) != incoming {
			n += u
		}
	}
	return n
}

func (l *level) changed(q quantity) time.Time {
	if q != onHand {
		return l.changedAt[q]
	}
	var latest time.Time
	for i, at := range l.changedAt {
		if quantity(i) != incoming && at.After(latest) {
			latest = at
		}
	}
	return latest
}

// add changes one stored quantity. on_hand follows by itself.
func (l *level) add(q quantity, delta int, at time.Time) {
	l.units[q] += delta
	l.changedAt[q] = at
	l.updatedAt = at
}

package worlds

import (
	"fmt"
)

// ledger is stock kept as a journal with derived balances, as the real one does.
type ledger struct {
	journal  []entry
	onHand   map[place]int
	reserved map[place]int
	flexible map[place]int // part of reserved that another pool could serve as well
}

type place struct{ item, pool int }

// entry is one movement: what it adds to on hand and to reserved.
type entry struct {
	at               place
	onHand, reserved int
}

func newLedger(items []itemSpec) *ledger {
	l := &ledger{onHand: map[place]int{}, reserved: map[place]int{}, flexible: map[place]int{}}
	for i, it := range items {
		for p, n := range it.stock {
			l.append(place{i, p}, n, 0)
		}
	}
	return l
}

func (l *ledger) append(at place, onHand, reserved int) {
	l.journal = append(l.journal, entry{at, onHand, reserved})
	l.onHand[at] += onHand
	l.reserved[at] += reserved
}

func (l *ledger) promisable(at place) int { return l.onHand[at] - l.reserved[at] }

// check folds the journal and compares it with the balances; nothing may be below zero unless more was sold than was
// there, which only numbers that others put at a channel excuse.
func (l *ledger) check(excused bool) error {
	onHand, reserved := map[place]int{}, map[place]int{}
	for _, e := range l.journal {
		onHand[e.at] += e.onHand
		reserved[e.at] += e.reserved
	}
	for at, n := range l.onHand {
		if onHand[at] != n || reserved[at] != l.reserved[at] {
			return fmt.Errorf("balance of %v is %d/%d, the journal says %d/%d", at, n, l.reserved[at], onHand[at], reserved[at])
		}
		if (n < 0 || l.reserved[at] < 0) && !excused {
			return fmt.Errorf("balance of %v is negative: on hand %d, reserved %d", at, n, l.reserved[at])
		}
	}
	return nil
}

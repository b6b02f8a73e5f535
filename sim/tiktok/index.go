package tiktok

import "sort"

// orderIndex finds a shop's orders by creation and by update time. Both are logs that only grow at the end, because
// the simulator's time never goes back: an update appends a new entry and leaves the old one behind as stale. Stale
// entries are swept when they outnumber the live ones, so the cost of an update is constant on average.
type orderIndex struct {
	created []*order
	updated []touch
	stale   int
	seq     uint64
}

// touch is one update. Its order is nil when the order has been updated since.
type touch struct {
	o   *order
	at  int64
	seq uint64
}

func (x *orderIndex) add(o *order) {
	o.place = uint64(len(x.created) + 1)
	x.created = append(x.created, o)
}

// touch notes that an order was updated at the given time, which must not be before any earlier one.
func (x *orderIndex) touch(o *order, at int64) {
	if o.touched {
		x.updated[o.slot].o = nil
		x.stale++
	}
	x.seq++
	o.updated, o.touched, o.slot = at, true, len(x.updated)
	x.updated = append(x.updated, touch{o, at, x.seq})
	if x.stale > 1024 && x.stale > len(x.updated)/2 {
		keep := x.updated[:0]
		for _, t := range x.updated {
			if t.o != nil {
				t.o.slot = len(keep)
				keep = append(keep, t)
			}
		}
		clear(x.updated[len(keep):])
		x.updated, x.stale = keep, 0
	}
}

// walk visits orders by one of the two times, within [ge, lt) of that time (0 is open), and tells each one's
// position, which grows with the time and never changes while the order stays unchanged.
func (x *orderIndex) walk(byUpdate, desc bool, ge, lt int64, visit func(o *order, pos uint64)) {
	n := len(x.created)
	at := func(i int) int64 { return x.created[i].created }
	if byUpdate {
		n = len(x.updated)
		at = func(i int) int64 { return x.updated[i].at }
	}
	from, to := 0, n
	if ge > 0 {
		from = sort.Search(n, func(i int) bool { return at(i) >= ge })
	}
	if lt > 0 {
		to = sort.Search(n, func(i int) bool { return at(i) >= lt })
	}
	one := func(i int) {
		if !byUpdate {
			visit(x.created[i], x.created[i].place)
		} else if t := x.updated[i]; t.o != nil {
			visit(t.o, t.seq)
		}
	}
	if desc {
		for i := to - 1; i >= from; i-- {
			one(i)
		}
		return
	}
	for i := from; i < to; i++ {
		one(i)
	}
}

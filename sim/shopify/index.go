package shopify

import "sort"

// updateIndex keeps orders sorted by the second they were last changed and then by id, which is how a client that
// polls by updated_at reads them. A changed order leaves its old entry behind; such entries are skipped and swept when
// they are the majority.
type updateIndex struct {
	entries []indexEntry
	stale   int
}

type indexEntry struct {
	at    int64 // Unix seconds
	order *order
}

func (e indexEntry) live() bool { return e.order.updatedAt.Unix() == e.at }

func (e indexEntry) before(at, id int64) bool {
	return e.at < at || e.at == at && e.order.id < id
}

// minSweep keeps small indexes from being swept again and again.
const minSweep = 1024

// add records that the order's updatedAt is new. replaced says whether it had an entry before.
func (x *updateIndex) add(o *order, replaced bool) {
	at := o.updatedAt.Unix()
	i := x.seek(at, o.id)
	x.entries = append(x.entries, indexEntry{})
	copy(x.entries[i+1:], x.entries[i:])
	x.entries[i] = indexEntry{at: at, order: o}
	if replaced {
		x.stale++
	}
	if x.stale > minSweep && x.stale > len(x.entries)/2 {
		x.sweep()
	}
}

func (x *updateIndex) sweep() {
	kept := x.entries[:0]
	for _, e := range x.entries {
		if e.live() {
			kept = append(kept, e)
		}
	}
	clear(x.entries[len(kept):])
	x.entries, x.stale = kept, 0
}

// seek is the position of the first entry at or after (at, id).
func (x *updateIndex) seek(at, id int64) int {
	return sort.Search(len(x.entries), func(i int) bool { return !x.entries[i].before(at, id) })
}

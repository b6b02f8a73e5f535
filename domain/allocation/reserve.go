package allocation

import (
	"math/bits"
	"slices"
	"time"
)

// Take is a quantity of an item taken from one pool.
type Take struct {
	Pool  string
	Units int
}

// Serve chooses the pools a known sale of a listing is reserved from: qty units of the item, in the order of
// preference given (pools left out come last, in the item's order). Stock that listings confined to fewer pools have
// been promised is left to them, which keeps every row of the invariant as it was. If even that does not suffice,
// because the invariant was already broken, the rest goes to the fullest pool.
func Serve(in Input, books Books, listing, item string, qty int, prefer []string) []Take {
	l := slices.IndexFunc(in.Listings, func(l Listing) bool { return l.ID == listing })
	k := slices.IndexFunc(in.Items, func(it Item) bool { return it.ID == item })
	if l < 0 || k < 0 || qty <= 0 {
		return nil
	}
	it := &in.Items[k]
	var own uint64
	for _, c := range in.Listings[l].Components {
		if c.Item == item {
			own = it.mask(c.Pools)
		}
	}
	if bits.OnesCount64(own) == 1 {
		return []Take{{it.Pools[bits.TrailingZeros64(own)].ID, qty}}
	}
	p := compile(in, books, time.Time{}) // holds do not matter here
	e := make([]int, len(in.Listings))
	for i, x := range in.Listings {
		e[i] = books[x.ID].Exposure
	}
	taken := make([]int, len(it.Pools))
	left := qty
	for _, i := range it.order(prefer) {
		if own&(1<<i) == 0 {
			continue
		}
		n := min(left, max(0, it.Pools[i].Promisable))
		for _, r := range p.rows {
			if r.item == item && r.mask&(1<<i) != 0 && own&^r.mask != 0 && !r.shared {
				n = min(n, max(0, r.total-sumIn(taken, r.mask)-r.used(e)))
			}
		}
		taken[i] += n
		left -= n
	}
	if left > 0 {
		taken[it.fullest(own, taken)] += left
	}
	var out []Take
	for i, n := range taken {
		if n > 0 {
			out = append(out, Take{it.Pools[i].ID, n})
		}
	}
	return out
}

func sumIn(taken []int, mask uint64) int {
	n := 0
	for i, t := range taken {
		if mask&(1<<i) != 0 {
			n += t
		}
	}
	return n
}

// order is the indexes of the pools, preferred ones first.
func (it *Item) order(prefer []string) []int {
	var out []int
	for _, id := range prefer {
		if i := slices.IndexFunc(it.Pools, func(p Pool) bool { return p.ID == id }); i >= 0 && !slices.Contains(out, i) {
			out = append(out, i)
		}
	}
	for i := range it.Pools {
		if !slices.Contains(out, i) {
			out = append(out, i)
		}
	}
	return out
}

// fullest is the pool of a set with the most left.
func (it *Item) fullest(mask uint64, taken []int) int {
	best := 0
	for i, p := range it.Pools {
		if mask&(1<<i) != 0 && (mask&(1<<best) == 0 || p.Promisable-taken[i] > it.Pools[best].Promisable-taken[best]) {
			best = i
		}
	}
	return best
}

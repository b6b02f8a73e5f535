package allocation

import (
	"slices"
	"time"
)

// A row is one inequality of the allocation: the listings that draw on one set of pools of one item may together
// expose no more than is there.
//
// For listings with different pool sets, "every sale can be served" holds exactly if for every union of their sets
// the listings confined to that union fit into it (Hall's theorem), so there is one row for each union.
type row struct {
	item   string
	mask   uint64 // the pools, as bits in the item's order
	total  int    // promisable units in these pools
	limit  int    // total less the buffer
	buffer int    // units kept back
	part   int    // those of them given in percent
	shared bool   // every listing may show all of it
	uses   []use
}

// use is one listing's part in a row.
type use struct {
	listing int // index
	per     int // units of the item in one unit of the listing
	hold    int // units of the item kept exclusive to the listing by active holds
}

// problem is an Input compiled for one moment.
type problem struct {
	in     Input
	at     time.Time
	book   []*Book // by listing; an empty one where there is none
	read   []bool  // by listing: it has a book
	rows   []row
	uses   [][]rowUse // by listing
	held   []int      // by listing: units of the listing its holds ask for
	target []int
	rate   []float64 // by listing: proven demand in units a second
	weight []float64 // see weights
	bends  []bend    // scratch
}

type rowUse struct{ row, use int }

func compile(in Input, books Books, at time.Time) *problem {
	p := &problem{in: in, at: at}
	p.uses = make([][]rowUse, len(in.Listings))
	p.rows = make([]row, 0, len(in.Items)+2)
	p.held = make([]int, len(in.Listings))
	for i := range in.Items {
		p.addRows(&in.Items[i])
	}
	n := len(in.Listings)
	p.rate, p.book, p.read = make([]float64, n), make([]*Book, n), make([]bool, n)
	copies := make([]Book, n)
	for i := range in.Listings {
		copies[i], p.read[i] = books[in.Listings[i].ID]
		p.book[i] = &copies[i]
		p.rate[i] = copies[i].Rate.PerSecond(at)
	}
	for i := range in.Listings {
		p.uses[i] = make([]rowUse, 0, 2*len(in.Listings[i].Components))
	}
	for r := range p.rows {
		for u, use := range p.rows[r].uses {
			p.uses[use.listing] = append(p.uses[use.listing], rowUse{r, u})
		}
	}
	return p
}

// addRows adds the rows of one item.
func (p *problem) addRows(it *Item) {
	type draw struct {
		listing, per int
		mask         uint64
	}
	draws := make([]draw, 0, len(p.in.Listings))
	masks := make([]uint64, 0, 4)
	for i := range p.in.Listings {
		l := &p.in.Listings[i]
		for k := range l.Components {
			c := &l.Components[k]
			if c.Item != it.ID || l.Platform {
				continue
			}
			d := draw{i, c.Quantity, it.mask(c.Pools)}
			draws = append(draws, d)
			if !slices.Contains(masks, d.mask) {
				masks = append(masks, d.mask)
			}
		}
	}
	masks, _ = unions(masks)
	var whole uint64
	for _, m := range masks {
		whole |= m
	}
	for _, m := range masks {
		r := row{item: it.ID, mask: m, total: it.sum(m), shared: it.Mode == Shared}
		r.part = it.percent(r.total)
		r.buffer = r.part
		if m == whole {
			r.buffer = it.buffer(r.total)
		}
		r.limit = r.total - r.buffer
		r.uses = make([]use, 0, len(draws))
		for _, d := range draws {
			if d.mask&^m == 0 {
				hold := p.holdFor(d.listing, it.ID)
				r.uses = append(r.uses, use{d.listing, d.per, hold})
				p.held[d.listing] = max(p.held[d.listing], (hold+d.per-1)/d.per)
			}
		}
		p.rows = append(p.rows, r)
	}
}

// holdFor is what the holds active now keep exclusive for a listing: overlapping holds add up.
func (p *problem) holdFor(listing int, item string) int {
	n := 0
	for _, h := range p.in.Holds {
		if h.Item == item && h.Listing == p.in.Listings[listing].ID && h.active(p.at) {
			n += h.Left()
		}
	}
	return n
}

// unions closes a family of sets under union; false if there are more than MaxPoolSets.
func unions(masks []uint64) ([]uint64, bool) {
	all := slices.Clone(masks)
	for i := 0; i < len(all); i++ {
		for j := range i {
			if m := all[i] | all[j]; !slices.Contains(all, m) {
				if len(all) == MaxPoolSets {
					return all, false
				}
				all = append(all, m)
			}
		}
	}
	return all, true
}

// mask is the set of pools named, as bits; none named means all that no platform keeps.
func (it *Item) mask(pools []string) uint64 {
	var m uint64
	for i, p := range it.Pools {
		if len(pools) == 0 && !p.Platform || slices.Contains(pools, p.ID) {
			m |= 1 << i
		}
	}
	return m
}

// sum is the promisable stock of a set of pools. A pool below zero takes from the others: its sales have to be served.
func (it *Item) sum(mask uint64) int {
	n := 0
	for i, p := range it.Pools {
		if mask&(1<<i) != 0 {
			n += p.Promisable
		}
	}
	return n
}

// promisable is the stock a listing naming these pools can draw on.
func (it *Item) promisable(pools []string) int { return it.sum(it.mask(pools)) }

// percent is the part of the buffer given in percent, rounded up.
func (it *Item) percent(total int) int { return (max(0, total)*it.BufferPercent + 99) / 100 }

// buffer is what is kept back of a total.
func (it *Item) buffer(total int) int { return it.percent(total) + it.BufferUnits }

// used is what the listings' exposures e take of a row.
func (r *row) used(e []int) int {
	n := 0
	for _, u := range r.uses {
		n += u.per * e[u.listing]
	}
	return n
}

// promised is what the exposures take when units held for a listing count as taken by it.
func (r *row) promised(e []int) int {
	n := 0
	for _, u := range r.uses {
		n += max(u.per*e[u.listing], u.hold)
	}
	return n
}

// room is how many more units listing i may be exposed to, given the exposures e.
func (p *problem) room(i int, e []int) int { return p.leastRoom(i, e, (*row).room) }

// mendRoom is room for a set that lowers listing i. In rows that promise to others what holds keep it may pass through
// what is held: the listing would go out otherwise, and it is not what broke the hold.
func (p *problem) mendRoom(i int, e []int) int {
	return p.leastRoom(i, e, func(r *row, u use, e []int) int {
		if r.promised(e) > r.limit {
			return floorDiv(r.limit-r.used(e), u.per)
		}
		return r.room(u, e)
	})
}

// leastRoom is the least that the rows of listing i leave it. A shared row shows all there is.
func (p *problem) leastRoom(i int, e []int, left func(r *row, u use, e []int) int) int {
	if len(p.uses[i]) == 0 {
		return 0
	}
	n := MaxUnits
	for _, ru := range p.uses[i] {
		r := &p.rows[ru.row]
		if u := r.uses[ru.use]; r.shared {
			n = min(n, floorDiv(r.limit, u.per)-e[i])
		} else {
			n = min(n, left(r, u, e))
		}
	}
	return n
}

// room is how many more units the listing of use u may be exposed to as far as the row goes: within the limit, and
// leaving alone what is held for others.
func (r *row) room(u use, e []int) int {
	taken := max(u.per*e[u.listing], u.hold)
	beyondHolds := max(taken+r.limit-r.promised(e), u.hold) - u.per*e[u.listing]
	return floorDiv(min(r.limit-r.used(e), beyondHolds), u.per)
}

// ceiling is the most listing i may show on its own: stock, maximum, order cap.
func (p *problem) ceiling(i int) int {
	l := p.in.Listings[i]
	n := MaxUnits
	for _, ru := range p.uses[i] {
		r := &p.rows[ru.row]
		n = min(n, floorDiv(r.limit, r.uses[ru.use].per))
	}
	if len(p.uses[i]) == 0 {
		n = 0
	}
	if l.Max != nil {
		n = min(n, *l.Max)
	}
	if l.OrderCap != nil {
		n = min(n, *l.OrderCap)
	}
	if l.Fixed != nil {
		n = min(n, *l.Fixed)
	}
	return max(0, n)
}

func floorDiv(a, b int) int {
	q := a / b
	if a%b != 0 && a < 0 {
		q--
	}
	return q
}

package health

import (
	"cmp"
	"slices"
	"strings"

	"github.com/spillway/spillway/domain/policy"
)

// Tally is what a day adds to a rate: of the whole shop, or of one value of a facet. As a change it may be negative. The unjudged of a day are a
// tally of their own, with the facet FacetUnjudged, the value "" and their number as Den.
type Tally struct {
	Connection, Rate, Facet, Value string
	Day                            policy.Day
	Num, Den                       int64
}

// Mark is an order that counts against the shop, or could not be judged (Reason.Unjudged). N is how many of it do: 1, or the packages. As a
// change it may be negative; marks that differ in anything but N are different marks, so a corrected order takes one back and sets another.
// The N of all judged marks of a rate and day add up to the orders against the shop in its tally.
type Mark struct {
	Connection, Rate string
	Day              policy.Day
	OrderID          string
	Reason           Reason
	Facets           Facets
	N                int64
}

func (m Mark) compare(n Mark) int {
	a, b := &m.Facets, &n.Facets
	return cmp.Or(strings.Compare(m.Connection, n.Connection), strings.Compare(m.Rate, n.Rate), cmp.Compare(m.Day, n.Day),
		strings.Compare(m.OrderID, n.OrderID), strings.Compare(string(m.Reason), string(n.Reason)), strings.Compare(a.Node, b.Node),
		strings.Compare(a.Region, b.Region), strings.Compare(a.Mode, b.Mode), strings.Compare(a.Fault, b.Fault),
		slices.Compare(a.Carriers, b.Carriers), slices.Compare(a.Items, b.Items))
}

// Tallies adds the batch up, sorted by connection, rate, facet, value and day; what adds up to nothing is left out.
func (b *Batch) Tallies() []Tally {
	s := newSummer(len(b.entries))
	for i := range b.entries {
		s.add(&b.entries[i])
	}
	return s.tallies()
}

// Whole is Tallies without the facets: what a day adds in all, and its unjudged.
func (b *Batch) Whole() []Tally {
	s := newSummer(len(b.entries))
	for i := range b.entries {
		e := &b.entries[i]
		p, n := s.place(e)
		s.put(p, n, facetValue{id: s.id(""), facet: facetAll}, pair{e.num, e.den})
		s.put(p, n, facetValue{id: s.id(""), facet: facetUnjudged}, pair{den: e.unjudged})
	}
	return s.tallies()
}

// tallies are the rows in their order; what adds up to nothing is left out.
func (s *summer) tallies() []Tally {
	rank := s.ranks()
	rows := slices.DeleteFunc(s.rows, func(r sumRow) bool { return r.pair == pair{} })
	for i := range rows {
		r := &rows[i]
		r.high, r.low = uint64(rank[r.connection])<<32|uint64(rank[r.rate]), uint64(r.facet)<<32|uint64(rank[r.value])
	}
	slices.SortFunc(rows, func(a, b sumRow) int {
		switch {
		case a.high != b.high:
			return cmp.Compare(a.high, b.high)
		case a.low != b.low:
			return cmp.Compare(a.low, b.low)
		}
		return cmp.Compare(a.day, b.day)
	})
	out := make([]Tally, 0, len(rows))
	for _, r := range rows {
		out = append(out, Tally{Connection: s.words[r.connection], Rate: s.words[r.rate], Facet: facetOrder[r.facet], Value: s.words[r.value],
			Day: r.day, Num: r.num, Den: r.den})
	}
	return out
}

// Marks lists the batch's marks, sorted by all but N; those that were set and taken back are left out.
func (b *Batch) Marks() []Mark { return b.marks(func(Reason) bool { return true }) }

// Settled is Marks without those of what may still happen, see Reason.Pending.
func (b *Batch) Settled() []Mark { return b.marks(func(r Reason) bool { return !r.Pending() }) }

func (b *Batch) marks(wanted func(Reason) bool) []Mark {
	all := make([]Mark, 0, len(b.entries)/4)
	for i := range b.entries {
		e := &b.entries[i]
		if n := e.against + e.unjudged; n != 0 && wanted(e.reason) {
			all = append(all, Mark{Connection: e.connection, Rate: e.rate, Day: e.day, OrderID: e.orderID, Reason: e.reason, Facets: *e.facets, N: n})
		}
	}
	slices.SortFunc(all, Mark.compare)
	out := all[:0]
	for _, m := range all {
		if n := len(out); n > 0 && out[n-1].compare(m) == 0 {
			out[n-1].N += m.N
			continue
		}
		out = append(out, m)
	}
	return slices.DeleteFunc(out, func(m Mark) bool { return m.N == 0 })
}

var facetOrder = [...]Facet{FacetAll, FacetNode, FacetCarrier, FacetRegion, FacetItem, FacetMode, FacetFault, FacetUnjudged}

const (
	facetAll = iota
	facetNode
	facetCarrier
	facetRegion
	facetItem
	facetMode
	facetFault
	facetUnjudged
)

// summer adds entries up. Strings become numbers first, and a row is found by one number: that is far faster than by five strings.
type summer struct {
	ids    map[string]uint32
	words  []string
	places map[place]uint32 // numbers of those
	at     map[uint64]int32 // by place, facet and value: the row
	rows   []sumRow

	facets *Facets // of the entry before: those of an order follow each other and share them
	values []facetValue
}

// place is where a tally belongs, but for its facet.
type place struct {
	connection, rate uint32
	day              policy.Day
}

// sumRow is a sum, and what it is sorted by.
type sumRow struct {
	place
	value     uint32
	facet     uint8
	high, low uint64
	pair
}

// facetValue is a value of a facet by its number; part says which of entry.parts is its own, -1: none.
type facetValue struct {
	id    uint32
	facet uint8
	part  int
}

type pair struct{ num, den int64 }

func newSummer(entries int) *summer {
	return &summer{ids: map[string]uint32{}, places: map[place]uint32{}, at: make(map[uint64]int32, entries), rows: make([]sumRow, 0, entries)}
}

func (s *summer) id(word string) uint32 {
	id, ok := s.ids[word]
	if !ok {
		id = uint32(len(s.words))
		s.ids[word], s.words = id, append(s.words, word)
	}
	return id
}

// ranks is the place of each word among all of them.
func (s *summer) ranks() []uint32 {
	ids := make([]uint32, len(s.words))
	for i := range ids {
		ids[i] = uint32(i)
	}
	slices.SortFunc(ids, func(a, b uint32) int { return strings.Compare(s.words[a], s.words[b]) })
	rank := make([]uint32, len(ids))
	for place, id := range ids {
		rank[id] = uint32(place)
	}
	return rank
}

func (s *summer) add(e *entry) {
	if s.facets != e.facets {
		s.divide(e.facets)
	}
	p, n := s.place(e)
	for _, v := range s.values {
		by := pair{e.num, e.den}
		if v.part >= 0 && e.parts != nil {
			by = e.parts[v.part]
		}
		s.put(p, n, v, by)
	}
	s.put(p, n, facetValue{id: s.id(""), facet: facetUnjudged}, pair{den: e.unjudged})
}

// place is where an entry counts, and its number.
func (s *summer) place(e *entry) (place, uint32) {
	p := place{connection: s.id(e.connection), rate: s.id(e.rate), day: e.day}
	n, ok := s.places[p]
	if !ok {
		n = uint32(len(s.places))
		s.places[p] = n
	}
	return p, n
}

// put adds to the row of a value at the place with the number n, which is below 1<<28: a batch has fewer entries.
func (s *summer) put(p place, n uint32, v facetValue, by pair) {
	if by == (pair{}) {
		return
	}
	key := uint64(n)<<36 | uint64(v.facet)<<32 | uint64(v.id)
	i, ok := s.at[key]
	if !ok {
		i = int32(len(s.rows))
		s.at[key] = i
		s.rows = append(s.rows, sumRow{place: p, value: v.id, facet: v.facet})
	}
	r := &s.rows[i]
	r.num, r.den = r.num+by.num, r.den+by.den
}

// divide lists the values under which an order with the facets counts, the whole included.
func (s *summer) divide(f *Facets) {
	s.facets, s.values = f, s.values[:0]
	put := func(facet uint8, value string, part int) {
		s.values = append(s.values, facetValue{s.id(value), facet, part})
	}
	put(facetAll, "", -1)
	put(facetNode, f.Node, -1)
	put(facetRegion, f.Region, -1)
	put(facetMode, f.Mode, -1)
	if f.Fault != "" {
		put(facetFault, f.Fault, -1)
	}
	for _, v := range f.Items {
		put(facetItem, v, -1)
	}
	for i, v := range f.Carriers {
		put(facetCarrier, v, i)
	}
}

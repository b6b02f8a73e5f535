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

func (t Tally) compare(u Tally) int {
	return cmp.Or(strings.Compare(t.Connection, u.Connection), strings.Compare(t.Rate, u.Rate), strings.Compare(t.Facet, u.Facet),
		strings.Compare(t.Value, u.Value), cmp.Compare(t.Day, u.Day))
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

// Tallies adds the batch up, sorted by all but the counts; what adds up to nothing is left out.
func (b *Batch) Tallies() []Tally {
	s := newSummer(len(b.entries))
	for i := range b.entries {
		s.add(&b.entries[i])
	}
	out := make([]Tally, 0, len(s.sums))
	for k, v := range s.sums {
		if v != (pair{}) {
			out = append(out, Tally{Connection: s.words[k.connection], Rate: s.words[k.rate], Facet: facetOrder[k.facet], Value: s.words[k.value],
				Day: k.day, Num: v.num, Den: v.den})
		}
	}
	slices.SortFunc(out, Tally.compare)
	return out
}

// Marks lists the batch's marks, sorted by all but N; those that were set and taken back are left out.
func (b *Batch) Marks() []Mark {
	all := make([]Mark, 0, len(b.entries)/4)
	for i := range b.entries {
		e := &b.entries[i]
		if n := e.against + e.unjudged; n != 0 {
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

// summer adds entries up. Strings become numbers first: a key of numbers is hashed far faster than one of five strings.
type summer struct {
	ids   map[string]uint32
	words []string
	sums  map[sumKey]pair
}

type sumKey struct {
	connection, rate, value uint32
	day                     policy.Day
	facet                   uint8
}

type pair struct{ num, den int64 }

func newSummer(entries int) *summer {
	return &summer{ids: map[string]uint32{}, sums: make(map[sumKey]pair, entries*2)}
}

func (s *summer) id(word string) uint32 {
	id, ok := s.ids[word]
	if !ok {
		id = uint32(len(s.words))
		s.ids[word], s.words = id, append(s.words, word)
	}
	return id
}

func (s *summer) add(e *entry) {
	k := sumKey{connection: s.id(e.connection), rate: s.id(e.rate), day: e.day}
	one := func(facet uint8, value string, num, den int64) {
		if num == 0 && den == 0 {
			return
		}
		k.facet, k.value = facet, s.id(value)
		p := s.sums[k]
		s.sums[k] = pair{p.num + num, p.den + den}
	}
	f := e.facets
	one(facetAll, "", e.num, e.den)
	one(facetNode, f.Node, e.num, e.den)
	one(facetRegion, f.Region, e.num, e.den)
	one(facetMode, f.Mode, e.num, e.den)
	if f.Fault != "" {
		one(facetFault, f.Fault, e.num, e.den)
	}
	for _, v := range f.Items {
		one(facetItem, v, e.num, e.den)
	}
	for i, v := range f.Carriers {
		if e.parts == nil {
			one(facetCarrier, v, e.num, e.den)
		} else {
			one(facetCarrier, v, e.parts[i].num, e.parts[i].den)
		}
	}
	one(facetUnjudged, "", 0, e.unjudged)
}

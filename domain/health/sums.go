package health

import (
	"cmp"
	"slices"
	"strings"

	"github.com/spillway/spillway/domain/policy"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/kit/pack"
)

// Sums adds batches up, in any order and any grouping. The zero Sums is empty. After an error it is of no use. It is not safe for concurrent use.
//
// Texts become numbers first, and a sum is found by one number: that is far faster than by five texts.
type Sums struct {
	ids    map[string]uint32
	words  []string
	rates  map[[2]uint32]uint32 // connection and key of a rate: its number
	keys   [][2]uint32
	places map[uint64]int32 // number of a rate, and day: the number of the place
	at     []place
	whole  []daySum // by place
	parts  pairTable
	marks  []Mark

	values []facetValue // of the entry that is being read
}

// place is where a sum belongs.
type place struct {
	rate uint32
	day  policy.Day
}

type pair struct{ num, den int64 }

type daySum struct{ num, den, unjudged int64 }

// facetValue is a value of a facet by their numbers; carrier is its place among the entry's carriers, -1: it is none.
type facetValue struct {
	key     uint64
	carrier int
}

// Add adds a batch, which stays as it is.
func (s *Sums) Add(b *Batch) error {
	if b.Empty() {
		return nil
	}
	if err := s.AddDays(b.days.data); err != nil {
		return err
	}
	if b.parts.data == nil {
		return nil
	}
	return s.AddParts(b.parts.data)
}

// AddDays adds a record of Batch.Days. Errors: Invalid, if it is none.
func (s *Sums) AddDays(data []byte) error { return s.read("health.AddDays", data, s.dayEntry) }

// AddParts adds a record of Batch.Parts. Errors: Invalid, if it is none.
func (s *Sums) AddParts(data []byte) error { return s.read("health.AddParts", data, s.partEntry) }

func (s *Sums) read(op string, data []byte, entry func(*reader, byte)) error {
	if s.ids == nil {
		s.ids, s.rates, s.places = map[string]uint32{}, map[[2]uint32]uint32{}, map[uint64]int32{}
	}
	r := reader{Reader: pack.Read(data)}
	if v := r.Byte(); v != codecVersion {
		return errs.New(errs.Invalid, op, "", "the record has the version %d, only %d is known", v, codecVersion)
	}
	for r.More() {
		if op := r.Byte(); op == opShop {
			s.shop(&r)
		} else {
			entry(&r, op)
		}
	}
	if !r.Done() || len(s.at) > maxPlaces {
		return errs.New(errs.Invalid, op, "", "the record is damaged")
	}
	return nil
}

// maxPlaces is how many places a key of a pairTable has room for.
const maxPlaces = 1 << 28

// reader reads the entries of a record.
type reader struct {
	pack.Reader
	connection string
	rates      []uint32 // the numbers of the shop's rates
	day        policy.Day
}

func (s *Sums) shop(r *reader) {
	r.connection = r.Text()
	connection := s.id(r.connection)
	r.rates, r.day = r.rates[:0], 0
	for range r.Count(1) {
		key := [2]uint32{connection, s.id(r.Text())}
		n, ok := s.rates[key]
		if !ok {
			n = uint32(len(s.keys))
			s.rates[key], s.keys = n, append(s.keys, key)
		}
		r.rates = append(r.rates, n)
	}
}

func (s *Sums) id(word string) uint32 {
	id, ok := s.ids[word]
	if !ok {
		id = uint32(len(s.words))
		word = strings.Clone(word) // not all of the record
		s.ids[word], s.words = id, append(s.words, word)
	}
	return id
}

// place is the number of the place an entry is about.
func (s *Sums) place(r *reader) int32 {
	def, day := r.Uint(), int64(r.day)+r.Number()
	if def >= uint64(len(r.rates)) || int64(policy.Day(day)) != day || r.Failed() {
		r.Fail()
		return 0
	}
	p := place{r.rates[def], policy.Day(day)}
	r.day = p.day
	key := uint64(p.rate)<<32 | uint64(uint32(p.day))
	n, ok := s.places[key]
	if !ok {
		n = int32(len(s.at))
		s.places[key], s.at, s.whole = n, append(s.at, p), append(s.whole, daySum{})
	}
	return n
}

func (s *Sums) dayEntry(r *reader, op byte) {
	at := s.place(r)
	switch {
	case r.Failed():
	case op == opSum || op == opUnjudged:
		w := &s.whole[at]
		w.num, w.den = w.num+r.Number(), w.den+r.Number()
		if op == opUnjudged {
			w.unjudged += r.Number()
		}
	case op == opMark:
		key := s.keys[s.at[at].rate]
		m := Mark{Connection: s.words[key[0]], Rate: s.words[key[1]], Day: s.at[at].day}
		m.Reason, m.OrderID, m.N = Reason(s.words[s.id(r.Text())]), r.Text(), r.Number()
		m.Facets = Facets{Node: r.Text(), Region: r.Text(), Mode: r.Text(), Fault: r.Text(), Items: texts(r), Carriers: texts(r)}
		s.marks = append(s.marks, m)
	default:
		r.Fail()
	}
}

// few reads how many values follow.
func few(r *reader) int {
	n := r.Count(1)
	if n > MaxItems {
		r.Fail()
		return 0
	}
	return n
}

// texts reads the values of a facet that has several.
func texts(r *reader) []string {
	out := make([]string, few(r))
	for i := range out {
		out[i] = r.Text()
	}
	return out
}

func (s *Sums) partEntry(r *reader, op byte) {
	of := facetSet(op &^ byPackage)
	if of&^allFacets != 0 || of == 0 {
		r.Fail()
	}
	carriers := s.valuesOf(r, of)
	for range r.Count(4) {
		at := uint64(s.place(r)) << 36
		all := pair{r.Number(), r.Number()}
		if r.Failed() {
			return
		}
		if op&byPackage == 0 || r.Byte() == 0 {
			for _, v := range s.values {
				s.parts.add(at|v.key, all)
			}
			continue
		}
		for _, v := range s.values {
			if v.carrier < 0 {
				s.parts.add(at|v.key, all)
			}
		}
		for _, v := range s.values[len(s.values)-carriers:] {
			s.parts.add(at|v.key, pair{r.Number(), r.Number()})
		}
	}
}

// valuesOf reads the values of some facets, those of carriers last, and says how many carriers there are.
func (s *Sums) valuesOf(r *reader, of facetSet) (carriers int) {
	s.values = s.values[:0]
	put := func(facet uint64, carrier int) {
		s.values = append(s.values, facetValue{facet<<32 | uint64(s.id(r.Text())), carrier})
	}
	if of&nodeSet != 0 {
		put(facetNode, -1)
	}
	if of&regionSet != 0 {
		put(facetRegion, -1)
	}
	if of&modeSet != 0 {
		put(facetMode, -1)
	}
	if of&faultSet != 0 {
		put(facetFault, -1)
	}
	if of&itemSet != 0 {
		for range few(r) {
			put(facetItem, -1)
		}
	}
	if of&carrierSet != 0 {
		carriers = few(r)
		for i := range carriers {
			put(facetCarrier, i)
		}
	}
	return carriers
}

// Len is how many sums of single values there are: a measure of the memory taken.
func (s *Sums) Len() int { return s.parts.used }

// Whole lists what each day adds in all, and its unjudged, sorted as Tallies; what adds up to nothing is left out.
func (s *Sums) Whole() []Tally {
	var out []Tally
	for i, w := range s.whole {
		t := s.tally(int32(i))
		if t.Num, t.Den = w.num, w.den; w.num != 0 || w.den != 0 {
			out = append(out, t)
		}
		if w.unjudged != 0 {
			t.Facet, t.Num, t.Den = FacetUnjudged, 0, w.unjudged
			out = append(out, t)
		}
	}
	slices.SortFunc(out, Tally.compare)
	return out
}

func (s *Sums) tally(at int32) Tally {
	p := s.at[at]
	key := s.keys[p.rate]
	return Tally{Connection: s.words[key[0]], Rate: s.words[key[1]], Day: p.day}
}

// Tallies lists the sums of whole days and of single values, sorted by connection, rate, facet, value and day; what adds up to nothing is left out.
func (s *Sums) Tallies() []Tally {
	out := s.Whole()
	for _, p := range s.parts.slots {
		if p.key == 0 || p.pair == (pair{}) {
			continue
		}
		at, facet, value := p.where()
		t := s.tally(at)
		t.Facet, t.Value, t.Num, t.Den = facetOrder[facet], s.words[value], p.num, p.den
		out = append(out, t)
	}
	slices.SortFunc(out, Tally.compare)
	return out
}

// Marks lists the marks, sorted by all but N; those that were set and taken back are left out.
func (s *Sums) Marks() []Mark {
	all := slices.Clone(s.marks)
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

// Parts lists the sums of single values by rate and day, sorted by connection, rate and day.
func (s *Sums) Parts() []DayParts {
	rank := s.ranks()
	type row struct {
		order uint64 // place, facet, and the value's rank
		*slot
	}
	rows := make([]row, 0, s.parts.used)
	for i := range s.parts.slots {
		p := &s.parts.slots[i]
		if p.key == 0 || p.pair == (pair{}) {
			continue
		}
		_, _, value := p.where()
		rows = append(rows, row{(p.key-1)&^(1<<32-1) | uint64(rank[value]), p})
	}
	slices.SortFunc(rows, func(a, b row) int { return cmp.Compare(a.order, b.order) })
	var out []DayParts
	var w partsWriter
	for i, r := range rows {
		at, facet, value := r.where()
		w.put(facet, s.words[value], r.pair)
		if i+1 == len(rows) || rows[i+1].order>>36 != r.order>>36 {
			t := s.tally(at)
			out = append(out, DayParts{Connection: t.Connection, Rate: t.Rate, Day: t.Day, Data: w.record()})
		}
	}
	slices.SortFunc(out, DayParts.compare)
	return out
}

// ranks is the place of each word among all of them.
func (s *Sums) ranks() []uint32 {
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

// pairTable finds a sum by its number. A map of Go's and a list of sums took twice as long: two places in memory instead of one.
type pairTable struct {
	slots []slot // a power of two, at most three quarters used
	used  int
}

// slot is a sum; key is its number and 1, 0: free.
type slot struct {
	key uint64
	pair
}

// where is the place, the facet and the value of a sum.
func (p *slot) where() (at int32, facet uint8, value uint32) {
	k := p.key - 1
	return int32(k >> 36), uint8(k >> 32 & 15), uint32(k)
}

func (t *pairTable) add(key uint64, n pair) {
	if n == (pair{}) {
		return
	}
	if 4*t.used >= 3*len(t.slots) {
		t.grow()
	}
	s := t.find(key + 1)
	if s.key == 0 {
		s.key = key + 1
		t.used++
	}
	s.num, s.den = s.num+n.num, s.den+n.den
}

func (t *pairTable) find(key uint64) *slot {
	mask := uint64(len(t.slots) - 1)
	h := key * 0x9e3779b97f4a7c15
	for i := (h ^ h>>32) & mask; ; i = (i + 1) & mask {
		if s := &t.slots[i]; s.key == key || s.key == 0 {
			return s
		}
	}
}

func (t *pairTable) grow() {
	old := t.slots
	t.slots = make([]slot, max(256, 2*len(old)))
	for _, s := range old {
		if s.key != 0 {
			*t.find(s.key) = s
		}
	}
}

package routing

import (
	"cmp"
	"math"
	"math/bits"
	"slices"

	"github.com/spillway/spillway/domain/network"
)

// Work that one search may do before it gives its best as not proven. A step is some ten nanoseconds: the longest search ends within
// about a millisecond.
const (
	maxWork  = 20_000
	wideWork = 2_000 // of an order with more than narrow wants
	narrow   = 8
	// boundWork is that of a bound in a re-plan, which is taken thousands of times: where it ends early, the bound so far is used.
	boundWork = 20_000
	leafWork  = 400   // of which so much goes into one set of slots
	diveWork  = 1_600 // and so much into all of them, before only their bounds are looked at
)

const never int64 = math.MaxInt64 / 4

// search finds the cheapest plan of a problem. Its memory is kept between searches.
type search struct {
	p     *problem
	rules *Rules
	sites int
	slots []slot // of the problem that are in reach now, prices included, by site
	spans [network.MaxNodes + 1]int32
	best  answer
	only  uint64 // sites it may use

	avail, unit   []int64 // of each want at each site: units in reach, and price of one
	cheap         []int64 // at least what a want costs anywhere, without weight
	cheapW        []int64 // and with it, less the first pound of each parcel
	odd           []uint8 // of each want at each site: what is not sure of it
	line, each    []int64 // the lowest price of a line and of a unit of a want anywhere
	sum, sumW     int64
	cover         [network.MaxNodes][2]uint64 // wants of which a site has all
	least         [network.MaxNodes]slot      // the best of each field over a site's slots
	most          [network.MaxNodes]slot      // and the worst
	chosen        [MaxParts]int32             // sites of the subset at hand
	use           [MaxParts]int32             // slots of the combination at hand
	sets          []set
	leaf          leaf
	minFix, minFW int64
	spent         int
	parts         int
	lower         int64
	upper         int64 // nothing dearer is looked for
	grams         int64 // of the whole order
	limit         int   // steps before it gives up
	dived         int   // steps that went into sharing among slots
	leafLimit     int   // steps before it gives up on the slots at hand
	relaxed       bool  // units may be left that could ship: others may have taken them. For bounds of a re-plan
	wide          bool  // an order of many wants, which is not searched to the last unit
	single        bool  // one part only, whatever the rules allow
	first         bool  // the last answer came from platform stock that goes first
	rest          []int64
}

// answer is a plan inside a search.
type answer struct {
	cost  int64
	lower int64 // no plan is cheaper
	n     int
	slots [MaxParts]int32 // indexes into the search's slots
	qty   []int32         // of each want from each part: want*MaxParts+part
	kept  [MaxParts]slot  // the slots themselves
}

// run finds the best answer. only limits the sites; upper is a cost that an answer must not exceed to be of use.
func (s *search) run(p *problem, only uint64, upper int64) *answer {
	s.p, s.only, s.spent, s.dived = p, only, 0, 0
	s.wide = len(p.wants) > narrow
	switch s.limit = maxWork; {
	case s.relaxed:
		s.limit = boundWork
	case s.wide:
		s.limit = wideWork
	}
	s.parts = s.rules.parts()
	if p.o.Regime.Whole || s.single {
		s.parts = 1
	}
	s.prepare()
	s.best.n, s.best.cost, s.lower, s.upper = 0, never, never, upper
	s.best.qty = grow(s.best.qty, len(p.wants)*MaxParts)
	s.nothing()
	for size := 1; size <= s.parts && size <= s.sites; size++ {
		if s.spent < s.limit {
			s.subsets(size, 0, 0, 0, 0)
		}
		if s.spent >= s.limit { // what sets of this size and greater could cost is known only roughly
			many := int64(size)
			s.lower = min(s.lower, max(many*s.minFix+s.sum, s.sumW+min(many*s.minFW, int64(s.parts)*s.minFW)))
			s.flush(size)
			break
		}
		s.flush(size)
	}
	for i := range s.best.n {
		s.best.kept[i] = s.slots[s.best.slots[i]]
	}
	s.best.lower = min(s.best.cost, s.lower)
	return &s.best
}

func grow[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n, 2*n)
	}
	return s[:n]
}

// left is what leaving n units costs, of which there are at least one.
func (s *search) left(n int64) int64 { return n * s.rules.LeftUnit * mill }

// nothing is the answer of shipping nothing: all is left, and late for certain.
func (s *search) nothing() {
	var units int64
	for i := range s.p.wants {
		units += s.p.wants[i].qty
	}
	clear(s.best.qty)
	s.best.cost = s.left(units) + s.rules.LeftAny*mill + s.p.due.lateness([3]int64{})
}

// prepare reads stock and works out bounds that hold for every set of nodes.
func (s *search) prepare() {
	p := s.p
	n := len(p.wants) * s.sites
	s.avail, s.unit = grow(s.avail, n), grow(s.unit, n)
	s.odd = grow(s.odd, n)
	s.line, s.each = grow(s.line, len(p.wants)), grow(s.each, len(p.wants))
	s.cheap, s.cheapW = grow(s.cheap, len(p.wants)), grow(s.cheapW, len(p.wants))
	s.grams = 0
	for i := range p.wants {
		s.grams += p.wants[i].qty * p.wants[i].grams
	}
	s.minFix, s.minFW, s.sum, s.sumW = never, never, 0, 0
	for si := range s.sites {
		s.floor(si)
	}
	partly := s.rules.Short == Partly
	for i := range p.wants {
		w := &p.wants[i]
		line, unit, unitW, have := never, never, never, int64(0)
		for si := range s.sites {
			at := i*s.sites + si
			if s.avail[at] == 0 {
				continue
			}
			f, m := &s.least[si], &s.most[si]
			s.odd[at] = 0
			if w.need&^m.able != 0 || m.max > 0 && w.grams > m.max {
				s.odd[at] |= shaky
			}
			if s.relaxed && partly && s.left(1) < s.saves(m, w, s.unit[at]) {
				s.odd[at] |= loose
			}
			have += s.avail[at]
			line = min(line, f.line)
			unit = min(unit, f.unit+s.unit[at])
			unitW = min(unitW, f.unit+s.unit[at]+f.gram*w.grams)
		}
		s.line[i], s.each[i] = line, unit
		s.cheap[i] = s.floorOf(w.qty, have, line, unit, partly)
		s.cheapW[i] = s.floorOf(w.qty, have, line, unitW, partly)
		s.sum, s.sumW = min(never, s.sum+s.cheap[i]), min(never, s.sumW+s.cheapW[i])
	}
}

// floorOf is at least what qty units of a want cost where a line and a unit cost at least so much and have of them are there.
func (s *search) floorOf(qty, have, line, unit int64, partly bool) int64 {
	if have < qty && s.rules.Short != Partly {
		return never
	}
	if have == 0 {
		return s.left(qty)
	}
	short := max(0, qty-have)
	least := line + s.left(short) + (qty-short)*unit
	if partly && s.rules.LeftUnit*mill < unit {
		least = line + s.left(qty)
	}
	if partly {
		least = min(least, s.left(qty))
	}
	return least
}

// floor reads what is in reach at a site and the best of each field over its slots.
func (s *search) floor(si int) {
	p := s.p
	from, to := s.spans[si], s.spans[si+1]
	open := from < to && s.only>>si&1 == 1
	var f, m slot
	if open {
		f = s.slots[from]
		m = f
		for _, x := range s.slots[from+1 : to] {
			f.fixed, f.line, f.unit, f.pound = min(f.fixed, x.fixed), min(f.line, x.line), min(f.unit, x.unit), min(f.pound, x.pound)
			f.gram, f.parcel = min(f.gram, x.gram), min(f.parcel, x.parcel)
			m.line, m.unit, m.pound, m.parcel, m.able = max(m.line, x.line), max(m.unit, x.unit), max(m.pound, x.pound), max(m.parcel, x.parcel), m.able&x.able
			if x.max > 0 && (m.max == 0 || x.max < m.max) {
				m.max = x.max
			}
			f.able |= x.able
			if f.max > 0 && (x.max == 0 || x.max > f.max) {
				f.max = x.max
			}
		}
		s.minFix, s.minFW = min(s.minFix, f.fixed), min(s.minFW, f.fixed-f.pound)
	}
	s.least[si], s.most[si], s.cover[si] = f, m, [2]uint64{}
	in := s.leaf.in[si]
	for i := range p.wants {
		w := &p.wants[i]
		at := i*s.sites + si
		s.avail[at], s.unit[at] = 0, 0
		if open && w.sites>>si&1 == 1 && int(in) < len(w.row) && w.need&^f.able == 0 && (f.max == 0 || w.grams <= f.max) {
			if s.avail[at] = max(0, min(w.row[in], w.qty)); p.o.Regime.Undivided && s.avail[at] < w.qty {
				s.avail[at] = 0
				continue
			}
			if w.price != nil {
				s.unit[at] = w.price[in]
			}
			if s.avail[at] == w.qty {
				s.cover[si][i>>6] |= 1 << (i & 63)
			}
		}
	}
}

// What is not sure of a want at a site: that all its slots can take it, and that none of it is left there when the site is in use.
const shaky, loose uint8 = 1, 2

// set is a set of sites that may hold a better answer.
type set struct {
	bound  int64
	sites  [MaxParts]int32
	serial int32
	all    tally // with all shipped that can be
	some   tally // with units left that could ship; more than never: there are none
}

// tally is at least what wants cost in a set of sites: without weight, with it by the gram, and the grams that ship for certain.
type tally struct{ sum, sumW, ships int64 }

// bound is at least what a tally comes to with n parcels that cost fix, pounds of them included; further ones hold most grams each and cost label.
func (t *tally) bound(n int, fix, fixW, pound, most, label int64) int64 {
	b := max(fixW+t.sumW, fix+t.sum+max(0, pounds(t.ships)-int64(n))*pound)
	if most > 0 {
		b += max(0, (t.ships+most-1)/most-int64(n)) * label
	}
	return b
}

// maxSets bounds the sets kept for sorting; when there are more, those kept are searched before going on.
const maxSets = 512

// subsets gathers the sets of size sites whose bound is below the best.
func (s *search) subsets(size, depth, from int, fix, fixW int64) {
	if depth == size {
		s.subset(size)
		return
	}
	more := int64(size - depth - 1)
	for si := from; si < s.sites; si++ {
		f := &s.least[si]
		if s.spans[si] == s.spans[si+1] || s.only>>si&1 == 0 {
			continue
		}
		s.spent++
		if s.spent >= s.limit {
			return
		}
		if s.worse(fix+f.fixed+more*s.minFix+s.sum) || s.worse(fixW+f.fixed-f.pound+more*s.minFW+s.sumW) {
			continue
		}
		s.chosen[depth] = int32(si)
		s.subsets(size, depth+1, si+1, fix+f.fixed, fixW+f.fixed-f.pound)
	}
}

// flush searches the sets that were gathered, those with the lowest bound first.
func (s *search) flush(size int) {
	slices.SortFunc(s.sets, func(a, b set) int { return cmp.Or(cmp.Compare(a.bound, b.bound), cmp.Compare(a.serial, b.serial)) })
	for i := range s.sets {
		t := &s.sets[i]
		if s.spent >= s.limit {
			s.lower = min(s.lower, t.bound)
			break
		}
		if s.worse(t.bound) {
			break // and so are all that follow
		}
		s.chosen = t.sites
		s.combine(size, 0, 0, allSure, t)
	}
	s.sets = s.sets[:0]
}

// worse reports whether something that costs at least so much need not be looked at: of equals the first is kept.
func (s *search) worse(bound int64) bool { return bound >= s.best.cost || bound > s.upper }

// subset bounds a set of sites by what each want costs there at least, and keeps it for flush.
func (s *search) subset(size int) {
	var fix, fixW, most int64
	pound, label, limited := never, never, true
	for j := range size {
		f := &s.least[s.chosen[j]]
		fix, fixW, pound, label = fix+f.fixed, fixW+f.fixed-f.pound, min(pound, f.pound), min(label, f.parcel)
		most, limited = max(most, f.max), limited && f.max > 0
	}
	if !limited {
		most = 0
	}
	if s.lacking(size, fix, s.rules.Short == Partly) {
		return
	}
	t := set{sites: s.chosen, serial: int32(len(s.sets))}
	if !s.tallies(size, &t, fix, fixW) {
		return
	}
	t.bound = t.all.bound(size, fix, fixW, pound, most, label)
	if t.some.sum < never {
		t.bound = min(t.bound, t.some.bound(size, fix, fixW, pound, most, label))
	}
	if s.worse(t.bound) {
		return
	}
	if s.sets = append(s.sets, t); len(s.sets) == maxSets {
		s.flush(size)
	}
}

// tallies reckons what each want costs in a set of sites. False: the set is no better than the best.
func (s *search) tallies(size int, t *set, fix, fixW int64) bool {
	partly := s.rules.Short == Partly
	short, open := false, false
	all, some := &t.all, &t.some
	for i := range s.p.wants {
		w := &s.p.wants[i]
		line, unit, unitW, have, odd := never, never, never, int64(0), uint8(0)
		for j := range size {
			si := int(s.chosen[j])
			at := i*s.sites + si
			if s.avail[at] == 0 {
				continue
			}
			f := &s.least[si]
			have += s.avail[at]
			odd |= s.odd[at]
			line, unit = min(line, f.line), min(unit, f.unit+s.unit[at])
			unitW = min(unitW, f.unit+s.unit[at]+f.gram*w.grams)
		}
		short = short || have < w.qty
		ships := min(have, w.qty)
		cost, costW := s.floorOf(w.qty, have, line, unit, false), s.floorOf(w.qty, have, line, unitW, false)
		least, leastW := cost, costW
		if partly && odd != 0 {
			least, leastW = s.floorOf(w.qty, have, line, unit, true), s.floorOf(w.qty, have, line, unitW, true)
		}
		if odd&shaky != 0 {
			cost, costW = least, leastW
		} else {
			all.ships += ships * w.grams
		}
		if odd == 0 {
			some.ships += ships * w.grams
		}
		open = open || odd&loose != 0
		all.sum, all.sumW, some.sum, some.sumW = all.sum+cost, all.sumW+costW, some.sum+least, some.sumW+leastW
		if s.worse(fix+some.sum) || s.worse(fixW+some.sumW) {
			s.spent += i/4 + 1
			return false
		}
	}
	s.spent += len(s.p.wants)/4 + 1
	leaving := s.rules.LeftAny * mill
	some.sum, some.sumW = some.sum+leaving, some.sumW+leaving
	if short {
		all.sum, all.sumW = all.sum+leaving, all.sumW+leaving
	}
	if !open {
		some.sum = never
	}
	return true
}

// lacking reports whether what a set of sites lacks already makes it dearer than the best: a look at the few wants that no site of it has
// all of, before all wants are looked at.
func (s *search) lacking(size int, fix int64, partly bool) bool {
	var have [2]uint64
	for j := range size {
		c := &s.cover[s.chosen[j]]
		have[0], have[1] = have[0]|c[0], have[1]|c[1]
	}
	bound, short := fix+s.sum, false
	for word, got := range have {
		open := ^got
		if n := len(s.p.wants) - 64*word; n < 64 {
			open &= 1<<max(0, n) - 1
		}
		for ; open != 0; open &= open - 1 {
			i := word*64 + bits.TrailingZeros64(open)
			var units int64
			for j := range size {
				units += s.avail[i*s.sites+int(s.chosen[j])]
			}
			w := &s.p.wants[i]
			if units >= w.qty {
				continue
			}
			if !short {
				short, bound = true, bound+s.rules.LeftAny*mill
			}
			bound += max(0, s.floorOf(w.qty, units, s.line[i], s.each[i], partly)-s.cheap[i])
			if s.spent++; s.worse(bound) {
				return true
			}
		}
	}
	return false
}

// combine goes through the slots of a set of sites: one of each.
func (s *search) combine(size, depth int, fix int64, sure [3]int64, t *set) {
	if depth == size {
		s.combined(size, fix+s.p.due.lateness(sure), t)
		return
	}
	least := min(t.all.sum, t.some.sum)
	si := s.chosen[depth]
	for x := s.spans[si]; x < s.spans[si+1]; x++ {
		s.spent++
		if s.spent >= s.limit {
			s.lower = min(s.lower, t.bound)
			return
		}
		u := &s.slots[x]
		now := both(sure, u.sure)
		if s.worse(fix + u.fixed + s.p.due.lateness(now) + least) {
			continue
		}
		s.use[depth] = x
		s.combine(size, depth+1, fix+u.fixed, now, t)
	}
}

// combined bounds slots that cost fix by what is known of their sites, and shares the wants among them.
func (s *search) combined(size int, fix int64, t *set) {
	var most int64
	fixW, pound, label, limited := fix, never, never, true
	for j := range size {
		x := &s.slots[s.use[j]]
		fixW, pound, label = fixW-x.pound, min(pound, x.pound), min(label, x.parcel)
		most, limited = max(most, x.max), limited && x.max > 0
	}
	if !limited {
		most = 0
	}
	all := !s.worse(t.all.bound(size, fix, fixW, pound, most, label))
	some := t.some.sum < never && !s.worse(t.some.bound(size, fix, fixW, pound, most, label))
	if all || some {
		s.solve(size, fix, all, some)
	}
}

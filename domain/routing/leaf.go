package routing

import (
	"cmp"
	"slices"

	"github.com/spillway/spillway/domain/network"
)

// A pound is 453.59237 grams, exactly. Carriers bill pounds begun.
const poundE5 = 45_359_237

func pounds(grams int64) int64 { return (grams*100_000 + poundE5 - 1) / poundE5 }

func perGram(pound int64) int64 { return pound * 100_000 / poundE5 }

// weigh is what a part costs by its weight, above its slot's fixed cost: pounds begun after the first, and parcels after the first.
// It never falls with weight, which all bounds rest on.
func (a *slot) weigh(grams int64) int64 {
	cost := max(0, pounds(grams)-1) * a.pound
	if a.max > 0 && grams > a.max {
		cost += ((grams+a.max-1)/a.max - 1) * a.parcel
	}
	return cost
}

// leaf finds the cheapest way to share wants among slots that are given.
type leaf struct {
	in    [network.MaxNodes]int32 // index of each site in stock rows
	n     int
	t     [MaxParts]*slot
	grams [MaxParts]int64
	units [MaxParts]int64
	jobs  []job   // by want
	turn  []int32 // their order
	qty   []int32 // of each want from each part, at hand
	base  int64   // what is certain: slots, lateness, and what all are without
	root  int64   // bound of the whole leaf
	cheap int64   // the lowest price of a pound
	most  int64   // the most grams a parcel may weigh; 0: one of the slots has no limit
	label int64   // the lowest price of a further parcel
	sure  int     // wants at the head of turn that have no choice
	all   bool    // nothing is left that could ship
	drops []drop
}

// drop is what leaving a want costs, and what it weighs.
type drop struct{ cost, grams int64 }

// job is one want in a leaf.
type job struct {
	want   int32
	n      int32           // slots that have some
	keep   bool            // nothing of it is left that could ship
	by     [MaxParts]int32 // those slots, the cheapest first
	have   [MaxParts]int64
	unit   [MaxParts]int64 // of each of by
	behind [MaxParts]int64 // units in reach from slots after this one
	qty    int64
	most   int64 // units that the slots have of it, up to qty
	line   int64 // the lowest price of a line, of a unit, and of a unit with its weight
	cheap  int64
	cheapW int64
	ship   int64 // at least what it costs if most of it ships, without weight
	shipW  int64 // and with it
	low    int64 // what it and all jobs after it cost at least, without weight
	lowW   int64 // and with it
	after  int64 // grams that ship for certain of it and all after it
}

// solve shares the wants among the slots in use: once with all shipped that can be, and for a bound of a re-plan once more with units left.
func (s *search) solve(n int, fixed int64, all, some bool) {
	l := &s.leaf
	l.n, l.cheap, l.most, l.label = n, never, 0, never
	limited := true
	for j := range n {
		l.t[j] = &s.slots[s.use[j]]
		l.cheap, l.label = min(l.cheap, l.t[j].pound), min(l.label, l.t[j].parcel)
		l.most, limited = max(l.most, l.t[j].max), limited && l.t[j].max > 0
	}
	if !limited {
		l.most = 0
	}
	l.jobs = grow(l.jobs, len(s.p.wants))
	open, short := false, false
	for i := range s.p.wants {
		have, ok := s.job(&l.jobs[i], i)
		if !ok {
			return // all must ship, and cannot
		}
		open, short = open || !l.jobs[i].keep, short || have < s.p.wants[i].qty
	}
	s.spent += len(l.jobs)/2 + 1
	leaving := s.rules.LeftAny * mill
	if short {
		fixed += leaving
	}
	if all {
		s.round(fixed, true)
	}
	if some && open {
		if !short {
			fixed += leaving
		}
		s.round(fixed, false)
	}
}

// round shares the wants among the slots in use; with all, nothing is left that could ship.
func (s *search) round(fixed int64, all bool) {
	l := &s.leaf
	l.base, l.all = fixed, all
	for j := range l.n {
		l.grams[j], l.units[j] = 0, 0
	}
	l.qty = grow(l.qty, len(s.p.wants)*MaxParts)
	clear(l.qty)
	s.order()
	for _, i := range l.turn[:l.sure] {
		s.place(&l.jobs[i])
	}
	var low, lowW, after int64
	for i := len(l.turn) - 1; i >= l.sure; i-- {
		b := &l.jobs[l.turn[i]]
		keep := b.keep || all
		least, leastW := b.ship, b.shipW
		if !keep {
			least, leastW = min(least, s.left(b.qty)), min(leastW, s.left(b.qty))
			if s.left(1) < b.cheap {
				least = min(least, b.line+s.left(b.qty))
			}
			if s.left(1) < b.cheapW {
				leastW = min(leastW, b.line+s.left(b.qty))
			}
		} else {
			after += b.most * s.p.wants[b.want].grams
		}
		low, lowW = low+least, lowW+leastW
		b.low, b.lowW, b.after = low, lowW, after
	}
	l.root = s.bound(l.sure, l.base)
	if s.worse(l.root) {
		return
	}
	if !all && l.most > 0 {
		if l.root = max(l.root, s.thin()); s.worse(l.root) {
			return
		}
	}
	if s.relaxed && s.dived > diveWork && l.sure < len(l.turn) {
		s.lower = min(s.lower, l.root)
		return
	}
	before := s.spent
	if s.leafLimit = s.limit; s.relaxed {
		s.leafLimit = min(s.limit, s.spent+leafWork+2*l.n*len(l.jobs))
	}
	s.share(l.sure, l.base)
	s.dived += s.spent - before
}

// place gives a want that has no choice to its slots.
func (s *search) place(b *job) {
	l := &s.leaf
	w := &s.p.wants[b.want]
	l.base += s.left(b.qty - b.most)
	for k := range b.n {
		j := b.by[k]
		l.base += l.t[j].line + b.have[k]*b.unit[k]
		l.grams[j] += b.have[k] * w.grams
		l.units[j] += b.have[k]
		l.qty[int(b.want)*MaxParts+int(j)] = int32(b.have[k])
	}
}

// thin bounds a plan that may leave units by what parcels beyond the first of each slot cost, or leaving so much that they are not needed: units
// that cost the least for their weight go first, and in fractions.
func (s *search) thin() int64 {
	l := &s.leaf
	base, grams := l.base, int64(0)
	for j := range l.n {
		base += l.grams[j]*l.t[j].gram - l.t[j].pound
		grams += l.grams[j]
	}
	l.drops = l.drops[:0]
	for _, i := range l.turn[l.sure:] {
		b := &l.jobs[i]
		w := &s.p.wants[b.want]
		if b.keep {
			base, grams = base+b.shipW, grams+b.most*w.grams
			continue
		}
		spare := s.left(b.qty) - b.shipW // what leaving all of it costs more than shipping it
		if b.most == 0 || spare <= 0 {
			base += min(b.shipW, s.left(b.qty))
			continue
		}
		base, grams = base+b.shipW, grams+b.most*w.grams
		l.drops = append(l.drops, drop{spare, b.most * w.grams})
	}
	extra := max(0, (grams+l.most-1)/l.most-int64(l.n))
	if extra == 0 {
		return base
	}
	slices.SortFunc(l.drops, func(a, b drop) int {
		return cmp.Compare(float64(a.cost)*float64(b.grams), float64(b.cost)*float64(a.grams))
	})
	least, loss, next := extra*l.label, int64(0), 0
	for k := extra - 1; k >= 0; k-- {
		over := grams - (int64(l.n)+k)*l.most
		for over > 0 && next < len(l.drops) {
			t := &l.drops[next]
			if t.grams > over {
				part := int64(float64(t.cost) * float64(over) / float64(t.grams) * (1 - 1e-9))
				loss, grams = loss+part, grams-over
				t.cost, t.grams, over = t.cost-part, t.grams-over, 0
			} else {
				loss, grams, over = loss+t.cost, grams-t.grams, over-t.grams
				next++
			}
		}
		if over > 0 {
			break // what is left to ship weighs more
		}
		least = min(least, k*l.label+loss)
	}
	return base + least
}

// job works a want out for the slots in use: how much of it they have. False: the rules want all of it shipped and there is not enough.
func (s *search) job(b *job, i int) (have int64, ok bool) {
	l, w := &s.leaf, &s.p.wants[i]
	b.want, b.n, b.qty, b.keep = int32(i), 0, w.qty, true
	b.line, b.cheap, b.cheapW = never, never, never
	for j := range l.n {
		t := l.t[j]
		at := i*s.sites + int(t.site)
		if s.avail[at] == 0 || w.need&^t.able != 0 || (t.max > 0 && w.grams > t.max) {
			continue
		}
		have += s.avail[at]
		unit := t.unit + s.unit[at]
		b.line, b.cheap, b.cheapW = min(b.line, t.line), min(b.cheap, unit), min(b.cheapW, unit+t.gram*w.grams)
		k := b.n
		for k > 0 && b.unit[k-1]+l.t[b.by[k-1]].line > unit+t.line {
			b.by[k], b.have[k], b.unit[k] = b.by[k-1], b.have[k-1], b.unit[k-1]
			k--
		}
		b.by[k], b.have[k], b.unit[k] = int32(j), s.avail[at], unit
		b.n++
		b.keep = b.keep && s.odd[at]&loose == 0
	}
	behind := int64(0)
	for k := b.n - 1; k >= 0; k-- {
		b.behind[k] = behind
		behind += b.have[k]
	}
	if s.rules.Short != Partly {
		b.keep = true
		if have < w.qty {
			return have, false
		}
	}
	b.most = min(have, w.qty)
	b.ship, b.shipW = s.left(b.qty), s.left(b.qty)
	if have > 0 {
		rest := s.left(w.qty - b.most)
		b.ship, b.shipW = b.line+b.most*b.cheap+rest, b.line+b.most*b.cheapW+rest
	}
	return have, true
}

// saves is the most that leaving a unit of a want saves at a slot where a unit has a price: its handling, pounds, and a parcel.
func (s *search) saves(t *slot, w *want, price int64) int64 {
	sum := t.unit + price + t.line + pounds(w.grams)*t.pound
	if t.max > 0 && s.grams > t.max {
		sum += (w.grams/t.max + 1) * t.parcel
	}
	return sum
}

// order puts wants without a choice first, so that bounds are sharp where choices begin; then the heavy ones, so that what is left for
// last fits into the pounds begun.
func (s *search) order() {
	l := &s.leaf
	l.turn = grow(l.turn, len(l.jobs))
	n, free := 0, len(l.jobs)
	for k := len(s.p.heavy) - 1; k >= 0; k-- {
		i := s.p.heavy[k]
		if b := &l.jobs[i]; b.free(l.all) {
			free--
			l.turn[free] = i
		} else {
			l.turn[n] = i
			n++
		}
	}
	l.sure = n
}

// free reports whether there is more than one way to share a want: with all, as much of it as there is ships.
func (b *job) free(all bool) bool {
	if !all && !b.keep {
		return true
	}
	return b.n > 1 && b.have[0]+b.behind[0] > b.qty
}

// bound is at least what any plan costs that goes on from here: cost is spent, jobs from i are open.
func (s *search) bound(i int, cost int64) int64 {
	l := &s.leaf
	low, lowW, after := int64(0), int64(0), int64(0)
	if i < len(l.turn) {
		b := &l.jobs[l.turn[i]]
		low, lowW, after = b.low, b.lowW, b.after
	}
	a, b, open, more := cost+low, cost+lowW, after, int64(0)
	for j := range l.n {
		t, g := l.t[j], l.grams[j]
		begun := max(1, pounds(g))
		a += (begun - 1) * t.pound
		b += g*t.gram - t.pound
		after -= (begun*poundE5+99_999)/100_000 - g // room in the pound begun
		if t.max == 0 {
			continue
		}
		parcels := int64(1)
		if g > t.max {
			parcels = (g + t.max - 1) / t.max
			more += (parcels - 1) * t.parcel
		}
		open -= parcels*t.max - g // room in the parcel begun
	}
	if after > 0 {
		a += pounds(after) * l.cheap
	}
	if l.most > 0 && open > 0 {
		more += (open + l.most - 1) / l.most * l.label
	}
	return max(a, b) + more
}

// share gives job i all it can have, one distribution after the other.
func (s *search) share(i int, cost int64) {
	l := &s.leaf
	if i == len(l.turn) {
		s.take(cost)
		return
	}
	s.spread(i, 0, l.jobs[l.turn[i]].qty, cost)
}

// spread gives rest units of job i to its slots from k on.
func (s *search) spread(i, k int, rest, cost int64) {
	l := &s.leaf
	b := &l.jobs[l.turn[i]]
	s.spent++
	if s.spent >= s.leafLimit {
		s.lower = min(s.lower, l.root)
		return
	}
	if k == int(b.n) || rest == 0 {
		if cost += s.left(rest); !s.worse(s.bound(i+1, cost)) {
			s.share(i+1, cost)
		}
		return
	}
	j := b.by[k]
	w := &s.p.wants[b.want]
	most, least := min(b.have[k], rest), int64(0)
	if b.keep || l.all {
		least = max(0, min(rest-b.behind[k], most))
	}
	for x := most; x >= least; x-- {
		if x != most && x > least {
			if s.p.o.Regime.Undivided { // each of its sites has all of it
				x = least
			} else if s.wide {
				s.lower, x = min(s.lower, l.root), least // of a wide order only all or as little as can be is tried
			}
		}
		more := x * b.unit[k]
		if x > 0 {
			more += l.t[j].line
		}
		l.grams[j] += x * w.grams
		l.units[j] += x
		l.qty[int(b.want)*MaxParts+int(j)] = int32(x)
		s.spread(i, k+1, rest-x, cost+more)
		l.grams[j] -= x * w.grams
		l.units[j] -= x
		l.qty[int(b.want)*MaxParts+int(j)] = 0
	}
}

// take keeps what is shared now if it is the cheapest so far.
func (s *search) take(cost int64) {
	l := &s.leaf
	for j := range l.n {
		if l.units[j] == 0 {
			return // an empty parcel; without it is another set
		}
		cost += l.t[j].weigh(l.grams[j])
	}
	if s.worse(cost) {
		return
	}
	s.best.cost, s.best.n = cost, l.n
	copy(s.best.slots[:], s.use[:l.n])
	copy(s.best.qty, l.qty)
}

package routing

import "github.com/spillway/spillway/domain/network"

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
}

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
	heavy  int64 // grams that ship of it for certain
	low    int64 // what it and all jobs after it cost at least, without weight
	lowW   int64 // and with it
	after  int64 // grams that ship for certain of it and all after it
}

// solve shares the wants among the slots in use.
func (s *search) solve(n int, fixed int64) {
	l := &s.leaf
	l.n, l.base, l.cheap, l.most, l.label = n, fixed, never, 0, never
	limited := true
	for j := range n {
		l.t[j], l.grams[j], l.units[j] = &s.slots[s.use[j]], 0, 0
		l.cheap, l.label = min(l.cheap, l.t[j].pound), min(l.label, l.t[j].parcel)
		l.most, limited = max(l.most, l.t[j].max), limited && l.t[j].max > 0
	}
	if !limited {
		l.most = 0
	}
	l.jobs = grow(l.jobs, len(s.p.wants))
	l.qty = grow(l.qty, len(s.p.wants)*MaxParts)
	clear(l.qty)
	for i := range s.p.wants {
		if !s.job(&l.jobs[i], i) {
			return // all must ship, and cannot
		}
	}
	s.order()
	var low, lowW, after int64
	for i := len(l.jobs) - 1; i >= 0; i-- {
		b := &l.jobs[l.turn[i]]
		have := int64(0)
		line, unit, unitW := never, never, never
		w := &s.p.wants[b.want]
		for k := range b.n {
			t := l.t[b.by[k]]
			have += b.have[k]
			line, unit, unitW = min(line, t.line), min(unit, b.unit[k]), min(unitW, b.unit[k]+t.gram*w.grams)
		}
		low += s.floorOf(b.qty, have, line, unit, s.rules.Short == Partly)
		lowW += s.floorOf(b.qty, have, line, unitW, s.rules.Short == Partly)
		after += b.heavy
		b.low, b.lowW, b.after = low, lowW, after
	}
	s.spent += len(l.jobs)/2 + 1
	l.root = s.bound(0, l.base)
	if s.worse(l.root) {
		return
	}
	if s.relaxed && s.dived > diveWork {
		s.lower = min(s.lower, l.root)
		return
	}
	before := s.spent
	if s.leafLimit = s.limit; s.relaxed {
		s.leafLimit = min(s.limit, s.spent+leafWork+2*l.n*len(l.jobs))
	}
	s.share(0, l.base, false)
	s.dived += s.spent - before
}

// job works a want out for the slots in use. False: the rules want all of it shipped and there is not enough.
func (s *search) job(b *job, i int) bool {
	l, w := &s.leaf, &s.p.wants[i]
	b.want, b.n, b.qty, b.keep = int32(i), 0, w.qty, true
	var have int64
	for j := range l.n {
		t := l.t[j]
		at := i*s.sites + int(t.site)
		if s.avail[at] == 0 || w.need&^t.able != 0 || (t.max > 0 && w.grams > t.max) {
			continue
		}
		have += s.avail[at]
		unit := t.unit + s.unit[at]
		k := b.n
		for k > 0 && b.unit[k-1]+l.t[b.by[k-1]].line > unit+t.line {
			b.by[k], b.have[k], b.unit[k] = b.by[k-1], b.have[k-1], b.unit[k-1]
			k--
		}
		b.by[k], b.have[k], b.unit[k] = int32(j), s.avail[at], unit
		b.n++
		if s.relaxed {
			b.keep = b.keep && s.left(1) >= s.saves(t, w, s.unit[at])
		}
	}
	behind := int64(0)
	for k := b.n - 1; k >= 0; k-- {
		b.behind[k] = behind
		behind += b.have[k]
	}
	if s.rules.Short != Partly {
		b.keep = true
		if have < w.qty {
			return false
		}
	}
	b.heavy = 0
	if b.keep {
		b.heavy = min(have, w.qty) * w.grams
	}
	return true
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
	for i := range l.jobs {
		if b := &l.jobs[i]; b.n > 1 || !b.keep {
			free--
			l.turn[free] = int32(i)
		} else {
			l.turn[n] = int32(i)
			n++
		}
	}
	tail := l.turn[n:]
	for i := 1; i < len(tail); i++ {
		for k := i; k > 0 && s.heavier(tail[k], tail[k-1]); k-- {
			tail[k], tail[k-1] = tail[k-1], tail[k]
		}
	}
}

func (s *search) heavier(a, b int32) bool {
	x, y := s.p.wants[a].grams, s.p.wants[b].grams
	return x > y || x == y && a < b
}

// bound is at least what any plan costs that goes on from here: cost is spent, jobs from i are open.
func (s *search) bound(i int, cost int64) int64 {
	l := &s.leaf
	low, lowW, after := int64(0), int64(0), int64(0)
	if i < len(l.jobs) {
		b := &l.jobs[l.turn[i]]
		low, lowW, after = b.low, b.lowW, b.after
	}
	a, b, open := cost+low, cost+lowW, after
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
			a += (parcels - 1) * t.parcel
		}
		open -= parcels*t.max - g // room in the parcel begun
	}
	if after > 0 {
		a += pounds(after) * l.cheap
	}
	if l.most > 0 && open > 0 {
		a += (open + l.most - 1) / l.most * l.label
	}
	return max(a, b)
}

// share gives job i all it can have, one distribution after the other.
func (s *search) share(i int, cost int64, short bool) {
	l := &s.leaf
	if i == len(l.jobs) {
		s.take(cost)
		return
	}
	s.spread(i, 0, l.jobs[l.turn[i]].qty, cost, short)
}

// spread gives rest units of job i to its slots from k on.
func (s *search) spread(i, k int, rest, cost int64, short bool) {
	l := &s.leaf
	b := &l.jobs[l.turn[i]]
	s.spent++
	if s.spent >= s.leafLimit {
		s.lower = min(s.lower, l.root)
		return
	}
	if k == int(b.n) || rest == 0 {
		if rest > 0 {
			cost += s.left(rest)
			if !short {
				cost += s.rules.LeftAny * mill
			}
		}
		if !s.worse(s.bound(i+1, cost)) {
			s.share(i+1, cost, short || rest > 0)
		}
		return
	}
	j := b.by[k]
	w := &s.p.wants[b.want]
	most, least := min(b.have[k], rest), int64(0)
	if b.keep {
		least = max(0, min(rest-b.behind[k], most))
	}
	for x := most; x >= least; x-- {
		if s.wide && x != most && x > least {
			s.lower, x = min(s.lower, l.root), least // of a wide order only all or as little as can be is tried
		}
		more := x * b.unit[k]
		if x > 0 {
			more += l.t[j].line
		}
		l.grams[j] += x * w.grams
		l.units[j] += x
		l.qty[int(b.want)*MaxParts+int(j)] = int32(x)
		s.spread(i, k+1, rest-x, cost+more, short)
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

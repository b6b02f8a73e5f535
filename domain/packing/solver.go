package packing

import (
	"cmp"
	"slices"
)

// solver packs the units of one order.
type solver struct {
	cartons  []Carton
	kinds    []kind
	rules    Rules
	most     []int64 // g that the contents of a carton may weigh, by carton
	big      []int   // cartons, roomiest first
	work     int
	alone    int // parcels, the first ones, that hold a unit which goes alone
	currency string
	bad      error // what the tariff did that it must not
	ld       loader
}

func newSolver(o Order) *solver {
	s := &solver{cartons: o.Cartons, kinds: kindsOf(o.Items), rules: o.Rules, work: o.Rules.Effort}
	if s.work == 0 {
		s.work = DefaultEffort
	}
	s.ld = loader{kinds: s.kinds, support: o.Rules.Support}
	if s.ld.support == 0 {
		s.ld.support = DefaultSupport
	}
	var total int64
	for i := range s.kinds {
		s.ld.limited = s.ld.limited || s.kinds[i].onTop > 0
		total += s.kinds[i].grams * int64(len(s.kinds[i].units))
	}
	var floor, tall int
	for c := range s.cartons {
		r := s.cartons[c].room()
		floor, tall = max(floor, r.L, r.W), max(tall, r.H)
		s.most = append(s.most, s.mostNet(c, total))
		s.big = append(s.big, c)
	}
	slices.SortStableFunc(s.big, func(a, b int) int {
		return cmp.Or(cmp.Compare(s.cartons[b].room().Volume(), s.cartons[a].room().Volume()), cmp.Compare(s.cartons[a].ID, s.cartons[b].ID))
	})
	s.ld.flat = reachOf(s.kinds, int32(floor), func(t turn) (int32, int32) { return t.l, t.w })
	s.ld.tall = reachOf(s.kinds, int32(tall), func(t turn) (int32, int32) { return t.h, t.h })
	return s
}

// mostNet is the most that the contents of carton c may weigh, of at most total g. Where the tariff refuses the weight allowed otherwise, the
// greatest that it takes is searched by halving, so a tariff that takes a weight must take every lesser one.
func (s *solver) mostNet(c int, total int64) int64 {
	net := min(total, s.allowed(c))
	if s.rules.Tariff == nil || net < 0 || !s.charge(c, net).Refused {
		return net
	}
	lo, hi := int64(-1), net
	for hi-lo > 1 {
		if mid := lo + (hi-lo)/2; s.charge(c, mid).Refused {
			hi = mid
		} else {
			lo = mid
		}
	}
	return lo
}

// allowed is what carton and lane let the contents weigh, whatever the tariff says.
func (s *solver) allowed(c int) int64 {
	net := int64(MaxUnits * MaxWeight)
	for _, m := range [2]int64{s.cartons[c].MaxGrams, s.rules.MaxGrams} {
		if m > 0 {
			net = min(net, m-s.cartons[c].Grams)
		}
	}
	return net
}

// charge is what the carrier takes for carton c with net g in it.
func (s *solver) charge(c int, net int64) Charge {
	if s.rules.Tariff == nil {
		return Charge{BilledGrams: net + s.cartons[c].Grams}
	}
	ch := s.rules.Tariff(s.cartons[c].Outer, net+s.cartons[c].Grams)
	switch s.currency = cmp.Or(s.currency, s.cartons[c].Cost.Currency, ch.Price.Currency); {
	case ch.Price.Minor < 0 || ch.Price.Minor > MaxCost:
		s.bad = invalid("tariff", "it asks for %s", ch.Price)
	case ch.Price.Currency != "" && ch.Price.Currency != s.currency:
		s.bad = invalid("tariff", "it charges %s where other costs are in %s", ch.Price.Currency, s.currency)
	}
	return ch
}

// price is what a parcel costs in minor units; false if it may not be.
func (s *solver) price(c int, net int64) (int64, bool) {
	if net > s.most[c] {
		return 0, false
	}
	ch := s.charge(c, net)
	return s.cartons[c].Cost.Minor + ch.Price.Minor, !ch.Refused
}

// fits reports whether one unit of kind k has room in carton c.
func (s *solver) fits(c, k int) bool {
	r := s.cartons[c].room()
	for _, t := range s.kinds[k].turns {
		if int(t.l) <= r.L && int(t.w) <= r.W && int(t.h) <= r.H {
			return true
		}
	}
	return false
}

// totals are the volume and the weight of a set.
func (s *solver) totals(left []int16) (volume, grams int64) {
	for k, n := range left {
		volume += s.kinds[k].volume * int64(n)
		grams += s.kinds[k].grams * int64(n)
	}
	return volume, grams
}

// fill puts as much of left as it finds into carton c, spending about work at most.
func (s *solver) fill(c int, left []int16, work int) load {
	r := s.cartons[c].room()
	ld := &s.ld
	ld.room = turn{int32(r.L), int32(r.W), int32(r.H)}
	ld.maxGrams = s.most[c]
	volume, _ := s.totals(left)
	ld.goal = min(volume, r.Volume())
	ld.work = work
	root := &load{left: slices.Clone(left)}
	if min(r.L, r.W, r.H) > 0 {
		root.plateaus = []plateau{{l: ld.room.l, w: ld.room.w}}
	}
	ld.search(root)
	s.work -= work - ld.work
	var out load
	out.copyFrom(&ld.best)
	return out
}

// plan is a parcel in the making.
type plan struct {
	carton int
	load   load
	cost   int64 // minor units
}

// candidates lists the cartons that could take all of left, cheapest first, then smallest.
func (s *solver) candidates(left []int16, used []int) []plan {
	volume, grams := s.totals(left)
	s.work -= 1 + len(s.cartons)
	var out []plan
next:
	for c := range s.cartons {
		p, ok := s.price(c, grams)
		if !ok || !s.inStock(c, used) || s.cartons[c].room().Volume() < volume {
			continue
		}
		for k, n := range left {
			if n > 0 && !s.fits(c, k) {
				continue next
			}
		}
		out = append(out, plan{carton: c, cost: p})
	}
	slices.SortStableFunc(out, func(a, b plan) int {
		return cmp.Or(cmp.Compare(a.cost, b.cost), cmp.Compare(s.inner(a.carton), s.inner(b.carton)), cmp.Compare(s.cartons[a.carton].ID, s.cartons[b.carton].ID))
	})
	return out
}

func (s *solver) inner(c int) int64 { return s.cartons[c].Inner.Volume() }

func (s *solver) inStock(c int, used []int) bool {
	return s.cartons[c].Stock == 0 || used[c] < s.cartons[c].Stock
}

// single finds the cheapest carton that takes all of left: a quick look at each until one does, then a hard look at the cheaper ones,
// or at all if none did.
func (s *solver) single(left []int16, used []int, work int) (plan, bool) {
	volume, _ := s.totals(left)
	cs := s.candidates(left, used)
	found := len(cs)
	for _, w := range [2]int{work / 16, work} {
		for i := range cs[:found] {
			if s.work <= 0 && w == work {
				break
			}
			if cs[i].load = s.fill(cs[i].carton, left, w); cs[i].load.volume == volume {
				found = i
				break
			}
		}
	}
	if found == len(cs) {
		return plan{}, false
	}
	return cs[found], true
}

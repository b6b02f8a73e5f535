package packing

import (
	"cmp"
	"slices"
)

// node is a part of the order packed and the rest not.
type node struct {
	plans []plan
	left  []int16
	used  []int // cartons, by carton
	cost  int64
	inner int64 // mm³ of the cartons used
	need  int64 // how many more parcels the rest needs at least, in thousandths
}

const (
	nodesKept = 4    // part packings gone on from at each level
	openers   = 8    // cartons tried to open with, roomiest first: few parcels need large ones
	minWork   = 2000 // for one carton while there is any work left
)

// solve packs left into as few parcels as it finds, then as cheaply. What it leaves over found no carton in stock.
func (s *solver) solve(n node) node {
	if empty(n.left) {
		return n
	}
	if p, ok := s.single(n.left, n.used, s.work/4); ok {
		return s.with(n, p)
	}
	best, level := n, []node{n}
	for len(level) > 0 {
		if s.work <= 0 {
			level = level[:1]
		}
		done, then := s.widen(level)
		if len(done) > 0 {
			return s.improve(slices.MinFunc(done, compareNodes))
		}
		if level = then; len(level) > 0 {
			best = level[0]
		}
	}
	return s.improve(best)
}

func empty(left []int16) bool {
	return !slices.ContainsFunc(left, func(n int16) bool { return n > 0 })
}

func compareNodes(a, b node) int {
	return cmp.Or(cmp.Compare(a.need, b.need), cmp.Compare(len(a.plans), len(b.plans)), cmp.Compare(a.cost, b.cost), cmp.Compare(a.inner, b.inner))
}

// widen adds one parcel to every node in every promising carton; where one more takes the rest, the node is done.
func (s *solver) widen(level []node) (done, then []node) {
	for _, n := range level {
		opened := 0
		for _, c := range s.big {
			if opened == openers || s.work <= 0 && opened > 0 {
				break
			}
			if !s.inStock(c, n.used) {
				continue
			}
			l := s.fill(c, n.left, s.share())
			p, ok := s.price(c, l.grams)
			if l.volume == 0 || !ok {
				continue
			}
			opened++
			child := s.with(n, plan{carton: c, load: l, cost: p})
			if empty(child.left) {
				done = append(done, child)
				continue
			}
			if s.work > 0 {
				if rest, ok := s.single(child.left, child.used, s.share()); ok {
					done = append(done, s.with(child, rest))
					continue
				}
			}
			then = keepNode(then, child)
		}
	}
	return done, then
}

// share is how much of the work that is left one question may take.
func (s *solver) share() int {
	if s.work <= 0 {
		return 0
	}
	return max(minWork, s.work/32)
}

// with is n and one more parcel.
func (s *solver) with(n node, p plan) node {
	out := n.and(p, s.inner(p.carton))
	out.left, out.used = slices.Clone(n.left), slices.Clone(n.used)
	for _, b := range p.load.blocks {
		out.left[b.kind] -= int16(b.units())
	}
	out.used[p.carton]++
	out.need = s.need(out.left)
	return out
}

// and is n with the figures of one more parcel; what is left and used stays as it was.
func (n node) and(p plan, inner int64) node {
	n.plans = append(slices.Clone(n.plans), p)
	n.cost += p.cost
	n.inner += inner
	return n
}

// need is how many parcels a set needs at least by volume and weight, in thousandths.
func (s *solver) need(left []int16) int64 {
	volume, grams := s.totals(left)
	var roomiest, strongest int64 = 1, 1
	for c := range s.cartons {
		roomiest = max(roomiest, s.cartons[c].room().Volume())
		strongest = max(strongest, s.most[c])
	}
	return max((volume*1000+roomiest-1)/roomiest, (grams*1000+strongest-1)/strongest)
}

// keepNode holds the nodes with the least left to do, best first.
func keepNode(ns []node, n node) []node {
	at, _ := slices.BinarySearchFunc(ns, n, func(a, b node) int {
		if compareNodes(a, b) <= 0 {
			return -1
		}
		return 1
	})
	ns = slices.Insert(ns, at, n)
	return ns[:min(len(ns), nodesKept)]
}

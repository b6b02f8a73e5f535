package packing

import "slices"

// improve makes a packing of several parcels cheaper without more of them: it joins two where one carton takes both, packs the contents of one
// in a cheaper carton, and moves or swaps units where that saves a tier or a size. It stops when nothing helps or the work is used up.
func (s *solver) improve(n node) node {
	for again := true; again; {
		again = false
		for i := s.alone; i < len(n.plans); i++ {
			for j := i + 1; j < len(n.plans) && s.work > 0; j++ {
				if m, ok := s.rework(n, i, j); ok {
					n, again = m, true
				}
			}
		}
	}
	return n
}

// contents counts the units of a plan by kind.
func (s *solver) contents(p plan) []int16 {
	out := make([]int16, len(s.kinds))
	for _, b := range p.load.blocks {
		out[b.kind] += int16(b.units())
	}
	return out
}

// rework tries to replace parcels i and j by better ones with the same contents.
func (s *solver) rework(n node, i, j int) (node, bool) {
	a, b := s.contents(n.plans[i]), s.contents(n.plans[j])
	rest := s.without(n, i, j)
	if m, ok := s.split(n, rest, sum(a, b), nil); ok {
		return m, true
	}
	if m, ok := s.split(n, rest, a, b); ok {
		return m, true
	}
	if m, ok := s.move(n, rest, a, b); ok {
		return m, true
	}
	if m, ok := s.move(n, rest, b, a); ok {
		return m, true
	}
	return s.swap(n, rest, a, b)
}

// move tries to take units of one kind from a to b: all of them, half, and so on.
func (s *solver) move(n, rest node, a, b []int16) (node, bool) {
	for k := range a {
		for units := a[k]; units > 0; units /= 2 {
			a2, b2 := slices.Clone(a), slices.Clone(b)
			a2[k], b2[k] = a2[k]-units, b2[k]+units
			if m, ok := s.split(n, rest, a2, b2); ok {
				return m, true
			}
		}
	}
	return n, false
}

// swap tries to exchange one unit of a for one of b.
func (s *solver) swap(n, rest node, a, b []int16) (node, bool) {
	for k := range a {
		for m := range b {
			if k == m || a[k] == 0 || b[m] == 0 {
				continue
			}
			a2, b2 := slices.Clone(a), slices.Clone(b)
			a2[k], b2[k] = a2[k]-1, b2[k]+1
			a2[m], b2[m] = a2[m]+1, b2[m]-1
			if out, ok := s.split(n, rest, a2, b2); ok {
				return out, true
			}
		}
	}
	return n, false
}

// sum is the set of all that is in a and in b.
func sum(a, b []int16) []int16 {
	out := slices.Clone(a)
	for k := range b {
		out[k] += b[k]
	}
	return out
}

// without is n less two of its parcels; their contents count as left.
func (s *solver) without(n node, i, j int) node {
	out := node{left: slices.Clone(n.left), used: make([]int, len(n.used)), need: n.need} // need is as it will be again
	for at, p := range n.plans {
		if at == i || at == j {
			out.left = sum(out.left, s.contents(p))
			continue
		}
		out.plans = append(out.plans, p)
		out.used[p.carton]++
		out.cost, out.inner = out.cost+p.cost, out.inner+s.inner(p.carton)
	}
	return out
}

// split packs a, and b if there is any, in one carton each, if that makes rest a better packing than n is.
func (s *solver) split(n, rest node, a, b []int16) (node, bool) {
	if s.work <= 0 {
		return n, false
	}
	least, sets := rest, make([][]int16, 0, 2)
	for _, set := range [2][]int16{a, b} {
		if empty(set) {
			continue
		}
		cs := s.candidates(set, rest.used)
		if len(cs) == 0 {
			return n, false
		}
		least = least.and(cs[0], s.inner(cs[0].carton))
		sets = append(sets, set)
	}
	if compareNodes(least, n) >= 0 {
		return n, false
	}
	m := rest
	for _, set := range sets {
		p, ok := s.single(set, m.used, s.share())
		if !ok {
			return n, false
		}
		m = s.with(m, p)
	}
	return m, compareNodes(m, n) < 0
}

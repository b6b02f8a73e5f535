package packing

import "slices"

// improve makes a packing of several parcels cheaper without more of them: it joins two where one carton takes both, packs the contents of one
// in a cheaper carton, and moves units of a kind from one to another where that saves a tier or a size. It stops when nothing helps or the work
// is used up.
func (s *solver) improve(n node) node {
	for again := true; again; {
		again = false
		for i := 0; i < len(n.plans); i++ {
			for j := 0; j < len(n.plans) && i < len(n.plans) && s.work > 0; j++ {
				if i == j {
					continue
				}
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
	if i < j {
		if m, ok := s.split(n, rest, add(a, b, 1), nil); ok {
			return m, true
		}
		if m, ok := s.split(n, rest, a, b); ok {
			return m, true
		}
	}
	for k, all := range a {
		for units := all; units > 0; units /= 2 {
			move := make([]int16, len(a))
			move[k] = units
			if m, ok := s.split(n, rest, add(a, move, -1), add(b, move, 1)); ok {
				return m, true
			}
		}
	}
	return n, false
}

// add is a plus sign times b.
func add(a, b []int16, sign int16) []int16 {
	out := slices.Clone(a)
	for k := range b {
		out[k] += sign * b[k]
	}
	return out
}

// without is n less two of its parcels; their contents count as left.
func (s *solver) without(n node, i, j int) node {
	out := node{left: slices.Clone(n.left), used: make([]int, len(n.used))}
	for at, p := range n.plans {
		if at == i || at == j {
			out.left = add(out.left, s.contents(p), 1)
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
	least, sets := rest, make([][]int16, 0, 2)
	for _, set := range [2][]int16{a, b} {
		if empty(set) {
			continue
		}
		cs := s.candidates(set, rest.used)
		if len(cs) == 0 || s.work <= 0 {
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

package packing

// Everything stands on the floor or is borne all over by what is directly beneath it, so a load is a landscape: every point of the plan has a
// height, and beneath it there is no hollow. What is free is described by its plateaus: the greatest rectangles that lie at one height.
// They overlap where a plateau is not itself a rectangle.

// plateau is a rectangle at height z that things can be put on; the room above it is free up to the lid.
type plateau struct {
	x, y, z, l, w int32
	dead          bool // nothing that is left fits; it can still grow into one where something does
}

func (p *plateau) contains(q *plateau) bool {
	return p.z == q.z && p.x <= q.x && p.y <= q.y && p.x+p.l >= q.x+q.l && p.y+p.w >= q.y+q.w
}

func (p plateau) area() int64 { return int64(p.l) * int64(p.w) }

// common is the rectangle two others share, whatever their heights; without length if there is none.
func common(a, b plateau) plateau {
	x, y := max(a.x, b.x), max(a.y, b.y)
	out := plateau{x: x, y: y, z: a.z, l: min(a.x+a.l, b.x+b.l) - x, w: min(a.y+a.w, b.y+b.w) - y}
	if out.l <= 0 || out.w <= 0 {
		return plateau{}
	}
	return out
}

// around is the least rectangle that holds both; an empty one counts for nothing.
func around(a, b plateau) plateau {
	if a.l == 0 {
		return b
	}
	x, y := min(a.x, b.x), min(a.y, b.y)
	return plateau{x: x, y: y, z: b.z, l: max(a.x+a.l, b.x+b.l) - x, w: max(a.y+a.w, b.y+b.w) - y}
}

// occupy takes the rectangle f out of all plateaus: of those at its height, and of lower ones that it covers.
func occupy(ps []plateau, f plateau) []plateau {
	n, end := 0, len(ps)
	for i := 0; i < end; i++ {
		p := ps[i]
		if f.x >= p.x+p.l || f.x+f.l <= p.x || f.y >= p.y+p.w || f.y+f.w <= p.y {
			ps[n] = p
			n++
			continue
		}
		for _, q := range [4]plateau{
			{x: p.x, y: p.y, z: p.z, l: f.x - p.x, w: p.w, dead: p.dead},
			{x: f.x + f.l, y: p.y, z: p.z, l: p.x + p.l - f.x - f.l, w: p.w, dead: p.dead},
			{x: p.x, y: p.y, z: p.z, l: p.l, w: f.y - p.y, dead: p.dead},
			{x: p.x, y: f.y + f.w, z: p.z, l: p.l, w: p.y + p.w - f.y - f.w, dead: p.dead},
		} {
			if q.l > 0 && q.w > 0 {
				ps = append(ps, q)
			}
		}
	}
	cut := len(ps) - end
	copy(ps[n:], ps[end:])
	return prune(ps[:n+cut], n)
}

// prune drops every plateau from index from on that another one contains.
func prune(ps []plateau, from int) []plateau {
	for i := from; i < len(ps); i++ {
		for j := range ps {
			if j != i && ps[j].l > 0 && ps[j].contains(&ps[i]) {
				ps[i].l = 0
				break
			}
		}
	}
	n := from
	for i := from; i < len(ps); i++ {
		if ps[i].l > 0 {
			ps[n] = ps[i]
			n++
		}
	}
	return ps[:n]
}

// maxGrown bounds how many merged rectangles one new plateau may make; beyond it some unions stay in parts, which only costs room.
const maxGrown = 24

// rise adds the top f of something just placed, with every greatest rectangle it makes together with what lies at the same height.
func rise(ps []plateau, f plateau) []plateau {
	from := len(ps)
	ps = append(ps, f)
	for i := from; i < len(ps) && len(ps) < from+maxGrown; i++ {
		for j := 0; j < i && len(ps) < from+maxGrown; j++ {
			if ps[j].z == f.z {
				ps = joinInto(ps, ps[i], ps[j])
			}
		}
	}
	n := len(ps)
	if n == from+1 {
		return ps
	}
	// What was there may now be part of something greater, so all at this height are pruned.
	k := 0
	for i := range ps {
		if ps[i].z != f.z {
			ps[i], ps[k] = ps[k], ps[i]
			k++
		}
	}
	return prune(ps, k)
}

// joinInto appends the rectangles that reach over both a and b, if they touch and make one that neither is.
func joinInto(ps []plateau, a, b plateau) []plateau {
	if lo, hi := max(a.y, b.y), min(a.y+a.w, b.y+b.w); hi > lo && a.x <= b.x+b.l && b.x <= a.x+a.l {
		x := min(a.x, b.x)
		ps = appendNew(ps, plateau{x: x, y: lo, z: a.z, l: max(a.x+a.l, b.x+b.l) - x, w: hi - lo})
	}
	if lo, hi := max(a.x, b.x), min(a.x+a.l, b.x+b.l); hi > lo && a.y <= b.y+b.w && b.y <= a.y+a.w {
		y := min(a.y, b.y)
		ps = appendNew(ps, plateau{x: lo, y: y, z: a.z, l: hi - lo, w: max(a.y+a.w, b.y+b.w) - y})
	}
	return ps
}

func appendNew(ps []plateau, q plateau) []plateau {
	for i := range ps {
		if ps[i].contains(&q) {
			return ps
		}
	}
	return append(ps, q)
}

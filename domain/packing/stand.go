package packing

import (
	"cmp"
	"slices"
)

// hang adds the places where a pile of kind k, turned t, reaches out over lower ground beyond the plateau and still stands.
func (ld *loader) hang(l *load, p *plateau, out []option, want, k, t int, left int32) []option {
	tn := ld.kinds[k].turns[t]
	// Other plateaus at the same height may help to bear it, but where this one has less than a third of it the hollow is rarely worth it.
	if tn.l > ld.room.l || tn.w > ld.room.w || int64(min(tn.l, p.l))*int64(min(tn.w, p.w))*3 < int64(tn.l)*int64(tn.w) {
		return out
	}
	nz := ld.kinds[k].high(ld.room.h-p.z, tn.h, left)
	xs := [2]int32{min(p.x, ld.room.l-tn.l), max(0, p.x+p.l-tn.l)}
	ys := [2]int32{min(p.y, ld.room.w-tn.w), max(0, p.y+p.w-tn.w)}
	for i, x := range xs {
		for j, y := range ys {
			if i > 0 && x == xs[0] || j > 0 && y == ys[0] {
				continue
			}
			ld.work -= 2
			b := block{kind: int16(k), turn: int16(t), nx: 1, ny: 1, nz: int16(nz), x: x, y: y, z: p.z, l: tn.l, w: tn.w, h: nz * tn.h, hung: true}
			if hollow, ok := ld.stands(l, &b); ok {
				out = ld.offer(l, p, out, want, b, hollow)
			}
		}
	}
	return out
}

// stands reports whether enough of what is beneath a block bears it, and how much room beneath it is lost, mm³; it sets the block's ground. More
// than half of the base must be over the ground of what bears it, so that no tower leans out further with every unit. Nothing fragile may be
// under it, not even out of touch.
func (ld *loader) stands(l *load, f *block) (hollow int64, ok bool) {
	base := f.base()
	var borne, solid, firm int64
	f.ground = plateau{}
	for i := range l.blocks {
		b := &l.blocks[i]
		if b.x >= f.x+f.l || f.x >= b.x+b.l || b.y >= f.y+f.w || f.y >= b.y+b.w {
			continue
		}
		under := common(base, b.base())
		top := b.z + b.h
		if top > f.z || ld.kinds[b.kind].fragile {
			return 0, false
		}
		solid += under.area() * int64(b.h)
		if top < f.z {
			continue
		}
		borne += under.area()
		if g := common(base, b.ground); g.l > 0 {
			firm += g.area()
			f.ground = around(f.ground, g)
		}
	}
	area := base.area()
	return area*int64(f.z) - solid, 2*firm > area && borne*100 >= area*int64(ld.support)
}

// burden is one unit and what rests on it.
type burden struct {
	x, y, z, l, w, h int32
	grams            int64
	limit            int64 // 0: none
	rests            int64 // g
}

// bears reports whether every unit bears what would rest on it with one more block. A unit hands its weight and what rests on it down to those
// it touches beneath, by the area of contact, each share rounded up.
func (ld *loader) bears(l *load, more block) bool {
	us := ld.borne[:0]
	for i := range l.blocks {
		us = ld.unitsOf(us, &l.blocks[i])
	}
	us = ld.unitsOf(us, &more)
	ld.borne = us
	ld.work -= 1 + len(us)*len(us)/32
	slices.SortFunc(us, func(a, b burden) int {
		return cmp.Or(cmp.Compare(b.z, a.z), cmp.Compare(a.x, b.x), cmp.Compare(a.y, b.y))
	})
	for i := range us {
		u := &us[i]
		if u.limit > 0 && u.rests > u.limit {
			return false
		}
		var area int64
		for j := i + 1; j < len(us); j++ {
			area += contact(u, &us[j])
		}
		for j := i + 1; j < len(us) && area > 0; j++ {
			if a := contact(u, &us[j]); a > 0 {
				us[j].rests += ((u.grams+u.rests)*a + area - 1) / area
			}
		}
	}
	return true
}

// contact is the area by which v bears u, mm².
func contact(u, v *burden) int64 {
	if v.z+v.h != u.z {
		return 0
	}
	dx := min(u.x+u.l, v.x+v.l) - max(u.x, v.x)
	dy := min(u.y+u.w, v.y+v.w) - max(u.y, v.y)
	if dx <= 0 || dy <= 0 {
		return 0
	}
	return int64(dx) * int64(dy)
}

func (ld *loader) unitsOf(us []burden, b *block) []burden {
	kd := &ld.kinds[b.kind]
	t := kd.turns[b.turn]
	for i := range int32(b.nx) {
		for j := range int32(b.ny) {
			for n := range int32(b.nz) {
				us = append(us, burden{
					x: b.x + i*t.l, y: b.y + j*t.w, z: b.z + n*t.h, l: t.l, w: t.w, h: t.h, grams: kd.grams, limit: kd.onTop,
				})
			}
		}
	}
	return us
}

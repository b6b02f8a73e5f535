package packing

// block is a brick of units of one kind that stand alike, nx by ny by nz of them.
type block struct {
	kind, turn int16
	nx, ny, nz int16
	x, y, z    int32   // of the corner next to the origin
	l, w, h    int32   // of the whole block
	ground     plateau // the rectangle of its base that is borne all the way down; all of it unless it is hung
	hung       bool    // it reaches out over lower ground; its place is part of the choice
}

// base is what the block covers, at its foot.
func (b *block) base() plateau { return plateau{x: b.x, y: b.y, z: b.z, l: b.l, w: b.w} }

func (b *block) units() int { return int(b.nx) * int(b.ny) * int(b.nz) }

// load is a partly filled carton.
type load struct {
	plateaus []plateau
	left     []int16 // units not yet placed, by kind
	blocks   []block
	volume   int64 // of what is placed, mm³
	grams    int64
	score    int64 // what the quick way to the end reaches from here, mm³
}

func (l *load) copyFrom(o *load) {
	l.plateaus = append(l.plateaus[:0], o.plateaus...)
	l.left = append(l.left[:0], o.left...)
	l.blocks = append(l.blocks[:0], o.blocks...)
	l.volume, l.grams, l.score = o.volume, o.grams, o.score
}

// loader fills one carton with as much volume as it can.
type loader struct {
	kinds    []kind
	room     turn
	maxGrams int64 // of the contents
	support  int   // per cent
	limited  bool  // something has a limit of what may rest on it
	flat     reach // along the floor
	tall     reach // upwards

	way   way
	work  int   // left
	goal  int64 // volume at which there is nothing more to win
	best  load
	trial load
	tries [maxWidth]option
	borne []burden
}

// way is how the next place and block are chosen. None is best for all goods, so the search takes turns.
type way struct {
	lowest bool // the lowest plateau first, else the one nearest to a corner
	taste  taste
}

// taste is what makes a block a good one.
type taste uint8

const (
	fullHeight taste = iota // lose little of the column above and beside: towers and walls
	ownHeight               // lose little beside it: layers
	broadBase               // broad before high: piles of flat goods
)

// option is a block that could be placed next and how good that looks.
type option struct {
	block
	fit int64
}

// choose picks the plateau to work on next; -1 when none is left.
func (ld *loader) choose(l *load) int {
	at, near, wide := -1, int64(0), int64(0)
	for i := range l.plateaus {
		p := &l.plateaus[i]
		if p.dead {
			continue
		}
		d := int64(min(p.x, ld.room.l-p.x-p.l) + min(p.y, ld.room.w-p.y-p.w))
		if ld.way.lowest {
			d += int64(p.z) << 20
		} else {
			d += int64(p.z)
		}
		if area := int64(p.l) * int64(p.w); at < 0 || d < near || d == near && area > wide {
			at, near, wide = i, d, area
		}
	}
	return at
}

// options lists the best blocks for a plateau, best first, at most want. The list is valid until the next call.
func (ld *loader) options(l *load, p *plateau, want int) []option {
	out := ld.tries[:0]
	space := turn{p.l, p.w, ld.room.h - p.z}
	for k := range ld.kinds {
		left := int32(l.left[k])
		kd := &ld.kinds[k]
		if kd.grams > 0 {
			left = int32(min(int64(left), (ld.maxGrams-l.grams)/kd.grams))
		}
		if left <= 0 {
			continue
		}
		for t, tn := range kd.turns {
			switch {
			case tn.h > space.h:
			case tn.l <= space.l && tn.w <= space.w:
				out = ld.bricks(l, p, out, want, k, t, left)
			case ld.support < 100 && p.z > 0:
				out = ld.hang(l, p, out, want, k, t, left)
			}
		}
	}
	return out
}

// high is how many units of a kind may stand on each other in the room there is.
func (k *kind) high(room, each, left int32) int32 {
	n := min(room/each, left)
	if k.fragile {
		return 1
	}
	if k.onTop > 0 && k.grams > 0 {
		return int32(min(int64(n), 1+k.onTop/k.grams))
	}
	return n
}

// bricks adds the blocks of kind k, turned t, that the plateau has room for.
func (ld *loader) bricks(l *load, p *plateau, out []option, want, k, t int, left int32) []option {
	tn := ld.kinds[k].turns[t]
	most := ld.kinds[k].high(ld.room.h-p.z, tn.h, left)
	for nx := int32(1); nx <= left && nx*tn.l <= p.l; nx++ {
		for ny := int32(1); nx*ny <= left && ny*tn.w <= p.w; ny++ {
			ld.work--
			nz := min(most, left/(nx*ny))
			b := block{kind: int16(k), turn: int16(t), nx: int16(nx), ny: int16(ny), nz: int16(nz), l: nx * tn.l, w: ny * tn.w, h: nz * tn.h}
			out = ld.offer(l, p, out, want, b, 0)
			if ld.limited && nz > 1 {
				b.nz, b.h = 1, tn.h
				out = ld.offer(l, p, out, want, b, 0)
			}
		}
	}
	return out
}

// offer keeps the block if it is among the best and what is beneath bears it.
func (ld *loader) offer(l *load, p *plateau, out []option, want int, b block, hollow int64) []option {
	fit := ld.fit(p, &b) - hollow
	if len(out) == want && fit <= out[want-1].fit {
		return out
	}
	ld.settle(p, &b)
	if ld.limited && !ld.bears(l, b) {
		return out
	}
	if len(out) < want {
		out = append(out, option{})
	}
	i := len(out) - 1
	for ; i > 0 && out[i-1].fit < fit; i-- {
		out[i] = out[i-1]
	}
	out[i] = option{fit: fit, block: b}
	return out
}

// fit rates a block on a plateau: the volume it places less what the gaps beside and above it lose for certain.
func (ld *loader) fit(p *plateau, b *block) int64 {
	spaceL, spaceW, spaceH := max(p.l, b.l), max(p.w, b.w), ld.room.h-p.z
	l := int64(b.l + ld.flat.within(spaceL-b.l))
	w := int64(b.w + ld.flat.within(spaceW-b.w))
	h := int64(b.h + ld.tall.within(spaceH-b.h))
	ground := int64(spaceL) * int64(spaceW)
	base := int64(b.l) * int64(b.w)
	kd := &ld.kinds[b.kind]
	volume := kd.volume * int64(b.units())
	if kd.fragile {
		volume -= base * int64(spaceH-b.h)
	}
	switch ld.way.taste {
	case fullHeight:
		return volume - (ground*int64(spaceH) - l*w*h)
	case ownHeight:
		return volume - (ground-l*w)*int64(b.h) - ground*(int64(spaceH)-h)
	default:
		fit := (base-(ground-l*w)/2)*1024 + int64(b.h)
		if kd.fragile {
			fit -= base * int64(spaceH-b.h)
		}
		return fit
	}
}

// settle gives the block its place: in the corner of the plateau that is nearest to a corner of the carton.
func (ld *loader) settle(p *plateau, b *block) {
	b.z = p.z
	if b.hung {
		return
	}
	b.x, b.y = p.x, p.y
	if p.x > ld.room.l-p.x-p.l {
		b.x = p.x + p.l - b.l
	}
	if p.y > ld.room.w-p.y-p.w {
		b.y = p.y + p.w - b.w
	}
	b.ground = b.base()
}

// place puts b where it was settled.
func (ld *loader) place(l *load, b block) {
	kd := &ld.kinds[b.kind]
	l.plateaus = occupy(l.plateaus, b.base())
	top := b.ground
	if top.z = b.z + b.h; !kd.fragile && top.z < ld.room.h {
		l.plateaus = rise(l.plateaus, top)
	}
	n := b.units()
	l.left[b.kind] -= int16(n)
	l.volume += kd.volume * int64(n)
	l.grams += kd.grams * int64(n)
	l.blocks = append(l.blocks, b)
	ld.work -= placeWork
}

// placeWork is what placing costs in places looked at.
const placeWork = 20

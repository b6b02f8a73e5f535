package packing

const (
	maxWidth = 64 // of a beam; the work runs out before on all but the smallest loads
	beamWays = 3  // ways that take turns in the beams: the best alone does as well on the goods we know, more spread the work too thin
)

// search spends the work on ever wider beams, by every way in turn, until there is nothing more to win. The first way is gone to
// its end whatever the work, so there is always an answer.
func (ld *loader) search(root *load) {
	ld.best.volume = -1
	var reached [len(ways)]int64
	for i := range ways {
		ld.way = ways[i]
		reached[i] = ld.rollOut(root, i == 0)
	}
	order := ways
	for i := 1; i < len(order); i++ {
		for j := i; j > 0 && reached[j] > reached[j-1]; j-- {
			reached[j], reached[j-1] = reached[j-1], reached[j]
			order[j], order[j-1] = order[j-1], order[j]
		}
	}
	for width := 1; width <= maxWidth; width *= 2 {
		for _, ld.way = range order[:beamWays] {
			if ld.over() {
				return
			}
			start := &load{}
			start.copyFrom(root)
			ld.beam(start, width)
		}
	}
}

var ways = [...]way{
	{taste: fullHeight}, {lowest: true, taste: fullHeight},
	{taste: ownHeight}, {lowest: true, taste: ownHeight},
	{taste: broadBase}, {lowest: true, taste: broadBase},
}

func (ld *loader) over() bool { return ld.work <= 0 || ld.best.volume >= ld.goal }

// beam goes on from root level by level: from each load kept, its best blocks are tried, each rated by the volume that the quick way to the
// end reaches after it, and as many as the beam is wide are kept.
func (ld *loader) beam(root *load, width int) {
	now, then := []*load{root}, []*load(nil)
	for len(now) > 0 {
		then = then[:0]
		for _, l := range now {
			for _, o := range append([]option(nil), ld.next(l, width)...) {
				if ld.over() {
					return
				}
				c := &load{}
				c.copyFrom(l)
				ld.place(c, o.block)
				c.score = ld.rollOut(c, false)
				then = keep(then, c, width)
			}
		}
		now, then = then, now
	}
}

// next lists the best blocks for the plateau to work on next; none when nothing more can be placed.
func (ld *loader) next(l *load, want int) []option {
	for {
		i := ld.choose(l)
		if i < 0 {
			return nil
		}
		if out := ld.options(l, &l.plateaus[i], want); len(out) > 0 {
			return out
		}
		l.plateaus[i].dead = true
	}
}

// rollOut goes on from l by always taking the best block, remembers the best end there was, and answers with the volume of this one.
// Without work left it stops where it is unless told to go on.
func (ld *loader) rollOut(l *load, anyway bool) int64 {
	t := &ld.trial
	t.copyFrom(l)
	for anyway || !ld.over() {
		out := ld.next(t, 1)
		if len(out) == 0 {
			break
		}
		ld.place(t, out[0].block)
	}
	if t.volume > ld.best.volume {
		ld.best.copyFrom(t)
	}
	return t.volume
}

// keep holds the width best loads, best first. Two that hold the same volume and reach the same are taken for the same.
func keep(ls []*load, c *load, width int) []*load {
	for _, l := range ls {
		if l.score == c.score && l.volume == c.volume {
			return ls
		}
	}
	if len(ls) < width {
		ls = append(ls, c)
	} else if ls[len(ls)-1].score >= c.score {
		return ls
	}
	i := len(ls) - 1
	for ; i > 0 && ls[i-1].score < c.score; i-- {
		ls[i] = ls[i-1]
	}
	ls[i] = c
	return ls
}

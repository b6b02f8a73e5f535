package allocation

import (
	"cmp"
	"math"
	"slices"
	"time"
)

// Target is the number a listing should show if messages were free and instant.
type Target struct {
	Listing string
	Units   int
	Mode    Mode
}

// keepLiquid is the part of an item's stock no target hands out: one fifth stays with us so that a channel that sells
// can be refilled at once, without first taking units from another.
const keepLiquid = 5

// evenShare is the part of the demand that is spread evenly over the listings however little they sold, so that a
// listing without history can show that it sells.
const evenShare = 0.15

// Targets computes the target of every listing. It is a function of the stock, the policies, the schedule of holds,
// the demand rates in the books and the time; not of what channels were told. So a hold that ended is restored
// whenever the function is next asked, once, and never twice.
func Targets(in Input, books Books, at time.Time) []Target {
	p := compile(in, books, at)
	p.solve()
	return p.targets()
}

func (p *problem) targets() []Target {
	out := make([]Target, len(p.in.Listings))
	for i, l := range p.in.Listings {
		out[i] = Target{Listing: l.ID, Units: p.target[i], Mode: p.in.ModeOf(l)}
	}
	return out
}

// solve fills target: units go to listings in proportion to weight × demand, in three rounds: what holds reserve,
// what minimums and fixed numbers ask, then the rest up to the maximums.
func (p *problem) solve() {
	n := len(p.in.Listings)
	p.target = make([]int, n)
	x, high, weights := make([]float64, n), make([]float64, n), p.weights()
	guarded := make([]bool, n)
	for i, l := range p.in.Listings {
		guarded[i] = p.in.ModeOf(l) != Shared && !l.Platform && len(p.uses[i]) > 0
		if !guarded[i] && !l.Platform {
			p.target[i] = p.ceiling(i)
		}
	}
	round := func(upTo func(i int) int, keep int) {
		for i := range high {
			if high[i] = 0; guarded[i] {
				high[i] = max(x[i], float64(min(upTo(i), p.ceiling(i))))
			}
		}
		p.fill(x, high, weights, keep)
	}
	round(func(i int) int { return p.held[i] }, 0)
	round(func(i int) int {
		if l := p.in.Listings[i]; l.Fixed != nil {
			return *l.Fixed
		} else {
			return max(l.Min, p.held[i])
		}
	}, 0)
	round(func(int) int { return MaxUnits }, keepLiquid)
	p.roundOff(x, high, guarded)
}

// priorUnits is the evidence every listing is credited with before it has any: until some have sold more than this,
// stock is spread by weight alone, and two early orders move nothing.
const priorUnits = 4

// weights is weight × demand by listing, with a part of the demand spread evenly. It is computed once.
func (p *problem) weights() []float64 {
	if p.weight != nil {
		return p.weight
	}
	w := make([]float64, len(p.in.Listings))
	sum, seen := 0.0, leastWindow.Seconds()
	for i := range w {
		w[i] = p.rate[i]
		sum += w[i]
		seen = max(seen, p.book[i].Rate.seen(p.at))
	}
	even := evenShare*sum/float64(max(1, len(w))) + priorUnits/seen
	for i, l := range p.in.Listings {
		w[i] = (w[i] + even) * l.weight()
	}
	p.weight = w
	return w
}

// fill raises x towards high in proportion to w until rows are full; keep is the fraction (1/keep) of a row shared by
// several listings to leave. A listing already above its share waits until the others have caught up.
func (p *problem) fill(x, high, w []float64, keep int) {
	frozen := make([]bool, len(x))
	for range len(p.rows) + 1 {
		best, tight := math.Inf(1), -1
		for r := range p.rows {
			if t := p.fullAt(r, x, high, w, frozen, keep); t < best {
				best, tight = t, r
			}
		}
		if tight < 0 {
			for i := range x {
				if !frozen[i] {
					x[i] = max(x[i], high[i])
				}
			}
			return
		}
		for _, u := range p.rows[tight].uses {
			if i := u.listing; !frozen[i] {
				x[i], frozen[i] = min(high[i], max(x[i], w[i]*best)), true
			}
		}
	}
}

// bend is a level at which the slope of a row's use changes: a listing begins to rise, or has enough.
type bend struct{ level, slope float64 }

// fullAt is the level θ at which row r is full when each of its listings has min(high, max(x, w·θ)); infinite if it
// never is. The use of a row is a rising line with bends, so it is followed from bend to bend.
func (p *problem) fullAt(r int, x, high, w []float64, frozen []bool, keep int) float64 {
	row := &p.rows[r]
	if row.shared {
		return math.Inf(1)
	}
	free := float64(row.limit)
	if keep > 0 && len(row.uses) > 1 {
		free -= float64(max(0, row.limit) / keep)
	}
	wanted := 0.0
	for _, u := range row.uses {
		free -= float64(u.per) * x[u.listing]
		if !frozen[u.listing] {
			wanted += float64(u.per) * (high[u.listing] - x[u.listing])
		}
	}
	if wanted <= free || wanted <= 0 {
		return math.Inf(1)
	}
	p.bends = p.bends[:0]
	for _, u := range row.uses {
		if i := u.listing; !frozen[i] && high[i] > x[i] {
			slope := float64(u.per) * w[i]
			p.bends = append(p.bends, bend{x[i] / w[i], slope}, bend{high[i] / w[i], -slope})
		}
	}
	slices.SortFunc(p.bends, func(a, b bend) int { return cmp.Compare(a.level, b.level) })
	level, slope := 0.0, 0.0
	free = max(0, free)
	for _, b := range p.bends {
		if step := (b.level - level) * slope; slope > 0 && step >= free {
			return level + free/slope
		} else if slope > 0 {
			free -= step
		}
		level = b.level
		slope += b.slope
	}
	return level
}

// roundOff turns shares into whole units: all down, then the largest fractions up while the rows have room. A unit
// a listing already shows counts as a third more, so that a tie moves nothing.
func (p *problem) roundOff(x, high []float64, guarded []bool) {
	var order []int
	score := make([]float64, len(x))
	for i := range x {
		if !guarded[i] {
			continue
		}
		p.target[i] = int(x[i] + 1e-6)
		score[i] = x[i] - float64(p.target[i])
		if p.book[i].Exposure > p.target[i] {
			score[i] += 1.0 / 3
		}
		order = append(order, i)
	}
	slices.SortFunc(order, func(a, b int) int {
		return cmp.Or(cmp.Compare(score[b], score[a]), cmp.Compare(p.in.Listings[a].ID, p.in.Listings[b].ID))
	})
	for _, i := range order {
		if score[i] > 1e-6 && float64(p.target[i]+1) <= high[i] && p.fits(i) {
			p.target[i]++
		}
	}
}

// fits reports whether the targets leave room for one more unit of listing i.
func (p *problem) fits(i int) bool {
	for _, ru := range p.uses[i] {
		r := &p.rows[ru.row]
		limit := r.limit
		if len(r.uses) > 1 {
			limit -= max(0, r.limit) / keepLiquid
		}
		if !r.shared && r.used(p.target)+r.uses[ru.use].per > limit {
			return false
		}
	}
	return true
}

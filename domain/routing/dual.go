package routing

import (
	"math"
	"slices"
)

// Bounds of the search for prices.
const (
	maxRounds  = 20
	goodEnough = 1000      // stop within a thousandth of the lower bound
	patience   = 4         // rounds without a better bound before it goes back to the best prices and moves them less
	repairs    = 10        // rounds between two plans made with the prices at hand
	stride     = 15 * mill // how far a price first moves
)

// ascend raises the lower bound by prices and makes plans with them. It returns the best plans there are.
//
// With a price on each place in a bucket and each unit of scarce stock, orders no longer touch: each takes its cheapest plan. What those
// cost together, less the worth of all places and units at their prices, is at most what any plan costs that keeps to the limits. Prices rise
// where more is asked for than there is and fall where less is.
func (w *wave) ascend(best *kept) *kept {
	fixed := int64(0)
	for o := range w.plans {
		if w.fixed[o] {
			fixed += w.plans[o].cost
		}
	}
	g := newSlope(w)
	prices, rent := copyRows(nil, w.prices), slices.Clone(w.rent)
	length, stale := float64(stride), 0
	for w.result.Rounds < maxRounds {
		w.result.Rounds++
		bound := fixed + w.relax(g)
		if bound > w.result.Lower {
			w.result.Lower, stale = bound, 0
			prices, rent = copyRows(prices, w.prices), append(rent[:0], w.rent...)
		} else if stale++; stale == patience {
			length, stale = length/3, 0
			w.prices, w.rent = copyRows(w.prices, prices), append(w.rent[:0], rent...)
		}
		if w.result.Rounds%repairs == 0 {
			w.greedy(true)
			w.improve()
			best = w.keep(best)
		}
		if best.cost-w.result.Lower <= w.result.Lower/goodEnough || !g.step(w, length) {
			break
		}
	}
	return best
}

func copyRows(dst, src [][]int64) [][]int64 {
	if dst == nil {
		dst = make([][]int64, len(src))
	}
	for i := range src {
		if src[i] != nil {
			dst[i] = append(dst[i][:0], src[i]...)
		}
	}
	return dst
}

// relax routes each order by itself at the prices, counts what is asked for, and returns the bound.
func (w *wave) relax(g *slope) int64 {
	d := w.d
	g.clear()
	var sum int64
	d.s.relaxed = true
	for o := range w.probs {
		if w.fixed[o] {
			continue
		}
		p := &w.probs[o]
		w.look(p, w.full, false, true)
		a := d.s.run(p, p.allowed, never)
		sum += a.lower
		for j := range a.n {
			t := &a.kept[j]
			g.rent[d.sites[t.site].base+int(t.bucket)]++
			in := d.sites[t.site].in
			for i := range p.wants {
				if row := g.units[p.wants[i].serial]; row != nil {
					row[in] += int64(a.qty[i*MaxParts+j])
				}
			}
		}
	}
	d.s.relaxed = false
	for b, price := range w.rent {
		sum -= price * w.room[b]
	}
	for i, row := range w.prices {
		for in, price := range row {
			sum -= price * w.full[i][in]
		}
	}
	return sum
}

// slope is what is asked for; less what there is, it says which prices should move. A price moves by stride divided by the root of the sum of the
// squares of all its slopes so far: prices that are pulled to and fro come to rest, and one that is seldom pulled moves as far as the
// first did, though there are thousands of others (AdaGrad).
type slope struct {
	rent  []int64
	units [][]int64
	sums  []float64 // of squares: of buckets, then of items and sites
}

func newSlope(w *wave) *slope {
	g := &slope{rent: make([]int64, len(w.room)), units: make([][]int64, len(w.prices))}
	n := len(w.room)
	for i, row := range w.prices {
		if row != nil {
			g.units[i] = make([]int64, len(row))
			n += len(row)
		}
	}
	g.sums = make([]float64, n)
	return g
}

func (g *slope) clear() {
	clear(g.rent)
	for _, row := range g.units {
		clear(row)
	}
}

// step moves the prices. False: none has a reason to.
func (g *slope) step(w *wave, stride float64) bool {
	k, moved := 0, false
	move := func(price *int64, over int64) {
		sum := &g.sums[k]
		k++
		if over == 0 || over < 0 && *price == 0 {
			return
		}
		x := float64(over)
		*sum += x * x
		*price = min(MaxCost*mill, max(0, *price+int64(stride*x/math.Sqrt(*sum))))
		moved = true
	}
	for b := range g.rent {
		move(&w.rent[b], g.rent[b]-w.room[b])
	}
	for i, row := range g.units {
		for in := range row {
			move(&w.prices[i][in], row[in]-w.full[i][in])
		}
	}
	return moved
}

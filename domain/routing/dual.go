package routing

import "math"

// Bounds of the search for prices.
const (
	maxRounds  = 20
	goodEnough = 1000      // stop within a thousandth of the lower bound
	patience   = 4         // rounds without a better bound before prices move half as far
	repairs    = 5         // rounds between two plans made with the prices at hand
	stride     = 15 * mill // how far the price of a place first moves
	unitStride = 6 * mill  // and that of a unit: an order asks for many of them and for one place
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
	pace, stale := 1.0, 0
	for w.result.Rounds < maxRounds {
		w.result.Rounds++
		if bound := fixed + w.relax(g); bound > w.result.Lower {
			w.result.Lower, stale = bound, 0
		} else if stale++; stale == patience {
			pace, stale = pace/2, 0
		}
		if w.result.Rounds%repairs == 0 {
			w.pass(true) // who can do without what others need gives way, and then all take what is left
			w.improve()
			w.exchange()
			best = w.keep(best)
		}
		if best.cost-w.result.Lower <= w.result.Lower/goodEnough || !g.step(w, pace) {
			break
		}
	}
	return best
}

// relax routes each order by itself at the prices, counts what is asked for, and returns the bound. What was cheapest for an order at the prices of the
// round before is where its search begins: only what is cheaper is looked for.
func (w *wave) relax(g *slope) int64 {
	d := w.d
	g.clear()
	var sum int64
	d.s.relaxed = true
	for o := range w.probs {
		if w.fixed[o] {
			continue
		}
		p, c := &w.probs[o], &w.ease[o]
		least := never
		if c.cost < never {
			least = w.worth(p, c)
		}
		w.look(p, w.full, false, true)
		a := d.s.run(p, p.allowed, least-1)
		if a.cost < least {
			least = a.cost
			w.hold(p, c, a)
		}
		w.bar[o] = min(least, a.lower)
		sum += w.bar[o]
		w.ask(g, p, c)
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

// ask adds what a plan uses to what is asked for.
func (w *wave) ask(g *slope, p *problem, c *choice) {
	for j := range c.n {
		t := &c.slots[j]
		g.rent[w.d.sites[t.site].base+int(t.bucket)]++
		in := w.d.sites[t.site].in
		for i := range p.wants {
			if row := g.units[p.wants[i].serial]; row != nil {
				row[in] += int64(c.qty[i*MaxParts+j])
			}
		}
	}
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
func (g *slope) step(w *wave, pace float64) bool {
	k, moved := 0, false
	move := func(price *int64, over int64, stride float64) {
		sum := &g.sums[k]
		k++
		if over == 0 || over < 0 && *price == 0 {
			return
		}
		x := float64(over)
		*sum += x * x
		*price = min(MaxCost*mill, max(0, *price+int64(pace*stride*x/math.Sqrt(*sum))))
		moved = true
	}
	for b := range g.rent {
		move(&w.rent[b], g.rent[b]-w.room[b], stride)
	}
	for i, row := range g.units {
		for in := range row {
			move(&w.prices[i][in], row[in]-w.full[i][in], unitStride)
		}
	}
	return moved
}

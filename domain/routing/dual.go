package routing

// Bounds of the search for prices.
const (
	maxRounds  = 60
	goodEnough = 1000 // stop within a thousandth of the lower bound
	patience   = 4    // rounds without a better bound before steps are halved
	repairs    = 4    // rounds between two plans made with the prices at hand
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
	theta, stale := 1.0, 0
	var good [][]int64
	var rent []int64
	for w.result.Rounds < maxRounds {
		w.result.Rounds++
		bound := fixed + w.relax(g)
		if bound > w.result.Lower || w.result.Rounds == 1 {
			w.result.Lower, stale = max(bound, w.result.Lower), 0
			good, rent = copyRows(good, w.prices), append(rent[:0], w.rent...)
		} else if stale++; stale >= patience {
			theta, stale = theta/2, 0
			w.prices, w.rent = copyRows(w.prices, good), append(w.rent[:0], rent...)
		}
		if w.result.Rounds%repairs == 1 && w.result.Rounds > 1 {
			w.greedy(true)
			w.improve()
			best = w.keep(best)
		}
		if best.cost-w.result.Lower <= w.result.Lower/goodEnough || theta < 0.02 {
			break
		}
		if !g.step(w, theta*float64(best.cost-bound)) {
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

// slope is what is asked for: less what there is, it says which prices should move.
type slope struct {
	rent  []int64
	units [][]int64
}

func newSlope(w *wave) *slope {
	g := &slope{rent: make([]int64, len(w.room)), units: make([][]int64, len(w.prices))}
	for i, row := range w.prices {
		if row != nil {
			g.units[i] = make([]int64, len(row))
		}
	}
	return g
}

func (g *slope) clear() {
	clear(g.rent)
	for _, row := range g.units {
		clear(row)
	}
}

// step moves the prices by the length that would close the gap if the bound rose evenly. False: nothing is asked for too much.
func (g *slope) step(w *wave, gap float64) bool {
	var norm float64
	each := func(f func(price *int64, over int64)) {
		for b := range g.rent {
			if w.room[b] < unbounded/2 {
				f(&w.rent[b], g.rent[b]-w.room[b])
			}
		}
		for i, row := range g.units {
			for in := range row {
				f(&w.prices[i][in], row[in]-w.full[i][in])
			}
		}
	}
	each(func(price *int64, over int64) {
		if over > 0 || *price > 0 {
			norm += float64(over) * float64(over)
		}
	})
	if norm == 0 || gap <= 0 {
		return false
	}
	length := gap / norm
	each(func(price *int64, over int64) {
		if over > 0 || *price > 0 {
			*price = min(MaxCost*mill, max(0, *price+int64(length*float64(over))))
		}
	})
	return true
}

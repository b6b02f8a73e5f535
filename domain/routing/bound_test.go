package routing

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// joint is the cheapest way to ship a few orders together: every plan of each with every plan of all others. Units may be left though a node
// has them, since another order may have taken them: that only makes it cheaper, so the bound must be below it all the same.
type joint struct {
	d     *Desk
	rules Rules
	plans [][]jointPlan
	stock map[string][]int64 // by item and site
	room  map[[2]int]int64
	best  int64
}

type jointPlan struct {
	cost int64
	used [][2]int // site and bucket
	take []jointTake
}

type jointTake struct {
	item string
	site int
	qty  int64
}

// plansOf lists the plans of one order.
func (j *joint) plansOf(o *Order, st Stock) (out []jointPlan) {
	b := newBrute(j.d, o, st, j.rules)
	b.free = true
	b.each = func(cost int64, used [][2]int) {
		p := jointPlan{cost: cost, used: slices.Clone(used)}
		for k := range b.items {
			for si := range j.d.sites {
				if q := b.alloc[k][si]; q > 0 {
					p.take = append(p.take, jointTake{b.items[k].id, si, q})
				}
			}
		}
		out = append(out, p)
	}
	b.item(0, func(int) bool { return true }, b.maxParts())
	slices.SortFunc(out, func(a, b jointPlan) int { return int(a.cost - b.cost) })
	return out
}

func (j *joint) try(k int, cost int64) {
	if k == len(j.plans) {
		j.best = min(j.best, cost)
		return
	}
	for i := range j.plans[k] {
		p := &j.plans[k][i]
		if cost+p.cost >= j.best {
			return
		}
		ok := true
		for _, u := range p.used {
			j.room[u]--
			ok = ok && j.room[u] >= 0
		}
		for _, t := range p.take {
			j.stock[t.item][t.site] -= t.qty
			ok = ok && j.stock[t.item][t.site] >= 0
		}
		if ok {
			j.try(k+1, cost+p.cost)
		}
		for _, u := range p.used {
			j.room[u]++
		}
		for _, t := range p.take {
			j.stock[t.item][t.site] += t.qty
		}
	}
}

// The bound is never above the cheapest joint plan, and the plan never below it.
func TestTheBoundIsOne(t *testing.T) {
	n, exact, tight := 0, 0, 0
	for seed := range uint64(400) {
		r := rand.New(rand.NewPCG(seed, 21))
		w := newWorld(r)
		w.rules.Plain, w.rules.Days = true, 1+r.IntN(2)
		w.sites = w.sites[:min(len(w.sites), 3)]
		w.rules.Limits = nil
		var orders []Order
		for i := range 3 {
			orders = append(orders, randomOrder(r, w.at, 2, 1+r.IntN(2), 2, string(rune('a'+i))))
		}
		for i := range w.stock {
			for k := range w.stock[i] {
				w.stock[i][k] = int64(r.IntN(4))
			}
		}
		d := w.desk()
		j := &joint{d: d, rules: w.rules, stock: map[string][]int64{}, room: map[[2]int]int64{}, best: math.MaxInt64}
		for item, row := range w.stock {
			for si := range d.sites {
				j.stock[item] = append(j.stock[item], row[d.sites[si].in])
			}
		}
		for si := range d.sites {
			for b := range d.sites[si].buckets {
				k := &d.sites[si].buckets[b]
				k.cap = min(k.cap, int64(r.IntN(3))) // so that places are scarce
				j.room[[2]int{si, b}] = k.cap
			}
		}
		for i := range orders {
			j.plans = append(j.plans, j.plansOf(&orders[i], w.stock))
		}
		j.try(0, 0)
		p, err := d.Replan(orders, w.stock)
		if err != nil {
			t.Fatal(err)
		}
		if p.Lower > j.best || p.Best.Total < j.best {
			t.Fatalf("seed %d: bound %d, cheapest %d, plan %d", seed, p.Lower, j.best, p.Best.Total)
		}
		n++
		if p.Best.Total == j.best {
			exact++
		}
		if p.Lower*100 >= j.best*97 {
			tight++
		}
	}
	t.Logf("of %d: the plan is the cheapest in %d, the bound within 3 %% of it in %d", n, exact, tight)
	if exact < n*3/4 {
		t.Errorf("the plan is the cheapest in %d of %d only", exact, n)
	}
}

// Alone, with units left though a node has them, an order costs what trying everything says, or the bound is below it: heavy orders, whose last
// parcel a few units less would save, too.
func TestWhatAnOrderCostsAtLeastIsNotTooMuch(t *testing.T) {
	exact, saved := 0, 0
	for seed := range uint64(1500) {
		r := rand.New(rand.NewPCG(seed, 77))
		w := newWorld(r)
		w.rules.Plain, w.rules.Days, w.rules.Limits = true, 1, nil
		w.rules.LeftUnit, w.rules.LeftAny = 1+r.Int64N(900), r.Int64N(700)
		w.sites = w.sites[:min(len(w.sites), 3)]
		for i := range w.sites {
			w.sites[i].Node.Lanes = slices.Clone(w.sites[i].Node.Lanes) // the pool is everybody's
			for k := range w.sites[i].Node.Lanes {
				w.sites[i].Node.Lanes[k].MaxGrams = int64(1000 + r.IntN(4000))
			}
		}
		o := randomOrder(r, w.at, 2, 2, 4, "heavy")
		for i := range o.Lines {
			o.Lines[i].Grams = int64(200 + r.IntN(1500))
		}
		d := w.desk()
		j := &joint{d: d, rules: w.rules}
		best, whole := int64(math.MaxInt64), int64(math.MaxInt64)
		for _, p := range j.plansOf(&o, w.stock) {
			best = min(best, p.cost)
		}
		wave := d.newWave([]Order{o}, w.stock)
		wave.begin()
		wave.look(&wave.probs[0], wave.full, false, false)
		whole = d.s.run(&wave.probs[0], wave.probs[0].allowed, never).cost / mill
		d.s.relaxed = true
		a := d.s.run(&wave.probs[0], wave.probs[0].allowed, never)
		if lower := (a.lower + mill - 1) / mill; lower > best || a.cost/mill < best {
			t.Fatalf("seed %d: bound %d, trying everything %d, found %d", seed, lower, best, a.cost/mill)
		} else if lower == best {
			exact++
		}
		if best < whole {
			saved++
		}
	}
	t.Logf("%d exact, %d better off with units left", exact, saved)
	if exact < 1000 || saved < 30 {
		t.Errorf("the cases show too little: %d exact, %d better off with units left", exact, saved)
	}
}

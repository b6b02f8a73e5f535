package routing

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"github.com/spillway/spillway/domain/policy"
	"github.com/spillway/spillway/kit/errs"
)

// Replan is a plan of all open orders together.
type Replan struct {
	Plans  []Plan // in the order in which the orders were given
	Best   Bill   // of these plans
	Greedy Bill   // of the orders routed one by one, the most urgent first: what Best is never above
	Lower  int64  // no plan of these orders under the same rules costs less, in minor units
	Rounds int    // of prices that were tried
	Moves  int    // plans that were changed for a better one at the end
}

// Bill is what plans add up to.
type Bill struct {
	Total int64      // minor units
	Late  policy.PPM // orders expected to be handed over late, in millionths of an order
	Parts int        // that leave
	Left  int64      // units left for later
}

// Gap is how far the plan may be above the cheapest there could be, as a share of Lower.
func (r *Replan) Gap() policy.PPM {
	if r.Lower <= 0 {
		return 0
	}
	return policy.PPM((r.Best.Total - r.Lower) * 1_000_000 / r.Lower)
}

// wave is a re-plan being made.
type wave struct {
	d      *Desk
	orders []Order
	probs  []problem
	turn   []int32   // orders, the most urgent first
	wide   []int32   // orders, those that want the most items first: they are the hardest to keep in one parcel
	fixed  []bool    // those that platform stock took first
	full   [][]int64 // stock by item, when the search begins
	rest   [][]int64 // what is left of it by the plans at hand
	prices [][]int64 // of a unit, by item and site; nil: there is enough for all who could ask
	room   []int64   // by bucket, when the search begins
	open   []int64   // what is left of it
	rent   []int64   // price of a place in a bucket
	plans  []choice  // at hand
	ease   []choice  // the cheapest plan of each order at the prices, as if it were alone
	bar    []int64   // what each order costs at least at the prices at hand, all that it uses paid
	least  []int64   // what each order costs at least, with all there is to itself: one that costs no more is not moved
	aside  []choice  // plans that may have to be put back
	view   []slot
	result Replan
}

// choice is a plan inside a re-plan.
type choice struct {
	cost  int64 // mills, without prices
	n     int
	slots [MaxParts]slot // without prices
	qty   []int32        // want*MaxParts+part
}

// Replan plans all orders together: under what nodes get done, stock that several ask for, and the rules. It begins with routing them one by
// one, finds what a place on a node's day and a unit of scarce stock are worth (Lagrange multipliers by subgradients), routes with those
// prices, and then moves orders that are better off elsewhere until none is. It ends after a bounded number of steps. Errors: Invalid.
func (d *Desk) Replan(orders []Order, st Stock) (*Replan, error) {
	if len(orders) > MaxOrders {
		return nil, errs.New(errs.Invalid, "routing.Replan", "", "at most %d orders at once, not %d", MaxOrders, len(orders))
	}
	for i := range orders {
		if err := orders[i].Check(); err != nil {
			return nil, err
		}
	}
	w := d.newWave(orders, st)
	w.platformFirst()
	w.begin()
	w.greedy(false)
	w.result.Greedy = w.bill()
	best := w.keep(nil)
	w.floors()
	w.improve()
	best = w.keep(best)
	w.prices, w.rent = w.scarce(), make([]int64, len(w.open))
	best = w.ascend(best)
	w.restore(best)
	return w.finish(), nil
}

func (d *Desk) newWave(orders []Order, st Stock) *wave {
	n := len(orders)
	w := &wave{d: d, orders: orders, probs: make([]problem, n), fixed: make([]bool, n), turn: make([]int32, n), plans: make([]choice, n),
		open: make([]int64, d.buckets)}
	serial := map[string]int32{}
	for i := range orders {
		w.turn[i] = int32(i)
		p := &w.probs[i]
		d.load(p, &orders[i], nil, true)
		for k := range p.wants {
			item := p.wants[k].item
			at, ok := serial[item]
			if !ok {
				at = int32(len(w.rest))
				serial[item] = at
				row := make([]int64, len(d.sites))
				copy(row, st[item])
				w.rest = append(w.rest, row)
			}
			p.wants[k].serial = at
		}
		w.plans[i].qty = make([]int32, len(p.wants)*MaxParts)
		w.plans[i].cost = w.cost(p, &w.plans[i])
	}
	for si := range d.sites {
		for b, k := range d.sites[si].buckets {
			w.open[d.sites[si].base+b] = k.cap
		}
	}
	slices.SortFunc(w.turn, func(a, b int32) int {
		x, y := &w.probs[a].due, &w.probs[b].due
		return cmp.Or(cmp.Compare(x.dispatch, y.dispatch), strings.Compare(orders[a].ID, orders[b].ID), cmp.Compare(a, b))
	})
	w.wide = slices.Clone(w.turn)
	slices.SortStableFunc(w.wide, func(a, b int32) int { return cmp.Compare(len(w.probs[b].wants), len(w.probs[a].wants)) })
	return w
}

// platformFirst gives platform stock to the orders that it has all of, the most urgent first.
func (w *wave) platformFirst() {
	d := w.d
	for _, o := range w.turn {
		p := &w.probs[o]
		w.look(p, w.rest, true, false)
		if a, ok := d.platformFirst(p); ok {
			w.take(o, a)
			w.fixed[o] = true
		}
	}
}

// begin remembers what there is for the orders that are not fixed.
func (w *wave) begin() {
	w.room = slices.Clone(w.open)
	w.full = make([][]int64, len(w.rest))
	for i := range w.rest {
		w.full[i] = slices.Clone(w.rest[i])
	}
}

// look makes a problem's stock and slots those in reach: of rows, on days with room if hard, at the prices if priced.
func (w *wave) look(p *problem, rows [][]int64, hard, priced bool) {
	d := w.d
	for i := range p.wants {
		t := &p.wants[i]
		t.row, t.price = rows[t.serial], nil
		if priced {
			t.price = w.prices[t.serial]
		}
	}
	w.view = w.view[:0]
	for si := range d.sites {
		d.s.spans[si] = int32(len(w.view))
		from := len(w.view)
		for x := p.spans[si]; x < p.spans[si+1]; x++ {
			t := &p.slots[x]
			g := d.sites[si].base + int(t.bucket)
			if hard && w.open[g] <= 0 {
				continue
			}
			w.view = append(w.view, *t)
			if priced {
				w.view[len(w.view)-1].fixed += w.rent[g]
			}
		}
		w.view = prune(w.view, from)
	}
	d.s.spans[len(d.sites)] = int32(len(w.view))
	d.s.slots = w.view
}

// take puts an answer in the place of an order's plan, which must have been put back.
func (w *wave) take(o int32, a *answer) {
	p, c := &w.probs[o], &w.plans[o]
	w.hold(p, c, a)
	w.count(p, c, -1)
}

// hold keeps an answer as a plan without prices.
func (w *wave) hold(p *problem, c *choice, a *answer) {
	c.n = a.n
	copy(c.qty, a.qty)
	for j := range a.n {
		c.slots[j] = a.kept[j]
		if w.rent != nil {
			c.slots[j].fixed = w.plain(p, &a.kept[j]).fixed
		}
	}
	c.cost = w.cost(p, c)
}

// plain finds a slot without its price.
func (w *wave) plain(p *problem, t *slot) *slot {
	for x := p.spans[t.site]; x < p.spans[t.site+1]; x++ {
		if s := &p.slots[x]; s.lane == t.lane && s.bucket == t.bucket {
			return s
		}
	}
	return t
}

// count adds a plan's use to what is left, or takes it off.
func (w *wave) count(p *problem, c *choice, sign int64) {
	for j := range c.n {
		t := &c.slots[j]
		w.open[w.d.sites[t.site].base+int(t.bucket)] += sign
		in := w.d.sites[t.site].in
		for i := range p.wants {
			if q := c.qty[i*MaxParts+j]; q > 0 {
				w.rest[p.wants[i].serial][in] += sign * int64(q)
			}
		}
	}
}

// cost is what a plan costs without prices, in mills.
func (w *wave) cost(p *problem, c *choice) int64 {
	var cost, left int64
	sure := allSure
	for j := range c.n {
		t := &c.slots[j]
		var grams int64
		for i := range p.wants {
			if q := int64(c.qty[i*MaxParts+j]); q > 0 {
				cost += t.line + q*t.unit
				grams += q * p.wants[i].grams
			}
		}
		cost += t.fixed + t.weigh(grams)
		sure = both(sure, t.sure)
	}
	if c.n == 0 {
		sure = [3]int64{}
	}
	for i := range p.wants {
		rest := p.wants[i].qty
		for j := range c.n {
			rest -= int64(c.qty[i*MaxParts+j])
		}
		left += rest
	}
	if left > 0 {
		cost += (left*w.d.rules.LeftUnit + w.d.rules.LeftAny) * mill
	}
	return cost + p.due.lateness(sure)
}

// floors finds what each order costs at least.
func (w *wave) floors() {
	w.ease = make([]choice, len(w.plans))
	for o := range w.ease {
		w.ease[o] = choice{cost: never, qty: make([]int32, len(w.plans[o].qty))}
	}
	w.least, w.bar = make([]int64, len(w.plans)), make([]int64, len(w.plans))
	w.d.s.relaxed = true
	for o := range w.probs {
		if p := &w.probs[o]; !w.fixed[o] {
			w.look(p, w.full, false, false)
			w.least[o] = w.d.s.run(p, p.allowed, never).lower
		}
	}
	w.d.s.relaxed = false
}

// greedy routes the orders one by one, with what is left and, if priced, at the prices.
func (w *wave) greedy(priced bool) {
	for i := range w.open {
		w.open[i] = w.room[i]
	}
	for i := range w.rest {
		copy(w.rest[i], w.full[i])
	}
	turn := w.turn
	if priced {
		turn = w.wide
	}
	for _, o := range turn {
		if w.fixed[o] {
			continue
		}
		p := &w.probs[o]
		w.look(p, w.rest, true, priced)
		w.take(o, w.d.s.run(p, p.allowed, never))
	}
}

// maxPasses bounds how often all orders are looked at for a better place.
const maxPasses = 4

// improve moves orders that are better off elsewhere with what is left, until none is.
func (w *wave) improve() {
	for range maxPasses {
		if !w.pass(false) {
			return
		}
	}
}

// pass looks once at every order; priced: what it uses costs what it is worth to others.
func (w *wave) pass(priced bool) (moved bool) {
	for _, o := range w.turn {
		moved = w.move(o, priced) || moved
	}
	return moved
}

// worth is what a plan costs with all it uses paid.
func (w *wave) worth(p *problem, c *choice) int64 {
	cost := c.cost
	for j := range c.n {
		t := &c.slots[j]
		s := &w.d.sites[t.site]
		cost += w.rent[s.base+int(t.bucket)]
		for i := range p.wants {
			if row := w.prices[p.wants[i].serial]; row != nil {
				cost += row[s.in] * int64(c.qty[i*MaxParts+j])
			}
		}
	}
	return cost
}

// move looks for a better plan for one order, all others staying.
func (w *wave) move(o int32, priced bool) bool {
	if w.fixed[o] {
		return false
	}
	p, c := &w.probs[o], &w.plans[o]
	now, least := c.cost, w.least[o]
	if priced {
		now, least = w.worth(p, c), w.bar[o]
	}
	if now <= least {
		return false
	}
	w.count(p, c, +1)
	w.look(p, w.rest, true, priced)
	a := w.d.s.run(p, p.allowed, now-1)
	if a.cost >= now {
		w.count(p, c, -1)
		return false
	}
	w.take(o, a)
	w.result.Moves++
	return true
}

// total is what all plans at hand cost, in mills.
func (w *wave) total() (sum int64) {
	for i := range w.plans {
		sum += w.plans[i].cost
	}
	return sum
}

// kept is a state worth going back to.
type kept struct {
	cost  int64
	plans []choice
}

// keep returns the plans at hand if they are cheaper than the best so far, else the best.
func (w *wave) keep(best *kept) *kept {
	cost := w.total()
	if best != nil && best.cost <= cost {
		return best
	}
	if best == nil {
		best = &kept{plans: make([]choice, len(w.plans))}
		for i := range w.plans {
			best.plans[i].qty = make([]int32, len(w.plans[i].qty))
		}
	}
	best.cost = cost
	for i := range w.plans {
		qty := best.plans[i].qty
		copy(qty, w.plans[i].qty)
		best.plans[i] = w.plans[i]
		best.plans[i].qty = qty
	}
	return best
}

// restore makes the best plans those at hand.
func (w *wave) restore(best *kept) {
	for i := range w.plans {
		if !w.fixed[i] {
			w.count(&w.probs[i], &w.plans[i], +1)
		}
	}
	for i := range w.plans {
		qty := w.plans[i].qty
		copy(qty, best.plans[i].qty)
		w.plans[i] = best.plans[i]
		w.plans[i].qty = qty
		if !w.fixed[i] {
			w.count(&w.probs[i], &w.plans[i], -1)
		}
	}
}

// bill adds the plans at hand up.
func (w *wave) bill() Bill {
	var b Bill
	for i := range w.plans {
		p, c := &w.probs[i], &w.plans[i]
		b.Total += c.cost / mill
		b.Parts += c.n
		sure := allSure
		for j := range c.n {
			sure = both(sure, c.slots[j].sure)
		}
		if c.n == 0 {
			sure = [3]int64{}
		}
		if p.due.dispatch < math.MaxInt64 {
			b.Late += policy.PPM((certain - sure[0]) / 1000)
		}
		for k := range p.wants {
			b.Left += p.wants[k].qty
			for j := range c.n {
				b.Left -= int64(c.qty[k*MaxParts+j])
			}
		}
	}
	return b
}

// finish writes the plans out, each with what stood in its way when all others are where they are.
func (w *wave) finish() *Replan {
	r := &w.result
	r.Best = w.bill()
	r.Lower = min((r.Lower+mill-1)/mill, r.Best.Total)
	r.Plans = make([]Plan, len(w.plans))
	var a answer
	for i := range w.plans {
		p, c := &w.probs[i], &w.plans[i]
		w.count(p, c, +1)
		w.look(p, w.rest, true, false)
		w.count(p, c, -1)
		w.d.s.p, w.d.s.only, w.d.s.first = p, p.allowed, w.fixed[i]
		w.d.s.prepare()
		a.n, a.qty, a.kept, a.cost, a.lower = c.n, c.qty, c.slots, c.cost, 0
		r.Plans[i] = w.d.plan(p, &a)
		r.Plans[i].Candidates = w.d.candidates(p, &a)
	}
	return r
}

// scarce makes room for prices of the items that more is asked for than some site has.
func (w *wave) scarce() [][]int64 {
	asked := make([]int64, len(w.full))
	for o := range w.probs {
		if w.fixed[o] {
			continue
		}
		for i := range w.probs[o].wants {
			asked[w.probs[o].wants[i].serial] += w.probs[o].wants[i].qty
		}
	}
	prices := make([][]int64, len(w.full))
	for i, row := range w.full {
		var have int64
		for _, n := range row {
			have += max(0, n)
			if n > 0 && n < asked[i] && prices[i] == nil {
				prices[i] = make([]int64, len(row))
			}
		}
		if have < asked[i] && prices[i] != nil { // some is left for certain: a unit is worth about what that costs
			for in := range prices[i] {
				prices[i][in] = w.d.rules.LeftUnit * mill
			}
		}
	}
	return prices
}

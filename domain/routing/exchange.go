package routing

import "slices"

const (
	// blockers is how many orders give way at most for one: each is routed again, and with many it hardly ever pays.
	blockers = 4
	// lookers is how many orders that use a unit somewhere are looked at for one that gives it up easily.
	lookers = 12
	// worthwhile is how much an order must be above what it could cost at the prices for others to be asked to give way, in mills: half a dollar
	// is less than any parcel, and most orders are below it.
	worthwhile = 50 * mill
)

// exchange lets orders that are far above what they could cost take what they need from others, who are routed again, where all together then
// cost less.
func (w *wave) exchange() {
	users := w.users()
	var gone []int32
	for _, o := range w.turn {
		if w.fixed[o] || w.worth(&w.probs[o], &w.plans[o])-w.bar[o] < worthwhile {
			continue
		}
		w.count(&w.probs[o], &w.plans[o], +1)
		gone = w.inTheWay(gone[:0], o, users)
		w.count(&w.probs[o], &w.plans[o], -1)
		if len(gone) > 1 {
			w.trade(gone)
		}
	}
}

// user is an order that asks for an item, by its want.
type user struct{ order, want int32 }

// users are who asks for each item that is scarce: those that use it somewhere are among them.
func (w *wave) users() [][]user {
	out := make([][]user, len(w.full))
	for _, o := range w.turn {
		if w.fixed[o] {
			continue
		}
		for i := range w.probs[o].wants {
			if s := w.probs[o].wants[i].serial; w.prices[s] != nil {
				out[s] = append(out[s], user{o, int32(i)})
			}
		}
	}
	return out
}

// inTheWay names an order, and those that would have to give way for it to ship as it would if it were alone. None: no few do.
func (w *wave) inTheWay(gone []int32, o int32, users [][]user) []int32 {
	gone = append(gone, o)
	p, c := &w.probs[o], &w.ease[o]
	for j := range c.n {
		t := &c.slots[j]
		s := &w.d.sites[t.site]
		if w.open[s.base+int(t.bucket)] <= 0 {
			return gone[:0]
		}
		for i := range p.wants {
			serial := p.wants[i].serial
			lacks := int64(c.qty[i*MaxParts+j]) - w.rest[serial][s.in]
			for _, u := range users[serial] {
				if lacks > 0 && slices.Contains(gone[1:], u.order) {
					lacks -= w.uses(u, t.site)
				}
			}
			for lacks > 0 {
				u, n := w.gives(users[serial], gone, serial, t.site, lacks)
				if n == 0 || len(gone) > blockers {
					return gone[:0]
				}
				gone, lacks = append(gone, u.order), lacks-n
			}
		}
	}
	return gone
}

// uses is how many units of its want an order takes from a site.
func (w *wave) uses(u user, site int32) int64 {
	c := &w.plans[u.order]
	for j := range c.n {
		if c.slots[j].site == site {
			return int64(c.qty[int(u.want)*MaxParts+j])
		}
	}
	return 0
}

// gives finds who gives up units of an item at a site the most easily: who ships from another site too that has some left, then who gives all that
// is asked for, then who wants the fewest other items.
func (w *wave) gives(users []user, gone []int32, serial, site int32, asked int64) (best user, gives int64) {
	looked, rank := 0, 0
	for _, u := range users {
		n := w.uses(u, site)
		if n == 0 || slices.Contains(gone, u.order) {
			continue
		}
		r := len(w.probs[u.order].wants)
		if n < asked {
			r += MaxLines
		}
		c := &w.plans[u.order]
		if !slices.ContainsFunc(c.slots[:c.n], func(t slot) bool { return t.site != site && w.rest[serial][w.d.sites[t.site].in] >= n }) {
			r += 2 * MaxLines
		}
		if gives == 0 || r < rank {
			best, gives, rank = u, n, r
		}
		if looked++; looked == lookers {
			break
		}
	}
	return best, gives
}

// trade routes some orders again, the first of them first, and keeps that if all together cost less.
func (w *wave) trade(orders []int32) {
	before, after := int64(0), int64(0)
	for k, o := range orders {
		c := &w.plans[o]
		before += c.cost
		w.count(&w.probs[o], c, +1)
		if k == len(w.aside) {
			w.aside = append(w.aside, choice{})
		}
		qty := append(w.aside[k].qty[:0], c.qty...)
		w.aside[k] = *c
		w.aside[k].qty = qty
	}
	done := 0
	for _, o := range orders {
		p := &w.probs[o]
		w.look(p, w.rest, true, false)
		a := w.d.s.run(p, p.allowed, before-after-1)
		if done++; a.cost >= before-after {
			after = before
			w.take(o, a)
			break
		}
		w.take(o, a)
		after += w.plans[o].cost
	}
	if after < before {
		w.result.Moves += len(orders)
		return
	}
	for _, o := range orders[:done] {
		w.count(&w.probs[o], &w.plans[o], +1)
	}
	for k, o := range orders {
		c := &w.plans[o]
		qty := append(c.qty[:0], w.aside[k].qty...)
		*c = w.aside[k]
		c.qty = qty
		w.count(&w.probs[o], c, -1)
	}
}

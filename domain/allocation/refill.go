package allocation

import (
	"cmp"
	"slices"
	"time"
)

// refill raises the listings that run low and, where free stock does not suffice, takes from those that can spare it.
func (p *planner) refill() {
	takers := p.takers()
	var short []int
	for _, i := range takers {
		because := why("refill", units("exposure", p.e[i]), units("target", p.target[i]), units("cover", p.need[i]),
			units("free", max(0, p.room(i, p.e))))
		p.raise(i, because, true)
		if p.settled[i] < p.target[i] {
			short = append(short, i)
		}
	}
	for _, i := range short {
		p.pull(i)
		p.wake(p.at.Add(recheck)) // what others may spare changes as demand fades, without an event
	}
	p.restock()
	for i, l := range p.in.Listings {
		if p.in.ModeOf(l) == Shared || p.settled[i] <= 0 {
			continue
		}
		mayBeDry := p.book[i].Floor < min(p.need[i], p.target[i])
		if mayBeDry || len(short) > 0 && p.reaches(i, short) {
			p.doubt = append(p.doubt, i)
		}
	}
}

// recheck is how long to wait before looking again at what somebody short could be given.
const recheck = 30 * time.Second

// takers are the listings that are low: at half their target, or below what covers the demand until a refill can
// arrive. The one that runs dry first stands first.
func (p *planner) takers() []int {
	var takers []int
	for i, l := range p.in.Listings {
		gap := p.target[i] - max(0, p.e[i]-p.book[i].ghosts())
		if !p.free[i] || gap <= 0 || p.in.ModeOf(l) == Shared {
			continue
		}
		low := 2*p.e[i] <= p.target[i]
		if low || p.e[i] < min(p.need[i], p.target[i]) && worthwhile*gap >= p.target[i] || p.e[i] < l.Min {
			takers = append(takers, i)
		}
	}
	w := p.weights()
	runway := func(i int) float64 { return float64(p.e[i]) / w[i] }
	slices.SortFunc(takers, func(a, b int) int {
		return cmp.Or(cmp.Compare(p.dry(a), p.dry(b)), cmp.Compare(runway(a), runway(b)),
			cmp.Compare(p.in.Listings[a].ID, p.in.Listings[b].ID))
	})
	return takers
}

// dry sorts listings below their cover before the others.
func (p *planner) dry(i int) int {
	if p.e[i] < p.need[i] {
		return 0
	}
	return 1
}

// pull takes units from listings that can spare them for taker t, unless what is already on its way back suffices.
func (p *planner) pull(t int) {
	want := func() int { return p.target[t] - p.settled[t] - max(0, p.room(t, p.settled)) }
	if want() <= 0 {
		return
	}
	w := p.weights()
	urgent := p.e[t] < p.need[t]
	for _, g := range p.givers(t) {
		missing := want()
		if missing <= 0 {
			return
		}
		// The giver must take at least twice as long to sell what it has as the taker would with one more.
		slower := float64(p.settled[g])*w[t] > 2*float64(max(0, p.settled[t])+1)*w[g]
		plenty := 2*p.settled[g] >= 3*p.target[g] && p.spare(g) >= 2
		if urgent && slower || plenty {
			p.lower(g, p.target[g], why("needed by a faster listing",
				units("exposure", p.e[g]), units("target", p.target[g]), units("wanted elsewhere", missing)))
		}
	}
}

// givers are the listings that share a row with t and are above their target, furthest above first.
func (p *planner) givers(t int) []int {
	var givers []int
	for g := range p.in.Listings {
		if g != t && p.free[g] && p.spare(g) > 0 && p.settled[g] > p.in.Listings[g].Min && p.reaches(g, []int{t}) {
			givers = append(givers, g)
		}
	}
	slices.SortFunc(givers, func(a, b int) int {
		return cmp.Or(cmp.Compare(p.spare(b), p.spare(a)),
			cmp.Compare(p.in.Listings[a].ID, p.in.Listings[b].ID))
	})
	return givers
}

// reaches reports whether listing g uses a guarded row that one of the others uses.
func (p *planner) reaches(g int, others []int) bool {
	for _, a := range p.uses[g] {
		for _, o := range others {
			for _, b := range p.uses[o] {
				if a.row == b.row && !p.rows[a.row].shared {
					return true
				}
			}
		}
	}
	return false
}

// restock takes back what a listing has far too much of when the liquid part of the stock is used up, as after a
// hold has ended, before anybody runs low for it.
func (p *planner) restock() {
	for r := range p.rows {
		row := &p.rows[r]
		if row.shared || len(row.uses) < 2 || row.limit < 2*keepLiquid {
			continue
		}
		for _, u := range row.uses {
			i := u.listing
			liquid := row.limit - row.promised(p.settled)
			if liquid*2*keepLiquid >= row.limit {
				break
			}
			if p.free[i] && p.settled[i] >= 2*p.target[i] && u.per*p.spare(i)*2*keepLiquid >= row.limit {
				p.lower(i, p.target[i], why("far above its share", units("exposure", p.e[i]), units("target", p.target[i]),
					units("free", max(0, liquid))))
			}
		}
	}
}

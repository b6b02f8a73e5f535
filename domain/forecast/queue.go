package forecast

import (
	"cmp"
	"math"
	"slices"
)

// group is orders that are alike in a scenario: the same profile, ready in the same step.
type group struct {
	prof    *profile
	lane    *laneModel
	n       float64 // known orders, or the mean number of orders to come
	ready   float64 // when; +Inf: never
	dropped float64 // when it is cancelled because it is not ready; +Inf: not
	pickup  float64
	scale   float64 // of the lag: the carrier's shock
	since   float64 // share of parcels that are scanned by now if picked up then: what did not happen any more
	sure    float64 // when the lag's longest is over
	due     float64 // chance of the first scan by the hand-over deadline
	points  [lagPoints]float64
	pointed bool
	miss    float64
	late    float64
	cancel  float64
}

// lagPoints is how many equal slices the scan lag is cut into where it is added to the time on the road.
const lagPoints = 9

// handed is the chance of the first scan by h.
func (g *group) handed(h float64) float64 {
	switch {
	case g.prof.stage == road:
		if h >= 0 {
			return 1
		}
		return 0
	case math.IsInf(g.ready, 1) || h < 0:
		return 0
	case math.IsInf(h, 1):
		return 1
	}
	if h <= g.pickup {
		return 0
	}
	if h >= g.sure {
		return 1
	}
	p := g.lane.lag.at((h - g.pickup) / g.scale)
	if g.since > 0 {
		p = (p - g.since) / (1 - g.since)
	}
	return unit(p)
}

// delivered is the chance of delivery by h: the lag's slices, each followed by the time on the road.
func (g *group) delivered(h float64) float64 {
	if math.IsInf(g.ready, 1) && g.prof.stage != road || h < 0 {
		return 0
	}
	t := &g.lane.transit
	if g.prof.stage == road {
		gone := t.at(-g.prof.handedAt)
		if gone >= 0.999 { // longer on the road than any known: as if handed over now
			return t.at(h)
		}
		return unit((t.at(h-g.prof.handedAt) - gone) / (1 - gone))
	}
	if !g.pointed {
		g.pointed = true
		for i := range g.points {
			u := (float64(i) + 0.5) / lagPoints
			g.points[i] = g.pickup + g.scale*g.lane.lag.quantile(g.since+u*(1-g.since))
		}
	}
	var sum float64
	for _, x := range g.points {
		sum += t.at(h - x) // a lag that never ends is +Inf: at(-Inf) is 0
	}
	return sum / lagPoints
}

// cancelled is the chance that the channel has cancelled for lateness by h.
func (g *group) cancelled(h float64) float64 {
	p := g.prof
	switch {
	case p.stage == road:
		return 0
	case !math.IsInf(g.dropped, 1):
		if g.dropped <= h {
			return 1
		}
		return 0
	case p.acHand <= h:
		return 1 - g.handed(p.acHand)
	}
	return 0
}

func (m *model) lane(p *profile) *laneModel { return &m.nodes[p.node].lanes[p.lane] }

// played is what happens in one scenario.
type played struct {
	groups []group
	of     []int32 // group of each open order
}

// player plays one scenario after the other and keeps its memory between them.
type player struct {
	m *model
	played
	lastStep, lastGroup []int32 // by profile: so that neighbours in the queue find their group without a map
	shock               shock
	served              [][]mark // by class
	avail               []float64
	level               []float64
}

// mark says that a class had that much of its work done after a step.
type mark struct {
	step int32
	done float64
}

func newPlayer(m *model) *player {
	return &player{m: m, played: played{of: make([]int32, len(m.in.Open))},
		lastStep: make([]int32, len(m.profiles)), lastGroup: make([]int32, len(m.profiles))}
}

// play plays a scenario. What it returns is good until the next.
func (pl *player) play(s shock) *played {
	pl.shock = s
	pl.groups = pl.groups[:0]
	for i := range pl.lastStep {
		pl.lastStep[i] = -2
	}
	for i := range pl.m.nodes {
		n := &pl.m.nodes[i]
		pl.work(n)
		pl.collect(n)
	}
	for i, p := range pl.m.of { // those that are ready or on the road
		if prof := &pl.m.profiles[p]; prof.stage != waiting {
			pl.of[i] = pl.put(p, 0, prof.readyAt, 1)
		}
	}
	return &pl.played
}

// work plays a node's queue: each step's capacity goes to the most urgent work there is, as a fluid.
func (pl *player) work(n *nodeModel) {
	m := pl.m
	if len(pl.served) < len(n.classes) {
		pl.served = append(pl.served, make([][]mark, len(n.classes)-len(pl.served))...)
	}
	pl.avail = append(pl.avail[:0], make([]float64, len(n.classes))...)
	days := path(pl.shock.work, n.throughput.Spread, n.throughput.Carry, n.throughput.Doubt, n.capacityDay)
	pl.levels(n)
	type event struct{ step, class, lot int }
	var comes, goes []event
	for c := range n.classes {
		pl.served[c] = pl.served[c][:0]
		for l := range n.classes[c].lots {
			comes = append(comes, event{n.classes[c].lots[l].step, c, l})
		}
		if x := n.classes[c].cancel; !math.IsInf(x, 1) {
			goes = append(goes, event{m.step(x), c, 0})
		}
	}
	byStep := func(a, b event) int { return cmp.Compare(a.step, b.step) }
	slices.SortFunc(comes, byStep)
	slices.SortFunc(goes, byStep)
	dead := make([]bool, len(n.classes))
	done := make([]float64, len(n.classes))
	now, in, out := 0, 0, 0
	for k := range m.ends {
		for ; in < len(comes) && comes[in].step <= k; in++ {
			e := comes[in]
			if !dead[e.class] {
				pl.avail[e.class] += pl.amount(&n.classes[e.class].lots[e.lot], k)
				now = min(now, e.class)
			}
		}
		for ; out < len(goes) && goes[out].step <= k; out++ {
			dead[goes[out].class], pl.avail[goes[out].class] = true, 0
		}
		left := n.capacity[k] * days[n.day[k]]
		for left > 1e-9 && now < len(n.classes) {
			x := min(left, pl.avail[now])
			if x > 0 {
				left -= x
				pl.avail[now] -= x
				done[now] += x
				pl.served[now] = append(pl.served[now], mark{int32(k), done[now]})
			}
			if pl.avail[now] <= 1e-9 {
				now++
			}
		}
	}
}

// levels is the demand in each step as a multiple of its quiet week. What is above 1 decays, in a half-life that is as uncertain as demand.
func (pl *player) levels(n *nodeModel) {
	a := &n.demand
	half := a.HalfLife.Hours() * math.Exp(halfLifeSpread*pl.shock.demand)
	factor := path(pl.shock.demand, a.Spread, usualCarry, a.Doubt, n.arrivalsDay)
	pl.level = pl.level[:0]
	for k, end := range pl.m.ends {
		pl.level = append(pl.level, (1+(a.Level-1)*math.Exp2(-end/half))*factor[n.day[k]])
	}
}

// amount is the work of a lot in this scenario.
func (pl *player) amount(l *lot, k int) float64 {
	if l.items == nil {
		return l.base * pl.level[min(k, len(pl.level)-1)]
	}
	return l.base
}

// collect finds for every order of a node when it is ready: the first step after which its class had done all work up to and with it.
func (pl *player) collect(n *nodeModel) {
	for c := range n.classes {
		cl, marks := &n.classes[c], pl.served[c]
		pos, i := 0.0, 0
		for l := range cl.lots {
			lt := &cl.lots[l]
			if lt.items == nil {
				before := pos
				pos += pl.amount(lt, lt.step)
				pl.spread(cl, lt, before, pos, marks)
				continue
			}
			for k, o := range lt.items {
				pos += lt.work[k]
				for i < len(marks) && marks[i].done < pos-1e-6 {
					i++
				}
				step := int32(-1)
				if i < len(marks) {
					step = marks[i].step
				}
				pl.of[o] = pl.at(pl.m.of[o], step, cl.cancel, 1)
			}
		}
	}
}

// spread puts expected orders, which fill the work from one place to another, into the steps in which that is done.
func (pl *player) spread(cl *class, l *lot, from, to float64, marks []mark) {
	put := func(step int32, n float64) {
		if n <= 1e-9 {
			return
		}
		for lane, p := range l.prof {
			if share := pl.m.nodes[pl.m.profiles[p].node].lanes[lane].share; share > 0 {
				pl.at(p, step, cl.cancel, n*share)
			}
		}
	}
	i, _ := slices.BinarySearchFunc(marks, from, func(x mark, from float64) int {
		if x.done <= from {
			return -1
		}
		return 1
	})
	for ; i < len(marks) && from < to; i++ {
		upTo := min(marks[i].done, to)
		put(marks[i].step, upTo-from)
		from = upTo
	}
	put(-1, to-from)
}

// at adds n orders that are ready at the end of a step; -1: never within what is played, and cancelled if that is so.
func (pl *player) at(p, step int32, cancel float64, n float64) int32 {
	if pl.lastStep[p] == step {
		pl.groups[pl.lastGroup[p]].n += n
		return pl.lastGroup[p]
	}
	ready, dropped := math.Inf(1), math.Inf(1)
	if step >= 0 {
		ready = pl.m.ends[step]
	} else if cancel <= pl.m.ends[len(pl.m.ends)-1] {
		dropped = max(cancel, 0)
	}
	i := pl.put(p, step, ready, n)
	pl.groups[i].dropped = dropped
	return i
}

// put adds n orders of a profile to their group.
func (pl *player) put(p, step int32, ready, n float64) int32 {
	if pl.lastStep[p] == step {
		pl.groups[pl.lastGroup[p]].n += n
		return pl.lastGroup[p]
	}
	prof := &pl.m.profiles[p]
	pickup := ready
	if prof.stage == readied {
		pickup = prof.pickup
	} else if prof.stage == waiting && step >= 0 {
		pickup = pl.m.lane(prof).next[step]
	}
	i := int32(len(pl.groups))
	pl.groups = append(pl.groups, pl.group(prof, ready, pickup, n))
	pl.lastStep[p], pl.lastGroup[p] = step, i
	return i
}

// group makes a group of orders that are ready and picked up at some moments.
func (pl *player) group(prof *profile, ready, pickup, n float64) group {
	g := group{prof: prof, lane: pl.m.lane(prof), n: n, ready: ready, dropped: math.Inf(1), pickup: pickup,
		scale: math.Exp(carrierSpread * pl.shock.carrier)}
	if prof.stage == readied {
		g.since = g.lane.lag.at(-pickup / g.scale)
		if g.since >= 0.999 { // waits longer than any known: as if picked up now
			g.since, g.pickup = 0, 0
		}
	}
	g.sure = g.pickup + g.scale*g.lane.longest
	g.due = g.handed(prof.handBy)
	return g
}

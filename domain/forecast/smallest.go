package forecast

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/spillway/spillway/domain/policy"
)

// Question asks for the fewest orders that have to be ready by a moment so that a metric's expected rate is inside a limit at the end of a day.
type Question struct {
	Metric   policy.Metric
	Day      policy.Day
	Limit    policy.PPM
	Until    time.Time
	Capacity map[string]int // orders a node can get ready until then; a node not named has what its throughput says
}

// Answer is the smallest set. The orders come in the order of their effect, so the first k of them are the best k that the nodes can do.
type Answer struct {
	Reached bool       // the set brings the expected rate inside the limit; else it is the best there is
	Before  policy.PPM // expected rate without it
	After   policy.PPM // with it, by the sum of the orders' effects
	Picks   []Pick
	Played  policy.PPM // the expected rate if the set is done first and everything else waits for it: played again
	Chance  float64    // that the rate then is inside the limit
}

// Pick is one order of the set.
type Pick struct {
	ID    string
	Node  string
	Gain  float64    // how much nearer it brings the rate to the limit: orders above the line, less the limit's share of those below it
	After policy.PPM // the expected rate when this order and all before it are done
}

// Smallest answers a question; false: the forecast has no such metric or day, or no rule for it.
//
// A rate N/D is inside its limit L when S = N − L·D is not above 0 (of a rate of good ones when it is not below). Expectation is linear, so
// being ready in time takes a fixed gain from S for each order, whatever else is done, as long as the others keep their chances.
//
// Taking always the largest gain left at a node that has capacity left is exact. The sets that the nodes can do (at most c of each node's
// orders) are the independent sets of a partition matroid, and for every k the greedy algorithm finds an independent set of k elements with the
// largest sum (Rado 1957, Edmonds 1971). Directly: let A be the greedy set of k, B another feasible one of k. List both by falling gain. If
// B's i-th gain were larger than A's i-th, then A's first i−1 and B's first i are feasible; as B's i are one more, some node has more
// of them in B's than in A's, so one of B's, with a gain larger than A's i-th, could have been added to A's first i−1: greedy would have
// taken it. So A's i-th gain is at least B's i-th for every i, and so is the sum. Hence if any set of k orders reaches the limit, greedy's k
// do, and the first k at which greedy does is the fewest.
//
// That the others keep their chances holds where the set takes the place of orders that are late anyhow, or of ones with time left. Played
// and Chance say what happens when it does not.
func (f *Forecast) Smallest(q Question) (Answer, bool) {
	m := f.model
	i := slices.IndexFunc(m.rates, func(r rateDay) bool { return m.metrics[r.metric] == q.Metric && r.day == q.Day && r.ok })
	if i < 0 {
		return Answer{}, false
	}
	e := m.effects(&m.rates[i], q.Until)
	sign, limit := 1.0, float64(q.Limit)/1e6
	if !m.rates[i].rate.Test.Bad() {
		sign = -1
	}
	gain := func(o int32) float64 {
		return sign * ((e.num[o] - e.numThen[o]) - limit*(e.den[o]-e.denThen[o]))
	}
	left := m.until(q)
	var can []int32
	for o := range m.in.Open {
		if m.profiles[m.of[o]].stage == waiting && !m.in.Open[o].From.After(q.Until) && gain(int32(o)) > 1e-9 {
			can = append(can, int32(o))
		}
	}
	slices.SortFunc(can, func(a, b int32) int {
		x, y := &m.in.Open[a], &m.in.Open[b]
		return cmp.Or(cmp.Compare(gain(b), gain(a)), urgency(x.Deadlines).Compare(urgency(y.Deadlines)), strings.Compare(x.ID, y.ID))
	})
	out := Answer{Before: ppm(ratio(e.sumNum, e.sumDen))}
	out.After = out.Before
	inside := func() bool { return sign*(e.sumNum-limit*e.sumDen) <= 1e-9 }
	var picked []int32
	for k := 0; k < len(can) && !inside(); k++ {
		o := can[k]
		node := m.profiles[m.of[o]].node
		if left[node] == 0 {
			continue
		}
		left[node]--
		e.sumNum += e.numThen[o] - e.num[o]
		e.sumDen += e.denThen[o] - e.den[o]
		out.After = ppm(ratio(e.sumNum, e.sumDen))
		out.Picks = append(out.Picks, Pick{ID: m.in.Open[o].ID, Node: m.in.Nodes[node].Code, Gain: gain(o), After: out.After})
		picked = append(picked, o)
	}
	out.Reached = inside()
	out.Played, out.Chance = f.played(q, picked)
	return out, true
}

func ratio(n, d float64) float64 {
	if d <= 0 {
		return 0
	}
	return n / d
}

// effects are what each order is expected to add to a rate, as things stand and if it is ready by a moment.
type effects struct {
	num, den, numThen, denThen []float64
	sumNum, sumDen             float64
}

func (m *model) effects(r *rateDay, until time.Time) effects {
	n := len(m.in.Open)
	e := effects{make([]float64, n), make([]float64, n), make([]float64, n), make([]float64, n), r.num, r.den}
	pl := newPlayer(m)
	done := max(m.hours(until), 0)
	pickup := make([]float64, len(m.profiles))
	for i := range m.profiles {
		p := &m.profiles[i]
		pickup[i] = done
		if l := m.lane(p); len(l.pickups) > 0 {
			pickup[i] = m.hours(l.van(until))
		}
	}
	for _, s := range shocks() {
		p := pl.play(s)
		type pair struct{ n, d float64 }
		now, then := make([]pair, len(p.groups)), make([]pair, len(m.profiles))
		for i := range p.groups {
			g := &p.groups[i]
			x, y, _ := g.add(m, r)
			now[i] = pair{x / scenarios, y / scenarios}
			e.sumNum += g.n * x / scenarios
			e.sumDen += g.n * y / scenarios
		}
		for i := range m.profiles {
			if prof := &m.profiles[i]; prof.stage == waiting && !prof.future {
				g := pl.group(prof, done, pickup[i], 1)
				x, y, _ := g.add(m, r)
				then[i] = pair{x / scenarios, y / scenarios}
			}
		}
		for o, g := range p.of {
			e.num[o] += now[g].n
			e.den[o] += now[g].d
			e.numThen[o] += then[m.of[o]].n
			e.denThen[o] += then[m.of[o]].d
		}
	}
	return e
}

// until is what each node can do until a moment, in whole orders.
func (m *model) until(q Question) []int {
	out := make([]int, len(m.nodes))
	for i := range m.nodes {
		if c, ok := q.Capacity[m.in.Nodes[i].Code]; ok {
			out[i] = max(c, 0)
			continue
		}
		out[i] = int(m.work(&m.nodes[i], m.hours(q.Until)) + 1e-9)
	}
	return out
}

// work is the mean capacity of a node from now to a moment.
func (m *model) work(n *nodeModel, until float64) (sum float64) {
	from := 0.0
	for k, end := range m.ends {
		if from >= until {
			break
		}
		sum += n.capacity[k] * (min(end, until) - from) / (end - from)
		from = end
	}
	return sum
}

// played is the rate if some orders are done first, and the chance that it is inside the limit. Where the question gives a node more than it
// usually does, that is worked on top.
func (f *Forecast) played(q Question, picked []int32) (policy.PPM, float64) {
	in := f.model.in
	in.Open, in.Nodes = slices.Clone(in.Open), slices.Clone(in.Nodes)
	for _, o := range picked {
		in.Open[o].First = true
	}
	span := q.Until.Sub(f.At).Hours()
	for i := range in.Nodes {
		more := float64(q.Capacity[in.Nodes[i].Code]) - f.model.work(&f.model.nodes[i], span)
		if span > 0 && more > 0 {
			hours := math.Ceil(q.Until.Sub(f.At.Truncate(time.Hour)).Hours())
			in.Nodes[i].Extra = append(slices.Clone(in.Nodes[i].Extra), Shift{From: f.At.Truncate(time.Hour), Until: q.Until, PerHour: more / hours})
		}
	}
	const asked policy.BandKind = "asked"
	in.Bands = append(slices.Clone(in.Bands), policy.Band{Metric: q.Metric, Kind: asked, Limit: q.Limit})
	mf := Make(in, f.At).Metric(q.Metric)
	for i := range mf.Days {
		if d := &mf.Days[i]; d.Day == q.Day {
			return d.Mean, 1 - d.Chance(asked)
		}
	}
	return 0, 0
}

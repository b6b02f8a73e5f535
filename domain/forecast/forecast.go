package forecast

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/spillway/spillway/domain/policy"
)

// Make forecasts. It never fails: an input without nodes, orders or rates gives a forecast that says so.
func Make(in Input, at time.Time) *Forecast {
	left := max(len(in.Open)-MaxOpen, 0)
	if left > 0 {
		in.Open = mostUrgent(in.Open)
	}
	m := newModel(in, at)
	f := &Forecast{At: at, LeftOut: left, Orders: make([]Risk, len(in.Open)), Grounds: m.grounds(), model: m}
	f.Assumed = assumed(f.Grounds)
	cells := make([][scenarios]cell, len(m.rates))
	pl := newPlayer(m)
	for s, shock := range shocks() {
		p := pl.play(shock)
		f.risks(m, p, s)
		for i := range p.groups {
			g := &p.groups[i]
			for k := range m.rates {
				n, d, counted := g.add(m, &m.rates[k])
				if n <= 0 && d <= 0 {
					continue
				}
				cells[k][s].put(term{count: g.n, p: n, q: d, counted: counted, future: g.prof.future})
			}
		}
	}
	f.finish(m)
	f.judge(m, cells)
	return f
}

// mostUrgent keeps what is due first.
func mostUrgent(open []Open) []Open {
	open = slices.Clone(open)
	slices.SortStableFunc(open, func(a, b Open) int {
		x, y := urgency(a.Deadlines), urgency(b.Deadlines)
		if x.IsZero() || y.IsZero() {
			x, y = y, x
		}
		return x.Compare(y)
	})
	return open[:MaxOpen]
}

// risks adds a scenario to what each order has to expect. Scenario 0 is the median of all shocks.
func (f *Forecast) risks(m *model, p *played, s int) {
	for i := range p.groups {
		g := &p.groups[i]
		prof := g.prof
		if prof.future {
			continue
		}
		switch {
		case prof.stage == road:
			g.miss = 0
		case !math.IsInf(prof.handBy, 1):
			g.miss = 1 - g.due
		case !math.IsInf(prof.shipBy, 1) && prof.stage == waiting && g.ready > prof.shipBy:
			g.miss = 1
		default:
			g.miss = 0
		}
		g.cancel = g.cancelled(math.Inf(1))
		if !math.IsInf(prof.deliverBy, 1) {
			g.late = 1 - g.delivered(prof.deliverBy)
		}
	}
	for i := range f.Orders {
		g, r := &p.groups[p.of[i]], &f.Orders[i]
		r.Miss += g.miss
		r.Cancel += g.cancel
		r.Late += g.late
		if s == 0 && g.prof.stage != road {
			r.Ready = m.moment(g.ready)
			r.Scan = m.moment(g.pickup + g.scale*g.lane.lag.quantile(g.since+0.5*(1-g.since)))
		}
	}
}

// moment is the time that many hours from now; zero if never.
func (m *model) moment(h float64) time.Time {
	if math.IsInf(h, 0) || math.IsNaN(h) {
		return time.Time{}
	}
	return m.at.Add(time.Duration(h * float64(time.Hour))).Round(time.Second)
}

func (f *Forecast) finish(m *model) {
	end := m.ends[len(m.ends)-1]
	for i := range f.Orders {
		r, o := &f.Orders[i], &m.in.Open[i]
		r.ID, r.Node, r.Due = o.ID, m.in.Nodes[m.profiles[m.of[i]].node].Code, o.Deadlines.HandOverBy
		if r.Due.IsZero() {
			r.Due = o.Deadlines.ShipBy
		}
		r.Miss, r.Cancel, r.Late = unit(r.Miss/scenarios), unit(r.Cancel/scenarios), unit(r.Late/scenarios)
		if !r.Due.IsZero() && m.hours(r.Due) > end {
			r.Beyond, r.Miss = true, 0
		}
	}
}

// judge makes the distributions and the chances.
func (f *Forecast) judge(m *model, cells [][scenarios]cell) {
	breach := make([][scenarios]float64, len(m.rates)) // of enforcement
	for i, metric := range m.metrics {
		mf := MetricForecast{Metric: metric}
		ever := map[policy.BandKind]*[scenarios]float64{}
		for k := range m.rates {
			if r := &m.rates[k]; r.metric == i {
				mf.Days = append(mf.Days, dayForecast(r, &cells[k], func(b policy.Band, chance *[scenarios]float64) {
					if b.Kind == policy.Enforcement {
						breach[k] = *chance
					}
					if ever[b.Kind] == nil {
						ever[b.Kind] = &[scenarios]float64{}
						mf.Ever = append(mf.Ever, BandChance{Kind: b.Kind, Limit: b.Limit, Paused: b.Paused})
					}
					for s, c := range chance {
						// Windows overlap, so in one scenario a later day's breach is mostly an earlier one's: the largest chance, which is a lower bound.
						ever[b.Kind][s] = max(ever[b.Kind][s], c)
					}
				}))
			}
		}
		for j := range mf.Ever {
			mf.Ever[j].Chance = mean(ever[mf.Ever[j].Kind])
		}
		f.Metrics = append(f.Metrics, mf)
	}
	f.together(m, breach)
}

func mean(x *[scenarios]float64) (sum float64) {
	for _, v := range x {
		sum += v
	}
	return unit(sum / scenarios)
}

// together is how many metrics pass at once: within a scenario they are taken as independent, and what they have in common is the scenario.
func (f *Forecast) together(m *model, breach [][scenarios]float64) {
	count := func(chance func(metric, s int) float64) []float64 {
		exact := make([]float64, len(m.metrics)+1)
		for s := range scenarios {
			one := make([]float64, len(exact))
			one[0] = 1
			for i := range m.metrics {
				c := chance(i, s)
				for k := len(one) - 1; k >= 0; k-- {
					one[k] *= 1 - c
					if k > 0 {
						one[k] += one[k-1] * c
					}
				}
			}
			for k, v := range one {
				exact[k] += v / scenarios
			}
		}
		return exact
	}
	today := policy.DayOf(m.at, m.zone)
	for d := range m.days {
		f.Days = append(f.Days, Together{Day: today + policy.Day(d), Exact: count(func(i, s int) float64 { return breach[i*m.days+d][s] })})
	}
	f.Within.Exact = count(func(i, s int) float64 {
		top := 0.0
		for d := range m.days {
			top = max(top, breach[i*m.days+d][s])
		}
		return top
	})
}

// dayForecast mixes the scenarios of one rate on one day; seen is given each limit's chance by scenario.
func dayForecast(r *rateDay, cells *[scenarios]cell, seen func(policy.Band, *[scenarios]float64)) DayForecast {
	out := DayForecast{Day: r.day, State: NoRule}
	if !r.ok {
		return out
	}
	out.RateID, out.State = r.rate.ID, Expected
	mix := newMixture(r, cells)
	out.Num, out.Den = mix.num, mix.den
	if mix.nothing() > 0.5 {
		out.State = Nothing
	} else {
		out.Mean = ppm(mix.num / max(mix.den, 1e-9))
		q := mix.quantiles(.05, .1, .5, .9, .95)
		out.P5, out.P10, out.Median, out.P90, out.P95 = q[0], q[1], q[2], q[3], q[4]
	}
	for _, b := range r.bands {
		chance := mix.chances(b.Limit)
		seen(b, chance)
		out.Bands = append(out.Bands, BandChance{Kind: b.Kind, Limit: b.Limit, Paused: b.Paused, Chance: mean(chance)})
	}
	return out
}

func ppm(x float64) policy.PPM { return policy.PPM(math.Round(unit(x) * 1e6)) }

// grounds are what each part of the forecast rests on, each once.
func (m *model) grounds() (out []Ground) {
	say := func(b Basis, text string) {
		if g := (Ground{text, b}); !slices.Contains(out, g) {
			out = append(out, g)
		}
	}
	for i := range m.in.Nodes {
		n := &m.in.Nodes[i]
		at := " of node " + n.Code
		if n.Code == "" {
			at = " of the node"
		}
		say(n.Throughput.Basis, "the throughput"+at)
		switch t := n.Throughput; {
		case t.Basis == Learned && t.Busy == 0:
			say(Assumed, "the limit of the throughput"+at+", which never had a queue")
		case t.Basis == Stated && t.Busy == 0:
			say(Assumed, "the stated pace"+at+", which never had a queue")
		case t.Basis == Stated && math.Abs(t.Factor-1) >= 0.005:
			say(Learned, fmt.Sprintf("%.0f %% of the stated pace%s, as %d hours with a queue show", 100*t.Factor, at, t.Busy))
		}
		if len(n.Closed) > 0 || len(n.Extra) > 0 {
			say(Stated, "closures and overtime"+at)
		}
		say(n.Arrivals.Basis, "the orders to come"+at)
		if len(n.Lanes) == 0 {
			say(Assumed, "the carriers"+at)
		}
		for _, l := range n.Lanes {
			if len(l.Pickups) > 0 {
				say(Stated, "the pick-ups of carrier "+l.Carrier+at)
			}
			say(l.Lag.Basis, "the time from pick-up to first scan of carrier "+l.Carrier+at)
			say(l.Transit.Basis, "the days on the road of carrier "+l.Carrier+at)
		}
	}
	if m.in.Due == nil {
		say(Assumed, "the deadlines of orders to come")
	}
	return out
}

// assumed names what neither history of this shop nor a statement stands behind.
func assumed(grounds []Ground) (out []string) {
	for _, g := range grounds {
		if g.Basis == Assumed {
			out = append(out, g.Text)
		}
	}
	return out
}

package forecast

import (
	"github.com/spillway/spillway/domain/policy"
)

// mixture is a rate over all scenarios: exact where orders are few in each, else by moments.
type mixture struct {
	r        *rateDay
	cells    *[scenarios]cell
	exact    *[scenarios]*grid // nil: by moments
	all      grid              // mean of exact
	num, den float64           // expected
}

func newMixture(r *rateDay, cells *[scenarios]cell) *mixture {
	m := &mixture{r: r, cells: cells, num: r.num, den: r.den}
	many := false
	for s := range cells {
		m.num += cells[s].n / scenarios
		m.den += cells[s].d / scenarios
		many = many || cells[s].many
	}
	if many {
		return m
	}
	m.exact = &[scenarios]*grid{}
	for s := range cells {
		g := cells[s].exact()
		m.exact[s] = g
		for n := range g {
			for d, x := range g[n] {
				m.all[n][d] += x / scenarios
			}
		}
	}
	return m
}

// nothing is the chance that no order is counted.
func (m *mixture) nothing() float64 {
	if m.exact != nil {
		return 1 - m.all.sum(m.r.num, m.r.den, func(_, _ float64) bool { return true })
	}
	if m.den < 0.5 {
		return 1
	}
	return 0
}

// chances is the chance of being on the wrong side of a limit, by scenario.
func (m *mixture) chances(limit policy.PPM) *[scenarios]float64 {
	out, bad := &[scenarios]float64{}, m.r.rate.Test.Bad()
	for s := range out {
		switch {
		case m.exact != nil:
			out[s] = m.exact[s].sum(m.r.num, m.r.den, func(n, d float64) bool { return worse(n, d, limit, bad) })
		case bad:
			out[s] = m.cells[s].above(m.r.num, m.r.den, float64(limit)/1e6)
		default:
			out[s] = m.cells[s].below(m.r.num, m.r.den, float64(limit)/1e6)
		}
		out[s] = unit(out[s])
	}
	return out
}

// upTo is the chance that the rate is at most x. Where orders are many, half an order more or less is not seen in a rate.
func (m *mixture) upTo(x float64) float64 {
	if m.exact != nil {
		some := 1 - m.nothing()
		if some <= 0 {
			return 1
		}
		return m.all.sum(m.r.num, m.r.den, func(n, d float64) bool { return n <= x*d+1e-9 }) / some
	}
	var sum float64
	for s := range m.cells {
		c := &m.cells[s]
		sum += 1 - c.smooth(c.n+m.r.num, c.d+m.r.den, x, false)
	}
	return sum / scenarios
}

// quantiles are the smallest rates that are not exceeded with some chances, which rise, to a hundred-thousandth.
func (m *mixture) quantiles(chances ...float64) []policy.PPM {
	const step = 10
	out := make([]policy.PPM, 0, len(chances))
	lo := policy.PPM(-step)
	for _, chance := range chances {
		hi := policy.PPM(1_000_000)
		for hi-lo > step {
			if mid := (lo + hi) / 2 / step * step; m.upTo(float64(mid)/1e6) >= chance-1e-9 {
				hi = mid
			} else {
				lo = mid
			}
		}
		out = append(out, hi)
		lo = hi - step
	}
	return out
}

package forecast

import (
	"math"

	"github.com/spillway/spillway/domain/policy"
)

// cell is the number above the line N and below it D of one rate in one scenario, of all that is not counted yet: the joint cumulants up to the
// third, which add up over independent orders, and the orders themselves while they are few.
type cell struct {
	n, d, nn, nd, dd, nnn, nnd, ndd, ddd float64
	terms                                []term
	mass, open                           float64 // orders that may still come into it; mean of the expected ones
	many                                 bool
}

// term is some orders alike: in the window and above the line with chance p, in the window with chance q. Of counted ones only N is open.
// Expected orders are a Poisson number with mean count.
type term struct {
	count, p, q     float64
	counted, future bool
}

// few is up to how many orders the distribution is computed exactly.
const few = 24

// put adds orders. Of a trial with N ≤ D in {0, 1}: E[NᵃDᵇ] = p for a ≥ 1, else q; the cumulants follow. Of a Poisson number of trials every
// joint cumulant is the mean times the joint moment.
func (c *cell) put(t term) {
	k, p, q := t.count, t.p, t.q
	c.n += k * p
	if t.counted {
		c.nn += k * p * (1 - p)
		c.nnn += k * p * (1 - p) * (1 - 2*p)
	} else if t.future {
		c.d += k * q
		c.nn, c.nd, c.dd = c.nn+k*p, c.nd+k*p, c.dd+k*q
		c.nnn, c.nnd, c.ndd, c.ddd = c.nnn+k*p, c.nnd+k*p, c.ndd+k*p, c.ddd+k*q
	} else {
		c.d += k * q
		c.nn, c.nd, c.dd = c.nn+k*p*(1-p), c.nd+k*p*(1-q), c.dd+k*q*(1-q)
		c.nnn, c.nnd = c.nnn+k*p*(1-p)*(1-2*p), c.nnd+k*p*(1-q)*(1-2*p)
		c.ndd, c.ddd = c.ndd+k*p*(1-q)*(1-2*q), c.ddd+k*q*(1-q)*(1-2*q)
	}
	if t.future {
		c.open += k * q
	} else {
		c.mass += k
	}
	if c.many = c.many || c.mass+c.open+4*math.Sqrt(c.open) > few; c.many {
		c.terms = nil
	} else {
		c.terms = append(c.terms, t)
	}
}

// above is the chance that N + num > r·(D + den). Given D, N is taken as normal with the first Edgeworth correction (mean, variance, skewness)
// and a threshold half a step beyond the last whole number that is not above, since N jumps by one. How far D varies decides the rest: if the
// line r·D hardly moves, D is its mean; if it moves over many whole numbers, the jumps blur and N − r·D is taken as one normal; in between the
// normal D is cut where the line crosses a whole number, and each slice has the mean that N has there.
func (c *cell) above(num, den, r float64) float64 { return c.beyond(num, den, r, false) }

// below is the chance that N + num < r·(D + den).
func (c *cell) below(num, den, r float64) float64 { return c.beyond(num, den, r, true) }

func (c *cell) beyond(num, den, r float64, under bool) float64 {
	n, d := c.n+num, c.d+den
	if d < 0.5 && c.dd < 0.25 {
		return 0 // nothing is counted
	}
	moves := r * math.Sqrt(c.dd)
	if moves > blurred {
		return c.smooth(n, d, r, under)
	}
	if moves < certain {
		return tail(n, c.nn, c.nnn, jump(r*math.Round(d), under), under)
	}
	slope, variance := c.nd/c.dd, c.nn-c.nd*c.nd/c.dd
	third := 0.0
	if c.nn > 0 {
		third = c.nnn * variance / c.nn
	}
	sd, out := math.Sqrt(c.dd), 0.0
	lo := math.Floor(r * max(d-3.5*sd, 0))
	below, density := 0.0, 0.0 // of D up to the slice before, in standard deviations
	for j := lo; below < 1-1e-4; j++ {
		edge := math.Ceil((j+1)/r-1e-9) - 0.5 // D below it: the line is below j + 1
		if under {
			edge = math.Floor((j+1)/r+1e-9) + 0.5
		}
		z := (edge - d) / sd
		upTo, at := 0.5*math.Erfc(-z/math.Sqrt2), math.Exp(-z*z/2)/math.Sqrt(2*math.Pi)
		if w := upTo - below; w > 1e-6 {
			out += w * tail(n+slope*sd*(density-at)/w, variance, third, j+0.5, under)
		}
		below, density = upTo, at
	}
	return unit(out)
}

// smooth is the chance that N − r·D is on one side of 0, as one normal with skewness.
func (c *cell) smooth(n, d, r float64, under bool) float64 {
	variance := c.nn - 2*r*c.nd + r*r*c.dd
	third := c.nnn - 3*r*c.nnd + 3*r*r*c.ndd - r*r*r*c.ddd
	return tail(n-r*d, variance, third, 0, under)
}

// By how many whole numbers the line must move to be taken as moving, and to be taken as blurred.
const (
	certain = 0.05
	blurred = 1
)

// jump is the threshold for a whole number N against a line.
func jump(line float64, under bool) float64 {
	if under {
		return math.Ceil(line-1e-9) - 0.5
	}
	return math.Floor(line+1e-9) + 0.5
}

// tail is the chance of being above (or under) x.
func tail(mean, variance, third, x float64, under bool) float64 {
	if variance < 1e-12 {
		if mean != x && under == (mean < x) {
			return 1
		}
		return 0
	}
	sd := math.Sqrt(variance)
	z := (x - mean) / sd
	lower := 0.5*math.Erfc(-z/math.Sqrt2) - third/(6*variance*sd)*(z*z-1)*math.Exp(-z*z/2)/math.Sqrt(2*math.Pi)
	if under {
		return unit(lower)
	}
	return unit(1 - lower)
}

// grid is the exact joint distribution of N and D of few orders: grid[n][d]. Numbers beyond its edge are put on it: the mass there is below
// one in ten thousand by the choice of few.
type grid [few + 1][few + 1]float64

// exact folds the terms into each other, one order at a time; expected ones by their Poisson distribution, those above the line and the others
// apart, which are independent.
func (c *cell) exact() *grid {
	g := &grid{}
	g[0][0] = 1
	for _, t := range c.terms {
		if t.future {
			g.poisson(t.count*t.p, 1)
			g.poisson(t.count*(t.q-t.p), 0)
			continue
		}
		for k := t.count; k > 0.5; k-- {
			if t.counted {
				g.trial(t.p, 1, 0, 0)
			} else {
				g.trial(t.p, 1, 1, t.q-t.p)
			}
		}
	}
	return g
}

// trial adds one order: with chance p it moves N by dn and D by dd, with chance plain only D by one.
func (g *grid) trial(p float64, dn, dd int, plain float64) {
	for n := few; n >= 0; n-- {
		for d := few; d >= 0; d-- {
			x := g[n][d]
			if x == 0 {
				continue
			}
			g[n][d] = x * (1 - p - plain)
			g[min(n+dn, few)][min(d+dd, few)] += x * p
			g[n][min(d+1, few)] += x * plain
		}
	}
}

// poisson adds a Poisson number of orders that move N by dn and D by one.
func (g *grid) poisson(mean float64, dn int) {
	if mean < 1e-9 {
		return
	}
	old := *g
	*g = grid{}
	chance := math.Exp(-mean)
	left := 1.0
	for k := 0; k <= few && left > 1e-9; k++ {
		if k == few {
			chance = left
		}
		for n := range old {
			for d, x := range old[n] {
				if x > 0 {
					g[min(n+k*dn, few)][min(d+k, few)] += x * chance
				}
			}
		}
		left -= chance
		chance *= mean / float64(k+1)
	}
}

// sum is the chance of all numbers that a condition holds for.
func (g *grid) sum(num, den float64, holds func(n, d float64) bool) (out float64) {
	for n := range g {
		for d, x := range g[n] {
			if x > 0 && den+float64(d) > 0 && holds(num+float64(n), den+float64(d)) {
				out += x
			}
		}
	}
	return out
}

// worse reports whether n of d is on the wrong side of a limit.
func worse(n, d float64, limit policy.PPM, bad bool) bool {
	if bad {
		return n*1e6 > float64(limit)*d+1e-6
	}
	return n*1e6 < float64(limit)*d-1e-6
}

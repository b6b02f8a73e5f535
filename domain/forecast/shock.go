package forecast

import "math"

// What all orders share (a slow team, a demand that stays, a carrier in trouble) is integrated over fixed points; given such a scenario the
// orders are independent of each other.
//
// The points are a rank-1 lattice (Korobov): scenario i has the coordinates ½ + i·aʲ/n modulo 1, mapped to a normal by its quantile function.
// Each coordinate alone takes n equally likely quantiles, the middles of n slices; symmetric around i = 0, where all three are at their
// median. n is prime, so no coordinate repeats. The generator was chosen for small correlations of the three and of their squares, which
// shock_test.go checks.
const (
	scenarios = 31
	generator = 12
)

// shock is a scenario: standard normal deviations of throughput, demand and carriers.
type shock struct{ work, demand, carrier float64 }

// shocks are the scenarios, all equally likely. The middle one is scenario 0.
func shocks() (out [scenarios]shock) {
	z := func(k int) float64 {
		k = ((k % scenarios) + scenarios) % scenarios
		u := 0.5 + float64(k)/scenarios
		if u >= 1 {
			u--
		}
		return math.Sqrt2 * math.Erfinv(2*u-1)
	}
	var squares float64
	for k := range scenarios {
		squares += z(k) * z(k)
	}
	norm := math.Sqrt(scenarios / squares) // the middles of slices have a variance a little below 1
	for i := range out {
		out[i] = shock{work: norm * z(i), demand: norm * z(i*generator), carrier: norm * z(i*generator*generator)}
	}
	return out
}

// carrierSpread is the standard deviation of the logarithm of a carrier's scan lag over the days to come: our assumption.
const carrierSpread = 0.15

// path is what a deviation z makes of each of the next days' work, as a factor. After d days the mean factor is lognormal with mean 1 and the
// deviation of a mean of d correlated days: σ/d · √(d + 2 Σ (d−j) carryʲ). So each scenario is at the same quantile of the cumulative
// work at every day's end: right at each, and stricter than days that could make up for each other.
func path(z, spread, carry float64, days int) []float64 {
	out := make([]float64, days)
	before := 0.0
	for d := 1; d <= days; d++ {
		sum, power := float64(d), 1.0
		for j := 1; j < d; j++ {
			power *= carry
			sum += 2 * float64(d-j) * power
		}
		s := spread * math.Sqrt(sum) / float64(d)
		total := float64(d) * math.Exp(s*z-s*s/2)
		out[d-1] = max(total-before, leastFactor)
		before = max(total, before+leastFactor)
	}
	return out
}

// leastFactor keeps every day's work above nothing in the worst scenario.
const leastFactor = 0.05

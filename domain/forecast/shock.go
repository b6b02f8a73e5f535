package forecast

import "math"

// What all orders share (a slow team, a demand that stays, a carrier in trouble) is integrated over fixed points; given such a scenario the
// orders are independent of each other.
//
// The points are a rank-1 lattice (Korobov): scenario i has the coordinates ½ + i·aʲ/n modulo 1, mapped to a normal by its quantile function.
// Each coordinate alone takes n equally likely quantiles, the middles of n slices; symmetric around i = 0, where all three are at their
// median. n is prime, so no coordinate repeats. Of all generators this one has the smallest correlations of the three (0.13) and of their squares;
// shock_test.go checks it.
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

// path is what a deviation z makes of the next days' work, as a factor for each; loads is what each day has on average. After d days the sum is
// lognormal around its mean, with the deviation of a sum of correlated days: σ · √(ΣΣ loadᵢ loadⱼ carry^|i−j|) / Σ load. What is not known of the
// mean itself, doubt, does not average out. So each scenario is at the same quantile of the sum at every day's end: right at each, and
// stricter than days that could make up for each other. Days off do not count.
func path(z, spread, carry, doubt float64, loads []float64) []float64 {
	out := make([]float64, len(loads))
	sum, before := 0.0, 0.0
	squares, kept := 0.0, 0.0 // of the sum's variance; of the newest day's products with all before, decayed
	for d, load := range loads {
		out[d] = 1
		if load <= 0 {
			continue
		}
		sum += load
		squares += load*load + 2*load*kept
		kept = carry * (kept + load)
		s := math.Sqrt(spread*spread*squares/(sum*sum) + doubt*doubt)
		total := sum * math.Exp(s*z-s*s/2)
		out[d] = max((total-before)/load, leastFactor)
		before += out[d] * load
	}
	return out
}

// leastFactor keeps every day's work above nothing in the worst scenario.
const leastFactor = 0.05

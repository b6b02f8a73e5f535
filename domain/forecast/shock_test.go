package forecast

import (
	"math"
	"testing"
)

func TestShocksAreStandardAndUncorrelated(t *testing.T) {
	all := shocks()
	if all[0] != (shock{}) {
		t.Errorf("scenario 0 is %v, not the median", all[0])
	}
	var sum, squares [3]float64
	var cross [3]float64
	for _, s := range all {
		v := [3]float64{s.work, s.demand, s.carrier}
		for i := range v {
			sum[i] += v[i]
			squares[i] += v[i] * v[i]
			cross[i] += v[i] * v[(i+1)%3] / scenarios
		}
	}
	for i := range sum {
		if math.Abs(sum[i]) > 1e-9 || math.Abs(squares[i]/scenarios-1) > 1e-9 || math.Abs(cross[i]) > 0.13 {
			t.Errorf("coordinate %d: mean %v, variance %v, correlation %v", i, sum[i]/scenarios, squares[i]/scenarios, cross[i])
		}
	}
}

func TestPathHasTheRightSums(t *testing.T) {
	loads := []float64{3, 0, 10, 10, 5}
	const spread, carry = .2, .4
	for _, z := range []float64{-1.5, 0, 1.5} {
		f := path(z, spread, carry, 0, loads)
		var sum, did float64
		var before []int
		for d, load := range loads {
			if load == 0 {
				continue
			}
			before = append(before, d)
			sum += load
			did += load * f[d]
			variance := 0.0
			for i := range before { // only days with work follow on each other
				for j := range before {
					variance += loads[before[i]] * loads[before[j]] * math.Pow(carry, math.Abs(float64(i-j)))
				}
			}
			s := spread * math.Sqrt(variance) / sum
			if want := sum * math.Exp(s*z-s*s/2); math.Abs(did-want) > 1e-9 {
				t.Errorf("z %v, day %d: %v done, want %v", z, d, did, want)
			}
		}
	}
	for _, x := range path(-8, 1, .5, 1, loads) {
		if x < leastFactor {
			t.Errorf("factor %v", x)
		}
	}
}

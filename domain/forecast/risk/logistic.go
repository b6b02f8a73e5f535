package risk

import "math"

// Bounds of the logistic regression.
const (
	newtonSteps = 30   // it settles in 5 to 8
	newtonDone  = 1e-9 // largest change of a weight
	clipAt      = 5    // standard deviations: a figure further out counts as this, so that one odd order cannot swing a chance
)

// Linear is a logistic regression on standardised figures.
type Linear struct {
	Mean   []float64 `json:"mean"`
	Scale  []float64 `json:"scale"` // standard deviation; 0: the figure never varied and is not used
	Weight []float64 `json:"weight"`
	Base   float64   `json:"base"` // log-odds of an average order
}

// standard is a figure in standard deviations from the mean.
func (m *Linear) standard(k int, v float32) float64 {
	if m.Scale[k] == 0 {
		return 0
	}
	return min(clipAt, max(-clipAt, (float64(v)-m.Mean[k])/m.Scale[k]))
}

func (m *Linear) odds(f *Features) float64 {
	sum := m.Base
	for k, w := range m.Weight {
		if w != 0 {
			sum += w * m.standard(k, f[k])
		}
	}
	return sum
}

// learnLinear finds the weights of greatest likelihood less penalty/2 × their squares, by Newton's method. The base is not held back.
func learnLinear(samples []Sample, penalty float64) *Linear {
	m := &Linear{Mean: make([]float64, featureCount), Scale: make([]float64, featureCount), Weight: make([]float64, featureCount)}
	m.measure(samples)
	const n = int(featureCount) + 1 // the last is the base
	rows := make([][n]float64, len(samples))
	for i := range samples {
		for k := range featureCount {
			rows[i][k] = m.standard(int(k), samples[i].Features[k])
		}
		rows[i][n-1] = 1
	}
	w := make([]float64, n)
	w[n-1] = logit(smoothed(lates(samples), float64(len(samples)), 0.5, 1))
	hessian := make([][]float64, n)
	for step := range newtonSteps {
		gradient := make([]float64, n)
		for a := range hessian {
			hessian[a] = make([]float64, n)
		}
		for i := range rows {
			accumulate(gradient, hessian, rows[i][:], w, samples[i].Late)
		}
		for k := range n - 1 {
			gradient[k] -= penalty * w[k]
			hessian[k][k] += penalty
		}
		hessian[n-1][n-1] += 1e-9
		delta := solve(hessian, gradient)
		worst := 0.0
		for k := range w {
			d := min(2, max(-2, delta[k])) // a first step far out would overshoot
			w[k] += d
			worst = max(worst, math.Abs(d))
		}
		if worst < newtonDone && step > 0 {
			break
		}
	}
	copy(m.Weight, w[:n-1])
	m.Base = w[n-1]
	return m
}

func (m *Linear) measure(samples []Sample) {
	n := float64(len(samples))
	for k := range featureCount {
		var sum, square float64
		for i := range samples {
			sum += float64(samples[i].Features[k])
		}
		mean := sum / n
		for i := range samples {
			d := float64(samples[i].Features[k]) - mean
			square += d * d
		}
		m.Mean[k] = mean
		if sd := math.Sqrt(square / n); sd > 1e-6 {
			m.Scale[k] = sd
		}
	}
}

// accumulate adds one order to the gradient and to the lower half of the Hessian.
func accumulate(gradient []float64, hessian [][]float64, row, w []float64, late bool) {
	z := 0.0
	for k, x := range row {
		z += w[k] * x
	}
	p := logistic(z)
	y := indicator(late)
	v := max(p*(1-p), 1e-9)
	for a, x := range row {
		if x == 0 {
			continue
		}
		gradient[a] += (y - p) * x
		line := hessian[a]
		for b := range a + 1 {
			line[b] += v * x * row[b]
		}
	}
}

// solve is x of a·x = b for a symmetric positive definite a, of which the lower half is read and overwritten (Cholesky).
func solve(a [][]float64, b []float64) []float64 {
	n := len(b)
	for i := range n {
		for j := range i + 1 {
			sum := a[i][j]
			for k := range j {
				sum -= a[i][k] * a[j][k]
			}
			if i == j {
				a[i][i] = math.Sqrt(max(sum, 1e-12))
			} else {
				a[i][j] = sum / a[j][j]
			}
		}
	}
	x := make([]float64, n)
	for i := range n {
		sum := b[i]
		for k := range i {
			sum -= a[i][k] * x[k]
		}
		x[i] = sum / a[i][i]
	}
	for i := n - 1; i >= 0; i-- {
		sum := x[i]
		for k := i + 1; k < n; k++ {
			sum -= a[k][i] * x[k]
		}
		x[i] = sum / a[i][i]
	}
	return x
}

func lates(samples []Sample) float64 {
	n := 0.0
	for i := range samples {
		n += indicator(samples[i].Late)
	}
	return n
}

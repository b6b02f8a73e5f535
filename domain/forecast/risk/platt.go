package risk

// Platt is a calibration: log-odds become Slope × odds + Shift.
type Platt struct {
	Slope float64 `json:"slope"`
	Shift float64 `json:"shift"`
}

const (
	// plattHold holds the calibration near "as it is": the last fifth of a period may just have been a bad month.
	plattHold  = 30
	plattSteps = 50
)

func (p Platt) of(odds float64) float64 { return p.Slope*odds + p.Shift }

// learnPlatt finds the calibration of greatest likelihood less plattHold/2 × the square of its distance from none, by Newton's method.
func learnPlatt(odds []float64, held []Sample) Platt {
	p := Platt{Slope: 1}
	for range plattSteps {
		g0, g1 := plattHold*(1-p.Slope), -plattHold*p.Shift
		h00, h01, h11 := float64(plattHold), 0.0, float64(plattHold)
		for i, z := range odds {
			q := logistic(p.of(z))
			r, v := flag(held[i].Late)-q, q*(1-q)
			g0, g1 = g0+r*z, g1+r
			h00, h01, h11 = h00+v*z*z, h01+v*z, h11+v
		}
		d := h00*h11 - h01*h01 // at least plattHold²
		p.Slope += (g0*h11 - g1*h01) / d
		p.Shift += (g1*h00 - g0*h01) / d
	}
	p.Slope = max(0, p.Slope) // an order thought riskier is never given a smaller chance
	return p
}

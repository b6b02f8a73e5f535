package risk

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"time"
)

// State says what a model's chances rest on.
type State string

const (
	Nothing  State = "nothing"   // no order's fate is known: an assumed rate, the same for all
	BaseRate State = "base rate" // too little to learn from, or nothing found: the shop's own late rate, the same for all
	Learned  State = "learned"   // each order its own chance
)

const (
	// MinOrders and MinEach are what it takes to learn: so many orders with a known fate, and so many each of late and of in time. With
	// fewer than about ten late ones for each figure that matters, weights are mostly noise.
	MinOrders = 300
	MinEach   = 30
	// penalty holds the weights back as if each were known beforehand to be zero with a standard deviation of a tenth. On the real orders
	// anything from 50 to 300 scores about the same.
	penalty = 100
	// holdOut is the last share of the orders, by time, on which a trial model is scored: one part of so many.
	holdOut = 5
	// leastAUC is what the trial must reach for the model to be used. The Brier score is no such test: where the late rate of the last weeks
	// differs from that before, good and blind chances are both off by it.
	leastAUC = 0.55
	// surest keeps a chance off 0 and 1: nobody can know better than one in a thousand.
	surest = 0.001
	// modelVersion changes when a figure of the same name changes its meaning.
	modelVersion = 1
)

// Model gives chances of late dispatch. It does not change once learned and is safe for concurrent use.
type Model struct {
	Version  int       `json:"version"`
	State    State     `json:"state"`
	Why      string    `json:"why"`  // a sentence for people
	From     time.Time `json:"from"` // the first order learned from was placed
	Until    time.Time `json:"until"`
	Orders   int       `json:"orders"`
	Late     int       `json:"late"`
	Base     float64   `json:"base"` // late rate of these orders, smoothed
	Features []string  `json:"features,omitempty"`
	Linear   *Linear   `json:"linear,omitempty"`
	// HeldOut is the score on the last orders of the period of a trial model learned from those before; BaseHeldOut that of their late rate.
	HeldOut     Score `json:"heldOut"`
	BaseHeldOut Score `json:"baseHeldOut"`
}

// Learn makes a model of the samples whose fate was known by then.
func Learn(samples []Sample, at time.Time) *Model {
	var known []Sample
	for i := range samples {
		if !samples[i].Known.After(at) {
			known = append(known, samples[i])
		}
	}
	slices.SortStableFunc(known, func(a, b Sample) int { return a.At.Compare(b.At) })
	late := lates(known)
	m := &Model{Version: modelVersion, State: Nothing, Until: at.UTC(), Orders: len(known), Late: int(late),
		Base: smoothed(late, float64(len(known)), assumedLate, marketWeight)}
	if len(known) == 0 {
		m.Why = fmt.Sprintf("No order's fate is known yet: every order is given an assumed %.0f %%.", 100*m.Base)
		return m
	}
	m.State, m.From = BaseRate, known[0].At.UTC()
	if inTime := len(known) - m.Late; len(known) < MinOrders || m.Late < MinEach || inTime < MinEach {
		m.Why = fmt.Sprintf("%d orders, %d of them late, are too few to tell orders apart (%d and %d are needed): every order is given the late rate, %.1f %%.",
			len(known), m.Late, MinOrders, MinEach, 100*m.Base)
		return m
	}
	m.learn(known)
	return m
}

func (m *Model) learn(known []Sample) {
	cut := len(known) - len(known)/holdOut
	before, held := known[:cut], known[cut:]
	trial := learnLinear(before, penalty)
	base := smoothed(lates(before), float64(len(before)), assumedLate, marketWeight)
	given, same := make([]Outcome, len(held)), make([]Outcome, len(held))
	for i := range held {
		given[i] = Outcome{Chance: logistic(trial.odds(&held[i].Features)), Late: held[i].Late}
		same[i] = Outcome{Chance: base, Late: held[i].Late}
	}
	m.HeldOut, m.BaseHeldOut = ScoreOf(given), ScoreOf(same)
	if m.HeldOut.AUC < leastAUC {
		m.Why = fmt.Sprintf("What was learned could not tell the last %d orders apart: every order is given the late rate, %.1f %%.", len(held), 100*m.Base)
		return
	}
	m.State, m.Linear, m.Features = Learned, learnLinear(known, penalty), featureNames[:]
	m.Why = fmt.Sprintf("Learned from %d orders, %d of them late.", m.Orders, m.Late)
}

// Chance is the chance that an order with these features is dispatched late.
func (m *Model) Chance(f *Features) float64 {
	p := m.Base
	if m.State == Learned {
		p = logistic(m.Linear.odds(f))
	}
	return min(1-surest, max(surest, p))
}

// Decode reads a model that was written as JSON. One that this program cannot use (other figures, another version, broken) is an error; the
// remedy is to learn again.
func Decode(b []byte) (*Model, error) {
	m := &Model{}
	if err := json.Unmarshal(b, m); err != nil {
		return nil, fmt.Errorf("late risk model: %w", err)
	}
	switch {
	case m.Version != modelVersion:
		return nil, fmt.Errorf("late risk model: version %d, this program has %d", m.Version, modelVersion)
	case m.State != Nothing && m.State != BaseRate && m.State != Learned:
		return nil, fmt.Errorf("late risk model: unknown state %q", m.State)
	case !(m.Base > 0 && m.Base < 1):
		return nil, fmt.Errorf("late risk model: base rate %v", m.Base)
	case m.State != Learned:
		return m, nil
	case !slices.Equal(m.Features, featureNames[:]):
		return nil, fmt.Errorf("late risk model: made of other figures than this program's")
	case m.Linear == nil || !m.Linear.usable():
		return nil, fmt.Errorf("late risk model: weights are missing or out of range")
	}
	return m, nil
}

func (m *Linear) usable() bool {
	n := int(featureCount)
	if len(m.Mean) != n || len(m.Scale) != n || len(m.Weight) != n {
		return false
	}
	return usable(m.Mean...) && usable(m.Scale...) && usable(m.Weight...) && usable(m.Base)
}

// usable: far beyond what learning gives, far below where sums overflow.
func usable(values ...float64) bool {
	for _, v := range values {
		if math.IsNaN(v) || math.Abs(v) > 1e9 {
			return false
		}
	}
	return true
}

package risk

import (
	"math"
	"sort"
)

// Outcome is a chance that was given and what came of it.
type Outcome struct {
	Chance float64
	Late   bool
}

// Score is how good given chances were.
type Score struct {
	Orders int     `json:"orders"`
	Late   int     `json:"late"`
	AUC    float64 `json:"auc"`   // chance that a late order was given more than one in time; 0.5 is blind, and the value where all went one way
	Brier  float64 `json:"brier"` // mean square of chance less fate (0 or 1)
}

// ScoreOf scores outcomes. Equal chances count half in the AUC.
func ScoreOf(outcomes []Outcome) Score {
	s := Score{Orders: len(outcomes), AUC: 0.5}
	if len(outcomes) == 0 {
		return s
	}
	sorted := append([]Outcome(nil), outcomes...)
	sort.SliceStable(sorted, func(i, j int) bool { return sorted[i].Chance < sorted[j].Chance })
	var ranks float64
	for i := 0; i < len(sorted); {
		j := i
		for j < len(sorted) && sorted[j].Chance == sorted[i].Chance {
			j++
		}
		for _, o := range sorted[i:j] {
			d := o.Chance - indicator(o.Late)
			s.Brier += d * d
			if o.Late {
				s.Late++
				ranks += float64(i+j+1) / 2
			}
		}
		i = j
	}
	s.Brier /= float64(len(sorted))
	late, inTime := float64(s.Late), float64(len(sorted)-s.Late)
	if late > 0 && inTime > 0 {
		s.AUC = (ranks - late*(late+1)/2) / (late * inTime)
	}
	return s
}

// Bin is a group of orders with chances close to each other: if chances are right, Rate is about Chance.
type Bin struct {
	Orders int     `json:"orders"`
	Chance float64 `json:"chance"` // mean of the chances given
	Rate   float64 `json:"rate"`   // share that was late
	Error  float64 `json:"error"`  // standard error of Rate
}

// Reliability sorts the outcomes by chance into so many bins of equal size (the first ones larger by one where it does not divide).
func Reliability(outcomes []Outcome, count int) []Bin {
	sorted := append([]Outcome(nil), outcomes...)
	sort.SliceStable(sorted, func(i, j int) bool { return sorted[i].Chance < sorted[j].Chance })
	count = min(count, len(sorted))
	var out []Bin
	for i, from := 0, 0; i < count; i++ {
		n := len(sorted) / count
		if i < len(sorted)%count {
			n++
		}
		b := Bin{Orders: n}
		for _, o := range sorted[from : from+n] {
			b.Chance += o.Chance / float64(n)
			b.Rate += indicator(o.Late) / float64(n)
		}
		b.Error = math.Sqrt(b.Rate * (1 - b.Rate) / float64(n))
		out = append(out, b)
		from += n
	}
	return out
}

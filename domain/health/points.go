package health

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/spillway/spillway/domain/policy"
)

// ViolationPoints is the other way of keeping account: points for breaches, which lapse. All of it is modelled.
type ViolationPoints struct {
	Rule      policy.Points
	Low, High int
	Unknown   int // breaches no cost is known of: they may cost more
	Passed    []policy.PointStep
	MayPass   []policy.PointStep // passed by High, not by Low
	Next      *policy.PointStep  // the first High has not reached; nil: none
	Clear     policy.Day         // when the last point known has lapsed; none: there are none
}

const week = 7 // days: channels that keep points judge weekly

// PointsOn models the points on a day from the breaches of all metrics. A breach costs its points at least once, and at most once for each week
// it went on, for the sources do not say which. false: the market's rules keep no such points.
func PointsOn(rs *policy.RuleSet, day policy.Day, breaches []BreachSpan) (ViolationPoints, bool) {
	rules := policy.On(rs.Points, day)
	if len(rules) == 0 {
		return ViolationPoints{}, false
	}
	v := ViolationPoints{Rule: rules[0]}
	life := policy.Day(v.Rule.Life)
	for _, b := range breaches {
		b.Last = min(b.Last, day)
		if b.First > day || b.Last+life <= day {
			continue
		}
		low, high, ok := cost(rs, b)
		if !ok {
			v.Unknown++
			continue
		}
		if b.First+life > day {
			v.Low += low
		}
		for d := b.First; d <= b.Last; d += week {
			if d+life > day {
				v.High += high
			}
		}
		v.Clear = max(v.Clear, b.Last+life)
	}
	v.steps(policy.On(rs.PointSteps, day))
	return v, true
}

// cost is what a breach costs by the rules of its first day: the dearest of the costs that fit it.
func cost(rs *policy.RuleSet, b BreachSpan) (low, high int, ok bool) {
	for _, c := range policy.On(rs.PointCosts, b.First) {
		if c.Metric == b.Metric && int64(c.Orders) <= b.Num && b.Num*whole >= int64(c.From)*b.Den {
			low, high, ok = max(low, c.Points), max(high, c.Points, c.To), true
		}
	}
	return low, high, ok
}

func (v *ViolationPoints) steps(steps []policy.PointStep) {
	slices.SortStableFunc(steps, func(a, b policy.PointStep) int { return cmp.Compare(a.Points, b.Points) })
	for _, s := range steps {
		switch {
		case s.Points <= v.Low:
			v.Passed = append(v.Passed, s)
		case s.Points <= v.High:
			v.MayPass = append(v.MayPass, s)
		case v.Next == nil:
			v.Next = &s
		}
	}
}

// Sentence says where the points stand and what comes next.
func (v *ViolationPoints) Sentence() string {
	text := fmt.Sprintf("%d points", v.Low)
	switch {
	case v.High > v.Low:
		text = fmt.Sprintf("Between %d and %d points", v.Low, v.High)
	case v.Low == 0:
		text = "No points"
	case v.Low == 1:
		text = "1 point"
	}
	if n := len(v.Passed); n > 0 {
		text += fmt.Sprintf(", past the step at %d", v.Passed[n-1].Points)
	}
	if n := len(v.MayPass); n > 0 {
		text += fmt.Sprintf(", perhaps past the step at %d", v.MayPass[n-1].Points)
	}
	if v.Next != nil {
		text += fmt.Sprintf("; the next step is at %d", v.Next.Points)
	}
	text += "."
	switch {
	case v.Unknown == 1:
		text += " One breach has a cost that nobody tells, so there may be more."
	case v.Unknown > 1:
		text += fmt.Sprintf(" %d breaches have a cost that nobody tells, so there may be more.", v.Unknown)
	}
	return text
}

package health

import (
	"cmp"
	"slices"
	"strings"

	"github.com/spillway/spillway/domain/policy"
)

// Cause is one share of what counts against the shop in a rate: a reason, or a value of a facet.
type Cause struct {
	Facet   Facet // empty: a reason
	Value   string
	Against int64
	Den     int64 // of a facet: what was counted under the value
	// Excess is how many of Against are above what the value would have at the rate of all the rest, rounded down, at least 0. It tells a warehouse
	// that is bad from one that is merely large. Of reasons, and where there is no rest, it is 0.
	Excess int64
}

// Reasons is how often each reason counts among the marks of a rate's days from first to last, most often first; unjudged ones are left out.
func Reasons(marks []Mark, rate string, first, last policy.Day) []Cause {
	sums := map[Reason]int64{}
	for _, m := range marks {
		if m.Rate == rate && m.Day >= first && m.Day <= last && !m.Reason.Unjudged() {
			sums[m.Reason] += m.N
		}
	}
	var out []Cause
	for r, n := range sums {
		if n > 0 {
			out = append(out, Cause{Value: string(r), Against: n})
		}
	}
	slices.SortFunc(out, Cause.compare)
	return out
}

// Causes divides a rate's days from first to last by the facets, what stands out most first. bad is the rate's Test.Bad().
func Causes(tallies []Tally, rate string, bad bool, first, last policy.Day) []Cause {
	type value struct{ facet, value string }
	sums, total := map[value]pair{}, pair{}
	for _, t := range tallies {
		if t.Rate != rate || t.Day < first || t.Day > last || t.Facet == FacetUnjudged {
			continue
		}
		against := t.Num
		if !bad {
			against = t.Den - t.Num
		}
		if t.Facet == FacetAll {
			total = pair{total.num + against, total.den + t.Den}
			continue
		}
		k := value{t.Facet, t.Value}
		sums[k] = pair{sums[k].num + against, sums[k].den + t.Den}
	}
	var out []Cause
	for k, p := range sums {
		if p.num <= 0 || p.den <= 0 {
			continue
		}
		c := Cause{Facet: k.facet, Value: k.value, Against: p.num, Den: p.den}
		if rest := (pair{total.num - p.num, total.den - p.den}); rest.den > 0 && rest.num >= 0 {
			c.Excess = max(0, (p.num*rest.den-p.den*rest.num)/rest.den)
		}
		out = append(out, c)
	}
	slices.SortFunc(out, Cause.compare)
	return out
}

func (c Cause) compare(d Cause) int {
	return cmp.Or(cmp.Compare(d.Excess, c.Excess), cmp.Compare(d.Against, c.Against), strings.Compare(c.Facet, d.Facet), strings.Compare(c.Value, d.Value))
}

// Compound is the chance that at least one of several things happens, from the chance of each (0 to 1). Low and High hold however they hang
// together: a spike that breaks one rate tends to break others, so the truth is usually nearer to Low than Independent says. Two is the highest
// chance that at least two happen at once.
type Compound struct {
	Low, Independent, High, Two float64
}

// Together is the Compound of chances; those that are no chance (below 0, above 1, NaN) are taken to the nearest one, NaN to 1.
func Together(chances ...float64) Compound {
	c := Compound{}
	none, sum, highest := 1.0, 0.0, 0.0
	for _, p := range chances {
		if !(p <= 1) {
			p = 1
		}
		p = max(p, 0)
		none, sum, highest = none*(1-p), sum+p, max(highest, p)
		c.Low = max(c.Low, p)
	}
	c.Independent, c.High = 1-none, min(1, sum)
	c.Two = min(1, sum/2, sum-highest)
	return c
}

// Worst is the gravest state among standings and the metrics that are in it: breach, then watch, unsure, norule, nothing, good.
func Worst(standings []Standing) (State, []policy.Metric) {
	grave := []State{Good, Nothing, NoRule, Unsure, Watch, Breach}
	worst, metrics := -1, []policy.Metric(nil)
	for _, s := range standings {
		switch g := slices.Index(grave, s.State); {
		case g > worst:
			worst, metrics = g, []policy.Metric{s.Metric}
		case g == worst:
			metrics = append(metrics, s.Metric)
		}
	}
	if worst < 0 {
		return NoRule, nil
	}
	return grave[worst], metrics
}

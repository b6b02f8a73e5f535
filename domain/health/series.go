package health

import (
	"cmp"
	"slices"

	"github.com/spillway/spillway/domain/policy"
)

// DayCount is what one day adds to a rate. Unjudged is the Den of the day's tally of FacetUnjudged; they are in Den and not against the shop.
type DayCount struct {
	Day                policy.Day
	Num, Den, Unjudged int64
}

// Series is a rate's days in their order, each once; days without anything may be left out.
type Series []DayCount

// NewSeries makes a Series of day counts in any order; those of one day are added up.
func NewSeries(days []DayCount) Series {
	days = slices.Clone(days)
	slices.SortFunc(days, func(a, b DayCount) int { return cmp.Compare(a.Day, b.Day) })
	out := days[:0]
	for _, d := range days {
		if n := len(out); n > 0 && out[n-1].Day == d.Day {
			out[n-1].add(d)
			continue
		}
		out = append(out, d)
	}
	return Series(out)
}

// SeriesOf is the series of one connection, rate, facet and value among the tallies. Only the whole (FacetAll) has its Unjudged.
func SeriesOf(tallies []Tally, connection, rate string, f Facet, value string) Series {
	var days []DayCount
	for _, t := range tallies {
		switch {
		case t.Connection != connection || t.Rate != rate:
		case t.Facet == f && t.Value == value:
			days = append(days, DayCount{Day: t.Day, Num: t.Num, Den: t.Den})
		case f == FacetAll && t.Facet == FacetUnjudged:
			days = append(days, DayCount{Day: t.Day, Unjudged: t.Den})
		}
	}
	return NewSeries(days)
}

func (d *DayCount) add(e DayCount) {
	d.Num, d.Den, d.Unjudged = d.Num+e.Num, d.Den+e.Den, d.Unjudged+e.Unjudged
}

// Sum adds up the days from first to last, both included. Its Day is last.
func (s Series) Sum(first, last policy.Day) DayCount {
	sum := DayCount{}
	i, _ := slices.BinarySearchFunc(s, first, func(d DayCount, day policy.Day) int { return cmp.Compare(d.Day, day) })
	for ; i < len(s) && s[i].Day <= last; i++ {
		sum.add(s[i])
	}
	sum.Day = last
	return sum
}

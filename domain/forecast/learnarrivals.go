package forecast

import (
	"math"
	"slices"
	"time"

	"github.com/spillway/spillway/domain/policy"
)

// LearnArrivals learns how many orders come in each hour of a quiet week and how far above (or below) that the node is now. Days that were
// spikes are left out of the pattern, as is the last day, so that a spike does not become its own baseline.
//
// The level is the mean of a gamma distribution after counting: (orders + levelWeight) / (expected + levelWeight), both with a memory that
// halves in levelMemory. A shop that expects much in an hour learns of a spike within that hour; one that expects little needs a dozen
// orders.
func LearnArrivals(at time.Time, zone *time.Location, hours []Hour) Arrivals {
	if zone == nil {
		zone = time.UTC
	}
	spikes := spikeDays(zone, hours)
	recent := at.Add(-24 * time.Hour)
	w, seen := pattern(zone, hours, func(h Hour) bool {
		return h.At.After(recent) || spikes[policy.DayOf(h.At, zone)]
	})
	if seen < 1 { // only the last day is known
		w, seen = pattern(zone, hours, nil)
	}
	if seen < 1 {
		return Arrivals{Level: 1, HalfLife: defaultHalfLife, Spread: usualSpread}
	}
	var got, expected float64
	for _, h := range hours {
		if age := at.Sub(h.At.Add(time.Hour)); age >= 0 && h.At.After(recent) {
			f := weight(age, levelMemory)
			got += f * float64(h.Count)
			expected += f * w[hourOfWeek(h.At, zone)]
		}
	}
	return Arrivals{PerHour: w, Level: (got + levelWeight) / (expected + levelWeight), HalfLife: defaultHalfLife,
		Spread: arrivalSpread(zone, hours, w, spikes), Doubt: 1 / math.Sqrt(got+levelWeight), Basis: Learned}
}

// spikeDays are the days above spikeDay times the median of all.
func spikeDays(zone *time.Location, hours []Hour) map[policy.Day]bool {
	total := map[policy.Day]int{}
	for _, h := range hours {
		total[policy.DayOf(h.At, zone)] += h.Count
	}
	var all []int
	for _, n := range total {
		all = append(all, n)
	}
	if len(all) == 0 {
		return nil
	}
	slices.Sort(all)
	limit := spikeDay * max(float64(all[len(all)/2]), 1)
	out := map[policy.Day]bool{}
	for day, n := range total {
		out[day] = float64(n) > limit
	}
	return out
}

// arrivalSpread is how far quiet days lie from the pattern beyond counting noise, drawn towards the usual.
func arrivalSpread(zone *time.Location, hours []Hour, w Weekly, spikes map[policy.Day]bool) float64 {
	var squares, n float64
	for _, d := range daysOf(zone, slices.DeleteFunc(slices.Clone(hours), func(h Hour) bool {
		return spikes[policy.DayOf(h.At, zone)]
	}), w, math.Inf(1)) {
		if d.did > 0 && d.should > 1 {
			x := math.Log(d.did / d.should)
			squares += max(x*x-1/d.should, -usualSpread*usualSpread)
			n++
		}
	}
	return min(math.Sqrt((max(squares, 0)+spreadWeight*usualSpread*usualSpread)/(n+spreadWeight)), maxSpread)
}

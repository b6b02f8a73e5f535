package allocation

import (
	"math"
	"time"
)

const (
	// fewSales units in the longest memory make its plain average worth believing; fewer are chance.
	fewSales = 4
	// leastSpan keeps the first sales of a listing's life from looking like a rush.
	leastSpan = time.Hour
	// farAhead is how far it is looked at all: what lasts longer does not run out.
	farAhead = 365 * 24 * time.Hour
)

// Steady is the demand in units a second that days of sales bear out, for what is planned days ahead: the average of the longest memory, or of
// the hours before, lowered by its noise, where that is more.
func (r Rate) Steady(at time.Time) float64 {
	r = r.advance(at)
	per := func(i int, units float64) float64 {
		return units / max(r.Open[i], leastSpan.Seconds())
	}
	long, hours := len(windows)-1, len(windows)-2
	best := 0.0
	if r.Units[long] >= fewSales {
		best = per(long, r.Units[long])
	}
	if sure := r.Units[hours] - noise[hours]*math.Sqrt(r.Units[hours]); sure > 0 {
		best = max(best, per(hours, sure))
	}
	return best
}

// Draw is how fast a listing takes units of an item.
type Draw struct {
	Listing   string
	PerSecond float64 // units of the item
}

// Kept are units of an item that are kept for one listing.
type Kept struct {
	Listing string
	Units   int64
}

// RunsOut says how long units last at the rate they are drawn, and whether they run out within a year. Units kept for a listing are nobody
// else's: the others run out when only these are left. With none there to promise it is zero.
func RunsOut(units int64, draws []Draw, kept []Kept) (left time.Duration, ok bool) {
	forListing := map[string]bool{}
	var reserved int64
	for _, k := range kept {
		forListing[k.Listing] = true
		reserved += max(0, k.Units)
	}
	var all, others float64
	for _, d := range draws {
		rate := max(0, d.PerSecond)
		all += rate
		if !forListing[d.Listing] {
			others += rate
		}
	}
	seconds := math.Min(lasting(units, all), lasting(units-reserved, others))
	if seconds > farAhead.Seconds() {
		return 0, false
	}
	return time.Duration(seconds * float64(time.Second)), true
}

func lasting(units int64, rate float64) float64 {
	switch {
	case rate <= 0:
		return math.Inf(1)
	case units <= 0:
		return 0
	}
	return float64(units) / rate
}

package allocation

import (
	"math"
	"time"
)

// windows are the time constants of the rate's memories. The short ones see a spike within seconds, the long one
// knows what a quiet day looks like. A factor of 12 to 18 apart, so together they cover seconds to days.
var windows = [...]time.Duration{5 * time.Second, time.Minute, 15 * time.Minute, 4 * time.Hour, 72 * time.Hour}

// noise is how many standard deviations of a Poisson count are taken off before a memory is believed. Two for the
// short memories, so that two orders in a minute are no spike; one for the longest, which has data.
var noise = [len(windows)]float64{2, 2, 2, 2, 1}

// leastWindow bounds the rate a few sales right after the start can claim.
const leastWindow = 5 * time.Second

// Rate is a smoothed demand rate of a listing. Time during which the listing was sold out does not count: no sales
// while nothing could be sold says nothing about demand.
type Rate struct {
	Units  [len(windows)]float64 `json:"units"`  // decayed units sold, per memory
	Open   [len(windows)]float64 `json:"open"`   // decayed seconds on sale, per memory
	At     time.Time             `json:"at"`     // the state is as of this moment
	Closed bool                  `json:"closed"` // sold out: the memories stand still
}

// advance moves the state to at. Time never runs backwards: an earlier at leaves it as it is.
func (r Rate) advance(at time.Time) Rate {
	if r.At.IsZero() {
		r.At = at
		return r
	}
	passed := at.Sub(r.At).Seconds()
	if passed <= 0 {
		return r
	}
	r.At = at
	if r.Closed {
		return r
	}
	for i, w := range windows {
		keep := math.Exp(-passed / w.Seconds())
		r.Units[i] *= keep
		r.Open[i] = r.Open[i]*keep + w.Seconds()*(1-keep)
	}
	return r
}

// Observe adds qty units sold at the given time.
func (r Rate) Observe(qty int, at time.Time) Rate {
	r = r.advance(at)
	for i := range r.Units {
		r.Units[i] += float64(qty)
	}
	return r
}

// Close stops the clock because the listing is sold out; OpenUp starts it again.
func (r Rate) Close(at time.Time) Rate {
	r = r.advance(at)
	r.Closed = true
	return r
}

// OpenUp says the listing has units to sell again.
func (r Rate) OpenUp(at time.Time) Rate {
	r = r.advance(at)
	r.Closed = false
	return r
}

// PerSecond is the demand in units a second that the sales seen up to at prove: the highest of the memories, each
// lowered by its noise, so that a rise must be more than chance before units move for it.
func (r Rate) PerSecond(at time.Time) float64 {
	r = r.advance(at)
	best := 0.0
	for i, w := range windows {
		sure := r.Units[i] - noise[i]*math.Sqrt(r.Units[i])
		if sure <= 0 {
			continue
		}
		span := max(r.Open[i], min(w, leastWindow).Seconds())
		best = max(best, sure/span)
	}
	return best
}

// seen is for how many seconds on sale demand has been watched, as far as the longest memory reaches.
func (r Rate) seen(at time.Time) float64 {
	seen := r.Open[len(windows)-1]
	if passed := at.Sub(r.At).Seconds(); !r.Closed && !r.At.IsZero() && passed > 0 {
		longest := windows[len(windows)-1].Seconds()
		seen = min(seen+passed, longest)
	}
	return seen
}

// high is an upper estimate for what may happen unseen: plain averages plus two standard deviations.
func (r Rate) high(at time.Time) float64 {
	r = r.advance(at)
	best := 0.0
	for i, w := range windows {
		span := max(r.Open[i], min(w, leastWindow).Seconds())
		best = max(best, (r.Units[i]+2*math.Sqrt(r.Units[i])+1)/max(span, w.Seconds()/2))
	}
	return best
}

// poissonQuantile is the smallest k with P(X ≤ k) ≥ q for a Poisson X of the given mean. Large means use the normal
// approximation with its skewness term (Cornish-Fisher), which errs upwards there.
func poissonQuantile(mean, q float64) int {
	if mean <= 0 {
		return 0
	}
	if mean > 500 {
		z := math.Sqrt2 * math.Erfinv(2*q-1)
		return int(math.Ceil(min(MaxUnits, mean+z*math.Sqrt(mean)+(z*z-1)/6+1)))
	}
	p := math.Exp(-mean)
	sum, k := p, 0
	for sum < q && k < 5000 {
		k++
		p *= mean / float64(k)
		sum += p
	}
	return k
}

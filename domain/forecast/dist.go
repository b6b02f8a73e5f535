package forecast

import (
	"cmp"
	"math"
	"slices"
	"time"
)

// Dist is a distribution of durations: its share reached at growing hours, linear between, nothing before the first point. If the last share is
// below 1, the rest never happens. The empty Dist means that nothing is known.
type Dist struct {
	Points []Point
	Basis  Basis
}

// Point says that a share of cases is over after some hours.
type Point struct{ Hours, Share float64 }

// What is assumed of carriers when a shop has no history with one. From pick-up to first scan: most vans are unloaded the same evening, few
// parcels miss their first sort; 1 in 200 takes more than two days. Transit is that of ground parcels in one country, of which the larger half
// arrives within three days. Both are our own assumptions, replaced as soon as there are samples.
var (
	defaultLag = Dist{Points: []Point{{0, 0}, {2, .10}, {6, .50}, {12, .80}, {24, .955}, {36, .985}, {48, .995}, {72, 1}}}

	defaultTransit = Dist{Points: []Point{{18, 0}, {24, .02}, {48, .25}, {72, .55}, {96, .80}, {120, .92}, {168, .98}, {240, 1}}}
)

// levels are the shares at which a learned distribution is kept: finer where lateness is decided.
var levels = []float64{0, .05, .1, .2, .3, .4, .5, .6, .7, .75, .8, .85, .9, .925, .95, .965, .98, .99, .995, 1}

// at is the share over after h hours.
func (d *Dist) at(h float64) float64 {
	p := d.Points
	if len(p) == 0 || h < p[0].Hours {
		return 0
	}
	lo, hi := 0, len(p)
	for hi-lo > 1 {
		if mid := (lo + hi) / 2; p[mid].Hours <= h {
			lo = mid
		} else {
			hi = mid
		}
	}
	if hi == len(p) {
		return p[lo].Share
	}
	a, b := p[lo], p[hi]
	return a.Share + (b.Share-a.Share)*(h-a.Hours)/(b.Hours-a.Hours)
}

// quantile is the hours after which a share is over; +Inf if it never is.
func (d *Dist) quantile(share float64) float64 {
	p := d.Points
	if len(p) == 0 || share > p[len(p)-1].Share {
		return math.Inf(1)
	}
	if share <= p[0].Share {
		return p[0].Hours
	}
	i := 1
	for p[i].Share < share {
		i++
	}
	a, b := p[i-1], p[i]
	if b.Share <= a.Share {
		return b.Hours
	}
	return a.Hours + (b.Hours-a.Hours)*(share-a.Share)/(b.Share-a.Share)
}

// or is d, or another if nothing is known. Points out of order are put in order, so that a caller's table cannot break the search.
func (d Dist) or(other Dist) Dist {
	if len(d.Points) == 0 {
		return other
	}
	sorted := slices.IsSortedFunc(d.Points, func(a, b Point) int { return cmpFloat(a.Hours, b.Hours) })
	if !sorted {
		d.Points = slices.Clone(d.Points)
		slices.SortFunc(d.Points, func(a, b Point) int { return cmpFloat(a.Hours, b.Hours) })
	}
	return d
}

func cmpFloat(a, b float64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// Wait is one observed duration. While it has not ended, Until is how long it lasts already and Ended is false: a parcel that still waits for its
// scan says something too, and leaving it out would make every carrier look quick in a jam.
type Wait struct {
	Lasted time.Duration
	Ended  bool
	N      int64 // how many are alike; 0 is one
}

func (w Wait) count() float64 { return float64(max(w.N, 1)) }

// priorWaits is the weight of the assumption, in samples: with 20 samples history and assumption count alike, with 400 history has 95 %.
const priorWaits = 20

// LearnLag learns the time from pick-up (or from ready, if a lane has no pick-ups) to the first scan.
func LearnLag(waits []Wait) Dist { return learnDist(waits, defaultLag) }

// LearnTransit learns the time from the first scan to delivery.
func LearnTransit(waits []Wait) Dist { return learnDist(waits, defaultTransit) }

// learnDist is the product-limit estimator (Kaplan and Meier 1958), which takes unfinished waits for what they are, mixed with the assumption by
// the number of finished ones, and kept at fixed levels. What waits longer than any that ended goes on as the assumption has it for what waits so
// long; where that has nothing left to say, it never ends. Without a finished wait it is the assumption.
func learnDist(waits []Wait, prior Dist) Dist {
	sorted := slices.Clone(waits)
	slices.SortFunc(sorted, func(a, b Wait) int { return cmp.Compare(a.Lasted, b.Lasted) })
	var steps []Point
	ended, left, waiting := 0.0, 1.0, 0.0
	for _, w := range sorted {
		waiting += w.count()
	}
	for i := 0; i < len(sorted); {
		// All that lasted as long: those that ended did so before the others were looked at.
		long, over, all := sorted[i].Lasted, 0.0, 0.0
		for ; i < len(sorted) && sorted[i].Lasted == long; i++ {
			all += sorted[i].count()
			if sorted[i].Ended {
				over += sorted[i].count()
			}
		}
		if over > 0 {
			ended += over
			left *= 1 - over/waiting
			steps = append(steps, Point{max(long.Hours(), 0), 1 - left})
		}
		waiting -= all
	}
	if ended == 0 {
		return prior
	}
	weight := ended / (ended + priorWaits)
	longest := steps[len(steps)-1].Hours
	for _, w := range sorted { // as far as was seen
		longest = max(longest, w.Lasted.Hours())
	}
	over := func(h float64) float64 { // both mixed
		i, _ := slices.BinarySearchFunc(steps, h, func(p Point, h float64) int {
			if p.Hours <= h {
				return -1
			}
			return 1
		})
		own := 0.0
		if i > 0 {
			own = steps[i-1].Share
		}
		if still := 1 - prior.at(longest); h > longest && still > 0 {
			own = 1 - left*(1-prior.at(h))/still
		}
		return weight*own + (1-weight)*prior.at(h)
	}
	top := max(longest, prior.Points[len(prior.Points)-1].Hours)
	out := Dist{Basis: Learned}
	for _, l := range levels {
		lo, hi := 0.0, top
		for range 30 { // to well below a second
			if mid := (lo + hi) / 2; over(mid) >= l {
				hi = mid
			} else {
				lo = mid
			}
		}
		if n := len(out.Points); n == 0 || hi > out.Points[n-1].Hours+1e-6 {
			out.Points = append(out.Points, Point{hi, min(l, over(top))})
		} else {
			out.Points[n-1].Share = min(l, over(top))
		}
	}
	return out
}

// LearnShare is the share of bad ones, drawn towards what is assumed by as many as weight orders (the mean of a beta distribution).
func LearnShare(bad, all int64, assumed, weight float64) Share {
	if all <= 0 {
		return Share{Value: assumed}
	}
	return Share{Value: (float64(bad) + assumed*weight) / (float64(all) + weight), Basis: Learned}
}

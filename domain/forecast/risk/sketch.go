package risk

import (
	"math"
	"sort"
)

// edges are the upper edges, in business days, of the bins in which times until hand-over are counted; the last bin is open. Quarter days where
// deadlines lie (dispatch within 1 to 4 days), wider above.
var edges = [...]float64{
	0.25, 0.5, 0.75, 1, 1.25, 1.5, 1.75, 2, 2.25, 2.5, 2.75, 3, 3.25, 3.5, 3.75, 4, 4.5, 5, 5.5, 6, 7, 8, 9, 10, 12, 14, 17, 20, 30, 45,
}

const bins = len(edges) + 1

// Half-lives, in days.
const (
	slowHalf   = 365.0 // what a node is like
	fastHalf   = 45.0  // how it has been lately
	weekHalf   = 14.0  // what is going on now
	burstHalf  = 3.0   // a spike
	daySeconds = 86_400.0
)

// counter is a sum that fades with a half-life.
type counter struct {
	sum float64
	at  int64 // seconds; the moment of sum
}

func (c *counter) add(at int64, x, half float64) {
	c.sum, c.at = c.now(at, half)+x, max(at, c.at)
}

func (c *counter) now(at int64, half float64) float64 { return c.sum * fade(at-c.at, half) }

func fade(seconds int64, half float64) float64 {
	if seconds <= 0 {
		return 1
	}
	return math.Exp2(-float64(seconds) / daySeconds / half)
}

// spread is how long hand-overs took, fading.
type spread struct {
	bin [bins]float32
	n   float32
	at  int64
}

func (s *spread) add(at int64, took, half float64) {
	if w := float32(fade(at-s.at, half)); w < 1 {
		for i := range s.bin {
			s.bin[i] *= w
		}
		s.n *= w
	}
	s.at = max(at, s.at)
	s.bin[sort.SearchFloat64s(edges[:], took)]++
	s.n++
}

// above is how much of the weight took longer than x, straight within a bin; and all the weight.
func (s *spread) above(at int64, x, half float64) (over, all float64) {
	w := fade(at-s.at, half)
	i := sort.SearchFloat64s(edges[:], x)
	for k := i + 1; k < bins; k++ {
		over += float64(s.bin[k])
	}
	low, high := 0.0, 2*edges[len(edges)-1]
	if i > 0 {
		low = edges[i-1]
	}
	if i < len(edges) {
		high = edges[i]
	}
	over += float64(s.bin[i]) * min(1, max(0, (high-x)/(high-low)))
	return over * w, float64(s.n) * w
}

// quantile is the time that the share q of the weight did not exceed; prior counts as weight extra hand-overs.
func (s *spread) quantile(q, prior, weight float64) float64 {
	if s.n == 0 {
		return prior
	}
	left, low, found := q*float64(s.n), 0.0, edges[len(edges)-1]
	for i, high := range edges {
		if b := float64(s.bin[i]); b > 0 && left <= b {
			found = low + (high-low)*left/b
			break
		} else {
			left -= b
		}
		low = high
	}
	n := float64(s.n)
	return (found*n + prior*weight) / (n + weight)
}

// smoothed is (hits + prior × weight) / (n + weight), kept off 0 and 1.
func smoothed(hits, n, prior, weight float64) float64 {
	p := (hits + prior*weight) / (n + weight)
	return min(1-1e-4, max(1e-4, p))
}

func logit(p float64) float64 { return math.Log(p / (1 - p)) }

func logistic(x float64) float64 { return 1 / (1 + math.Exp(-x)) }

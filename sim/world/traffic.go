package world

import (
	"iter"
	"math"
	"math/rand/v2"
	"slices"
	"sort"
	"time"

	"github.com/spillway/spillway/kit/errs"
)

// Arrival is one order line wanted by a buyer.
type Arrival struct {
	Offset  time.Duration `json:"offset"` // since the start of the traffic
	Channel string        `json:"channel"`
	SKU     string        `json:"sku"`
	Qty     int           `json:"qty"`
}

// Spike multiplies the rate for a while. Spikes that overlap multiply each other.
type Spike struct {
	Channel string // empty for every channel
	Start   time.Duration
	Length  time.Duration
	Factor  float64 // above 0; below 1 is a lull
	Hot     float64 // share of the hot item while it lasts; 0 keeps the profile's
}

// Flow is the everyday demand of one channel.
type Flow struct {
	Channel   string
	PerMinute float64
}

// Profile describes traffic to be generated: a Poisson process for each channel whose rate the spikes change.
type Profile struct {
	Seed     uint64
	Flows    []Flow
	Spikes   []Spike
	Length   time.Duration // 0 is without end
	SKUs     []string      // most wanted first; rank n is drawn with weight 1/n^Zipf
	Zipf     float64       // 0 draws all alike; 1 is typical of shops
	Hot      string        // the item that HotShare of all orders want; it need not be in SKUs
	HotShare float64       // 0 to 1
	MaxQty   int           // quantities are 1 to MaxQty, each half as likely as the one below; 0 means 1
}

// maxSKUs bounds the table of a profile's item weights.
const maxSKUs = 1_000_000

func (p Profile) check() error {
	const op = "world.Arrivals"
	bad := func(item, format string, args ...any) error { return errs.New(errs.Invalid, op, item, format, args...) }
	finite := func(v float64) bool { return v >= 0 && !math.IsInf(v, 1) }
	if len(p.Flows) == 0 || len(p.SKUs) > maxSKUs || len(p.SKUs) == 0 && (p.Hot == "" || p.HotShare != 1) {
		return bad("profile", "Traffic needs a channel, and items to sell (at most %d).", maxSKUs)
	}
	for _, f := range p.Flows {
		if !finite(f.PerMinute) {
			return bad(f.Channel, "The rate must be a positive number.")
		}
	}
	for _, s := range p.Spikes {
		if !finite(s.Factor) || s.Start < 0 || s.Length < 0 || !(s.Hot >= 0 && s.Hot <= 1) {
			return bad("spike", "A spike needs a start, a length and a factor that are not negative, and a share between 0 and 1.")
		}
	}
	if !finite(p.Zipf) || !(p.HotShare >= 0 && p.HotShare <= 1) || p.HotShare > 0 && p.Hot == "" || p.Length < 0 || p.MaxQty < 0 {
		return bad("profile", "The shares must lie between 0 and 1 and nothing may be negative.")
	}
	return nil
}

// Arrivals generates the profile's order lines in time order. The same profile gives the same lines; each channel draws
// from a stream of its own, so that adding a channel leaves the others as they were.
func Arrivals(p Profile) (iter.Seq[Arrival], error) {
	if err := p.check(); err != nil {
		return nil, err
	}
	weights := zipf(len(p.SKUs), p.Zipf)
	return func(yield func(Arrival) bool) {
		flows := make([]*flow, 0, len(p.Flows))
		for _, f := range p.Flows {
			fl := &flow{Flow: f, p: &p, weights: weights, rnd: Stream(p.Seed, "traffic:"+f.Channel)}
			if fl.step() {
				flows = append(flows, fl)
			}
		}
		for len(flows) > 0 {
			first := 0
			for i, f := range flows {
				if f.at < flows[first].at {
					first = i
				}
			}
			f := flows[first]
			if !yield(f.arrival()) {
				return
			}
			if !f.step() {
				flows = slices.Delete(flows, first, first+1)
			}
		}
	}, nil
}

type flow struct {
	Flow
	p       *Profile
	weights []float64
	rnd     *rand.Rand
	at      time.Duration
}

// step moves to the next arrival: a unit of exponential waiting is used up at the rate of each stretch it crosses.
// It returns false when the traffic has ended.
func (f *flow) step() bool {
	left := f.rnd.ExpFloat64()
	for {
		rate, until := f.rate(f.at)
		if need := left / rate * float64(time.Minute); rate > 0 && (until < 0 || need < float64(until-f.at)) {
			if need > float64(math.MaxInt64/2) {
				return false // a rate so small that nobody lives to see the order
			}
			f.at += time.Duration(need)
			return f.p.Length == 0 || f.at < f.p.Length
		}
		if until < 0 {
			return false
		}
		left -= rate * float64(until-f.at) / float64(time.Minute)
		f.at = until
		if f.p.Length > 0 && f.at >= f.p.Length {
			return false
		}
	}
}

// rate is the orders a minute at a time and when that changes next, -1 for never.
func (f *flow) rate(at time.Duration) (perMinute float64, until time.Duration) {
	perMinute, until = f.PerMinute, -1
	for _, s := range f.p.Spikes {
		if s.Channel != "" && s.Channel != f.Channel {
			continue
		}
		end := s.Start + s.Length
		if at >= s.Start && at < end {
			perMinute *= s.Factor
		}
		for _, edge := range []time.Duration{s.Start, end} {
			if edge > at && (until < 0 || edge < until) {
				until = edge
			}
		}
	}
	return perMinute, until
}

func (f *flow) arrival() Arrival {
	share := f.p.HotShare
	for _, s := range f.p.Spikes {
		if s.Hot > 0 && (s.Channel == "" || s.Channel == f.Channel) && f.at >= s.Start && f.at < s.Start+s.Length {
			share = s.Hot
		}
	}
	sku := f.p.Hot
	if f.rnd.Float64() >= share && len(f.p.SKUs) > 0 {
		x := f.rnd.Float64() * f.weights[len(f.weights)-1]
		sku = f.p.SKUs[min(sort.SearchFloat64s(f.weights, x), len(f.p.SKUs)-1)]
	}
	qty := 1
	for qty < f.p.MaxQty && f.rnd.IntN(2) == 0 {
		qty++
	}
	return Arrival{Offset: f.at, Channel: f.Channel, SKU: sku, Qty: qty}
}

// zipf is the running sum of 1/n^s.
func zipf(n int, s float64) []float64 {
	sums := make([]float64, n)
	total := 0.0
	for i := range sums {
		total += math.Pow(float64(i+1), -s)
		sums[i] = total
	}
	return sums
}

// Replay gives recorded lines in order of their offset.
func Replay(events []Arrival) iter.Seq[Arrival] {
	sorted := slices.Clone(events)
	slices.SortStableFunc(sorted, func(a, b Arrival) int { return int(min(max(a.Offset-b.Offset, -1), 1)) })
	return slices.Values(sorted)
}

// Play hands each arrival to place at its time on the clock, speed times as fast as written (0 means 1). place is never
// called concurrently; when it is slow the traffic falls behind and catches up without losing a line. stop ends it;
// done is closed after the last line or after stop. The sequence may be endless.
func Play(clock Clock, arrivals iter.Seq[Arrival], speed float64, place func(Arrival)) (stop func(), done <-chan struct{}) {
	if speed <= 0 {
		speed = 1
	}
	p := &player{clock: clock, start: clock.Now(), speed: speed, place: place, stopped: make(chan struct{}), done: make(chan struct{})}
	p.next, p.stopIter = iter.Pull(arrivals)
	p.run()
	return p.stop, p.done
}

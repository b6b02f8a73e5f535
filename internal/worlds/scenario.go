package worlds

import (
	"math/rand/v2"
	"slices"
	"time"

	"github.com/spillway/spillway/domain/allocation"
)

// usual is the plumbing of the named scenarios: one second for an event, half a second for a push, an order poll a
// minute, nothing lost.
func usual(kind allocation.Kind) channelSpec {
	return channelSpec{
		kind: kind, event: span{700 * time.Millisecond, 1300 * time.Millisecond}, push: span{150 * time.Millisecond, 350 * time.Millisecond},
		tellsTime: true, tellsMore: true, poll: time.Minute, lifetime: 30 * time.Second,
	}
}

// shop is an item of the given stock on one channel of each kind.
func shop(seed uint64, stock int, horizon time.Duration, kinds ...allocation.Kind) Spec {
	s := Spec{Seed: seed, Off: allFeatures, Horizon: horizon, Items: []itemSpec{{id: "a", stock: []int{stock}}}}
	for ch, kind := range kinds {
		s.Channels = append(s.Channels, usual(kind))
		s.Listings = append(s.Listings, listingSpec{channel: ch, policy: allocation.Listing{
			ID: string(rune('0'+ch)) + ":a", Connection: string(rune('0' + ch)), Kind: kind,
			Components: []allocation.Component{{Item: "a", Quantity: 1}}, Cycle: 4 * time.Second,
		}})
	}
	return s
}

// demand lets customers arrive on listing l between two times, perSecond of them each second.
func (s *Spec) demand(r *rand.Rand, l int, from, to time.Duration, perSecond float64) {
	for t := from.Seconds(); ; {
		t += r.ExpFloat64() / perSecond
		if t >= to.Seconds() {
			return
		}
		s.Arrivals = append(s.Arrivals, arrival{at: time.Duration(t * float64(time.Second)), listing: l, qty: 1, ship: 1000 * time.Hour})
	}
}

func (s *Spec) sortArrivals() {
	slices.SortStableFunc(s.Arrivals, func(a, b arrival) int { return int(a.at - b.at) })
}

// Spike is 500 units over five channels, one of them at fifty times its usual rate after half a usual minute. It lasts
// until 1.2 times the stock has been asked for, so nearly all of it must reach the one that sells. usualRate is in
// orders a second.
func Spike(seed uint64, usualRate float64, kinds ...allocation.Kind) Spec {
	r := rand.New(rand.NewPCG(seed, 50))
	const stock, factor, begins = 500, 50, 30 * time.Second
	all := usualRate * float64(factor+len(kinds)-1)
	s := shop(seed, stock, begins+time.Duration(1.2*stock/all*float64(time.Second)), kinds...)
	for l := range kinds {
		rate := usualRate
		s.demand(r, l, 0, begins, rate)
		if l == 0 {
			rate *= factor
		}
		s.demand(r, l, begins, s.Horizon, rate)
	}
	s.sortArrivals()
	return s
}

// QuietWeek is a week in which five channels sell at their usual, unequal rates, together about nine tenths of the 500
// units there are; days and nights differ.
func QuietWeek(seed uint64, kinds ...allocation.Kind) Spec {
	r := rand.New(rand.NewPCG(seed, 7))
	const stock, day = 500, 24 * time.Hour
	s := shop(seed, stock, 7*day, kinds...)
	shares := []float64{0.40, 0.25, 0.18, 0.12, 0.05}
	for l := range kinds {
		perDay := 0.9 * stock / 7 * shares[l%len(shares)]
		for d := range time.Duration(7) {
			s.demand(r, l, d*day, d*day+8*time.Hour, 0.1*perDay/(8*3600))
			s.demand(r, l, d*day+8*time.Hour, (d+1)*day, 0.9*perDay/(16*3600))
		}
	}
	s.sortArrivals()
	return s
}

// FiveAbsolute are the hardest five channels: none can compare or add.
var FiveAbsolute = []allocation.Kind{allocation.Absolute, allocation.Absolute, allocation.Absolute, allocation.Absolute, allocation.Absolute}

// FiveMixed are five channels of all kinds.
var FiveMixed = []allocation.Kind{allocation.Absolute, allocation.Delta, allocation.CompareAndSet, allocation.Absolute, allocation.Delta}

var five = []struct {
	name  string
	kinds []allocation.Kind
}{{"absolute", FiveAbsolute}, {"mixed", FiveMixed}}

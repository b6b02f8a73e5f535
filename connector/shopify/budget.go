package shopify

import (
	"math"
	"sync"
	"time"
)

// throttleStatus is the point budget as every answer shows it.
type throttleStatus struct {
	Maximum float64 `json:"maximumAvailable"`
	Left    float64 `json:"currentlyAvailable"`
	Restore float64 `json:"restoreRate"` // points a second
}

// price names a request whose cost is always the same: a document asked for so many things.
type price struct {
	doc  string
	size int
}

// shortestWait keeps a caller that lacks a fraction of a point from asking again at once.
const shortestWait = 10 * time.Millisecond

// budget is our copy of the shop's bucket of points. Shopify refuses a request when the bucket does not hold what the request
// may cost at most, so it is kept here what each kind of request was said to cost, what is left, and what is on its way.
// Nothing is refused before the first answer has told the bucket's size.
type budget struct {
	mu     sync.Mutex
	status throttleStatus // as of at
	at     time.Time
	flying float64 // of requests without an answer yet
	prices map[price]float64
}

// take sets points aside for a request, or says how long to wait until the bucket holds them. guess is used until an answer
// has told the price. keep is how many seconds' worth of points must be left over: reads leave some, so that a push never
// waits behind them.
func (b *budget) take(p price, guess, keep float64, now time.Time) (cost float64, wait time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	cost, ok := b.prices[p]
	if !ok {
		cost = guess
	}
	if s := b.status; s.Restore > 0 && s.Maximum > 0 {
		left := s.Left
		if passed := now.Sub(b.at).Seconds(); passed > 0 {
			left += passed * s.Restore
		}
		short := min(cost+keep*s.Restore, s.Maximum) - (min(left, s.Maximum) - b.flying)
		// With nothing on its way a full bucket is as good as it gets, so a request is never held back for good.
		if short > 0 {
			return 0, untilRestored(short, s.Restore)
		}
	}
	b.flying += cost
	return cost, 0
}

// settle gives back what take set aside and learns from the answer. asked and status are nil where there was none.
func (b *budget) settle(p price, cost float64, asked *float64, status *throttleStatus, now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.flying = max(0, b.flying-cost)
	if asked != nil && *asked > 0 {
		if b.prices == nil {
			b.prices = map[price]float64{}
		}
		b.prices[p] = *asked
	}
	switch {
	case status != nil:
		b.status, b.at = *status, now
	case b.status.Restore > 0:
		b.status.Left -= cost // no answer: the points may be spent
	}
}

func untilRestored(points, perSecond float64) time.Duration {
	ms := math.Ceil(points / perSecond * 1000)
	return max(shortestWait, time.Duration(min(ms, math.MaxInt32))*time.Millisecond)
}

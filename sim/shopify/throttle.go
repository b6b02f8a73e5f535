package shopify

import (
	"sync"
	"time"
)

// bucket is the query budget of one app on one shop: it fills with time and every query takes its cost out.
type bucket struct {
	mu     sync.Mutex
	rate   float64 // points a second
	limit  float64
	points float64
	at     time.Time
}

func newBucket(rate int, at time.Time) *bucket {
	return &bucket{rate: float64(rate), limit: float64(rate * bucketSeconds), points: float64(rate * bucketSeconds), at: at}
}

// take reserves cost points, or reports that they are not there.
func (b *bucket) take(cost int, at time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.fill(at)
	if float64(cost) > b.points {
		return false
	}
	b.points -= float64(cost)
	return true
}

// refund gives back what a query did not use.
func (b *bucket) refund(points int, at time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.fill(at)
	b.points = min(b.limit, b.points+float64(points))
}

func (b *bucket) fill(at time.Time) {
	if d := at.Sub(b.at); d > 0 {
		b.points = min(b.limit, b.points+d.Seconds()*b.rate)
		b.at = at
	}
}

// status is the throttleStatus of a response.
func (b *bucket) status(at time.Time) map[string]any {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.fill(at)
	return map[string]any{"maximumAvailable": b.limit, "currentlyAvailable": int(b.points), "restoreRate": b.rate}
}

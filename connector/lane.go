package connector

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/failsafe-go/failsafe-go/circuitbreaker"
	"golang.org/x/time/rate"

	"github.com/spillway/spillway/connector/driver"
)

// When an operation of a channel counts as dead, and how long it is left alone before one call tries again.
const (
	deadAfter   = 5 // failures in a row; a single bad minute at a gateway shows two or three
	deadFor     = 15 * time.Second
	deadJitter  = 0.2
	aliveAfter  = 1
	shortestAsk = time.Second // what to wait where a vendor or a breaker names no time
)

// errPace marks a failure to get a slot: nothing was sent.
var errPace = errors.New("no free slot in time")

// lane is one operation of one connection: its rate, a pause the vendor asked for, and its breaker. Each operation has
// its own, so that a dead read does not hold up a live write.
type lane struct {
	limiter *rate.Limiter
	breaker circuitbreaker.CircuitBreaker[any]

	mu     sync.Mutex
	pauseT time.Time // no request before this
}

func newLane(perSecond float64, burst int, changed func(open bool)) *lane {
	b := circuitbreaker.NewBuilder[any]().
		WithFailureThreshold(deadAfter).
		WithSuccessThreshold(aliveAfter).
		WithDelay(deadFor).
		WithJitterFactor(deadJitter).
		OnOpen(func(circuitbreaker.StateChangedEvent) { changed(true) }).
		OnClose(func(circuitbreaker.StateChangedEvent) { changed(false) }).
		Build()
	return &lane{limiter: rate.NewLimiter(rate.Limit(perSecond), max(burst, 1)), breaker: b}
}

// pause holds every later request of the lane for d, since the vendor asked for it.
func (l *lane) pause(d time.Duration) {
	until := time.Now().Add(d)
	l.mu.Lock()
	defer l.mu.Unlock()
	if until.After(l.pauseT) {
		l.pauseT = until
	}
}

// wait holds the caller until the pause is over and a slot is free.
func (l *lane) wait(ctx context.Context) error {
	for {
		l.mu.Lock()
		d := time.Until(l.pauseT)
		l.mu.Unlock()
		if d <= 0 {
			break
		}
		timer := time.NewTimer(d)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return fmt.Errorf("%w: %w", errPace, ctx.Err())
		}
	}
	if err := l.limiter.Wait(ctx); err != nil {
		return fmt.Errorf("%w: %w", errPace, err)
	}
	return nil
}

// longest is how long one call may take with its retries. Where slots are tens of seconds apart each retry waits for one: a list of which every tenth
// page fails would never be read to its end otherwise.
func (l *lane) longest() time.Duration {
	seconds := min(totalTime.Seconds()+maxRetries/float64(l.limiter.Limit()), longestTime.Seconds())
	return time.Duration(seconds * float64(time.Second))
}

// record tells the breaker how a call went. Only a channel that does not answer or fails inside is dead; one that
// refuses, throttles or asks for a login is alive.
func (l *lane) record(ctx context.Context, err error) {
	switch {
	case err == nil:
		l.breaker.RecordSuccess()
	case errors.Is(err, errPace), ctx.Err() != nil:
		if l.breaker.IsHalfOpen() {
			l.breaker.RecordFailure() // gives the trial permit back
		}
	case driver.ClassOf(err) == driver.Retry:
		l.breaker.RecordFailure()
	default:
		l.breaker.RecordSuccess()
	}
}

// openError is the answer while the lane is cut off.
func (l *lane) openError(op driver.Operation) *driver.Error {
	return &driver.Error{
		Class: driver.RetryAfter, Op: op, After: max(l.breaker.RemainingDelay(), shortestAsk),
		Message: "the channel did not answer several times in a row and is left alone for a moment", Cause: circuitbreaker.ErrOpen,
	}
}

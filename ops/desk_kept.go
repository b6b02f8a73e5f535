package ops

import (
	"context"
	"sync"
	"time"
)

const (
	// keptShare bounds what keeping an answer fresh may cost: one that took 100 ms to find is not asked again for a second.
	keptShare = 10
	// keptTime bounds one search for an answer.
	keptTime = time.Minute
)

// kept is the last answer of a costly question. Whoever finds it due for renewal starts the search for a new one in the background
// and takes the old one, so that a page somebody keeps open never waits. Only who comes first, or after nobody has asked for a
// while, waits. At most one search is under way. The zero value is ready.
type kept[T any] struct {
	mu     sync.Mutex
	value  T
	at     time.Time // when the value was true; zero: there is none yet
	next   time.Time // no search before this
	flight chan struct{}
	err    error // of the last search
}

// get returns the answer and the moment it speaks for. It asks again when the answer is older than every, less often where the
// search is long. ctx bounds the wait for an answer, life the search.
func (k *kept[T]) get(ctx, life context.Context, now func() time.Time, every time.Duration, ask func(context.Context) (T, error)) (T, time.Time, error) {
	flight := k.renew(life, now, every, ask)
	if flight != nil {
		select {
		case <-flight:
		case <-ctx.Done():
			var none T
			return none, time.Time{}, ctx.Err()
		}
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.at.IsZero() {
		return k.value, k.at, k.err
	}
	return k.value, k.at, nil
}

// renew starts a search if one is due. It returns what to wait for; nil where the present answer will do.
func (k *kept[T]) renew(life context.Context, now func() time.Time, every time.Duration, ask func(context.Context) (T, error)) <-chan struct{} {
	k.mu.Lock()
	defer k.mu.Unlock()
	at := now()
	if k.flight == nil && !at.Before(k.next) {
		k.flight = make(chan struct{})
		go k.search(life, now, every, ask)
	}
	if k.at.IsZero() || at.Sub(k.at) > 2*max(every, k.next.Sub(k.at)) || k.next.IsZero() {
		return k.flight
	}
	return nil
}

func (k *kept[T]) search(life context.Context, now func() time.Time, every time.Duration, ask func(context.Context) (T, error)) {
	ctx, cancel := context.WithTimeout(life, keptTime)
	defer cancel()
	began := now()
	value, err := ask(ctx)
	took := now().Sub(began)
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.err = err; err == nil {
		k.value, k.at = value, began
	}
	k.next = began.Add(max(every, keptShare*took))
	close(k.flight)
	k.flight = nil
}

// peek returns the answer there is without asking.
func (k *kept[T]) peek() (T, time.Time) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.value, k.at
}

// stale makes the next asker search, because something was done that the answer does not know.
func (k *kept[T]) stale() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.next = time.Time{}
}

// Package gather turns many small writes into few commits (group commit, natural batching).
//
// Callers hand in one request each and wait. One loop takes whatever is waiting, runs it as one batch, and only then answers
// every caller. While a batch is being flushed the next one forms; nobody lingers, so a caller alone pays one flush. Under
// load batches may be kept apart, so that what many small ones would cost is left for other work.
// A batch that fails is tried once more and then halved down to the one request that cannot work, which alone gets
// the error. The queue is bounded: beyond it callers are told to come back.
package gather

import (
	"context"
	"sync"
	"time"

	"github.com/spillway/spillway/kit/errs"
)

// Loop gathers requests of type Q and answers of type A.
type Loop[Q, A any] struct {
	name  string
	cap   int // weight of one batch
	bound int // requests waiting
	apart time.Duration
	weigh func(Q) int
	run   func(ctx context.Context, batch []Q) ([]A, error)

	mu     sync.Mutex
	queue  []pending[Q, A]
	closed bool
	wake   chan struct{}
	done   chan struct{}
}

// many requests are worth a batch of their own at once.
const many = 16

type pending[Q, A any] struct {
	q  Q
	to chan answer[A]
}

type answer[A any] struct {
	a   A
	err error
}

// New starts a loop. run must be all or nothing over its batch and return one answer per request, in order; it may be called
// again with the same requests. batch bounds one call, bound the waiting requests. apart is the least time between the
// beginnings of two batches while fewer than many requests wait; a request that comes later than that after the last does not wait.
func New[Q, A any](name string, batch, bound int, apart time.Duration, run func(context.Context, []Q) ([]A, error)) *Loop[Q, A] {
	return NewWeighed(name, batch, bound, apart, func(Q) int { return 1 }, run)
}

// NewWeighed is New for requests that are not alike: batch bounds the weight of one call. A request that weighs more is run by itself.
func NewWeighed[Q, A any](name string, batch, bound int, apart time.Duration, weigh func(Q) int, run func(context.Context, []Q) ([]A, error)) *Loop[Q, A] {
	l := &Loop[Q, A]{name: name, cap: batch, bound: bound, apart: apart, weigh: weigh, run: run, wake: make(chan struct{}, 1), done: make(chan struct{})}
	go l.loop()
	return l
}

// Do hands in q and waits for its answer. If ctx ends first the request may still be carried out: a retry must carry the same id.
func (l *Loop[Q, A]) Do(ctx context.Context, q Q) (A, error) {
	var zero A
	p := pending[Q, A]{q: q, to: make(chan answer[A], 1)}
	l.mu.Lock()
	switch {
	case l.closed:
		l.mu.Unlock()
		return zero, errs.New(errs.Unavailable, l.name, "", "Spillway is stopping; try again in a moment")
	case len(l.queue) >= l.bound:
		l.mu.Unlock()
		return zero, errs.New(errs.Busy, l.name, "", "too much is waiting; try again in a moment")
	}
	l.queue = append(l.queue, p)
	l.mu.Unlock()
	select {
	case l.wake <- struct{}{}:
	default:
	}
	select {
	case r := <-p.to:
		return r.a, r.err
	case <-ctx.Done():
		return zero, ctx.Err()
	}
}

// Waiting returns how many requests wait for the next batch.
func (l *Loop[Q, A]) Waiting() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.queue)
}

// Close refuses new requests, finishes those waiting and returns when the last is answered.
func (l *Loop[Q, A]) Close() {
	l.mu.Lock()
	l.closed = true
	l.mu.Unlock()
	select {
	case l.wake <- struct{}{}:
	default:
	}
	<-l.done
}

func (l *Loop[Q, A]) loop() {
	defer close(l.done)
	var last time.Time
	for {
		waiting, closed := l.state()
		switch {
		case waiting == 0 && closed:
			return
		case waiting == 0:
			<-l.wake
			continue
		case waiting < min(many, l.cap) && !closed && l.linger(last.Add(l.apart)):
			continue
		}
		last = time.Now()
		l.serve(l.take(), true)
	}
}

// linger waits for another request until end. It reports whether one came.
func (l *Loop[Q, A]) linger(end time.Time) bool {
	rest := time.Until(end)
	if rest <= 0 {
		return false
	}
	t := time.NewTimer(rest)
	defer t.Stop()
	select {
	case <-l.wake:
		return true
	case <-t.C:
		return false
	}
}

func (l *Loop[Q, A]) state() (waiting int, closed bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.queue), l.closed
}

func (l *Loop[Q, A]) take() []pending[Q, A] {
	l.mu.Lock()
	defer l.mu.Unlock()
	n, weight := 0, 0
	for n < len(l.queue) {
		weight += l.weigh(l.queue[n].q)
		if n > 0 && weight > l.cap {
			break
		}
		n++
	}
	batch := l.queue[:n:n]
	l.queue = l.queue[n:]
	if len(l.queue) == 0 {
		l.queue = nil
	}
	return batch
}

// serve runs batch; a failing batch is run again once, because the failure may be another writer's (a key taken, a deadlock), then halved.
func (l *Loop[Q, A]) serve(batch []pending[Q, A], again bool) {
	qs := make([]Q, len(batch))
	for i := range batch {
		qs[i] = batch[i].q
	}
	as, err := l.run(context.Background(), qs)
	if err == nil && len(as) != len(batch) {
		err = errs.New(errs.Internal, l.name, "", "the batch answered a different number of requests")
	}
	switch {
	case err == nil:
		for i := range batch {
			batch[i].to <- answer[A]{a: as[i]}
		}
	case again:
		l.serve(batch, false)
	case len(batch) == 1:
		batch[0].to <- answer[A]{err: err}
	default:
		l.serve(batch[:len(batch)/2], false)
		l.serve(batch[len(batch)/2:], false)
	}
}

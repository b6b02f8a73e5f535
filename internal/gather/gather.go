// Package gather turns many small writes into few commits (group commit, natural batching).
//
// Callers hand in one request each and wait. One loop takes whatever is waiting, runs it as one batch, and only then answers
// every caller. While a batch is carried out the next one forms, and it is carried out while the one before waits for the
// disk; nobody lingers, so a caller alone pays one flush. Under
// load batches may be kept apart, so that what many small ones would cost is left for other work.
// A batch that fails is tried once more and then halved down to the one request that cannot work, which alone gets
// the error. The queue is bounded: beyond it callers are told to come back.
package gather

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
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
	share func(Q) string // whom a request is from; nil: all are served in the order they came
	run   Run[Q, A]
	ahead chan struct{} // holds a token for each batch under way

	mu     sync.Mutex
	queue  []pending[Q, A]
	closed bool
	wake   chan struct{}
	done   chan struct{}
}

// Run carries out a batch: all of it or nothing. It returns one answer per request, in order, and may be called again with the same requests.
// It may call next, from its own goroutine, once others may carry out the next batch: what is left to do is to wait.
type Run[Q, A any] func(ctx context.Context, batch []Q, next func()) ([]A, error)

const (
	// many requests are worth a batch of their own at once.
	many = 16
	// maxAhead batches are under way at most: one is carried out while another waits. More would only be smaller ones.
	maxAhead = 2
	// batchTime bounds one run. A batch takes milliseconds; a database that takes this long answers nobody, though its connection may look alive.
	batchTime = time.Minute
)

type pending[Q, A any] struct {
	q  Q
	to *call[A]
	at int // place among the call's answers
}

// call is one caller who waits, for one answer or for many.
type call[A any] struct {
	answers []answer[A]
	left    atomic.Int32
	done    chan struct{}
}

func newCall[A any](n int) *call[A] {
	c := &call[A]{answers: make([]answer[A], n), done: make(chan struct{})}
	c.left.Store(int32(n))
	return c
}

type answer[A any] struct {
	a   A
	err error
}

// New starts a loop. batch bounds one call of run, bound the waiting requests. apart is the least time between the
// beginnings of two batches while fewer than many requests wait; a request that comes later than that after the last does not wait.
func New[Q, A any](name string, batch, bound int, apart time.Duration, run Run[Q, A]) *Loop[Q, A] {
	return NewWeighed(name, batch, bound, apart, func(Q) int { return 1 }, run)
}

// NewWeighed is New for requests that are not alike: batch bounds the weight of one call. A request that weighs more is run by itself.
func NewWeighed[Q, A any](name string, batch, bound int, apart time.Duration, weigh func(Q) int, run Run[Q, A]) *Loop[Q, A] {
	l := &Loop[Q, A]{name: name, cap: batch, bound: bound, apart: apart, weigh: weigh, run: run, ahead: make(chan struct{}, maxAhead), wake: make(chan struct{}, 1), done: make(chan struct{})}
	go l.loop()
	return l
}

// Share makes requests of different origins take turns when more wait than a batch holds, so that nobody's flood keeps the others out. Call
// it before the first request.
func (l *Loop[Q, A]) Share(origin func(Q) string) *Loop[Q, A] {
	l.share = origin
	return l
}

// Do hands in q and waits for its answer. If ctx ends first the request may still be carried out: a retry must carry the same id.
func (l *Loop[Q, A]) Do(ctx context.Context, q Q) (A, error) {
	c := newCall[A](1)
	if err := l.enter(c, q); err != nil {
		return c.answers[0].a, err
	}
	select {
	case <-c.done:
		return c.answers[0].a, c.answers[0].err
	case <-ctx.Done():
		var zero A
		return zero, ctx.Err()
	}
}

// DoAll hands in many requests at once, in order, and waits for the answer of each. There is room for all of them or none is taken.
func (l *Loop[Q, A]) DoAll(ctx context.Context, qs []Q) ([]A, []error) {
	as, failed := make([]A, len(qs)), make([]error, len(qs))
	if len(qs) == 0 {
		return as, failed
	}
	c := newCall[A](len(qs))
	err := l.enter(c, qs...)
	if err == nil {
		select {
		case <-c.done:
			for i, r := range c.answers {
				as[i], failed[i] = r.a, r.err
			}
			return as, failed
		case <-ctx.Done():
			err = ctx.Err()
		}
	}
	for i := range failed {
		failed[i] = err
	}
	return as, failed
}

// enter queues a call's requests.
func (l *Loop[Q, A]) enter(c *call[A], qs ...Q) error {
	l.mu.Lock()
	switch {
	case l.closed:
		l.mu.Unlock()
		return errs.New(errs.Unavailable, l.name, "", "Spillway is stopping; try again in a moment")
	case len(l.queue)+len(qs) > l.bound:
		l.mu.Unlock()
		return errs.New(errs.Busy, l.name, "", "too much is waiting; try again in a moment")
	}
	for i, q := range qs {
		l.queue = append(l.queue, pending[Q, A]{q, c, i})
	}
	l.mu.Unlock()
	select {
	case l.wake <- struct{}{}:
	default:
	}
	return nil
}

func (p pending[Q, A]) reply(a answer[A]) {
	p.to.answers[p.at] = a
	if p.to.left.Add(-1) == 0 {
		close(p.to.done)
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
	var under sync.WaitGroup
	defer func() { under.Wait(); close(l.done) }()
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
		l.ahead <- struct{}{}
		l.yield(waiting)
		last = time.Now()
		batch, next := l.take(), newOnce()
		under.Go(func() {
			l.serve(batch, next.do, true)
			next.do()
			<-l.ahead
		})
		<-next.done
	}
}

// once is something that happens, and may be said to happen again.
type once struct {
	sync.Once
	done chan struct{}
}

func newOnce() *once { return &once{done: make(chan struct{})} }

func (o *once) do() { o.Once.Do(func() { close(o.done) }) }

// yield lets those run who were just answered and are about to ask again, so that they share this batch and not the one after. It waits for
// nobody: when a turn brings no one it is over.
func (l *Loop[Q, A]) yield(waiting int) {
	for waiting < l.cap {
		runtime.Gosched()
		now, _ := l.state()
		if now == waiting {
			return
		}
		waiting = now
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
	if l.share != nil {
		l.takeTurns()
	}
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

// takeTurns brings the requests of the next batch to the front of a queue that is longer: one of each origin in turn, each origin's own in the
// order they came. The batch and the rest stay in the order of arrival.
func (l *Loop[Q, A]) takeTurns() {
	if len(l.queue) <= l.cap {
		return
	}
	var origins [][]int // places in the queue, by origin
	known := map[string]int{}
	for i := range l.queue {
		from := l.share(l.queue[i].q)
		at, ok := known[from]
		if !ok {
			at = len(origins)
			known[from], origins = at, append(origins, nil)
		}
		origins[at] = append(origins[at], i)
	}
	if len(origins) == 1 {
		return
	}
	chosen := make([]bool, len(l.queue))
	for round, left := 0, l.cap; left > 0 && round < len(l.queue); round++ {
		for _, places := range origins {
			if round < len(places) && left > 0 {
				chosen[places[round]] = true
				left -= l.weigh(l.queue[places[round]].q)
			}
		}
	}
	next := make([]pending[Q, A], 0, len(l.queue))
	for _, first := range []bool{true, false} {
		for i := range l.queue {
			if chosen[i] == first {
				next = append(next, l.queue[i])
			}
		}
	}
	l.queue = next
}

// serve runs batch; a failing batch is run again once, because the failure may be another writer's (a key taken, a deadlock) or the
// connection's after a commit, which the second run finds done; then halved. A database that cannot be reached is no single request's fault.
func (l *Loop[Q, A]) serve(batch []pending[Q, A], next func(), again bool) {
	qs := make([]Q, len(batch))
	for i := range batch {
		qs[i] = batch[i].q
	}
	ctx, cancel := context.WithTimeout(context.Background(), batchTime)
	as, err := l.run(ctx, qs, next)
	if err != nil && ctx.Err() != nil {
		err, again = &errs.Error{Kind: errs.Unavailable, Op: l.name, Safe: "the database does not answer; try again in a moment", Cause: err}, false
	}
	cancel()
	if err == nil && len(as) != len(batch) {
		err = errs.New(errs.Internal, l.name, "", "the batch answered a different number of requests")
	}
	switch {
	case err == nil:
		for i := range batch {
			batch[i].reply(answer[A]{a: as[i]})
		}
	case again:
		l.serve(batch, next, false)
	case len(batch) == 1, errs.Is(err, errs.Unavailable), errs.Is(err, errs.Busy):
		for i := range batch {
			batch[i].reply(answer[A]{err: err})
		}
	default:
		l.serve(batch[:len(batch)/2], nothing, false)
		l.serve(batch[len(batch)/2:], nothing, false)
	}
}

// nothing is said of the parts of a batch: the next one waits for them all.
func nothing() {}

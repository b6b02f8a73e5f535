package world

import (
	"container/heap"
	"sync"
	"time"
)

// Clock tells the time and calls back when a time has come. Simulators never read the machine's clock in another way,
// so that a test can put a week behind it in a millisecond.
type Clock interface {
	// Now is the current time in UTC.
	Now() time.Time
	// At runs fn once at the given time, or as soon as possible when that time has passed. The returned function
	// cancels the call if it has not begun; calling it later does nothing.
	At(at time.Time, fn func()) (cancel func())
}

// Wall is the machine's clock. Callbacks run on goroutines of their own.
func Wall() Clock { return wall{} }

type wall struct{}

func (wall) Now() time.Time { return time.Now().UTC() }

func (wall) At(at time.Time, fn func()) func() {
	t := time.AfterFunc(time.Until(at), fn)
	return func() { t.Stop() }
}

// Virtual is a clock that moves only when told. Callbacks run on the goroutine that advances it, in order of their
// time and, at the same time, in the order they were asked for. A callback may ask for more callbacks; those that fall
// due before the target run in the same advance.
type Virtual struct {
	moving sync.Mutex // one advance at a time

	mu    sync.Mutex
	now   time.Time
	seq   uint64
	calls callHeap
}

// NewVirtual makes a virtual clock that stands at start.
func NewVirtual(start time.Time) *Virtual { return &Virtual{now: start.UTC()} }

// Now is the time the clock stands at. During a callback it is the callback's time.
func (v *Virtual) Now() time.Time {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.now
}

// At asks for fn at the given time. A time in the past runs at the next advance, even one of zero.
func (v *Virtual) At(at time.Time, fn func()) func() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.seq++
	c := &call{at: at.UTC(), seq: v.seq, fn: fn}
	heap.Push(&v.calls, c)
	return func() {
		v.mu.Lock()
		defer v.mu.Unlock()
		if c.index >= 0 {
			heap.Remove(&v.calls, c.index)
		}
	}
}

// Advance moves the clock forward by d and runs what falls due. It must not be called from a callback.
func (v *Virtual) Advance(d time.Duration) { v.AdvanceTo(v.Now().Add(d)) }

// AdvanceTo moves the clock forward to t and runs what falls due. A t in the past runs only what is due already.
func (v *Virtual) AdvanceTo(t time.Time) {
	v.moving.Lock()
	defer v.moving.Unlock()
	for {
		fn := v.next(t.UTC())
		if fn == nil {
			return
		}
		fn()
	}
}

// next takes the earliest callback due by t and moves the clock to it; without one it moves the clock to t.
func (v *Virtual) next(t time.Time) func() {
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.calls) == 0 || v.calls[0].at.After(t) {
		if t.After(v.now) {
			v.now = t
		}
		return nil
	}
	c := heap.Pop(&v.calls).(*call)
	if c.at.After(v.now) {
		v.now = c.at
	}
	return c.fn
}

// Next is the time of the earliest callback waiting, and false when there is none.
func (v *Virtual) Next() (time.Time, bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.calls) == 0 {
		return time.Time{}, false
	}
	return v.calls[0].at, true
}

type call struct {
	at    time.Time
	seq   uint64
	index int
	fn    func()
}

type callHeap []*call

func (h callHeap) Len() int { return len(h) }
func (h callHeap) Less(i, j int) bool {
	if !h[i].at.Equal(h[j].at) {
		return h[i].at.Before(h[j].at)
	}
	return h[i].seq < h[j].seq
}
func (h callHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i, j
}
func (h *callHeap) Push(x any) {
	c := x.(*call)
	c.index = len(*h)
	*h = append(*h, c)
}
func (h *callHeap) Pop() any {
	old := *h
	c := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	c.index = -1
	return c
}

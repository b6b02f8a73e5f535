package worlds

import (
	"container/heap"
	"time"
)

// epoch is when every world begins on our clock.
var epoch = time.Date(2026, 11, 27, 0, 0, 0, 0, time.UTC)

// engine runs events in the order of virtual time; events of the same instant run in the order they were made.
type engine struct {
	now    time.Duration
	seq    int
	events eventHeap
}

type event struct {
	at  time.Duration
	seq int
	run func()
}

type eventHeap []event

func (h eventHeap) Len() int { return len(h) }
func (h eventHeap) Less(i, j int) bool {
	if h[i].at != h[j].at {
		return h[i].at < h[j].at
	}
	return h[i].seq < h[j].seq
}
func (h eventHeap) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h *eventHeap) Push(x any)   { *h = append(*h, x.(event)) }
func (h *eventHeap) Pop() any {
	old := *h
	e := old[len(old)-1]
	old[len(old)-1] = event{}
	*h = old[:len(old)-1]
	return e
}

// after runs f in d from now.
func (e *engine) after(d time.Duration, f func()) { e.at(e.now+max(0, d), f) }

// at runs f at virtual time t.
func (e *engine) at(t time.Duration, f func()) {
	e.seq++
	heap.Push(&e.events, event{max(t, e.now), e.seq, f})
}

// step runs the next event; false when there is none up to the limit.
func (e *engine) step(limit time.Duration) bool {
	if len(e.events) == 0 || e.events[0].at > limit {
		return false
	}
	next := heap.Pop(&e.events).(event)
	e.now = next.at
	next.run()
	return true
}

// clock is our clock.
func (e *engine) clock() time.Time { return epoch.Add(e.now) }

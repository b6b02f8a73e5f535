package risk

import (
	"container/heap"
	"slices"
	"time"

	"github.com/spillway/spillway/domain/policy/calendar"
)

// slack is how many closed orders a list may hold beside as many as are open, so that it is gone through now and then and not each time.
const slack = 64

// History is what has become known so far, told in the order in which it became known. A call with an earlier moment than the last is
// taken as of the last; time passes with every call, so a moment ahead of the clock is the caller's to bring back first, or every deadline
// until then counts as missed. Not safe for concurrent use.
type History struct {
	cal     *calendar.Calendar
	now     int64
	market  *group
	nodes   *groups
	items   *groups
	kinds   *groups
	regions *groups
	open    map[string]*pending
	oldest  []*pending // in the order placed
	dues    dueHeap
	samples []Sample
}

// pending is an open order.
type pending struct {
	order    Order
	features Features
	groups   [5]*group
	handed   time.Time // zero: not yet
	judged   bool
	done     bool // handed over, cancelled or given up: no longer open
}

// NewHistory returns an empty history; business days and the hours of day are those of the calendar.
func NewHistory(cal *calendar.Calendar) *History {
	return &History{cal: cal, market: &group{}, nodes: newGroups(), items: newGroups(), kinds: newGroups(), regions: newGroups(),
		open: map[string]*pending{}}
}

// Place takes in a new order and returns its features as of o.At. One that is open already is not taken in twice.
func (h *History) Place(o Order) Features {
	h.Advance(o.At)
	f := h.Features(o)
	if h.open[o.ID] != nil {
		return f
	}
	p := &pending{order: o, features: f}
	p.groups = [5]*group{h.market, h.nodes.get(o.Node), h.items.get(o.Item), h.kinds.get(o.Category), h.regions.get(o.Region)}
	for _, g := range p.groups {
		g.placed(h.now)
	}
	p.groups[1].queue = append(p.groups[1].queue, p)
	h.open[o.ID] = p
	h.oldest = append(h.oldest, p)
	if !o.Due.IsZero() {
		h.dueKnown(p)
	}
	for len(h.open) > MaxOpen {
		h.giveUp(h.oldest[0])
		h.oldest = h.oldest[1:]
	}
	h.tidy()
	return f
}

// SetDue takes in a deadline that was set, or moved, after the order was placed.
func (h *History) SetDue(id string, due, at time.Time) {
	h.Advance(at)
	p := h.open[id]
	if p == nil || p.judged || due.IsZero() || due.Equal(p.order.Due) {
		return
	}
	p.order.Due = due
	h.dueKnown(p)
}

func (h *History) dueKnown(p *pending) {
	allowed := h.business(p.order.At, p.order.Due)
	for _, g := range p.groups {
		g.allowance.add(h.now, allowed, fastHalf)
	}
	heap.Push(&h.dues, due{p.order.Due.Unix(), p})
	h.tidy()
	if !p.handed.IsZero() {
		h.settle(p, p.handed)
		delete(h.open, p.order.ID)
	}
	h.Advance(time.Unix(h.now, 0))
}

// HandOver takes in that the order was given to the carrier at that moment.
func (h *History) HandOver(id string, at time.Time) {
	h.Advance(at)
	p := h.open[id]
	if p == nil || !p.handed.IsZero() {
		return
	}
	p.handed = at
	h.close(p)
	spare := 1.0 // without a deadline it was not tight
	if !p.order.Due.IsZero() {
		spare = h.business(at, p.order.Due)
	}
	took := max(0, h.business(p.order.At, at))
	for _, g := range p.groups {
		g.handedOver(h.now, took, spare)
	}
	if !p.order.Due.IsZero() {
		h.settle(p, at)
		delete(h.open, id)
	}
}

// Cancel takes in that the order will not be dispatched: it is no longer open and has no outcome.
func (h *History) Cancel(id string, at time.Time) {
	h.Advance(at)
	if p := h.open[id]; p != nil {
		h.giveUp(p)
	}
}

// Advance lets time pass: orders whose deadline has passed are late from now on.
func (h *History) Advance(at time.Time) {
	h.now = max(h.now, at.Unix())
	for len(h.dues) > 0 && h.dues[0].at < h.now {
		d := heap.Pop(&h.dues).(due)
		p := d.order
		if p.done || p.judged || p.order.Due.Unix() != d.at {
			continue
		}
		h.judge(p, true, latest(p.order.At, p.order.Due))
		for _, g := range p.groups {
			g.over++
		}
	}
}

// settle judges an order that was handed over, unless it was judged when its deadline passed.
func (h *History) settle(p *pending, at time.Time) {
	if !p.judged {
		h.judge(p, at.After(p.order.Due), latest(p.order.At, time.Unix(h.now, 0)))
	}
}

// judge takes in an order's fate, known at that moment.
func (h *History) judge(p *pending, late bool, known time.Time) {
	p.judged = true
	for _, g := range p.groups {
		g.judged(h.now, late)
	}
	if len(h.samples) >= 2*MaxSamples { // halved rather than shifted each time
		h.samples = append(h.samples[:0:0], h.samples[MaxSamples:]...)
	}
	h.samples = append(h.samples, Sample{At: p.order.At, Known: known.UTC(), Late: late, Features: p.features})
}

// close takes the order out of the backlogs.
func (h *History) close(p *pending) {
	if p.done {
		return
	}
	p.done = true
	for _, g := range p.groups {
		g.open--
		if p.judged {
			g.over--
		}
	}
	if node := p.groups[1]; len(node.queue) > 2*node.open+slack {
		node.queue = slices.DeleteFunc(node.queue, func(p *pending) bool { return p.done })
	}
}

// tidy lets go of orders that are closed and still in the lists, once they are more than those that are not.
func (h *History) tidy() {
	if len(h.oldest) > 2*len(h.open)+slack {
		h.oldest = slices.DeleteFunc(h.oldest, func(p *pending) bool { return h.open[p.order.ID] != p })
	}
	if len(h.dues) > 2*len(h.open)+slack {
		h.dues = slices.DeleteFunc(h.dues, func(d due) bool { return d.order.done || d.order.judged || d.order.order.Due.Unix() != d.at })
		heap.Init(&h.dues)
	}
}

func (h *History) giveUp(p *pending) {
	h.close(p)
	if h.open[p.order.ID] == p {
		delete(h.open, p.order.ID)
	}
}

// Samples are the orders whose fate became known, by the time it did; at most MaxSamples, the latest.
func (h *History) Samples() []Sample {
	return h.samples[max(0, len(h.samples)-MaxSamples):]
}

// business is the business time from a to b in days, negative where b is before a.
func (h *History) business(a, b time.Time) float64 { return h.position(b) - h.position(a) }

func (h *History) position(t time.Time) float64 {
	zone := h.cal.Zone()
	d := calendar.DayOf(t, zone)
	n := float64(h.cal.Between(0, d-1))
	if h.cal.Business(d) {
		local := t.In(zone)
		n += (float64(local.Hour()) + float64(local.Minute())/60 + float64(local.Second())/3600) / 24
	}
	return n
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

type due struct {
	at    int64
	order *pending
}

type dueHeap []due

func (q dueHeap) Len() int           { return len(q) }
func (q dueHeap) Less(i, j int) bool { return q[i].at < q[j].at }
func (q dueHeap) Swap(i, j int)      { q[i], q[j] = q[j], q[i] }
func (q *dueHeap) Push(x any)        { *q = append(*q, x.(due)) }
func (q *dueHeap) Pop() any {
	old := *q
	x := old[len(old)-1]
	old[len(old)-1] = due{}
	*q = old[:len(old)-1]
	return x
}

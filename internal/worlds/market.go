package worlds

import (
	"math/rand/v2"
	"time"

	"github.com/spillway/spillway/domain/allocation"
)

// market is the outside world: channels that sell by the number they show, customers, and the warehouse. It holds
// the truth. A keeper learns of it only through webhooks, polls and answers.
type market struct {
	engine
	spec   Spec
	faults *rand.Rand
	calm   bool // the world is winding down: no more faults

	shown    []int     // by listing: the number the channel shows
	hidden   []int     // by listing: units sold less units put back that the keeper has not heard of
	log      [][]*fact // by channel: everything that happened to orders, in the channel's order
	outage   []time.Duration
	physical []int // by item: units on our shelves
	active   []int // by item: units in orders that are neither cancelled nor shipped
	nextID   int

	keeper keeper
	before func(listing int) // called before a customer looks, for the oracle
	result Result
}

// keeper is whoever decides what the channels show.
type keeper interface {
	start()
	learn(f *fact)                // a webhook came in
	shipped(o *order)             // the warehouse shipped a known order
	returned(o *order)            // a shipped order came back and is fit for sale
	changed(c change)             // receipt, count, crash
	knows(o *order) bool          // the order has been learned of
	stockFree(item, pool int) int // how many units a count may remove without taking what was promised
}

type order struct {
	id      int
	listing int
	qty     int
	placed  time.Time // the channel's clock, whole seconds
	gone    bool      // cancelled
	shipped bool
}

// fact is a version of an order as the channel tells it.
type fact struct {
	order    *order
	cancel   bool // the order was cancelled; else it was placed
	restocks bool
}

// Result is what came of a world under one keeper.
type Result struct {
	Keeper   string
	Asked    int // units customers wanted
	Sold     int // units ordered, cancellations taken off
	Oversold int // units that were in active orders but not on the shelves, at the worst moment of each item
	Lost     int // units refused to customers because the listing showed too few
	Pushes   int
	Reads    int
	Polls    int
	Events   int
	Drifts   int
	Holds    int
	SoldOut  time.Duration // when the shelves were first bare of unsold units; 0: never
}

func newMarket(s Spec) *market {
	m := &market{spec: s, faults: rand.New(rand.NewPCG(s.Seed, 0xfa017))}
	m.shown, m.hidden = make([]int, len(s.Listings)), make([]int, len(s.Listings))
	for i, l := range s.Listings {
		m.shown[i] = l.initial
	}
	m.log = make([][]*fact, len(s.Channels))
	m.outage = make([]time.Duration, len(s.Channels))
	m.physical, m.active = make([]int, len(s.Items)), make([]int, len(s.Items))
	for i, it := range s.Items {
		for _, n := range it.stock {
			m.physical[i] += n
		}
	}
	for _, a := range s.Arrivals {
		m.at(a.at, func() { m.customer(a) })
	}
	for _, c := range s.Changes {
		m.at(c.at, func() { m.change(c) })
	}
	return m
}

// channelClock is what a channel's clock says now: it tells whole seconds.
func (m *market) channelClock(ch int) time.Time {
	return m.clock().Add(m.spec.Channels[ch].skew).Truncate(time.Second)
}

// customer lets one customer try to buy: a channel sells what it shows, all of it or nothing.
func (m *market) customer(a arrival) {
	m.result.Asked += a.qty
	if m.before != nil {
		m.before(a.listing)
	}
	if m.shown[a.listing] < a.qty {
		m.result.Lost += a.qty
		return
	}
	l := m.spec.Listings[a.listing]
	m.shown[a.listing] -= a.qty
	m.nextID++
	o := &order{id: m.nextID, listing: a.listing, qty: a.qty, placed: m.channelClock(l.channel)}
	m.move(o, 1)
	m.result.Sold += a.qty
	m.tell(l.channel, &fact{order: o})
	if a.cancel > 0 {
		m.after(a.cancel, func() { m.cancel(o, a.restocks) })
	}
	m.after(a.ship, func() { m.ship(o, a.back) })
}

// move adds an order's units to the active ones, n times.
func (m *market) move(o *order, n int) {
	for _, c := range m.spec.Listings[o.listing].policy.Components {
		i := m.spec.item(c.Item)
		m.active[i] += n * o.qty * c.Quantity
		m.result.Oversold = max(m.result.Oversold, m.active[i]-m.physical[i])
		if m.active[i] >= m.physical[i] && m.result.SoldOut == 0 {
			m.result.SoldOut = m.now
		}
	}
}

func (m *market) cancel(o *order, restocks bool) {
	if o.shipped || o.gone {
		return
	}
	o.gone = true
	if restocks {
		m.shown[o.listing] += o.qty
	}
	m.move(o, -1)
	m.result.Sold -= o.qty
	m.tell(m.spec.Listings[o.listing].channel, &fact{order: o, cancel: true, restocks: restocks})
}

// ship sends an order the keeper knows of; one it does not know of waits.
func (m *market) ship(o *order, back time.Duration) {
	switch {
	case o.gone:
	case !m.keeper.knows(o):
		m.after(10*time.Second, func() { m.ship(o, back) })
	default:
		o.shipped = true
		for _, c := range m.spec.Listings[o.listing].policy.Components {
			m.physical[m.spec.item(c.Item)] -= o.qty * c.Quantity
		}
		m.move(o, -1)
		m.keeper.shipped(o)
		if back > 0 {
			m.after(back, func() { m.comeBack(o) })
		}
	}
}

func (m *market) comeBack(o *order) {
	for _, c := range m.spec.Listings[o.listing].policy.Components {
		m.physical[m.spec.item(c.Item)] += o.qty * c.Quantity
	}
	m.keeper.returned(o)
}

// tell writes a fact into the channel's log and sends the webhooks.
func (m *market) tell(ch int, f *fact) {
	m.hide(f, 1)
	m.log[ch] = append(m.log[ch], f)
	c := m.spec.Channels[ch]
	copies := 1
	if m.faults.Float64() < c.loss && !m.calm {
		copies = 0
	} else if m.faults.Float64() < c.double {
		copies = 2
	}
	for range copies {
		m.after(c.event.draw(m.faults), func() { m.keeper.learn(f) })
	}
}

// hide counts a fact the keeper has not heard of; with n = -1 it has now.
func (m *market) hide(f *fact, n int) {
	switch {
	case !f.cancel:
		m.hidden[f.order.listing] += n * f.order.qty
	case f.restocks:
		m.hidden[f.order.listing] -= n * f.order.qty
	}
}

// change applies what happens to the world.
func (m *market) change(c change) {
	switch c.kind {
	case Receipts:
		m.physical[c.index] += c.units
	case Counts:
		c.units = min(c.units, max(0, m.keeper.stockFree(c.index, c.pool)))
		m.physical[c.index] -= c.units
	case Outages:
		m.outage[c.index] = max(m.outage[c.index], m.now+c.lasting)
	case Edits:
		m.shown[c.index] = c.units
	}
	m.keeper.changed(c)
}

// outcome is the fate of a request.
type outcome struct {
	applied  bool
	answered bool // and in time
	refused  bool
	mismatch bool
	answer   allocation.Answer
	actual   int
}

// request sends a request to a channel: apply runs when (and if) the channel carries it out, done when the answer is
// there or the wait is over. A request is applied within the channel's lifetime or never.
func (m *market) request(ch int, apply func(o *outcome), done func(o outcome)) {
	c := m.spec.Channels[ch]
	o := &outcome{}
	timeout := c.lifetime / 2
	there, back := c.push.draw(m.faults), c.push.draw(m.faults)
	fate, refused := m.faults.Float64(), m.faults.Float64() < c.refuse && !m.calm
	lost := false
	if fate < c.doubt && !m.calm {
		switch {
		case fate < c.doubt/3: // lost on the way there
			lost = true
		case fate < 2*c.doubt/3: // lost on the way back
			back = 2 * timeout
		default: // applied late
			there = time.Duration(m.faults.Float64() * float64(c.lifetime))
		}
	}
	if m.now < m.outage[ch] {
		lost = m.faults.IntN(2) == 0
		back = 2 * timeout
	}
	finished := false
	if !lost && there <= c.lifetime {
		m.after(there, func() {
			if refused {
				o.refused = true
			} else {
				o.applied = true
				apply(o)
			}
			pause := time.Duration(m.faults.Float64() * float64(back)) // the answer is written a little later
			if c.tellsTime {
				m.after(pause, func() { o.answer.ChannelAt = m.channelClock(ch) })
			}
			m.after(back, func() {
				if !finished {
					finished, o.answered = true, true
					o.answer.At = m.clock()
					done(*o)
				}
			})
		})
	}
	m.after(timeout, func() {
		if !finished {
			finished = true
			done(outcome{})
		}
	})
}

// write applies a push to what a listing shows.
func (m *market) write(p allocation.Push, listing int, o *outcome) {
	tells := m.spec.Channels[m.spec.Listings[listing].channel].tellsMore
	switch p.Kind {
	case allocation.CompareAndSet:
		if m.shown[listing] != p.From {
			o.mismatch = true
			o.actual = m.shown[listing]
			return
		}
		m.shown[listing] = p.Quantity
	case allocation.Delta:
		m.shown[listing] += p.Delta
		if tells {
			after := m.shown[listing]
			o.answer.After = &after
		}
	default:
		m.shown[listing] = p.Quantity
	}
}

package ops

import (
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/spillway/spillway/connector/driver"
	"github.com/spillway/spillway/domain/order"
)

const (
	// window is how far back the measured times shown on pages look.
	window = 5 * time.Minute
	// samples bounds how many measured times are kept; beyond it the oldest go.
	samples = 8192
)

// Gauges are what this process measures about itself: counters since its start, and times over the last minutes.
type Gauges struct {
	now     func() time.Time
	webhook atomic.Int64 // received and new
	repeats atomic.Int64
	forged  atomic.Int64
	parked  atomic.Int64
	drifts  atomic.Int64
	orders  atomic.Int64

	mu       sync.Mutex
	outcomes map[driver.Outcome]int64

	ack      sampled // webhook received to durable
	reserved sampled // message received to units reserved
	rights   sampled // committed change to the last channel told
	pushes   sampled // push sent to answered
	perConn  perMinute
	steps    steps // of intakes
	sales    pace  // units sold by listing
}

func newGauges(now func() time.Time) *Gauges {
	return &Gauges{now: now, outcomes: map[driver.Outcome]int64{}}
}

// Snapshot is the gauges at one moment.
type Snapshot struct {
	Webhooks, Repeats, Forged, Parked, Drifts, Orders int64
	Pushes                                            map[driver.Outcome]int64
	Ack, SaleToReserved, ChangeToRight, PushToTold    Times
}

// Times are measured durations over Window.
type Times struct {
	P50, P99, Max time.Duration
	Count         int64
	Window        time.Duration
}

// Snapshot reads all gauges.
func (g *Gauges) Snapshot() Snapshot {
	now := g.now()
	s := Snapshot{
		Webhooks: g.webhook.Load(), Repeats: g.repeats.Load(), Forged: g.forged.Load(), Parked: g.parked.Load(), Drifts: g.drifts.Load(),
		Orders: g.orders.Load(), Pushes: map[driver.Outcome]int64{},
		Ack: g.ack.times(now), SaleToReserved: g.reserved.times(now), ChangeToRight: g.rights.times(now), PushToTold: g.pushes.times(now),
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	for o, n := range g.outcomes {
		s.Pushes[o] = n
	}
	return s
}

func (g *Gauges) received(fresh bool, took time.Duration) {
	if !fresh {
		g.repeats.Add(1)
		return
	}
	g.webhook.Add(1)
	g.ack.add(g.now(), took)
}

// order measures an order's first appearance with its lines: how long after the channel made it its units were reserved.
func (g *Gauges) order(now time.Time, before, after *order.Order, in Incoming) {
	if (before != nil && len(before.Lines) > 0) || len(after.Lines) == 0 {
		return
	}
	g.orders.Add(1)
	g.perConn.add(after.ConnectionID, now)
	g.sales.sale(after, now)
	// Channels stamp their messages in whole seconds, so the time is taken from when the message reached us.
	if !in.ReceivedAt.IsZero() {
		g.reserved.add(now, now.Sub(in.ReceivedAt))
	}
}

func (g *Gauges) right(took time.Duration) { g.rights.add(g.now(), took) }

func (g *Gauges) pushed(o driver.Outcome, took time.Duration) {
	g.mu.Lock()
	g.outcomes[o]++
	g.mu.Unlock()
	if o == driver.Confirmed {
		g.pushes.add(g.now(), took)
	}
}

// steps are how long the parts of a batch have taken in all.
type steps struct {
	mu   sync.Mutex
	took map[string]time.Duration
}

func (s *steps) add(step string, took time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.took == nil {
		s.took = map[string]time.Duration{}
	}
	s.took[step] += took
}

// IntakeSteps is how long each step of the intakes has taken in all since the start; "all" is the transactions from begin to commit.
func (g *Gauges) IntakeSteps() map[string]time.Duration {
	g.steps.mu.Lock()
	defer g.steps.mu.Unlock()
	return maps.Clone(g.steps.took)
}

// OrdersLastMinute counts the orders of a connection that arrived in the last 60 seconds.
func (g *Gauges) OrdersLastMinute(connectionID string) int64 {
	return g.perConn.count(connectionID, g.now())
}

// sampled keeps the newest measured durations.
type sampled struct {
	mu   sync.Mutex
	at   []time.Time
	took []time.Duration
	next int
}

func (s *sampled) add(at time.Time, took time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.at) < samples {
		s.at, s.took = append(s.at, at), append(s.took, took)
		return
	}
	s.at[s.next], s.took[s.next] = at, took
	s.next = (s.next + 1) % samples
}

func (s *sampled) times(now time.Time) Times {
	s.mu.Lock()
	var in []time.Duration
	for i, at := range s.at {
		if now.Sub(at) <= window {
			in = append(in, s.took[i])
		}
	}
	s.mu.Unlock()
	t := Times{Count: int64(len(in)), Window: window}
	if len(in) == 0 {
		return t
	}
	slices.Sort(in)
	t.P50, t.P99, t.Max = in[len(in)/2], in[(len(in)*99)/100], in[len(in)-1]
	return t
}

// perMinute counts what happened per key in the last sixty seconds, by second.
type perMinute struct {
	mu    sync.Mutex
	byKey map[string]*[60]secondCount
}

type secondCount struct {
	second int64
	n      int64
}

func (p *perMinute) add(key string, at time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.byKey == nil {
		p.byKey = map[string]*[60]secondCount{}
	}
	ring := p.byKey[key]
	if ring == nil {
		ring = &[60]secondCount{}
		p.byKey[key] = ring
	}
	c := &ring[at.Unix()%60]
	if c.second != at.Unix() {
		*c = secondCount{second: at.Unix()}
	}
	c.n++
}

func (p *perMinute) count(key string, now time.Time) int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	var n int64
	if ring := p.byKey[key]; ring != nil {
		for _, c := range ring {
			if now.Unix()-c.second < 60 {
				n += c.n
			}
		}
	}
	return n
}

// Reset forgets the measured times, so that a measurement begins after its set-up.
func (g *Gauges) Reset() {
	for _, s := range []*sampled{&g.ack, &g.reserved, &g.rights, &g.pushes} {
		s.mu.Lock()
		s.at, s.took, s.next = nil, nil, 0
		s.mu.Unlock()
	}
}

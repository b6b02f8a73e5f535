package forecast

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/spillway/spillway/domain/order"
	"github.com/spillway/spillway/domain/policy"
)

// model is an input made ready to be played: times in hours from at (none is +Inf), orders in the sequence of work, alike ones known as alike.
type model struct {
	in       Input
	at       time.Time
	zone     *time.Location
	ends     []float64 // end of each step; steps are whole hours, but the first that is what is left of one
	starts   []time.Time
	nodes    []nodeModel
	profiles []profile
	of       []int32 // profile of each open order
	rates    []rateDay
	metrics  []policy.Metric
	days     int // days judged, today included
}

// nodeModel is a node's capacity and demand by step, and its queue.
type nodeModel struct {
	capacity, arrivals []float64
	day                []int // local day of each step, 0 is today
	capacityDay        []float64
	arrivalsDay        []float64
	lanes              []laneModel
	classes            []class
	throughput         Throughput
	demand             Arrivals
}

type laneModel struct {
	share, missing float64
	lag, transit   Dist
	longest        float64 // hours of lag after which every parcel is scanned; +Inf if some never are
	pickups        []Pickup
	off            []Shift
	zone           *time.Location
	next           []float64 // when what is ready at the end of a step is picked up
}

// class is the orders of one urgency. Classes are worked in their order, and within one what can be worked on first comes first.
type class struct {
	first       bool
	due, cancel float64 // cancel: what is not ready by then is cancelled
	lots        []lot
}

// lot is what can be worked on from one step on: known orders, or those expected to come.
type lot struct {
	step  int
	items []int32   // known orders
	work  []float64 // of each
	prof  []int32   // of expected ones: a profile for each lane
	base  float64   // work of the known orders, or expected ones at level 1
	hours float64   // from now, for the decay of the level
}

type stage uint8

const (
	waiting stage = iota
	readied
	road
)

// profile is everything about an order that its chances depend on, besides its place in the queue. Deadlines are rounded up to grain, moments
// down to the hour, so that thousands of orders share a few hundred profiles; days of anchors are exact.
type profile struct {
	node, lane                                 int16
	stage                                      stage
	future                                     bool
	class                                      policy.Class
	handBy, shipBy, acShip, acHand, deliverBy  float64
	readyAt, handedAt                          float64
	pickup                                     float64 // of one that is ready
	placedDay, readyDay, handedDay, deliverDay policy.Day
}

const (
	grain       = 5 * time.Minute
	coarse      = time.Hour // the grain if orders differ more than maxProfiles
	maxProfiles = 3000
)

func newModel(in Input, at time.Time) *model {
	m := &model{in: in, at: at, zone: in.Zone}
	if m.zone == nil {
		m.zone = time.UTC
	}
	if len(m.in.Nodes) == 0 {
		m.in.Nodes = []Node{{}}
	}
	m.days = 1 + UsualDay
	if in.Days > 0 {
		m.days = 1 + min(in.Days, MaxDays)
	}
	m.grid()
	m.rateDays()
	for i := range m.in.Nodes {
		m.nodes = append(m.nodes, m.node(&m.in.Nodes[i]))
	}
	m.profile()
	m.line()
	return m
}

// hours is a moment in hours from now; +Inf for none.
func (m *model) hours(t time.Time) float64 {
	if t.IsZero() {
		return math.Inf(1)
	}
	return t.Sub(m.at).Hours()
}

// dayStart is the beginning of a day in hours from now.
func (m *model) dayStart(d policy.Day) float64 { return m.hours(d.Start(m.zone)) }

// grid makes the steps: up to the last day judged, or to the last deadline for dispatch if that is later, within maxHours.
func (m *model) grid() {
	today := policy.DayOf(m.at, m.zone)
	far := m.dayStart(today + policy.Day(m.days))
	for i := range m.in.Open {
		d := &m.in.Open[i].Deadlines
		for _, due := range [...]time.Time{d.HandOverBy, d.ShipBy, d.AutoCancelShipBy} {
			if !due.IsZero() {
				far = max(far, m.hours(due)+1)
			}
		}
	}
	from := m.at.Truncate(time.Hour)
	for h := 0; h < maxHours; h++ {
		start := from.Add(time.Duration(h) * time.Hour)
		m.starts = append(m.starts, start)
		m.ends = append(m.ends, m.hours(start.Add(time.Hour)))
		if m.ends[h] >= far {
			return
		}
	}
}

func (m *model) node(n *Node) nodeModel {
	zone := n.Zone
	if zone == nil {
		zone = time.UTC
	}
	out := nodeModel{throughput: n.Throughput, demand: n.Arrivals, capacity: make([]float64, len(m.ends)), arrivals: make([]float64, len(m.ends))}
	if n.Throughput.PerHour == (Weekly{}) && n.Throughput.Basis == Assumed {
		out.throughput.PerHour = shopHours()
	}
	if out.throughput.Spread <= 0 {
		out.throughput.Spread, out.throughput.Carry = teamSpread, usualCarry
	}
	if out.demand.HalfLife <= 0 {
		out.demand.HalfLife = defaultHalfLife
	}
	if out.demand.Level <= 0 {
		out.demand.Level = 1
	}
	from, today := 0.0, policy.DayOf(m.at, zone)
	for k, start := range m.starts {
		day := max(int(policy.DayOf(start, zone)-today), 0)
		for len(out.capacityDay) <= day {
			out.capacityDay, out.arrivalsDay = append(out.capacityDay, 0), append(out.arrivalsDay, 0)
		}
		part := m.ends[k] - from
		from = m.ends[k]
		how := hourOfWeek(start, zone)
		out.arrivals[k] = n.Arrivals.PerHour[how] * part
		out.capacity[k] = out.throughput.PerHour[how] * max(part-m.overlap(n.Closed, k, nil), 0)
		m.overlap(n.Extra, k, &out.capacity[k])
		out.day = append(out.day, day)
		out.capacityDay[day] += out.capacity[k]
		out.arrivalsDay[day] += out.arrivals[k]
	}
	m.lanes(n, zone, &out)
	return out
}

func (m *model) lanes(n *Node, zone *time.Location, out *nodeModel) {
	lanes, total := n.Lanes, 0.0
	if len(lanes) == 0 {
		lanes = []Lane{{}}
	}
	for _, l := range lanes {
		total += max(l.Share, 0)
	}
	for _, l := range lanes {
		lm := laneModel{missing: min(max(l.Missing.Value, 0), 1), lag: l.Lag.or(defaultLag), transit: l.Transit.or(defaultTransit),
			pickups: l.Pickups, zone: zone, off: slices.Concat(n.Closed, l.Off), share: 1 / float64(len(lanes)), next: make([]float64, len(m.ends))}
		lm.longest = lm.lag.quantile(1)
		if total > 0 {
			lm.share = max(l.Share, 0) / total
		}
		for k, end := range m.ends {
			lm.next[k] = end
			if len(l.Pickups) > 0 {
				lm.next[k] = m.hours(lm.van(m.starts[k].Add(time.Hour)))
			}
		}
		out.lanes = append(out.lanes, lm)
	}
}

func within(list []Shift, t time.Time) bool {
	return slices.ContainsFunc(list, func(s Shift) bool { return !t.Before(s.From) && t.Before(s.Until) })
}

// overlap is how many hours of a step lie in shifts, counted for each of them; done, if there is one, gets the work done in them.
func (m *model) overlap(list []Shift, k int, done *float64) (sum float64) {
	for _, x := range list {
		from, until := max(m.ends[k]-1, 0, m.hours(x.From)), min(m.ends[k], m.hours(x.Until))
		if until <= from {
			continue
		}
		sum += until - from
		if done != nil {
			*done += x.PerHour * (until - from)
		}
	}
	return sum
}

// vanDays is how far a van is looked for: past the longest stretch in which holidays and weekends follow one another, and a move of a warehouse.
const vanDays = 30

// van is when the first van comes that takes what is ready at a moment.
func (l *laneModel) van(ready time.Time) time.Time {
	y, mo, d := ready.In(l.zone).Date()
	for day := range vanDays {
		var best time.Time
		weekday := time.Date(y, mo, d+day, 12, 0, 0, 0, l.zone).Weekday()
		for _, p := range l.pickups {
			if weekday != p.Weekday {
				continue
			}
			h, rest := p.Clock/time.Hour, p.Clock%time.Hour
			van := time.Date(y, mo, d+day, int(h), int(rest/time.Minute), 0, 0, l.zone)
			if !ready.After(van.Add(-p.Cutoff)) && (best.IsZero() || van.Before(best)) && !within(l.off, van) {
				best = van
			}
		}
		if !best.IsZero() {
			return best
		}
	}
	return ready // no van for weeks: not a pattern one can wait for
}

// profile finds each order's profile, more coarsely if too many differ.
func (m *model) profile() {
	nodes, lanes := map[string]int16{}, make([]map[string]int16, len(m.in.Nodes))
	usual := make([]int16, len(m.in.Nodes))
	for i, n := range m.in.Nodes {
		nodes[n.Code] = int16(i)
		lanes[i] = map[string]int16{}
		for k, l := range n.Lanes {
			lanes[i][l.Carrier] = int16(k)
			if m.nodes[i].lanes[k].share > m.nodes[i].lanes[usual[i]].share {
				usual[i] = int16(k)
			}
		}
	}
	for _, g := range []time.Duration{grain, coarse} {
		m.profiles, m.of = nil, make([]int32, len(m.in.Open))
		known := map[profile]int32{}
		for i := range m.in.Open {
			o := &m.in.Open[i]
			n := nodes[o.Node]
			l, ok := lanes[n][o.Carrier]
			if !ok {
				l = usual[n]
			}
			m.of[i] = m.intern(known, m.profileOf(o, n, l, g))
		}
		if len(m.profiles) <= maxProfiles {
			break
		}
	}
}

func (m *model) intern(known map[profile]int32, p profile) int32 {
	i, ok := known[p]
	if !ok {
		i = int32(len(m.profiles))
		known[p] = i
		m.profiles = append(m.profiles, p)
	}
	return i
}

func (m *model) profileOf(o *Open, node, lane int16, g time.Duration) profile {
	up := func(t time.Time) float64 {
		if t.IsZero() {
			return math.Inf(1)
		}
		return m.hours(t.Add(g - 1).Truncate(g))
	}
	d := o.Deadlines
	p := profile{node: node, lane: lane, class: o.Class, readyAt: math.Inf(1), handedAt: math.Inf(1),
		handBy: up(d.HandOverBy), shipBy: up(d.ShipBy), acShip: up(d.AutoCancelShipBy), acHand: up(d.AutoCancelHandOverBy), deliverBy: up(d.DeliverBy),
		placedDay: policy.DayOf(o.PlacedAt, m.zone)}
	if !d.DeliverBy.IsZero() {
		p.deliverDay = policy.DayOf(d.DeliverBy, m.zone)
	}
	if !o.ReadyAt.IsZero() {
		p.stage, p.readyDay, p.readyAt = readied, policy.DayOf(o.ReadyAt, m.zone), m.hours(o.ReadyAt.Truncate(time.Hour))
	}
	if p.stage == readied {
		p.pickup = p.readyAt
		if l := &m.nodes[node].lanes[lane]; len(l.pickups) > 0 {
			p.pickup = m.hours(l.van(o.ReadyAt))
		}
	}
	if !o.HandedOverAt.IsZero() {
		p.stage, p.handedDay, p.handedAt = road, policy.DayOf(o.HandedOverAt, m.zone), m.hours(o.HandedOverAt.Truncate(time.Hour))
	}
	return p
}

// urgency is the earliest deadline of an order that waits, as order.NextDue has it.
func urgency(d order.Deadlines) time.Time {
	var next time.Time
	for _, t := range [...]time.Time{d.ShipBy, d.HandOverBy, d.AutoCancelShipBy, d.AutoCancelHandOverBy, d.AutoCancelDeliverBy,
		d.DeliverBy, d.PromisedBy, d.PickUpBy, d.FastDispatchBy} {
		if !t.IsZero() && (next.IsZero() || t.Before(next)) {
			next = t
		}
	}
	return next
}

// place is where an order stands in its node's queue.
type place struct {
	order       int32
	node        int16
	first       bool
	due, cancel float64
	step        int
}

func (p place) compare(q place) int {
	if p.first != q.first {
		if p.first {
			return -1
		}
		return 1
	}
	return cmp.Or(cmp.Compare(p.due, q.due), cmp.Compare(p.cancel, q.cancel))
}

// line puts the waiting orders of each node in the sequence of work (that of order.ByUrgency) and the expected ones behind them, each where its
// deadline will put it.
func (m *model) line() {
	places := make([]place, 0, len(m.in.Open))
	for i := range m.in.Open {
		p, o := &m.profiles[m.of[i]], &m.in.Open[i]
		if p.stage != waiting {
			continue
		}
		x := place{order: int32(i), node: p.node, first: o.First, due: m.hours(urgency(o.Deadlines)), cancel: min(p.acShip, p.acHand)}
		if h := m.hours(o.From); !o.From.IsZero() && h > 0 {
			x.step = min(m.step(h), len(m.ends)) // beyond the grid: never within what is played
		}
		places = append(places, x)
	}
	slices.SortFunc(places, func(x, y place) int {
		a, b := &m.in.Open[x.order], &m.in.Open[y.order]
		return cmp.Or(cmp.Compare(x.node, y.node), x.compare(y), cmp.Compare(x.step, y.step), a.PlacedAt.Compare(b.PlacedAt), strings.Compare(a.ID, b.ID))
	})
	var last *place
	for i := range places {
		x := &places[i]
		n := &m.nodes[x.node]
		if last == nil || last.node != x.node || last.compare(*x) != 0 {
			n.classes = append(n.classes, class{first: x.first, due: x.due, cancel: x.cancel})
		}
		c := &n.classes[len(n.classes)-1]
		if len(c.lots) == 0 || c.lots[len(c.lots)-1].step != x.step {
			c.lots = append(c.lots, lot{step: x.step})
		}
		l := &c.lots[len(c.lots)-1]
		w := m.in.Open[x.order].Work
		if w <= 0 {
			w = 1
		}
		l.items, l.work, l.base = append(l.items, x.order), append(l.work, w), l.base+w
		last = x
	}
	known := map[profile]int32{}
	for i := range m.nodes {
		m.expect(int16(i), known)
	}
}

// step is the one in which a moment lies, its beginning included.
func (m *model) step(h float64) int {
	i, _ := slices.BinarySearchFunc(m.ends, h, func(end, h float64) int {
		if end <= h {
			return -1
		}
		return 1
	})
	return i
}

// expect adds the orders to come to a node's queue, one lot an hour.
func (m *model) expect(node int16, known map[profile]int32) {
	n := &m.nodes[node]
	type key struct{ due, cancel float64 }
	at := map[key]int{}
	for i, c := range n.classes {
		if !c.first {
			at[key{c.due, c.cancel}] = i
		}
	}
	from := 0.0
	for k, a := range n.arrivals {
		mid := (from + m.ends[k]) / 2
		from = m.ends[k]
		if a <= 0 {
			continue
		}
		placed := m.at.Add(time.Duration(mid * float64(time.Hour)))
		o := Open{PlacedAt: placed}
		if m.in.Due != nil {
			o.Deadlines = m.in.Due(placed)
		}
		l := lot{step: k, base: a, hours: mid}
		var cancel float64
		for lane := range n.lanes {
			p := m.profileOf(&o, node, int16(lane), grain)
			p.future = true
			cancel = min(p.acShip, p.acHand)
			l.prof = append(l.prof, m.intern(known, p))
		}
		id := key{m.hours(urgency(o.Deadlines)), cancel}
		c, ok := at[id]
		if !ok {
			c = len(n.classes)
			at[id] = c
			n.classes = append(n.classes, class{due: id.due, cancel: cancel})
		}
		n.classes[c].lots = append(n.classes[c].lots, l)
	}
	for i := range n.classes {
		slices.SortStableFunc(n.classes[i].lots, func(a, b lot) int { return cmp.Compare(a.step, b.step) })
	}
	slices.SortStableFunc(n.classes, func(a, b class) int {
		return place{first: a.first, due: a.due, cancel: a.cancel}.compare(place{first: b.first, due: b.due, cancel: b.cancel})
	})
}

package ops

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/spillway/spillway/domain/flow"
	"github.com/spillway/spillway/domain/forecast"
	"github.com/spillway/spillway/domain/forecast/risk"
	"github.com/spillway/spillway/domain/health"
	"github.com/spillway/spillway/domain/order"
	"github.com/spillway/spillway/domain/policy"
	"github.com/spillway/spillway/store"
)

const (
	// learnFrom is how far back forecasts learn what nodes and carriers can do.
	learnFrom = 42 * 24 * time.Hour
	// aheadDays is how far sums are read ahead: rates that go by a due day count orders that are due in the weeks to come.
	aheadDays = 60
	// waitingPage and movingPage bound the open orders a forecast looks at, those due first: waiting for their node or their carrier, and on the
	// road. Those due last of more are left out.
	waitingPage, movingPage = 100_000, 50_000
	// readPage orders are read at a time.
	readPage = 1_000
	// usualCancels and cancelWeight are what is assumed of cancellations by the seller's fault before there is history: half the limit most
	// markets set, as firmly as 200 orders would say so.
	usualCancels, cancelWeight = 0.0125, 200
)

// openStates are the states in which something may still happen to an order, and how many of each are looked at.
var openStates = []struct {
	status order.Status
	page   int
}{{order.AwaitingShipment, waitingPage}, {order.PartiallyShipping, waitingPage}, {order.AwaitingCollection, waitingPage}, {order.OnHold, waitingPage},
	{order.InTransit, movingPage}}

// openOrder is an open order as forecasts need it, with the version it was read at.
type openOrder struct {
	version    int64
	connection string
	placed     bool // it is owed; else the channel still holds it
	forecast.Open
	asked   *risk.Order   // as models of late risk see it; nil: it is not the seller's to send, or not owed yet
	pending []health.Mark // it counts against the shop on these days unless what is to come comes
}

// openCache keeps open orders between forecasts, so that only those that changed are read again. It belongs to one goroutine.
type openCache map[string]openOrder

// refresh brings the cache to what a snapshot holds.
func (c openCache) refresh(tx *store.Tx, rules *rulebook) error {
	seen := map[string]bool{}
	var changed []string
	for _, s := range openStates {
		rows, err := tx.OrdersOfStatus(s.status, s.page)
		if err != nil {
			return err
		}
		for _, r := range rows {
			seen[r.ID] = true
			if was, ok := c[r.ID]; !ok || was.version != r.Version {
				changed = append(changed, r.ID)
			}
		}
	}
	maps.DeleteFunc(c, func(id string, _ openOrder) bool { return !seen[id] })
	for ids := range slices.Chunk(changed, readPage) {
		orders, err := tx.OrdersGet(ids)
		if err != nil {
			return err
		}
		for i := range orders {
			c[orders[i].ID] = openOf(&orders[i], tx.OrderVersion(orders[i].ID), rules.of[orders[i].ConnectionID])
		}
	}
	return nil
}

func openOf(o *order.Order, version int64, j *judged) openOrder {
	out := openOrder{version: version, connection: o.ConnectionID}
	due := o.Deadlines
	var rules *policy.RuleSet
	if j != nil {
		rules = j.rules
		due = j.rules.Deadlines(o)
		var b health.Batch
		b.Add(j.judge, o.ConnectionID, nil, o)
		out.pending = slices.DeleteFunc(b.Marks(), func(m health.Mark) bool { return !m.Reason.Pending() })
	}
	out.Open = forecast.Open{ID: o.ID, Node: o.Node(), PlacedAt: o.OwedSince(), ReadyAt: o.Moments.ReadyAt, HandedOverAt: o.Moments.HandedOverAt, Deadlines: due}
	if out.placed = !out.PlacedAt.IsZero(); !out.placed {
		out.PlacedAt = o.CreatedAt
	}
	if len(o.Parcels) > 0 {
		out.Carrier = o.Parcels[0].Carrier
	}
	switch {
	case o.Fulfilment == order.ByPlatform:
		out.Class = policy.ByPlatform
	case o.Flags.PlatformLabel:
		out.Class = policy.PlatformLabel
	case o.Flags.Sample:
		out.Class = policy.Sample
	case o.Flags.Replacement:
		out.Class = policy.Replacement
	case o.Flags.PreOrder:
		out.Class = policy.PreOrder
	}
	if asked := askedOf(o, rules); out.placed && o.Fulfilment != order.ByPlatform {
		out.asked = &asked
	}
	return out
}

// foreseeable is what one shop's forecast is made from.
func (x *Ops) foreseeable(tx *store.Tx, connection string, j *judged, p *places, cache openCache, at time.Time) (forecast.Input, error) {
	zone := j.rules.Location()
	today := policy.DayOf(at, zone)
	in := forecast.Input{Zone: zone, Bands: j.rules.Bands, Counted: map[string][]forecast.DayCount{}, Due: func(placed time.Time) order.Deadlines {
		o := order.Order{Status: order.AwaitingShipment}
		o.CreatedAt, o.PaidAt = placed, placed
		return j.rules.Deadlines(&o)
	}}
	var bad, all int64
	for _, r := range foreseenRates(j.rules, today) {
		in.Rates = append(in.Rates, r)
		days, err := tx.HealthDays(connection, health.Key(j.rules, r), today-policy.Day(r.Days+r.Lag), today+aheadDays)
		if err != nil {
			return in, err
		}
		for _, d := range days {
			in.Counted[r.ID] = append(in.Counted[r.ID], forecast.DayCount{Day: d.Day, Num: d.Num, Den: d.Den})
			if r.Metric == policy.SFCR {
				bad, all = bad+d.Num, all+d.Den
			}
		}
	}
	in.SellerCancels = forecast.LearnShare(bad, all, usualCancels, cancelWeight)
	waiting := map[string]int{}
	for _, o := range cache {
		if o.connection != connection {
			continue
		}
		o.Node = p.keyOf(connection, o.Node)
		if o.waits() {
			waiting[o.Node]++
		}
		in.Open = append(in.Open, o.Open)
	}
	slices.SortFunc(in.Open, func(a, b forecast.Open) int { return cmp.Compare(a.ID, b.ID) })
	var err error
	in.Nodes, err = p.nodesOf(tx, connection, zone, waiting, cache)
	return in, err
}

// overdue are the pending marks of a shop whose day has begun.
func (c openCache) overdue(connection string, today policy.Day) (out []health.Mark) {
	for _, o := range c {
		if o.connection != connection {
			continue
		}
		for _, m := range o.pending {
			if m.Day <= today {
				out = append(out, m)
			}
		}
	}
	return out
}

// markOverdue makes the pending marks kept of a shop those that there are.
func markOverdue(tx *store.Tx, connection string, are []health.Mark) error {
	kept, err := tx.HealthPendingMarks(connection)
	if err != nil {
		return err
	}
	lacks := newSums()
	for _, list := range []struct {
		marks []health.Mark
		sign  int64
	}{{are, 1}, {kept, -1}} {
		for _, m := range list.marks {
			if err := lacks.putMark(m, list.sign); err != nil {
				return err
			}
		}
	}
	_, _, marks, err := lacks.lists()
	if err != nil || len(marks) == 0 {
		return err
	}
	return tx.HealthAdd(nil, marks)
}

// foreseenRates are the definitions that hold today or on one of the days a forecast looks at.
func foreseenRates(rules *policy.RuleSet, today policy.Day) (out []policy.Rate) {
	for _, m := range policy.Metrics {
		for day := today; day <= today+forecast.UsualDay; day++ {
			r, ok := rules.RateOn(m, day)
			if ok && !slices.ContainsFunc(out, func(k policy.Rate) bool { return k.ID == r.ID }) {
				out = append(out, r)
			}
		}
	}
	return out
}

// nodesOf is what a shop's nodes and carriers can do: stated, or learned.
func (p *places) nodesOf(tx *store.Tx, connection string, zone *time.Location, waiting map[string]int, cache openCache) ([]forecast.Node, error) {
	since, now := flow.HourOf(p.at.Add(-learnFrom)), flow.HourOf(p.at)
	lags, err := tx.FlowLags(connection, since/24*24)
	if err != nil {
		return nil, err
	}
	lanes := lanesOf(lags, cache.unfinished(connection, p.at))
	byNode := map[string][]flow.Count{}
	for node := range waiting {
		byNode[node] = nil
	}
	for _, c := range p.counts[connection] {
		byNode[c.Node] = append(byNode[c.Node], c)
	}
	var nodes []forecast.Node
	for _, code := range slices.Sorted(maps.Keys(byNode)) {
		at := zone
		if n := p.nodes[p.idOf(connection, code)]; n != nil {
			at = n.days.Zone()
		}
		ready, placed := hoursOf(byNode[code], waiting[code], now)
		node := forecast.Node{Code: code, Zone: at, Lanes: lanes, Throughput: forecast.LearnThroughput(at, ready), Arrivals: forecast.LearnArrivals(p.at, at, placed)}
		p.known(connection, &node, cache)
		nodes = append(nodes, node)
	}
	return nodes, nil
}

// hoursOf lists what happened at a node in each hour from the first known one to the last whole one. How long its queue was then follows
// backwards from what waits now.
func hoursOf(counts []flow.Count, waiting int, now flow.Hour) (ready, placed []forecast.Hour) {
	type hour struct{ placed, ready, dropped int64 }
	first, by := now, map[flow.Hour]hour{}
	for _, c := range counts {
		h := by[c.Hour]
		switch c.Kind {
		case flow.Placed:
			h.placed += c.N
		case flow.Ready:
			h.ready += c.N
		case flow.Dropped:
			h.dropped += c.N
		}
		by[c.Hour], first = h, min(first, c.Hour)
	}
	queue := int64(waiting)
	for at := now; at >= first; at-- {
		h := by[at]
		if at < now {
			ready = append(ready, forecast.Hour{At: at.Time(), Count: int(h.ready), Queue: int(max(queue, 0))})
			placed = append(placed, forecast.Hour{At: at.Time(), Count: int(h.placed)})
		}
		queue += h.ready + h.dropped - h.placed
	}
	slices.Reverse(ready)
	slices.Reverse(placed)
	return ready, placed
}

// lanesOf learns the carriers of a shop from what took so long and what lasts so long already.
func lanesOf(ended, waiting []flow.Lag) []forecast.Lane {
	waits, orders := map[string]map[flow.Leg][]forecast.Wait{}, map[string]int64{}
	var total int64
	for _, l := range ended {
		orders[l.Carrier] += l.N
		total += l.N
		if waits[l.Carrier] == nil {
			waits[l.Carrier] = map[flow.Leg][]forecast.Wait{}
		}
		if l.N > 0 {
			waits[l.Carrier][l.Leg] = append(waits[l.Carrier][l.Leg], wait(l.Hours, true, l.N))
		}
	}
	for _, l := range waiting {
		if of := waits[l.Carrier]; of != nil {
			of[l.Leg] = append(of[l.Leg], wait(l.Hours, false, l.N))
		}
	}
	var lanes []forecast.Lane
	for _, carrier := range slices.Sorted(maps.Keys(orders)) {
		lanes = append(lanes, forecast.Lane{Carrier: carrier, Share: float64(orders[carrier]) / float64(total),
			Lag: forecast.LearnLag(waits[carrier][flow.ToScan]), Transit: forecast.LearnTransit(waits[carrier][flow.ToDelivery])})
	}
	return lanes
}

package ops

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/spillway/spillway/domain/flow"
	"github.com/spillway/spillway/domain/forecast"
	"github.com/spillway/spillway/domain/network"
	"github.com/spillway/spillway/domain/policy/calendar"
	"github.com/spillway/spillway/store"
)

const (
	// restAhead is how far closures are handed to a forecast: as far as it plays its queues.
	restAhead = 46
	// pickupSeen is how long ago a parcel's van may have come for its first scan to be learned from. Hardly any parcel is delivered sooner, so all
	// that went with such a van are among the open orders, those scanned and those that wait: what is learned is not drawn to either.
	pickupSeen = 36 * time.Hour
)

// places are the nodes of all shops with what passed through them, read once for the forecasts of all.
type places struct {
	at      time.Time
	cat     *catalogue
	nodes   map[string]*place // by id
	counts  map[string][]flow.Count
	only    map[string]string    // by connection: the one node that may serve it, if there is one
	learned map[string][]learned // by node: what is known of each shop there
}

// place is a node of which something is said.
type place struct {
	store.Node
	days   *network.Timetable
	stated forecast.Weekly
	off    []forecast.Shift // closed, from as long ago as is learned from
	extra  []forecast.Shift
}

// learned is a shop's part in a node.
type learned struct {
	connection string
	counts     []flow.Count
	waiting    int
}

// placesOf reads the nodes, and for those with stated hours all that passed through them, whichever shop's orders it were: what is stated is the pace of
// all.
func (x *Ops) placesOf(tx *store.Tx, connections []string, cache openCache, at time.Time) (*places, error) {
	p := &places{at: at, cat: x.catalog.Load(), nodes: map[string]*place{}, counts: map[string][]flow.Count{}, only: map[string]string{}, learned: map[string][]learned{}}
	nodes, err := tx.Nodes()
	if err != nil {
		return nil, err
	}
	for _, n := range nodes {
		if n.Active {
			p.add(n)
		}
	}
	waiting := map[[2]string]int{}
	for _, o := range cache {
		if !slices.Contains(connections, o.connection) {
			connections = append(connections, o.connection)
		}
	}
	slices.Sort(connections)
	for _, c := range connections {
		p.only[c] = p.onlyNode(c)
	}
	for _, o := range cache {
		if o.waits() {
			waiting[[2]string{o.connection, p.idOf(o.connection, o.Node)}]++
		}
	}
	for _, c := range connections {
		if p.counts[c], err = tx.FlowCounts(c, flow.HourOf(at.Add(-learnFrom))); err != nil {
			return nil, err
		}
		for i := range p.counts[c] {
			f := &p.counts[c][i]
			f.Node = p.keyOf(c, f.Node)
		}
		by := map[string]learned{}
		for id := range p.nodes {
			if n := waiting[[2]string{c, id}]; n > 0 {
				by[id] = learned{connection: c, waiting: n}
			}
		}
		for _, f := range p.counts[c] {
			if id := p.idOf(c, f.Node); p.nodes[id] != nil {
				l := by[id]
				l.connection, l.waiting = c, waiting[[2]string{c, id}]
				l.counts = append(l.counts, f)
				by[id] = l
			}
		}
		for id, l := range by {
			p.learned[id] = append(p.learned[id], l)
		}
	}
	return p, nil
}

func (p *places) add(n store.Node) {
	days, err := n.Timetable()
	if err != nil { // it was checked when it was saved; what does not hold any more says nothing
		return
	}
	out := &place{Node: n, days: days, stated: weekly(n.Shifts)}
	today := calendar.DayOf(p.at, days.Zone())
	for d := today - calendar.Day(learnFrom/(24*time.Hour)) - 1; d < today+restAhead; d++ {
		if days.Rests(d) != "" {
			out.off = append(out.off, forecast.Shift{From: d.Start(days.Zone()), Until: (d + 1).Start(days.Zone())})
		}
	}
	for _, o := range n.Overtime {
		out.extra = append(out.extra, forecast.Shift{From: o.Day.At(o.From, days.Zone()), Until: o.Day.At(o.Until, days.Zone()), PerHour: float64(o.PerHour)})
	}
	p.nodes[n.ID] = out
}

// weekly is what shifts are good for in each hour of the week.
func weekly(shifts []network.Shift) (w forecast.Weekly) {
	for _, s := range shifts {
		until := s.Until
		if until == calendar.LastSecond {
			until++
		}
		for h := s.From / 3600; h*3600 < until; h++ {
			part := min(until, (h+1)*3600) - max(s.From, h*3600)
			w[int(s.Weekday)*24+int(h)] += float64(s.PerHour) * float64(part) / 3600
		}
	}
	return w
}

// onlyNode is the node of ours that may serve a shop, if there is one only: where its orders leave from though the channel does not say so.
func (p *places) onlyNode(connection string) (only string) {
	for id := range p.nodes {
		if l, ok := p.cat.location(id); ok && l.MayServe(connection) && p.nodes[id].Kind != network.FBT {
			if only != "" {
				return ""
			}
			only = id
		}
	}
	return only
}

// keyOf is one name of a node for all that a shop's orders say of it: our id, else the channel's code.
func (p *places) keyOf(connection, code string) string { return cmp.Or(p.idOf(connection, code), code) }

// idOf is the id of the node an order names, by the channel's code or our id; empty: not known.
func (p *places) idOf(connection, code string) string {
	if code == "" {
		return p.only[connection]
	}
	if p.nodes[code] != nil {
		return code
	}
	if at := p.cat.prefer(connection, code); len(at) == 1 {
		return at[0]
	}
	return ""
}

// pace is what a node can do for one shop: what it states, corrected by all that passed through it, in the part that the shop has of that.
func (p *places) pace(n *place, part float64) forecast.Throughput {
	var all []flow.Count
	waiting := 0
	for _, l := range p.learned[n.ID] {
		all, waiting = append(all, l.counts...), waiting+l.waiting
	}
	ready, _ := hoursOf(all, waiting, flow.HourOf(p.at))
	t := forecast.StatedThroughput(n.days.Zone(), n.stated, ready, append(slices.Clone(n.off), n.extra...))
	for k := range t.PerHour {
		t.PerHour[k] *= part
	}
	return t
}

// part is the share of a node's work that is a shop's: of a day's usual orders and of those that wait now. What waits counts because a floor works by
// what is due, whosesoever it is: a shop that is new, or sells a month's orders overnight, gets its turn.
func (p *places) part(id, connection string) float64 {
	var own, total float64
	for _, l := range p.learned[id] {
		n := l.work(flow.HourOf(p.at))
		total += n
		if l.connection == connection {
			own += n
		}
	}
	if total <= 0 {
		return 1
	}
	return own / total
}

// work is a shop's usual orders of a day, since its first known one, and those that wait.
func (l *learned) work(now flow.Hour) float64 {
	var placed int64
	first := now
	for _, c := range l.counts {
		if c.Kind == flow.Placed && c.N > 0 {
			placed, first = placed+c.N, min(first, c.Hour)
		}
	}
	days := max(1, float64(now-first)/24)
	return float64(placed)/days + float64(l.waiting)
}

// known puts what is said of a node in the place of what would be learned or assumed.
func (p *places) known(connection string, node *forecast.Node, cache openCache) {
	n := p.nodes[p.idOf(connection, node.Code)]
	if n == nil {
		return
	}
	node.Zone, node.Closed = n.days.Zone(), n.off
	part := p.part(n.ID, connection)
	for _, x := range n.extra {
		x.PerHour *= part
		node.Extra = append(node.Extra, x)
	}
	if n.days.Says() {
		node.Throughput = p.pace(n, part)
	}
	node.Lanes = p.lanes(n, connection, node.Lanes, cache)
}

// lanes adds stated pick-ups to the carriers that were seen, and stated carriers that were not. With pick-ups the lag runs from the van on, so it is
// learned anew from the orders whose van came lately.
func (p *places) lanes(n *place, connection string, seen []forecast.Lane, cache openCache) []forecast.Lane {
	out := slices.Clone(seen)
	for _, l := range n.Lanes {
		i := slices.IndexFunc(out, func(s forecast.Lane) bool { return sameCarrier(s.Carrier, l.Carrier) })
		if i < 0 {
			i, out = len(out), append(out, forecast.Lane{Carrier: l.Carrier})
		}
		if len(l.Pickups) == 0 {
			continue
		}
		for _, v := range l.Pickups {
			out[i].Pickups = append(out[i].Pickups, forecast.Pickup{Weekday: v.Weekday, Clock: time.Duration(v.At) * time.Second, Cutoff: time.Duration(v.CutOff) * time.Minute})
		}
		out[i].Off = p.vanRests(n, l)
		out[i].Lag = forecast.LearnLag(p.sinceVan(n, l, connection, out[i].Carrier, cache))
	}
	return out
}

// sameCarrier reports whether a channel's word for a carrier is ours.
func sameCarrier(a, b string) bool {
	return strings.EqualFold(strings.TrimSpace(a), strings.TrimSpace(b))
}

func (p *places) vanRests(n *place, l network.Lane) (off []forecast.Shift) {
	if l.Holidays == calendar.NoHolidays {
		return nil
	}
	rest, err := calendar.New(calendar.Spec{Zone: n.days.Zone(), Week: calendar.EveryDay, Holidays: l.Holidays})
	if err != nil {
		return nil
	}
	today := calendar.DayOf(p.at, n.days.Zone())
	for d := today; d < today+restAhead; d++ {
		if !rest.Business(d) {
			off = append(off, forecast.Shift{From: d.Start(n.days.Zone()), Until: (d + 1).Start(n.days.Zone())})
		}
	}
	return off
}

// sinceVan is how long the parcels took from the van they went with to their first scan, or wait for it, of those whose van came lately.
func (p *places) sinceVan(n *place, l network.Lane, connection, carrier string, cache openCache) (out []forecast.Wait) {
	type key struct {
		hours int64
		ended bool
	}
	waits := map[key]int64{}
	for _, o := range cache {
		if o.connection != connection || o.ReadyAt.IsZero() || p.idOf(connection, o.Node) != n.ID || !sameCarrier(o.Carrier, carrier) {
			continue
		}
		van, ok := n.days.NextPickup(l, o.ReadyAt)
		if !ok || van.After(p.at) || p.at.Sub(van) > pickupSeen {
			continue
		}
		until, ended := p.at, !o.HandedOverAt.IsZero()
		if ended {
			until = o.HandedOverAt
		}
		waits[key{int64(max(until.Sub(van), 0) / time.Hour), ended}]++
	}
	for k, n := range waits {
		out = append(out, wait(k.hours, k.ended, n))
	}
	return out
}

// wait is so many waits of so many whole hours.
func wait(hours int64, ended bool, n int64) forecast.Wait {
	return forecast.Wait{Lasted: time.Duration(hours)*time.Hour + 30*time.Minute, Ended: ended, N: n}
}

// waits reports whether an order is in its node's queue.
func (o *openOrder) waits() bool { return o.ReadyAt.IsZero() && o.HandedOverAt.IsZero() && o.placed }

// unfinished are the orders that wait for their first scan or their delivery, as long as history is learned from: what lasts longer than that is
// lost, and says nothing of how long it takes.
func (c openCache) unfinished(connection string, at time.Time) (out []flow.Lag) {
	by := map[flow.Lag]int64{}
	for _, o := range c {
		leg, since := flow.ToScan, o.ReadyAt
		if !o.HandedOverAt.IsZero() {
			leg, since = flow.ToDelivery, o.HandedOverAt
		}
		if o.connection != connection || since.IsZero() || since.After(at) || at.Sub(since) > learnFrom {
			continue
		}
		by[flow.Lag{Carrier: o.Carrier, Leg: leg, Hours: int64(at.Sub(since) / time.Hour)}]++
	}
	for l, n := range by {
		l.N = n
		out = append(out, l)
	}
	slices.SortFunc(out, func(a, b flow.Lag) int {
		return cmp.Or(strings.Compare(a.Carrier, b.Carrier), strings.Compare(string(a.Leg), string(b.Leg)), cmp.Compare(a.Hours, b.Hours))
	})
	return out
}

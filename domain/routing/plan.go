package routing

import (
	"time"

	"github.com/spillway/spillway/domain/network"
	"github.com/spillway/spillway/domain/policy"
	"github.com/spillway/spillway/domain/policy/calendar"
	"github.com/spillway/spillway/kit/money"
)

// Plan is from where, when and how an order leaves, what it is expected to cost, and why.
type Plan struct {
	Order      string
	Currency   string
	Parts      []Part     // by the nodes' priority
	Left       []Quantity // what is left for later
	Late       Chances    // of the order: of any of its parts
	LateCost   int64      // expected, in minor units
	LeftCost   int64
	Total      int64 // LateCost, LeftCost and the cost of all parts
	Lower      int64 // no plan under the same rules costs less; Total if that is proven
	Guessed    bool  // the zone or the days of a lane were not known, and the dearest and longest were taken
	Candidates []Candidate
}

// Part is what leaves one node in one go.
type Part struct {
	Node    string
	Carrier string // empty: the platform picks it, or nothing is said of carriers
	Service string
	Lines   []Quantity
	PlanFor calendar.Day // the node's working day it is planned on
	Leaves  time.Time    // with the carrier, if nothing slips
	Arrives calendar.Day // if nothing slips
	Zone    int
	Parcels int64 // at least so many, by the carrier's limit of weight
	Grams   int64
	Surge   int64 // percent on top of handling
	Cost    Cost
	Late    Chances
	site    int32
	bucket  int32
}

// Quantity is units of one line of the order.
type Quantity struct {
	Line int // index in Order.Lines
	Qty  int64
}

// Cost is what a part costs, in minor units.
type Cost struct {
	Handling int64 // as agreed
	Surge    int64 // on top of it
	Parcel   int64 // labels and packing
	Move     int64 // taking the reservation from the node that holds it
}

// Total is the sum of all.
func (c Cost) Total() int64 { return c.Handling + c.Surge + c.Parcel + c.Move }

// Chances are the chances of being late in parts per million.
type Chances struct {
	Dispatch, Cancel, Delivery policy.PPM
}

// Money is minor units in the plan's currency.
func (p *Plan) Money(minor int64) money.Amount {
	return money.Amount{Minor: minor, Currency: p.Currency}
}

// Proven reports whether no plan is cheaper.
func (p *Plan) Proven() bool { return p.Lower >= p.Total }

// Whole reports whether the plan ships everything.
func (p *Plan) Whole() bool { return len(p.Left) == 0 }

// Route is the cheapest plan for one order: proven, unless Lower says otherwise. Errors: Invalid, from Order.Check.
func (d *Desk) Route(o *Order, st Stock) (Plan, error) {
	if err := o.Check(); err != nil {
		return Plan{}, err
	}
	d.load(&d.p, o, st, false)
	a := d.find(&d.p)
	p := d.plan(&d.p, a)
	p.Candidates = d.candidates(&d.p, a)
	return p, nil
}

// find searches a problem whose stock rows and slots are what is in reach.
func (d *Desk) find(p *problem) *answer {
	d.s.slots, d.s.spans = p.slots, p.spans
	var a *answer
	if a, d.s.first = d.platformFirst(p); d.s.first {
		d.s.only = p.allowed
		d.s.prepare() // so that the explanation sees all nodes
		return a
	}
	return d.s.run(p, p.allowed, never)
}

// platformFirst takes the order from a platform's warehouse if one has all of it, whatever others cost: such stock serves nobody else and
// costs storage while it lies.
func (d *Desk) platformFirst(p *problem) (*answer, bool) {
	var platform uint64
	for si := range d.sites {
		if d.sites[si].node.Kind == network.FBT {
			platform |= 1 << si
		}
	}
	platform &= p.allowed
	if platform == 0 || d.rules.Plain {
		return nil, false
	}
	d.s.single = true
	a := d.s.run(p, platform, never)
	d.s.single = false
	return a, a.n == 1 && d.s.whole(a)
}

// whole reports whether an answer ships everything.
func (s *search) whole(a *answer) bool {
	for i := range s.p.wants {
		rest := s.p.wants[i].qty
		for j := range a.n {
			rest -= int64(a.qty[i*MaxParts+j])
		}
		if rest > 0 {
			return false
		}
	}
	return true
}

// plan writes an answer out.
func (d *Desk) plan(p *problem, a *answer) Plan {
	out := Plan{Order: p.o.ID, Currency: d.rules.Currency, Guessed: p.guessed, Lower: (a.lower + mill - 1) / mill}
	if a.n > 0 {
		out.Parts = make([]Part, a.n)
	}
	sure := allSure
	for j := range a.n {
		sure = both(sure, a.kept[j].sure)
		out.Parts[j] = d.part(p, a, j)
		out.Total += out.Parts[j].Cost.Total()
	}
	if a.n == 0 {
		sure = [3]int64{}
	}
	d.deal(p, a, &out)
	var left int64
	for _, q := range out.Left {
		left += q.Qty
	}
	if left > 0 {
		out.LeftCost = left*d.rules.LeftUnit + d.rules.LeftAny
	}
	out.Late, out.LateCost = p.due.chances(sure), p.due.lateness(sure)/mill
	out.Total += out.LateCost + out.LeftCost
	out.Lower = min(out.Lower, out.Total)
	return out
}

// chances turns chances of being in time round, for those that count.
func (u *dues) chances(sure [3]int64) Chances {
	var out [3]policy.PPM
	for j := range out {
		if u.cost[j] != 0 {
			out[j] = policy.PPM((certain - sure[j] + 500) / 1000)
		}
	}
	return Chances{out[0], out[1], out[2]}
}

func (d *Desk) part(p *problem, a *answer, j int) Part {
	t := &a.kept[j]
	s := &d.sites[t.site]
	k := &s.buckets[t.bucket]
	out := Part{Node: s.node.ID, PlanFor: s.days[k.day].day, Surge: k.percent, Late: p.due.chances(t.sure), site: t.site, bucket: t.bucket}
	var lines, units int64
	for i := range p.wants {
		if q := int64(a.qty[i*MaxParts+j]); q > 0 {
			lines, units, out.Grams = lines+1, units+q, out.Grams+q*p.wants[i].grams
		}
	}
	out.Parcels = 1
	if t.max > 0 && out.Grams > t.max {
		out.Parcels = (out.Grams + t.max - 1) / t.max
	}
	if p.o.Held != "" && p.o.Held != s.node.ID {
		out.Cost.Move = d.rules.Move
	}
	out.Cost.Handling = s.cost[0] + lines*s.cost[1] + units*s.cost[2]
	out.Cost.Surge = (surged(s.cost[0], k.percent) + lines*t.line/mill + units*t.unit/mill) - out.Cost.Handling
	out.Cost.Parcel = (t.parcel + t.weigh(out.Grams)) / mill
	d.journey(p, t, &out)
	return out
}

// journey says when a part leaves and arrives; where the platform picks the lane, by the slowest.
func (d *Desk) journey(p *problem, t *slot, out *Part) {
	s := &d.sites[t.site]
	day := s.buckets[t.bucket].day
	ways := d.waysTo(p.o.Dest)
	for j := range s.lanes {
		l, w := &s.lanes[j], &ways[s.ways+j]
		if !w.covers || int(day) >= len(l.leaves) || (t.lane >= 0 && int(t.lane) != j) {
			continue
		}
		if t.lane >= 0 {
			out.Carrier, out.Service = l.Carrier, l.Service
		}
		leaves := time.Unix(l.leaves[day], 0).UTC()
		arrives := l.road.add(calendar.DayOf(leaves, s.zone), w.days)
		if leaves.After(out.Leaves) {
			out.Leaves = leaves
		}
		out.Arrives, out.Zone = max(out.Arrives, arrives), max(out.Zone, w.zone)
	}
}

// deal gives the units of each want to the lines that asked for them, in their order, and the rest to Left.
func (d *Desk) deal(p *problem, a *answer, out *Plan) {
	all := make([]Quantity, 0, len(p.of)+a.n)
	var given [MaxLines]int64 // by line
	for j := range a.n {
		first := len(all)
		rest := d.s.rest[:0]
		for i := range p.wants {
			rest = append(rest, int64(a.qty[i*MaxParts+j]))
		}
		d.s.rest = rest
		for i := range p.o.Lines {
			r := &rest[p.of[i]]
			if q := min(*r, p.o.Lines[i].Qty-given[i]); q > 0 {
				all = append(all, Quantity{i, q})
				*r -= q
				given[i] += q
			}
		}
		out.Parts[j].Lines = all[first:len(all):len(all)]
	}
	for i := range p.o.Lines {
		if q := p.o.Lines[i].Qty - given[i]; q > 0 {
			out.Left = append(out.Left, Quantity{i, q})
		}
	}
}

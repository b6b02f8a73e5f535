package routing

import (
	"math"
	"math/bits"
	"strings"
	"time"

	"github.com/spillway/spillway/domain/network"
	"github.com/spillway/spillway/domain/policy/calendar"
)

// slot is one way to ship from a site: a lane on a day at a price of handling. Money is in mills.
type slot struct {
	site, lane, bucket int32
	fixed              int64 // of the first parcel up to a pound: handling of the order and the label
	parcel             int64 // of each further parcel
	line, unit, pound  int64
	gram               int64    // of pound, rounded down
	max                int64    // grams of a parcel; 0: no limit
	sure               [3]int64 // chances of being in time: dispatch, cancel, delivery
	able               uint8
}

// way is how a parcel travels on a lane to a destination.
type way struct {
	days, zone int
	covers     bool
	known      bool
}

// maxWays bounds the destinations kept: all three-digit prefixes there are, twice.
const maxWays = 2048

func (d *Desk) waysTo(dest Dest) []way {
	if w, ok := d.ways[dest]; ok {
		return w
	}
	if len(d.ways) >= maxWays {
		clear(d.ways)
	}
	out := make([]way, 0, d.lanes)
	country, _, _ := strings.Cut(dest.Region, "-")
	for i := range d.sites {
		s := &d.sites[i]
		for j := range s.lanes {
			l := &s.lanes[j]
			w := way{covers: dest.Region == "" || l.Covers(dest.Region)}
			if d.transit != nil {
				w.days, w.zone, w.known = d.transit(*s.node, *l.Lane, dest)
			}
			if w.zone < 0 || w.zone > 9 || w.days < 0 {
				w.known = false
			}
			if !w.known {
				w.days, w.zone = l.longest, l.dearest
				if country != "" && country != s.node.Place.Country {
					w.zone = 0
				}
			}
			if own := l.Days[w.zone]; own > 0 {
				w.days = own
			}
			out = append(out, w)
		}
	}
	d.ways[dest] = out
	return out
}

// dues are an order's deadlines as they are reckoned with, and what missing each costs.
type dues struct {
	dispatch, cancel int64 // Unix time; MaxInt64: none
	deliver          time.Time
	cost             [3]int64 // mills
}

func (d *Desk) dues(o *Order) dues {
	first := func(a, b time.Time) int64 {
		switch {
		case !a.IsZero():
			return a.Unix()
		case !b.IsZero():
			return b.Unix()
		}
		return math.MaxInt64
	}
	late := d.rules.Late
	u := dues{dispatch: first(o.Due.HandOverBy, o.Due.ShipBy), cancel: first(o.Due.AutoCancelHandOverBy, o.Due.AutoCancelShipBy), deliver: o.Due.DeliverBy}
	if p := o.Due.PromisedBy; !p.IsZero() && (u.deliver.IsZero() || p.Before(u.deliver)) {
		u.deliver = p
	}
	u.cost = [3]int64{late.Dispatch * mill, (late.Cancel + o.Value) * mill, late.Delivery * mill}
	if u.dispatch == math.MaxInt64 || o.Regime.NoDispatch {
		u.cost[0] = 0
	}
	if u.cancel == math.MaxInt64 {
		u.cost[1] = 0
	}
	if u.deliver.IsZero() || o.Regime.NoDelivery {
		u.cost[2] = 0
	}
	return u
}

// lateness is what an order is expected to lose by being late, if its chances of being in time are these.
func (u *dues) lateness(sure [3]int64) int64 {
	var sum int64
	for j, c := range u.cost {
		if c != 0 && sure[j] < certain {
			sum += share9(c, certain-sure[j])
		}
	}
	return (sum + mill/2) / mill * mill
}

// share9 is a × chance, without overflow.
func share9(a, chance int64) int64 {
	if a < 1<<32 {
		return a * chance / certain
	}
	hi, lo := bits.Mul64(uint64(a), uint64(chance))
	q, _ := bits.Div64(hi, lo, certain)
	return int64(q)
}

func both(a, b [3]int64) [3]int64 {
	for j := range a {
		a[j] = a[j] * b[j] / certain
	}
	return a
}

var allSure = [3]int64{certain, certain, certain}

// sure is the chance that a parcel planned for a day leaves and arrives in time.
func (s *site) sure(l *lane, day int, u *dues, road int, due int32) [3]int64 {
	out := allSure
	if s.node.Kind == network.FBT {
		return out // the platform answers for its own warehouse
	}
	leaves := l.leaves[day:]
	for j, by := range [2]int64{u.dispatch, u.cancel} {
		if u.cost[j] == 0 {
			continue
		}
		m := 0
		for m <= slipTail && m < len(leaves) && leaves[m] <= by {
			m++
		}
		out[j] = certain - s.late[m]
	}
	if u.cost[2] != 0 {
		out[2] = certain - s.lateDelivery(l, day, road, due)
	}
	return out
}

// lateDelivery sums over the day on which the parcel leaves in the end: each is followed by its own chance on the road.
func (s *site) lateDelivery(l *lane, day, road int, due int32) int64 {
	var sum int64
	business := l.business[day:]
	for k := 0; ; k++ {
		if k > slipTail || k >= len(business) {
			return sum + s.late[k]
		}
		slack := int(due) - int(business[k]) - road
		if slack < 0 {
			return sum + s.late[k] // and so is every later day
		}
		if slack < slipTail {
			sum += s.late[k] * s.keep / certain * l.slip[slack+1] / certain
		}
		if s.late[k] == 0 {
			return sum
		}
	}
}

// slots appends the ways to ship an order from a site. Without all, days are left out that cannot be better than one before.
func (d *Desk) slots(dst []slot, o *Order, si int, u *dues, ways []way, all bool) []slot {
	s := &d.sites[si]
	var dueDay calendar.Day
	if u.cost[2] != 0 {
		dueDay = calendar.DayOf(u.deliver.Add(-time.Duration(arrives)*time.Second), s.zone)
	}
	from := len(dst)
	for b := range s.buckets {
		k := &s.buckets[b]
		first := len(dst)
		for j := range s.lanes {
			l, w := &s.lanes[j], &ways[s.ways+j]
			if !w.covers || int(k.day) >= len(l.leaves) {
				continue
			}
			var due int32
			if u.cost[2] != 0 {
				due = l.road.count(dueDay)
			}
			sure := s.sure(l, int(k.day), u, w.days, due)
			dst = append(dst, d.slot(o, si, j, b, w.zone, sure))
		}
		if o.Regime.PlatformPicks && len(dst) > first {
			dst = append(dst[:first], mean(dst[first:]))
		}
		if all {
			dst = prune(dst, first) // another day may have another price in a re-plan
		}
		if !all && !o.Regime.PlatformPicks && k.percent == 0 && len(dst) > first {
			break
		}
	}
	if all {
		return dst
	}
	return prune(dst, from)
}

func (d *Desk) slot(o *Order, si, j, b, zone int, sure [3]int64) slot {
	s := &d.sites[si]
	l, percent := &s.lanes[j], s.buckets[b].percent
	label := saved(l.Tariff.ByZone[zone].Minor, int64(o.Regime.Saving)) + s.cost[3]
	move := int64(0)
	if o.Held != "" && o.Held != s.node.ID {
		move = d.rules.Move
	}
	pound := saved(l.Tariff.PerPound.Minor, int64(o.Regime.Saving)) * mill
	return slot{
		site: int32(si), lane: int32(j), bucket: int32(b), parcel: label * mill,
		fixed: (surged(s.cost[0], percent) + label + move) * mill,
		line:  surged(s.cost[1], percent) * mill, unit: surged(s.cost[2], percent) * mill,
		pound: pound, gram: perGram(pound), max: l.MaxGrams, sure: sure, able: l.able,
	}
}

func surged(a, percent int64) int64 {
	if percent == 0 {
		return a
	}
	return (a*(100+percent) + 50) / 100
}

func saved(a, ppm int64) int64 {
	if ppm == 0 {
		return a
	}
	return (a*(1_000_000-ppm) + 500_000) / 1_000_000
}

// mean is what to reckon with where the platform picks one of several lanes: the mean of the costs, and the worst of all else.
func mean(list []slot) slot {
	out, n := list[0], int64(len(list))
	for _, x := range list[1:] {
		out.fixed, out.parcel, out.pound = out.fixed+x.fixed, out.parcel+x.parcel, out.pound+x.pound
		out.able &= x.able
		if x.max > 0 && (out.max == 0 || x.max < out.max) {
			out.max = x.max
		}
		for j := range out.sure {
			out.sure[j] = min(out.sure[j], x.sure[j])
		}
	}
	whole := func(sum int64) int64 { return (sum/n + mill/2) / mill * mill }
	out.fixed, out.parcel, out.pound, out.lane = whole(out.fixed), whole(out.parcel), whole(out.pound), -1
	out.gram = perGram(out.pound)
	return out
}

// prune drops slots from an index on that another is at least as good as in everything; of equals the first stays.
func prune(list []slot, from int) []slot {
	keep := list[:from]
	for i := from; i < len(list); i++ {
		x := &list[i]
		beaten := false
		for j := from; j < len(list) && !beaten; j++ {
			beaten = j != i && list[j].beats(x, j < i)
		}
		if !beaten {
			keep = append(keep, list[i]) // never ahead of what is read
		}
	}
	return keep
}

func (a *slot) beats(b *slot, first bool) bool {
	if a.fixed > b.fixed || a.parcel > b.parcel || a.line > b.line || a.unit > b.unit || a.pound > b.pound ||
		b.able&^a.able != 0 || (a.max > 0 && (b.max == 0 || a.max < b.max)) ||
		a.sure[0] < b.sure[0] || a.sure[1] < b.sure[1] || a.sure[2] < b.sure[2] {
		return false
	}
	return first || *a != (slot{site: a.site, lane: a.lane, bucket: a.bucket, fixed: b.fixed, parcel: b.parcel, line: b.line, unit: b.unit,
		pound: b.pound, gram: b.gram, max: b.max, sure: b.sure, able: b.able})
}

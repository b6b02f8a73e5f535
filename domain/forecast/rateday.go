package forecast

import (
	"slices"

	"github.com/spillway/spillway/domain/policy"
)

// rateDay is one rate as it will be judged at the end of one day.
type rateDay struct {
	metric      int
	day         policy.Day
	rate        policy.Rate
	ok          bool // the rules say how it is counted
	first, last policy.Day
	a, b        float64 // the window in hours from now: from a to before b
	judged      float64 // the end of the day
	num, den    float64 // counted so far
	bands       []policy.Band
}

// rateDays lays out all metrics that have a rate, by metric and then day.
func (m *model) rateDays() {
	today := policy.DayOf(m.at, m.zone)
	for _, metric := range policy.Metrics {
		if !slices.ContainsFunc(m.in.Rates, func(r policy.Rate) bool { return r.Metric == metric }) {
			continue
		}
		for d := range m.days {
			m.rates = append(m.rates, m.rateDay(len(m.metrics), metric, today+policy.Day(d)))
		}
		m.metrics = append(m.metrics, metric)
	}
}

func (m *model) rateDay(i int, metric policy.Metric, day policy.Day) rateDay {
	out := rateDay{metric: i, day: day, judged: m.dayStart(day + 1)}
	for _, r := range m.in.Rates {
		if r.Metric == metric && r.Holds(day) && r.Days > 0 {
			out.rate, out.ok = r, true
			break
		}
	}
	if !out.ok {
		return out
	}
	out.last = day - policy.Day(out.rate.Lag)
	out.first = out.last - policy.Day(out.rate.Days) + 1
	out.a, out.b = m.dayStart(out.first), m.dayStart(out.last+1)
	for _, c := range m.in.Counted[out.rate.ID] {
		if c.Day >= out.first && c.Day <= out.last {
			out.num += float64(c.Num)
			out.den += float64(c.Den)
		}
	}
	for _, b := range m.in.Bands {
		if b.Metric == metric && b.Holds(day) {
			out.bands = append(out.bands, b)
		}
	}
	return out
}

// has reports whether a day is in the window.
func (r *rateDay) has(d policy.Day) bool { return d >= r.first && d <= r.last }

// holds reports whether a moment, in hours from now, is in the window.
func (r *rateDay) holds(h float64) bool { return h >= r.a && h < r.b }

// add is what an order that is like g adds to a rate from now on: the chance num that it will be in the window and above the line, and the
// chance den that it will be in the window. Of an order whose anchor is already counted, den is 0 and counted is true.
func (g *group) add(m *model, r *rateDay) (num, den float64, counted bool) {
	p := g.prof
	if !r.ok || p.class != "" && slices.Contains(r.rate.Exclude, p.class) {
		return 0, 0, false
	}
	switch r.rate.Anchor {
	case policy.AtPlaced:
		num, den = g.fixed(m, r, r.has(p.placedDay))
		counted = !p.future
	case policy.AtDeliverBy:
		num, den = g.fixed(m, r, p.deliverDay != 0 && r.has(p.deliverDay))
		counted = !p.future
	case policy.AtReady:
		if p.stage == waiting {
			num, den = g.fixed(m, r, r.holds(g.ready))
		} else {
			num, den = g.fixed(m, r, r.has(p.readyDay))
			counted = true
		}
	case policy.AtHandedOver:
		if p.stage == road {
			num, den = g.fixed(m, r, r.has(p.handedDay))
			counted = true
		} else {
			num, den = g.handedOver(m, r)
		}
	case policy.AtDelivered:
		den = g.delivered(r.b) - g.delivered(r.a)
		num = den
		if r.rate.Test == policy.DeliveredOnTime {
			num = g.delivered(min(r.b, p.deliverBy)) - g.delivered(min(r.a, p.deliverBy))
		} else if den > 0 {
			num = den * g.test(m, r)
		}
	}
	if p.class != "" && den > 0 && slices.Contains(r.rate.Spare, p.class) {
		num = 0
		if !r.rate.Test.Bad() && !counted {
			num = den
		}
	}
	num, den = unit(num), unit(den)
	if counted {
		return num, 0, true
	}
	return min(num, den), den, false
}

// fixed is add where being in the window does not depend on the test.
func (g *group) fixed(m *model, r *rateDay, in bool) (num, den float64) {
	if !in {
		return 0, 0
	}
	return g.test(m, r), 1
}

// test is the chance that an order will be above the line of a rate when it is judged and was not before.
func (g *group) test(m *model, r *rateDay) float64 {
	p := g.prof
	switch r.rate.Test {
	case policy.ReadyLate:
		if p.stage == waiting && g.ready > p.shipBy && g.ready <= r.judged {
			return 1
		}
	case policy.HandedOverLate:
		if p.stage != road {
			return max(g.handed(min(r.judged, p.acHand))-g.due, 0)
		}
	case policy.DeliveredOnTime:
		if p.deliverBy > 0 {
			return g.delivered(min(p.deliverBy, r.judged))
		}
	case policy.CancelledBySeller:
		if p.stage == road {
			return 0
		}
		late, other := g.cancelled(r.judged), min(max(m.in.SellerCancels.Value, 0), 1)
		if p.stage == readied {
			other = 0 // it was in stock
		}
		return late + (1-late)*other
	case policy.TrackingValid:
		if p.stage != road {
			return (1 - m.lane(p).missing) * g.handed(r.judged)
		}
	}
	return 0
}

// handedOver is add for rates that count orders on the day of their first scan.
func (g *group) handedOver(m *model, r *rateDay) (num, den float64) {
	p := g.prof
	end := min(r.b, p.acHand)
	if end <= g.pickup {
		return 0, 0
	}
	den = max(g.handed(end)-g.handed(r.a), 0)
	if den == 0 {
		return 0, 0
	}
	switch r.rate.Test {
	case policy.HandedOverLate:
		if r.a <= p.handBy {
			num = max(g.handed(end)-g.due, 0)
		} else {
			num = den
		}
	case policy.ReadyLate:
		if g.ready > p.shipBy {
			num = den
		}
	case policy.TrackingValid:
		num = den * (1 - m.lane(p).missing)
	case policy.DeliveredOnTime:
		num = den * g.test(m, r)
	}
	return num, den
}

func unit(x float64) float64 { return min(max(x, 0), 1) }

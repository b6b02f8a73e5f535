package forecast

import (
	"math"
	"slices"
	"time"

	"github.com/spillway/spillway/domain/policy"
)

// Hour is what happened at a node in one hour. Hours without anything belong to it too, with zeros: an hour that is left out says nothing.
type Hour struct {
	At    time.Time // its beginning
	Count int       // orders got ready (or, of arrivals, orders that came in)
	Queue int       // orders still waiting at its end; of arrivals without meaning
}

// What is assumed, and how strongly, where a shop's own history does not say. All are our own assumptions.
const (
	priorWeeks   = 1.0  // weight of an hour's neighbours (same hour on other days) against its own past, in weeks
	teamWeeks    = 6.0  // the same for what a team can do: it differs less by day than demand does
	idleShare    = 0.03 // an hour of the week below this share of the busiest is no working hour but a stray
	busyHours    = 2    // a node whose queue would last this many hours works as fast as it can
	leastBusy    = 6    // such hours, before they say what a node can do
	provenShare  = 0.9  // without them: the pace that it kept on this share of days is not yet its limit
	usualSpread  = 0.2  // a day's demand is within ± 20 % on two days of three
	spreadWeight = 5.0  // weight of that, in days
	teamSpread   = 0.25 // of throughput: more, as days that go well have no queue and are not seen at their limit
	teamWeight   = 8.0  // weight of that, in days
	usualCarry   = 0.3  // how much of a good or bad day the next one keeps
	maxCarry     = 0.8
	carryWeight  = 20.0 // weight of that, in days
	maxSpread    = 1.0
	unseenDoubt  = 0.15                // of a pace that was never at its limit
	memory       = 14 * 24 * time.Hour // history half as old counts twice: teams change

	spikeDay        = 3.0            // a day above this multiple of the median is a spike and no pattern; a common trigger of spike protocols
	levelMemory     = 3 * time.Hour  // half-life of the present level's memory
	levelWeight     = 12.0           // orders' worth of trust in "nothing special": twelve unexpected ones double the level of a small shop
	defaultHalfLife = 24 * time.Hour // of a spike; viral ones last up to three days
	halfLifeSpread  = 0.5            // standard deviation of its logarithm
)

// shopHours are what is assumed of a node nobody has seen work: weekdays, 9 to 17, ten orders an hour.
func shopHours() (w Weekly) {
	for d := 1; d <= 5; d++ {
		for h := 9; h < 17; h++ {
			w[d*24+h] = 10
		}
	}
	return w
}

// hourOfWeek is the local hour of the week at a moment.
func hourOfWeek(t time.Time, zone *time.Location) int {
	t = t.In(zone)
	return int(t.Weekday())*24 + t.Hour()
}

// weight is how much an hour counts that is this much older than the newest.
func weight(age time.Duration, half time.Duration) float64 {
	return math.Exp2(-age.Hours() / half.Hours())
}

// pattern is the mean of each hour of the week, drawn towards the product of its day's and its clock hour's mean: with few weeks a Tuesday 14:00
// is like other days at 14:00, scaled as Tuesdays are. Strays are cleared.
func pattern(zone *time.Location, hours []Hour, skip func(Hour) bool) (w Weekly, seen float64) {
	var sum, n Weekly
	last := newest(hours)
	for _, h := range hours {
		if skip != nil && skip(h) {
			continue
		}
		k, f := hourOfWeek(h.At, zone), weight(last.Sub(h.At), memory)
		sum[k] += f * float64(h.Count)
		n[k] += f
		seen += f
	}
	var clockSum, clockN [24]float64
	var daySum, dayN [7]float64
	var all, allN float64
	for k := range sum {
		clockSum[k%24] += sum[k]
		clockN[k%24] += n[k]
		daySum[k/24] += sum[k]
		dayN[k/24] += n[k]
		all += sum[k]
		allN += n[k]
	}
	if all <= 0 {
		return w, seen
	}
	mean, top := all/allN, 0.0
	for k := range w {
		clock, day := mean, mean
		if c := clockN[k%24]; c > 0 {
			clock = clockSum[k%24] / c
		}
		if c := dayN[k/24]; c > 0 {
			day = (daySum[k/24] + mean*priorWeeks*24/7) / (c + priorWeeks*24/7)
		}
		w[k] = (sum[k] + priorWeeks*clock*day/mean) / (n[k] + priorWeeks)
		top = max(top, w[k])
	}
	return w, seen
}

func newest(hours []Hour) (last time.Time) {
	for _, h := range hours {
		if h.At.After(last) {
			last = h.At
		}
	}
	return last
}

// LearnThroughput learns what a node can do in each hour of the week. What it did is what it can do only where a queue kept it busy, so the
// pace is taken from such hours: each hour of the week from its own, drawn towards those of the same clock hour on all working days (or on all
// weekend days). Where there are too few, the pace of its best days is taken, since more was never asked of it.
func LearnThroughput(zone *time.Location, hours []Hour) Throughput {
	if zone == nil {
		zone = time.UTC
	}
	w, seen := pattern(zone, hours, nil)
	top := slices.Max(w[:])
	if seen < 1 || top <= 0 {
		return Throughput{}
	}
	working, total := 0, 0.0
	for k := range w {
		if w[k] < idleShare*top {
			w[k] = 0
		} else {
			working++
			total += w[k]
		}
	}
	queue := busyHours * total / float64(working) // as many orders as it takes busyHours usual working hours to do
	best := max(1, bestDays(daysOf(zone, hours, w, queue)))
	for k := range w {
		w[k] *= best
	}
	out := Throughput{PerHour: w, Basis: Learned, Spread: teamSpread, Carry: usualCarry, Doubt: unseenDoubt}
	if b := busyOnes(zone, hours, w, queue); b.count >= leastBusy {
		out.PerHour, out.Busy = b.pace(w), b.count
		out.Spread, out.Carry, out.Doubt = scatter(daysOf(zone, hours, out.PerHour, queue))
	}
	return out
}

// busy is what was done in hours with a queue, by hour of the week and by clock hour of working days (0) and of weekends (1).
type busy struct {
	sum, n           Weekly
	clockSum, clockN [2][24]float64
	count            int
}

func weekend(k int) int {
	if day := k / 24; day == 0 || day == 6 {
		return 1
	}
	return 0
}

func busyOnes(zone *time.Location, hours []Hour, w Weekly, queue float64) (b busy) {
	last := newest(hours)
	for _, h := range hours {
		k := hourOfWeek(h.At, zone)
		if w[k] <= 0 || float64(h.Queue) < queue {
			continue
		}
		f := weight(last.Sub(h.At), memory)
		b.sum[k] += f * float64(h.Count)
		b.n[k] += f
		b.clockSum[weekend(k)][k%24] += f * float64(h.Count)
		b.clockN[weekend(k)][k%24] += f
		b.count++
	}
	return b
}

// pace is the throughput at its limit. A clock hour that was never busy is taken like the mean of those that were; a kind of day that never
// was stays at its best days.
func (b *busy) pace(best Weekly) Weekly {
	var sum, n [2]float64
	for kind := range b.clockSum {
		for h := range b.clockSum[kind] {
			sum[kind] += b.clockSum[kind][h]
			n[kind] += b.clockN[kind][h]
		}
	}
	out := best
	for k := range out {
		kind := weekend(k)
		if best[k] <= 0 || n[kind] <= 0 {
			continue
		}
		all := sum[kind] / n[kind]
		clock := (b.clockSum[kind][k%24] + priorWeeks*all) / (b.clockN[kind][k%24] + priorWeeks)
		out[k] = (b.sum[k] + teamWeeks*clock) / (b.n[k] + teamWeeks)
	}
	return out
}

// workday is one local day of a node, its work next to what its pattern says.
type workday struct {
	weight, did, should, busyDid, busyShould float64
	busy                                     int
}

func daysOf(zone *time.Location, hours []Hour, w Weekly, queue float64) (out []workday) {
	sorted := slices.Clone(hours)
	slices.SortFunc(sorted, func(a, b Hour) int { return a.At.Compare(b.At) })
	last := newest(hours)
	before := policy.Day(0)
	for _, h := range sorted {
		if day := policy.DayOf(h.At, zone); day != before {
			before = day
			out = append(out, workday{weight: weight(last.Sub(h.At), memory)})
		}
		d, should := &out[len(out)-1], w[hourOfWeek(h.At, zone)]
		d.did += float64(h.Count)
		d.should += should
		if should > 0 && float64(h.Queue) >= queue {
			d.busyDid += float64(h.Count)
			d.busyShould += should
			d.busy++
		}
	}
	return out
}

// bestDays is the pace relative to the pattern that is not exceeded on provenShare of the days.
func bestDays(days []workday) float64 {
	var r []float64
	for _, d := range days {
		if d.should > 0 {
			r = append(r, d.did/d.should)
		}
	}
	if len(r) == 0 {
		return 1
	}
	slices.Sort(r)
	return r[min(int(provenShare*float64(len(r))), len(r)-1)]
}

// scatter is how far busy days lie from their pace (the part beyond counting noise, which has variance 1/count in the logarithm) and how much of
// it the next day keeps, both drawn towards the usual; and how uncertain their mean is: spread/√n, with n lessened by what days have in common.
func scatter(days []workday) (spread, carry, doubt float64) {
	var squares, noise, products, pairs, n float64
	before, had := 0.0, false
	for _, d := range days {
		if d.busy < busyHours || d.busyDid <= 0 || d.busyShould <= 0 {
			had = had && d.should == 0 // a day off keeps the thread, a day that is not busy breaks it
			continue
		}
		x := math.Log(d.busyDid / d.busyShould)
		squares += x * x
		noise += 1 / d.busyDid
		n++
		if had {
			products += x * before
			pairs++
		}
		before, had = x, true
	}
	own := max(squares-noise, 0)
	spread = math.Sqrt((own + teamWeight*teamSpread*teamSpread) / (n + teamWeight))
	carry = usualCarry
	if n > 1 && own > 0 {
		carry = (products/(own/n) + carryWeight*usualCarry) / (pairs + carryWeight)
	}
	spread, carry = min(spread, maxSpread), min(max(carry, 0), maxCarry)
	return spread, carry, spread * math.Sqrt((1+carry)/(1-carry)/max(n, 1))
}

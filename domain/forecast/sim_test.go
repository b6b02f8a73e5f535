package forecast

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/spillway/spillway/domain/order"
	"github.com/spillway/spillway/domain/policy"
)

// A warehouse that is really played, order by order, with drawn numbers: nothing in it is shared with the forecast but the deadlines. It works
// 8 to 17 on weekdays (and 9 to 13 on Saturdays in some), the most urgent order first; each day has a form of its own that the next
// day partly keeps; a van comes at 18; the carrier scans in the evening, the next morning, or, seldom, days later.

type simOrder struct {
	placed, ready, scanned, delivered time.Time // drawn when the stage before is over; seen only once they have passed
	due                               order.Deadlines
}

type shopSize struct {
	perDay      float64 // orders on a usual day
	utilisation float64 // of what the team can do in a week
	spread      float64 // of a day's form, in the logarithm
	carry       float64
	demand      float64 // spread of a day's demand
	slow        float64 // share of parcels the carrier scans days later
	saturday    bool
}

type warehouse struct {
	shopSize
	rng      *rand.Rand
	start    time.Time
	now      time.Time
	orders   []*simOrder
	queue    []*simOrder
	arrived  []Hour
	worked   []Hour
	boost    func(t time.Time) float64
	form     float64
	mood     float64
	fraction float64

	learnedAt time.Time // throughput and carriers are learned anew each day, demand each hour
	team      Throughput
	lane      Lane
}

func newWarehouse(size shopSize, seed uint64, start time.Time) *warehouse {
	return &warehouse{shopSize: size, rng: rand.New(rand.NewPCG(seed, 7)), start: start, now: start, boost: func(time.Time) float64 { return 1 }}
}

// clockDemand is the share of a day's orders by hour: an evening trade.
var clockDemand = func() (w [24]float64) {
	var sum float64
	for h := range w {
		w[h] = 0.25 + math.Exp(-math.Pow(float64(h)-20, 2)/18) + 0.6*math.Exp(-math.Pow(float64(h)-12, 2)/12)
		sum += w[h]
	}
	for h := range w {
		w[h] /= sum
	}
	return w
}()

var dayDemand = [7]float64{1.2, 0.9, 0.9, 0.95, 1, 1.05, 1}

// shift is the share of a week's work that falls into an hour.
func (w *warehouse) shift(t time.Time) float64 {
	h, hours := t.Hour(), 45.0
	if w.saturday {
		hours += 4
	}
	switch t.Weekday() {
	case time.Sunday:
		return 0
	case time.Saturday:
		if w.saturday && h >= 9 && h < 13 {
			return 1 / hours
		}
		return 0
	}
	if h >= 8 && h < 17 {
		return 1 / hours
	}
	return 0
}

// hour plays one hour.
func (w *warehouse) hour() {
	t := w.now
	if t.Hour() == 0 || t.Equal(w.start) {
		fresh := math.Sqrt(1 - w.carry*w.carry)
		w.form = w.carry*w.form + fresh*w.rng.NormFloat64()
		w.mood = 0.3*w.mood + math.Sqrt(1-0.09)*w.rng.NormFloat64()
	}
	mean := w.perDay * dayDemand[t.Weekday()] * clockDemand[t.Hour()] * math.Exp(w.demand*w.mood) * w.boost(t)
	n := w.poisson(mean)
	for range n {
		o := &simOrder{placed: t.Add(time.Duration(w.rng.Float64() * float64(time.Hour)))}
		o.due = due2BD(o.placed)
		w.orders = append(w.orders, o)
		w.queue = append(w.queue, o)
	}
	w.arrived = append(w.arrived, Hour{At: t, Count: n})
	slices.SortFunc(w.queue, func(a, b *simOrder) int {
		return cmp.Or(a.due.HandOverBy.Compare(b.due.HandOverBy), a.placed.Compare(b.placed))
	})
	week := w.perDay * 7 / w.utilisation
	can := week*w.shift(t)*math.Exp(w.spread*w.form-w.spread*w.spread/2) + w.fraction
	whole := int(can)
	w.fraction = can - float64(whole)
	if len(w.queue) < whole {
		whole, w.fraction = len(w.queue), 0
	}
	for i, o := range w.queue[:whole] {
		o.ready = t.Add(time.Duration((float64(i) + 0.5) / float64(whole) * float64(time.Hour)))
		if o.ready.Before(o.placed) {
			o.ready = o.placed
		}
		w.carrier(o)
	}
	w.queue = slices.Clone(w.queue[whole:])
	w.worked = append(w.worked, Hour{At: t, Count: whole, Queue: len(w.queue)})
	w.now = t.Add(time.Hour)
}

// carrier draws the first scan and the delivery.
func (w *warehouse) carrier(o *simOrder) {
	van := o.ready.Truncate(24 * time.Hour).Add(18 * time.Hour)
	if o.ready.After(van) {
		van = van.Add(24 * time.Hour)
	}
	lag := 1 + 4*w.rng.ExpFloat64()/2
	switch u := w.rng.Float64(); {
	case u < w.slow:
		lag = 30 + 40*w.rng.Float64()
	case u < w.slow+0.15:
		lag = 8 + 8*w.rng.Float64()
	}
	o.scanned = van.Add(time.Duration(lag * float64(time.Hour)))
	o.delivered = o.scanned.Add(time.Duration((24 + 30*w.rng.ExpFloat64()) * float64(time.Hour)))
}

func (w *warehouse) poisson(mean float64) int {
	if mean > 50 {
		return max(int(math.Round(mean+math.Sqrt(mean)*w.rng.NormFloat64())), 0)
	}
	n, p, limit := 0, w.rng.Float64(), math.Exp(-mean)
	for p > limit {
		p *= w.rng.Float64()
		n++
	}
	return n
}

func (w *warehouse) until(t time.Time) *warehouse {
	for w.now.Before(t) {
		w.hour()
	}
	return w
}

// ldr is the share of the orders scanned in the seven days up to and with the day of t, as known at t, that were scanned late.
func (w *warehouse) ldr(t time.Time) (late, all int64) {
	from := t.Add(-time.Nanosecond).Truncate(24*time.Hour).AddDate(0, 0, -6)
	for i := len(w.orders) - 1; i >= 0; i-- {
		o := w.orders[i]
		if !o.scanned.IsZero() && !o.scanned.Before(from) && o.scanned.Before(t) {
			all++
			if o.scanned.After(o.due.HandOverBy) {
				late++
			}
		}
	}
	return late, all
}

var ldrOnly = usRates()[:1]

// input is what is known at w.now, learned from the last four weeks.
func (w *warehouse) input(rates []policy.Rate) Input {
	at := w.now
	in := Input{Rates: rates, Bands: usBands(), Due: due2BD, Counted: map[string][]DayCount{}}
	van := make([]Pickup, 7)
	for d := range van {
		van[d] = Pickup{Weekday: time.Weekday(d), Clock: 18 * time.Hour}
	}
	tail := func(h []Hour) []Hour { return h[max(len(h)-28*24, 0):] }
	if at.Sub(w.learnedAt) >= 24*time.Hour {
		w.learnedAt = at
		w.team, w.lane = LearnThroughput(nil, tail(w.worked)), Lane{Pickups: van}
		w.lane.Lag, w.lane.Transit = w.waits(van)
	}
	days := map[policy.Day]*DayCount{}
	for _, o := range w.orders {
		ready, scanned := w.known(o.ready), w.known(o.scanned)
		if scanned.IsZero() {
			in.Open = append(in.Open, Open{ID: o.placed.Format(time.RFC3339Nano), PlacedAt: o.placed, ReadyAt: ready, Deadlines: o.due})
			continue
		}
		d := policy.DayOf(scanned, time.UTC)
		if days[d] == nil {
			days[d] = &DayCount{Day: d}
		}
		days[d].Den++
		if scanned.After(o.due.HandOverBy) {
			days[d].Num++
		}
	}
	for _, c := range days {
		in.Counted["ldr"] = append(in.Counted["ldr"], *c)
	}
	in.Nodes = []Node{{Throughput: w.team, Arrivals: LearnArrivals(at, nil, tail(w.arrived)), Lanes: []Lane{w.lane}}}
	return in
}

// known is a moment if it has passed.
func (w *warehouse) known(t time.Time) time.Time {
	if t.Before(w.now) {
		return t
	}
	return time.Time{}
}

func (w *warehouse) waits(van []Pickup) (lag, transit Dist) {
	var waits, roads []Wait
	for _, o := range w.orders {
		ready, scanned := w.known(o.ready), w.known(o.scanned)
		if ready.IsZero() || w.now.Sub(ready) > 21*24*time.Hour {
			continue
		}
		if from := (&laneModel{pickups: van, zone: time.UTC}).van(ready); from.Before(w.now) {
			waits = append(waits, waited(from, scanned, w.now))
		}
		if !scanned.IsZero() {
			roads = append(roads, waited(scanned, w.known(o.delivered), w.now))
		}
	}
	return LearnLag(waits), LearnTransit(roads)
}

func waited(from, to, at time.Time) Wait {
	if to.IsZero() {
		return Wait{Lasted: at.Sub(from)}
	}
	return Wait{Lasted: to.Sub(from), Ended: true}
}

// monday is where replays begin: four weeks of history come before.
var monday = time.Date(2026, 4, 6, 0, 0, 0, 0, time.UTC)

func pow(x, y float64) float64 { return math.Pow(x, y) }

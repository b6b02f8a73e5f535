package forecast

import (
	"fmt"
	"math/bits"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/spillway/spillway/domain/order"
	"github.com/spillway/spillway/domain/policy"
)

// TestSmallestSetIsSmallest tries every set of up to ten orders.
func TestSmallestSetIsSmallest(t *testing.T) {
	reached, missed := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		metric := rapid.SampledFrom([]policy.Metric{policy.LDR, policy.SFCR, policy.OTDR}).Draw(t, "metric")
		in := Input{Rates: usRates(), Bands: usBands(), Counted: map[string][]DayCount{}}
		today := policy.DayOf(onTheHour, time.UTC)
		for _, r := range in.Rates {
			in.Counted[r.ID] = []DayCount{{Day: today, Num: int64(rapid.IntRange(0, 3).Draw(t, "num")), Den: int64(rapid.IntRange(5, 40).Draw(t, "den"))}}
		}
		for j := range 2 {
			n := steady(0.3)
			n.Code = fmt.Sprint(j)
			n.Throughput.Spread = 0.3
			n.Lanes[0].Lag = Dist{}
			in.Nodes = append(in.Nodes, n)
		}
		for i := range rapid.IntRange(0, 10).Draw(t, "orders") {
			due := onTheHour.Add(time.Duration(rapid.IntRange(-5, 70).Draw(t, "due")) * time.Hour)
			in.Open = append(in.Open, Open{ID: fmt.Sprint(i), Node: fmt.Sprint(rapid.IntRange(0, 1).Draw(t, "node")), PlacedAt: onTheHour.Add(-time.Hour),
				Deadlines: order.Deadlines{HandOverBy: due, AutoCancelShipBy: due.Add(time.Hour), DeliverBy: due.Add(80 * time.Hour)}})
		}
		f := Make(in, onTheHour)
		q := Question{Metric: metric, Day: today + policy.Day(rapid.IntRange(1, 6).Draw(t, "day")), Limit: policy.PPM(rapid.IntRange(0, 300_000).Draw(t, "limit")),
			Until: onTheHour.Add(6 * time.Hour), Capacity: map[string]int{"0": rapid.IntRange(0, 4).Draw(t, "c0"), "1": rapid.IntRange(0, 4).Draw(t, "c1")}}
		if metric == policy.OTDR {
			q.Limit = 1_000_000 - q.Limit
		}
		got, ok := f.Smallest(q)
		if !ok {
			t.Fatal("no answer")
		}
		size, least := exhaustive(f, q)
		const tiny = 1e-7
		switch {
		case got.Reached:
			reached++
			if len(got.Picks) != size {
				t.Fatalf("%d orders, %d are enough", len(got.Picks), size)
			}
		case least < -tiny:
			t.Fatalf("not reached, yet a set reaches %v", least)
		default:
			missed++
		}
		for i := 1; i < len(got.Picks); i++ {
			if got.Picks[i].Gain > got.Picks[i-1].Gain+tiny {
				t.Fatalf("gains %+v do not fall", got.Picks)
			}
		}
	})
	if reached == 0 || missed == 0 {
		t.Errorf("reached %d, missed %d: both should occur", reached, missed)
	}
}

// exhaustive is the size of the smallest set that reaches the limit, and how far from it the best set stays.
func exhaustive(f *Forecast, q Question) (size int, least float64) {
	m := f.model
	var r *rateDay
	for i := range m.rates {
		if m.metrics[m.rates[i].metric] == q.Metric && m.rates[i].day == q.Day {
			r = &m.rates[i]
		}
	}
	e := m.effects(r, q.Until)
	sign, limit := 1.0, float64(q.Limit)/1e6
	if !r.rate.Test.Bad() {
		sign = -1
	}
	size, least = -1, 1e9
	for set := range 1 << len(m.in.Open) {
		num, den := e.sumNum, e.sumDen
		used := map[string]int{}
		for o := range m.in.Open {
			if set>>o&1 == 1 {
				num += e.numThen[o] - e.num[o]
				den += e.denThen[o] - e.den[o]
				used[m.in.Open[o].Node]++
			}
		}
		if used["0"] > q.Capacity["0"] || used["1"] > q.Capacity["1"] {
			continue
		}
		s := sign * (num - limit*den)
		least = min(least, s)
		if n := bits.OnesCount(uint(set)); s <= 1e-9 && (size < 0 || n < size) {
			size = n
		}
	}
	return size, least
}

// TestShipTheseByFour is the sentence of the page: these orders by 16:00, and the rate stays inside.
func TestShipTheseByFour(t *testing.T) {
	n := steady(4)
	n.Lanes[0].Lag = Dist{Points: []Point{{0.5, 0}, {1, 1}}, Basis: Stated}
	n.Throughput.Spread = 0.01
	in := Input{Rates: usRates(), Bands: usBands(), Nodes: []Node{n}, Counted: map[string][]DayCount{"ldr": {{Day: policy.DayOf(onTheHour, time.UTC), Num: 2, Den: 100}}}}
	for i := range 80 { // forty that are late already stand before forty that can still be saved
		due := onTheHour.Add(-time.Hour)
		if i >= 40 {
			due = onTheHour.Add(8 * time.Hour)
		}
		in.Open = append(in.Open, Open{ID: fmt.Sprintf("%02d", i), PlacedAt: onTheHour.Add(-50 * time.Hour), Deadlines: order.Deadlines{HandOverBy: due}})
	}
	f := Make(in, onTheHour)
	day := policy.DayOf(onTheHour, time.UTC) + 1
	a, ok := f.Smallest(Question{Metric: policy.LDR, Day: day, Limit: 340_000, Until: onTheHour.Add(6 * time.Hour)})
	if !ok || !a.Reached {
		t.Fatalf("%+v", a)
	}
	for _, p := range a.Picks {
		if p.ID < "40" {
			t.Errorf("%s is late whatever is done", p.ID)
		}
	}
	t.Logf("before %s, %d orders, after %s; played again %s, inside with %.0f %%", a.Before, len(a.Picks), a.After, a.Played, 100*a.Chance)
	if a.Before <= 340_000 || a.After > 340_000 || a.Played > 345_000 || len(a.Picks) != 21 {
		t.Errorf("before %s, after %s, played %s", a.Before, a.After, a.Played)
	}
}

func TestRemediesAreEnough(t *testing.T) {
	in := Input{Rates: usRates()[:1], Bands: usBands(), Nodes: []Node{{Code: "a", Throughput: Throughput{PerHour: shopHours(), Spread: .15, Basis: Stated}}}}
	in.Counted = map[string][]DayCount{"ldr": {{Day: policy.DayOf(onTheHour, time.UTC) - 1, Num: 1, Den: 300}}}
	for i := range 300 {
		in.Open = append(in.Open, Open{ID: fmt.Sprintf("%03d", i), Node: "a", PlacedAt: onTheHour.Add(-time.Hour), Deadlines: order.Deadlines{HandOverBy: onTheHour.Add(60 * time.Hour)}})
	}
	f := Make(in, onTheHour)
	if c := f.Metric(policy.LDR).Chance(policy.Enforcement); c < .5 {
		t.Fatalf("chance %v: the case is none", c)
	}
	list := f.Remedies(policy.LDR, 0.1)
	if len(list) != 2 {
		t.Fatalf("%+v", list)
	}
	for _, r := range list {
		t.Logf("%+v", r)
		if !r.Enough || r.Chance >= 0.1 {
			t.Errorf("%+v", r)
		}
		with, less := f.withHours(0, int(r.Amount)), f.withHours(0, int(r.Amount)-1)
		if r.Kind == MorePeople {
			with, less = f.withPeople(0, r.Amount), f.withPeople(0, r.Amount-0.1)
		}
		if a, b := Make(with, onTheHour).Metric(policy.LDR).Chance(policy.Enforcement), Make(less, onTheHour).Metric(policy.LDR).Chance(policy.Enforcement); a >= 0.1 || b < 0.1 {
			t.Errorf("%s: %v with it, %v with less", r.Kind, a, b)
		}
	}
	if Make(with0(f), onTheHour).Remedies(policy.LDR, 0.5) != nil {
		t.Error("a remedy where nothing is wrong")
	}
}

func with0(f *Forecast) Input {
	in := f.model.in
	in.Open = nil
	return in
}

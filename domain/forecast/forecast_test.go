package forecast

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/spillway/spillway/domain/order"
	"github.com/spillway/spillway/domain/policy"
)

// check fails on anything that no forecast may say.
func check(t interface{ Fatalf(string, ...any) }, f *Forecast) {
	chance := func(what string, p float64) {
		if math.IsNaN(p) || p < 0 || p > 1 {
			t.Fatalf("%s is %v", what, p)
		}
	}
	for _, r := range f.Orders {
		chance("miss of "+r.ID, r.Miss)
		chance("cancel of "+r.ID, r.Cancel)
		chance("late of "+r.ID, r.Late)
	}
	for _, m := range f.Metrics {
		for _, d := range m.Days {
			if math.IsNaN(d.Num) || math.IsNaN(d.Den) || d.Num < 0 || d.Den < 0 {
				t.Fatalf("%s on %s: %v of %v", m.Metric, d.Day, d.Num, d.Den)
			}
			if d.State == Expected && (d.P5 < 0 || d.P5 > d.P10 || d.P10 > d.Median || d.Median > d.P90 || d.P90 > d.P95 || d.P95 > 1_000_000) {
				t.Fatalf("%s on %s: %+v", m.Metric, d.Day, d)
			}
			for _, b := range d.Bands {
				chance(string(m.Metric), b.Chance)
				if d.State == NoRule && b.Chance > 0 || b.Chance > m.Chance(b.Kind)+1e-9 {
					t.Fatalf("%s on %s: %+v, ever %v", m.Metric, d.Day, d, m.Ever)
				}
			}
		}
	}
	for _, d := range append(f.Days, f.Within) {
		var sum float64
		for _, p := range d.Exact {
			chance("together", p)
			sum += p
		}
		if math.Abs(sum-1) > 1e-9 {
			t.Fatalf("together %v", d)
		}
	}
}

func TestAnythingGivesAClearForecast(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		hour := func(name string, lo, hi int) time.Time {
			if n := rapid.IntRange(lo, hi).Draw(t, name); n != 0 {
				return at0.Add(time.Duration(n) * 37 * time.Minute)
			}
			return time.Time{}
		}
		in := Input{Bands: usBands(), Rates: usRates(), Days: rapid.IntRange(-1, 20).Draw(t, "days"), Counted: map[string][]DayCount{}}
		anchors := []policy.Moment{policy.AtPlaced, policy.AtReady, policy.AtHandedOver, policy.AtDelivered, policy.AtDeliverBy}
		tests := []policy.Test{policy.ReadyLate, policy.HandedOverLate, policy.DeliveredOnTime, policy.CancelledBySeller, policy.TrackingValid}
		for i := range in.Rates {
			in.Rates[i].Anchor, in.Rates[i].Test = rapid.SampledFrom(anchors).Draw(t, "anchor"), rapid.SampledFrom(tests).Draw(t, "test")
			in.Counted[in.Rates[i].ID] = []DayCount{{policy.DayOf(at0, time.UTC), 1, int64(rapid.IntRange(1, 30).Draw(t, "den"))}}
		}
		for i := range rapid.IntRange(0, 3).Draw(t, "nodes") {
			n := steady(rapid.SampledFrom([]float64{0, 0.2, 3}).Draw(t, "pace"))
			n.Code, n.Arrivals.Level = fmt.Sprint(i), rapid.SampledFrom([]float64{0, 1, 30}).Draw(t, "level")
			n.Arrivals.PerHour[int(at0.Weekday())*24+12] = rapid.SampledFrom([]float64{0, 0.1, 9}).Draw(t, "arrivals")
			n.Arrivals.Spread = rapid.SampledFrom([]float64{0, 0.5}).Draw(t, "spread")
			n.Lanes = append(n.Lanes, Lane{Carrier: "x", Pickups: []Pickup{{Weekday: 4, Clock: time.Hour}}, Missing: Share{Value: 0.1}})
			in.Nodes = append(in.Nodes, n)
		}
		for i := range rapid.IntRange(0, 30).Draw(t, "orders") {
			in.Open = append(in.Open, Open{ID: fmt.Sprint(i), Node: fmt.Sprint(i % 4), Carrier: rapid.SampledFrom([]string{"", "x"}).Draw(t, "carrier"),
				PlacedAt: hour("placed", -200, 3), ReadyAt: hour("ready", -99, 3), HandedOverAt: hour("handed", -300, 3), From: hour("from", -2, 900),
				Work: rapid.SampledFrom([]float64{-1, 0, 1, 7.5}).Draw(t, "work"), First: rapid.Bool().Draw(t, "first"),
				Deadlines: order.Deadlines{ShipBy: hour("ship", -99, 99), HandOverBy: hour("hand", -99, 300), AutoCancelShipBy: hour("acs", -99, 99),
					AutoCancelHandOverBy: hour("ach", -99, 99), DeliverBy: hour("deliver", -99, 400)}})
		}
		if rapid.Bool().Draw(t, "due") {
			in.Due = due2BD
		}
		f := Make(in, at0)
		check(t, f)
		for _, m := range f.Metrics[:1] {
			a, _ := f.Smallest(Question{Metric: m.Metric, Day: m.Days[0].Day, Limit: 100_000, Until: at0.Add(3 * time.Hour)})
			if math.IsNaN(a.Chance) || a.Chance < -1e-9 || a.Chance > 1+1e-9 {
				t.Fatalf("%+v", a)
			}
		}
	})
}

func TestNothingIsNothingAndNoRuleIsNoRule(t *testing.T) {
	f := Make(Input{}, at0)
	check(t, f)
	if len(f.Metrics) != 0 || len(f.Assumed) == 0 {
		t.Errorf("%+v", f)
	}
	rates := usRates()[:1]
	today := policy.DayOf(at0, time.UTC)
	rates[0].Until = today + 2
	f = Make(Input{Rates: rates, Bands: usBands()}, at0)
	check(t, f)
	for i, d := range f.Metric(policy.LDR).Days {
		if want := map[bool]State{true: Nothing, false: NoRule}[i < 2]; d.State != want || d.Chance(policy.Enforcement) != 0 {
			t.Errorf("day %d: %+v", i, d)
		}
	}
	if _, ok := f.Smallest(Question{Metric: policy.LDR, Day: today + 3}); ok {
		t.Error("an answer without a rule")
	}
	if _, ok := f.Metric(policy.LDR).FirstOver(policy.Enforcement, 0.1); ok {
		t.Error("a first day of nothing")
	}
}

// TestSameInputSameForecast: also when the orders come in another sequence.
func TestSameInputSameForecast(t *testing.T) {
	in := benchInput(600, at0)
	a := Make(in, at0)
	check(t, a)
	b := Make(in, at0)
	opts := []cmp.Option{cmpopts.IgnoreUnexported(Forecast{}), cmpopts.EquateApprox(0, 1e-9)}
	if diff := cmp.Diff(a, b, cmpopts.IgnoreUnexported(Forecast{})); diff != "" {
		t.Error(diff)
	}
	rand.New(rand.NewPCG(1, 1)).Shuffle(len(in.Open), func(i, j int) { in.Open[i], in.Open[j] = in.Open[j], in.Open[i] })
	c := Make(in, at0)
	a.Orders, c.Orders = nil, nil
	if diff := cmp.Diff(a.Metrics, c.Metrics, opts...); diff != "" {
		t.Error(diff)
	}
}

// TestParcelsUnderWay: what is ready or on the road is judged by how long it waits already.
func TestParcelsUnderWay(t *testing.T) {
	lane := Lane{Lag: Dist{Points: []Point{{0, 0}, {10, 1}}, Basis: Stated}, Transit: Dist{Points: []Point{{0, 0}, {100, 1}}, Basis: Stated}}
	n := steady(1)
	n.Lanes = []Lane{lane}
	in := Input{Nodes: []Node{n}, Rates: usRates(), Bands: usBands(), Open: []Open{
		{ID: "ready", ReadyAt: onTheHour.Add(-5 * time.Hour), Deadlines: order.Deadlines{HandOverBy: onTheHour.Add(2 * time.Hour)}},
		{ID: "road", ReadyAt: onTheHour.Add(-60 * time.Hour), HandedOverAt: onTheHour.Add(-50 * time.Hour), Deadlines: order.Deadlines{DeliverBy: onTheHour.Add(20 * time.Hour)}},
		{ID: "stuck", ReadyAt: onTheHour.Add(-500 * time.Hour), Deadlines: order.Deadlines{HandOverBy: onTheHour.Add(-time.Hour)}},
	}}
	f := Make(in, onTheHour)
	if r := f.Orders[0]; math.Abs(r.Miss-0.6) > 0.04 { // 3 of the 5 hours that are left lie after the deadline; the carrier's own spread takes a little off
		t.Errorf("%+v", r)
	}
	if r := f.Orders[1]; math.Abs(r.Late-0.6) > 0.02 { // 30 of the 50 hours
		t.Errorf("%+v", r)
	}
	if r := f.Orders[2]; r.Miss != 1 || r.Scan.Before(onTheHour) {
		t.Errorf("%+v", r)
	}
}

// TestACommonCauseBreaksSeveral: chances that hang on one team are not multiplied.
func TestACommonCauseBreaksSeveral(t *testing.T) {
	in := Input{Rates: usRates(), Bands: usBands(), Counted: map[string][]DayCount{}, Nodes: []Node{{Throughput: Throughput{PerHour: shopHours(), Spread: .3, Basis: Stated}}}}
	today := policy.DayOf(onTheHour, time.UTC)
	in.Counted["ldr"] = []DayCount{{today - 1, 1, 100}}
	in.Counted["sfcr"] = []DayCount{{today, 0, 200}}
	for i := range 200 {
		in.Open = append(in.Open, Open{ID: fmt.Sprintf("%03d", i), PlacedAt: onTheHour, Deadlines: order.Deadlines{HandOverBy: onTheHour.Add(69 * time.Hour),
			AutoCancelShipBy: onTheHour.Add(72 * time.Hour)}})
	}
	f := Make(in, onTheHour)
	check(t, f)
	ldr, sfcr := f.Metric(policy.LDR).Chance(policy.Enforcement), f.Metric(policy.SFCR).Chance(policy.Enforcement)
	both := f.Within.AtLeast(2)
	t.Logf("late %.2f, cancelled %.2f, both %.2f", ldr, sfcr, both)
	if both < 1.2*ldr*sfcr || both > min(ldr, sfcr)+1e-9 || f.Within.AtLeast(1) < max(ldr, sfcr)-1e-9 {
		t.Errorf("late %v, cancelled %v, both %v, one %v", ldr, sfcr, both, f.Within.AtLeast(1))
	}
}

package forecast

import (
	"fmt"
	"testing"
	"time"

	"github.com/spillway/spillway/domain/order"
	"github.com/spillway/spillway/domain/policy"
)

func benchInput(n int, at time.Time) Input {
	in := Input{Rates: usRates(), Bands: usBands(), Due: due2BD, Counted: map[string][]DayCount{}}
	today := policy.DayOf(at, time.UTC)
	for d := today - 30; d <= today; d++ {
		for _, r := range in.Rates {
			in.Counted[r.ID] = append(in.Counted[r.ID], DayCount{d, int64(n / 200), int64(n / 5)})
		}
	}
	for j := range 4 {
		node := Node{Code: fmt.Sprint("n", j)}
		for k := range node.Throughput.PerHour {
			node.Throughput.PerHour[k] = float64(n) / 4 / 40
			node.Arrivals.PerHour[k] = float64(n) / 4 / 60
		}
		node.Throughput.Basis = Stated
		for c := range 2 {
			node.Lanes = append(node.Lanes, Lane{Carrier: fmt.Sprint("c", c)})
		}
		in.Nodes = append(in.Nodes, node)
	}
	for i := range n {
		placed := at.Add(-time.Duration(i*3*86400/n) * time.Second)
		o := Open{ID: fmt.Sprintf("o%06d", i), Node: fmt.Sprint("n", i%4), Carrier: fmt.Sprint("c", i%3%2), PlacedAt: placed, Deadlines: due2BD(placed)}
		switch i % 10 {
		case 0:
			o.ReadyAt = placed.Add(20 * time.Minute)
		case 1:
			o.ReadyAt, o.HandedOverAt = placed.Add(20*time.Minute), placed.Add(time.Hour)
		}
		in.Open = append(in.Open, o)
	}
	return in
}

var at0 = time.Date(2026, 5, 13, 10, 20, 0, 0, time.UTC)

func usRates() []policy.Rate {
	return []policy.Rate{
		{ID: "ldr", Metric: policy.LDR, Anchor: policy.AtHandedOver, Test: policy.HandedOverLate, Days: 7},
		{ID: "vtr", Metric: policy.VTR, Anchor: policy.AtReady, Test: policy.TrackingValid, Days: 8, Lag: 14},
		{ID: "sfcr", Metric: policy.SFCR, Anchor: policy.AtPlaced, Test: policy.CancelledBySeller, Days: 30},
		{ID: "otdr", Metric: policy.OTDR, Anchor: policy.AtDeliverBy, Test: policy.DeliveredOnTime, Days: 7, Lag: 1},
	}
}

func usBands() []policy.Band {
	return []policy.Band{
		{Metric: policy.LDR, Kind: policy.Target, Limit: 40_000}, {Metric: policy.LDR, Kind: policy.Enforcement, Limit: 100_000},
		{Metric: policy.VTR, Kind: policy.Enforcement, Limit: 950_000}, {Metric: policy.SFCR, Kind: policy.Enforcement, Limit: 25_000},
		{Metric: policy.OTDR, Kind: policy.Enforcement, Limit: 800_000},
	}
}

// due2BD gives an order two business days to the carrier, six to the buyer and seven until it is cancelled, as the US market does.
func due2BD(placed time.Time) order.Deadlines {
	after := func(n int) time.Time {
		t := placed.UTC().Truncate(24 * time.Hour)
		for n > 0 {
			t = t.Add(24 * time.Hour)
			if t.Weekday() != time.Saturday && t.Weekday() != time.Sunday {
				n--
			}
		}
		return t.Add(24*time.Hour - time.Second)
	}
	return order.Deadlines{HandOverBy: after(2), DeliverBy: after(6), AutoCancelShipBy: after(7)}
}

// BenchmarkMake forecasts four metrics over eight days with open orders at four nodes of two carriers. The last one has a deadline of its own
// for every order, to the second.
func BenchmarkMake(b *testing.B) {
	for _, n := range []int{0, 500, 5_000, 50_000} {
		in := benchInput(max(n, 100), at0)
		in.Open = in.Open[:n]
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			for b.Loop() {
				Make(in, at0)
			}
		})
	}
	in := benchInput(50_000, at0)
	for i := range in.Open {
		o := &in.Open[i]
		o.Deadlines.HandOverBy, o.Deadlines.DeliverBy = o.PlacedAt.Add(48*time.Hour), o.PlacedAt.Add(200*time.Hour)
	}
	b.Run("50000distinct", func(b *testing.B) {
		for b.Loop() {
			Make(in, at0)
		}
	})
}

package forecast

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/spillway/spillway/domain/order"
)

// steady is a node that does the same every hour of the week, certainly.
func steady(perHour float64) Node {
	n := Node{Throughput: Throughput{Spread: 1e-9, Basis: Stated}, Lanes: []Lane{{Lag: Dist{Points: []Point{{1, 0}, {2, 1}}, Basis: Stated}}}}
	for k := range n.Throughput.PerHour {
		n.Throughput.PerHour[k] = perHour
	}
	return n
}

var onTheHour = at0.Truncate(time.Hour)

// TestQueueIsThatOfByUrgency checks the sequence and the hours against orders worked one by one.
func TestQueueIsThatOfByUrgency(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		perHour := rapid.IntRange(1, 5).Draw(t, "perHour")
		in := Input{Nodes: []Node{steady(float64(perHour))}}
		var orders []*order.Order
		held := map[string]int{}
		for i := range rapid.IntRange(0, 40).Draw(t, "orders") {
			o := &order.Order{ID: fmt.Sprintf("%02d", rapid.IntRange(0, 99).Draw(t, "id")*100+i), Detail: order.Detail{
				CreatedAt: onTheHour.Add(-time.Duration(rapid.IntRange(0, 5).Draw(t, "age")) * time.Hour)}}
			if d := rapid.IntRange(-5, 30).Draw(t, "due"); d < 25 {
				o.Deadlines.HandOverBy = onTheHour.Add(time.Duration(d) * time.Hour)
			}
			if d := rapid.IntRange(0, 40).Draw(t, "ship"); d < 10 {
				o.Deadlines.ShipBy = onTheHour.Add(time.Duration(d) * time.Hour)
			}
			x := Open{ID: o.ID, PlacedAt: o.CreatedAt, Deadlines: o.Deadlines}
			if h := rapid.IntRange(-6, 6).Draw(t, "held"); h > 0 {
				held[o.ID] = h
				x.From = onTheHour.Add(time.Duration(h) * time.Hour)
			}
			orders = append(orders, o)
			in.Open = append(in.Open, x)
		}
		slices.SortFunc(orders, func(a, b *order.Order) int {
			if x, y := order.NextDue(a).At, order.NextDue(b).At; x.Equal(y) { // of one deadline, what comes free first
				return cmp.Or(held[a.ID]-held[b.ID], order.ByUrgency(a, b))
			}
			return order.ByUrgency(a, b)
		})
		want := map[string]time.Time{}
		for h := 0; len(want) < len(orders); h++ {
			left := perHour
			for _, o := range orders {
				if _, done := want[o.ID]; !done && left > 0 && held[o.ID] <= h {
					want[o.ID] = onTheHour.Add(time.Duration(h+1) * time.Hour)
					left--
				}
			}
		}
		for _, r := range Make(in, onTheHour).Orders {
			if !r.Ready.Equal(want[r.ID]) {
				t.Fatalf("order %s: ready %s, want %s", r.ID, r.Ready, want[r.ID])
			}
		}
	})
}

func TestAClassIsCancelledWhenItsTimeComes(t *testing.T) {
	in := Input{Nodes: []Node{steady(1)}, Rates: usRates(), Bands: usBands()}
	for i := range 10 {
		in.Open = append(in.Open, Open{ID: fmt.Sprint(i), PlacedAt: onTheHour, Deadlines: order.Deadlines{
			HandOverBy: onTheHour.Add(3 * time.Hour), AutoCancelShipBy: onTheHour.Add(4 * time.Hour)}})
	}
	in.Counted = map[string][]DayCount{"sfcr": {{Day: 20586, Den: 10}}}
	f := Make(in, onTheHour)
	for i, r := range f.Orders {
		if cancelled := i >= 4; (r.Cancel == 1) != cancelled || (r.Miss == 1) != (i >= 2) {
			t.Errorf("order %d: %+v", i, r)
		}
	}
	day := f.Metric("sfcr").Days[0]
	if math.Abs(day.Num-6) > 1e-9 || day.Den != 10 || day.Median < 599_990 || day.Median > 600_010 || day.Chance("enforcement") != 1 {
		t.Errorf("%+v", day)
	}
	ldr := f.Metric("ldr").Days[0] // of the four dispatched, those ready at 3 and 4 h are scanned after 3 h; the one at 2 h between 3 and 4 h
	if ldr.Den < 3.99 || ldr.Den > 4.01 || ldr.Num < 2.9 || ldr.Num > 3.1 {
		t.Errorf("%+v", ldr)
	}
}

func TestPickups(t *testing.T) {
	day := func(d, h, m int) time.Time { return time.Date(2026, 5, d, h, m, 0, 0, time.UTC) } // the 15th is a Friday
	vans := []Pickup{{Weekday: time.Friday, Clock: 17 * time.Hour, Cutoff: time.Hour}, {Weekday: time.Monday, Clock: 9*time.Hour + 30*time.Minute}}
	for _, x := range []struct{ ready, van time.Time }{
		{day(15, 16, 0), day(15, 17, 0)}, {day(15, 16, 1), day(18, 9, 30)}, {day(18, 9, 30), day(18, 9, 30)}, {day(18, 9, 31), day(22, 17, 0)},
	} {
		if got := (&laneModel{pickups: vans, zone: time.UTC}).van(x.ready); !got.Equal(x.van) {
			t.Errorf("ready %s: van %s, want %s", x.ready, got, x.van)
		}
	}
	zone, err := time.LoadLocation("America/Los_Angeles")
	if err != nil {
		t.Fatal(err)
	}
	sunday := []Pickup{{Weekday: time.Sunday, Clock: 17 * time.Hour}}
	if got, want := (&laneModel{pickups: sunday, zone: zone}).van(time.Date(2026, 3, 8, 1, 0, 0, 0, zone)), time.Date(2026, 3, 8, 17, 0, 0, 0, zone); !got.Equal(want) {
		t.Errorf("on the day the clocks change: %s, want %s", got, want)
	}
}

package forecast

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// worked draws what a node does that works its stated hours at factor times the stated pace, with a queue of that many orders.
func worked(stated Weekly, factor float64, n, queue int, seed uint64) (out []Hour) {
	dice := rand.New(rand.NewPCG(seed, 1))
	from := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	for h := range n * HoursOfWeek {
		at := from.Add(time.Duration(h) * time.Hour)
		mean := factor * stated[hourOfWeek(at, time.UTC)]
		count := 0
		if mean > 0 {
			count = max(int(math.Round(mean+math.Sqrt(mean)*dice.NormFloat64())), 0)
		}
		out = append(out, Hour{At: at, Count: count, Queue: queue})
	}
	return out
}

func office(perHour float64) (w Weekly) {
	for d := 1; d <= 5; d++ {
		for h := 8; h < 16; h++ {
			w[d*24+h] = perHour
		}
	}
	return w
}

func TestAStatedPaceIsCorrectedByWhatWasDone(t *testing.T) {
	stated := office(50)
	for _, c := range []struct {
		name             string
		factor           float64
		weeks, queue     int
		least, most      float64
		leastBusy, limit int
	}{
		{"no history", 1, 0, 0, 1, 1, 0, 0},
		{"never busy", 0.5, 6, 10, 1, 1, 0, 0},
		{"a week at half the pace", 0.5, 1, 500, 0.64, 0.71, 40, 40},
		{"six weeks at half the pace", 0.5, 6, 500, 0.55, 0.61, 240, 240},
		{"six weeks at the pace", 1, 6, 500, 0.97, 1.03, 240, 240},
		{"six weeks at double", 2, 6, 500, 1.79, 1.90, 240, 240},
		{"a mistake in one of the two", 20, 6, 500, fastest, fastest, 240, 240},
	} {
		got := StatedThroughput(time.UTC, stated, worked(stated, c.factor, c.weeks, c.queue, 7), nil)
		if got.Basis != Stated || got.Factor < c.least || got.Factor > c.most || got.Busy < c.leastBusy || got.Busy > c.limit {
			t.Errorf("%s: factor %.3f of %d busy hours, basis %q", c.name, got.Factor, got.Busy, got.Basis)
		}
		if k := 24 + 9; math.Abs(got.PerHour[k]-50*got.Factor) > 1e-9 || got.PerHour[3] != 0 {
			t.Errorf("%s: %v and %v", c.name, got.PerHour[k], got.PerHour[3])
		}
	}
	// What was done while closed, or with overtime, says nothing of the pace.
	history := worked(stated, 0.5, 6, 500, 7)
	got := StatedThroughput(time.UTC, stated, history, []Shift{{From: history[0].At, Until: history[len(history)-1].At.Add(time.Hour)}})
	if got.Factor != 1 || got.Busy != 0 {
		t.Errorf("factor %v of %d hours that do not count", got.Factor, got.Busy)
	}
}

func TestStatedThroughputNeverLeavesItsHours(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var stated Weekly
		for k := range stated {
			if rapid.IntRange(0, 3).Draw(t, "open") == 0 {
				stated[k] = rapid.Float64Range(0.5, 500).Draw(t, "pace")
			}
		}
		factor, queue := rapid.Float64Range(0, 8).Draw(t, "factor"), rapid.SampledFrom([]int{0, 20, 5000}).Draw(t, "queue")
		hours := worked(stated, factor, rapid.IntRange(0, 5).Draw(t, "weeks"), queue, 3)
		got := StatedThroughput(time.UTC, stated, hours, nil)
		if got.Factor < slowest || got.Factor > fastest || got.Doubt < 0 || math.IsNaN(got.Doubt) || got.Spread <= 0 {
			t.Fatalf("%+v", got)
		}
		for k := range stated {
			if (stated[k] == 0) != (got.PerHour[k] == 0) {
				t.Fatalf("hour %d: stated %v, taken %v", k, stated[k], got.PerHour[k])
			}
		}
		if got.Busy > 0 && got.Busy < leastBusy && got.Factor != 1 {
			t.Fatalf("%d hours change the pace", got.Busy)
		}
		shuffled := append([]Hour(nil), hours...)
		rand.New(rand.NewPCG(1, 1)).Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
		again := StatedThroughput(time.UTC, stated, shuffled, nil)
		if math.Abs(again.Factor-got.Factor) > 1e-9 || math.Abs(again.Doubt-got.Doubt) > 1e-6 {
			t.Fatalf("the sequence of hours matters: %v, %v", got.Factor, again.Factor)
		}
	})
}

func TestManyAlikeWaitsAreOneWithANumber(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var many, few []Wait
		for range rapid.IntRange(1, 20).Draw(t, "kinds") {
			w := Wait{Lasted: time.Duration(rapid.IntRange(0, 60).Draw(t, "hours")) * time.Hour, Ended: rapid.Bool().Draw(t, "ended"), N: int64(rapid.IntRange(1, 9).Draw(t, "n"))}
			few = append(few, w)
			for range w.N {
				many = append(many, Wait{Lasted: w.Lasted, Ended: w.Ended})
			}
		}
		a, b := LearnLag(few), LearnLag(many)
		if len(a.Points) != len(b.Points) || a.Basis != b.Basis {
			t.Fatalf("%v\n%v", a, b)
		}
		for i := range a.Points {
			if math.Abs(a.Points[i].Hours-b.Points[i].Hours) > 1e-4 || math.Abs(a.Points[i].Share-b.Points[i].Share) > 1e-9 {
				t.Fatalf("%v\n%v", a, b)
			}
		}
		for i := 1; i < len(a.Points); i++ {
			if a.Points[i].Hours < a.Points[i-1].Hours || a.Points[i].Share < a.Points[i-1].Share || a.Points[i].Share > 1 {
				t.Fatalf("not a distribution: %v", a.Points)
			}
		}
	})
}

// Parcels go out evenly over ten days and are looked at then: those on the road still are the slow ones, and who leaves them out takes a carrier for
// quicker than it is.
func TestUnfinishedWaitsAreNotLeftOut(t *testing.T) {
	dice := rand.New(rand.NewPCG(5, 5))
	var all, seen, finished []Wait
	for range 4000 {
		lasts := time.Duration(96 * math.Exp(0.5*dice.NormFloat64()) * float64(time.Hour))
		all = append(all, Wait{Lasted: lasts, Ended: true})
		since := time.Duration(dice.Float64() * 10 * 24 * float64(time.Hour))
		w := Wait{Lasted: min(lasts, since), Ended: lasts <= since}
		if seen = append(seen, w); w.Ended {
			finished = append(finished, w)
		}
	}
	truth, told, biased := LearnTransit(all), LearnTransit(seen), LearnTransit(finished)
	for _, share := range []float64{0.25, 0.5, 0.75} {
		want, got, naive := truth.quantile(share), told.quantile(share), biased.quantile(share)
		if math.Abs(got-want) > 0.06*want {
			t.Errorf("%.0f %% are over after %.1f h, learned %.1f h", 100*share, want, got)
		}
		if naive > 0.93*want {
			t.Errorf("%.0f %%: without those on the road it would be %.1f h of %.1f h, so this test shows nothing", 100*share, naive, want)
		}
	}
	if diff := cmp.Diff(told, LearnTransit(append([]Wait(nil), seen...))); diff != "" {
		t.Error(diff)
	}
}

func TestVansDoNotComeOnClosedDays(t *testing.T) {
	monday := time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)
	var daily []Pickup
	for d := time.Monday; d <= time.Friday; d++ {
		daily = append(daily, Pickup{Weekday: d, Clock: 17 * time.Hour})
	}
	day := func(n int) Shift {
		return Shift{From: monday.AddDate(0, 0, n), Until: monday.AddDate(0, 0, n+1)}
	}
	l := laneModel{pickups: daily, zone: time.UTC, off: []Shift{day(1), day(2)}}
	if got, want := l.van(monday.Add(18*time.Hour)), monday.AddDate(0, 0, 3).Add(17*time.Hour); !got.Equal(want) {
		t.Errorf("%s, want %s", got, want)
	}
	l.off = nil
	for n := range 40 {
		l.off = append(l.off, day(n))
	}
	if got := l.van(monday); !got.Equal(monday) {
		t.Errorf("no van for weeks, and %s", got)
	}
	l.off = l.off[:14] // two weeks closed: a van comes after that
	if got, want := l.van(monday), monday.AddDate(0, 0, 14).Add(17*time.Hour); !got.Equal(want) {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestPartHoursOfOvertimeCount(t *testing.T) {
	at := time.Date(2026, 11, 23, 6, 0, 0, 0, time.UTC)
	n := Node{Throughput: Throughput{PerHour: office(10), Basis: Stated}, Extra: []Shift{{From: at.Add(30 * time.Minute), Until: at.Add(90 * time.Minute), PerHour: 20}},
		Closed: []Shift{{From: at.Add(2 * time.Hour), Until: at.Add(150 * time.Minute)}}}
	m := newModel(Input{Nodes: []Node{n}}, at)
	for k, want := range []float64{10, 10, 5, 10} {
		if got := m.nodes[0].capacity[k]; math.Abs(got-want) > 1e-9 {
			t.Errorf("hour %d: %v, want %v", k, got, want)
		}
	}
}

func TestWhatNobodySawEndGoesOnAsAssumed(t *testing.T) {
	// Nine of ten are scanned within a day; what was seen of the others ends after 24 hours.
	waits := []Wait{{Lasted: 10 * time.Hour, Ended: true, N: 90_000}, {Lasted: 24 * time.Hour, N: 10_000}}
	d := LearnLag(waits)
	if got := d.at(24); math.Abs(got-0.9) > 0.015 {
		t.Errorf("after a day %v", got)
	}
	want := 1 - 0.1*(1-defaultLag.at(36))/(1-defaultLag.at(24))
	if got := d.at(36); math.Abs(got-want) > 0.015 {
		t.Errorf("after 36 h %v, want %v", got, want)
	}
	if got := d.at(72); got < 0.999 {
		t.Errorf("after three days %v", got)
	}
	waits[1].Lasted = 100 * time.Hour // longer than the assumption knows any to last
	if d = LearnLag(waits); d.at(1000) > 0.91 {
		t.Errorf("what is lost comes all the same: %v", d.at(1000))
	}
}

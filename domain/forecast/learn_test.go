package forecast

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

// weeks makes hours of work: busy from 9 to 17 on weekdays, at a pace, with a queue or just what came in.
func weeks(n int, did func(t time.Time) (count, queue int)) (out []Hour) {
	for h := range n * 7 * 24 {
		at := monday.Add(time.Duration(h) * time.Hour)
		count, queue := did(at)
		out = append(out, Hour{At: at, Count: count, Queue: queue})
	}
	return out
}

func working(t time.Time) bool {
	return t.Weekday() != time.Saturday && t.Weekday() != time.Sunday && t.Hour() >= 9 && t.Hour() < 17
}

func TestThroughputIsLearnedFromBusyHours(t *testing.T) {
	hours := weeks(4, func(at time.Time) (int, int) {
		switch {
		case !working(at):
			return 0, 50
		case at.Weekday() == time.Monday: // only Mondays have a queue
			return 20, 100
		}
		return 8, 0
	})
	got := LearnThroughput(nil, hours)
	if got.Basis != Learned || got.Busy != 4*8 {
		t.Errorf("%v, busy %d", got.Basis, got.Busy)
	}
	for k, x := range got.PerHour {
		want := 0.0
		if at := monday.Add(time.Duration(k-24) * time.Hour); working(at) { // hour 24 of the week is Monday's first
			want = 20
		}
		if math.Abs(x-want) > 0.01*want {
			t.Errorf("hour %d: %v, want %v", k, x, want)
		}
	}
	idle := LearnThroughput(nil, weeks(4, func(at time.Time) (int, int) {
		if working(at) {
			return 8, 0
		}
		return 0, 0
	}))
	if idle.Busy != 0 || idle.PerHour[24+10] < 7.5 || idle.PerHour[24+10] > 9 || idle.PerHour[3] != 0 || idle.Doubt != unseenDoubt {
		t.Errorf("%+v", idle)
	}
	if none := LearnThroughput(nil, nil); none.Basis != Assumed {
		t.Errorf("%+v", none)
	}
}

func TestSpreadIsLearned(t *testing.T) {
	for _, spread := range []float64{.05, .4} {
		rng := rand.New(rand.NewPCG(3, 4))
		form := 0.0
		got := LearnThroughput(nil, weeks(12, func(at time.Time) (int, int) {
			if at.Hour() == 0 {
				form = spread * rng.NormFloat64()
			}
			if !working(at) {
				return 0, 9999
			}
			return int(math.Round(200 * math.Exp(form))), 9999
		}))
		if got.Spread < 0.7*spread || got.Spread > 1.3*spread+0.06 {
			t.Errorf("spread %v, learned %v", spread, got.Spread)
		}
	}
}

func TestASpikeIsNoticedAndForgottenAndNoPattern(t *testing.T) {
	boost := 1.0
	hours := weeks(5, func(at time.Time) (int, int) {
		boost = 1
		if age := at.Sub(monday.AddDate(0, 0, 14)); age >= 0 && age < 48*time.Hour {
			boost = 20
		}
		return int(4 * boost), 0
	})
	quiet := LearnArrivals(monday.AddDate(0, 0, 35), nil, hours)
	for k, x := range quiet.PerHour {
		if math.Abs(x-4) > 0.3 {
			t.Errorf("hour %d of a quiet week: %v", k, x)
		}
	}
	if math.Abs(quiet.Level-1) > 0.1 {
		t.Errorf("level %v weeks later", quiet.Level)
	}
	for _, x := range []struct {
		hours    int
		low, top float64
	}{{0, .9, 1.1}, {1, 3, 8}, {3, 6, 14}, {12, 10, 20}} {
		n := 14*24 + x.hours
		if got := LearnArrivals(monday.Add(time.Duration(n)*time.Hour), nil, hours[:n]); got.Level < x.low || got.Level > x.top {
			t.Errorf("%d h into a spike of 20: level %v", x.hours, got.Level)
		}
	}
}

func TestLagIsLearnedWithWhatStillWaits(t *testing.T) {
	var all, ended []Wait
	for i := range 2000 {
		lasted := time.Duration(i) * time.Minute * 24 * 60 / 2000 // even from 0 to 24 h
		if lasted < 12*time.Hour {
			all, ended = append(all, Wait{Lasted: lasted, Ended: true}), append(ended, Wait{Lasted: lasted, Ended: true})
		} else {
			all = append(all, Wait{Lasted: 12 * time.Hour}) // seen for twelve hours only
		}
	}
	d, blind := LearnLag(all), LearnLag(ended)
	if got := d.at(6); math.Abs(got-0.25) > 0.02 {
		t.Errorf("after 6 h %v, want 0.25", got)
	}
	if got := blind.at(6); got < 0.45 {
		t.Errorf("without the waiting ones %v: the test shows nothing", got)
	}
	if none := LearnLag([]Wait{{Lasted: time.Hour}}); none.Basis != Assumed {
		t.Errorf("%+v", none)
	}
	before := -1.0
	for _, p := range d.Points {
		if p.Hours <= before {
			t.Fatalf("points %v", d.Points)
		}
		before = p.Hours
	}
	for _, share := range []float64{.1, .25, .45} {
		if got := d.at(d.quantile(share)); math.Abs(got-share) > 1e-6 {
			t.Errorf("quantile of %v has share %v", share, got)
		}
	}
}

func TestShareIsDrawnTowardsWhatIsAssumed(t *testing.T) {
	if got := LearnShare(0, 0, .01, 100); got != (Share{Value: .01}) {
		t.Errorf("%+v", got)
	}
	if got := LearnShare(5, 100, .01, 100); got.Value != 0.03 || got.Basis != Learned {
		t.Errorf("%+v", got)
	}
}

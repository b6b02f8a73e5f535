package worlds

import "testing"

func TestSpikeFigures(t *testing.T) {
	for _, rate := range []float64{0.02, 0.1, 0.3} {
		for name, kinds := range map[string]int{"absolute": 0, "mixed": 1} {
			k := FiveAbsolute
			if kinds == 1 {
				k = FiveMixed
			}
			for seed := uint64(1); seed <= 3; seed++ {
				s := Spike(seed, rate, k...)
				got, err := Play(s)
				if err != nil {
					t.Fatal(err)
				}
				best := PlayRival(s, Rivals[4])
				ev := PlayRival(s, Rivals[2])
				t.Logf("%s rate %v: sold %d of %d (%.2f%%), pushes %d (event %d, oversold %d) oversold %d reads %d polls %d", name, rate, got.Sold, best.Sold, 100*float64(got.Sold)/float64(best.Sold), got.Pushes, ev.Pushes, ev.Oversold, got.Oversold, got.Reads, got.Polls)
			}
		}
	}
}

func TestWeekFigures(t *testing.T) {
	for i, k := range [][]string{{"absolute"}, {"mixed"}} {
		kinds := FiveAbsolute
		if i == 1 {
			kinds = FiveMixed
		}
		for seed := uint64(1); seed <= 4; seed++ {
			s := QuietWeek(seed, kinds...)
			got, err := Play(s)
			if err != nil {
				t.Fatal(err)
			}
			best := PlayRival(s, Rivals[4])
			ev := PlayRival(s, Rivals[2])
			t.Logf("%s: sold %d of %d (%.2f%%), lost %d (oracle %d) pushes %d (event %d, oversold %d) oversold %d reads %d polls %d", k, got.Sold, best.Sold, 100*float64(got.Sold)/float64(best.Sold), got.Lost, best.Lost, got.Pushes, ev.Pushes, ev.Oversold, got.Oversold, got.Reads, got.Polls)
		}
	}
}

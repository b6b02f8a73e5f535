package forecast

import (
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"github.com/spillway/spillway/domain/policy"
)

// TestIntervalsAreHonest asks shops under strain, whose rate is really in doubt, what their rate will be, and then plays on.
func TestIntervalsAreHonest(t *testing.T) {
	shops := 150
	if os.Getenv("SPILLWAY_LONG") != "" {
		shops = 400
	} else if testing.Short() {
		shops = 60
	}
	rng := rand.New(rand.NewPCG(31, 32))
	type tally struct{ in, below, above, n int }
	ahead := []policy.Day{1, 3, 5, 7}
	got := make([]tally, len(ahead))
	var all tally
	var chance, came float64
	for i := range shops {
		size := shopSize{perDay: 30 * pow(20, rng.Float64()), utilisation: .7 + .25*rng.Float64(), spread: .1 + .2*rng.Float64(),
			carry: .6 * rng.Float64(), demand: .1 + .15*rng.Float64(), slow: .005 + .025*rng.Float64(), saturday: rng.IntN(2) == 0}
		at := monday.Add(time.Duration(24+rng.IntN(6*24)) * time.Hour)
		w := newWarehouse(size, uint64(90_000+i), monday.AddDate(0, 0, -28))
		begins, factor := at.Add(-time.Duration(6+rng.IntN(60))*time.Hour), 1.5+3*rng.Float64()
		w.boost = func(now time.Time) float64 { // a rush that the forecast sees the beginning of
			if age := now.Sub(begins).Hours(); age >= 0 {
				return 1 + (factor-1)*pow(2, -age/24)
			}
			return 1
		}
		f := Make(w.until(at).input(ldrOnly), at)
		today := policy.DayOf(at, time.UTC)
		for k, d := range ahead {
			end := (today + d + 1).Start(time.UTC)
			late, dispatched := w.until(end).ldr(end)
			day := f.Metric(policy.LDR).Days[d]
			real := policy.PPM(late * 1_000_000 / max(dispatched, 1))
			chance += day.Chance(policy.Enforcement)
			if real > 100_000 {
				came++
			}
			x := &got[k]
			for _, y := range []*tally{x, &all} {
				y.n++
				switch {
				case real < day.P10-10:
					y.below++
				case real > day.P90+10:
					y.above++
				default:
					y.in++
				}
			}
		}
	}
	for k, x := range got {
		t.Logf("%d days ahead: %d of %d inside the 80 %% interval (%.1f %%), %d below, %d above", ahead[k], x.in, x.n, 100*float64(x.in)/float64(x.n), x.below, x.above)
	}
	cover := float64(all.in) / float64(all.n)
	t.Logf("all: %.1f %% inside, %d below, %d above; chance of more than 10 %%: told %.1f %%, came %.1f %%", 100*cover, all.below, all.above,
		100*chance/float64(all.n), 100*came/float64(all.n))
	if cover < .75 || cover > .88 {
		t.Errorf("80 %% intervals hold %.1f %%", 100*cover)
	}
}

package worlds

import (
	"flag"
	"fmt"
	"runtime"
	"sync/atomic"
	"testing"
)

var (
	count = flag.Int("worlds", 800, "random worlds to play (2000 in the long lane)")
	base  = flag.Uint64("seed", 1, "seed of the first world")
)

// tries plays one check for many seeds on all cores. A failing seed is shrunk and printed as a line for regressions.
func tries(t *testing.T, n int, off Feature, check func(c Case) error) {
	t.Helper()
	if testing.Short() {
		n /= 10
	}
	var failed atomic.Int64
	each(Options{Worlds: n, Seed: *base, Workers: runtime.GOMAXPROCS(0)}, func(seed uint64) bool {
		c := Case{Seed: seed, Off: off}
		if err := check(c); err != nil {
			small, smallErr := Shrink(c)
			t.Errorf("seed %d: %v\nagain: go test ./internal/worlds -worlds 1 -seed %d\nshrunk: %v %v", seed, err, seed, small, smallErr)
			return failed.Add(1) < maxFailures
		}
		return true
	})
}

func TestNoInterleavingOversells(t *testing.T) {
	tries(t, *count, Excused, func(c Case) error {
		_, err := Play(c.Spec())
		return err
	})
}

// Somebody edits numbers at the channel. What that sells beyond the stock is not ours to prevent, but no more than was
// added may be oversold, the edits must be found, and the numbers put right.
func TestEditsAreFoundAndRepaired(t *testing.T) {
	var drifts atomic.Int64
	tries(t, *count/4, Excused&^Edits, func(c Case) error {
		s := c.Spec()
		added := 0
		for _, c := range s.Changes {
			if c.kind == Edits {
				added += c.units * 3 // a bundle may take three of an item
			}
		}
		r, err := Play(s)
		drifts.Add(int64(r.Drifts))
		if err == nil && r.Oversold > added {
			err = fmt.Errorf("%d oversold, though only %d were added by hand", r.Oversold, added)
		}
		return err
	})
	if drifts.Load() == 0 {
		t.Error("no edit was found")
	}
}

// Every channel shows a copy of the stock when we come. Until that is cut down more may be sold than is there; from then
// on nothing is.
func TestAdoptedShopsAreBroughtUnderTheGuard(t *testing.T) {
	tries(t, *count/4, Excused&^Adoption, func(c Case) error {
		_, err := Play(c.Spec())
		return err
	})
}

// Operators accept a quantile of the unseen sales: the numbers still come to rest, and the risk is as small as said.
func TestQuantileRiskIsSmall(t *testing.T) {
	var sold, oversold atomic.Int64
	tries(t, *count/4, Excused&^Quantiles, func(c Case) error {
		r, err := Play(c.Spec())
		sold.Add(int64(r.Sold))
		oversold.Add(int64(r.Oversold))
		return err
	})
	t.Logf("%d of %d units oversold", oversold.Load(), sold.Load())
	if oversold.Load()*200 > sold.Load() {
		t.Errorf("%d of %d units oversold: more than one in 200", oversold.Load(), sold.Load())
	}
}

package worlds

import (
	"flag"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
)

var (
	count = flag.Int("worlds", 400, "random worlds to run")
	base  = flag.Uint64("seed", 1, "seed of the first world; a failing one is run again with -worlds 1 -seed N")
)

func TestNoInterleavingOversells(t *testing.T) {
	var next, failed atomic.Int64
	var group sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		group.Go(func() {
			for failed.Load() < 3 {
				i := next.Add(1) - 1
				if i >= int64(*count) {
					return
				}
				seed := *base + uint64(i)
				if _, err := Play(Random(seed, Edits|Quantiles)); err != nil {
					failed.Add(1)
					t.Errorf("seed %d: %v", seed, err)
				}
			}
		})
	}
	group.Wait()
}

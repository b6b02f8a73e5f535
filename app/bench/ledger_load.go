package bench

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/kit/id"
)

// ledgerItems is how many items the shapes with more than one are about.
const ledgerItems = 10_000

// contender is one way of reserving: Spillway on an engine, or a baseline.
type contender struct {
	name string
	key  string // as in the options
	// reserve holds one unit of an item for an id, durably, or says that there is none.
	reserve func(ctx context.Context, id, item string) (bool, error)
	// stock puts units of an item on the shelf, for items that have none.
	stock func(ctx context.Context, items []string, units int64) error
	// prove counts an item's held units and fails unless its books agree with each other.
	prove func(ctx context.Context, item string) (int64, error)
	close func() error
}

// load is what callers measured together.
type load struct {
	Rate     float64
	P50      time.Duration
	P99      time.Duration
	CPU      float64 // of this process: callers and, for the embedded engine, the database
	accepted int64
}

// shape says which item the next order wants.
type shape func(r *rand.Rand) int

func shapeOf(name string) (items int, s shape, err error) {
	switch name {
	case "hot":
		return 1, func(*rand.Rand) int { return 0 }, nil
	case "uniform":
		return ledgerItems, func(r *rand.Rand) int { return r.IntN(ledgerItems) }, nil
	case "zipf":
		// By rank, exponent 1: the first item gets a tenth of all orders.
		sums := make([]float64, ledgerItems)
		total := 0.0
		for i := range sums {
			total += 1 / float64(i+1)
			sums[i] = total
		}
		return ledgerItems, func(r *rand.Rand) int {
			i, _ := slices.BinarySearch(sums, r.Float64()*total)
			return min(i, ledgerItems-1)
		}, nil
	}
	return 0, nil, errs.New(errs.Invalid, "bench ledger", name, "the shapes are hot, uniform and zipf")
}

// press lets callers reserve without pause for a while and counts.
func press(ctx context.Context, c *contender, callers int, length time.Duration, items []string, s shape) (load, error) {
	type result struct {
		took     []time.Duration
		accepted int64
		err      error
	}
	results := make([]result, callers)
	began, cpu := time.Now(), cpuTime()
	end := began.Add(length)
	var wg sync.WaitGroup
	for i := range results {
		wg.Go(func() {
			r := &results[i]
			rnd := rand.New(rand.NewPCG(uint64(i), uint64(began.UnixNano())))
			r.took = make([]time.Duration, 0, 1<<12)
			for at := time.Now(); at.Before(end); {
				ok, err := c.reserve(ctx, id.New(), items[s(rnd)])
				if err != nil {
					r.err = err
					return
				}
				now := time.Now()
				r.took = append(r.took, now.Sub(at))
				at = now
				if ok {
					r.accepted++
				}
			}
		})
	}
	wg.Wait()
	wall, used := time.Since(began), cpuTime()-cpu
	var all []time.Duration
	var out load
	for _, r := range results {
		if r.err != nil {
			return out, errs.Wrap("bench ledger", c.name, r.err)
		}
		all, out.accepted = append(all, r.took...), out.accepted+r.accepted
	}
	if len(all) == 0 {
		return out, errs.New(errs.Internal, "bench ledger", c.name, "nothing was answered")
	}
	slices.Sort(all)
	out.Rate = float64(len(all)) / wall.Seconds()
	out.P50, out.P99 = all[len(all)/2], all[min(len(all)-1, int(math.Ceil(float64(len(all))*0.99)))]
	out.CPU = float64(used.Microseconds()) / float64(len(all))
	return out, nil
}

// scarce is how many units the last item has, and pressing how many orders want them.
const scarce, pressing = 300, 900

// sellOut lets more orders than units come, each told twice by another caller, and returns how many were taken: exactly the units, if all is
// well.
func sellOut(ctx context.Context, c *contender, item string) (int64, error) {
	if err := c.stock(ctx, []string{item}, scarce); err != nil {
		return 0, err
	}
	ids := make([]string, pressing)
	for i := range ids {
		ids[i] = id.New()
	}
	won, failed := make([]bool, len(ids)), make([]error, len(ids))
	var wg sync.WaitGroup
	for i := range ids {
		wg.Go(func() {
			won[i], failed[i] = c.reserve(ctx, ids[i], item)
			if failed[i] != nil || !won[i] {
				return
			}
			if again, err := c.reserve(ctx, ids[i], item); err != nil || !again {
				failed[i] = errs.New(errs.Internal, "bench ledger", c.name, "an order that was taken is refused when it comes again: %v", err)
			}
		})
	}
	wg.Wait()
	n := int64(0)
	for i := range ids {
		if failed[i] != nil {
			return n, failed[i]
		}
		if won[i] {
			n++
		}
	}
	held, err := c.prove(ctx, item)
	if err == nil && held != n {
		err = errs.New(errs.Internal, "bench ledger", c.name, "%d orders were told yes, %d units are held", n, held)
	}
	return n, err
}

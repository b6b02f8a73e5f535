package routing

import (
	"math/rand/v2"
	"os"
	"testing"
)

// exactInstances is the bar: as many random orders are routed as cheaply as exhaustive search can.
const exactInstances = 10_000

func TestRouteEqualsExhaustiveSearch(t *testing.T) {
	equalsExhaustiveSearch(t, func(*world) {})
}

// Where a channel wants all units of an item in one parcel, the same holds among the plans that keep to it.
func TestUndividedRouteEqualsExhaustiveSearch(t *testing.T) {
	equalsExhaustiveSearch(t, func(w *world) { w.order.Regime.Undivided = true })
}

func equalsExhaustiveSearch(t *testing.T, twist func(*world)) {
	t.Helper()
	n := exactInstances / 10
	if os.Getenv("SPILLWAY_LONG") != "" {
		n = exactInstances
	}
	seen, split, left, ties := 0, 0, 0, 0
	for seed := range n {
		r := rand.New(rand.NewPCG(uint64(seed), 1))
		w := newWorld(r)
		twist(w)
		d := w.desk()
		w.thin(r, d, 3000)
		p, err := d.Route(&w.order, w.stock)
		if err != nil {
			t.Fatal(err)
		}
		b := newBrute(d, &w.order, w.stock, w.rules)
		if want := b.run(); p.Total != want {
			t.Fatalf("seed %d: %d, exhaustive search finds %d\n%+v\n%+v", seed, p.Total, want, w.order, p)
		}
		if !p.Proven() {
			t.Fatalf("seed %d: not proven: %d above %d", seed, p.Total, p.Lower)
		}
		seen += b.seen
		split += min(1, len(p.Parts)/2)
		left += min(1, len(p.Left))
		for _, c := range p.Candidates {
			if c.Why == Dearer && len(p.Parts) == 1 && c.Total() == p.Total {
				ties++
			}
		}
	}
	t.Logf("%d orders, %d plans looked at by exhaustive search; %d in parts, %d with something left, %d ties", n, seen, split, left, ties)
	if split < n/50 || left < n/10 || ties < n/200 {
		t.Errorf("the instances are too tame")
	}
}

package packing_test

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/spillway/spillway/domain/packing"
)

// BenchmarkShopOrder packs the real orders one after the other; an operation is one order.
func BenchmarkShopOrder(b *testing.B) {
	ids, orders := shopOrders(b, packing.AnyWayUp)
	runtime.LockOSThread() // for cpuTime
	defer runtime.UnlockOSThread()
	at, i := cpuTime(), 0
	for b.Loop() {
		if _, err := packing.Pack(*orders[ids[i%len(ids)]]); err != nil {
			b.Fatal(err)
		}
		i++
	}
	b.ReportMetric(float64((cpuTime()-at).Microseconds())/float64(i), "cpu-µs/order")
}

// BenchmarkContainer fills containers, one problem an operation.
func BenchmarkContainer(b *testing.B) {
	ps := problems(b, containerFiles(b)[0])
	i := 0
	for b.Loop() {
		p := ps[i%len(ps)]
		if _, err := packing.Load(packing.Carton{ID: "c", Inner: p.room, Outer: p.room}, p.items, packing.Rules{Support: 100}); err != nil {
			b.Fatal(err)
		}
		i++
	}
}

// vastOrder is as large as Check lets through, and as awkward: all different, limits everywhere, a tariff to ask, cartons that take one or two.
func vastOrder() packing.Order {
	o := packing.Order{Rules: packing.Rules{Tariff: packing.ByTiers(5_000_000, 0, []packing.Tier{{UpTo: 5000, Price: usd(500)}, {UpTo: 30_000, Price: usd(900)}})}}
	for i := range packing.MaxLines {
		o.Items = append(o.Items, packing.Item{
			ID: fmt.Sprint(i), Units: packing.MaxUnits / packing.MaxLines, Grams: int64(100 + i), MaxOnTop: int64(500 + 7*i),
			Size: packing.Size{L: 50 + i*37%211, W: 40 + i*53%173, H: 30 + i*71%97},
		})
	}
	for i := range packing.MaxCartons {
		e := packing.Size{L: 300 + 3*i, W: 280 + 2*i, H: 250 + i}
		o.Cartons = append(o.Cartons, packing.Carton{ID: fmt.Sprint(i), Inner: e, Outer: e, Cost: usd(int64(10 + i)), MaxGrams: 20_000})
	}
	return o
}

// TestVastOrderIsBounded: the largest order there may be is packed validly with no more than a few times the work of the largest real one.
func TestVastOrderIsBounded(t *testing.T) {
	at := time.Now()
	o := vastOrder()
	p, err := packing.Pack(o)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range check(o, p) {
		t.Error(f)
	}
	t.Logf("%d units in %d parcels, at least %d; effort %d, %v", packing.MaxUnits, len(p.Parcels), p.AtLeast, p.Effort, time.Since(at))
	if p.Effort > 20*packing.DefaultEffort {
		t.Errorf("effort %d", p.Effort)
	}
}

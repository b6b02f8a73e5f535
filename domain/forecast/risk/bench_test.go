package risk

import (
	"testing"
	"time"
)

// BenchmarkChance is what one new order costs: its features and its chance.
func BenchmarkChance(b *testing.B) {
	cal := olistCalendar(b)
	orders := olistOrders(b, cal.Zone())
	end := time.Date(2018, 1, 1, 0, 0, 0, 0, cal.Zone())
	h := olistHistory(cal, orders, atPurchase, end)
	m, o := Learn(h.Samples(), end), orders[5000].Order
	o.At = end
	for b.Loop() {
		f := h.Features(o)
		if m.Chance(&f) <= 0 {
			b.Fatal("no chance")
		}
	}
}

// BenchmarkLearn learns from MaxSamples orders.
func BenchmarkLearn(b *testing.B) {
	samples := told(b, 1500)
	for len(samples) < MaxSamples {
		samples = append(samples, samples...)
	}
	for b.Loop() {
		if m := Learn(samples[:MaxSamples], at(1e6)); m.State != Learned {
			b.Fatal(m.Why)
		}
	}
}

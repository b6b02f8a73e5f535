package worlds

import "testing"

// The bar: 500 units, one of five channels at fifty times its rate: at least 99 % of what instant communication sells,
// with at most a tenth of the pushes of copying on every event and never more than 100.
func TestSpikeReachesTheSellerWithFewPushes(t *testing.T) {
	for _, k := range five {
		for seed := range uint64(10) {
			f := figure(k.name, Spike(*base+seed, 0.1, k.kinds...))
			t.Logf("%-9s sold %d of %d, %d pushes; copying %d pushes, %d oversold", f.Name, f.Spillway.Sold, f.Best.Sold,
				f.Spillway.Pushes, f.Copy.Pushes, f.Copy.Oversold)
			if f.Spillway.Oversold > 0 || f.Share() < 99 || f.Spillway.Pushes*10 > f.Copy.Pushes || f.Spillway.Pushes > 100 {
				t.Errorf("seed %d, %s: %+v, the oracle sold %d", *base+seed, f.Name, f.Spillway, f.Best.Sold)
			}
		}
	}
}

// On quiet days moving units about must not cost sales: at most one in 200 of what instant communication sells.
func TestQuietWeekLosesNothing(t *testing.T) {
	for _, k := range five {
		for seed := range uint64(3) {
			f := figure(k.name, QuietWeek(*base+seed, k.kinds...))
			t.Logf("%-9s sold %d of %d, %d pushes; copying %d pushes", f.Name, f.Spillway.Sold, f.Best.Sold, f.Spillway.Pushes, f.Copy.Pushes)
			if f.Spillway.Oversold > 0 || f.Share() < 99.5 {
				t.Errorf("seed %d, %s: %+v, the oracle sold %d", *base+seed, f.Name, f.Spillway, f.Best.Sold)
			}
		}
	}
}

package post

import (
	"testing"

	"github.com/spillway/spillway/domain/tracking"
	"github.com/spillway/spillway/sim/world"
)

func TestNumbersAreProvedByTheirDigits(t *testing.T) {
	r := world.Stream(1, "numbers")
	for range 500 {
		for carrier, n := range map[string]string{"USPS": USPS(r), "UPS": UPS(r)} {
			if got := tracking.Valid(n, carrier); got != tracking.NumberProved {
				t.Fatalf("%s %s: %s", carrier, n, got)
			}
		}
	}
}

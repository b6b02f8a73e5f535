package bench

import (
	"testing"

	"github.com/spillway/spillway/domain/tracking"
)

// A history full of numbers that no carrier gave would be one of orders that all count against their shops.
func TestNumbersOfAHistoryAreGood(t *testing.T) {
	for i, carrier := range historyCarriers {
		if v := tracking.Valid(historyNumbers[i], carrier); v != tracking.NumberProved {
			t.Errorf("%s %s: %s", carrier, historyNumbers[i], v)
		}
	}
}

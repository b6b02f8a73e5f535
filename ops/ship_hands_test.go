package ops

import "testing"

// Each shipper has hands of its own: one that hangs keeps no parcel of another waiting, and none is worked on twice at once.
func TestAShipperThatHangsHoldsUpNoOther(t *testing.T) {
	h := &shipHands{under: map[string]bool{}, with: map[string]int{}}
	names := "abcdefghijklm"
	taken := 0
	for i := range names {
		if h.take(names[i:i+1], "slow") {
			taken++
		}
	}
	if taken != shipAtOnce {
		t.Errorf("%d parcels are with one shipper", taken)
	}
	if !h.take("z", "quick") || h.take("z", "") || !h.take("y", "") {
		t.Error("another shipper's parcels wait, or one is worked on twice")
	}
	if h.free("a", "slow"); !h.take("m", "slow") || h.take("l", "slow") {
		t.Error("a hand that is free is not used once")
	}
}

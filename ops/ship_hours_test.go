package ops

import (
	"testing"
	"time"

	"github.com/spillway/spillway/domain/network"
	"github.com/spillway/spillway/domain/shipping"
)

func TestSlotsAreChosenByTheNodesHoursAndVans(t *testing.T) {
	at := time.Date(2026, 11, 23, 15, 0, 0, 0, time.UTC) // a Monday
	n := network.Node{ID: "main", Name: "main", Kind: network.Own, Active: true, Zone: "Europe/London", Place: network.Place{Country: "GB"},
		Lanes: []network.Lane{{Carrier: "Post", Pickups: []network.Pickup{{Weekday: time.Monday, At: 14 * 3600, CutOff: 30}, {Weekday: time.Tuesday, At: 14 * 3600, CutOff: 30}}}}}
	for day := time.Monday; day <= time.Friday; day++ {
		n.Shifts = append(n.Shifts, network.Shift{Weekday: day, From: 8 * 3600, Until: 17 * 3600, PerHour: 10})
	}
	h, err := handingOf(n, "Royal Mail", at)
	if err != nil || !h.Drives.Equal(time.Date(2026, 11, 24, 14, 0, 0, 0, time.UTC)) { // today's cut-off is past
		t.Fatalf("%+v %v", h.Drives, err)
	}
	evening := shipping.Slot{From: at.Add(3 * time.Hour), Until: at.Add(5 * time.Hour)}
	morning := shipping.Slot{From: at.Add(17 * time.Hour), Until: at.Add(19 * time.Hour)}
	drop := shipping.Slot{DropOff: true}
	if got, _ := shipping.ChooseSlot([]shipping.Slot{evening, morning, drop}, at.Add(24*time.Hour), at, h); got != morning {
		t.Errorf("nobody is there in the evening: %+v", got)
	}
	if got, _ := shipping.ChooseSlot([]shipping.Slot{morning, drop}, at.Add(18*time.Hour), at, h); got != morning {
		t.Errorf("the van leaves even later: %+v", got)
	}
	open, err := handingOf(network.Node{ID: "x", Zone: "UTC"}, "", at)
	if got, _ := shipping.ChooseSlot([]shipping.Slot{evening, morning}, time.Time{}, at, open); got != evening || err != nil {
		t.Errorf("a node that says nothing: %+v %v", got, err)
	}
}

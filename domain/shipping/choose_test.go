package shipping

import (
	"testing"
	"time"

	"github.com/spillway/spillway/kit/money"
)

func TestChoose(t *testing.T) {
	offer := func(id, carrier, service string, cents int64, days int) Offer {
		return Offer{ID: id, Carrier: carrier, Service: service, Price: money.Amount{Minor: cents, Currency: "USD"}, MaxDays: days}
	}
	all := []Offer{offer("a", "USPS", "Ground", 500, 5), offer("b", "UPS", "Ground", 450, 7), offer("c", "UPS", "Next Day", 3000, 1), offer("d", "DHL", "x", 100, 0)}
	for name, c := range map[string]struct {
		carrier, service string
		days             int
		want             string
	}{
		"cheapest of all": {"", "", 0, "d"}, "cheapest in time": {"", "", 5, "a"}, "only the dear one is in time": {"", "", 2, "c"},
		"none is in time: the fastest": {"usps", "", 1, "a"}, "a wanted carrier": {"ups", "", 0, "b"}, "a wanted service": {"UPS", "next day", 0, "c"},
		"nobody offers it": {"FedEx", "", 0, ""}, "a service of another": {"USPS", "Next Day", 0, ""},
	} {
		got, ok := Choose(all, c.carrier, c.service, c.days)
		if got.ID != c.want || ok != (c.want != "") {
			t.Errorf("%s: %q", name, got.ID)
		}
	}
	tie := []Offer{offer("z", "A", "s", 5, 3), offer("y", "A", "s", 5, 3), offer("x", "A", "s", 5, 2)}
	if got, _ := Choose(tie, "", "", 0); got.ID != "x" {
		t.Errorf("of two at one price the faster: %q", got.ID)
	}
	if got, _ := Choose(tie[:2], "", "", 0); got.ID != "y" {
		t.Errorf("of two alike always the same: %q", got.ID)
	}
}

func TestChooseSlot(t *testing.T) {
	pick := func(hours int) Slot {
		return Slot{From: noon.Add(time.Duration(hours-1) * time.Hour), Until: noon.Add(time.Duration(hours) * time.Hour)}
	}
	drop := Slot{DropOff: true}
	for name, c := range map[string]struct {
		slots []Slot
		due   time.Time
		want  Slot
		ok    bool
	}{
		"the first pick-up":                  {[]Slot{pick(8), pick(3), drop}, noon.Add(5 * time.Hour), pick(3), true},
		"too late: drop it off":              {[]Slot{pick(8), drop}, noon.Add(5 * time.Hour), drop, true},
		"too late, and no drop-off":          {[]Slot{pick(9), pick(8)}, noon.Add(5 * time.Hour), pick(8), true},
		"no deadline":                        {[]Slot{drop, pick(30)}, time.Time{}, pick(30), true},
		"exactly on the deadline is in time": {[]Slot{drop, pick(5)}, noon.Add(5 * time.Hour), pick(5), true},
		"one that is over is none":           {[]Slot{pick(0)}, time.Time{}, Slot{}, false},
		"nothing":                            {nil, time.Time{}, Slot{}, false},
	} {
		if got, ok := ChooseSlot(c.slots, c.due, noon, Hours{}); got != c.want || ok != c.ok {
			t.Errorf("%s: %+v %v", name, got, ok)
		}
	}
}

// A driver at a locked door takes nothing, and a drop-off is as early as the van that goes there.
func TestASlotIsOneAtWhichSomebodyIsThere(t *testing.T) {
	pick := func(from, until int) Slot {
		return Slot{From: noon.Add(time.Duration(from) * time.Hour), Until: noon.Add(time.Duration(until) * time.Hour)}
	}
	drop := Slot{DropOff: true}
	day := Hours{Open: func(from, until time.Time) bool { return from.Before(noon.Add(5*time.Hour)) && until.After(noon) }} // until five
	van := day
	van.Drives = noon.Add(30 * time.Hour)
	for name, c := range map[string]struct {
		slots []Slot
		hours Hours
		due   time.Time
		want  Slot
	}{
		"the evening's is missed":           {[]Slot{pick(5, 7), pick(4, 9)}, day, noon.Add(10 * time.Hour), pick(4, 9)},
		"locked, so it is brought":          {[]Slot{pick(6, 7), drop}, day, noon.Add(10 * time.Hour), drop},
		"locked, and nobody brings it":      {[]Slot{pick(6, 7), pick(7, 8)}, day, noon.Add(10 * time.Hour), pick(6, 7)},
		"late, but sooner than the van":     {[]Slot{pick(2, 20), drop}, van, noon.Add(10 * time.Hour), pick(2, 20)},
		"late, and the van leaves before":   {[]Slot{pick(2, 40), drop}, van, noon.Add(10 * time.Hour), drop},
		"what is left of it counts, as now": {[]Slot{pick(-3, 1), pick(2, 3)}, Hours{Open: func(from, _ time.Time) bool { return from.After(noon) }}, time.Time{}, pick(2, 3)},
	} {
		if got, ok := ChooseSlot(c.slots, c.due, noon, c.hours); got != c.want || !ok {
			t.Errorf("%s: %+v %v", name, got, ok)
		}
	}
}

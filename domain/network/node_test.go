package network

import (
	"strings"
	"testing"
	"time"

	"github.com/spillway/spillway/domain/policy/calendar"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/kit/money"
)

func whole() Node {
	return Node{
		ID: "main", Name: "Reno", Kind: Own, Active: true, Zone: "America/Los_Angeles", Place: Place{Country: "US", State: "NV", Postal: "89502"},
		Shifts: []Shift{{Weekday: time.Monday, From: 8 * 3600, Until: 12 * 3600, PerHour: 60}, {Weekday: time.Monday, From: 13 * 3600, Until: 17 * 3600, PerHour: 40}},
		Closed: Closed{Holidays: calendar.USFederal},
		Lanes: []Lane{{Carrier: "USPS", Service: "Ground Advantage", Serves: []string{"US"}, MaxGrams: 31_751,
			Pickups: []Pickup{{Weekday: time.Monday, At: 17 * 3600, CutOff: 30}}, Tariff: Tariff{PerPound: money.Amount{Minor: 60, Currency: "USD"}}}},
		Abilities: []Ability{Fragile},
		Costs:     Costs{PerOrder: money.Amount{Minor: 150, Currency: "USD"}},
	}
}

func TestCheckNamesTheField(t *testing.T) {
	if err := whole().Check(); err != nil {
		t.Fatal(err)
	}
	for want, spoil := range map[string]func(*Node){
		"id: ":        func(n *Node) { n.ID = "" },
		"name: ":      func(n *Node) { n.Name = " " },
		"kind: ":      func(n *Node) { n.Kind = "shed" },
		"country: ":   func(n *Node) { n.Place.Country = "usa" },
		"zone: ":      func(n *Node) { n.Zone = "Mars/Olympus" },
		"abilities: ": func(n *Node) { n.Abilities = []Ability{"flying"} },
		"surge: ":     func(n *Node) { n.Surge.Max = -1 },
		"shifts: ":    func(n *Node) { n.Shifts[1].From = 11 * 3600 },
		"closed: ":    func(n *Node) { n.Closed.Days = []calendar.Closure{{Name: "stocktaking"}} },
		"lanes: ":     func(n *Node) { n.Lanes[0].Pickups[0].CutOff = -1 },
		"costs: ":     func(n *Node) { n.Costs.PerLine = money.Amount{Minor: 5, Currency: "EUR"} },
	} {
		n := whole()
		spoil(&n)
		if err := n.Check(); !errs.Is(err, errs.Invalid) || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, got %v", want, err)
		}
	}
}

func TestCoversAndHandles(t *testing.T) {
	lane := Lane{Serves: []string{"GB", "US-CA"}}
	for region, want := range map[string]bool{"US-CA": true, "US-NV": false, "US": false, "GB": true, "GB-ENG": true, "FR": false, "": false} {
		if got := lane.Covers(region); got != want {
			t.Errorf("%q: %v", region, got)
		}
	}
	if !(Lane{}).Covers("FR") {
		t.Error("a lane that names nothing goes everywhere")
	}
	n := whole()
	if !n.Handles(nil) || !n.Handles([]Ability{Fragile}) || n.Handles([]Ability{Fragile, Hazmat}) {
		t.Error("abilities")
	}
	if n.Location().String() != "America/Los_Angeles" || (Node{Zone: "x"}).Location() != time.UTC {
		t.Error("zone")
	}
}

package routing_test

import (
	"fmt"
	"time"

	"github.com/spillway/spillway/domain/network"
	"github.com/spillway/spillway/domain/order"
	"github.com/spillway/spillway/domain/policy/calendar"
	"github.com/spillway/spillway/domain/routing"
	"github.com/spillway/spillway/domain/stock"
	"github.com/spillway/spillway/kit/money"
)

func usd(minor int64) money.Amount { return money.Amount{Minor: minor, Currency: "USD"} }

func warehouse(id, state string, label int64) routing.Site {
	n := network.Node{ID: id, Name: id, Kind: network.Own, Zone: "America/Los_Angeles", Active: true, Place: network.Place{Country: "US", State: state},
		Costs: network.Costs{PerOrder: usd(150), PerLine: usd(10)}}
	lane := network.Lane{Carrier: "USPS", Service: "Ground Advantage"}
	for z := range lane.Tariff.ByZone {
		lane.Tariff.ByZone[z], lane.Days[z] = usd(label), 3
	}
	for d := time.Monday; d <= time.Friday; d++ {
		n.Shifts = append(n.Shifts, network.Shift{Weekday: d, From: 8 * 3600, Until: 16 * 3600, PerHour: 40})
		lane.Pickups = append(lane.Pickups, network.Pickup{Weekday: d, At: calendar.Clock(17 * 3600)})
	}
	n.Lanes = []network.Lane{lane}
	return routing.Site{Node: n, Location: stock.Location{ID: id, Kind: stock.Own, Active: true}}
}

// Reno is cheaper, but has only one of two mugs; two parcels would cost more than one from Newark.
func Example() {
	at := time.Date(2026, 11, 17, 18, 0, 0, 0, time.UTC) // Tuesday, 10:00 in the warehouses
	rules := routing.Rules{Currency: "USD", Late: routing.Late{Dispatch: 500}, LeftUnit: 2000, Short: routing.Partly, Slip: 20_000}
	desk, err := routing.Prepare([]routing.Site{warehouse("Reno", "NV", 500), warehouse("Newark", "NJ", 620)}, rules, nil, at)
	if err != nil {
		fmt.Println(err)
		return
	}
	o := routing.Order{ID: "1001", Connection: "shop", Dest: routing.Dest{Region: "US-CA", Postal: "941"},
		Lines: []routing.Line{{Item: "mug", Qty: 2, Grams: 350}}, Due: order.Deadlines{HandOverBy: at.Add(30 * time.Hour)}}
	plan, err := desk.Route(&o, routing.Stock{"mug": {1, 40}})
	if err != nil {
		fmt.Println(err)
		return
	}
	part := plan.Parts[0]
	fmt.Println(part.Node, part.Carrier, part.Leaves.Format("Monday 15:04"), "arrives", part.Arrives)
	fmt.Println(plan.Money(plan.Total), "proven:", plan.Proven(), "late:", plan.Late.Dispatch)
	for i := range plan.Candidates {
		fmt.Println(plan.Candidates[i].Words())
	}
	// Output:
	// Newark USPS Wednesday 01:00 arrives 2026-11-20
	// 7.90 USD proven: true late: 2 %
	// Newark ships it.
	// Reno has 1 of 2 of mug.
}

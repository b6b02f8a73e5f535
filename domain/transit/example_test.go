package transit_test

import (
	"fmt"
	"time"

	"github.com/spillway/spillway/domain/network"
	"github.com/spillway/spillway/domain/policy/calendar"
	"github.com/spillway/spillway/domain/transit"
)

func ExampleZoneOf() {
	warehouse := network.Place{Country: "US", Postal: "94107"}
	z, _ := transit.ZoneOf(warehouse, network.Place{Country: "US", Postal: "60601"}, nil)
	fmt.Printf("zone %d, %.0f miles, by %s\n", z.Number, z.Miles, z.Basis)
	z, _ = transit.ZoneOf(warehouse, network.Place{Country: "US", State: "TX"}, nil)
	fmt.Printf("zone %d, by %s\n", z.Number, z.Basis)
	// Output:
	// zone 8, 1853 miles, by estimate
	// zone 7, by state
}

func ExampleTerms_Billed() {
	terms, _ := transit.TermsOn(transit.USPS, "ground", calendar.Date(2026, time.August, 1))
	bill, _ := terms.Billed(transit.Inches(18, 14, 12), 900)
	fmt.Printf("%d lb on the bill, %d lb on the scales\n", bill.Pounds, bill.Actual)
	// Output: 22 lb on the bill, 2 lb on the scales
}

func ExampleArrival() {
	days, _ := transit.GroundDays(network.Place{Country: "US", Postal: "94107"}, network.Place{Country: "US", Postal: "10001"}, nil)
	post, _ := transit.Calendar(transit.USPS, time.UTC)
	handedOver := time.Date(2026, time.November, 25, 18, 0, 0, 0, time.UTC) // the evening before Thanksgiving, behind the cut-off
	day, _ := transit.Arrival(post, handedOver, 17*3600, days.Likely)
	fmt.Println(days.Likely, "business days:", day, day.Weekday())
	// Output: 5 business days: 2026-12-03 Thursday
}

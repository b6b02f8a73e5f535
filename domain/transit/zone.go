package transit

import (
	"strings"

	"github.com/spillway/spillway/domain/network"
)

// Basis is what a zone rests on.
type Basis string

const (
	Charted   Basis = "chart"    // the published chart the operator loaded
	Special   Basis = "special"  // a rule of its own, which charts of prefixes cannot show: the freely associated states, American Samoa
	Estimated Basis = "estimate" // the distance between the two prefixes
	ByState   Basis = "state"    // of the destination only the state is known: the zone in which the middle one of its people lives
)

// Zones a parcel can travel: 1 and 2 are near, 8 is across the country, 9 the freely associated states.
const (
	FirstZone = 1
	LastZone  = 9
)

// Zone is how far apart two places are, as postal prices count it.
type Zone struct {
	Number int     // FirstZone to LastZone; 0 abroad
	Miles  float64 // statute miles it was estimated from; 0: it was not
	Basis  Basis
}

// breaks are the longest distances, in statute miles, that are still zones 1 to 7. The published bands end at 50, 150, 300, 600, 1000,
// 1400 and 1800 miles, measured between squares of half a degree of which any part counts; that the points here are within a square moves the breaks
// out. These fit a public sample of the published chart best (docs/decisions/transit-and-tracking.md).
var breaks = [...]float64{69, 161, 323, 629, 1038, 1434, 1834}

// atlanticLast is the zone of the longest ways to military mail that leaves over the Atlantic coast: charts say 6 to 8 for ways that are zone 8
// by distance, so the middle one is off by no more than one.
const atlanticLast = 7

// ZoneOf is the zone between two places. The chart may be nil. Of the destination a state without a ZIP code will do. False: it is not known; one of
// the places is abroad, or its ZIP code or state is none.
func ZoneOf(from, to network.Place, chart *Chart) (Zone, bool) {
	a, ok := prefixAt(from)
	if !ok || a.Region() == "" {
		return Zone{}, false
	}
	b, ok := prefixAt(to)
	if !ok {
		if to.Postal != "" || !homes[to.Country] {
			return Zone{}, false
		}
		return toState(a, stateOf(to), chart)
	}
	if n, ok := special(from.Postal, to.Postal); ok {
		return Zone{Number: n, Basis: Special}, true
	}
	if n, ok := chart.zone(a, b); ok {
		return Zone{Number: n, Basis: Charted}, true
	}
	return estimate(a, b)
}

func estimate(a, b Prefix) (Zone, bool) {
	p, okA := a.point()
	q, okB := b.point()
	if !okA || !okB {
		return Zone{}, false
	}
	miles := p.miles(q)
	n := 1
	for n <= len(breaks) && miles > breaks[n-1] {
		n++
	}
	if n > atlanticLast && (a.atlantic() != b.atlantic()) {
		n = atlanticLast
	}
	return Zone{Number: n, Miles: miles, Basis: Estimated}, true
}

func (p Prefix) atlantic() bool { return p.Region() == "AE" || p.Region() == "AA" }

// special is the zone between ZIP codes of islands that share their prefix with others far away.
func special(from, to string) (int, bool) {
	a, b := island(from), island(to)
	switch {
	case a == b:
		return 0, false
	case a == freely || b == freely:
		return 9, true
	}
	return 8, true // American Samoa: further than any break from everywhere else
}

const (
	freely = "freely associated state"
	samoa  = "american samoa"
)

// island names what the first five digits stand for, if the prefix does not say it: Palau, Micronesia and the Marshall Islands, American Samoa.
func island(postal string) string {
	postal = strings.TrimSpace(postal)
	if len(postal) < 5 {
		return ""
	}
	switch postal[:5] {
	case "96939", "96940", "96941", "96942", "96943", "96944", "96960", "96970":
		return freely
	case "96799":
		return samoa
	}
	return ""
}

// stateOf is the state; of a territory with a country code of its own that code.
func stateOf(p network.Place) string {
	if p.Country != "US" {
		return p.Country
	}
	return p.State
}

// ToState is how the people of a state are spread over the zones from a place, in parts that add up to 1. False: one of the two is not known.
func ToState(from network.Place, state string, chart *Chart) (parts [LastZone + 1]float64, ok bool) {
	a, ok := prefixAt(from)
	if !ok {
		return parts, false
	}
	return spread(a, state, chart)
}

func spread(a Prefix, state string, chart *Chart) (parts [LastZone + 1]float64, ok bool) {
	total := 0.0
	for i := range points {
		b := Prefix(i)
		if state == "" || b.Region() != state {
			continue
		}
		n, ok := chart.zone(a, b)
		if !ok {
			z, known := estimate(a, b)
			if !known {
				return parts, false
			}
			n = z.Number
		}
		people := float64(points[i].people) + 1 // prefixes of post office boxes and of islands have no count
		parts[n] += people
		total += people
	}
	for i := range parts {
		parts[i] /= max(total, 1)
	}
	return parts, total > 0
}

func toState(a Prefix, state string, chart *Chart) (Zone, bool) {
	parts, ok := spread(a, state, chart)
	sum := 0.0
	for n := FirstZone; n <= LastZone && ok; n++ {
		if sum += parts[n]; sum >= 0.5-1e-9 { // sums of fractions may end a hair below
			return Zone{Number: n, Basis: ByState}, true
		}
	}
	return Zone{}, false
}

// String writes the prefix with its leading zeros.
func (p Prefix) String() string {
	return string([]byte{'0' + byte(p/100%10), '0' + byte(p/10%10), '0' + byte(p%10)})
}

package transit

import (
	"math"
	"strings"

	"github.com/spillway/spillway/domain/network"
)

// point is where a prefix is, how many people live there and in which state; a military region instead of a state has no place.
type point struct {
	lat, lon float64
	people   int
	region   string
}

// Prefix is the first three digits of a ZIP code, which name the plant that sorts its mail.
type Prefix int16

// earthMiles is the mean radius of the earth in statute miles (IUGG: 6371.0088 km).
const earthMiles = 3958.7613

// PrefixOf reads a ZIP code, ZIP+4 or a prefix alone. False: it is none of these.
func PrefixOf(postal string) (Prefix, bool) {
	postal = strings.TrimSpace(postal)
	switch {
	case len(postal) == 3, len(postal) == 5, len(postal) == 9, len(postal) == 10 && postal[5] == '-':
	default:
		return 0, false
	}
	n := 0
	for i, c := range []byte(postal) {
		if c == '-' && len(postal) == 10 && i == 5 {
			continue
		}
		if c < '0' || c > '9' {
			return 0, false
		}
		if i < 3 {
			n = 10*n + int(c-'0')
		}
	}
	return Prefix(n), true
}

// Region is the state, territory or military region of a prefix: two letters; "" for one that is not in use.
func (p Prefix) Region() string {
	if p < 0 || int(p) >= len(points) {
		return ""
	}
	return points[p].region
}

// gateways are the prefixes at which mail for military regions leaves the country: New York, Miami, San Francisco.
var gateways = map[string]Prefix{"AE": 113, "AA": 331, "AP": 941}

// point is where the prefix is or, of a military one, where its mail leaves the country.
func (p Prefix) point() (point, bool) {
	if p.Region() == "" {
		return point{}, false
	}
	if g, ok := gateways[p.Region()]; ok {
		p = g
	}
	return points[p], true
}

// miles is the great-circle distance.
func (p point) miles(q point) float64 {
	rad := math.Pi / 180
	half := func(x float64) float64 { s := math.Sin(x * rad / 2); return s * s }
	h := half(q.lat-p.lat) + math.Cos(p.lat*rad)*math.Cos(q.lat*rad)*half(q.lon-p.lon)
	return 2 * earthMiles * math.Asin(math.Sqrt(min(1, h)))
}

// Miles is the distance between two places of the United States by great circle, in statute miles, between the points where the people of their
// prefixes live on average. False: one of them is abroad, without a ZIP code, or military.
func Miles(from, to network.Place) (float64, bool) {
	a, okA := prefixAt(from)
	b, okB := prefixAt(to)
	if !okA || !okB || a.military() || b.military() {
		return 0, false
	}
	p, okA := a.point()
	q, okB := b.point()
	return p.miles(q), okA && okB
}

func (p Prefix) military() bool { _, ok := gateways[p.Region()]; return ok }

// homes are the countries whose addresses have ZIP codes: the United States, and those territories that have country codes of their own.
var homes = map[string]bool{"US": true, "PR": true, "VI": true, "GU": true, "AS": true, "MP": true, "FM": true, "MH": true, "PW": true, "UM": true}

func prefixAt(p network.Place) (Prefix, bool) {
	if !homes[p.Country] {
		return 0, false
	}
	return PrefixOf(p.Postal)
}

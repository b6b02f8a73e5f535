package transit

import (
	"fmt"
	"time"

	"github.com/spillway/spillway/domain/network"
	"github.com/spillway/spillway/domain/policy/calendar"
)

// Days are business days on the road, the day the carrier takes the parcel in not counted.
type Days struct {
	Likely int    // as many or fewer for about half of the parcels
	Late   int    // more for about one in twenty: what a promise should be made with
	From   string // what it rests on, in words
	Seen   int64  // delivered parcels behind it; 0: none
}

// MaxDays is the longest a parcel is counted on the road. Later ones count as this long.
const MaxDays = 45

// minSeen is how many delivered parcels outweigh what was agreed: with fewer the twentieth part that is late is a guess from one parcel.
const minSeen = 30

// byZone are business days of ground services by zone: service standards of 2 to 5 days for the post and ground maps of the private carriers, as
// estimates (docs/decisions/transit-and-tracking.md). Zone 9 is by ship or by air as room is found.
var byZone = [LastZone + 1]Days{
	1: {Likely: 2, Late: 3}, 2: {Likely: 2, Late: 3}, 3: {Likely: 2, Late: 4}, 4: {Likely: 3, Late: 5}, 5: {Likely: 3, Late: 5},
	6: {Likely: 4, Late: 6}, 7: {Likely: 4, Late: 6}, 8: {Likely: 5, Late: 7}, 9: {Likely: 10, Late: 20},
}

// overWater is what ways between the contiguous states and the places below take longer.
var overWater = map[string]int{"AK": 3, "HI": 3, "PR": 3, "VI": 4, "GU": 5, "MP": 5, "AS": 5, "AE": 7, "AA": 7, "AP": 7}

// GroundDays estimates the business days of a ground service between two places. False: the zone is not known.
func GroundDays(from, to network.Place, chart *Chart) (Days, bool) {
	z, ok := ZoneOf(from, to, chart)
	if !ok {
		return Days{}, false
	}
	d := byZone[z.Number]
	a, b := regionOf(from), regionOf(to)
	if extra := max(overWater[a], overWater[b]); a != b && z.Number < LastZone && extra > 0 {
		d.Likely, d.Late = d.Likely+extra, d.Late+2*extra
	}
	d.From = fmt.Sprintf("usual for ground services to zone %d", z.Number)
	return d, true
}

// regionOf is the state or territory by ZIP code, else as the address says.
func regionOf(p network.Place) string {
	if pre, ok := prefixAt(p); ok {
		return pre.Region()
	}
	return stateOf(p)
}

// LaneDays is what a lane's own days say for a zone: agreed with the carrier or entered by the operator. Zone 0 is abroad. They say what is usual; a
// parcel is taken to be late a day and a third later. False: they say nothing.
func LaneDays(l network.Lane, zone int) (Days, bool) {
	if zone < 0 || zone >= len(l.Days) || l.Days[zone] <= 0 {
		return Days{}, false
	}
	n := l.Days[zone]
	return Days{Likely: n, Late: n + 1 + n/3, From: "stated for " + l.Carrier}, true
}

// Seen counts how long delivered parcels of one group were on the road: of one carrier's service from one node to one zone, say. Counts of two
// periods are added with Join.
type Seen [MaxDays + 1]int64

// Add counts a parcel that was delivered on the given business day after the carrier took it in. Below 0 it was not on the road and is not counted.
func (s *Seen) Add(days int) {
	if days >= 0 {
		s[min(days, MaxDays)]++
	}
}

// Took is how many business days a parcel was on the road, as Arrival counts them: from the business day its first scan counts for to that of its
// delivery. It is what Add is given. Below 0: one of the moments is outside the calendar's years, or they are the wrong way round.
func Took(c *calendar.Calendar, scanned, delivered time.Time) int {
	first, ok := c.WorkDay(scanned, calendar.LastSecond)
	if !ok || delivered.Before(scanned) {
		return -1
	}
	return max(0, c.Between(first, calendar.DayOf(delivered, c.Zone())))
}

// Join is both counts together.
func (s Seen) Join(o Seen) Seen {
	for i, n := range o {
		s[i] += n
	}
	return s
}

// Total is the number of parcels counted.
func (s Seen) Total() int64 {
	total := int64(0)
	for _, n := range s {
		total += n
	}
	return total
}

// Quantile is the least number of days within which percent of the parcels arrived. False: none was counted, or percent is not 1 to 100.
func (s Seen) Quantile(percent int64) (int, bool) {
	total := s.Total()
	if total == 0 || percent < 1 || percent > 100 {
		return 0, false
	}
	sum := int64(0)
	for d, n := range s {
		if sum += n; sum*100 >= percent*total {
			return d, true
		}
	}
	return MaxDays, true
}

// Expect is the days of the first group of which enough parcels were seen, most alike first; else the fallback: what is stated or usual. The groups' name
// says in the answer what was looked at.
func Expect(fallback Days, groups ...Group) Days {
	for _, g := range groups {
		if n := g.Seen.Total(); n >= minSeen {
			likely, _ := g.Seen.Quantile(50)
			late, _ := g.Seen.Quantile(95)
			return Days{Likely: likely, Late: late, From: fmt.Sprintf("seen on %d parcels, %s", n, g.Name), Seen: n}
		}
	}
	return fallback
}

// Group is delivered parcels that are alike in what its name says.
type Group struct {
	Name string
	Seen Seen
}

// Way is how a parcel travels from a node's place by a lane: its zone, and its days by what was seen of alike parcels, else by the loaded transit table, else by what the lane states, else as
// usual for the zone. Abroad the zone is 0, and nothing is usual. False: the zone is not known, or nothing says the days.
func Way(from network.Place, lane network.Lane, to network.Place, chart *Chart, seen ...Group) (Days, Zone, bool) {
	var z Zone
	var days Days
	known := false
	if homes[from.Country] && homes[to.Country] {
		var ok bool
		if z, ok = ZoneOf(from, to, chart); !ok {
			return Days{}, Zone{}, false
		}
		days, known = GroundDays(from, to, chart)
	} else if to.Country == "" || to.Country == from.Country {
		return Days{}, Zone{}, false // within another country, or nowhere: there are no zones to tell
	}
	if stated, ok := LaneDays(lane, z.Number); ok {
		days, known = stated, true
	}
	if a, ok := prefixAt(from); ok && z.Number > 0 {
		if b, ok := prefixAt(to); ok {
			if n, ok := chart.days(a, b); ok {
				days, known = Days{Likely: n, Late: n + 1 + n/3, From: "of the loaded transit table"}, true
			}
		}
	}
	days = Expect(days, seen...)
	return days, z, known || days.Seen > 0
}

// Calendar is the days on which a carrier moves parcels: the post from Monday to Saturday but on its holidays, others taken to rest on weekends and
// federal holidays, which promises too late rather than too soon. Closures are what is known beyond that. Errors: of calendar.New.
func Calendar(carrier string, zone *time.Location, closures ...calendar.Closure) (*calendar.Calendar, error) {
	s := calendar.Spec{Zone: zone, Week: calendar.MondayToFriday, Holidays: calendar.USFederal, Closures: closures}
	if carrier == USPS {
		s.Week, s.Holidays = calendar.MondayToSaturday, calendar.USPostal
	}
	return calendar.New(s)
}

// Arrival is the day a parcel arrives that is handed over at a moment and takes a number of business days: handed over from the cut-off on, or on a
// day without business, it counts as handed over on the next one. False as calendar.Add: the answer is outside the calendar's years.
func Arrival(c *calendar.Calendar, handedOver time.Time, cutoff calendar.Clock, days int) (calendar.Day, bool) {
	d, ok := c.WorkDay(handedOver, cutoff)
	if !ok {
		return 0, false
	}
	return c.Add(d, days)
}

package network

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/spillway/spillway/domain/policy/calendar"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/kit/money"
)

// Kind is what sort of place a node is, and so who works there and whose orders it may ship.
type Kind string

const (
	Own     Kind = "own"   // the seller's warehouse: its people use our floor pages
	Store   Kind = "store" // the seller's shop: orders are picked up there, or sent from the counter
	Coop    Kind = "coop"  // shared with partners: parcels wait there for one pick-up of all
	ThreePL Kind = "3pl"   // a logistics provider's warehouse: it is told orders and tells what it shipped
	MCF     Kind = "mcf"   // a marketplace's warehouse that ships for other channels too
	FBT     Kind = "fbt"   // a platform's warehouse that ships that platform's orders only
)

// Kinds lists every kind.
var Kinds = []Kind{Own, Store, Coop, ThreePL, MCF, FBT}

// Ours reports whether people of the seller pick and pack there, on our pages.
func (k Kind) Ours() bool { return k == Own || k == Store || k == Coop }

// Ability is what a node can handle beyond plain goods.
type Ability string

const (
	Fragile     Ability = "fragile"
	Temperature Ability = "temperature"
	Hazmat      Ability = "hazmat"
	Oversize    Ability = "oversize"
)

// Abilities lists every ability.
var Abilities = []Ability{Fragile, Temperature, Hazmat, Oversize}

// Bounds. A network is entered by people and read on every order.
const (
	MaxNodes   = 64
	MaxShifts  = 7 * 6 // of a week: six a day
	MaxLanes   = 20
	MaxPickups = 7 * 6
	MaxPerHour = 100_000
	// MaxOvertime bounds the stretches of overtime kept: what is past is cleared away when a node is saved.
	MaxOvertime = 400
	maxText     = 200
	maxServes   = 300 // all countries there are, and states of one
	maxRoad     = 60  // business days; no carrier says more
)

// Node is a place orders leave from.
type Node struct {
	ID        string     `json:"id"` // that of its stock location
	Name      string     `json:"name"`
	Kind      Kind       `json:"kind"`
	Place     Place      `json:"place"`
	Zone      string     `json:"zone"` // IANA name, such as America/New_York: of everything it says of days and clocks
	Active    bool       `json:"active"`
	Priority  int        `json:"priority,omitzero"` // the lower of two that are otherwise alike is taken
	Shifts    []Shift    `json:"shifts,omitempty"`  // none: nothing is said, and its pace is learned from what it does
	Closed    Closed     `json:"closed,omitzero"`
	Overtime  []Overtime `json:"overtime,omitempty"`
	Lanes     []Lane     `json:"lanes,omitempty"` // how its parcels travel; none: nothing is said
	Abilities []Ability  `json:"abilities,omitempty"`
	Costs     Costs      `json:"costs,omitzero"`
	Surge     Surge      `json:"surge,omitzero"`
	Account   string     `json:"account,omitzero"` // the carrier account that ships from here: a provider's, or the one labels are bought with
}

// Place is where a node is. The street and whom to call are for labels; all else is planned with.
type Place struct {
	Company string `json:"company,omitzero"` // as parcels name their sender; empty: the node's name
	Line1   string `json:"line1,omitzero"`
	Line2   string `json:"line2,omitzero"`
	Phone   string `json:"phone,omitzero"`
	Country string `json:"country"`         // ISO 3166, two letters
	State   string `json:"state,omitzero"`  // ISO 3166-2 part behind the country: CA
	Postal  string `json:"postal,omitzero"` // as the country writes it
	City    string `json:"city,omitzero"`
}

// Shift is a stretch of a week in which a node works.
type Shift struct {
	Weekday time.Weekday   `json:"weekday"`
	From    calendar.Clock `json:"from"`
	Until   calendar.Clock `json:"until"`    // later than From on the same day; the last second stands for midnight
	PerHour int64          `json:"per_hour"` // orders got ready in an hour with enough to do
}

// Overtime is work on one day on top of the shifts, or on a day that would be closed.
type Overtime struct {
	Day     calendar.Day   `json:"day"`
	From    calendar.Clock `json:"from"`
	Until   calendar.Clock `json:"until"`
	PerHour int64          `json:"per_hour"` // orders an hour more than the shifts
	Reason  string         `json:"reason,omitzero"`
}

// Closed is when a node does not work though its shifts would say so.
type Closed struct {
	Holidays calendar.Holidays  `json:"holidays,omitzero"`
	Days     []calendar.Closure `json:"days,omitempty"`
}

// Lane is one way parcels leave a node: a carrier's service.
type Lane struct {
	Carrier   string            `json:"carrier"`
	Service   string            `json:"service,omitzero"`
	Serves    []string          `json:"serves,omitempty"`    // countries, or countries and states (US, US-CA); none: everywhere
	Pickups   []Pickup          `json:"pickups,omitempty"`   // none: nothing is said
	Holidays  calendar.Holidays `json:"holidays,omitzero"`   // of the carrier: its vans do not come
	MaxGrams  int64             `json:"max_grams,omitzero"`  // of one parcel; 0: not said
	Abilities []Ability         `json:"abilities,omitempty"` // of the node's, which this carrier takes too
	Tariff    Tariff            `json:"tariff,omitzero"`
	Account   string            `json:"account,omitzero"` // the carrier account its labels are bought with; empty: the node's
	Days      [10]int           `json:"days,omitzero"`    // business days on the road by zone 1 to 9; 0: by the carrier's usual days. Index 0 is abroad
}

// Pickup is a carrier's van that comes every week.
type Pickup struct {
	Weekday time.Weekday   `json:"weekday"`
	At      calendar.Clock `json:"at"`
	CutOff  int            `json:"cut_off,omitzero"` // minutes: what is ready this long before it goes with it
}

// Tariff is what a parcel costs on a lane: by zone, and by weight above the first pound. All in the node's currency.
type Tariff struct {
	ByZone   [10]money.Amount `json:"by_zone,omitzero"` // of a parcel up to the first pound to zone 1 to 9; index 0 abroad
	PerPound money.Amount     `json:"per_pound,omitzero"`
}

// Costs are what handling costs at a node, in one currency.
type Costs struct {
	PerOrder  money.Amount `json:"per_order,omitzero"`
	PerLine   money.Amount `json:"per_line,omitzero"`
	PerUnit   money.Amount `json:"per_unit,omitzero"`
	PerParcel money.Amount `json:"per_parcel,omitzero"`
}

// Surge is what a node asks for more than was agreed on.
type Surge struct {
	Above   int64 `json:"above,omitzero"`   // orders a day; 0: no surge terms
	Percent int64 `json:"percent,omitzero"` // added to the handling of each order above
	Max     int64 `json:"max,omitzero"`     // orders a day it takes at most; 0: not said
}

var (
	countryCode = regexp.MustCompile(`^[A-Z]{2}$`)
	region      = regexp.MustCompile(`^[A-Z]{2}(-[A-Z0-9]{1,3})?$`)
)

// Location is the node's zone, and UTC if it has none that is known.
func (n Node) Location() *time.Location {
	if z, err := time.LoadLocation(n.Zone); err == nil && n.Zone != "" {
		return z
	}
	return time.UTC
}

// Handles reports whether the node has all of the abilities.
func (n Node) Handles(needed []Ability) bool {
	for _, a := range needed {
		if !slices.Contains(n.Abilities, a) {
			return false
		}
	}
	return true
}

// Covers reports whether the lane goes to a region: a country, or country and state such as US-CA.
func (l Lane) Covers(region string) bool {
	country, _, _ := strings.Cut(region, "-")
	return len(l.Serves) == 0 || slices.Contains(l.Serves, region) || slices.Contains(l.Serves, country)
}

// Check names the first thing that cannot be. Errors: Invalid, with the field and the way out.
func (n Node) Check() error {
	bad := n.refusal
	switch {
	case n.ID == "" || len(n.ID) > maxText:
		return bad("id", "a node needs the id of its stock location")
	case strings.TrimSpace(n.Name) == "" || len(n.Name) > maxText:
		return bad("name", "write a name of at most %d bytes", maxText)
	case !slices.Contains(Kinds, n.Kind):
		return bad("kind", "%q is none of %v", n.Kind, Kinds)
	case !countryCode.MatchString(n.Place.Country):
		return bad("country", "write two letters such as US, not %q", n.Place.Country)
	case len(n.Place.State)+len(n.Place.Postal)+len(n.Place.City) > maxText || len(n.Place.Company)+len(n.Place.Line1)+len(n.Place.Line2)+len(n.Place.Phone) > 2*maxText:
		return bad("place", "state, postal code and city are at most %d bytes together, the street and whom to call twice that", maxText)
	case len(n.Shifts) > MaxShifts || len(n.Lanes) > MaxLanes:
		return bad("shifts", "a node has at most %d shifts a week and %d carrier services", MaxShifts, MaxLanes)
	case n.Surge.Above < 0 || n.Surge.Percent < 0 || n.Surge.Max < 0:
		return bad("surge", "surge terms are not below 0")
	}
	if _, err := time.LoadLocation(n.Zone); err != nil || n.Zone == "" {
		return bad("zone", "%q is no time zone: write one such as America/New_York", n.Zone)
	}
	for _, a := range n.Abilities {
		if !slices.Contains(Abilities, a) {
			return bad("abilities", "%q is none of %v", a, Abilities)
		}
	}
	if err := n.checkWeek(bad); err != nil {
		return err
	}
	return n.checkMoney(bad)
}

type refuse = func(field, format string, args ...any) error

func (n Node) refusal(field, format string, args ...any) error {
	return errs.New(errs.Invalid, "network.Node", n.ID, "%s: %s", field, fmt.Sprintf(format, args...))
}

func (n Node) checkWeek(bad refuse) error {
	if err := n.checkShifts(bad); err != nil {
		return err
	}
	if !n.Closed.Holidays.Known() || len(n.Closed.Days) > calendar.MaxClosures {
		return bad("closed", "%q is no set of holidays, or there are more than %d closures", n.Closed.Holidays, calendar.MaxClosures)
	}
	for _, c := range n.Closed.Days {
		if err := c.Check(); err != nil {
			return bad("closed", "%v", err)
		}
	}
	for _, l := range n.Lanes {
		if err := l.check(bad); err != nil {
			return err
		}
	}
	return nil
}

func (n Node) checkShifts(bad refuse) error {
	for i, s := range n.Shifts {
		if s.Weekday < 0 || s.Weekday > 6 || !span(s.From, s.Until) || s.PerHour <= 0 || s.PerHour > MaxPerHour {
			return bad("shifts", "shift %d needs a day, an end after its start and 1 to %d orders an hour", i+1, MaxPerHour)
		}
		for _, o := range n.Shifts[:i] {
			if o.Weekday == s.Weekday && o.From < s.Until && s.From < o.Until {
				return bad("shifts", "shift %d overlaps another of %s", i+1, s.Weekday)
			}
		}
	}
	if len(n.Overtime) > MaxOvertime {
		return bad("overtime", "there are at most %d stretches of overtime", MaxOvertime)
	}
	for i, o := range n.Overtime {
		if o.Day <= 0 || !span(o.From, o.Until) || o.PerHour <= 0 || o.PerHour > MaxPerHour || len(o.Reason) > maxText {
			return bad("overtime", "overtime %d needs a day, an end after its start and 1 to %d orders an hour", i+1, MaxPerHour)
		}
	}
	return nil
}

// span reports whether two times of day are the bounds of a stretch.
func span(from, until calendar.Clock) bool {
	return from >= 0 && from < until && until <= calendar.LastSecond
}

func (l Lane) check(bad refuse) error {
	switch {
	case strings.TrimSpace(l.Carrier) == "" || len(l.Carrier)+len(l.Service) > maxText || len(l.Pickups) > MaxPickups || l.MaxGrams < 0:
		return bad("lanes", "a carrier service needs a name, at most %d pick-ups and a weight limit not below 0", MaxPickups)
	case !l.Holidays.Known():
		return bad("lanes", "%q is no set of holidays", l.Holidays)
	case len(l.Serves) > maxServes:
		return bad("lanes", "%s serves at most %d regions", l.Carrier, maxServes)
	}
	for _, p := range l.Pickups {
		if p.Weekday < 0 || p.Weekday > 6 || p.At < 0 || p.At > calendar.LastSecond || p.CutOff < 0 || p.CutOff > 24*60 {
			return bad("lanes", "a pick-up of %s needs a day, a time and a cut-off of 0 to 1440 minutes", l.Carrier)
		}
	}
	for _, r := range l.Serves {
		if !region.MatchString(r) {
			return bad("lanes", "%s serves %q, which is no country or state: write US or US-CA", l.Carrier, r)
		}
	}
	for _, a := range l.Abilities {
		if !slices.Contains(Abilities, a) {
			return bad("lanes", "%q is none of %v", a, Abilities)
		}
	}
	for _, d := range l.Days {
		if d < 0 || d > maxRoad {
			return bad("lanes", "%s is on the road 0 to %d days", l.Carrier, maxRoad)
		}
	}
	return nil
}

func (n Node) checkMoney(bad refuse) error {
	all := []money.Amount{n.Costs.PerOrder, n.Costs.PerLine, n.Costs.PerUnit, n.Costs.PerParcel}
	for _, l := range n.Lanes {
		all = append(append(all, l.Tariff.ByZone[:]...), l.Tariff.PerPound)
	}
	currency := ""
	for _, a := range all {
		if a.Minor < 0 {
			return bad("costs", "a cost is not below 0")
		}
		if a.Currency != "" && currency != "" && a.Currency != currency {
			return bad("costs", "all costs of a node are in one currency, not in %s and %s", currency, a.Currency)
		}
		if a.Currency != "" {
			currency = a.Currency
		}
	}
	return nil
}

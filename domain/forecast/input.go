package forecast

import (
	"time"

	"github.com/spillway/spillway/domain/order"
	"github.com/spillway/spillway/domain/policy"
)

// Bounds. A forecast is asked for many times an hour and must never be what makes a bad hour worse.
const (
	MaxOpen  = 200_000 // open orders judged; the later due of more are left out and Forecast.LeftOut says how many
	MaxDays  = 14      // days ahead that a forecast looks at most
	UsualDay = 7       // days ahead if the input does not say

	maxHours = 45 * 24 // how far the queue is played; what is due later is not judged
)

// Input is everything a forecast is made from. It is only read.
type Input struct {
	Zone  *time.Location // whose days the rates are counted in; nil: UTC
	Rates []policy.Rate  // how each metric is counted, from which day to which
	Bands []policy.Band  // the limits
	Days  int            // days ahead, today not counted; 0: UsualDay

	// Counted is what is counted up to now, by rate id: one DayCount for each day that has any, today and days to come (of rates that
	// anchor on a due day) included. An order that waits is in it exactly when its anchor day is known: see Open.
	Counted map[string][]DayCount

	Nodes []Node
	Open  []Open // not over yet; those waiting, those ready, and those on the road as long as a rate waits for their delivery

	// Due says, as a pure function, which deadlines an order placed at a moment will have. nil: orders to come have none, so they are
	// dispatched last and never late.
	Due func(placed time.Time) order.Deadlines

	// SellerCancels is the usual share of orders that are cancelled by the seller's fault for other reasons than lateness. See LearnShare.
	SellerCancels Share
}

// DayCount is what a rate counts on one day.
type DayCount struct {
	Day      policy.Day
	Num, Den int64
}

// Open is one order that something may still happen to. Before ReadyAt it waits in its node's queue; from ReadyAt to HandedOverAt it waits for
// the carrier; then it is on the road.
//
// The forecast takes an order to be in Input.Counted below the line already if its rate anchors on the moment it was placed or on a due day,
// or on a moment that lies behind it, and above the line only as far as its moments say.
type Open struct {
	ID           string
	Node         string // an unknown or empty one is taken as the first node
	Carrier      string // unknown: the node's usual one
	PlacedAt     time.Time
	From         time.Time // cannot be worked on before: on hold, a pre-order; zero: now
	ReadyAt      time.Time
	HandedOverAt time.Time
	Deadlines    order.Deadlines
	Work         float64 // share of the work of a usual order; 0 is 1
	First        bool    // is done before all others, whatever it is due: how a proposal is tried
	Class        policy.Class
}

// Node is a place orders leave from.
type Node struct {
	Code       string
	Zone       *time.Location // of its working hours and pick-ups; nil: UTC
	Throughput Throughput
	Arrivals   Arrivals
	Closed     []Shift // no work in these hours: holidays, stocktaking
	Extra      []Shift // work on top of the usual
	Lanes      []Lane  // carriers; none: one lane of defaults
}

// Shift is a stretch of time at a node.
type Shift struct {
	From, Until time.Time
	PerHour     float64 // orders an hour on top of the usual; of a closure without meaning
}

// Lane is a carrier at a node.
type Lane struct {
	Carrier string
	Share   float64  // of the node's orders; all zero: equal shares
	Pickups []Pickup // none: Lag runs from ready to scan, the wait for the van included
	Off     []Shift  // the carrier's holidays: no van comes, nor on days the node is closed
	Lag     Dist     // pick-up (or ready) to first scan; empty: defaultLag
	Transit Dist     // first scan to delivery; empty: defaultTransit
	Missing Share    // parcels that never get valid tracking
}

// Pickup is a van that comes every week.
type Pickup struct {
	Weekday time.Weekday
	Clock   time.Duration // since midnight of the node's day
	Cutoff  time.Duration // what is ready this long before it goes with it
}

// Basis is what a number rests on.
type Basis string

const (
	Assumed Basis = ""        // nothing of this shop: a documented assumption
	Learned Basis = "learned" // this shop's own history
	Stated  Basis = "stated"  // somebody said so
)

// HoursOfWeek is the length of a weekly pattern; hour 0 is Sunday, midnight to one, local time.
const HoursOfWeek = 7 * 24

// Weekly is a number for each hour of the week.
type Weekly [HoursOfWeek]float64

// Throughput is how many orders a node gets ready.
type Throughput struct {
	PerHour Weekly  // orders in each hour of the week when there is enough to do
	Spread  float64 // standard deviation of a day's logarithm: 0.15 is ± 15 %
	Carry   float64 // correlation of one day's deviation with the next day's, 0 to 1
	Doubt   float64 // standard deviation of the logarithm of the pace itself: how well it is known
	Basis   Basis
	Factor  float64 // what a stated pace was multiplied with, as history shows it; 0: not stated
	Busy    int     // hours with a queue that it was learned from; 0: capacity was never seen at its limit, only what was needed
}

// Arrivals is how many orders come in to a node.
type Arrivals struct {
	PerHour  Weekly        // orders in each hour of a quiet week
	Level    float64       // now, as a multiple of that: 20 in a spike; 0 is 1
	HalfLife time.Duration // in which what is above (or below) 1 halves; 0: defaultHalfLife
	Spread   float64       // standard deviation of a day's logarithm
	Doubt    float64       // the same of the level itself: how well it is known
	Basis    Basis
}

// Share is a part of orders with what it rests on.
type Share struct {
	Value float64
	Basis Basis
}

package forecast

import (
	"time"

	"github.com/spillway/spillway/domain/policy"
)

// Question asks for the fewest orders that have to be ready by a moment so that a metric's expected rate is inside a limit at the end of a day.
type Question struct {
	Metric   policy.Metric
	Day      policy.Day
	Limit    policy.PPM
	Until    time.Time
	Capacity map[string]int // orders a node can get ready until then; a node not named has what its throughput says
}

// Answer is the smallest set. The orders come in the order of their effect, so the first k of them are the best k.
type Answer struct {
	Reached bool       // the set brings the rate inside the limit; else it is the best there is
	Before  policy.PPM // expected rate without it
	After   policy.PPM // with it, by the sum of the orders' effects
	Picks   []Pick
	Chance  float64    // that the rate is inside the limit if the set is done first and everything else is displaced by it: played again
	Played  policy.PPM // the expected rate of that
}

// Pick is one order of the set.
type Pick struct {
	ID    string
	Node  string
	Gain  float64    // expected orders saved, weighed against the limit
	After policy.PPM // the expected rate when this order and all before it are done
}

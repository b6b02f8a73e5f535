package routing

import (
	"strings"

	"github.com/spillway/spillway/domain/network"
	"github.com/spillway/spillway/domain/order"
	"github.com/spillway/spillway/domain/policy"
)

// Bounds of what one call takes.
const (
	MaxLines  = 100           // of one order; one with more is a wholesale order that people plan
	MaxQty    = 100_000       // units of one order
	MaxGrams  = 1_000_000_000 // of one order: a thousand tonnes
	MaxParts  = 6             // nodes one order may leave from
	MaxOrders = 20_000        // of one re-plan: four of the waves it is measured by
	MaxDays   = 10            // days ahead that work is planned on
	MaxCost   = 1_000_000_000 // minor units of any cost that is handed in, so that sums of all the above stay far from overflow
	MaxPound  = 10_000_000    // minor units for a pound
	MaxValue  = 1_000_000_000_000
)

// Order is what routing asks of an order.
type Order struct {
	ID         string
	Connection string // id of the connected shop that sold it; empty: none
	Dest       Dest
	Lines      []Line
	Due        order.Deadlines
	Value      int64  // what is lost if the channel cancels it, in minor units of the rules' currency
	ByPlatform bool   // the platform ships it from its own stock: no node of ours may
	BySeller   bool   // the platform has left it to the seller: its own warehouse ships only what it took at checkout
	Regime     Regime // how it must be shipped
	Held       string // node that holds its reservation; empty: none yet
	Override   Override
}

// Dest is where an order goes, no finer than zones need.
type Dest struct {
	Region string // country and state, such as US-CA; empty: not known
	Postal string // the first part of the postal code, such as three digits of a ZIP; empty: not known
}

// Line is a quantity of one item. Lines with the same item are one to routing.
type Line struct {
	Item  string
	Qty   int64
	Needs []network.Ability // what a node must be able to handle for it
	Grams int64             // of one unit, by volume where a carrier would bill that; 0: not known
}

// Regime is what a way of shipping means for the choice of a node.
type Regime struct {
	Option        string     // its name on the channel, for the explanation
	Forbidden     string     // the rule by which the seller may not label this order itself; empty: it may
	PlatformPicks bool       // the platform picks the carrier: a plan names none and reckons with the mean cost and the slowest
	NoDispatch    bool       // orders under it do not count as dispatched late
	NoDelivery    bool       // nor as delivered late
	Whole         bool       // it does not allow an order in parts
	Undivided     bool       // it does not allow the units of one item in different parts: all of them leave from one node, or none
	Saving        policy.PPM // labels are cheaper by this share
	Areas         []string   // countries, or countries and states, of nodes it collects from; none: everywhere
}

// RegimeOf is what a policy's regime says by itself. Whether it allows parts and from which nodes it collects is told by nobody in a form
// that can be reckoned with: whoever knows sets it.
func RegimeOf(r policy.Regime) Regime {
	return Regime{
		Option:        r.Option,
		PlatformPicks: r.Carrier != "" && !strings.Contains(r.Carrier, "seller"),
		NoDelivery:    exempt(r.Exempt, "on-time delivery"),
		NoDispatch:    exempt(r.Exempt, "late dispatch"),
		Saving:        r.Saving,
	}
}

func exempt(list []string, rate string) bool {
	for _, e := range list {
		if e == rate {
			return true
		}
	}
	return false
}

// Override is a person's word on one order: it leaves from these nodes only. The other exclusions stay.
type Override struct {
	Nodes  []string // none: no override
	By     string
	Reason string
}

// Stock is what may be promised of each item at each node: units in the order in which the sites were given to Prepare. An item that is
// missing has none; a row may be shorter than the sites.
type Stock map[string][]int64

// Transit says how a parcel travels on a lane: business days on the road and the zone, 1 to 9, or 0 abroad. False: not known. It must give
// the same answer each time.
type Transit func(node network.Node, lane network.Lane, dest Dest) (days, zone int, ok bool)

package routing

import (
	"slices"

	"github.com/spillway/spillway/domain/policy"
	"github.com/spillway/spillway/kit/errs"
)

// Rules are what a seller wants of routing. All money is in minor units of Currency.
type Rules struct {
	Currency string
	Late     Late
	LeftUnit int64 // each unit a plan leaves for later: what a unit that ships later costs, or a buyer who does not wait
	LeftAny  int64 // an order of which anything is left, once
	Short    Short
	Parts    int        // nodes an order may leave from at most; 0: 3
	Move     int64      // of each part from another node than the one that holds the reservation
	Days     int        // dispatch days ahead that work is planned on; 0: 5
	Slip     policy.PPM // chance that what is planned for a day leaves a dispatch day later, where a site does not say
	RoadSlip policy.PPM // chance that a parcel is a business day longer on the road, and again, where a site does not say
	Unknown  int64      // grams of a unit whose weight is not known
	Plain    bool       // stock at platforms is not taken first
	Limits   []Limit
}

// Late is what being late costs. Each counts once an order, however many of its parts are late.
type Late struct {
	Dispatch int64 // handed over too late for the channel's rate
	Delivery int64 // delivered too late for the channel's rate or the promise
	Cancel   int64 // so late that the channel cancels; the order's value is lost besides
}

// Short is what to do with an order that no allowed set of nodes has all of.
type Short string

const (
	Partly Short = "partly" // ship what is there, the rest later
	Wait   Short = "wait"   // nothing ships before everything can
	Whole  Short = "whole"  // nothing ships before everything can from one node
)

// Limit pins orders to nodes or keeps them off. Conditions that are empty hold for all.
type Limit struct {
	Reason     string // shown to whoever asks why
	Item       string
	Connection string
	Region     string // country, or country and state, of the destination
	Nodes      []string
	Never      bool // not from these nodes; otherwise from no other
}

// MaxLimits bounds what is read on every order.
const MaxLimits = 1000

// Check names the first thing that cannot be. Errors: Invalid.
func (r Rules) Check() error {
	bad := func(format string, args ...any) error {
		return errs.New(errs.Invalid, "routing.Rules", "", format, args...)
	}
	for _, m := range []int64{r.Late.Dispatch, r.Late.Delivery, r.Late.Cancel, r.LeftUnit, r.LeftAny, r.Move} {
		if m < 0 || m > MaxCost {
			return bad("a cost is from 0 to %d minor units", MaxCost)
		}
	}
	switch {
	case r.Currency == "":
		return bad("routing compares costs: name their currency")
	case !slices.Contains([]Short{Partly, Wait, Whole}, r.Short):
		return bad("short is partly, wait or whole, not %q", r.Short)
	case r.LeftUnit == 0:
		return bad("what a unit left for later costs must be above 0, or nothing would ever ship")
	case r.Parts < 0 || r.Parts > MaxParts:
		return bad("an order leaves from at most %d nodes", MaxParts)
	case r.Days < 0 || r.Days > MaxDays:
		return bad("work is planned at most %d days ahead", MaxDays)
	case !share(r.Slip) || !share(r.RoadSlip):
		return bad("a chance of slipping is below 100 %%")
	case r.Unknown < 0 || r.Unknown > MaxGrams/MaxQty:
		return bad("a weight that is not known is taken as 0 to %d grams", MaxGrams/MaxQty)
	case len(r.Limits) > MaxLimits:
		return bad("at most %d limits", MaxLimits)
	}
	for i, l := range r.Limits {
		if l.Reason == "" || len(l.Nodes) == 0 {
			return bad("limit %d needs a reason and its nodes", i+1)
		}
	}
	return nil
}

func share(p policy.PPM) bool { return p >= 0 && p < 1_000_000 }

func (r Rules) parts() int {
	switch {
	case r.Short == Whole:
		return 1
	case r.Parts == 0:
		return 3
	}
	return r.Parts
}

func (r Rules) days() int {
	if r.Days == 0 {
		return 5
	}
	return r.Days
}

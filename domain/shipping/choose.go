package shipping

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/spillway/spillway/kit/money"
)

// Offer is a service a parcel could go with.
type Offer struct {
	ID               string
	Carrier, Service string
	Price            money.Amount
	MinDays, MaxDays int // on the road; 0: not told
}

// Choose takes the offer to book: of those of the wanted carrier and service (empty: of any) the cheapest that is on the road no longer than days
// (0: any time), or if none is, the fastest. What tells no days is not counted on to be in time. Without an offer it is false.
func Choose(offers []Offer, carrier, service string, days int) (Offer, bool) {
	fits := func(o Offer) bool {
		return (carrier == "" || strings.EqualFold(carrier, o.Carrier)) && (service == "" || strings.EqualFold(service, o.Service))
	}
	late := func(o Offer) int {
		switch {
		case days <= 0:
			return 0
		case o.MaxDays <= 0:
			return 10_000 // behind all that tell
		}
		return max(0, o.MaxDays-days)
	}
	var best *Offer
	for i := range offers {
		if !fits(offers[i]) {
			continue
		}
		if best == nil || cmp.Or(cmp.Compare(late(offers[i]), late(*best)), cmp.Compare(offers[i].Price.Minor, best.Price.Minor),
			cmp.Compare(offers[i].MaxDays, best.MaxDays), strings.Compare(offers[i].ID, best.ID)) < 0 {
			best = &offers[i]
		}
	}
	if best == nil {
		return Offer{}, false
	}
	return *best, true
}

// Slot is a time at which a parcel can be handed over; From and Until are zero for a drop-off at any time.
type Slot struct {
	From, Until time.Time
	DropOff     bool
}

// Hours is what a node says of handing over. Without either everything is open at any time.
type Hours struct {
	Open   func(from, until time.Time) bool // somebody is there at some moment between; nil: nobody said when
	Drives time.Time                        // when somebody drives to a drop-off that a parcel packed now goes with; zero: at once
}

// ChooseSlot takes the pick-up that is over first of those at which somebody is there to hand over, if that is before the deadline; else the drop-off,
// unless the pick-up is over before somebody drives; else the pick-up all the same. Where nobody is there for any, the hours are not believed: a parcel
// must leave. Without a slot it is false.
func ChooseSlot(slots []Slot, due, at time.Time, h Hours) (Slot, bool) {
	pickups := slices.DeleteFunc(slices.Clone(slots), func(s Slot) bool { return s.DropOff || !s.Until.After(at) })
	slices.SortFunc(pickups, func(a, b Slot) int { return cmp.Or(a.Until.Compare(b.Until), a.From.Compare(b.From)) })
	drop := slices.IndexFunc(slots, func(s Slot) bool { return s.DropOff })
	manned := slices.DeleteFunc(slices.Clone(pickups), func(s Slot) bool { return h.Open != nil && !h.Open(later(s.From, at), s.Until) })
	if len(manned) > 0 || drop >= 0 {
		pickups = manned
	}
	switch {
	case len(pickups) > 0 && (due.IsZero() || !pickups[0].Until.After(due) || drop < 0 || h.Drives.After(pickups[0].Until)):
		return pickups[0], true
	case drop >= 0:
		return slots[drop], true
	}
	return Slot{}, false
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

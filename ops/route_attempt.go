package ops

import (
	"slices"

	"github.com/spillway/spillway/domain/order"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/store"
)

// EventUnrouted says that an order could not be routed, and why. It is taken in and holds its units all the same.
const EventUnrouted = "order.unrouted"

// attempt is follow for many orders at once: one that cannot be routed holds up no other, and leaves nothing half done.
func (r *router) attempt(o *order.Order, had []store.Shipment) error {
	routes, adds, saves, events, leaving := len(r.routes), len(r.adds), slices.Clone(r.saves), len(r.events), len(r.leaving)
	err := r.follow(o, had)
	if !errs.Is(err, errs.Invalid) && !errs.Is(err, errs.Insufficient) {
		return err
	}
	r.routes, r.adds, r.saves, r.events, r.leaving = r.routes[:routes], r.adds[:adds], saves, r.events[:events], r.leaving[:leaving]
	r.events = append(r.events, store.Event{At: r.at, Kind: EventUnrouted, Subject: o.ID, Data: jsonOf(map[string]string{"why": errs.Safe(err)})})
	return nil
}

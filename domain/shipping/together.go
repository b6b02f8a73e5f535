package shipping

import (
	"slices"
	"time"
)

// Packaged says that one package of the channel holds just what the parcel holds; without an id the channel makes none. done false says that a step of it
// was taken and another is needed.
func (s *Shipment) Packaged(at time.Time, id string, done bool) {
	p := Package{Call: Call{Fate: Done, N: s.Package.N, At: s.Package.At}, Wanted: true, ID: id}
	if !done {
		p.Fate, p.After = Never, at
	}
	s.Package = p
}

// NotPackaged says that reading found no such package. That is sure only when the call cannot be carried out any more.
func (s *Shipment) NotPackaged(at time.Time) { s.Package.notFound(at, s.Slack(at)) }

// repackage says that what the parcel holds is different now. A call under way may still be carried out, so it is looked at first.
func (s *Shipment) repackage(at time.Time) {
	s.Package.Wanted = true
	if !s.Package.unsure() {
		s.Package.Fate, s.Package.After, s.Package.Stuck, s.Package.ID = Never, at, false, ""
	}
}

// Apart says why parcels cannot ship as one; empty: they can. Each is whole and untouched, is in time, and leaves from the same node in the same way.
// Who chooses the carrier himself must be given parcels that were to go with the same.
func Apart(all []Shipment, at time.Time) string {
	if len(all) < 2 {
		return "one parcel is alone"
	}
	first, orders, lines := &all[0], 0, 0
	for i := range all {
		s := &all[i]
		orders, lines = orders+len(s.Orders), lines+len(s.Lines)
		switch {
		case !s.Stopped.IsZero() || s.Shipped() || s.Box != nil || s.Label.N > 0 || s.Label.Fate != Never || s.Package.unsure():
			return "somebody works on one of them already"
		case s.ConnectionID != first.ConnectionID:
			return "they were sold by different shops"
		case s.Node != first.Node:
			return "they leave from different places"
		case s.Way == ByProvider || s.Way != first.Way || s.Account != first.Account:
			return "they ship in different ways, or a provider packs them"
		case s.Way != ByPlatform && (s.Carrier != first.Carrier || s.Service != first.Service):
			return "they go with different carriers"
		case !s.Due.IsZero() && !s.Due.After(at):
			return "one of them is late: it goes by itself, at once"
		}
	}
	if orders > MaxOrders || lines > MaxLines {
		return "together they are too many for one parcel"
	}
	return ""
}

// Join makes the one parcel of parcels that may ship together, under a new id; it must be with the carrier when the first of them must. The others are to be
// stopped. Errors: Conflict (see Apart), Invalid.
func Join(id string, all []Shipment, at time.Time) (*Shipment, error) {
	if why := Apart(all, at); why != "" {
		return nil, all[0].conflict("Join", "%s", why)
	}
	f := all[0]
	spec := Shipment{ID: id, ConnectionID: f.ConnectionID, Node: f.Node, Way: f.Way, Account: f.Account, Carrier: f.Carrier, Service: f.Service, CreatedAt: at}
	for _, s := range all {
		spec.Orders = append(spec.Orders, s.Orders...)
		spec.Lines = append(spec.Lines, s.Lines...)
		if !s.Due.IsZero() && (spec.Due.IsZero() || s.Due.Before(spec.Due)) {
			spec.Due = s.Due
		}
	}
	spec.Package = Package{Wanted: true}
	return New(spec)
}

// Drop takes an order out of a parcel of several: it was cancelled, or goes by itself. The channel's package is made to fit again, unless the label is
// made: that stays good for the others. A box that has no label yet is packed anew. Errors: Conflict (it is the only order, or the parcel has left).
func (s *Shipment) Drop(order string, at time.Time) error {
	if len(s.Orders) < 2 || !slices.Contains(s.Orders, order) || s.Shipped() {
		return s.conflict("Drop", "the order is not one of several in this parcel, or the parcel has left")
	}
	s.Orders = slices.DeleteFunc(slices.Clone(s.Orders), func(o string) bool { return o == order })
	s.Lines = slices.DeleteFunc(slices.Clone(s.Lines), func(l Line) bool { return l.OrderID == order })
	if s.Label.Fate == Never || s.Label.Fate == Refused {
		s.Box = nil
		s.repackage(at)
	}
	return nil
}

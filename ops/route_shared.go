package ops

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"

	"github.com/spillway/spillway/connector/driver"
	"github.com/spillway/spillway/domain/order"
	"github.com/spillway/spillway/domain/shipping"
	"github.com/spillway/spillway/store"
)

// EventTakenOut says that an order left a parcel that it shared.
const EventTakenOut = "parcel.taken_apart"

// packages reports whether the channel of a connection makes the packages of orders itself.
func (x *Ops) packages(connectionID string) bool {
	d, _ := x.channelOf(connectionID)
	return d.Packages
}

// undivided reports whether the channel of a connection wants all units of an item in one package.
func (x *Ops) undivided(connectionID string) bool {
	d, market := x.channelOf(connectionID)
	return market != "" && slices.Contains(d.Undivided, market)
}

// channelOf is what the vendor of a connection can do, and the market it sells in; nothing where that is not known.
func (x *Ops) channelOf(connectionID string) (driver.Description, string) {
	x.wires.mu.RLock()
	shop := x.wires.shops[connectionID]
	x.wires.mu.RUnlock()
	if v, ok := x.vendors[shop.vendor]; ok {
		return v.Describe(), shop.region
	}
	return driver.Description{}, ""
}

// latest is what an order was shipped in so far, with what this transaction has changed of it for another order.
func (r *router) latest(o *order.Order, had []store.Shipment) []store.Shipment {
	for i := range had {
		if k := slices.IndexFunc(r.saves, func(s store.Shipment) bool { return s.ID == had[i].ID }); k >= 0 {
			had[i] = r.saves[k]
		}
	}
	return shipmentsOf(had, o.ID)
}

// keepSave remembers a changed parcel; one that was changed before takes its place.
func (r *router) keepSave(s store.Shipment) {
	if k := slices.IndexFunc(r.saves, func(x store.Shipment) bool { return x.ID == s.ID }); k >= 0 {
		r.saves[k] = s
		return
	}
	r.saves = append(r.saves, s)
}

// takeOut takes an order out of a parcel that it shares. If somebody has it in hand already, it goes to the bench: units must be taken out of the box.
func (r *router) takeOut(s *store.Shipment, o *order.Order, why string) error {
	worked := s.Wave != "" || s.Box != nil || s.Label.N > 0
	if err := s.Drop(o.ID, r.at); err != nil {
		return err
	}
	if s.Wave != "" { // it goes to the bench, and is picked anew from there
		if err := dropFeeds(r.tx, []string{s.Wave}, s.ID); err != nil {
			return err
		}
		s.Wave = ""
	}
	r.keepSave(*s)
	r.events = append(r.events, store.Event{At: r.at, Kind: EventTakenOut, Subject: o.ID, Data: jsonOf(map[string]any{"parcel": s.ID, "why": why})})
	if !worked {
		return nil
	}
	if err := r.tx.ClaimDrop(s.ID); err != nil {
		return err
	}
	return r.tx.TroublePut(store.FloorTrouble{Shipment: s.ID, Node: s.Node, At: r.at, Kind: "aside", Orders: s.Orders, By: ByRules,
		Text: "Order " + numberOf(o) + " " + why + " and shares this parcel: take its units out, then give the parcel back to work."})
}

// sameWay reports whether a parcel leaves from where and as a plan wants it. One that several orders share goes with whatever suits them all, in time for
// each.
func sameWay(s *store.Shipment, want *shipping.Shipment) bool {
	if s.Node != want.Node || s.Way != want.Way || s.Account != want.Account {
		return false
	}
	if len(s.Orders) > 1 {
		return (want.Due.IsZero() || !s.Due.After(want.Due)) && (s.Way == shipping.ByPlatform || s.Carrier == want.Carrier && s.Service == want.Service)
	}
	return s.Carrier == want.Carrier && s.Service == want.Service && s.Due.Equal(want.Due)
}

// part reports whether a parcel holds less than all units of its order that are not cancelled.
func (r *router) part(o *order.Order, s *shipping.Shipment) bool {
	for _, l := range o.Lines {
		for _, u := range l.Units {
			if !u.Cancelled && !slices.ContainsFunc(s.Lines, func(x shipping.Line) bool { return slices.Contains(x.Units, u.ExternalLineID) }) {
				return true
			}
		}
	}
	return false
}

// freeParcelID is an id for another parcel of an order: of its nth, or of one behind that where others have it.
func freeParcelID(orderID string, nth int, others ...[]store.Shipment) string {
	for ; ; nth++ {
		id := parcelID(orderID, nth)
		if !slices.ContainsFunc(others, func(ss []store.Shipment) bool {
			return slices.ContainsFunc(ss, func(s store.Shipment) bool { return s.ID == id })
		}) {
			return id
		}
	}
}

// parcelID is the id of an order's nth parcel.
func parcelID(orderID string, nth int) string {
	sum := sha256.Sum256([]byte(orderID + "\x00" + string(rune('a'+nth%26)) + strings.Repeat("+", nth/26)))
	return "s" + hex.EncodeToString(sum[:12])
}

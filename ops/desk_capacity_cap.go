package ops

import (
	"maps"
	"slices"

	"github.com/spillway/spillway/domain/allocation"
	"github.com/spillway/spillway/domain/policy/calendar"
	"github.com/spillway/spillway/ops/view"
	"github.com/spillway/spillway/store"
)

// proposeCaps finds how many orders a day the shops of a node that falls behind can be let have, so that its nodes have done in loadDays what waits and
// what comes. Shops that are expected to have no more than that are left alone.
func (d *Desk) proposeCaps(tx *store.Tx, s NodeState, states []NodeState, n view.CapacityNode) (out []proposal) {
	if s.Load == nil || s.Said == nil {
		return nil
	}
	ch, err := readChannels(tx)
	if err != nil {
		return nil
	}
	zone := s.Said.Location()
	last := calendar.DayOf(d.x.now(), zone) + loadDays
	shops := slices.Sorted(maps.Keys(s.Load.Parts))
	for _, shop := range shops[:min(len(shops), shopsAsked)] {
		if _, _, capped := d.x.wires.orderCap(shop); capped || d.x.wires.get(shop) == nil && !d.x.keeper.elsewhere(shop) {
			continue
		}
		room, coming := roomFor(shop, states)
		if coming <= room {
			continue
		}
		p := proposal{node: s.Location.ID, shop: shop, cap: allocation.DayCap{PerDay: room, From: d.x.now(), Until: last.Start(zone), Zone: zone.String()}}
		p.ID, p.Kind, p.Verb = proposalID("cap", shop), "cap", "Cap its orders"
		p.Sentence = "Take at most " + plural(room, "order", "orders") + " a day in " + ch.of(shop) + " until " + string(dayOf(last-1)) + "."
		if room == 0 {
			p.Sentence = "Take no more orders in " + ch.of(shop) + " until " + string(dayOf(last-1)) + "."
		}
		p.Why = n.Row.Name + " is behind, and " + number(coming) + " orders a day are expected: what its nodes can do in the " + number(loadDays) + " days shown leaves room for " + number(room) + " a day, once what waits is done."
		p.Cost = "about " + plural(coming-room, "sale", "sales") + " a day that are not made there; the stock stays for your other shops"
		p.Effect = []view.Change{{What: "Orders of " + ch.of(shop) + " a day", From: number(coming), To: number(room)}}
		out = append(out, p)
	}
	return out
}

// roomFor is how many orders a day the nodes of a shop can do besides what waits there, in its part of each, and how many are expected.
func roomFor(shop string, states []NodeState) (room, coming int64) {
	var free, expected float64
	for _, s := range states {
		if s.Load == nil || s.Load.Parts[shop] <= 0 {
			continue
		}
		can := -float64(s.Load.Waiting)
		for k := range loadDays {
			can += s.Load.Capacity[k]
			expected += s.Load.Coming[k] * s.Load.Parts[shop]
		}
		free += max(0, can) * s.Load.Parts[shop]
	}
	return int64(free / loadDays), int64(expected/loadDays + 0.5)
}

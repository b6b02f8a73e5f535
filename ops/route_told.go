package ops

import (
	"cmp"
	"encoding/json"
	"time"

	"github.com/spillway/spillway/domain/order"
	"github.com/spillway/spillway/domain/policy"
	"github.com/spillway/spillway/domain/policy/calendar"
	"github.com/spillway/spillway/domain/routing"
	"github.com/spillway/spillway/store"
)

// RouteTold is a route as it is stored and shown.
type RouteTold struct {
	Parts      []RoutePart      `json:"parts"`
	Left       int64            `json:"left,omitzero"` // units for later
	Back       bool             `json:"back,omitzero"` // they are with a provider that is asked not to ship them
	Currency   string           `json:"currency"`
	Total      int64            `json:"total"` // expected cost in minor units, lateness included
	LateCost   int64            `json:"late_cost,omitzero"`
	Late       policy.PPM       `json:"late,omitzero"` // chance of being handed over late
	Proven     bool             `json:"proven"`
	Guessed    bool             `json:"guessed,omitzero"`
	Candidates []RouteCandidate `json:"candidates"`
	Asked      []string         `json:"asked,omitempty"`   // nodes a person named; none: the rules decided
	Request    string           `json:"request,omitzero"`  // the caller's id of the change
	Together   int              `json:"together,omitzero"` // orders it was planned together with
}

// later says what becomes of the units left for later.
func (t RouteTold) later() string {
	if t.Back {
		return capital(plural(t.Left, "unit is", "units are")) + " with a provider that is asked not to ship them. Only when it has said so do they leave from elsewhere; if it ships them after all, that stands."
	}
	return capital(plural(t.Left, "unit ships", "units ship")) + " later."
}

// RoutePart is what leaves one node.
type RoutePart struct {
	Shipment string       `json:"shipment,omitzero"`
	Node     string       `json:"node"`
	Carrier  string       `json:"carrier,omitzero"`
	Service  string       `json:"service,omitzero"`
	Units    int64        `json:"units"`
	PlanFor  calendar.Day `json:"plan_for"`
	Leaves   time.Time    `json:"leaves,omitzero"`
	Arrives  calendar.Day `json:"arrives,omitzero"`
	Zone     int          `json:"zone,omitzero"`
	Cost     int64        `json:"cost"`
}

// RouteCandidate is a node and what became of it, in words.
type RouteCandidate struct {
	Node  string `json:"node"`
	Name  string `json:"name"`
	Words string `json:"words"`
	Total int64  `json:"total,omitzero"`
	Alone bool   `json:"alone,omitzero"`
}

// note keeps a route with who made it.
func (r *router) note(o *order.Order, told RouteTold, over routing.Override) error {
	actor, reason := ByRules, ""
	if len(over.Nodes) > 0 {
		actor, reason = over.By, over.Reason
	}
	body, err := json.Marshal(told)
	if err != nil {
		return err
	}
	r.routes = append(r.routes, store.Route{OrderID: o.ID, At: r.at, Actor: actor, Reason: reason, Body: body, Lacking: told.Left})
	nodes := make([]string, len(told.Parts))
	most := int64(0)
	var from string
	for i, p := range told.Parts {
		if nodes[i] = p.Node; p.Units > most {
			most, from = p.Units, p.Node
		}
	}
	if from != "" {
		l, _ := r.cat.location(from)
		r.leaving = append(r.leaving, leaving{o, cmp.Or(l.ExternalRefs[o.ConnectionID], from)})
	}
	r.events = append(r.events, store.Event{At: r.at, Kind: EventRouted, Subject: o.ID,
		Data: jsonOf(map[string]any{"nodes": nodes, "by": actor, "reason": reason, "left": told.Left, "total": told.Total, "currency": told.Currency,
			"request": told.Request, "asked": told.Asked, "together": told.Together})})
	return nil
}

// leaving is from where most of an order is to be sent.
type leaving struct {
	o    *order.Order
	node string
}

// leave notes with each order from where it leaves: queues, forecasts and the shops' health by node go by that, and not by what the channel expected.
func (r *router) leave() error {
	rules, change := r.x.rules.Load(), newHealthChange()
	var moved []order.Order
	for _, l := range r.leaving {
		if l.o.Routed == l.node {
			continue
		}
		before := *l.o
		l.o.LeaveFrom(l.node)
		change.add(rules, &before, l.o)
		moved = append(moved, *l.o)
	}
	if len(moved) == 0 {
		return nil
	}
	d, err := change.delta()
	if err != nil {
		return err
	}
	if err := r.tx.HealthAppend(d); err != nil {
		return err
	}
	return r.tx.OrdersSave(moved)
}

// tell is a plan as it is kept.
func tell(p *routing.Plan) RouteTold {
	out := RouteTold{Currency: p.Currency, Total: p.Total, LateCost: p.LateCost, Late: p.Late.Dispatch, Proven: p.Proven(), Guessed: p.Guessed}
	for _, q := range p.Left {
		out.Left += q.Qty
	}
	for _, part := range p.Parts {
		t := RoutePart{Node: part.Node, Carrier: part.Carrier, Service: part.Service, PlanFor: part.PlanFor, Leaves: part.Leaves, Arrives: part.Arrives, Zone: part.Zone, Cost: part.Cost.Total()}
		for _, q := range part.Lines {
			t.Units += q.Qty
		}
		out.Parts = append(out.Parts, t)
	}
	for i := range p.Candidates {
		c := &p.Candidates[i]
		out.Candidates = append(out.Candidates, RouteCandidate{Node: c.Node, Name: c.Name, Words: c.Words(), Total: c.Total(), Alone: c.Alone})
	}
	return out
}

package api

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/spillway/spillway/ops"
)

type routeAnswer struct {
	Body struct {
		Order   string        `json:"order"`
		At      *time.Time    `json:"at,omitempty" doc:"When it was decided; missing: it has no route yet."`
		Actor   string        `json:"actor,omitempty" doc:"Who decided: rules, or a person or program."`
		Reason  string        `json:"reason,omitempty"`
		Version int64         `json:"version" doc:"How often it was routed."`
		Route   ops.RouteTold `json:"route"`
	}
}

type shipmentState struct {
	ID       string     `json:"id"`
	Orders   []string   `json:"orders"`
	Node     string     `json:"node"`
	Way      string     `json:"way" enum:"platform,carrier,provider,manual" doc:"Who makes the label and moves the parcel."`
	Step     string     `json:"step" doc:"What is to be done next: pack, book, find, fetch, tell, correct, void, scan, hand over, send (a person sends it to its provider), enter (its number), ask, rest."`
	Units    int64      `json:"units"`
	Lines    []piece    `json:"lines" doc:"What it holds, an item once."`
	Carrier  string     `json:"carrier,omitempty"`
	Service  string     `json:"service,omitempty"`
	Tracking string     `json:"tracking,omitempty"`
	Track    string     `json:"track" doc:"The page of the parcel for its buyer; the address alone opens it. Without a public address of Spillway it begins with a slash."`
	Told     string     `json:"told,omitempty" doc:"The tracking number the channel knows."`
	Question string     `json:"question,omitempty" doc:"What only a person can settle."`
	Due      *time.Time `json:"due,omitempty"`
	HandedAt *time.Time `json:"handed_over_at,omitempty"`
	Arrived  *time.Time `json:"delivered_at,omitempty"`
	Stopped  *time.Time `json:"stopped_at,omitempty"`
	StopWhy  string     `json:"stop_why,omitempty"`
	Stuck    *time.Time `json:"stuck_since,omitempty" doc:"From when on too long nothing was heard of it on its way."`
	StuckWhy string     `json:"stuck_why,omitempty"`
}

type piece struct {
	Item string `json:"item" maxLength:"200"`
	Qty  int64  `json:"qty" minimum:"1" maximum:"1000000"`
}

type division struct {
	ID       string `path:"id" maxLength:"200"`
	Shipment string `path:"shipment" maxLength:"40"`
	Body     struct {
		Keep []piece `json:"keep" minItems:"1" maxItems:"200" doc:"What stays in this parcel; the rest is another one."`
	}
}

type shipmentList struct {
	Body struct {
		Shipments []shipmentState `json:"shipments"`
	}
}

type reroute struct {
	ID   string `path:"id" maxLength:"200"`
	Body struct {
		ID     string   `json:"id" minLength:"1" maxLength:"100" doc:"Yours; sending it again changes nothing more."`
		Nodes  []string `json:"nodes,omitempty" maxItems:"6" doc:"The order leaves from these only. None: by the rules."`
		Reason string   `json:"reason,omitempty" maxLength:"500" doc:"Needed with nodes."`
	}
}

type renumber struct {
	ID       string `path:"id" maxLength:"200"`
	Shipment string `path:"shipment" maxLength:"40"`
	Body     struct {
		Number  string `json:"number" minLength:"1" maxLength:"60"`
		Carrier string `json:"carrier,omitempty" maxLength:"60" doc:"Missing: as it is."`
	}
}

type orderPath struct {
	ID string `path:"id" maxLength:"200" doc:"The connection's id, a colon, and the channel's id of the order."`
}

func (s *service) routes(a huma.API) {
	fails := []int{http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusServiceUnavailable}
	huma.Register(a, huma.Operation{OperationID: "route", Method: http.MethodGet, Path: base + "/orders/{id}/route", Summary: "From where an order leaves, and why",
		Security: security, Tags: []string{"routes"}, Errors: fails}, s.route)
	huma.Register(a, huma.Operation{OperationID: "shipments", Method: http.MethodGet, Path: base + "/orders/{id}/shipments", Summary: "The parcels of an order",
		Security: security, Tags: []string{"routes"}, Errors: fails}, s.shipments)
	huma.Register(a, huma.Operation{OperationID: "correct-tracking", Method: http.MethodPost, Path: base + "/orders/{id}/shipments/{shipment}/tracking",
		Summary: "Enter another tracking number for a parcel", Description: "The channel is told it, as often and as long as it takes corrections. Sending the same again changes nothing.",
		Security: security, Tags: []string{"routes"}, Errors: append(fails, http.StatusConflict)}, s.renumber)
	huma.Register(a, huma.Operation{OperationID: "divide-shipment", Method: http.MethodPost, Path: base + "/orders/{id}/shipments/{shipment}/divide",
		Summary: "Make two parcels of one that has no label yet", Description: "Both leave from the same place in the same way. What is sold as one unit, such as a set, stays in one.",
		Security: security, Tags: []string{"routes"}, Errors: append(fails, http.StatusBadRequest, http.StatusConflict)}, s.divide)
	huma.Register(a, huma.Operation{OperationID: "reroute", Method: http.MethodPost, Path: base + "/orders/{id}/reroute", Summary: "Route an order again",
		Description: "By the rules, or from the nodes you name. What somebody packs already stays.", Security: security, Tags: []string{"routes"}, Errors: append(fails, http.StatusConflict)}, s.reroute)
}

func (s *service) route(ctx context.Context, in *orderPath) (*routeAnswer, error) {
	ctx, cancel := bounded(ctx)
	defer cancel()
	return s.routeOf(ctx, in.ID)
}

func (s *service) routeOf(ctx context.Context, id string) (*routeAnswer, error) {
	r, told, err := s.x.Route(ctx, id)
	if err != nil {
		return nil, s.problem(err)
	}
	out := &routeAnswer{}
	out.Body.Order, out.Body.Route = id, told
	if r.Version > 0 {
		out.Body.At, out.Body.Actor, out.Body.Reason, out.Body.Version = &r.At, r.Actor, r.Reason, r.Version
	}
	if out.Body.Route.Parts == nil {
		out.Body.Route.Parts = []ops.RoutePart{}
	}
	if out.Body.Route.Candidates == nil {
		out.Body.Route.Candidates = []ops.RouteCandidate{}
	}
	return out, nil
}

func (s *service) reroute(ctx context.Context, in *reroute) (*routeAnswer, error) {
	ctx, cancel := bounded(ctx)
	defer cancel()
	if _, err := s.x.RerouteFrom(ctx, in.ID, in.Body.ID, in.Body.Nodes, caller(ctx), in.Body.Reason); err != nil {
		return nil, s.problem(err)
	}
	return s.routeOf(ctx, in.ID)
}

func (s *service) renumber(ctx context.Context, in *renumber) (*shipmentList, error) {
	bound, cancel := bounded(ctx)
	defer cancel()
	if err := s.x.Renumber(bound, in.ID, in.Shipment, in.Body.Carrier, in.Body.Number, caller(ctx)); err != nil {
		return nil, s.problem(err)
	}
	return s.shipments(ctx, &orderPath{ID: in.ID})
}

func (s *service) divide(ctx context.Context, in *division) (*shipmentList, error) {
	bound, cancel := bounded(ctx)
	defer cancel()
	keep := map[string]int64{}
	for _, k := range in.Body.Keep {
		keep[k.Item] += k.Qty
	}
	if _, err := s.x.DivideParcel(bound, in.ID, in.Shipment, keep, caller(ctx)); err != nil {
		return nil, s.problem(err)
	}
	return s.shipments(ctx, &orderPath{ID: in.ID})
}

func (s *service) shipments(ctx context.Context, in *orderPath) (*shipmentList, error) {
	ctx, cancel := bounded(ctx)
	defer cancel()
	all, at, err := s.x.Shipments(ctx, in.ID)
	if err != nil {
		return nil, s.problem(err)
	}
	out := &shipmentList{}
	out.Body.Shipments, err = s.parcelStates(ctx, all, at)
	return out, err
}

// parcelStates is parcels as programs see them.
func (s *service) parcelStates(ctx context.Context, all []ops.Parcel, at time.Time) ([]shipmentState, error) {
	ways, err := s.x.WatchParcels(ctx, all, at)
	if err != nil {
		return nil, s.problem(err)
	}
	out := make([]shipmentState, 0, len(all))
	for i := range all {
		p := &all[i]
		v := shipmentState{ID: p.ID, Orders: p.Orders, Node: p.Node, Way: string(p.Way), Step: string(p.Next(at).Kind), Carrier: p.Carrier, Service: p.Service, Tracking: p.Label.Tracking,
			Track: s.x.TrackURL(p.ID), Told: p.Tell.Tracking, Question: p.Question(), Due: moment(p.Due), HandedAt: moment(p.HandedOverAt), Arrived: moment(p.DeliveredAt), Stopped: moment(p.Stopped),
			StopWhy: p.StopWhy}
		if p.Label.Carrier != "" {
			v.Carrier, v.Service = p.Label.Carrier, p.Label.Service
		}
		if f := ways[p.ID]; f.Stuck {
			v.Stuck, v.StuckWhy = &f.Due, f.Why
		}
		for _, l := range p.Lines {
			v.Units += l.Qty
			if k := slices.IndexFunc(v.Lines, func(x piece) bool { return x.Item == l.ItemID }); k >= 0 {
				v.Lines[k].Qty += l.Qty
			} else {
				v.Lines = append(v.Lines, piece{l.ItemID, l.Qty})
			}
		}
		out = append(out, v)
	}
	return out, nil
}

// moment leaves out what has not been.
func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

package api

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/spillway/spillway/ops"
)

type nodeState struct {
	ID      string          `json:"id" doc:"That of its stock location."`
	Name    string          `json:"name"`
	Kind    string          `json:"kind" doc:"Of its stock: own, 3pl, coop, marketplace, fbt."`
	Active  bool            `json:"active"`
	Version int64           `json:"version" doc:"Send it with a change. 0: nothing is said of this node."`
	Actor   string          `json:"actor,omitempty" doc:"Who said it."`
	At      *time.Time      `json:"at,omitempty"`
	Said    json.RawMessage `json:"said,omitempty" doc:"What is said of it: place, zone, shifts, closed, overtime, lanes, abilities, costs, surge."`
	Load    *nodeLoad       `json:"load,omitempty" doc:"As the last forecast took it; missing while nothing passed through it."`
}

type nodeLoad struct {
	Waiting  int       `json:"waiting" doc:"Orders in its queue."`
	Overdue  int       `json:"overdue" doc:"Of them, past their deadline."`
	Due      []int     `json:"due" doc:"Of them, by the day they are due on; today first."`
	Coming   []float64 `json:"coming" doc:"Expected orders by day."`
	Capacity []float64 `json:"capacity" doc:"Orders it can do by day; the first is what is left of today."`
	Basis    string    `json:"basis" enum:"stated,learned,assumed"`
}

type nodeList struct {
	Body struct {
		Nodes []nodeState `json:"nodes"`
	}
}

type nodeAnswer struct{ Body nodeState }

type nodePut struct {
	ID   string `path:"id" maxLength:"40"`
	Body struct {
		Version int64           `json:"version" minimum:"0" doc:"The one that was read; 0 for the first."`
		Said    json.RawMessage `json:"said" doc:"All that is to be said of it; what is left out is not said any more."`
	}
}

func (s *service) nodes(a huma.API) {
	fails := []int{http.StatusUnauthorized, http.StatusForbidden, http.StatusServiceUnavailable}
	huma.Register(a, huma.Operation{OperationID: "nodes", Method: http.MethodGet, Path: base + "/nodes", Summary: "Where orders leave from, and what is said of each place",
		Security: security, Tags: []string{"nodes"}, Errors: fails}, s.nodeList)
	huma.Register(a, huma.Operation{OperationID: "node", Method: http.MethodGet, Path: base + "/nodes/{id}", Summary: "One of them",
		Security: security, Tags: []string{"nodes"}, Errors: append(fails, http.StatusNotFound)}, s.nodeOf)
	huma.Register(a, huma.Operation{OperationID: "sayNode", Method: http.MethodPut, Path: base + "/nodes/{id}", Summary: "Say what a node can do",
		Security: security, Tags: []string{"nodes"}, Errors: append(fails, http.StatusConflict)}, s.nodePut)
}

func (s *service) nodeList(ctx context.Context, _ *struct{}) (*nodeList, error) {
	ctx, cancel := bounded(ctx)
	defer cancel()
	all, err := s.x.Nodes(ctx)
	if err != nil {
		return nil, s.problem(err)
	}
	out := &nodeList{}
	out.Body.Nodes = make([]nodeState, 0, len(all))
	for _, n := range all {
		out.Body.Nodes = append(out.Body.Nodes, nodeStateOf(n))
	}
	return out, nil
}

func (s *service) nodeOf(ctx context.Context, in *struct {
	ID string `path:"id" maxLength:"40"`
}) (*nodeAnswer, error) {
	ctx, cancel := bounded(ctx)
	defer cancel()
	n, err := s.x.Node(ctx, in.ID)
	if err != nil {
		return nil, s.problem(err)
	}
	return &nodeAnswer{nodeStateOf(n)}, nil
}

func (s *service) nodePut(ctx context.Context, in *nodePut) (*nodeAnswer, error) {
	ctx, cancel := bounded(ctx)
	defer cancel()
	if _, err := s.x.SayNode(ctx, in.ID, in.Body.Said, in.Body.Version, caller(ctx)); err != nil {
		return nil, s.problem(err)
	}
	saved, err := s.x.Node(ctx, in.ID)
	if err != nil {
		return nil, s.problem(err)
	}
	return &nodeAnswer{nodeStateOf(saved)}, nil
}

func nodeStateOf(n ops.NodeState) nodeState {
	out := nodeState{ID: n.Location.ID, Name: n.Location.Name, Kind: string(n.Location.Kind), Active: n.Location.Active}
	if s := n.Said; s != nil {
		at := s.At
		out.Version, out.Actor, out.At = s.Version, s.Actor, &at
		out.Said, _ = json.Marshal(s.Node) // it was stored as JSON
	}
	if l := n.Load; l != nil {
		basis := string(l.Basis)
		if basis == "" {
			basis = "assumed"
		}
		out.Load = &nodeLoad{Waiting: l.Waiting, Overdue: l.Overdue, Due: l.Due[:], Coming: l.Coming[:], Capacity: l.Capacity[:], Basis: basis}
	}
	return out
}

package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/spillway/spillway/ops/view"
)

type capacityNode struct {
	ID       string        `json:"id"`
	Name     string        `json:"name"`
	Basis    string        `json:"basis" enum:"stated,learned,assumed" doc:"What its capacity rests on."`
	Waiting  int64         `json:"waiting" doc:"Orders in its queue."`
	Overdue  int64         `json:"overdue" doc:"Of them, past their deadline."`
	Sentence string        `json:"sentence"`
	Days     []capacityDay `json:"days" doc:"Today and the next seven, of the node's zone."`
}

type capacityDay struct {
	Day    string `json:"day"`
	Open   string `json:"open,omitempty" doc:"When it works."`
	Rests  string `json:"rests,omitempty" doc:"Why it does not."`
	CanDo  int64  `json:"can_do" doc:"Orders; of today what is left of it."`
	Due    int64  `json:"due" doc:"Orders of the queue with this deadline."`
	Behind int64  `json:"behind" doc:"Due by the end of the day, more than can be done by then."`
	Coming int64  `json:"coming" doc:"Expected orders."`
}

type capacityLate struct {
	Node     string  `json:"node"`
	Day      string  `json:"day"`
	Due      int64   `json:"due"`
	Behind   int64   `json:"behind"`
	Forecast float64 `json:"late_by_forecast" doc:"Expected number of late orders: the chances of the forecast, summed."`
	Routes   float64 `json:"late_by_routes" doc:"The same by the chances of their routes, as they were when each was routed."`
}

type capacityProposal struct {
	ID       string           `json:"id"`
	Kind     string           `json:"kind" enum:"overtime,divert,cap,handling"`
	Sentence string           `json:"sentence"`
	Why      string           `json:"why"`
	Cost     string           `json:"cost"`
	Effects  []capacityEffect `json:"effects"`
	Count    int64            `json:"count,omitempty" doc:"Orders it moves."`
	Orders   []string         `json:"orders" doc:"The first of them."`
	ByHand   string           `json:"by_hand,omitempty" doc:"Why only a person can do it: applied, it becomes a task."`
}

type capacityEffect struct {
	What string `json:"what"`
	From string `json:"from"`
	To   string `json:"to"`
}

type capacityEntry struct {
	ID       string    `json:"id"`
	At       time.Time `json:"at"`
	Actor    string    `json:"actor"`
	Sentence string    `json:"sentence"`
	Open     bool      `json:"open" doc:"A task that nobody has ticked off."`
	Undone   bool      `json:"undone"`
}

type capacityAnswer struct {
	Body struct {
		At         time.Time          `json:"at" doc:"When this was worked out."`
		ForecastAt *time.Time         `json:"forecast_at,omitempty" doc:"Of the forecast the load is of; missing: there is none yet."`
		Nodes      []capacityNode     `json:"nodes"`
		Late       []capacityLate     `json:"late" doc:"Days on which something is expected to be late."`
		Proposals  []capacityProposal `json:"proposals" doc:"What can be done about it."`
		Done       []capacityEntry    `json:"done" doc:"What was, the newest first."`
	}
}

type capacitySaid struct {
	Body struct {
		Sentence string `json:"sentence" doc:"What was done."`
	}
}

func (s *service) capacity(a huma.API) {
	op := func(id, method, path, summary string, fails ...int) huma.Operation {
		return huma.Operation{OperationID: id, Method: method, Path: base + "/capacity" + path, Summary: summary, Security: security, Tags: []string{"capacity"},
			Errors: append(fails, http.StatusUnauthorized, http.StatusForbidden, http.StatusServiceUnavailable)}
	}
	huma.Register(a, op("capacity", http.MethodGet, "", "What must leave, what can be done, what will be late, and what can be done about it"), s.capacityNow)
	apply := op("applyProposal", http.MethodPost, "/proposals/{id}/apply", "Do what a proposal says", http.StatusNotFound, http.StatusConflict)
	apply.Description = "As it is now: one that does not hold any more is not found. Diverted orders stay at the other node, whatever the rules say, until somebody says otherwise."
	huma.Register(a, apply, s.capacityApply)
	huma.Register(a, op("finishCapacityTask", http.MethodPost, "/done/{id}/finish", "Tick a task off", http.StatusNotFound, http.StatusConflict), s.capacityFinish)
	huma.Register(a, op("undoCapacity", http.MethodPost, "/done/{id}/undo", "Take back what was done: overtime that is not over, and orders nobody works on", http.StatusNotFound, http.StatusConflict), s.capacityUndo)
}

func (s *service) capacityNow(ctx context.Context, _ *struct{}) (*capacityAnswer, error) {
	ctx, cancel := bounded(ctx)
	defer cancel()
	v, err := s.desk.Capacity(ctx)
	if err != nil {
		return nil, s.problem(err)
	}
	out := &capacityAnswer{}
	b := &out.Body
	b.At, b.ForecastAt, b.Nodes, b.Late, b.Proposals, b.Done = v.At, moment(v.LoadAt), []capacityNode{}, []capacityLate{}, []capacityProposal{}, []capacityEntry{}
	for _, n := range v.Nodes {
		b.Nodes = append(b.Nodes, capacityNodeOf(n))
	}
	for _, l := range v.Late {
		b.Late = append(b.Late, capacityLate{Node: l.Node, Day: string(l.Day), Due: l.Due, Behind: l.Cannot, Forecast: l.Expected, Routes: l.Routed})
	}
	for _, p := range v.Proposals {
		x := capacityProposal{ID: p.ID, Kind: p.Kind, Sentence: p.Sentence, Why: p.Why, Cost: p.Cost, Effects: []capacityEffect{}, Count: p.Count, Orders: []string{}, ByHand: p.ByHand}
		for _, c := range p.Effect {
			x.Effects = append(x.Effects, capacityEffect{c.What, c.From, c.To})
		}
		for _, o := range p.Orders {
			x.Orders = append(x.Orders, o.ID)
		}
		b.Proposals = append(b.Proposals, x)
	}
	for _, d := range v.Done {
		b.Done = append(b.Done, capacityEntry{ID: d.ID, At: d.At, Actor: d.Actor, Sentence: d.Sentence, Open: d.Open, Undone: d.Undone})
	}
	return out, nil
}

func capacityNodeOf(n view.CapacityNode) capacityNode {
	out := capacityNode{ID: n.Row.ID, Name: n.Row.Name, Basis: n.Row.Basis, Waiting: n.Row.Waiting, Overdue: n.Row.Overdue, Sentence: n.Text, Days: []capacityDay{}}
	for i, d := range n.Row.Days {
		day := capacityDay{Day: string(d.Day), Open: d.Open, Rests: d.Rests, CanDo: d.Capacity, Due: d.Due, Coming: d.Coming}
		if i < len(n.Behind) {
			day.Behind = n.Behind[i]
		}
		out.Days = append(out.Days, day)
	}
	return out
}

type capacityPath struct {
	ID string `path:"id" maxLength:"200"`
}

func (s *service) capacityApply(ctx context.Context, in *capacityPath) (*capacitySaid, error) {
	return s.capacityDo(ctx, func(ctx context.Context) (view.Done, error) {
		return s.desk.ApplyProposal(ctx, view.ProposalDraft{ID: in.ID, Actor: caller(ctx)})
	})
}

func (s *service) capacityFinish(ctx context.Context, in *capacityPath) (*capacitySaid, error) {
	return s.capacityDo(ctx, func(ctx context.Context) (view.Done, error) {
		return s.desk.ApplyProposal(ctx, view.ProposalDraft{ID: in.ID, Finish: true, Actor: caller(ctx)})
	})
}

func (s *service) capacityUndo(ctx context.Context, in *capacityPath) (*capacitySaid, error) {
	return s.capacityDo(ctx, func(ctx context.Context) (view.Done, error) {
		return s.desk.UndoCapacity(ctx, in.ID, caller(ctx))
	})
}

func (s *service) capacityDo(ctx context.Context, do func(context.Context) (view.Done, error)) (*capacitySaid, error) {
	ctx, cancel := unhurried(ctx)
	defer cancel()
	done, err := do(ctx)
	if err != nil {
		return nil, s.problem(err)
	}
	out := &capacitySaid{}
	out.Body.Sentence = done.Sentence
	return out, nil
}

package api

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/spillway/spillway/kit/money"
	"github.com/spillway/spillway/ops"
)

type cartonSaid struct {
	Name     string        `json:"name" doc:"As it is printed on the stack."`
	Node     string        `json:"node,omitempty" doc:"The node that has it; missing: every node."`
	Inner    ops.Sides     `json:"inner" doc:"The room in it, before padding."`
	Outer    ops.Sides     `json:"outer" doc:"What the carrier measures."`
	Grams    int64         `json:"grams" doc:"Of the empty carton with its padding."`
	MaxGrams int64         `json:"max_grams,omitempty" doc:"What it may weigh in all; missing: no limit."`
	Padding  int64         `json:"padding_mm,omitempty" doc:"Kept free on each of the six sides."`
	Cost     *money.Amount `json:"cost,omitempty" doc:"Of one with its padding, in minor units of its currency: 55 and USD are $0.55."`
	Active   bool          `json:"active" doc:"Whether it is proposed; one that is not stays known."`
}

type cartonState struct {
	ID      string     `json:"id"`
	Version int64      `json:"version" doc:"Send it with a change."`
	Actor   string     `json:"actor" doc:"Who said it."`
	At      time.Time  `json:"at"`
	Said    cartonSaid `json:"said"`
}

type cartonAnswer struct{ Body cartonState }

type cartonList struct {
	Body struct {
		Cartons []cartonState `json:"cartons" doc:"In the order of id, those not used any more among them."`
		Next    string        `json:"next,omitempty" doc:"Ask with after=next for what comes after; missing on the last page."`
	}
}

type cartonPut struct {
	ID   string `path:"id" maxLength:"40"`
	Body struct {
		Version int64      `json:"version" minimum:"0" doc:"The one that was read; 0 for a new carton."`
		Said    cartonSaid `json:"said" doc:"All that is to be said of it; what is left out is not said any more."`
	}
}

func (s *service) cartonList(ctx context.Context, in *paged) (*cartonList, error) {
	ctx, cancel := bounded(ctx)
	defer cancel()
	all, err := s.x.AllCartons(ctx)
	if err != nil {
		return nil, s.problem(err)
	}
	slices.SortFunc(all, func(a, b ops.CartonSaid) int { return strings.Compare(a.ID, b.ID) }) // not as the database's language sorts
	out := &cartonList{}
	out.Body.Cartons = []cartonState{}
	for _, c := range all {
		switch {
		case c.ID <= in.After:
		case len(out.Body.Cartons) == in.limit():
			out.Body.Next = out.Body.Cartons[in.limit()-1].ID
			return out, nil
		default:
			out.Body.Cartons = append(out.Body.Cartons, cartonStateOf(c))
		}
	}
	return out, nil
}

func (s *service) cartonRead(ctx context.Context, id string) (*cartonAnswer, error) {
	c, err := s.x.Carton(ctx, id)
	if err != nil {
		return nil, s.problem(err)
	}
	return &cartonAnswer{cartonStateOf(c)}, nil
}

func (s *service) cartonOf(ctx context.Context, in *struct {
	ID string `path:"id" maxLength:"40"`
}) (*cartonAnswer, error) {
	ctx, cancel := bounded(ctx)
	defer cancel()
	return s.cartonRead(ctx, in.ID)
}

func (s *service) cartonPut(ctx context.Context, in *cartonPut) (*cartonAnswer, error) {
	ctx, cancel := bounded(ctx)
	defer cancel()
	b := in.Body.Said
	c := ops.CartonSaid{Version: in.Body.Version}
	c.ID, c.Name, c.Node, c.Inner, c.Outer, c.Grams, c.MaxGrams, c.Padding, c.Active = in.ID, b.Name, b.Node, b.Inner, b.Outer, b.Grams, b.MaxGrams, b.Padding, b.Active
	if b.Cost != nil {
		c.Cost = *b.Cost
	}
	if err := s.x.SayHandling(ctx, ops.Said{Cartons: []ops.CartonSaid{c}}, caller(ctx)); err != nil {
		return nil, s.problem(err)
	}
	return s.cartonRead(ctx, in.ID)
}

func (s *service) cartonDelete(ctx context.Context, in *struct {
	ID string `path:"id" maxLength:"40"`
	Versioned
}) (*struct{}, error) {
	ctx, cancel := bounded(ctx)
	defer cancel()
	return nil, s.problem(s.x.RemoveCarton(ctx, in.ID, in.Version, caller(ctx)))
}

func cartonStateOf(c ops.CartonSaid) cartonState {
	out := cartonState{ID: c.ID, Version: c.Version, Actor: c.Actor, At: c.At, Said: cartonSaid{Name: c.Name, Node: c.Node, Inner: c.Inner, Outer: c.Outer,
		Grams: c.Grams, MaxGrams: c.MaxGrams, Padding: c.Padding, Active: c.Active}}
	if c.Cost.Minor > 0 {
		out.Said.Cost = &c.Cost
	}
	return out
}

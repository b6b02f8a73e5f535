package api

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/spillway/spillway/ops"
	"github.com/spillway/spillway/ops/view"
)

// HandoverBag is exported because it is a part of two answers and the describing document sees no other.
type HandoverBag struct {
	ID      string      `json:"id"`
	Shop    string      `json:"shop" doc:"Id of the connection."`
	Node    string      `json:"node"`
	State   string      `json:"state" enum:"open,done,refused,unknown" doc:"open: being made. done: it is; print its sheet. unknown: no answer came, look in the channel's own pages and settle it; its parcels go in no other bag meanwhile."`
	Ref     string      `json:"ref,omitempty" doc:"The channel's id of it."`
	DropOff bool        `json:"drop_off" doc:"Somebody brings it; else it is fetched."`
	Orders  []string    `json:"orders" doc:"That were to be in it."`
	Refused []bagReason `json:"refused" doc:"Orders the channel left out; they can go in the next bag."`
	Why     string      `json:"why,omitempty" doc:"Why it is not made, or not known to be."`
	At      time.Time   `json:"at"`
	By      string      `json:"by"`
}

type bagReason struct {
	Order string `json:"order"`
	Why   string `json:"why"`
}

type bagWaiting struct {
	Shop    string `json:"shop"`
	Parcels int64  `json:"parcels"`
}

type bagList struct {
	Body struct {
		Bags    []HandoverBag `json:"bags" doc:"The latest, the newest first."`
		Waiting []bagWaiting  `json:"waiting" doc:"Parcels of each shop that wait for a van and are in no bag."`
	}
}

type bagAnswer struct{ Body HandoverBag }

type bagMake struct {
	Node string `path:"node" maxLength:"40"`
	Body struct {
		ID      string `json:"id" minLength:"1" maxLength:"40" doc:"Yours; sending it again changes nothing more and tells how it stands."`
		Shop    string `json:"shop" minLength:"1" maxLength:"100" doc:"Id of the connection."`
		DropOff bool   `json:"drop_off,omitempty" doc:"Somebody brings it; else it is fetched."`
	}
}

type bagSettle struct {
	ID   string `path:"id" maxLength:"40"`
	Body struct {
		Made bool `json:"made" doc:"What somebody found in the channel's own pages. What was not made frees its parcels."`
	}
}

func (s *service) bags(a huma.API) {
	huma.Register(a, shippingOp("bags", http.MethodGet, "/nodes/{node}/bags", "The latest bags of a node, and what waits for one"), s.bagList)
	put := shippingOp("makeBag", http.MethodPost, "/nodes/{node}/bags", "Put all of a shop that waits at a node into one bag for the channel's van", http.StatusBadRequest, http.StatusConflict)
	put.Description = "The channel is asked once and waited for, up to a minute. What it answered is the state of the bag."
	huma.Register(a, put, s.bagMake)
	huma.Register(a, shippingOp("settleBag", http.MethodPost, "/bags/{id}/settle", "Say what became of a bag whose answer was lost", http.StatusConflict), s.bagSettle)
	huma.Register(a, shippingOp("bagSheet", http.MethodGet, "/bags/{id}/sheet", "What is stuck on a bag, as the channel made it"), s.bagSheet)
}

func (s *service) bagList(ctx context.Context, in *struct {
	Node string `path:"node" maxLength:"40"`
}) (*bagList, error) {
	ctx, cancel := bounded(ctx)
	defer cancel()
	made, waiting, at, err := s.x.Bags(ctx, in.Node)
	if err != nil {
		return nil, s.problem(err)
	}
	out := &bagList{}
	out.Body.Bags, out.Body.Waiting = make([]HandoverBag, 0, len(made)), []bagWaiting{}
	for i := range made {
		out.Body.Bags = append(out.Body.Bags, bagOf(&made[i], at))
	}
	for _, shop := range slices.Sorted(maps.Keys(waiting)) {
		out.Body.Waiting = append(out.Body.Waiting, bagWaiting{shop, waiting[shop]})
	}
	return out, nil
}

func (s *service) bagMake(ctx context.Context, in *bagMake) (*bagAnswer, error) {
	ctx, cancel := unhurried(ctx)
	defer cancel()
	bag, err := s.x.MakeBag(ctx, view.BagDraft{ID: in.Body.ID, Node: in.Node, ConnectionID: in.Body.Shop, DropOff: in.Body.DropOff, Actor: caller(ctx)})
	if err != nil && bag.Why == "" { // what the channel said is the bag's state
		return nil, s.problem(err)
	}
	return &bagAnswer{bagOf(&bag, bag.At)}, nil
}

func (s *service) bagSettle(ctx context.Context, in *bagSettle) (*bagAnswer, error) {
	ctx, cancel := bounded(ctx)
	defer cancel()
	bag, err := s.x.SettleBag(ctx, in.ID, in.Body.Made, caller(ctx))
	if err != nil {
		return nil, s.problem(err)
	}
	return &bagAnswer{bagOf(&bag, bag.At)}, nil
}

func bagOf(b *ops.Bag, at time.Time) HandoverBag {
	out := HandoverBag{ID: b.ID, Shop: b.ConnectionID, Node: b.Node, State: string(ops.BagFate(b, at)), Ref: b.Ref, DropOff: b.DropOff, Orders: b.Orders, Refused: []bagReason{}, Why: b.Why, At: b.At, By: b.By}
	for _, o := range slices.Sorted(maps.Keys(b.Refused)) {
		out.Refused = append(out.Refused, bagReason{o, b.Refused[o]})
	}
	return out
}

func (s *service) bagSheet(ctx context.Context, in *struct {
	ID string `path:"id" maxLength:"40"`
}) (*tableFile, error) {
	ctx, cancel := unhurried(ctx)
	defer cancel()
	doc, err := s.x.BagDocument(ctx, in.ID)
	if err != nil {
		return nil, s.problem(err)
	}
	return &tableFile{ContentType: doc.Type, Body: doc.Data}, nil
}

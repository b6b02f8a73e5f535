package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
)

type combination struct {
	ID     string     `json:"id"`
	Shop   string     `json:"shop" doc:"Id of the connection."`
	Node   string     `json:"node"`
	Orders []string   `json:"orders"`
	Due    *time.Time `json:"due,omitempty" doc:"When the first of them must be with the carrier."`
	At     time.Time  `json:"at" doc:"Since when the channel lets them ship as one."`
}

type combinationList struct {
	Body struct {
		Combinations []combination `json:"combinations"`
	}
}

type combinationJoined struct {
	Body struct {
		Parcel string `json:"parcel" doc:"The one they share."`
	}
}

type combinationPath struct {
	ID string `path:"id" maxLength:"100" doc:"Of the proposal."`
}

type combining struct {
	Mode string `json:"mode" enum:"off,propose,automatic" doc:"off: orders ship apart. propose: somebody agrees to each. automatic: what may ship as one does."`
}

type combiningAnswer struct{ Body combining }

type labelForm struct {
	Format string `json:"format" enum:"PDF,ZPL" doc:"Whoever makes a label makes it in this form if it can, else in its own."`
}

type labelFormAnswer struct{ Body labelForm }

// shippingOp is an operation of the area of shipping.
func shippingOp(id, method, path, summary string, fails ...int) huma.Operation {
	return huma.Operation{OperationID: id, Method: method, Path: base + path, Summary: summary, Security: security, Tags: []string{"shipping"},
		Errors: append(fails, http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusServiceUnavailable)}
}

func (s *service) shipping(a huma.API) {
	huma.Register(a, shippingOp("combinations", http.MethodGet, "/nodes/{node}/combinations", "Orders of a node that could ship as one, and wait for an answer"), s.combinationList)
	join := shippingOp("combine", http.MethodPost, "/combinations/{id}/join", "Ship the orders of a proposal as one parcel", http.StatusConflict)
	join.Description = "The channel is asked next; if it refuses, they ship apart. Saying it again changes nothing more."
	huma.Register(a, join, s.combine)
	decline := shippingOp("declineCombination", http.MethodPost, "/combinations/{id}/decline", "Ship them apart; they are not proposed again", http.StatusConflict)
	decline.DefaultStatus = http.StatusNoContent
	huma.Register(a, decline, s.decline)
	huma.Register(a, shippingOp("combining", http.MethodGet, "/shops/{shop}/combining", "What is done with what a shop's channel would let ship as one"), s.combining)
	huma.Register(a, shippingOp("setCombining", http.MethodPut, "/shops/{shop}/combining", "Say what is done with it"), s.setCombining)
	huma.Register(a, shippingOp("parcelLabel", http.MethodGet, "/shipments/{shipment}/label", "The label of a parcel, to print"), s.parcelLabel)
	s.boxes(a)
	huma.Register(a, shippingOp("labelForm", http.MethodGet, "/nodes/{node}/label-form", "In which form a node's labels are asked for"), s.labelForm)
	huma.Register(a, shippingOp("setLabelForm", http.MethodPut, "/nodes/{node}/label-form", "Say in which form they are asked for from now on"), s.setLabelForm)
}

func (s *service) combinationList(ctx context.Context, in *struct {
	Node string `path:"node" maxLength:"40"`
}) (*combinationList, error) {
	ctx, cancel := bounded(ctx)
	defer cancel()
	all, err := s.x.Combinations(ctx, in.Node)
	if err != nil {
		return nil, s.problem(err)
	}
	out := &combinationList{}
	out.Body.Combinations = make([]combination, 0, len(all))
	for _, c := range all {
		out.Body.Combinations = append(out.Body.Combinations, combination{ID: c.ID, Shop: c.ConnectionID, Node: c.Node, Orders: c.Orders, Due: moment(c.Due), At: c.At})
	}
	return out, nil
}

func (s *service) combine(ctx context.Context, in *combinationPath) (*combinationJoined, error) {
	ctx, cancel := bounded(ctx)
	defer cancel()
	parcel, err := s.x.Combine(ctx, in.ID, caller(ctx))
	if err != nil {
		return nil, s.problem(err)
	}
	out := &combinationJoined{}
	out.Body.Parcel = parcel
	return out, nil
}

func (s *service) decline(ctx context.Context, in *combinationPath) (*struct{}, error) {
	ctx, cancel := bounded(ctx)
	defer cancel()
	return nil, s.problem(s.x.DeclineCombine(ctx, in.ID, caller(ctx)))
}

func (s *service) combining(ctx context.Context, in *struct {
	Shop string `path:"shop" maxLength:"100"`
}) (*combiningAnswer, error) {
	ctx, cancel := bounded(ctx)
	defer cancel()
	mode, err := s.x.CombineMode(ctx, in.Shop)
	if err != nil {
		return nil, s.problem(err)
	}
	return &combiningAnswer{combining{mode}}, nil
}

func (s *service) setCombining(ctx context.Context, in *struct {
	Shop string `path:"shop" maxLength:"100"`
	Body combining
}) (*combiningAnswer, error) {
	ctx, cancel := bounded(ctx)
	defer cancel()
	if err := s.x.SetCombineMode(ctx, in.Shop, in.Body.Mode); err != nil {
		return nil, s.problem(err)
	}
	return &combiningAnswer{in.Body}, nil
}

func (s *service) labelForm(ctx context.Context, in *struct {
	Node string `path:"node" maxLength:"40"`
}) (*labelFormAnswer, error) {
	ctx, cancel := bounded(ctx)
	defer cancel()
	if _, err := s.x.Node(ctx, in.Node); err != nil { // of a node that is none nothing is said
		return nil, s.problem(err)
	}
	format, err := s.x.LabelFormat(ctx, in.Node)
	if err != nil {
		return nil, s.problem(err)
	}
	return &labelFormAnswer{labelForm{format}}, nil
}

func (s *service) setLabelForm(ctx context.Context, in *struct {
	Node string `path:"node" maxLength:"40"`
	Body labelForm
}) (*labelFormAnswer, error) {
	ctx, cancel := bounded(ctx)
	defer cancel()
	if err := s.x.SetLabelFormat(ctx, in.Node, in.Body.Format); err != nil {
		return nil, s.problem(err)
	}
	return &labelFormAnswer{in.Body}, nil
}

// longCall bounds what asks somebody outside or moves many orders, and is waited for.
const longCall = 90 * time.Second

func unhurried(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, longCall)
}

func (s *service) parcelLabel(ctx context.Context, in *struct {
	Shipment string `path:"shipment" maxLength:"40"`
	Of       string `query:"of" enum:"parcel,dangerous-goods" default:"parcel" doc:"dangerous-goods: what is stuck beside it, where the channel makes the labels."`
}) (*tableFile, error) {
	ctx, cancel := bounded(ctx)
	defer cancel()
	get := s.x.ParcelLabel
	if in.Of != "parcel" {
		get = s.x.HazmatLabel
	}
	doc, err := get(ctx, in.Shipment)
	if err != nil {
		return nil, s.problem(err)
	}
	return &tableFile{ContentType: doc.Type, Body: doc.Data}, nil
}

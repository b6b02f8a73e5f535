package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
)

type availability struct {
	Item               string `json:"item"`
	OnHand             int64  `json:"on_hand" doc:"Units in our places; zero for a bundle, which has none of its own."`
	Reserved           int64  `json:"reserved" doc:"Of them, held for orders."`
	Damaged            int64  `json:"damaged" doc:"Of them, not for sale."`
	AvailableToPromise int64  `json:"available_to_promise" doc:"Units that can be reserved now; of a bundle, whole bundles."`
}

type availabilityAnswer struct{ Body availability }

func (s *service) items(a huma.API) {
	huma.Register(a, huma.Operation{OperationID: "availability", Method: http.MethodGet, Path: base + "/items/{id}/availability",
		Summary: "What there is of an item", Security: security, Tags: []string{"items"},
		Errors: []int{http.StatusNotFound, http.StatusUnauthorized, http.StatusServiceUnavailable}}, s.availability)
}

func (s *service) availability(ctx context.Context, in *struct {
	ID string `path:"id" maxLength:"200"`
}) (*availabilityAnswer, error) {
	ctx, cancel := bounded(ctx)
	defer cancel()
	v, err := s.x.Availability(ctx, in.ID)
	if err != nil {
		return nil, s.problem(err)
	}
	return &availabilityAnswer{Body: availability{Item: v.ItemID, OnHand: v.OnHand, Reserved: v.Reserved, Damaged: v.Damaged, AvailableToPromise: v.ToPromise}}, nil
}

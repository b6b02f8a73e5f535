package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/ops"
)

// reservationLine is one item to hold.
type reservationLine struct {
	Item     string `json:"item" doc:"Your id of the item or bundle." minLength:"1" maxLength:"200"`
	Quantity int64  `json:"quantity" doc:"Units." minimum:"1" maximum:"1000000000"`
}

type newReservation struct {
	ID        string            `json:"id" doc:"Yours, such as the cart's. Sending the same id with the same lines again changes nothing." minLength:"1" maxLength:"200"`
	Lines     []reservationLine `json:"lines" doc:"All of them are held, or none." minItems:"1" maxItems:"500"`
	ExpiresAt time.Time         `json:"expires_at,omitzero" doc:"Until when the units are held; without it until released or shipped." required:"false"`
}

type heldLine struct {
	Item    string `json:"item"`
	Held    int64  `json:"held" doc:"Units held now."`
	Shipped int64  `json:"shipped" doc:"Units that have left."`
}

type reservation struct {
	ID        string     `json:"id"`
	Lines     []heldLine `json:"lines"`
	ExpiresAt time.Time  `json:"expires_at,omitzero"`
}

type reservationAnswer struct{ Body reservation }

type reservationID struct {
	ID string `path:"id" maxLength:"200"`
}

type batchAnswer struct {
	Body struct {
		Results []batchResult `json:"results" doc:"One for each reservation, in the order asked."`
	}
}

type batchResult struct {
	ID     string `json:"id"`
	Status int    `json:"status" doc:"As if it had been asked alone: 200 held, 409 not."`
	Detail string `json:"detail,omitempty" doc:"Why not."`
}

func (s *service) reservations(a huma.API) {
	op := func(id, method, path, summary string, errors ...int) huma.Operation {
		return huma.Operation{OperationID: id, Method: method, Path: base + path, Summary: summary, Security: security, Tags: []string{"reservations"},
			Errors: append(errors, http.StatusUnauthorized, http.StatusServiceUnavailable)}
	}
	huma.Register(a, op("reserve", http.MethodPost, "/reservations", "Hold units, all lines or none", http.StatusConflict), s.reserve)
	batch := op("reserve-many", http.MethodPost, "/reservations/batch", "Many reservations in one call, each all or nothing")
	batch.MaxBodyBytes = 4 << 20
	huma.Register(a, batch, s.reserveMany)
	huma.Register(a, op("reservation", http.MethodGet, "/reservations/{id}", "A reservation as it is", http.StatusNotFound), s.reservation)
	release := op("release", http.MethodDelete, "/reservations/{id}", "Give held units back", http.StatusNotFound)
	release.DefaultStatus = http.StatusNoContent
	huma.Register(a, release, func(ctx context.Context, in *reservationID) (*struct{}, error) { return s.end(ctx, in.ID, false) })
	ship := op("ship", http.MethodPost, "/reservations/{id}/ship", "Book held units as gone", http.StatusNotFound)
	ship.DefaultStatus = http.StatusNoContent
	huma.Register(a, ship, func(ctx context.Context, in *reservationID) (*struct{}, error) { return s.end(ctx, in.ID, true) })
}

func (n newReservation) wish(actor string) ops.Reserve {
	r := ops.Reserve{ID: n.ID, ExpiresAt: n.ExpiresAt, Actor: actor, Lines: make([]ops.ReserveLine, len(n.Lines))}
	for i, l := range n.Lines {
		r.Lines[i] = ops.ReserveLine{ItemID: l.Item, Qty: l.Quantity}
	}
	return r
}

func (s *service) reserve(ctx context.Context, in *struct{ Body newReservation }) (*reservationAnswer, error) {
	ctx, cancel := bounded(ctx)
	defer cancel()
	if err := s.x.Reserve(ctx, in.Body.wish(caller(ctx))); err != nil {
		return nil, s.problem(err)
	}
	out := &reservationAnswer{Body: reservation{ID: in.Body.ID, ExpiresAt: in.Body.ExpiresAt, Lines: make([]heldLine, len(in.Body.Lines))}}
	for i, l := range in.Body.Lines {
		out.Body.Lines[i] = heldLine{Item: l.Item, Held: l.Quantity}
	}
	return out, nil
}

func (s *service) reserveMany(ctx context.Context, in *struct {
	Body struct {
		Reservations []newReservation `json:"reservations" minItems:"1" maxItems:"1000"`
	}
}) (*batchAnswer, error) {
	ctx, cancel := bounded(ctx)
	defer cancel()
	wishes := make([]ops.Reserve, len(in.Body.Reservations))
	for i, r := range in.Body.Reservations {
		wishes[i] = r.wish(caller(ctx))
	}
	out := &batchAnswer{}
	for i, err := range s.x.ReserveAll(ctx, wishes) {
		r := batchResult{ID: wishes[i].ID, Status: http.StatusOK}
		if err != nil {
			r.Status, r.Detail = Status(err), errs.Safe(err)
		}
		out.Body.Results = append(out.Body.Results, r)
	}
	return out, nil
}

func (s *service) reservation(ctx context.Context, in *reservationID) (*reservationAnswer, error) {
	ctx, cancel := bounded(ctx)
	defer cancel()
	r, err := s.x.Reservation(ctx, in.ID)
	if err != nil {
		return nil, s.problem(err)
	}
	out := &reservationAnswer{Body: reservation{ID: r.ID, ExpiresAt: r.ExpiresAt, Lines: make([]heldLine, len(r.Lines))}}
	for i, l := range r.Lines {
		out.Body.Lines[i] = heldLine{Item: l.ItemID, Held: l.Held, Shipped: l.Shipped}
	}
	return out, nil
}

func (s *service) end(ctx context.Context, id string, shipped bool) (*struct{}, error) {
	ctx, cancel := bounded(ctx)
	defer cancel()
	return nil, s.problem(s.x.Release(ctx, id, shipped, caller(ctx)))
}

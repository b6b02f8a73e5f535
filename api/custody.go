package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
)

type custodyHead struct {
	Checkpoint string `json:"checkpoint" doc:"Signed head of the log, in the C2SP checkpoint format: a note of origin, size and root."`
	Key        string `json:"key" doc:"The key it verifies with, as golang.org/x/mod/sumdb/note writes verifier keys."`
}

type custodyEntries struct {
	From    int64    `json:"from"`
	Entries []string `json:"entries" doc:"Leaves in the order of the log. RFC 6962 hashes of them are the hashes of the tree. A page is 1000 of them; an empty one is the end."`
}

type custodyHeadAnswer struct{ Body custodyHead }

type custodyEntriesAnswer struct{ Body custodyEntries }

type custodyFile struct {
	ContentType string `header:"Content-Type"`
	Disposition string `header:"Content-Disposition"`
	Body        []byte
}

func (s *service) custody(a huma.API) {
	fails := []int{http.StatusNotFound, http.StatusUnauthorized, http.StatusForbidden, http.StatusServiceUnavailable}
	get := func(id, path, summary string, errors ...int) huma.Operation {
		return huma.Operation{OperationID: id, Method: http.MethodGet, Path: base + "/custody/" + path, Summary: summary, Security: security, Tags: []string{"custody"},
			Errors: append(errors, fails...)}
	}
	huma.Register(a, get("custodyCheckpoint", "checkpoint", "The signed head of the custody log"), s.custodyHead)
	huma.Register(a, get("custodyProof", "proof", "The proof file of a parcel or an order, for `spillway verify`", http.StatusConflict), s.custodyProof)
	huma.Register(a, get("custodyEntries", "entries", "Entries of the custody log, for who keeps a copy of it"), s.custodyEntries)
	huma.Register(a, get("custodyTile", "tile/8/{level}/{n}", "A tile of the log's tree: up to 256 hashes of 32 bytes"), s.custodyTile)
}

func (s *service) custodyHead(ctx context.Context, _ *struct{}) (*custodyHeadAnswer, error) {
	ctx, cancel := bounded(ctx)
	defer cancel()
	out := &custodyHeadAnswer{}
	var err error
	if out.Body.Checkpoint, out.Body.Key, err = s.x.CustodyHead(ctx); err != nil {
		return nil, s.problem(err)
	}
	return out, nil
}

func (s *service) custodyProof(ctx context.Context, in *struct {
	Parcel string `query:"parcel" maxLength:"300" doc:"Id of the parcel."`
	Order  string `query:"order" maxLength:"300" doc:"Id of the order; not looked at beside a parcel. With neither the file holds the head alone."`
	Since  int64  `query:"since" minimum:"0" doc:"Size of an earlier checkpoint: the file then shows that the log went on from it unchanged."`
}) (*custodyFile, error) {
	ctx, cancel := bounded(ctx)
	defer cancel()
	p, err := s.x.CustodyProof(ctx, in.Order, in.Parcel, in.Since)
	if err != nil {
		return nil, s.problem(err)
	}
	file, err := p.Encode()
	if err != nil {
		return nil, s.problem(err)
	}
	return &custodyFile{ContentType: "application/json", Disposition: `attachment; filename="custody-proof.json"`, Body: file}, nil
}

func (s *service) custodyEntries(ctx context.Context, in *struct {
	From int64 `query:"from" minimum:"0" doc:"Place of the first one, from 0."`
}) (*custodyEntriesAnswer, error) {
	ctx, cancel := bounded(ctx)
	defer cancel()
	leaves, err := s.x.CustodyEntries(ctx, in.From)
	if err != nil {
		return nil, s.problem(err)
	}
	return &custodyEntriesAnswer{Body: custodyEntries{From: in.From, Entries: leaves}}, nil
}

func (s *service) custodyTile(ctx context.Context, in *struct {
	Level int   `path:"level" minimum:"0" maximum:"7"`
	N     int64 `path:"n" minimum:"0"`
}) (*custodyFile, error) {
	ctx, cancel := bounded(ctx)
	defer cancel()
	data, err := s.x.CustodyTile(ctx, in.Level, in.N)
	if err != nil {
		return nil, s.problem(err)
	}
	return &custodyFile{ContentType: "application/octet-stream", Body: data}, nil
}

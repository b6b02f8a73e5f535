package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/spillway/spillway/ops"
	"github.com/spillway/spillway/ops/view"
)

// HandoverManifest is exported because it is a part of several answers and the describing document sees no other.
type HandoverManifest struct {
	ID      string    `json:"id"`
	Account string    `json:"account" doc:"Id of the carrier account."`
	Carrier string    `json:"carrier"`
	Node    string    `json:"node"`
	State   string    `json:"state" enum:"open,done,refused,unknown" doc:"open: being made. done: it is; print its sheet. refused: its parcels can go on another. unknown: no answer came; look in the account's own pages and settle it. Its parcels go on no other."`
	Ref     string    `json:"ref,omitempty" doc:"The broker's id of it."`
	Parcels int64     `json:"parcels" doc:"How many it was asked for."`
	Struck  int64     `json:"struck" doc:"Of them do not ship any more: strike them from the sheet. Carriers may not pay back a label that is on a manifest."`
	Why     string    `json:"why,omitempty" doc:"Why it is not made, or not known to be, or who said what became of it."`
	At      time.Time `json:"at"`
	By      string    `json:"by"`
}

type manifestUnlisted struct {
	Account string `json:"account"`
	Carrier string `json:"carrier"`
	Parcels int64  `json:"parcels"`
}

type manifestList struct {
	Body struct {
		Manifests []HandoverManifest `json:"manifests" doc:"The latest, the newest first."`
		Unlisted  []manifestUnlisted `json:"unlisted" doc:"Parcels labelled today, by the node's day, that wait for a van or are on one, and are on no manifest."`
	}
}

type manifestAnswer struct{ Body HandoverManifest }

type manifestOne struct {
	Body struct {
		Manifest HandoverManifest `json:"manifest"`
		Parcels  []string         `json:"parcels" doc:"Ids of the shipments on it; none where it was refused."`
	}
}

type manifestMake struct {
	Node string `path:"node" maxLength:"40"`
	Body struct {
		ID      string `json:"id" minLength:"1" maxLength:"40" doc:"Yours; sending it again changes nothing more and tells how it stands."`
		Account string `json:"account" minLength:"1" maxLength:"100" doc:"Id of the carrier account."`
		Carrier string `json:"carrier" minLength:"1" maxLength:"100" doc:"Whose labels, as they name it."`
	}
}

type manifestSettle struct {
	ID   string `path:"id" maxLength:"40"`
	Body struct {
		Made bool `json:"made" doc:"What somebody found in the account's own pages. What was not made frees its parcels."`
	}
}

func (s *service) manifests(a huma.API) {
	huma.Register(a, shippingOp("manifests", http.MethodGet, "/nodes/{node}/manifests", "The latest carriers' manifests of a node, and what is on none yet"), s.manifestList)
	put := shippingOp("closeManifest", http.MethodPost, "/nodes/{node}/manifests", "Have a carrier close what was labelled today with an account, up to 1,000 parcels", http.StatusBadRequest, http.StatusConflict)
	put.Description = "The broker is asked once and waited for, up to a minute. What it answered is the state of the manifest."
	huma.Register(a, put, s.manifestMake)
	huma.Register(a, shippingOp("manifest", http.MethodGet, "/manifests/{id}", "A carrier's manifest and the parcels on it"), s.manifestGet)
	huma.Register(a, shippingOp("settleManifest", http.MethodPost, "/manifests/{id}/settle", "Say what became of a manifest whose answer was lost", http.StatusConflict), s.manifestSettle)
	huma.Register(a, shippingOp("manifestSheet", http.MethodGet, "/manifests/{id}/sheet", "The manifest as the carrier made it, for the driver"), s.manifestSheet)
}

func (s *service) manifestList(ctx context.Context, in *struct {
	Node string `path:"node" maxLength:"40"`
}) (*manifestList, error) {
	ctx, cancel := bounded(ctx)
	defer cancel()
	made, free, at, err := s.x.Manifests(ctx, in.Node)
	if err != nil {
		return nil, s.problem(err)
	}
	out := &manifestList{}
	out.Body.Manifests, out.Body.Unlisted = make([]HandoverManifest, 0, len(made)), make([]manifestUnlisted, 0, len(free))
	for i := range made {
		out.Body.Manifests = append(out.Body.Manifests, manifestOf(&made[i], at))
	}
	for _, u := range free {
		out.Body.Unlisted = append(out.Body.Unlisted, manifestUnlisted(u))
	}
	return out, nil
}

func (s *service) manifestMake(ctx context.Context, in *manifestMake) (*manifestAnswer, error) {
	ctx, cancel := unhurried(ctx)
	defer cancel()
	m, err := s.x.CloseManifest(ctx, view.ManifestDraft{ID: in.Body.ID, Node: in.Node, Account: in.Body.Account, Carrier: in.Body.Carrier, Actor: caller(ctx)})
	if err != nil && m.Why == "" { // what the broker said is the manifest's state
		return nil, s.problem(err)
	}
	return &manifestAnswer{manifestOf(&m, m.At)}, nil
}

func (s *service) manifestGet(ctx context.Context, in *struct {
	ID string `path:"id" maxLength:"40"`
}) (*manifestOne, error) {
	ctx, cancel := bounded(ctx)
	defer cancel()
	m, parcels, at, err := s.x.Manifest(ctx, in.ID)
	if err != nil {
		return nil, s.problem(err)
	}
	out := &manifestOne{}
	out.Body.Manifest, out.Body.Parcels = manifestOf(&m, at), append([]string{}, parcels...)
	return out, nil
}

func (s *service) manifestSettle(ctx context.Context, in *manifestSettle) (*manifestAnswer, error) {
	ctx, cancel := bounded(ctx)
	defer cancel()
	m, err := s.x.SettleManifest(ctx, in.ID, in.Body.Made, caller(ctx))
	if err != nil {
		return nil, s.problem(err)
	}
	return &manifestAnswer{manifestOf(&m, m.At)}, nil
}

func manifestOf(m *ops.CarrierManifest, at time.Time) HandoverManifest {
	return HandoverManifest{ID: m.ID, Account: m.Account, Carrier: m.Carrier, Node: m.Node, State: string(ops.ManifestFate(m, at)), Ref: m.Ref, Parcels: m.N, Struck: m.Struck, Why: m.Why, At: m.At, By: m.By}
}

func (s *service) manifestSheet(ctx context.Context, in *struct {
	ID string `path:"id" maxLength:"40"`
}) (*tableFile, error) {
	ctx, cancel := unhurried(ctx)
	defer cancel()
	doc, err := s.x.ManifestDocument(ctx, in.ID)
	if err != nil {
		return nil, s.problem(err)
	}
	return &tableFile{ContentType: doc.Type, Body: doc.Data}, nil
}

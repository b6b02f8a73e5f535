package web

import (
	"context"
	"net/http"
	"net/url"

	"github.com/spillway/spillway/ops/view"
)

// Shared is what orders share: a parcel, or a bag of parcels.
type Shared interface {
	// Combine agrees that the orders of a proposal ship as one, DeclineCombine that they do not.
	Combine(ctx context.Context, id, actor string) (view.Done, error)
	DeclineCombine(ctx context.Context, id, actor string) (view.Done, error)
	// SetCombine says what is done with what a shop's channel would let ship as one: off, propose, automatic.
	SetCombine(ctx context.Context, connection, mode string) (view.Done, error)
	// MakeBag has a channel take parcels over in one bag; SettleBag says what became of one whose answer was lost.
	MakeBag(ctx context.Context, d view.BagDraft) (view.Done, error)
	SettleBag(ctx context.Context, id string, made bool, actor string) (view.Done, error)
	// CloseManifest has a carrier make its own list of what was labelled today; SettleManifest says what became of one whose answer was lost.
	CloseManifest(ctx context.Context, d view.ManifestDraft) (view.Done, error)
	SettleManifest(ctx context.Context, id string, made bool, actor string) (view.Done, error)
	// SetLabelFormat says how a node's labels are asked for: PDF, ZPL.
	SetLabelFormat(ctx context.Context, node, format string) (view.Done, error)
}

func (s *Site) sharedRoutes(m *http.ServeMux) {
	s.private(m, "POST /floor/together", s.together)
	s.private(m, "POST /floor/bags", s.makeBag)
	s.private(m, "POST /floor/bags/{id}", s.settle(s.b.SettleBag))
	s.private(m, "POST /floor/manifests", s.closeManifest)
	s.private(m, "POST /floor/manifests/{id}", s.settle(s.b.SettleManifest))
	s.private(m, "POST /floor/labels", s.setLabelFormat)
	s.private(m, "POST /connections/{id}/combine", s.setCombine)
}

// combineModes are the choices of a shop, with what each comes to.
var combineModes = [][2]string{{"propose", "Propose it on the floor"}, {"automatic", "Combine them at once"}, {"off", "Ship them apart"}}

func (s *Site) together(w http.ResponseWriter, r *http.Request) error {
	_, ctx := s.frame(r.Context())
	f := readForm(ctx, r)
	id, node, act := f.text("id", "Id", true), f.text("node", "Node", true), f.text("act", "What", true)
	if f.err != nil {
		return f.err
	}
	do := s.b.Combine
	if act != "join" {
		do = s.b.DeclineCombine
	}
	done, err := do(ctx, id, s.user(ctx))
	if err != nil {
		return err
	}
	return s.finish(w, r, done, string(floorPath("", node)))
}

func (s *Site) makeBag(w http.ResponseWriter, r *http.Request) error {
	_, ctx := s.frame(r.Context())
	f := readForm(ctx, r)
	d := view.BagDraft{ID: f.text("id", "Id", true), Node: f.text("node", "Node", true), ConnectionID: f.text("connection", "Shop", true), Actor: s.user(ctx), DropOff: f.text("how", "How", true) == "bring"}
	if f.err != nil {
		return f.err
	}
	done, err := s.b.MakeBag(ctx, d)
	if err != nil {
		return err
	}
	return s.finish(w, r, done, string(floorPath("/handover", d.Node)))
}

func (s *Site) closeManifest(w http.ResponseWriter, r *http.Request) error {
	_, ctx := s.frame(r.Context())
	f := readForm(ctx, r)
	d := view.ManifestDraft{ID: f.text("id", "Id", true), Node: f.text("node", "Node", true), Account: f.text("account", "Account", true), Carrier: f.text("carrier", "Carrier", true), Actor: s.user(ctx)}
	if f.err != nil {
		return f.err
	}
	done, err := s.b.CloseManifest(ctx, d)
	if err != nil {
		return err
	}
	return s.finish(w, r, done, string(floorPath("/handover", d.Node)))
}

// settle says what became of a bag or a manifest whose answer was lost.
func (s *Site) settle(do func(ctx context.Context, id string, made bool, actor string) (view.Done, error)) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		_, ctx := s.frame(r.Context())
		f := readForm(ctx, r)
		node, what := f.text("node", "Node", true), f.text("what", "What", true)
		if f.err != nil {
			return f.err
		}
		done, err := do(ctx, r.PathValue("id"), what == "made", s.user(ctx))
		if err != nil {
			return err
		}
		return s.finish(w, r, done, string(floorPath("/handover", node)))
	}
}

func (s *Site) setCombine(w http.ResponseWriter, r *http.Request) error {
	_, ctx := s.frame(r.Context())
	f := readForm(ctx, r)
	mode := f.text("mode", "What", true)
	if f.err != nil {
		return f.err
	}
	done, err := s.b.SetCombine(ctx, r.PathValue("id"), mode)
	if err != nil {
		return err
	}
	return s.finish(w, r, done, "/connections/"+url.PathEscape(r.PathValue("id")))
}

func (s *Site) setLabelFormat(w http.ResponseWriter, r *http.Request) error {
	_, ctx := s.frame(r.Context())
	f := readForm(ctx, r)
	node, format := f.text("node", "Node", true), f.text("format", "Form", true)
	if f.err != nil {
		return f.err
	}
	done, err := s.b.SetLabelFormat(ctx, node, format)
	if err != nil {
		return err
	}
	return s.finish(w, r, done, string(floorPath("/pack", node)))
}

package web

import (
	"context"
	"net/http"
	"net/url"

	"github.com/a-h/templ"

	"github.com/spillway/spillway/ops/view"
)

func (s *Site) byHandRoutes(m *http.ServeMux) {
	s.page(m, "GET /floor/byhand", s.byHand)
	s.page(m, "GET /floor/byhand/{parcel}", s.byHandParcel)
	s.private(m, "POST /floor/byhand/{parcel}", s.enterNumber)
}

// byHand is what a person sends to a provider that has no account here.
func (s *Site) byHand(ctx context.Context, r *http.Request) (page, error) {
	node, err := s.nodeOf(ctx, r)
	if err != nil {
		return page{}, err
	}
	v, err := s.b.ByHand(ctx, node)
	if err != nil {
		return page{}, err
	}
	return floorPage("Send by hand", func(p page) templ.Component { return byHandBody(p, v) }, part{id: "fl-send", held: true, c: byHandSend(v)}, part{id: "fl-sent", held: true, c: byHandSent(v)}), nil
}

// byHandParcel is one of them, with its address and the form for its number.
func (s *Site) byHandParcel(ctx context.Context, r *http.Request) (page, error) {
	v, err := s.b.ByHandParcel(ctx, r.PathValue("parcel"))
	if err != nil {
		return page{}, err
	}
	p := floorPage("Send "+v.Parcel.Number, func(page) templ.Component { return byHandOne(v) })
	p.Fixed = true // its channel is asked for the address once
	return p, nil
}

// enterNumber enters the tracking number that a provider gave.
func (s *Site) enterNumber(w http.ResponseWriter, r *http.Request) error {
	_, ctx := s.frame(r.Context())
	f := readForm(ctx, r)
	node := f.text("node", "Node", true)
	d := view.RenumberDraft{OrderID: f.text("order", "Order", true), Parcel: r.PathValue("parcel"), Carrier: f.text("carrier", "Carrier", false), Number: f.text("number", "Tracking number", true), Actor: s.user(ctx)}
	if f.err != nil {
		return f.err
	}
	done, err := s.b.Renumber(ctx, d)
	if err != nil {
		return err
	}
	return s.finish(w, r, done, string(floorPath("/byhand", node)))
}

func byHandPath(parcel string) templ.SafeURL {
	return templ.SafeURL("/floor/byhand/" + url.PathEscape(parcel))
}

package web

import (
	"context"
	"net/http"
	"net/url"

	"github.com/a-h/templ"

	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/ops/view"
)

// Carriers is what the pages of carrier accounts and of tracking need.
type Carriers interface {
	Carriers(ctx context.Context) (view.Carriers, error)
	AddCarrier(ctx context.Context, d view.CarrierDraft) (view.CarrierAccount, error)
	PreviewCarrierEnd(ctx context.Context, id string) (view.Preview, error)
	RemoveCarrier(ctx context.Context, id, actor string) (view.Done, error)
	// Track is what a buyer sees of a parcel. It fails with errs.NotFound for a token that was not given out.
	Track(ctx context.Context, token string) (view.Track, error)
}

func (s *Site) carrierRoutes(m *http.ServeMux) {
	s.page(m, "GET /carriers", s.carriers)
	s.page(m, "GET /carriers/new/{carrier}", s.newCarrier)
	s.private(m, "POST /carriers", s.addCarrier)
	s.private(m, "POST /carriers/{id}/remove", s.removeCarrier)
	s.public(m, "GET /track/{token}", s.track)
}

func (s *Site) carriers(ctx context.Context, _ *http.Request) (page, error) {
	v, err := s.b.Carriers(ctx)
	if err != nil {
		return page{}, err
	}
	return page{
		Title: "Carriers", Nav: "/nodes", Topics: []string{view.TopicMeasurement},
		Parts: []part{{id: "ca-rows", held: true, c: carrierRows(v)}},
		body:  func(p page) templ.Component { return carriersPage(p, v) },
	}, nil
}

func carrierKind(v view.Carriers, name string) (view.CarrierKind, error) {
	for _, k := range v.Kinds {
		if k.Name == name {
			return k, nil
		}
	}
	return view.CarrierKind{}, errs.New(errs.NotFound, "web.carrier", name, "No carrier is called %s.", name)
}

// newCarrier is the form for an account, made from what the carrier asks for.
func (s *Site) newCarrier(ctx context.Context, r *http.Request) (page, error) {
	v, err := s.b.Carriers(ctx)
	if err != nil {
		return page{}, err
	}
	k, err := carrierKind(v, r.PathValue("carrier"))
	if err != nil {
		return page{}, err
	}
	return page{Title: "Add a " + k.Title + " account", Nav: "/nodes", Fixed: true, body: func(page) templ.Component { return newCarrierPage(k) }}, nil
}

// addCarrier keeps an account. There is nothing to preview: nothing ships with it before a node or a lane names it.
func (s *Site) addCarrier(w http.ResponseWriter, r *http.Request) error {
	_, ctx := s.frame(r.Context())
	f := readForm(ctx, r)
	d := view.CarrierDraft{Carrier: f.text("carrier", "Carrier", true), Name: f.text("name", "Name", true), Settings: map[string]string{}, Actor: s.user(ctx)}
	if f.err != nil {
		return f.err
	}
	v, err := s.b.Carriers(ctx)
	if err != nil {
		return err
	}
	k, err := carrierKind(v, d.Carrier)
	if err != nil {
		return err
	}
	for _, x := range k.Settings {
		if val := f.text(settingField+x.Name, x.Name, x.Required && x.Default == ""); val != "" {
			d.Settings[x.Name] = val
		}
	}
	if f.err != nil {
		return f.err
	}
	a, err := s.b.AddCarrier(ctx, d)
	if err != nil {
		return err
	}
	done := view.Done{Sentence: "The account " + a.Name + " is kept. Choose it on the page of the node, or of one of its carriers."}
	return s.finish(w, r, done, "/carriers#"+domID("account", a.ID))
}

func (s *Site) removeCarrier(w http.ResponseWriter, r *http.Request) error {
	_, ctx := s.frame(r.Context())
	f, id := readForm(ctx, r), r.PathValue("id")
	return s.twoSteps(ctx, w, r, f, deed{
		offer:   offer{title: "Remove an account", verb: "Remove it", back: "/carriers", action: "/carriers/" + url.PathEscape(id) + "/remove"},
		preview: func(ctx context.Context) (view.Preview, error) { return s.b.PreviewCarrierEnd(ctx, id) },
		do:      func(ctx context.Context) (view.Done, error) { return s.b.RemoveCarrier(ctx, id, s.user(ctx)) },
	})
}

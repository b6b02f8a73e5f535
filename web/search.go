package web

import (
	"context"
	"net/http"

	"github.com/a-h/templ"

	"github.com/spillway/spillway/ops/view"
)

// search looks everywhere for what was typed.
func (s *Site) search(ctx context.Context, r *http.Request) (page, error) {
	v := view.Found{Query: searched(r)}
	if v.Query != "" {
		var err error
		if v, err = s.b.Search(ctx, v.Query); err != nil {
			return page{}, err
		}
	}
	return page{Title: "Search", Fixed: true, body: func(page) templ.Component { return searchPage(v) }}, nil
}

// explain opens a figure: a panel for htmx, a page of its own otherwise.
func (s *Site) explain(w http.ResponseWriter, r *http.Request) error {
	_, ctx := s.frame(r.Context())
	v, err := s.b.Explain(ctx, r.PathValue("figure"))
	if err != nil {
		return err
	}
	if isFragment(r) {
		return s.write(ctx, w, http.StatusOK, explainPanel(v))
	}
	p := page{Title: v.Title, Fixed: true, body: func(page) templ.Component { return explainPage(v) }}
	return s.show(w, r.WithContext(ctx), http.StatusOK, p)
}

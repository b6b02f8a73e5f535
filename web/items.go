package web

import (
	"context"
	"net/http"
	"strings"

	"github.com/a-h/templ"

	"github.com/spillway/spillway/ops/view"
)

// maxQuery bounds what is searched for.
const maxQuery = 100

// searched reads a search text from an address, cut to what the backend is asked.
func searched(r *http.Request) string {
	q := strings.TrimSpace(r.URL.Query().Get("q"))
	if len(q) > maxQuery {
		q = strings.ToValidUTF8(q[:maxQuery], "")
	}
	return q
}

// items lists items, a page at a time.
func (s *Site) items(ctx context.Context, r *http.Request) (page, error) {
	v, err := s.b.Items(ctx, searched(r), r.URL.Query().Get("after"))
	if err != nil {
		return page{}, err
	}
	return page{
		Title:  "Items",
		Nav:    "/items",
		Topics: []string{view.TopicItem},
		Parts:  []part{{id: "it-rows", held: true, c: itemRows(v)}},
		body:   func(p page) templ.Component { return itemsPage(p, v.Query) },
	}, nil
}

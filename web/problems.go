package web

import (
	"context"
	"net/http"
	"net/url"

	"github.com/a-h/templ"

	"github.com/spillway/spillway/ops/view"
)

// problems shows what waits for a person: parked messages, and whatever else is wrong.
func (s *Site) problems(ctx context.Context, _ *http.Request) (page, error) {
	v, err := s.b.Problems(ctx)
	if err != nil {
		return page{}, err
	}
	return page{
		Title:  "Problems",
		Nav:    "/problems",
		Topics: []string{view.TopicProblems, view.TopicConnection},
		Parts:  []part{{id: "pr-rows", held: true, c: problemRows(v)}},
		body:   func(p page) templ.Component { return problemsPage(p) },
	}, nil
}

// maxRetry bounds how many messages one form may name.
const maxRetry = 200

// retryParked puts messages back into the inbox. Nothing needs a preview: a message that fails again is parked again.
func (s *Site) retryParked(w http.ResponseWriter, r *http.Request) error {
	f := readForm(r.Context(), r)
	ids := f.r.PostForm["id"]
	if len(ids) > maxRetry {
		f.bad("id", "Retry at most %d messages by name, or all of them.", maxRetry)
	}
	if f.err != nil {
		return f.err
	}
	done, err := s.b.RetryParked(r.Context(), ids, s.user(r.Context()))
	if err != nil {
		return err
	}
	return s.finish(w, r, done, "/problems")
}

// undo takes back the last action, if it can be.
func (s *Site) undo(w http.ResponseWriter, r *http.Request) error {
	f := readForm(r.Context(), r)
	what := f.secret("undo", "What to undo")
	if f.err != nil {
		return f.err
	}
	done, err := s.b.Undo(r.Context(), what, s.user(r.Context()))
	if err != nil {
		return err
	}
	return s.finish(w, r, done, cameFrom(r))
}

// cameFrom is the page of ours a form was sent from.
func cameFrom(r *http.Request) string {
	u, err := url.Parse(r.Referer())
	if err != nil || u.Host != r.Host {
		return "/"
	}
	return localPath(u.RequestURI())
}

package web

import (
	"errors"
	"net/http"

	"github.com/a-h/templ"

	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/ops/view"
)

// trouble is how a kind of error looks: status, headline and what to do next.
type trouble struct {
	status int
	title  string
	next   string
}

var troubles = map[errs.Kind]trouble{
	errs.Invalid:         {http.StatusUnprocessableEntity, "That cannot be right", "Go back, change it and try again."},
	errs.NotFound:        {http.StatusNotFound, "There is nothing here", "It may have been renamed, or the link is old. Search for it above."},
	errs.Conflict:        {http.StatusConflict, "It has changed meanwhile", "Look at it again before you decide."},
	errs.Insufficient:    {http.StatusConflict, "There is not enough stock", "Receive or count first, or take less."},
	errs.Busy:            {http.StatusTooManyRequests, "Too much at once", "Wait a moment and try again."},
	errs.Unauthenticated: {http.StatusUnauthorized, "You are signed out", "Sign in and do it again."},
	errs.Forbidden:       {http.StatusForbidden, "You may not do this", "Ask somebody who runs this installation."},
	errs.Unavailable:     {http.StatusServiceUnavailable, "It cannot be reached right now", "Nothing was changed. Try again in a moment."},
	errs.Internal:        {http.StatusInternalServerError, "Something failed here", "Nothing half-done was kept. The log has the details."},
}

// fail is the one place where an error becomes an answer.
func (s *Site) fail(w http.ResponseWriter, r *http.Request, err error) {
	kind := errs.KindOf(err)
	if e, ok := errors.AsType[*http.MaxBytesError](err); ok {
		err = errs.New(errs.Invalid, "web", "", "The form is larger than %s.", bytesText(e.Limit))
		kind = errs.Invalid
	}
	t := troubles[kind]
	if r.Context().Err() != nil {
		return // the visitor left; there is nobody to tell
	}
	if kind == errs.Internal {
		s.o.Log.ErrorContext(r.Context(), "page failed", "method", r.Method, "path", r.URL.Path, "error", err)
	}
	if kind == errs.Unauthenticated && isFragment(r) {
		w.Header().Set("HX-Redirect", "/login")
	}
	if kind == errs.Busy || kind == errs.Unavailable {
		w.Header().Set("Retry-After", "2")
	}
	if werr := s.writeTrouble(w, r, t, errs.Safe(err)); werr != nil {
		s.o.Log.ErrorContext(r.Context(), "error page failed", "error", werr)
		http.Error(w, t.title, t.status)
	}
}

func (s *Site) writeTrouble(w http.ResponseWriter, r *http.Request, t trouble, text string) error {
	if isFragment(r) {
		return s.write(r.Context(), w, t.status, refusal(view.Preview{Refused: text}))
	}
	if s.user(r.Context()) == "" {
		return s.write(r.Context(), w, t.status, gate(s.assets, t.title, troubleText(t, text)))
	}
	p := page{Title: t.title, Fixed: true, body: func(page) templ.Component { return troublePage(t, text) }}
	return s.show(w, r, t.status, p)
}

// unknown answers every address there is no page for.
func (s *Site) unknown(_ http.ResponseWriter, r *http.Request) error {
	return errs.New(errs.NotFound, "web", "", "No page has the address %s.", r.URL.Path)
}

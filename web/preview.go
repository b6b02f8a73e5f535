package web

import (
	"net/http"

	"github.com/a-h/templ"

	"github.com/spillway/spillway/ops/view"
)

// field is one hidden value a preview carries to its confirmation, so that what is done is what was shown.
type field struct{ name, value string }

// carried takes the named fields of a form over into its confirmation.
func (f *form) carried(names ...string) []field {
	out := make([]field, 0, len(names))
	for _, n := range names {
		out = append(out, field{n, f.r.PostForm.Get(n)})
	}
	return out
}

// offer is a previewed action: its effect, and the form that does it.
type offer struct {
	title  string
	back   templ.SafeURL
	action string // address that does it
	verb   string // on the button: "Receive 120 units"
	fields []field
}

// preview answers with the effect of an action: a fragment for htmx, a page of its own for a browser without script.
func (s *Site) preview(w http.ResponseWriter, r *http.Request, v view.Preview, o offer) error {
	status, inside := http.StatusOK, previewBox(v, o.action, o.verb, o.fields)
	if v.Refused != "" {
		status, inside = http.StatusUnprocessableEntity, refusal(v)
	}
	_, ctx := s.frame(r.Context())
	if isFragment(r) {
		return s.write(ctx, w, status, inside)
	}
	p := page{Title: o.title, Fixed: true, body: func(page) templ.Component { return previewPage(o.back, o.title, inside) }}
	return s.show(w, r.WithContext(ctx), status, p)
}

// levelOf is the level of a check.
func levelOf(ok bool) view.Level {
	if ok {
		return view.Good
	}
	return view.Bad
}

func holds(ok bool) string {
	if ok {
		return "holds"
	}
	return "does not hold"
}

package web

import (
	"context"
	"net/http"
	"net/url"

	"github.com/a-h/templ"

	"github.com/spillway/spillway/ops/view"
)

// alertRule shows how one kind of alert is treated, to be changed.
func (s *Site) alertRule(ctx context.Context, r *http.Request) (page, error) {
	v, err := s.b.AlertRule(ctx, r.PathValue("id"))
	if err != nil {
		return page{}, err
	}
	return page{Title: v.Rule.Name, Nav: "/incidents", Fixed: true, body: func(page) templ.Component { return alertRulePage(v) }}, nil
}

// ruleNames are the fields of the form; reset says the others say nothing.
var ruleNames = []string{"reset", "on", "warn", "critical", "level", "role", "after", "clear", "quiet"}

func (s *Site) setAlertRule(w http.ResponseWriter, r *http.Request) error {
	_, ctx := s.frame(r.Context())
	f, kind := readForm(ctx, r), r.PathValue("id")
	d := view.AlertRuleDraft{ID: kind, Reset: f.on("reset"), Actor: s.user(ctx), On: f.on("on"), Warn: f.text("warn", "Warning", false), Critical: f.text("critical", "Critical", false),
		Level: f.text("level", "As", false), Role: f.text("role", "Role", false), After: f.text("after", "Must last", false), Clear: f.text("clear", "Over after", false),
		Quiet: f.text("quiet", "In quiet hours", false)}
	verb := "Set the rule"
	if d.Reset {
		verb = "Back to default"
	}
	return s.twoSteps(ctx, w, r, f, deed{
		offer:   offer{title: "A rule of alerts", verb: verb, back: "/alerts", action: "/alerts/rules/" + url.PathEscape(kind), fields: f.carried(ruleNames...)},
		preview: func(ctx context.Context) (view.Preview, error) { return s.b.PreviewRule(ctx, d) },
		do:      func(ctx context.Context) (view.Done, error) { return s.b.SetRule(ctx, d) },
	})
}

// ruleAddress is where a kind's rule is changed.
func ruleAddress(id string) templ.SafeURL {
	return templ.SafeURL("/alerts/rules/" + url.PathEscape(id))
}

// orNever says what an empty number means.
func orNever(v, unit string) string {
	if v == "" {
		return "never"
	}
	return v + " " + unit
}

// labelOf is how an option is called.
func labelOf(options []view.Option, id string) string {
	for _, o := range options {
		if o.ID == id {
			return o.Label
		}
	}
	return id
}

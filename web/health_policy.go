package web

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/a-h/templ"

	"github.com/spillway/spillway/kit/id"
	"github.com/spillway/spillway/ops/view"
)

// policy shows a market's rules on a day, what changes when, and what differs between two days.
func (s *Site) policy(ctx context.Context, r *http.Request) (page, error) {
	q := r.URL.Query()
	f := view.PolicyFilter{Market: q.Get("market")}
	for _, d := range []struct {
		to          *view.Day
		name, label string
	}{{&f.On, "on", "The day"}, {&f.From, "from", "The first day"}, {&f.To, "to", "The second day"}} {
		day, err := dayOf(q.Get(d.name), d.label)
		if err != nil {
			return page{}, err
		}
		*d.to = day
	}
	v, err := s.b.Policy(ctx, f)
	if err != nil {
		return page{}, err
	}
	draft := overrideForm{draft: id.New(), closure: id.New(), rule: q.Get("rule")}
	return page{
		Title: "Rules", Nav: "/health", Fixed: v.Past, Topics: []string{view.TopicPolicy, view.TopicHealth},
		Parts: []part{
			{id: "po-rules", c: policyRules(v)},
			{id: "po-switches", c: policySwitches(v)},
			{id: "po-diff", c: policyDiff(v)},
			{id: "po-overrides", held: true, c: policyOverrides(v)},
		},
		body: func(p page) templ.Component { return policyPage(p, v, draft) },
	}, nil
}

// overrideForm is what the form for a rule of one's own begins with.
type overrideForm struct{ draft, closure, rule string }

// setOverride puts a rule of the operator in place of the channel's.
func (s *Site) setOverride(w http.ResponseWriter, r *http.Request) error {
	_, ctx := s.frame(r.Context())
	f := readForm(ctx, r)
	d := view.OverrideDraft{
		ID: f.text("id", "Form", true), Market: f.text("market", "Market", true), RuleID: f.text("rule", "Rule", true), Value: f.text("value", "The value", true),
		From: f.day("from", "From", true), Until: f.day("until", "Until", false), Reason: f.text("reason", "The reason", true), Actor: s.user(ctx),
	}
	if f.err == nil && d.Until != "" && d.Until <= d.From {
		f.bad("until", "The end must be after the beginning.")
	}
	if f.err != nil {
		return f.err
	}
	back := query("/policy", "market", d.Market)
	if f.confirmed() {
		done, err := s.b.SetOverride(ctx, d)
		if err != nil {
			return err
		}
		return s.finish(w, r, done, string(back)+"#own-h")
	}
	v, err := s.b.PreviewOverride(ctx, d)
	if err != nil {
		return err
	}
	title, verb := "A rule of your own", "Set "+d.Value
	if d.RuleID == "closure" {
		title, verb = "No business days", "Enter these days"
	}
	return s.preview(w, r, v, offer{
		title: title, verb: verb, back: back, action: "/policy/overrides",
		fields: f.carried("id", "market", "rule", "value", "from", "until", "reason"),
	})
}

// endOverride gives the channel's own rule its place back.
func (s *Site) endOverride(w http.ResponseWriter, r *http.Request) error {
	_, ctx := s.frame(r.Context())
	f, override := readForm(ctx, r), r.PathValue("id")
	if f.err != nil {
		return f.err
	}
	if f.confirmed() {
		done, err := s.b.EndOverride(ctx, override, s.user(ctx))
		if err != nil {
			return err
		}
		return s.finish(w, r, done, "/policy#own-h")
	}
	v, err := s.b.PreviewOverrideEnd(ctx, override)
	if err != nil {
		return err
	}
	return s.preview(w, r, v, offer{title: "End this rule", verb: "End it", back: "/policy", action: "/policy/overrides/" + url.PathEscape(override) + "/end"})
}

// switchState says whether a switch lies behind us.
func switchState(now time.Time, w view.Switch) string {
	if view.Day(now.Format(time.DateOnly)) < w.Day {
		return "next"
	}
	return ""
}

func judgedText(j view.Judged) string {
	if judged(j.State) {
		return rateText(j.Num, j.Den, nil)
	}
	return stateWord(j.State)
}

func switchSource(w view.Switch) string {
	if w.Note == "" {
		return w.Source
	}
	return w.Source + ". " + w.Note
}

package web

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/a-h/templ"

	"github.com/spillway/spillway/kit/id"
	"github.com/spillway/spillway/ops/view"
)

// alerts shows who is told what, and when not.
func (s *Site) alerts(ctx context.Context, _ *http.Request) (page, error) {
	v, err := s.b.Alerts(ctx)
	if err != nil {
		return page{}, err
	}
	drafts := alertForms{target: id.New(), silence: id.New()}
	return page{
		Title: "Alerts", Nav: "/incidents", Topics: []string{view.TopicAlerts, view.TopicIncident},
		Parts: []part{{id: "al-targets", held: true, c: alertTargets(v)}, {id: "al-silences", held: true, c: alertSilences(v)}, {id: "al-rules", held: true, c: alertRules(v)}},
		body:  func(p page) templ.Component { return alertsPage(p, v, drafts) },
	}, nil
}

// alertForms are the ids the forms of the page begin with.
type alertForms struct{ target, silence string }

var levels = map[string]view.Level{"watch": view.Watch, "bad": view.Bad}

// level reads which matters at least; empty is everything.
func (f *form) level(name string) view.Level { return levels[f.r.PostForm.Get(name)] }

func (f *form) on(name string) bool { return f.r.PostForm.Get(name) == "1" }

// addTarget keeps where alerts go. There is nothing to preview: nobody is told anything by it.
func (s *Site) addTarget(w http.ResponseWriter, r *http.Request) error {
	f := readForm(r.Context(), r)
	d := view.TargetDraft{
		ID: f.text("id", "Form", true), Name: f.text("name", "Name", true), Kind: f.text("kind", "Kind", true), Address: f.secret("address", "Address"),
		Role: f.text("role", "Role", true), From: f.level("from"), Actor: s.user(r.Context()),
	}
	if f.err != nil {
		return f.err
	}
	done, err := s.b.AddTarget(r.Context(), d)
	if err != nil {
		return err
	}
	return s.finish(w, r, done, "/alerts")
}

// testTarget sends a message marked as a test.
func (s *Site) testTarget(w http.ResponseWriter, r *http.Request) error {
	done, err := s.b.TestTarget(r.Context(), r.PathValue("id"), s.user(r.Context()))
	if err != nil {
		return err
	}
	return s.finish(w, r, done, "/alerts")
}

// deed is an action in two steps: its effect, then the deed itself.
type deed struct {
	offer
	preview func(context.Context) (view.Preview, error)
	do      func(context.Context) (view.Done, error)
}

// twoSteps previews or does d, by what the form says.
func (s *Site) twoSteps(ctx context.Context, w http.ResponseWriter, r *http.Request, f *form, d deed) error {
	if f.err != nil {
		return f.err
	}
	if f.confirmed() {
		done, err := d.do(ctx)
		if err != nil {
			return err
		}
		return s.finish(w, r, done, string(d.back))
	}
	v, err := d.preview(ctx)
	if err != nil {
		return err
	}
	return s.preview(w, r, v, d.offer)
}

func (s *Site) removeTarget(w http.ResponseWriter, r *http.Request) error {
	_, ctx := s.frame(r.Context())
	f, target := readForm(ctx, r), r.PathValue("id")
	return s.twoSteps(ctx, w, r, f, deed{
		offer:   offer{title: "Remove a target", verb: "Remove it", back: "/alerts", action: "/alerts/targets/" + url.PathEscape(target) + "/remove"},
		preview: func(ctx context.Context) (view.Preview, error) { return s.b.PreviewTargetEnd(ctx, target) },
		do: func(ctx context.Context) (view.Done, error) {
			return s.b.RemoveTarget(ctx, target, s.user(ctx))
		},
	})
}

func (s *Site) setQuiet(w http.ResponseWriter, r *http.Request) error {
	_, ctx := s.frame(r.Context())
	f := readForm(ctx, r)
	d := view.QuietDraft{Actor: s.user(ctx), QuietHours: view.QuietHours{
		On: f.on("on"), From: f.hour("from", "From"), Until: f.hour("until", "Until"), Zone: f.text("zone", "Zone", true), Weekend: f.on("weekend"), Through: f.level("through"),
	}}
	return s.twoSteps(ctx, w, r, f, deed{
		offer:   offer{title: "Quiet hours", verb: "Set quiet hours", back: "/alerts", action: "/alerts/quiet", fields: f.carried("on", "from", "until", "zone", "weekend", "through")},
		preview: func(ctx context.Context) (view.Preview, error) { return s.b.PreviewQuiet(ctx, d) },
		do:      func(ctx context.Context) (view.Done, error) { return s.b.SetQuiet(ctx, d) },
	})
}

// hour reads an <input type="time">.
func (f *form) hour(name, label string) string {
	v := f.text(name, label, true)
	if _, err := time.Parse("15:04", v); err != nil {
		f.bad(label, "%s must be a time such as 22:00.", label)
	}
	return v
}

// Bounds of the escalation form.
const (
	maxSteps   = 5        // roles told one after the other; a longer chain than this wakes nobody in time
	maxMinutes = 7 * 1440 // a week
)

func (s *Site) setEscalation(w http.ResponseWriter, r *http.Request) error {
	_, ctx := s.frame(r.Context())
	f := readForm(ctx, r)
	d, names := view.EscalationDraft{Actor: s.user(ctx)}, []string{}
	for i := range maxSteps {
		n := strconv.Itoa(i)
		names = append(names, "role"+n, "after"+n)
		if role := f.text("role"+n, "Role", false); role != "" {
			d.Steps = append(d.Steps, view.EscalationStep{Role: role, After: time.Duration(f.whole("after"+n, "Minutes", 0, maxMinutes, true)) * time.Minute})
		}
	}
	return s.twoSteps(ctx, w, r, f, deed{
		offer:   offer{title: "Escalation", verb: "Set the escalation", back: "/alerts", action: "/alerts/escalation", fields: f.carried(names...)},
		preview: func(ctx context.Context) (view.Preview, error) { return s.b.PreviewEscalation(ctx, d) },
		do:      func(ctx context.Context) (view.Done, error) { return s.b.SetEscalation(ctx, d) },
	})
}

func (s *Site) addSilence(w http.ResponseWriter, r *http.Request) error {
	_, ctx := s.frame(r.Context())
	f := readForm(ctx, r)
	d := view.SilenceDraft{
		ID: f.text("id", "Form", true), Match: f.text("match", "What", true), From: f.moment("from", "From"), Until: f.moment("until", "Until"),
		Reason: f.text("reason", "The reason", true), Actor: s.user(ctx),
	}
	if f.err == nil && !d.Until.After(d.From) {
		f.bad("until", "The end must be after the beginning.")
	}
	return s.twoSteps(ctx, w, r, f, deed{
		offer:   offer{title: "Silence", verb: "Keep it silent", back: "/alerts", action: "/alerts/silences", fields: f.carried("id", "match", "from", "until", "reason")},
		preview: func(ctx context.Context) (view.Preview, error) { return s.b.PreviewSilence(ctx, d) },
		do:      func(ctx context.Context) (view.Done, error) { return s.b.AddSilence(ctx, d) },
	})
}

// endSilence needs no preview: it only makes heard what is wrong.
func (s *Site) endSilence(w http.ResponseWriter, r *http.Request) error {
	done, err := s.b.EndSilence(r.Context(), r.PathValue("id"), s.user(r.Context()))
	if err != nil {
		return err
	}
	return s.finish(w, r, done, "/alerts")
}

func (s *Site) setDigest(w http.ResponseWriter, r *http.Request) error {
	_, ctx := s.frame(r.Context())
	f := readForm(ctx, r)
	d := view.DigestDraft{On: f.on("on"), Day: f.text("day", "Day", true), Hour: int(f.whole("hour", "Hour", 0, 23, true)), Role: f.text("role", "Role", true), Actor: s.user(ctx)}
	return s.twoSteps(ctx, w, r, f, deed{
		offer:   offer{title: "Weekly digest", verb: "Set the digest", back: "/alerts", action: "/alerts/digest", fields: f.carried("on", "day", "hour", "role")},
		preview: func(ctx context.Context) (view.Preview, error) { return s.b.PreviewDigest(ctx, d) },
		do:      func(ctx context.Context) (view.Done, error) { return s.b.SetDigest(ctx, d) },
	})
}

var weekdays = []string{"Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"}

// fromLevel says what a target is told, at least.
func fromLevel(l view.Level) string {
	switch l {
	case view.Bad:
		return "only what is wrong now"
	case view.Watch:
		return "what will become wrong, and worse"
	}
	return "everything"
}

// escalationRows are the steps there are, and an empty one to add.
func escalationRows(steps []view.EscalationStep) []view.EscalationStep {
	rows := append([]view.EscalationStep{}, steps...)
	if len(rows) < maxSteps {
		rows = append(rows, view.EscalationStep{})
	}
	return rows
}

// kindName is how a kind of target is called.
func kindName(v view.Alerts, kind string) string {
	for _, k := range v.Kinds {
		if k.ID == kind {
			return k.Name
		}
	}
	return kind
}

// roleName is how a role is called.
func roleName(v view.Alerts, role string) string {
	for _, r := range v.Roles {
		if r.ID == role {
			return r.Label
		}
	}
	return role
}

package web

import (
	"context"
	"net/http"
	"net/url"

	"github.com/a-h/templ"

	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/ops/view"
)

// newApp is the form for an operator's registration with a vendor, made from what the vendor's connector asks for.
func (s *Site) newApp(ctx context.Context, r *http.Request) (page, error) {
	v, err := s.b.Connections(ctx)
	if err != nil {
		return page{}, err
	}
	vendor, err := vendorOf(v, r.PathValue("vendor"))
	if err != nil {
		return page{}, err
	}
	title := "Add a " + vendor.Title + " app"
	return page{Title: title, Nav: "/connections", Fixed: true, body: func(page) templ.Component { return newAppPage(vendor, title) }}, nil
}

// settingField names a vendor's setting in the form, apart from our own fields.
const settingField = "setting:"

// addApp keeps an app. There is nothing to preview: no shop and no listing changes by it.
func (s *Site) addApp(w http.ResponseWriter, r *http.Request) error {
	_, ctx := s.frame(r.Context())
	f := readForm(ctx, r)
	d := view.AppDraft{
		Vendor: f.text("vendor", "Vendor", true), Key: f.text("key", "App key", true), Secret: f.secret("secret", "App secret"),
		Settings: map[string]string{}, Actor: s.user(ctx),
	}
	if f.err != nil {
		return f.err
	}
	v, err := s.b.Connections(ctx)
	if err != nil {
		return err
	}
	vendor, err := vendorOf(v, d.Vendor)
	if err != nil {
		return err
	}
	for _, x := range vendor.AppSettings {
		if val := f.text(settingField+x.Name, x.Name, x.Required && x.Default == ""); val != "" {
			d.Settings[x.Name] = val
		}
	}
	if f.err != nil {
		return f.err
	}
	app, err := s.b.AddApp(ctx, d)
	if err != nil {
		return err
	}
	done := view.Done{Sentence: "The app " + app.Title + " is kept. Connect a shop with it now."}
	return s.finish(w, r, done, "/connections#"+domID("app", app.ID))
}

// connectStart leads to the vendor's consent page. It shows where the way goes before it is taken; the policy on forms would
// stop a redirect to another host anyway.
func (s *Site) connectStart(w http.ResponseWriter, r *http.Request) error {
	id := r.PathValue("id")
	to, err := s.b.ConnectStart(r.Context(), id, s.redirectURL(r, id), s.user(r.Context()))
	if err != nil {
		return err
	}
	u, err := url.Parse(to)
	if err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http") {
		return errs.New(errs.Internal, "web.connectStart", id, "The vendor's consent address cannot be used.")
	}
	p := page{Title: "Connect a shop", Nav: "/connections", Fixed: true, body: func(page) templ.Component { return consentPage(u) }}
	return s.show(w, r, http.StatusOK, p)
}

// redirectURL is where the vendor sends the seller back to.
func (s *Site) redirectURL(r *http.Request, app string) string {
	base := s.o.PublicURL
	if base == "" {
		scheme := "http"
		if r.TLS != nil || s.o.SecureCookies {
			scheme = "https"
		}
		base = scheme + "://" + r.Host
	}
	return base + "/apps/" + url.PathEscape(app) + "/callback"
}

// connectFinish takes the vendor's answer. The backend checks its state parameter, which is what makes this GET safe to act on.
func (s *Site) connectFinish(w http.ResponseWriter, r *http.Request) error {
	done, err := s.b.ConnectFinish(r.Context(), r.PathValue("id"), r.URL.Query(), s.user(r.Context()))
	if err != nil {
		return err
	}
	return s.finish(w, r, done, "/connections")
}

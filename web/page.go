package web

import (
	"bytes"
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/a-h/templ"

	"github.com/spillway/spillway/ops/view"
)

// page is one view of the control room. Its parts can be drawn again and sent alone; the body places them among what is
// drawn once, such as forms, so that nobody's typing is disturbed.
type page struct {
	Title  string
	Nav    string // key of the rail entry that is current
	Parts  []part
	Topics []string // notices that make the parts stale: "item" for all items, "item:ID" for one
	Fixed  bool     // shows a moment of the past: nothing to stream
	body   func(page) templ.Component
}

// part is a live piece of a page.
type part struct {
	id   string
	held bool // keeps still while the pointer is on it, so that rows do not move away under a click
	c    templ.Component
}

// loader makes a page from the path and query of r and from the backend. It must not depend on who asks: pages are drawn once
// for everybody who looks at the same address.
type loader func(ctx context.Context, r *http.Request) (page, error)

// at draws the part called id in its place.
func (p page) at(id string) templ.Component {
	for _, x := range p.Parts {
		if x.id == id {
			return partBox(x)
		}
	}
	return templ.NopComponent
}

// chrome is what the layout draws around a page.
type chrome struct {
	page
	Frame   view.Frame
	User    string
	Toast   toast
	LiveURL string // address of the stream for this page; empty when Fixed
	Demo    bool   // the visitor was signed in automatically
	Version string
	assets  *assets
}

// zoneOf returns the zone business times are shown in. A zone this machine does not know becomes UTC.
func zoneOf(f view.Frame) *time.Location {
	if len(f.Zones) == 0 {
		return time.UTC
	}
	loc, err := time.LoadLocation(f.Zones[0].Location)
	if err != nil {
		return time.UTC
	}
	return loc
}

// frame loads the frame once a request and puts its clock into ctx. A frame that cannot be had must not hide the page, nor the
// reason why the page failed: a bare one that says so takes its place.
func (s *Site) frame(ctx context.Context) (view.Frame, context.Context) {
	if f, ok := ctx.Value(frameKey{}).(view.Frame); ok {
		return f, ctx
	}
	f, err := s.b.Frame(ctx)
	if err != nil {
		s.o.Log.ErrorContext(ctx, "frame not available", "error", err)
		f = view.Frame{Shop: "Spillway", Now: s.o.Now(), Health: view.Bad, Text: "The state cannot be read right now."}
	}
	if f.Now.IsZero() {
		f.Now = s.o.Now()
	}
	ctx = withClock(ctx, clock{now: f.Now, loc: zoneOf(f)})
	return f, context.WithValue(ctx, frameKey{}, f)
}

type frameKey struct{}

// show draws p in the frame and writes it with status.
func (s *Site) show(w http.ResponseWriter, r *http.Request, status int, p page) error {
	f, ctx := s.frame(r.Context())
	c := chrome{
		page: p, Frame: f, User: s.user(ctx), Toast: s.takeToast(ctx), Demo: s.autoUser(r) != "", Version: s.o.Version, assets: s.assets,
	}
	if !p.Fixed {
		c.LiveURL = liveURL(r.URL)
	}
	return s.write(ctx, w, status, layout(c))
}

// liveURL is u with the mark that asks for the stream instead of the page.
func liveURL(u *url.URL) string {
	q := u.Query()
	q.Set("live", "1")
	return u.EscapedPath() + "?" + q.Encode()
}

// write draws c into memory first, so that a failing template never leaves half a page with status 200.
func (s *Site) write(ctx context.Context, w http.ResponseWriter, status int, c templ.Component) error {
	var b bytes.Buffer
	if err := c.Render(ctx, &b); err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	if _, err := w.Write(b.Bytes()); err != nil {
		s.o.Log.DebugContext(ctx, "visitor left before the page was written", "error", err)
	}
	return nil
}

// isFragment reports whether htmx asks for a piece of a page.
func isFragment(r *http.Request) bool { return r.Header.Get("HX-Request") == "true" }

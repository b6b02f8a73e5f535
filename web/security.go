package web

import (
	"net"
	"net/http"
	"strings"

	"github.com/spillway/spillway/ops/view"
)

// maxForm bounds the body of a form: the longest is an app's keys and settings.
const maxForm = 64 << 10

// contentPolicy allows our own script, style and stream and nothing else: no inline script or style, no other host, no framing.
const contentPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// floorPolicy lets the stations compile the reader of barcodes as well, which is WebAssembly of ours; it lets no text be run as script.
var floorPolicy = strings.Replace(contentPolicy, "script-src 'self'", "script-src 'self' 'wasm-unsafe-eval'", 1)

// secure wraps the whole site: headers on every answer, no cross-origin write, bounded bodies, a session for each request.
func (s *Site) secure(next http.Handler) http.Handler {
	origin := http.NewCrossOriginProtection()
	origin.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Error(w, "This form was sent from another site and was not accepted.", http.StatusForbidden)
	}))
	inner := origin.Handler(s.sessions.LoadAndSave(s.fresh(next)))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", contentPolicy)
		if cameraFor(r.URL.Path) != "()" {
			h.Set("Content-Security-Policy", floorPolicy)
		}
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Permissions-Policy", "camera="+cameraFor(r.URL.Path)+", geolocation=(), microphone=(), payment=()")
		h.Set("Cache-Control", "no-store")
		if s.o.SecureCookies {
			h.Set("Strict-Transport-Security", "max-age=31536000")
		}
		if strings.HasPrefix(r.URL.Path, "/assets/") {
			next.ServeHTTP(w, r)
			return
		}
		limit := int64(maxForm)
		if isUpload(r) {
			limit += view.MaxUpload
		}
		r.Body = http.MaxBytesReader(w, r.Body, limit)
		inner.ServeHTTP(w, r)
	})
}

// cameraFor says who may ask for the camera: phones read barcodes on the floor.
func cameraFor(path string) string {
	if strings.HasPrefix(path, "/floor/") {
		return "(self)"
	}
	return "()"
}

// wroteCookie is held by a browser that has just changed something, whichever process it asks next.
const wroteCookie = "spillway_wrote"

// fresh shows a browser that changes something, and for a while after, the database itself and no replica.
func (s *Site) fresh(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := r.Cookie(wroteCookie); err == nil || writes(r) {
			r = r.WithContext(view.Fresh(r.Context()))
		}
		next.ServeHTTP(w, r)
	})
}

// wrote remembers that a signed-in browser changes something. Strangers get no cookie.
func (s *Site) wrote(w http.ResponseWriter, r *http.Request) {
	if writes(r) {
		http.SetCookie(w, &http.Cookie{Name: wroteCookie, Value: "1", Path: "/", MaxAge: int(view.FreshFor.Seconds()), HttpOnly: true,
			Secure: s.o.SecureCookies, SameSite: http.SameSiteLaxMode})
	}
}

func writes(r *http.Request) bool { return r.Method != http.MethodGet && r.Method != http.MethodHead }

// autoUser names the demo user for visitors from this machine. The Host must be this machine by name too: otherwise any web
// page could point a name of its own at 127.0.0.1 and read along.
func (s *Site) autoUser(r *http.Request) string {
	if s.o.DemoUser == "" || !loopback(r.RemoteAddr) {
		return ""
	}
	if a, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr); ok && !loopback(a.String()) {
		return ""
	}
	host := r.Host
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	if host != "localhost" && !loopback(host) {
		return ""
	}
	return s.o.DemoUser
}

// loopback reports whether addr, with or without a port, is this machine by address.
func loopback(addr string) bool {
	if h, _, err := net.SplitHostPort(addr); err == nil {
		addr = h
	}
	ip := net.ParseIP(strings.Trim(addr, "[]"))
	return ip != nil && ip.IsLoopback()
}

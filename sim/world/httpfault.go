package world

import (
	"context"
	"net/http"
	"time"
)

type faultKey struct{}

// FaultFrom is the fault of kind LateEffect or Partial that struck the request, for a handler to act on.
func FaultFrom(ctx context.Context) (Rule, bool) {
	r, ok := ctx.Value(faultKey{}).(Rule)
	return r, ok
}

// Intercept puts the faults of API calls in front of a vendor's handler. point names a request for the rules (usually
// method and path; an empty point is never struck); answer writes the vendor's own form of Throttle, Unavailable,
// Internal and TokenExpired.
func (f *Faults) Intercept(clock Clock, point func(*http.Request) string,
	answer func(http.ResponseWriter, *http.Request, Kind), next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p := point(r)
		if p == "" {
			next.ServeHTTP(w, r)
			return
		}
		rule, struck := f.Draw(p, Throttle, Unavailable, Internal, TokenExpired, LostReply, LostRequest, Delay, LateEffect, Partial)
		if !struck {
			next.ServeHTTP(w, r)
			return
		}
		if rule.Kind != LateEffect && !Wait(r.Context(), clock, time.Duration(rule.Delay)) {
			return
		}
		switch rule.Kind {
		case Throttle, Unavailable, Internal, TokenExpired:
			answer(w, r, rule.Kind)
		case LostRequest:
			panic(http.ErrAbortHandler) // the server's documented way to cut the connection
		case LostReply:
			next.ServeHTTP(&deaf{header: http.Header{}}, r)
			panic(http.ErrAbortHandler)
		case LateEffect, Partial:
			next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), faultKey{}, rule)))
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// Wait holds the caller for d of the clock's time. It returns false when ctx ends first.
func Wait(ctx context.Context, clock Clock, d time.Duration) bool {
	if d <= 0 {
		return true
	}
	due := make(chan struct{})
	defer clock.At(clock.Now().Add(d), func() { close(due) })()
	select {
	case <-due:
		return true
	case <-ctx.Done():
		return false
	}
}

// deaf takes an answer that nobody will read.
type deaf struct{ header http.Header }

func (d *deaf) Header() http.Header         { return d.header }
func (d *deaf) Write(b []byte) (int, error) { return len(b), nil }
func (d *deaf) WriteHeader(int)             {}

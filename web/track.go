package web

import (
	"net/http"
	"strconv"
	"time"

	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/ops/view"
)

// trackKept is how long browsers, and whoever stands between, may keep a parcel's page: carriers tell news every few hours.
const trackKept = 2 * time.Minute

// track shows a parcel to who waits for it, without signing in. It knows nobody's name: the address alone opens it, so it is kept out of search engines
// and out of what other sites are told.
func (s *Site) track(w http.ResponseWriter, r *http.Request) error {
	h := w.Header()
	h.Set("X-Robots-Tag", "noindex, nofollow")
	h.Set("Referrer-Policy", "no-referrer")
	if !s.tracks.allow(source(r)) {
		h.Set("Retry-After", strconv.Itoa(int(trackEvery/time.Second)))
		return s.write(r.Context(), w, http.StatusTooManyRequests, trackFailed(s.assets, "One moment", "This page was asked for too often. Try again in a minute."))
	}
	v, err := s.b.Track(r.Context(), r.PathValue("token"))
	switch {
	case errs.Is(err, errs.NotFound):
		return s.write(r.Context(), w, http.StatusNotFound, trackFailed(s.assets, "Not found", "There is no parcel under this address. Ask the shop for the link again."))
	case err != nil:
		s.o.Log.ErrorContext(r.Context(), "a parcel cannot be shown", "error", err)
		return s.write(r.Context(), w, http.StatusServiceUnavailable, trackFailed(s.assets, "One moment", "Your parcel cannot be looked up right now. Try again in a few minutes."))
	}
	h.Set("Cache-Control", "private, max-age="+strconv.Itoa(int(trackKept/time.Second)))
	return s.write(r.Context(), w, http.StatusOK, trackPage(s.assets, v, trackZone(v)))
}

// trackZone is the zone of the place a parcel left, else UTC.
func trackZone(v view.Track) *time.Location {
	if loc, err := time.LoadLocation(v.Zone); err == nil {
		return loc
	}
	return time.UTC
}

// trackDay writes an expected day: "Tuesday, 24 November".
func trackDay(d view.Day) string {
	t, err := time.Parse(time.DateOnly, string(d))
	if err != nil {
		return string(d)
	}
	return t.Format("Monday, 2 January")
}

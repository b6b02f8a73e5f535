package web

import (
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Bounds of sign-in attempts. Slow enough against guessing (about 1,500 a day for an address), quick enough for typing errors.
const (
	loginEvery = time.Minute // one more attempt
	loginBurst = 8           // attempts before waiting begins
	// Parcels are looked up by people: one a second for an address, and a page of links opened at once. A token has 128 bits, so guessing is no
	// use at any pace; this keeps the database from being asked.
	trackEvery = time.Second
	trackBurst = 30
	maxKeys    = 10_000 // addresses and emails remembered; beyond it all start afresh rather than memory growing
)

// limiter paces attempts by key: the visitor's address, and the email tried.
type limiter struct {
	mu    sync.Mutex
	now   func() time.Time
	every time.Duration
	burst int
	keys  map[string]*rate.Limiter
}

func newLimiter(now func() time.Time, every time.Duration, burst int) *limiter {
	return &limiter{now: now, every: every, burst: burst, keys: map[string]*rate.Limiter{}}
}

// allow takes one attempt from every key and reports whether all of them had one left.
func (l *limiter) allow(keys ...string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.keys) > maxKeys {
		clear(l.keys)
	}
	ok := true
	for _, k := range keys {
		if l.keys[k] == nil {
			l.keys[k] = rate.NewLimiter(rate.Every(l.every), l.burst)
		}
		ok = l.keys[k].AllowN(l.now(), 1) && ok
	}
	return ok
}

// forget gives a key its attempts back, after it proved itself.
func (l *limiter) forget(keys ...string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, k := range keys {
		delete(l.keys, k)
	}
}

// source is the visitor's network: the address for IPv4, the /64 for IPv6, where one visitor owns them all. Behind a proxy it
// is the proxy's; the limit by email still holds then.
func source(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	a, err := netip.ParseAddr(host)
	if err != nil || a.Unmap().Is4() {
		return host
	}
	p, _ := a.WithZone("").Prefix(64)
	return p.String()
}

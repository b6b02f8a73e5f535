package drivertest

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"sync"
	"testing"
	"time"
)

// Inbox takes a simulator's webhooks.
type Inbox struct {
	URL string

	mu      sync.Mutex
	got     []Webhook
	arrived chan struct{}
}

// inboxSize bounds the messages of one test.
const inboxSize = 10_000

// NewInbox starts an inbox on a loopback address.
func NewInbox(t *testing.T) *Inbox {
	t.Helper()
	in := &Inbox{arrived: make(chan struct{}, inboxSize)}
	srv := httptest.NewServer(in)
	t.Cleanup(srv.Close)
	in.URL = srv.URL
	return in
}

// ServeHTTP implements http.Handler.
func (in *Inbox) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	in.mu.Lock()
	in.got = append(in.got, Webhook{Header: r.Header, Body: body})
	in.mu.Unlock()
	in.arrived <- struct{}{}
}

// Wait waits for n more messages and returns all there are.
func (in *Inbox) Wait(t *testing.T, n int) []Webhook {
	t.Helper()
	for range n {
		select {
		case <-in.arrived:
		case <-time.After(slowest):
			t.Fatal("too few webhooks arrived")
		}
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	return slices.Clone(in.got)
}

// Follow opens a consent address as a browser would and returns the parameters the simulator sends it back with.
func Follow(t *testing.T, address string) url.Values {
	t.Helper()
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	back, err := resp.Location()
	if err != nil {
		t.Fatalf("consent answered %s: %v", resp.Status, err)
	}
	return back.Query()
}

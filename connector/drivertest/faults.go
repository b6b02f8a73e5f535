package drivertest

import (
	"errors"
	"io"
	"net/http"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/failsafe-go/failsafe-go/circuitbreaker"

	"github.com/spillway/spillway/connector"
	"github.com/spillway/spillway/connector/driver"
)

// arrange skips the test where the vendor has no such failure.
func (h *Harness) arrange(t *testing.T, f Fault, op driver.Operation, times int) {
	t.Helper()
	if !h.Arrange(t, f, op, times) {
		t.Skipf("the vendor has no %q", f)
	}
}

func testPartial(t *testing.T, h *Harness) {
	h.supports(t, "stock write")
	if len(h.Grouped) == 0 {
		t.Skip("a group has one listing only: nothing can fail in part")
	}
	s := h.open(t)
	// A push that is wrong by itself must not take the others with it, nor be taken for done.
	pushes := append(h.batch(t, s, 8), h.Invalid(t, s))
	results := h.push(t, s, pushes...)
	for i, r := range results {
		last := i == len(results)-1
		switch {
		case last && r.Outcome != driver.Refused && r.Outcome != driver.Unknown:
			t.Errorf("the invalid push is %s", r.Outcome)
		case !last && r.Outcome == driver.Confirmed && h.total(t, h.Grouped[i]) != 8:
			t.Errorf("push %s is confirmed, the channel has %d", r.PushID, h.total(t, h.Grouped[i]))
		case !last && r.Outcome == driver.Refused && h.total(t, h.Grouped[i]) == 8:
			t.Errorf("push %s is refused, and the channel has it", r.PushID)
		}
	}
	h.arrange(t, Partial, driver.OpSet, 1)
	confirmed, failed := 0, 0
	for i, r := range h.push(t, s, h.batch(t, s, 6)...) {
		got := h.total(t, h.Grouped[i])
		switch r.Outcome {
		case driver.Confirmed:
			confirmed++
			if got != 6 {
				t.Errorf("push %s is confirmed, the channel has %d", r.PushID, got)
			}
		case driver.Refused:
			failed++
			if got == 6 {
				t.Errorf("push %s is refused, and the channel has it", r.PushID)
			}
		default:
			failed++
		}
	}
	if confirmed == 0 || failed == 0 {
		t.Errorf("of a batch that was done in part %d are confirmed and %d failed", confirmed, failed)
	}
}

func testStale(t *testing.T, h *Harness) {
	h.supports(t, "stock write")
	if h.Vendor.Describe().Write != driver.CompareAndSet {
		t.Skip("the vendor has no compare-and-set")
	}
	s := h.open(t)
	q := h.quantity(t, s, h.listings(t, s)[h.SKUs[0]].Ref)
	h.Place(t, h.SKUs[0], 1)
	r := h.push(t, s, h.toward("late", q, q.Available+10))[0]
	if r.Outcome != driver.Stale {
		t.Fatalf("a push that expects another number is %s: %v", r.Outcome, r.Err)
	}
	if got := h.total(t, h.SKUs[0]); got != q.Available-1 {
		t.Errorf("the channel has %d, want %d", got, q.Available-1)
	}
}

func testLostReply(t *testing.T, h *Harness) {
	h.supports(t, "stock write")
	s := h.open(t)
	q := h.quantity(t, s, h.listings(t, s)[h.SKUs[0]].Ref)
	h.arrange(t, LostReply, driver.OpSet, 1)
	p := h.toward("lost", q, q.Available-5)
	sets := h.Sets(t)
	r := h.push(t, s, p)[0]
	if r.Outcome != driver.Unknown || !driver.MayBeApplied(r.Err) {
		t.Fatalf("a push whose answer was lost is %s (%v); it must be unknown and may be applied", r.Outcome, r.Err)
	}
	if got := h.Sets(t) - sets; got != 1 {
		t.Errorf("it was sent %d times; it must not be repeated unasked", got)
	}
	if got := h.total(t, h.SKUs[0]); got != q.Available-5 {
		t.Fatalf("the simulator was to do the work and lose the answer; it has %d, want %d", got, q.Available-5)
	}
	// Repair: the same push again ends in the same number.
	r = h.push(t, s, p)[0]
	if r.Outcome != driver.Confirmed && r.Outcome != driver.Stale {
		t.Errorf("the same push after a lost answer: %s, %v", r.Outcome, r.Err)
	}
	if got := h.total(t, h.SKUs[0]); got != q.Available-5 {
		t.Errorf("the channel has %d, want %d", got, q.Available-5)
	}
}

func testLostRequest(t *testing.T, h *Harness) {
	h.supports(t, "stock write")
	s := h.open(t)
	q := h.quantity(t, s, h.listings(t, s)[h.SKUs[0]].Ref)
	h.arrange(t, LostRequest, driver.OpSet, 1)
	r := h.push(t, s, h.toward("lost", q, q.Available-5))[0]
	if r.Outcome != driver.Unknown { // from here it looks like a lost answer
		t.Fatalf("a push that was cut off is %s: %v", r.Outcome, r.Err)
	}
	if got := h.quantity(t, s, q.Ref); got.Available != q.Available {
		t.Errorf("read back %d, want %d", got.Available, q.Available)
	}
}

func testThrottle(t *testing.T, h *Harness) {
	s := h.open(t)
	h.arrange(t, Throttle, driver.OpLocations, 1)
	if _, err := s.Locations(t.Context()); err != nil {
		t.Fatalf("a read does not recover from being throttled: %v", err)
	}
	failed := s.Recent().Errors()
	if len(failed) != 1 {
		t.Fatalf("the connection's log has %d errors, want the 1", len(failed))
	}
	// The driver itself says what to do.
	h.arrange(t, Throttle, driver.OpLocations, 1)
	_, err := h.raw(t).Locations(t.Context())
	class(t, err, driver.RetryAfter)
	e, _ := errors.AsType[*driver.Error](err)
	if e.After < 0 || e.Applied {
		t.Errorf("throttled: after %v, applied %v", e.After, e.Applied)
	}
}

func testThrottledPush(t *testing.T, h *Harness) {
	h.supports(t, "stock write")
	s := h.open(t)
	q := h.quantity(t, s, h.listings(t, s)[h.SKUs[0]].Ref)
	h.arrange(t, Throttle, driver.OpSet, 1)
	if r := h.push(t, s, h.toward("slow", q, q.Available-4))[0]; r.Outcome != driver.Confirmed {
		t.Fatalf("a push that was throttled once is %s: %v", r.Outcome, r.Err)
	}
	if got := h.total(t, h.SKUs[0]); got != q.Available-4 {
		t.Errorf("the channel has %d, want %d", got, q.Available-4)
	}
}

func testOverload(t *testing.T, h *Harness) {
	h.arrange(t, Unavailable, driver.OpLocations, 1)
	if _, err := h.open(t).Locations(t.Context()); err != nil {
		t.Fatalf("a read does not recover from an overload: %v", err)
	}
}

func testLostRead(t *testing.T, h *Harness) {
	h.arrange(t, LostReply, driver.OpLocations, 1)
	if _, err := h.open(t).Locations(t.Context()); err != nil {
		t.Fatalf("a read does not recover from a lost answer: %v", err)
	}
}

func testExpiredToken(t *testing.T, h *Harness) {
	h.supports(t, "token refresh")
	s := h.open(t)
	h.arrange(t, TokenExpired, driver.OpLocations, 1)
	if _, err := s.Locations(t.Context()); err != nil {
		t.Fatalf("a read does not recover from an expired token: %v", err)
	}
	if got := h.Refreshes(t); got != 1 {
		t.Errorf("the token was refreshed %d times, want once", got)
	}
	// A fresh token that is refused too is for a person, not for a loop.
	h.arrange(t, TokenExpired, driver.OpLocations, 5)
	_, err := s.Locations(t.Context())
	class(t, err, driver.AskHuman)
	if got := h.Refreshes(t); got != 2 {
		t.Errorf("the token was refreshed %d times in all, want twice", got)
	}
}

func testExpiredTokenAtOnce(t *testing.T, h *Harness) {
	h.supports(t, "token refresh")
	s := h.open(t)
	const callers = 5
	h.arrange(t, TokenExpired, driver.OpLocations, 1)
	var wg sync.WaitGroup
	errs := make([]error, callers)
	for i := range callers {
		wg.Go(func() { _, errs[i] = s.Locations(t.Context()) })
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			t.Errorf("a caller failed: %v", err)
		}
	}
	if got := h.Refreshes(t); got != 1 {
		t.Errorf("the token was refreshed %d times, want once", got)
	}
}

func testExpiredTokenOnPush(t *testing.T, h *Harness) {
	h.supports(t, "token refresh")
	h.supports(t, "stock write")
	s := h.open(t)
	q := h.quantity(t, s, h.listings(t, s)[h.SKUs[0]].Ref)
	h.arrange(t, TokenExpired, driver.OpSet, 1)
	if r := h.push(t, s, h.toward("again", q, q.Available-2))[0]; r.Outcome != driver.Confirmed {
		t.Fatalf("a push with an expired token is %s: %v", r.Outcome, r.Err)
	}
	if got := h.total(t, h.SKUs[0]); got != q.Available-2 {
		t.Errorf("the channel has %d, want %d", got, q.Available-2)
	}
}

// testDead cuts the wire: pushes must fail fast, as surely not applied, and without asking again and again.
func testDead(t *testing.T, h *Harness) {
	wire := &cutWire{}
	s := h.openOn(t, &http.Client{Transport: wire})
	ref := driver.ListingRef{ProductID: "1", SKUID: "2", ItemRef: "3", Locations: []string{"4"}}
	start := time.Now()
	var last driver.Result
	for range 8 {
		p := driver.Push{ID: "p", Ref: ref, Kind: h.Vendor.Describe().Write, Quantity: 1, FromBy: map[string]int64{"4": 0}}
		last = h.push(t, s, p)[0]
		if last.Outcome != driver.Unknown {
			break
		}
	}
	if last.Outcome != driver.Refused || !errors.Is(last.Err, circuitbreaker.ErrOpen) {
		t.Errorf("a push to a dead channel is %s (%v) in the end; want refused by an open breaker", last.Outcome, last.Err)
	}
	if took := time.Since(start); took > slowest {
		t.Errorf("it took %v", took)
	}
	sent := wire.count()
	for range 100 {
		h.push(t, s, driver.Push{ID: "p", Ref: ref, Kind: h.Vendor.Describe().Write, Quantity: 1, FromBy: map[string]int64{"4": 0}})
	}
	if wire.count() != sent {
		t.Errorf("%d more requests went to a dead channel", wire.count()-sent)
	}
	if len(s.Dead()) == 0 {
		t.Error("the session does not say what is cut off")
	}
}

// cutWire breaks every request after it was sent.
type cutWire struct {
	mu   sync.Mutex
	sent int
}

// RoundTrip implements http.RoundTripper.
func (c *cutWire) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Body != nil {
		_, _ = io.Copy(io.Discard, req.Body)
		req.Body.Close()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sent++
	return nil, &url.Error{Op: req.Method, URL: req.URL.String(), Err: io.ErrUnexpectedEOF}
}

func (c *cutWire) count() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.sent
}

// openOn is open with another client for the calls of the channel.
func (h *Harness) openOn(t *testing.T, client *http.Client) *connector.Session {
	t.Helper()
	s, err := connector.Open(connector.Options{
		Vendor: h.Vendor, Connection: h.Connection, Client: client, Now: h.Now,
		Tokens: connector.Tokens{Current: h.bareToken},
	})
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	return s
}

package drivertest

import (
	"context"
	"net/http"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/spillway/spillway/connector"
	"github.com/spillway/spillway/connector/driver"
	"github.com/spillway/spillway/domain/order"
)

// Fault is something that goes wrong on the channel's side.
type Fault string

// The faults a simulator must be able to arrange. Each strikes the next calls of one operation.
const (
	Throttle     Fault = "throttle"      // refused as too many requests; nothing done
	Unavailable  Fault = "unavailable"   // refused as overloaded; nothing done
	LostReply    Fault = "lost reply"    // done, but the connection is cut before the answer
	LostRequest  Fault = "lost request"  // the connection is cut before anything is done
	TokenExpired Fault = "token expired" // the access token is refused; nothing done
	Partial      Fault = "partial"       // of a batch a part is done, the rest is reported as failed
)

// Webhook is one message as the vendor sent it.
type Webhook struct {
	Header http.Header
	Body   []byte
}

// Harness is a vendor with a running simulator of its own, fresh for each test. Functions fail the test themselves.
type Harness struct {
	Vendor     driver.Vendor
	App        driver.App
	Connection driver.Connection // a shop that is connected already
	Grant      driver.Grant      // valid, covers Connection
	Now        func() time.Time  // the simulator's clock; nil: time.Now

	// SKUs are external SKU ids the shop sells, at least four, each with enough stock for the suite (50 or more).
	SKUs []string
	// Grouped are three or more of SKUs that share one Group; empty where a group has one listing only.
	Grouped []string
	// Spread is a SKU stocked in two or more locations; empty where "several locations" is not supported.
	Spread string

	// Consent plays the seller who is sent to address: it returns the parameters that come back, of consent or refusal.
	Consent func(t *testing.T, address string, agree bool) url.Values
	// Place orders qty units of a SKU, paid, and returns the vendor's order id.
	Place func(t *testing.T, sku string, qty int) string
	// Cancel cancels an order placed before, as the buyer or the platform.
	Cancel func(t *testing.T, orderID string)
	// Ship sends all units of an order placed before, with the carrier's word that it has them. nil: the simulator cannot.
	Ship func(t *testing.T, orderID string)
	// TakeOff takes one unit off an order placed before with two, and leaves the other. nil: the simulator cannot.
	TakeOff func(t *testing.T, orderID string)
	// Truth is the simulator's own number of a SKU, by location.
	Truth func(t *testing.T, sku string) map[string]int64
	// Arrange makes the next calls of op fail. More calls than times are not struck. It reports false where the vendor
	// has no such failure (no batches to be partial, no token to expire).
	Arrange func(t *testing.T, f Fault, op driver.Operation, times int) bool
	// Sets counts the requests to set quantities that the simulator has carried out.
	Sets func(t *testing.T) int
	// Refreshes counts the token refreshes the simulator has granted.
	Refreshes func(t *testing.T) int
	// Webhooks are the messages the vendor has sent up to now, for at least one order and one other event if it has
	// any; it waits for them to arrive. Deliveries go to an address of the harness.
	Webhooks func(t *testing.T) []Webhook
	// Sign makes the headers with which the vendor would send body.
	Sign func(body []byte) http.Header
	// Invalid is a push the channel itself refuses, such as to a listing that is gone; its Ref must be in the same Group
	// as Grouped where that is set.
	Invalid func(t *testing.T, s *connector.Session) driver.Push
}

// Run runs the whole contract. fresh starts a simulator and returns a harness around it; it registers its own clean-up.
func Run(t *testing.T, fresh func(t *testing.T) *Harness) {
	for _, part := range []struct {
		name string
		run  func(*testing.T, *Harness)
	}{
		{"describe", testDescribe},
		{"connect", testConnect},
		{"consent refused", testConsentRefused},
		{"orders are complete and in order", testOrders},
		{"orders by id", testOrdersByID},
		{"an order's facts repeat", testOrderFactsRepeat},
		{"what is known may be left out, what changed never", testKnown},
		{"a cancelled order is told", testCancelled},
		{"locations", testLocations},
		{"listings", testListings},
		{"quantities are read back", testQuantities},
		{"compare, plan, push, and plan again", testPlan},
		{"several locations", testSeveralLocations},
		{"the same push twice", testPushTwice},
		{"a refused push", testRefused},
		{"wrong pushes are not sent", testWrongPushes},
		{"partial failure", testPartial},
		{"compare-and-set meets another number", testStale},
		{"lost reply of a push", testLostReply},
		{"lost request of a push", testLostRequest},
		{"throttling", testThrottle},
		{"throttled push", testThrottledPush},
		{"overload", testOverload},
		{"lost reply of a read", testLostRead},
		{"expired token", testExpiredToken},
		{"expired token, many callers", testExpiredTokenAtOnce},
		{"expired token on a push", testExpiredTokenOnPush},
		{"dead channel", testDead},
		{"webhooks are verified", testWebhooks},
		{"bad webhooks", testBadWebhooks},
		{"webhooks are subscribed", testSubscribe},
	} {
		t.Run(part.name, func(t *testing.T) {
			t.Parallel()
			part.run(t, fresh(t))
		})
	}
}

// supports skips the test unless the vendor declares the capability.
func (h *Harness) supports(t *testing.T, name string) {
	t.Helper()
	for _, c := range h.Vendor.Describe().Capabilities {
		if c.Name == name && c.Support != driver.Yes {
			t.Skipf("%q is declared as %s: %s", name, c.Support, c.Why)
		}
	}
}

func (h *Harness) client() *http.Client {
	return connector.NewClient(connector.ClientOptions{AllowLoopback: true})
}

// open makes a session of the connected shop, with a store for its login in memory.
func (h *Harness) open(t *testing.T) *connector.Session { return h.openWith(t, h.Connection) }

func (h *Harness) openWith(t *testing.T, c driver.Connection) *connector.Session {
	t.Helper()
	store := &grants{grant: h.Grant}
	client := h.client()
	login := connector.NewLogin(connector.LoginOptions{
		Vendor: h.Vendor, App: h.App, Client: client, Load: store.load, Save: store.save, Now: h.Now,
	})
	s, err := connector.Open(connector.Options{
		Vendor: h.Vendor, Connection: c, Tokens: login.Tokens(), Client: client, Now: h.Now,
		Pseudonym: func(id string) string { return "hash of " + id[:min(1, len(id))] },
	})
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	return s
}

// grants is a store for one login.
type grants struct {
	mu    sync.Mutex
	grant driver.Grant
}

func (g *grants) load(context.Context) (driver.Grant, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.grant, nil
}

func (g *grants) save(_ context.Context, _, fresh driver.Grant) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.grant = fresh
	return nil
}

// refs reads all listings and returns them by SKU id.
func (h *Harness) listings(t *testing.T, s *connector.Session) map[string]driver.Listing {
	t.Helper()
	out := map[string]driver.Listing{}
	for page, err := range s.ListingPages(t.Context()) {
		if err != nil {
			t.Fatalf("listings: %v", err)
		}
		for _, l := range page.Listings {
			if _, twice := out[l.Ref.SKUID]; twice {
				t.Errorf("listing %s occurs twice", l.Ref.SKUID)
			}
			out[l.Ref.SKUID] = l
		}
	}
	return out
}

// quantity reads what the channel shows for one listing.
func (h *Harness) quantity(t *testing.T, s *connector.Session, ref driver.ListingRef) driver.Quantity {
	t.Helper()
	got, err := s.Quantities(t.Context(), []driver.ListingRef{ref})
	if err != nil || len(got) != 1 {
		t.Fatalf("quantities of %s = %v, %v; want one", ref.SKUID, got, err)
	}
	return got[0]
}

// toward makes the push that brings a listing from what q shows to want.
func (h *Harness) toward(id string, q driver.Quantity, want int64) driver.Push {
	p := driver.Push{ID: id, Ref: q.Ref, Kind: h.Vendor.Describe().Write, Quantity: want}
	switch p.Kind {
	case driver.CompareAndSet:
		p.From, p.FromBy = q.Available, q.ByLocation
	case driver.DeltaWrite:
		p.Quantity = want - q.Available
	}
	return p
}

// push sends pushes and demands a result for each.
func (h *Harness) push(t *testing.T, s *connector.Session, pushes ...driver.Push) []driver.Result {
	t.Helper()
	results, err := s.SetQuantities(t.Context(), pushes)
	if err != nil {
		t.Fatalf("SetQuantities: %v", err)
	}
	if len(results) != len(pushes) {
		t.Fatalf("%d results for %d pushes", len(results), len(pushes))
	}
	for i, r := range results {
		if r.PushID != pushes[i].ID {
			t.Fatalf("result %d is for push %q, want %q", i, r.PushID, pushes[i].ID)
		}
		if (r.Outcome == driver.Confirmed) != (r.Err == nil) {
			t.Fatalf("push %s: outcome %s with error %v", r.PushID, r.Outcome, r.Err)
		}
	}
	return results
}

// total is the simulator's own sum for a SKU.
func (h *Harness) total(t *testing.T, sku string) int64 {
	t.Helper()
	var sum int64
	for _, n := range h.Truth(t, sku) {
		sum += n
	}
	return sum
}

// allOrders walks every order from a time on.
func allOrders(t *testing.T, s *connector.Session, from time.Time) []order.Fact {
	t.Helper()
	var out []order.Fact
	for page, err := range s.OrderPages(t.Context(), from, nil) {
		if err != nil {
			t.Fatalf("orders: %v", err)
		}
		for _, u := range page.Unreadable {
			t.Errorf("order %s is unreadable: %s", u.ID, u.Why)
		}
		out = append(out, page.Orders...)
	}
	return out
}

// class fails the test unless err is of class want.
func class(t *testing.T, err error, want driver.Class) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error; want one of class %q", want)
	}
	if got := driver.ClassOf(err); got != want {
		t.Fatalf("error %v is of class %q; want %q", err, got, want)
	}
}

package shopify

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/spillway/spillway/connector"
	"github.com/spillway/spillway/connector/driver"
	"github.com/spillway/spillway/connector/drivertest"
	sim "github.com/spillway/spillway/sim/shopify"
	"github.com/spillway/spillway/sim/world"
)

const (
	testShop   = "sandbox.myshopify.com"
	testToken  = "shpat_sandbox"
	testSecret = "sandbox-secret"
)

func TestContract(t *testing.T) {
	drivertest.Run(t, func(t *testing.T) *drivertest.Harness { return newShop(t).harness(t) })
}

// shop is a simulated store behind real HTTP.
type shop struct {
	*sim.Sim
	url      string
	app      driver.App
	variants []sim.Variant
	inbox    *inbox

	mu      sync.Mutex
	renewed int
}

func newShop(t testing.TB, change ...func(*sim.Options)) *shop {
	t.Helper()
	o := sim.Options{Seed: 3, ShopDomain: testShop, AccessToken: testToken, ClientSecret: testSecret, BulkDelay: time.Millisecond}
	for _, f := range change {
		f(&o)
	}
	store, err := sim.New(o)
	if err != nil {
		t.Fatal(err)
	}
	s := &shop{Sim: store}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/access_token") {
			body, _ := io.ReadAll(r.Body)
			r.Body = io.NopCloser(strings.NewReader(string(body)))
			if strings.Contains(string(body), "client_credentials") {
				s.mu.Lock()
				s.renewed++
				s.mu.Unlock()
			}
		}
		store.Handler().ServeHTTP(w, r)
	}))
	t.Cleanup(func() { srv.Close(); store.Close() })
	s.url = srv.URL
	s.app = driver.App{ID: "app", Key: "sandbox-client", Secret: testSecret, Settings: map[string]string{
		SettingBase: srv.URL, SettingShop: testShop, SettingGrant: grantCredentials,
	}}
	if _, err := store.AddLocation("Second warehouse"); err != nil {
		t.Fatal(err)
	}
	in := sim.ProductInput{Title: "Mug"}
	for i := range 5 {
		sku := "MUG-" + strconv.Itoa(i)
		in.Variants = append(in.Variants, sim.VariantInput{SKU: sku, Title: sku, Stock: 100, Price: "12.50"})
	}
	if s.variants, err = store.AddProduct(in); err != nil {
		t.Fatal(err)
	}
	s.inbox = &inbox{arrived: make(chan struct{}, 1000)}
	return s
}

func (s *shop) connection() driver.Connection {
	return driver.Connection{ID: "conn-1", App: s.app, Shop: driver.Shop{ExternalID: testShop, Name: "Sandbox"}}
}

// channel opens the driver without the portable side.
func (s *shop) channel(t testing.TB, version string, change ...func(*driver.Env)) *channel {
	t.Helper()
	c := s.connection()
	c.Settings = map[string]string{SettingShopVersion: version}
	env := driver.Env{Client: http.DefaultClient, Token: func(context.Context) (string, error) { return testToken, nil }}
	for _, f := range change {
		f(&env)
	}
	ch, err := open(c, env)
	if err != nil {
		t.Fatal(err)
	}
	return ch
}

// sku is the seller's SKU of a variant's number.
func (s *shop) sku(variant string) string {
	for _, v := range s.variants {
		if strconv.FormatInt(v.VariantID, 10) == variant {
			return v.SKU
		}
	}
	return "no such variant"
}

func (s *shop) truth(t *testing.T, variant string) map[string]int64 {
	t.Helper()
	stock, err := s.Stock(s.sku(variant))
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]int64{}
	for _, l := range stock {
		out[strconv.FormatInt(int64(l.Location), 10)] = int64(l.Available)
	}
	return out
}

// place sells units of a variant and returns the order's number.
func (s *shop) place(t *testing.T, variant string, qty int) string {
	t.Helper()
	o, err := s.PlaceOrder(sim.OrderInput{Lines: []sim.OrderLine{{SKU: s.sku(variant), Quantity: qty}}})
	if err != nil {
		t.Fatal(err)
	}
	return strconv.FormatInt(o.ID, 10)
}

// strikes are where the operations of the channel reach the simulator.
var strikes = map[driver.Operation]string{
	driver.OpLocations: "*query location locations", driver.OpSet: "*mutation inventorySetQuantities", driver.OpOrders: "*query orders",
	driver.OpQuantities: "*query nodes",
}

var faultKinds = map[drivertest.Fault]world.Kind{
	drivertest.Throttle: world.Throttle, drivertest.Unavailable: world.Unavailable, drivertest.LostReply: world.LostReply,
	drivertest.LostRequest: world.LostRequest, drivertest.TokenExpired: world.TokenExpired,
}

func (s *shop) harness(t *testing.T) *drivertest.Harness {
	hooks := httptest.NewServer(s.inbox)
	t.Cleanup(hooks.Close)
	var ids []string
	for _, v := range s.variants {
		ids = append(ids, strconv.FormatInt(v.VariantID, 10))
	}
	// Nothing is sent before an address is subscribed.
	if _, err := s.channel(t, DefaultVersion).SubscribeWebhooks(t.Context(), hooks.URL); err != nil {
		t.Fatal(err)
	}
	return &drivertest.Harness{
		Vendor: Vendor{}, App: s.app, Connection: s.connection(), Grant: driver.Grant{AccessToken: testToken, Subject: testShop},
		SKUs: ids[:4], Grouped: ids[:3], Spread: ids[4],
		Consent: func(t *testing.T, address string, agree bool) url.Values {
			if !agree {
				return url.Values{"error": {"access_denied"}, "state": {"s"}, "shop": {testShop}}
			}
			return s.consent(t, address)
		},
		Place: func(t *testing.T, variant string, qty int) string { return s.place(t, variant, qty) },
		Cancel: func(t *testing.T, id string) {
			n, _ := strconv.ParseInt(id, 10, 64)
			if _, err := s.CancelOrder(n, "CUSTOMER", true); err != nil {
				t.Fatal(err)
			}
		},
		Ship: func(t *testing.T, id string) {
			if _, err := s.FulfillOrder(mustInt(t, id), "UPS", "1Z"); err != nil {
				t.Fatal(err)
			}
		},
		TakeOff: func(t *testing.T, id string) {
			o, err := s.Order(mustInt(t, id))
			if err == nil {
				_, err = s.EditOrder(o.ID, o.Lines[0].SKU, -1, true)
			}
			if err != nil {
				t.Fatal(err)
			}
		},
		Truth: s.truth,
		Arrange: func(t *testing.T, f drivertest.Fault, op driver.Operation, times int) bool {
			if f == drivertest.Partial {
				return false // a mutation is done as a whole or not at all
			}
			if _, err := s.Faults().Add(world.Rule{Point: strikes[op], Kind: faultKinds[f], Remaining: times}); err != nil {
				t.Fatal(err)
			}
			return true
		},
		Sets: func(*testing.T) int { return s.Counts().Mutations["inventorySetQuantities"] },
		Refreshes: func(*testing.T) int {
			s.mu.Lock()
			defer s.mu.Unlock()
			return s.renewed
		},
		Webhooks: func(t *testing.T) []drivertest.Webhook { return s.inbox.wait(t, 2) },
		Sign: func(body []byte) http.Header {
			return http.Header{
				"X-Shopify-Hmac-Sha256": {s.SignWebhook(body)}, "X-Shopify-Topic": {"orders/create"}, "X-Shopify-Webhook-Id": {"w"},
				"X-Shopify-Shop-Domain": {testShop}, "X-Shopify-Triggered-At": {"2026-11-02T09:00:00.123456789Z"},
			}
		},
		Invalid: func(t *testing.T, _ *connector.Session) driver.Push {
			at := "60000000001"
			for l := range s.truth(t, ids[0]) {
				at = l
			}
			return driver.Push{ID: "gone", Kind: driver.CompareAndSet, Quantity: 3, Ref: driver.ListingRef{ProductID: "1", SKUID: "2", ItemRef: "3", Locations: []string{at}}}
		},
	}
}

func (s *shop) consent(t *testing.T, address string) url.Values {
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

// inbox takes the simulator's webhooks.
type inbox struct {
	mu      sync.Mutex
	got     []drivertest.Webhook
	arrived chan struct{}
}

func (in *inbox) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	in.mu.Lock()
	in.got = append(in.got, drivertest.Webhook{Header: r.Header, Body: body})
	in.mu.Unlock()
	in.arrived <- struct{}{}
}

// wait returns what has arrived, at least n messages.
func (in *inbox) wait(t *testing.T, n int) []drivertest.Webhook {
	t.Helper()
	for range n {
		select {
		case <-in.arrived:
		case <-time.After(10 * time.Second):
			t.Fatal("too few webhooks arrived")
		}
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	return append([]drivertest.Webhook(nil), in.got...)
}

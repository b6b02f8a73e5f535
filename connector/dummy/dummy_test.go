package dummy

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"github.com/spillway/spillway/connector"
	"github.com/spillway/spillway/connector/driver"
	"github.com/spillway/spillway/connector/drivertest"
	sim "github.com/spillway/spillway/sim/dummy"
	"github.com/spillway/spillway/sim/world"
)

func TestContract(t *testing.T) { drivertest.Run(t, fresh) }

// paths are where the operations of the channel strike the simulator.
var paths = map[driver.Operation]string{
	driver.OpOrders: "GET */orders", driver.OpLocations: "GET */warehouses", driver.OpSet: "PUT */stock", driver.OpQuantities: "GET */stock",
}

var kinds = map[drivertest.Fault]world.Kind{
	drivertest.Throttle: world.Throttle, drivertest.Unavailable: world.Unavailable, drivertest.LostReply: world.LostReply,
	drivertest.LostRequest: world.LostRequest, drivertest.TokenExpired: world.TokenExpired, drivertest.Partial: world.Partial,
}

func fresh(t *testing.T) *drivertest.Harness {
	s := sim.New(world.Wall(), 1)
	t.Cleanup(s.Stop)
	srv := httptest.NewServer(s.Handler())
	t.Cleanup(srv.Close)
	in := drivertest.NewInbox(t)
	access, refresh := s.Tokens()
	app := driver.App{ID: "app", Key: sim.AppKey, Secret: sim.AppSecret, Settings: map[string]string{settingBase: srv.URL}}
	h := &drivertest.Harness{
		Vendor: Vendor{}, App: app,
		Connection: driver.Connection{ID: "conn-1", App: app, Shop: driver.Shop{ExternalID: sim.ShopID, Name: "Dummy shop"}},
		Grant:      driver.Grant{AccessToken: access, RefreshToken: refresh, AccessExpiresAt: time.Now().Add(24 * time.Hour)},
		SKUs:       []string{"S1", "S3", "S4", "S5"}, Grouped: []string{"S1", "S3", "S4"}, Spread: "S2",
		Consent: func(t *testing.T, address string, agree bool) url.Values {
			if !agree {
				address += "&refuse=1"
			}
			return drivertest.Follow(t, address)
		},
		Place: func(t *testing.T, sku string, qty int) string {
			o, err := s.Place(sku, int64(qty))
			if err != nil {
				t.Fatal(err)
			}
			return o.ID
		},
		Cancel: func(t *testing.T, id string) {
			if err := s.Cancel(id); err != nil {
				t.Fatal(err)
			}
		},
		Truth: func(_ *testing.T, sku string) map[string]int64 { return s.Stock(sku) },
		Arrange: func(t *testing.T, f drivertest.Fault, op driver.Operation, times int) bool {
			if _, err := s.Faults.Add(world.Rule{Point: paths[op], Kind: kinds[f], Remaining: times}); err != nil {
				t.Fatal(err)
			}
			return true
		},
		Sets:      func(*testing.T) int { n, _ := s.Counts(); return n },
		Refreshes: func(*testing.T) int { _, n := s.Counts(); return n },
		Sign: func(body []byte) http.Header {
			return http.Header{sim.SignatureHeader: {sim.Sign(sim.AppSecret, body)}}
		},
		Webhooks: func(t *testing.T) []drivertest.Webhook { return in.Wait(t, 1) },
		Invalid: func(*testing.T, *connector.Session) driver.Push {
			return driver.Push{ID: "gone", Kind: driver.Absolute, Quantity: 3, Ref: driver.ListingRef{ProductID: "P9", SKUID: "S9", Locations: []string{"W1"}}}
		},
	}
	// The simulator sends nothing before it knows an address.
	c, err := Vendor{}.Open(h.Connection, driver.Env{Client: http.DefaultClient, Token: func(context.Context) (string, error) { return access, nil }})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.SubscribeWebhooks(t.Context(), in.URL); err != nil {
		t.Fatal(err)
	}
	return h
}

func TestDocs(t *testing.T) { drivertest.CheckDocs(t, Vendor{}, "../..") }

package tiktok

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/spillway/spillway/connector"
	"github.com/spillway/spillway/connector/driver"
	"github.com/spillway/spillway/connector/drivertest"
	sim "github.com/spillway/spillway/sim/tiktok"
	"github.com/spillway/spillway/sim/world"
)

func TestContract(t *testing.T) {
	drivertest.Run(t, func(t *testing.T) *drivertest.Harness { return newShop(t).harness(t) })
}

const (
	seller   = "Contract Seller"
	stocked  = 100
	mainHall = "Main hall"
	annex    = "Annex"
)

// shop is a simulated shop behind real HTTP.
type shop struct {
	*sim.Sim
	url   string
	id    string
	app   driver.App
	conn  driver.Connection
	grant driver.Grant
	skus  map[string]string // seller SKU: id
	inbox *drivertest.Inbox
}

func newShop(t *testing.T, change ...func(*sim.Options)) *shop {
	t.Helper()
	o := sim.Options{
		Seed: 7, AppKey: demoKey, AppSecret: demoSecret, RedirectURL: "https://shop.example/connect/done", Hold: -1,
		Shops: []sim.ShopSpec{{
			Name: "Contract shop", Seller: seller, Warehouses: []sim.WarehouseSpec{{Name: mainHall}, {Name: annex}, {Name: "Returns", Returns: true}},
			Products: []sim.ProductSpec{
				{Title: "Mug", SKUs: []sim.SKUSpec{variant("MUG-1"), variant("MUG-2"), variant("MUG-3"), variant("MUG-4")}},
				{Title: "Spread", SKUs: []sim.SKUSpec{{SellerSKU: "SPREAD", Price: 999, Stock: map[string]int{mainHall: stocked, annex: stocked}}}},
				{Title: "Single", SKUs: []sim.SKUSpec{variant("SINGLE")}},
			},
		}},
	}
	for _, c := range change {
		c(&o)
	}
	s, err := sim.New(o)
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(s.Handler())
	t.Cleanup(func() { srv.Close(); s.Stop() })
	view := s.Shops()[0]
	access, err := s.Grant(seller)
	if err != nil {
		t.Fatal(err)
	}
	out := &shop{Sim: s, url: srv.URL, id: view.ID, skus: map[string]string{}, inbox: drivertest.NewInbox(t)}
	out.app = driver.App{ID: "app", Key: access.AppKey, Secret: access.AppSecret, Settings: map[string]string{
		SettingServiceID: access.ServiceID, SettingAPIHost: srv.URL, SettingTokenHost: srv.URL, SettingConsentURL: srv.URL + "/open/authorize",
	}}
	out.conn = driver.Connection{ID: "conn-1", App: out.app, Shop: driver.Shop{
		ExternalID: view.ID, Name: view.Name, Region: view.Region, Settings: map[string]string{shopCipher: view.Cipher},
	}}
	out.grant = driver.Grant{AccessToken: access.AccessToken, RefreshToken: access.RefreshToken, AccessExpiresAt: time.Now().Add(7 * 24 * time.Hour)}
	for _, k := range view.SKUs {
		out.skus[k.SellerSKU] = k.ID
	}
	if err := s.SetConsoleWebhook("*", out.inbox.URL); err != nil {
		t.Fatal(err)
	}
	return out
}

func variant(sellerSKU string) sim.SKUSpec {
	return sim.SKUSpec{SellerSKU: sellerSKU, Name: sellerSKU, Price: 1250, Stock: map[string]int{mainHall: stocked}}
}

// place sells units and returns the order's id.
func (s *shop) place(t *testing.T, sku string, qty int) string {
	t.Helper()
	id, err := s.PlaceOrder(s.id, []sim.Wanted{{SKU: sku, Qty: qty}}, sim.PlaceOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// count counts the answered requests whose method and path match a pattern, and which succeeded.
func (s *shop) count(pattern string) int {
	n := 0
	for _, r := range s.Requests(0) {
		if world.Glob(pattern, r.Method+" "+r.Path) && (r.Code == 0 || strings.Contains(r.Note, "cut")) {
			n++
		}
	}
	return n
}

// strikes are where the operations of the channel reach the simulator.
var strikes = map[driver.Operation]string{
	driver.OpLocations: "GET /logistics/*", driver.OpSet: "POST /product/*/inventory/update", driver.OpOrders: "POST /order/*",
	driver.OpQuantities: "POST /product/202309/inventory/search",
}

var faultKinds = map[drivertest.Fault]world.Kind{
	drivertest.Throttle: world.Throttle, drivertest.Unavailable: world.Unavailable, drivertest.LostReply: world.LostReply,
	drivertest.LostRequest: world.LostRequest, drivertest.TokenExpired: world.TokenExpired, drivertest.Partial: world.Partial,
}

func (s *shop) harness(t *testing.T) *drivertest.Harness {
	return &drivertest.Harness{
		Vendor: Vendor{}, App: s.app, Connection: s.conn, Grant: s.grant,
		SKUs:    []string{s.skus["MUG-1"], s.skus["MUG-2"], s.skus["MUG-3"], s.skus["SINGLE"]},
		Grouped: []string{s.skus["MUG-1"], s.skus["MUG-2"], s.skus["MUG-3"]}, Spread: s.skus["SPREAD"],
		Consent: func(t *testing.T, address string, agree bool) url.Values {
			if !agree {
				return drivertest.Follow(t, address+"&decision=refuse")
			}
			return drivertest.Follow(t, address+"&decision=approve&seller="+url.QueryEscape(seller))
		},
		Place: s.place,
		Cancel: func(t *testing.T, id string) {
			if _, err := s.Cancel(id, "SELLER", ""); err != nil {
				t.Fatal(err)
			}
		},
		Ship: func(t *testing.T, id string) {
			if err := s.Ship(id, "", ""); err != nil {
				t.Fatal(err)
			}
			if err := s.Scan(id); err != nil {
				t.Fatal(err)
			}
		},
		Truth: s.truth,
		Arrange: func(t *testing.T, f drivertest.Fault, op driver.Operation, times int) bool {
			if _, err := s.Faults().Add(world.Rule{Point: strikes[op], Kind: faultKinds[f], Remaining: times}); err != nil {
				t.Fatal(err)
			}
			return true
		},
		Sets: func(t *testing.T) int {
			st, err := s.Stats(s.id)
			if err != nil {
				t.Fatal(err)
			}
			return int(st.InventoryUpdates)
		},
		Refreshes: func(*testing.T) int { return s.count("GET /api/v2/token/refresh") },
		Webhooks:  func(t *testing.T) []drivertest.Webhook { return s.inbox.Wait(t, 1) },
		Sign:      func(body []byte) http.Header { return signed(s.app, body) },
		Invalid: func(t *testing.T, _ *connector.Session) driver.Push {
			// A SKU of the product that does not exist, in a warehouse that does.
			view, err := s.SKU(s.id, s.skus["MUG-1"])
			if err != nil {
				t.Fatal(err)
			}
			ref := driver.ListingRef{ProductID: view.ProductID, SKUID: "1729000000000000001"}
			for id := range view.Stock {
				ref.Locations = append(ref.Locations, id)
			}
			return driver.Push{ID: "gone", Kind: driver.Absolute, Quantity: 3, Ref: ref}
		},
	}
}

func (s *shop) truth(t *testing.T, sku string) map[string]int64 {
	t.Helper()
	view, err := s.SKU(s.id, sku)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]int64{}
	for id, n := range view.Stock {
		out[id] = int64(n)
	}
	return out
}

func TestDocs(t *testing.T) { drivertest.CheckDocs(t, Vendor{}, "../..") }

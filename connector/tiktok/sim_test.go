package tiktok

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/spillway/spillway/connector"
	"github.com/spillway/spillway/connector/driver"
	"github.com/spillway/spillway/connector/drivertest"
	"github.com/spillway/spillway/domain/order"
	sim "github.com/spillway/spillway/sim/tiktok"
	"github.com/spillway/spillway/sim/world"
)

// TestGrantOfSeveralShops: one consent covers every shop of the seller, each with a cipher of its own.
func TestGrantOfSeveralShops(t *testing.T) {
	s := newShop(t)
	if _, err := s.AddShop(sim.ShopSpec{Name: "Second shop", Region: "GB", Seller: seller}); err != nil {
		t.Fatal(err)
	}
	address, err := Vendor{}.ConsentURL(s.app, "", "st/a+te=")
	if err != nil {
		t.Fatal(err)
	}
	back := drivertest.Follow(t, address+"&decision=approve&seller="+url.QueryEscape(seller))
	grant, err := Vendor{}.Exchange(t.Context(), s.app, http.DefaultClient, back)
	if err != nil {
		t.Fatal(err)
	}
	if len(grant.Shops) != 2 || grant.SellerName != seller || len(grant.Scopes) == 0 || grant.Subject == "" {
		t.Fatalf("grant of %d shops, seller %q, %d scopes", len(grant.Shops), grant.SellerName, len(grant.Scopes))
	}
	// The expiry fields are absolute: read as durations they would lie decades ahead.
	if left := time.Until(grant.AccessExpiresAt); left < 6*24*time.Hour || left > 8*24*time.Hour {
		t.Errorf("the access token has %v left, want about 7 days", left)
	}
	if left := time.Until(grant.RefreshExpires); left < 300*24*time.Hour || left > 400*24*time.Hour {
		t.Errorf("the refresh token has %v left, want about a year", left)
	}
	for _, shop := range grant.Shops {
		c := s.conn
		c.Shop = shop
		h := &drivertest.Harness{Vendor: Vendor{}, App: s.app, Connection: c, Grant: grant}
		if _, err := openSession(t, h).Locations(t.Context()); err != nil {
			t.Errorf("shop %s (%s): %v", shop.Name, shop.Region, err)
		}
	}
	fresh, err := Vendor{}.Refresh(t.Context(), s.app, http.DefaultClient, grant)
	if err != nil || fresh.AccessToken == grant.AccessToken || fresh.RefreshToken == grant.RefreshToken || fresh.RefreshToken == "" {
		t.Errorf("refresh: %v", err)
	}
	if _, err := (Vendor{}).Exchange(t.Context(), s.app, http.DefaultClient, back); driver.ClassOf(err) != driver.AskHuman {
		t.Errorf("the code again: %v", err)
	}
	if err := s.Revoke(seller); err != nil {
		t.Fatal(err)
	}
	if _, err = (Vendor{}).Refresh(t.Context(), s.app, http.DefaultClient, fresh); driver.ClassOf(err) != driver.AskHuman {
		t.Errorf("refresh after consent was withdrawn: %v", err)
	}
}

func openSession(t *testing.T, h *drivertest.Harness, change ...func(*connector.Options)) *connector.Session {
	t.Helper()
	o := connector.Options{
		Vendor: h.Vendor, Connection: h.Connection, Client: connector.NewClient(connector.ClientOptions{AllowLoopback: true}),
		Tokens: connector.Tokens{Current: func(context.Context) (string, error) { return h.Grant.AccessToken, nil }},
	}
	for _, c := range change {
		c(&o)
	}
	s, err := connector.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestRateStaysWithinTheLimit: callers in a hurry never see the platform's 429.
func TestRateStaysWithinTheLimit(t *testing.T) {
	s := newShop(t)
	session := openSession(t, s.harness(t))
	start := time.Now()
	const calls = 120
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			for range calls / 2 {
				if _, err := session.Locations(t.Context()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if failed := session.Recent().Errors(); len(failed) != 0 {
		t.Errorf("%d requests were refused: %+v", len(failed), failed[0])
	}
	if rate := calls / time.Since(start).Seconds(); rate > 50 {
		t.Errorf("%.0f requests a second", rate)
	}
}

// TestClockThatIsWrong: a machine whose clock is off is refused once and then stamps by the platform's clock.
func TestClockThatIsWrong(t *testing.T) {
	s := newShop(t)
	for _, off := range []time.Duration{-2 * time.Hour, time.Hour} {
		session := openSession(t, s.harness(t), func(o *connector.Options) {
			o.Now = func() time.Time { return time.Now().Add(off) }
		})
		for range 3 {
			if _, err := session.Locations(t.Context()); err != nil {
				t.Fatalf("off by %v: %v", off, err)
			}
		}
		if n := len(session.Recent().Errors()); n != 1 {
			t.Errorf("off by %v: %d requests were refused, want the first", off, n)
		}
	}
	// Where the clocks agree, the same code is for a person.
	h := s.harness(t)
	h.Grant.AccessToken = "ROW_nonsense"
	_, err := openSession(t, h).Locations(t.Context())
	if driver.ClassOf(err) != driver.AskHuman {
		t.Errorf("a token that never was: %v", err)
	}
}

// TestEverySimulatedWebhookIsUnderstood drives a shop through its life and demands facts from every message.
func TestEverySimulatedWebhookIsUnderstood(t *testing.T) {
	s := newShop(t)
	do := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	shipped := s.place(t, s.skus["MUG-1"], 3)
	do(s.Ship(shipped, "9400100000000000000017", ""))
	do(s.Scan(shipped))
	do(s.Deliver(shipped))
	if _, err := s.RequestReturn(shipped, "RETURN_AND_REFUND", ""); err != nil {
		t.Fatal(err)
	}
	cancelled := s.place(t, s.skus["MUG-2"], 1)
	if _, err := s.Cancel(cancelled, "SELLER", ""); err != nil {
		t.Fatal(err)
	}
	do(s.ChangeAddress(s.place(t, s.skus["MUG-3"], 1)))
	view, err := s.SKU(s.id, s.skus["SINGLE"])
	do(err)
	do(s.SetProductStatus(s.id, view.ProductID, "FAILED"))
	for id := range view.Stock {
		do(s.SetStock(s.id, s.skus["SINGLE"], id, 0))
	}
	fbt, err := s.AddShop(sim.ShopSpec{Name: "With platform stock", Seller: seller,
		Warehouses: []sim.WarehouseSpec{{Name: mainHall}, {Name: "Platform", FBT: true}},
		Products:   []sim.ProductSpec{{Title: "Kept there", SKUs: []sim.SKUSpec{{SellerSKU: "FBT", Stock: map[string]int{"Platform": 5}}}}}})
	do(err)
	kept, err := s.SKU(fbt, "FBT")
	do(err)
	inbound, err := s.SendInbound(fbt, kept.ID, 20)
	do(err)
	do(s.ReceiveInbound(fbt, inbound, 18))
	do(s.Revoke(seller))
	do(s.Webhooks().Idle(t.Context()))
	topics := map[string]int{}
	orders := map[string]*order.Order{}
	for _, w := range s.inbox.Wait(t, 0) {
		env, err := Vendor{}.Verify(s.app, w.Header, w.Body)
		do(err)
		facts, err := Vendor{}.Decode(env.Topic, w.Body)
		if err != nil || len(facts) == 0 {
			t.Errorf("%s gives %d facts, %v: %s", env.Topic, len(facts), err, w.Body)
		}
		topics[env.Topic]++
		for _, f := range facts {
			if f.Order == nil {
				continue
			}
			f.Order.ConnectionID = "c"
			o, _, err := order.Merge(orders[f.Order.ExternalID], *f.Order)
			do(err)
			orders[f.Order.ExternalID] = &o
		}
	}
	for _, topic := range []string{orderStatus, cancellation, returnStatus, addressUpdate, productStatus, deauthorised, inboundStatus, fbtInventory, inventoryStatus} {
		if topics[topic] == 0 {
			t.Errorf("no message of %s among %v", topic, topics)
		}
	}
	if o := orders[cancelled]; o == nil || o.Status != order.Cancelled || len(o.Cancellations) == 0 {
		t.Errorf("the cancelled order is %+v", o)
	}
	if o := orders[shipped]; o == nil || o.Status != order.Delivered || len(o.Returns) == 0 || !o.NeedsDetail {
		t.Errorf("the shipped order is %+v", o)
	}
}

// TestOrderReadsAsTheSimulatorKeepsIt compares what is read with the whole life of an order.
func TestOrderReadsAsTheSimulatorKeepsIt(t *testing.T) {
	s := newShop(t)
	session := openSession(t, s.harness(t))
	id, err := s.PlaceOrder(s.id, []sim.Wanted{{SKU: "MUG-1", Qty: 2}, {SKU: "MUG-2", Qty: 1}}, sim.PlaceOptions{Sample: true})
	if err != nil {
		t.Fatal(err)
	}
	read := func() order.Fact {
		t.Helper()
		got, err := session.OrdersByID(t.Context(), []string{id})
		if err != nil || len(got) != 1 {
			t.Fatalf("%d orders, %v", len(got), err)
		}
		return got[0]
	}
	f := read()
	if f.Status != order.AwaitingShipment || len(f.Detail.Lines) != 2 || !f.Detail.Flags.Sample || f.Detail.Fulfilment != order.BySeller {
		t.Errorf("a new order: %+v", f.Detail)
	}
	if d := f.Detail.Deadlines; d.ShipBy.IsZero() || d.HandOverBy.IsZero() || d.AutoCancelShipBy.IsZero() {
		t.Errorf("deadlines %+v", d)
	}
	if err := s.Ship(id, "9400100000000000000024", ""); err != nil {
		t.Fatal(err)
	}
	if f = read(); f.Status != order.AwaitingCollection || f.Detail.Moments.ReadyAt.IsZero() {
		t.Errorf("shipped: %s, %+v", f.Status, f.Detail.Moments)
	}
	if f.Detail.Lines[0].Units[0].PackageRef == "" {
		t.Error("a shipped unit has no package")
	}
	if err := s.Scan(id); err != nil {
		t.Fatal(err)
	}
	if f = read(); f.Status != order.InTransit || f.Detail.Moments.HandedOverAt.IsZero() {
		t.Errorf("with the carrier: %s, %+v", f.Status, f.Detail.Moments)
	}
}

// TestOrdersComeOldestChangeFirst: a poll that stops half way may go on from the last change it saw.
func TestOrdersComeOldestChangeFirst(t *testing.T) {
	clock := world.NewVirtual(time.Now().Truncate(time.Second))
	s := newShop(t, func(o *sim.Options) { o.Clock = clock })
	session := openSession(t, s.harness(t), func(o *connector.Options) { o.Now = clock.Now })
	var ids []string
	for range 5 {
		ids = append(ids, s.place(t, s.skus["MUG-1"], 1))
		clock.Advance(time.Minute)
	}
	if _, err := s.Cancel(ids[1], "SELLER", ""); err != nil { // changed last
		t.Fatal(err)
	}
	want := []string{ids[0], ids[2], ids[3], ids[4], ids[1]}
	var got []string
	var third time.Time
	for page, err := range session.OrderPages(t.Context(), time.Time{}, nil) {
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range page.Orders {
			if got = append(got, f.ExternalID); len(got) == 3 {
				third = f.UpdatedAt
			}
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("orders %v, want %v", got, want)
	}
	page, err := session.Orders(t.Context(), driver.OrderQuery{UpdatedFrom: third})
	if err != nil || len(page.Orders) != 3 || page.Orders[0].ExternalID != ids[3] {
		t.Errorf("from the third change on: %d orders, %v", len(page.Orders), err)
	}
}

// TestNothingIsSentEmpty watches every request: no empty object or list as a body, no empty query value.
func TestNothingIsSentEmpty(t *testing.T) {
	s := newShop(t)
	wire := &watch{t: t}
	session := openSession(t, s.harness(t), func(o *connector.Options) { o.Client = &http.Client{Transport: wire} })
	if _, err := session.Orders(t.Context(), driver.OrderQuery{}); err != nil {
		t.Error(err)
	}
	for range session.ListingPages(t.Context()) {
	}
	if _, err := session.Locations(t.Context()); err != nil {
		t.Error(err)
	}
	if _, err := session.SubscribeWebhooks(t.Context(), "https://hooks.example/x"); err != nil {
		t.Error(err)
	}
	if empty := s.EmptyBodies(); empty.Signed+empty.Unsigned != 0 || wire.n < 10 {
		t.Errorf("the simulator saw %+v in %d requests", empty, wire.n)
	}
}

type watch struct {
	t *testing.T
	n int
}

// RoundTrip implements http.RoundTripper.
func (w *watch) RoundTrip(r *http.Request) (*http.Response, error) {
	w.n++
	for name, values := range r.URL.Query() {
		if slices.Contains(values, "") {
			w.t.Errorf("%s sends %s without a value", r.URL.Path, name)
		}
	}
	if r.Body == nil && strings.Contains(r.Header.Get("content-type"), "json") {
		w.t.Errorf("%s announces JSON and sends none", r.URL.Path)
	}
	if r.GetBody != nil {
		b, err := r.GetBody()
		if err != nil {
			return nil, err
		}
		var v map[string]json.RawMessage
		if err := json.NewDecoder(b).Decode(&v); err != nil || len(v) == 0 {
			w.t.Errorf("%s sends %v, %v", r.URL.Path, v, err)
		}
	}
	return http.DefaultTransport.RoundTrip(r)
}

// TestTokenHostKeepsItsSecret: the token host takes the secret in the query, so no failure may carry the address.
func TestTokenHostKeepsItsSecret(t *testing.T) {
	app := driver.App{Key: demoKey, Secret: demoSecret, Settings: map[string]string{SettingTokenHost: "http://127.0.0.1:1"}}
	_, err := Vendor{}.Refresh(t.Context(), app, http.DefaultClient, driver.Grant{RefreshToken: "ROW_refresh"})
	if err == nil || strings.Contains(err.Error(), demoSecret) || strings.Contains(err.Error(), "ROW_refresh") {
		t.Errorf("%v", err)
	}
	if e, _ := errors.AsType[*driver.Error](err); e == nil || e.Class != driver.Retry || e.Applied {
		t.Errorf("a refused connection is %v", err)
	}
}

package ops

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	dummyvendor "github.com/spillway/spillway/connector/dummy"
	shopifyvendor "github.com/spillway/spillway/connector/shopify"
	tiktokvendor "github.com/spillway/spillway/connector/tiktok"

	"github.com/spillway/spillway/connector/driver"
	"github.com/spillway/spillway/domain/shipping"
	"github.com/spillway/spillway/kit/money"
	"github.com/spillway/spillway/kit/seal"
	"github.com/spillway/spillway/ops/view"
	dummysim "github.com/spillway/spillway/sim/dummy"
	shopifysim "github.com/spillway/spillway/sim/shopify"
	tiktoksim "github.com/spillway/spillway/sim/tiktok"
	"github.com/spillway/spillway/sim/world"
	"github.com/spillway/spillway/store"
)

const (
	stormOrders   = 50
	stormLikely   = 0.05             // of each way to fail
	stormPatience = 3 * time.Minute  // on a busy machine; it ends as soon as all is shipped
	stormLeap     = 30 * time.Second // how far time is moved on at once where nothing but time is missing
)

// storm is a shop whose simulator fails in every way it can, with parcels to be shipped from it.
type storm struct {
	*rig
	clock  *leaping
	faults *world.Faults
	points []string // of the calls that fail
	expiry string   // of those that are refused for their token; empty: the token cannot be renewed here
	orders []stormOrder
	paid   func(external string) int
	told   func(external string) []string // the numbers the channel knows of an order

	armed    int // calls refused for their token, or about to be
	expireAt int // failures from which on the next is
}

type stormOrder struct {
	external string
	units    []string
}

// leaping is a clock that a test may move on. What runs by it are deadlines; timers run by the wall clock.
type leaping struct{ ahead atomic.Int64 }

func (c *leaping) Now() time.Time { return time.Now().Add(time.Duration(c.ahead.Load())) }

func (c *leaping) At(when time.Time, do func()) func() {
	t := time.AfterFunc(when.Sub(c.Now()), do)
	return func() { t.Stop() }
}

// newStorm starts a process of its own with a connection to a simulator. approve turns the address of consent into that of the seller who agrees.
func newStorm(t *testing.T, clock *leaping, vendor driver.Vendor, handler http.Handler, app func(base string) view.AppDraft, approve string) *storm {
	t.Helper()
	r := &storm{rig: &rig{t: t}, clock: clock}
	platform := httptest.NewServer(handler)
	t.Cleanup(platform.Close)
	st, err := store.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "storm.db"), store.Options{})
	r.must(err)
	ring, err := seal.Parse(seal.NewKey())
	r.must(err)
	client := func(bool) *http.Client { return &http.Client{Timeout: 10 * time.Second} }
	r.x, err = New(Options{Store: st, Vendors: []driver.Vendor{vendor}, Ring: ring, Now: clock.Now, PublicURL: "https://ops.example.com", Simulated: true, Client: client, Files: client})
	r.must(err)
	r.must(r.x.Start(t.Context()))
	t.Cleanup(func() { r.x.Stop(); r.must(st.Close()) })
	r.st, r.d = st, newDesk(t, r.x)
	added, err := r.d.AddApp(t.Context(), app(platform.URL))
	r.must(err)
	address, err := r.d.ConnectStart(t.Context(), added.ID, "https://ops.example.com/apps/"+added.ID+"/callback", "lena")
	r.must(err)
	browser := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := browser.Get(address + approve)
	r.must(err)
	r.must(res.Body.Close())
	back, err := res.Location()
	r.must(err)
	r.did(r.d.ConnectFinish(t.Context(), added.ID, back.Query(), "lena"))
	return r
}

func dummyStorm(t *testing.T) *storm {
	clock := &leaping{}
	s := dummysim.New(clock, 1)
	t.Cleanup(s.Stop)
	r := newStorm(t, clock, dummyvendor.Vendor{}, s.Handler(), func(base string) view.AppDraft {
		return view.AppDraft{Vendor: "dummy", Key: dummysim.AppKey, Secret: dummysim.AppSecret, Settings: map[string]string{"base_url": base}, Actor: "lena"}
	}, "")
	r.conn, r.faults, r.points = "dummy-"+dummysim.ShopID, s.Faults, []string{"*/labels/*", "*/parcels*", "*/offer", "*/carriers"}
	r.expiry = "*/orders/*" // quotes and parcels
	for i := range stormOrders {
		o, err := s.Place(fmt.Sprintf("S%d", 1+i%6), 1)
		r.must(err)
		r.orders = append(r.orders, stormOrder{external: o.ID})
	}
	r.paid = s.LabelsPaid
	r.told = func(external string) (out []string) {
		for _, p := range s.Parcels(external) {
			out = append(out, p.Tracking)
		}
		return out
	}
	return r
}

func tiktokStorm(t *testing.T, region, whose string) *storm {
	clock := &leaping{}
	s, err := tiktoksim.New(tiktoksim.Options{Seed: 3, Clock: clock, Hold: -1, RedirectURL: "https://ops.example.com/done", Shops: []tiktoksim.ShopSpec{{
		Name: "Storm", Seller: "Storm Seller", Region: region, Shipping: whose, Warehouses: []tiktoksim.WarehouseSpec{{Name: "Main"}},
		Products: []tiktoksim.ProductSpec{{Title: "Mug", SKUs: []tiktoksim.SKUSpec{{SellerSKU: "MUG", Price: 1250, Stock: map[string]int{"Main": 1000}}}}},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Stop)
	access, err := s.Grant("Storm Seller")
	if err != nil {
		t.Fatal(err)
	}
	r := newStorm(t, clock, tiktokvendor.Vendor{}, s.Handler(), func(base string) view.AppDraft {
		return view.AppDraft{Vendor: "tiktok", Key: access.AppKey, Secret: access.AppSecret, Actor: "lena", Settings: map[string]string{
			tiktokvendor.SettingServiceID: access.ServiceID, tiktokvendor.SettingAPIHost: base, tiktokvendor.SettingTokenHost: base,
			tiktokvendor.SettingConsentURL: base + "/open/authorize"}}
	}, "&decision=approve&seller="+url.QueryEscape("Storm Seller"))
	shop := s.Shops()[0].ID
	r.conn, r.faults, r.points = "tiktok-"+shop, s.Faults(), []string{"*/fulfillment/*", "GET /order/*", "*/shipping_providers"}
	r.expiry = "GET /order/*"
	for range stormOrders {
		id, err := s.PlaceOrder(shop, []tiktoksim.Wanted{{SKU: "MUG", Qty: 1}}, tiktoksim.PlaceOptions{})
		r.must(err)
		lines, err := s.Lines(id)
		r.must(err)
		r.orders = append(r.orders, stormOrder{id, lines})
	}
	r.paid = func(external string) int {
		n, err := s.LabelsPaid(external)
		r.must(err)
		return n
	}
	r.told = func(external string) (out []string) {
		all, err := s.Parcels(external)
		r.must(err)
		for _, p := range all {
			out = append(out, p.Tracking)
		}
		return out
	}
	return r
}

func shopifyStorm(t *testing.T) *storm {
	clock := &leaping{}
	const domain = "storm.myshopify.com"
	s, err := shopifysim.New(shopifysim.Options{Seed: 5, Clock: clock, ShopDomain: domain, Unthrottled: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	if _, err := s.AddProduct(shopifysim.ProductInput{Title: "Mug", Variants: []shopifysim.VariantInput{{SKU: "MUG", Title: "Mug", Stock: 1000, Price: "12.50"}}}); err != nil {
		t.Fatal(err)
	}
	r := newStorm(t, clock, shopifyvendor.Vendor{}, s.Handler(), func(base string) view.AppDraft {
		return view.AppDraft{Vendor: "shopify", Key: "sandbox-client", Secret: "sandbox-secret", Actor: "lena", Settings: map[string]string{
			shopifyvendor.SettingBase: base, shopifyvendor.SettingShop: domain}}
	}, "")
	r.conn, r.faults, r.points = connectionID("shopify", driver.Shop{ExternalID: domain}), s.Faults(), []string{"*mutation fulfillmentCreate*", "*query node"}
	for range stormOrders {
		o, err := s.PlaceOrder(shopifysim.OrderInput{Lines: []shopifysim.OrderLine{{SKU: "MUG", Quantity: 1}}})
		r.must(err)
		lines, err := s.LineIDs(o.ID)
		r.must(err)
		r.orders = append(r.orders, stormOrder{strconv.FormatInt(o.ID, 10), []string{strconv.FormatInt(lines[0], 10)}})
	}
	r.paid = func(string) int { return 0 } // it sells no labels
	r.told = func(external string) (out []string) {
		id, err := strconv.ParseInt(external, 10, 64)
		r.must(err)
		all, err := s.Parcels(id)
		r.must(err)
		for _, p := range all {
			out = append(out, p.Numbers...)
		}
		return out
	}
	return r
}

// breaks lets calls fail. A token that is refused although it was renewed a moment ago is for a person, so those are refused one by one.
func (r *storm) breaks() {
	r.t.Helper()
	for _, point := range r.points {
		for _, kind := range []world.Kind{world.Throttle, world.Unavailable, world.Internal, world.LostReply, world.LostRequest, world.Delay} {
			rule := world.Rule{Point: point, Kind: kind, Probability: stormLikely}
			if kind == world.Delay {
				rule.Delay = world.Duration(20 * time.Millisecond)
			}
			_, err := r.faults.Add(rule)
			r.must(err)
		}
	}
}

// begin stores a parcel for each order, packed and weighed.
func (r *storm) begin(way shipping.Way) {
	r.t.Helper()
	r.until("all orders are known", func() bool {
		n := 0
		r.must(r.st.View(r.t.Context(), func(tx *store.Tx) error {
			var ids []string
			for _, o := range r.orders {
				ids = append(ids, r.conn+":"+o.external)
			}
			found, err := tx.OrdersGet(ids)
			n = len(found)
			return err
		}))
		return n == stormOrders
	})
	r.breaks()
	var all []store.Shipment
	for i, o := range r.orders {
		s := r.shipment(fmt.Sprintf("sh-%03d", i), r.conn+":"+o.external, way, "")
		s.Lines[0].Units = o.units
		s.Box.LengthMM, s.Box.WidthMM, s.Box.HeightMM = 200, 150, 100
		if way == shipping.ByHand {
			r.must(s.Scanned(r.clock.Now(), "USPS", fmt.Sprintf("STORM%07d", i), money.Amount{}))
		}
		all = append(all, s)
	}
	r.must(r.st.Update(r.t.Context(), func(tx *store.Tx) error {
		_, err := tx.ShipmentsAdd(all)
		return err
	}))
}

// passes waits until every parcel is as wanted. Where nothing but time is missing, it moves the clock on.
func (r *storm) passes(want func(store.Shipment) bool) []store.Shipment {
	r.t.Helper()
	end := time.Now().Add(stormPatience)
	for {
		var all []store.Shipment
		r.must(r.st.View(r.t.Context(), func(tx *store.Tx) error {
			for i := range r.orders {
				s, err := tx.ShipmentGet(fmt.Sprintf("sh-%03d", i))
				if err != nil {
					return err
				}
				all = append(all, s)
			}
			return nil
		}))
		left, now, still := 0, r.clock.Now(), true
		for _, s := range all {
			if q := s.Question(); q != "" {
				r.t.Fatalf("parcel %s asks: %s", s.ID, q)
			}
			if want(s) {
				continue
			}
			left++
			still = still && s.Label.Fate != shipping.Open && s.Tell.Fate != shipping.Open && !s.Next(now).Due(now)
		}
		switch {
		case left == 0:
			return all
		case time.Now().After(end):
			r.t.Fatalf("in vain: %d parcels are not shipped", left)
		case still:
			r.clock.ahead.Add(int64(stormLeap))
		}
		r.expire()
		select {
		case <-time.After(20 * time.Millisecond):
		case <-r.t.Context().Done():
			r.t.FailNow()
		}
	}
}

// expire has one more call refused for its token whenever twenty of the others have failed. Only one such refusal is arranged at a time.
func (r *storm) expire() {
	struck := 0
	pending := ""
	for _, rule := range r.faults.List() {
		struck += rule.Struck
		if rule.Kind == world.TokenExpired {
			pending = rule.ID
		}
	}
	if struck < r.expireAt || r.expiry == "" {
		return
	}
	r.expireAt = struck + 20
	if pending != "" && r.faults.Remove(pending) {
		r.armed--
	}
	_, err := r.faults.Add(world.Rule{Point: r.expiry, Kind: world.TokenExpired, Remaining: 1})
	r.must(err)
	r.armed++
}

// failed demands that the simulator has failed often, and that answers were lost.
func (r *storm) failed() {
	r.t.Helper()
	by := map[world.Kind]int{world.TokenExpired: r.armed} // one that has struck once is gone
	for _, rule := range r.faults.List() {
		by[rule.Kind] += rule.Struck
		by[world.TokenExpired] -= rule.Remaining
	}
	all := 0
	for _, n := range by {
		all += n
	}
	if all < stormOrders/5 || by[world.LostReply]+by[world.LostRequest] == 0 { // which calls meet which failure is left to chance
		r.t.Errorf("too few failed: %v", by)
	}
	r.t.Logf("failed: %v, time moved on by %v", by, time.Duration(r.clock.ahead.Load()))
}

func TestEachOrderIsLabelledOnceWhateverFails(t *testing.T) {
	if testing.Short() {
		t.Skip("time is moved on in leaps, and under the race detector's pace tokens end before they are renewed")
	}
	for name, start := range map[string]func(*testing.T) *storm{
		"dummy":  dummyStorm,
		"US":     func(t *testing.T) *storm { return tiktokStorm(t, "US", "TIKTOK") },
		"Europe": func(t *testing.T) *storm { return tiktokStorm(t, "GB", "TIKTOK") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := start(t)
			r.begin(shipping.ByPlatform)
			all := r.passes(func(s store.Shipment) bool { return s.Label.Fate == shipping.Done && s.Label.Document != "" })
			seen := map[string]bool{}
			for i, s := range all {
				if n := r.paid(r.orders[i].external); n != 1 {
					t.Errorf("order %s has %d labels paid", r.orders[i].external, n)
				}
				if numbers := r.told(r.orders[i].external); !slices.Equal(numbers, []string{s.Label.Tracking}) || seen[s.Label.Tracking] {
					t.Errorf("parcel %s goes under %q, the platform has %v", s.ID, s.Label.Tracking, numbers)
				}
				seen[s.Label.Tracking] = true
				d, err := r.x.Document(t.Context(), s.Label.Document)
				if err != nil || len(d.Data) == 0 || !strings.HasPrefix(d.Type, "application/") {
					t.Errorf("parcel %s: %q, %v", s.ID, d.Type, err)
				}
			}
			r.failed()
		})
	}
}

func TestEachNumberIsToldOnceWhateverFails(t *testing.T) {
	for name, start := range map[string]func(*testing.T) *storm{
		"dummy":   dummyStorm,
		"US":      func(t *testing.T) *storm { return tiktokStorm(t, "US", "SELLER") },
		"Shopify": shopifyStorm,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := start(t)
			r.begin(shipping.ByHand)
			all := r.passes(func(s store.Shipment) bool {
				return s.Tell.Fate == shipping.Done && s.Tell.Tracking == s.Label.Tracking
			})
			for i, s := range all {
				if numbers := r.told(r.orders[i].external); !slices.Equal(numbers, []string{s.Label.Tracking}) {
					t.Errorf("parcel %s goes under %q, the channel knows %v", s.ID, s.Label.Tracking, numbers)
				}
				if n := r.paid(r.orders[i].external); n != 0 {
					t.Errorf("order %s has %d labels paid, and its own", r.orders[i].external, n)
				}
			}
			r.failed()
		})
	}
}

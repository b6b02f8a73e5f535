package ops

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	vendor "github.com/spillway/spillway/connector/dummy"

	"github.com/spillway/spillway/connector/driver"
	"github.com/spillway/spillway/domain/catalog"
	"github.com/spillway/spillway/domain/stock"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/kit/seal"
	"github.com/spillway/spillway/ops/view"
	sim "github.com/spillway/spillway/sim/dummy"
	"github.com/spillway/spillway/sim/world"
	"github.com/spillway/spillway/store"
)

// rig is a desk over real use-cases, a real database and a simulated shop behind real HTTP.
type rig struct {
	t    *testing.T
	x    *Ops
	d    *Desk
	st   *store.Store
	shop *sim.Sim
	conn string
}

// patience bounds every wait of a test; a wait ends as soon as what it waits for is there.
const patience = 20 * time.Second

func newOps(t testing.TB, public string) *Ops {
	t.Helper()
	return newOpsOn(t, homes["sqlite"](t), public)
}

func newOpsOn(t testing.TB, url, public string) *Ops {
	t.Helper()
	st, err := store.Open(t.Context(), url, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	})
	ring, err := seal.Parse(seal.NewKey())
	if err != nil {
		t.Fatal(err)
	}
	client := func(bool) *http.Client { return &http.Client{Timeout: 10 * time.Second} }
	x, err := New(Options{Store: st, Vendors: []driver.Vendor{vendor.Vendor{}}, Ring: ring, Now: time.Now, PublicURL: public, Simulated: true, Client: client, Files: client})
	if err != nil {
		t.Fatal(err)
	}
	if err := x.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(x.Stop)
	return x
}

func newDesk(t testing.TB, x *Ops) *Desk {
	t.Helper()
	d, err := NewDesk(x, DeskOptions{Shop: "Testhaus", Zones: []view.Zone{{Label: "Warehouse", Location: "Europe/Berlin"}}, PublicURL: "https://ops.example.com"})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// newRig connects a shop that sells MUG under two listings (S1 and S3) and LAMP under S4, with 100 units of each.
func newRig(t *testing.T) *rig {
	t.Helper()
	return newRigOn(t, homes["sqlite"](t))
}

// rigOnBoth runs a test with a rig on each database.
func rigOnBoth(t *testing.T, f func(t *testing.T, r *rig)) {
	t.Helper()
	onBoth(t, func(t *testing.T, url string) { f(t, newRigOn(t, url)) })
}

func newRigOn(t *testing.T, url string) *rig {
	t.Helper()
	r := &rig{t: t, shop: sim.New(world.Wall(), 1)}
	t.Cleanup(r.shop.Stop)
	platform := httptest.NewServer(r.shop.Handler())
	t.Cleanup(platform.Close)
	hooks := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, err := io.ReadAll(io.LimitReader(req.Body, driver.MaxWebhook))
		parts := strings.Split(strings.Trim(req.URL.Path, "/"), "/")
		if err != nil || len(parts) != 3 || r.x.Receive(req.Context(), parts[1], parts[2], req.Header, body) != nil {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	t.Cleanup(hooks.Close)
	r.x = newOpsOn(t, url, hooks.URL)
	r.st, r.d = r.x.st, newDesk(t, r.x)
	r.must(r.st.Update(t.Context(), func(tx *store.Tx) error {
		return tx.LocationPut(stock.Location{ID: "main", Name: "Berlin", Kind: stock.Own, Active: true})
	}))
	r.must(r.x.PutItems(t.Context(), []catalog.Item{{ID: "MUG", SKU: "ITEM-S1", Title: "A mug", Barcode: "4006381333931"}, {ID: "LAMP", SKU: "ITEM-S4", Title: "A lamp"}}))
	for _, item := range []string{"MUG", "LAMP"} {
		r.did(r.d.AdjustStock(t.Context(), view.StockDraft{ID: "first-" + item, Kind: "receive", ItemID: item, LocationID: "main", Qty: 100, Actor: "lena"}))
	}
	r.connect(platform.URL)
	r.must(r.x.MapListing(t.Context(), r.listing("S3"), "MUG", "lena"))
	r.rest()
	return r
}

func (r *rig) connect(base string) {
	r.t.Helper()
	ctx := r.t.Context()
	app, err := r.d.AddApp(ctx, view.AppDraft{Vendor: "dummy", Key: sim.AppKey, Secret: sim.AppSecret, Settings: map[string]string{"base_url": base}, Actor: "lena"})
	r.must(err)
	address, err := r.d.ConnectStart(ctx, app.ID, "https://ops.example.com/apps/"+app.ID+"/callback", "lena")
	r.must(err)
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := client.Get(address)
	r.must(err)
	res.Body.Close()
	back, err := url.Parse(res.Header.Get("Location"))
	r.must(err)
	r.did(r.d.ConnectFinish(ctx, app.ID, back.Query(), "lena"))
	r.conn = "dummy-shop-1"
	r.until("listings are read", func() bool { return r.x.catalog.Load().listings[r.listing("S4")].ItemID == "LAMP" })
}

func (r *rig) listing(sku string) string { return catalog.ListingID(r.conn, sku) }

func (r *rig) must(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) did(v view.Done, err error) view.Done {
	r.t.Helper()
	r.must(err)
	if v.Sentence == "" {
		r.t.Fatal("something was done and nothing said")
	}
	return v
}

// until waits for a condition, looking whenever something changed.
func (r *rig) until(what string, cond func() bool) {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), patience)
	defer cancel()
	look := time.NewTicker(10 * time.Millisecond)
	defer look.Stop()
	for !cond() {
		select {
		case <-look.C:
		case <-ctx.Done():
			r.t.Fatalf("in vain: waited %v until %s", patience, what)
		}
	}
}

// rest waits until every listing with an item has a book about which nothing is under way, and nothing is to be planned.
func (r *rig) rest() {
	r.t.Helper()
	r.until("every book is settled", func() bool {
		quiet := r.x.planner.resting()
		err := r.st.View(r.t.Context(), func(tx *store.Tx) error {
			for _, id := range []string{r.listing("S1"), r.listing("S3"), r.listing("S4")} {
				set, err := r.x.loadBooks(tx, []string{id})
				if err != nil {
					return err
				}
				b, open := set.Books[id]
				quiet = quiet && open && b.Settled()
			}
			for _, problem := range []string{"MUG", "LAMP"} {
				plans, err := r.x.planner.look(tx, []string{problem}, tx.Balances)
				if err != nil {
					return err
				}
				quiet = quiet && len(plans[0].plan.Pushes) == 0
			}
			return nil
		})
		if err != nil && !errs.Is(err, errs.Conflict) {
			r.t.Fatal(err)
		}
		return quiet
	})
}

// told is what the item page says of a listing.
func (r *rig) told(item, sku string) view.Listing {
	r.t.Helper()
	v, err := r.d.Item(r.t.Context(), item, nil, 0)
	r.must(err)
	for _, l := range v.Listings {
		if l.ExternalSKU == sku {
			return l
		}
	}
	r.t.Fatalf("%s has no listing %s", item, sku)
	return view.Listing{}
}

// sell places an order and waits until it is taken in.
func (r *rig) sell(sku string, qty int64) string {
	r.t.Helper()
	o, err := r.shop.Place(sku, qty)
	r.must(err)
	id := r.conn + ":" + o.ID
	r.until("order "+id+" is known", func() bool {
		_, err := r.d.Order(r.t.Context(), id)
		return err == nil
	})
	return id
}

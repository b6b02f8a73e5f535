package stage

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/spillway/spillway/app"
	"github.com/spillway/spillway/domain/catalog"
	"github.com/spillway/spillway/domain/stock"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/kit/id"
	"github.com/spillway/spillway/kit/money"
	"github.com/spillway/spillway/ops"
	"github.com/spillway/spillway/sim/shopify"
	"github.com/spillway/spillway/sim/tiktok"
	"github.com/spillway/spillway/sim/world"
)

// Shop is a simulated channel as buyers, the warehouse and an operator use it.
type Shop interface {
	// App is what the operator enters to connect it.
	App(id string) ops.NewApp
	// Place is a buyer checking out; it is refused with errs.Insufficient when the shop shows too few.
	Place(lines []Line) (order string, err error)
	// Ship hands an order to the carrier; Cancel is a buyer changing his mind.
	Ship(order string) error
	Cancel(order string) error
	// Active is how many units of a SKU were sold and not cancelled: what must be in stock.
	Active(sku string) int
	// Shows is how many units of a SKU the shop offers now; Edit changes that behind Spillway's back.
	Shows(sku string) int
	Edit(sku string, units int) error
	// Faults are what goes wrong at the shop.
	Faults() *world.Faults
	// Courier delivers the shop's webhooks.
	Courier() *world.Courier
	Stop()
}

// Line is so many units of a SKU.
type Line struct {
	SKU string
	Qty int
}

// Article is something a shop sells.
type Article struct {
	SKU, Title string
	Cents      int64
}

// served is an HTTP server of a simulator on a loopback port.
type served struct {
	server *http.Server
	url    string
}

func serve(h http.Handler, log *slog.Logger) (served, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return served{}, errs.Wrap("demo.serve", "", err)
	}
	s := &http.Server{Handler: h, ReadHeaderTimeout: 5 * time.Second, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug)}
	go s.Serve(l)
	return served{s, "http://" + l.Addr().String()}, nil
}

// deliverers post webhooks at once, as many as a burst of orders needs.
const deliverers = 32

type tiktokShop struct {
	sim  *tiktok.Sim
	at   served
	shop string
}

// TikTok starts a TikTok shop on a loopback port, its remorse period shortened to hold.
func TikTok(name string, seed uint64, hold time.Duration, articles []Article, log *slog.Logger) (Shop, error) {
	spec := tiktok.ShopSpec{Name: name, Seller: name}
	for _, a := range articles {
		spec.Products = append(spec.Products, tiktok.ProductSpec{Title: a.Title, SKUs: []tiktok.SKUSpec{{SellerSKU: a.SKU, Price: a.Cents}}})
	}
	sim, err := tiktok.New(tiktok.Options{Seed: seed, Log: log, AutoApprove: true, Hold: hold, WebhookWorkers: deliverers, Shops: []tiktok.ShopSpec{spec},
		AppKey: "key-" + strconv.FormatUint(seed, 10), AppSecret: "secret-" + strconv.FormatUint(seed, 10), ServiceID: "service"})
	if err != nil {
		return nil, err
	}
	at, err := serve(sim.Handler(), log)
	if err != nil {
		sim.Stop()
		return nil, err
	}
	return &tiktokShop{sim: sim, at: at, shop: sim.Shops()[0].ID}, nil
}

func (c *tiktokShop) App(id string) ops.NewApp {
	acc, err := c.sim.Grant(c.sim.Sellers()[0])
	if err != nil {
		panic("stage: the simulator has no seller: " + err.Error())
	}
	return ops.NewApp{ID: id, Vendor: "tiktok", Key: acc.AppKey, Secret: acc.AppSecret, Settings: map[string]string{
		"service_id": acc.ServiceID, "consent_url": c.at.url + "/open/authorize", "api_url": c.at.url, "token_url": c.at.url}}
}

func (c *tiktokShop) Place(lines []Line) (string, error) {
	wanted := make([]tiktok.Wanted, len(lines))
	for i, l := range lines {
		wanted[i] = tiktok.Wanted{SKU: l.SKU, Qty: l.Qty}
	}
	return c.sim.PlaceOrder(c.shop, wanted, tiktok.PlaceOptions{})
}

func (c *tiktokShop) Ship(id string) error {
	if err := c.sim.Ship(id, "", ""); err != nil {
		return err
	}
	return c.sim.Scan(id)
}

func (c *tiktokShop) Cancel(id string) error {
	_, err := c.sim.Cancel(id, "BUYER", "")
	return err
}

func (c *tiktokShop) Active(sku string) int {
	st, err := c.sim.SKU(c.shop, sku)
	if err != nil {
		return 0
	}
	return st.Active
}

func (c *tiktokShop) Shows(sku string) int {
	st, err := c.sim.SKU(c.shop, sku)
	if err != nil {
		return 0
	}
	return st.Available
}

func (c *tiktokShop) Edit(sku string, units int) error {
	st, err := c.sim.SKU(c.shop, sku)
	if err != nil {
		return err
	}
	for warehouse := range st.Stock {
		return c.sim.SetStock(c.shop, st.ID, warehouse, units)
	}
	return nil
}

func (c *tiktokShop) Faults() *world.Faults { return c.sim.Faults() }

func (c *tiktokShop) Courier() *world.Courier { return c.sim.Webhooks() }

func (c *tiktokShop) Stop() {
	c.at.server.Close()
	c.sim.Stop()
}

type shopifyStore struct {
	sim *shopify.Sim
	at  served
}

// Shopify starts a Shopify store on a loopback port.
func Shopify(name string, seed uint64, plan shopify.Plan, articles []Article, log *slog.Logger) (Shop, error) {
	sim, err := shopify.New(shopify.Options{Seed: seed, Log: log, ShopName: name, Plan: plan})
	if err != nil {
		return nil, err
	}
	for _, a := range articles {
		price := money.Amount{Minor: a.Cents, Currency: "USD"}.Decimal()
		if _, err := sim.AddProduct(shopify.ProductInput{Title: a.Title, Variants: []shopify.VariantInput{{SKU: a.SKU, Price: price}}}); err != nil {
			sim.Close()
			return nil, err
		}
	}
	at, err := serve(sim.Handler(), log)
	if err != nil {
		sim.Close()
		return nil, err
	}
	return &shopifyStore{sim: sim, at: at}, nil
}

func (c *shopifyStore) App(id string) ops.NewApp {
	return ops.NewApp{ID: id, Vendor: "shopify", Key: "sandbox-client", Secret: "sandbox-secret", Settings: map[string]string{
		"shop": "sandbox.myshopify.com", "base_url": c.at.url}}
}

func (c *shopifyStore) Place(lines []Line) (string, error) {
	in := shopify.OrderInput{}
	for _, l := range lines {
		in.Lines = append(in.Lines, shopify.OrderLine{SKU: l.SKU, Quantity: l.Qty})
	}
	o, err := c.sim.PlaceOrder(in)
	return strconv.FormatInt(o.ID, 10), err
}

func (c *shopifyStore) Ship(id string) error {
	n, err := strconv.ParseInt(id, 10, 64)
	if err != nil {
		return err
	}
	_, err = c.sim.FulfillOrder(n, "USPS", "")
	return err
}

func (c *shopifyStore) Cancel(id string) error {
	n, err := strconv.ParseInt(id, 10, 64)
	if err != nil {
		return err
	}
	_, err = c.sim.CancelOrder(n, "CUSTOMER", true)
	return err
}

func (c *shopifyStore) Active(sku string) int {
	st, err := c.sim.Stats(sku)
	if err != nil {
		return 0
	}
	return st.Active
}

func (c *shopifyStore) Shows(sku string) int { return c.sim.Available(sku) }

func (c *shopifyStore) Edit(sku string, units int) error {
	places, err := c.sim.Stock(sku)
	if err != nil {
		return err
	}
	return c.sim.SetAvailable(sku, places[0].Location, units)
}

func (c *shopifyStore) Faults() *world.Faults { return c.sim.Faults() }

func (c *shopifyStore) Courier() *world.Courier { return c.sim.Courier() }

func (c *shopifyStore) Stop() {
	c.at.server.Close()
	c.sim.Close()
}

// Connect does what an operator does in the browser: enter the app's keys, go to the consent page, come back with the answer. It
// returns the connection ids.
func Connect(ctx context.Context, a *app.App, n ops.NewApp, actor string) ([]string, error) {
	const op = "stage.Connect"
	row, err := a.Ops().AddApp(ctx, n)
	if err != nil {
		return nil, err
	}
	page, err := a.Ops().ConnectStart(ctx, row.ID, a.URL()+"/back", actor)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, page, nil)
	if err != nil {
		return nil, errs.Wrap(op, n.ID, err)
	}
	client := &http.Client{Timeout: 10 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(req)
	if err != nil {
		return nil, errs.Wrap(op, n.ID, err)
	}
	defer resp.Body.Close()
	back, err := url.Parse(resp.Header.Get("Location"))
	if err != nil || back.RawQuery == "" {
		return nil, errs.New(errs.Internal, op, n.ID, "the simulator's consent page did not answer with a redirect")
	}
	return a.Ops().ConnectFinish(ctx, row.ID, back.Query(), actor)
}

// Furnish puts the articles into Spillway as items and receives units of each at the main warehouse.
func Furnish(ctx context.Context, a *app.App, articles []Article, units func(i int) int64, actor string) error {
	items := make([]catalog.Item, len(articles))
	for i, v := range articles {
		items[i] = catalog.Item{ID: v.SKU, SKU: v.SKU, Title: v.Title}
	}
	if err := a.Ops().PutItems(ctx, items); err != nil {
		return err
	}
	return Receive(ctx, a, articles, units, actor)
}

// Receive books a delivery.
func Receive(ctx context.Context, a *app.App, articles []Article, units func(i int) int64, actor string) error {
	var moves []stock.Movement
	for i, v := range articles {
		if n := units(i); n > 0 {
			moves = append(moves, stock.Movement{ID: id.New(), At: time.Now().UTC(), Kind: stock.Receive, ItemID: v.SKU, LocationID: "main", OnHand: n, Ref: "delivery"})
		}
	}
	return a.Ops().Move(ctx, actor, moves, nil)
}

// WaitTold waits until every listing shows what it should.
func WaitTold(ctx context.Context, a *app.App, listings int) error {
	deadline := time.Now().Add(2 * time.Minute)
	for {
		told, all, err := a.Ops().Told(ctx)
		if err != nil {
			return err
		}
		if all == listings && told == all {
			return nil
		}
		if time.Now().After(deadline) {
			return errs.New(errs.Internal, "stage.WaitTold", "", "only %d of %d listings show what they should", told, listings)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(250 * time.Millisecond): // each look reads every book
		}
	}
}

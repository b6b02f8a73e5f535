package bench

import (
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/spillway/spillway/app/stage"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/kit/money"
	"github.com/spillway/spillway/ops"
	"github.com/spillway/spillway/sim/dummy"
	"github.com/spillway/spillway/sim/shopify"
	"github.com/spillway/spillway/sim/tiktok"
	"github.com/spillway/spillway/sim/world"
)

// shipShop is a simulated shop as its buyers use it, and its own books.
type shipShop struct {
	name    string
	app     ops.NewApp
	conn    string
	skus    []string
	faults  *world.Faults
	place   func(lines []stage.Line, within time.Duration) (*shipOrder, error) // within: the deadline, where the shop leaves it open
	parcels func(id string) ([]sent, error)                                    // what the shop knows to be on its way
	labels  func(id string) (int, error)                                       // labels of the shop's own that were paid
	expire  func() error                                                       // the token in use is no good any more
	stop    func()
}

// sent is a parcel of an order as its shop knows it.
type sent struct {
	numbers []string
	units   int
}

func unitsOf(all []sent) (n int) {
	for _, p := range all {
		n += p.units
	}
	return n
}

// shipOrder is an order as its shop knows it.
type shipOrder struct {
	shop        *shipShop
	id, number  string
	units       int
	split       bool // what it holds lies in two places
	placed, due time.Time
	told        time.Time // when the shop first knew how all of it goes
	sent        []sent
}

// serveSim serves a simulator on a loopback port.
func serveSim(h http.Handler) (url string, stop func(), err error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, errs.Wrap("bench.Ship", "listen", err)
	}
	s := &http.Server{Handler: h, ReadHeaderTimeout: 5 * time.Second}
	go s.Serve(l) //nolint:errcheck // closed at the end
	return "http://" + l.Addr().String(), func() { s.Close() }, nil
}

// sku is how a shop calls an item.
func sku(item int) string { return "ITEM-S" + strconv.Itoa(item) }

// tiktokShip is a shop whose orders go on labels of its own, or of the seller's.
func tiktokShip(name string, seed uint64, clock world.Clock, labels string, items []int) (*shipShop, error) {
	spec := tiktok.ShopSpec{Name: name, Seller: name, Region: "US", Shipping: labels, Warehouses: []tiktok.WarehouseSpec{{Name: "Main"}}}
	c := &shipShop{name: name}
	for _, i := range items {
		c.skus = append(c.skus, sku(i))
		spec.Products = append(spec.Products, tiktok.ProductSpec{Title: "Article " + sku(i), SKUs: []tiktok.SKUSpec{{SellerSKU: sku(i), Price: 1999}}})
	}
	sim, err := tiktok.New(tiktok.Options{Seed: seed, Clock: clock, AutoApprove: true, Hold: -1, Shops: []tiktok.ShopSpec{spec}, NoAutoCancel: true})
	if err != nil {
		return nil, err
	}
	url, stop, err := serveSim(sim.Handler())
	if err != nil {
		sim.Stop()
		return nil, err
	}
	acc, err := sim.Grant(name)
	if err != nil {
		return nil, err
	}
	shop := sim.Shops()[0].ID
	c.app = ops.NewApp{ID: name, Vendor: "tiktok", Key: acc.AppKey, Secret: acc.AppSecret, Settings: map[string]string{
		"service_id": acc.ServiceID, "consent_url": url + "/open/authorize", "api_url": url, "token_url": url}}
	c.faults, c.stop = sim.Faults(), func() { stop(); sim.Stop() }
	c.expire = func() error { return sim.ExpireTokens(name) }
	c.place = func(lines []stage.Line, _ time.Duration) (*shipOrder, error) {
		wanted := make([]tiktok.Wanted, len(lines))
		for i, l := range lines {
			wanted[i] = tiktok.Wanted{SKU: l.SKU, Qty: l.Qty}
		}
		id, err := sim.PlaceOrder(shop, wanted, tiktok.PlaceOptions{})
		if err != nil {
			return nil, err
		}
		v, err := sim.Order(id)
		return &shipOrder{id: id, number: id, due: time.Unix(v.Due, 0)}, err
	}
	c.labels = sim.LabelsPaid
	c.parcels = func(id string) (out []sent, err error) {
		all, err := sim.Parcels(id)
		for _, p := range all {
			if p.Tracking != "" && p.Status != "CANCELLED" && p.Status != "TO_FULFILL" {
				out = append(out, sent{[]string{p.Tracking}, len(p.Lines)})
			}
		}
		return out, err
	}
	return c, nil
}

// shopifyShip is a store that makes no labels and sets no deadlines.
func shopifyShip(name string, seed uint64, clock world.Clock, items []int) (*shipShop, error) {
	domain := name + ".myshopify.com"
	sim, err := shopify.New(shopify.Options{Seed: seed, Clock: clock, ShopName: name, ShopDomain: domain, Plan: shopify.Plus})
	if err != nil {
		return nil, err
	}
	c := &shipShop{name: name, faults: sim.Faults(), expire: func() error { return nil }, labels: func(string) (int, error) { return 0, nil }}
	for _, i := range items {
		c.skus = append(c.skus, sku(i))
		price := money.Amount{Minor: 1999, Currency: "USD"}.Decimal()
		if _, err := sim.AddProduct(shopify.ProductInput{Title: "Article " + sku(i), Variants: []shopify.VariantInput{{SKU: sku(i), Price: price}}}); err != nil {
			sim.Close()
			return nil, err
		}
	}
	url, stop, err := serveSim(sim.Handler())
	if err != nil {
		sim.Close()
		return nil, err
	}
	c.app = ops.NewApp{ID: name, Vendor: "shopify", Key: "sandbox-client", Secret: "sandbox-secret", Settings: map[string]string{"shop": domain, "base_url": url}}
	c.stop = func() { stop(); sim.Close() }
	c.place = func(lines []stage.Line, _ time.Duration) (*shipOrder, error) {
		var in shopify.OrderInput
		for _, l := range lines {
			in.Lines = append(in.Lines, shopify.OrderLine{SKU: l.SKU, Quantity: l.Qty})
		}
		o, err := sim.PlaceOrder(in)
		return &shipOrder{id: strconv.FormatInt(o.ID, 10), number: o.Name}, err
	}
	c.parcels = func(id string) (out []sent, err error) {
		n, err := strconv.ParseInt(id, 10, 64)
		if err != nil {
			return nil, err
		}
		all, err := sim.Parcels(n)
		for _, p := range all {
			if len(p.Numbers) > 0 {
				out = append(out, sent{p.Numbers, p.Units})
			}
		}
		return out, err
	}
	return c, nil
}

// dummyShip is a shop whose deadlines are as close as its buyers want.
func dummyShip(name string, seed uint64, clock world.Clock) (*shipShop, error) {
	sim := dummy.New(clock, seed)
	url, stop, err := serveSim(sim.Handler())
	if err != nil {
		sim.Stop()
		return nil, err
	}
	c := &shipShop{name: name, faults: sim.Faults, stop: func() { stop(); sim.Stop() }}
	c.app = ops.NewApp{ID: name, Vendor: "dummy", Key: dummy.AppKey, Secret: dummy.AppSecret, Settings: map[string]string{"base_url": url}}
	for i := range shipItems {
		c.skus = append(c.skus, sku(i+1))
	}
	c.expire = func() error { sim.EndToken(); return nil }
	c.place = func(lines []stage.Line, within time.Duration) (*shipOrder, error) {
		sim.ShipWithin = within
		o, err := sim.Place("S"+lines[0].SKU[len("ITEM-S"):], int64(lines[0].Qty))
		return &shipOrder{id: o.ID, number: o.ID, due: o.ShipBy}, err
	}
	c.labels = func(id string) (int, error) { return sim.LabelsPaid(id), nil }
	c.parcels = func(id string) (out []sent, err error) {
		for _, p := range sim.Parcels(id) {
			out = append(out, sent{[]string{p.Tracking}, int(p.Qty)})
		}
		return out, nil
	}
	return c, nil
}

package dummy

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spillway/spillway/connector/driver"
	"github.com/spillway/spillway/domain/order"
	"github.com/spillway/spillway/kit/money"
)

// channel implements driver.Channel for one shop.
type channel struct {
	conn driver.Connection
	env  driver.Env
	base *url.URL
}

// call does one request of this shop. Ask Env for the token each time: it may have been renewed in between.
func (c *channel) call(ctx context.Context, op driver.Operation, method, path string, query url.Values, in, out any) (*driver.Answer, error) {
	token, err := c.env.Token(ctx)
	if err != nil {
		return nil, err
	}
	u := c.base.JoinPath(path)
	u.RawQuery = query.Encode()
	return send(ctx, c.env, op, method, u, token, in, out)
}

// wireOrder is an order as the platform writes it. Name only the fields you use.
type wireOrder struct {
	ID        string       `json:"id"`
	SKU       string       `json:"sku"`
	Qty       int64        `json:"qty"`
	Price     string       `json:"price"`
	Currency  string       `json:"currency"`
	Status    string       `json:"status"`
	CreatedAt time.Time    `json:"created_at"`
	UpdatedAt time.Time    `json:"updated_at"`
	ShipBy    time.Time    `json:"ship_by"`
	Parcels   []wireParcel `json:"parcels"`
}

// statuses translates the platform's words. A word it does not know stays empty and is kept as text.
var statuses = map[string]order.Status{"paid": order.AwaitingShipment, "ready": order.AwaitingCollection, "shipped": order.InTransit, "cancelled": order.Cancelled}

// fact says what the platform said, in the words of the domain. The same order must give the same fact, however it was read.
func (o wireOrder) fact() order.Fact {
	price, err := money.Parse(o.Price, o.Currency)
	if err != nil {
		price = money.Amount{} // an unreadable price must not stop the units from being reserved
	}
	line := order.Line{ExternalLineID: o.ID + "-1", ExternalSKU: o.SKU, Qty: o.Qty, UnitPrice: price}
	if o.Status == "cancelled" {
		line.Cancelled = o.Qty
	}
	var parcels []order.Parcel
	for _, p := range o.Parcels {
		parcels = append(parcels, order.Parcel{Ref: p.ID, Carrier: p.Carrier, Tracking: p.Tracking})
	}
	return order.Fact{
		Kind: order.Snapshot, ExternalID: o.ID, UpdatedAt: o.UpdatedAt, Status: statuses[o.Status], StatusText: o.Status,
		Detail: &order.Detail{
			Fulfilment: order.BySeller, CreatedAt: o.CreatedAt, PaidAt: o.CreatedAt,
			Deadlines: order.Deadlines{ShipBy: o.ShipBy}, Lines: []order.Line{line}, Parcels: parcels,
		},
	}
}

func (c *channel) readOrders(ctx context.Context, op driver.Operation, query url.Values) (driver.OrderPage, error) {
	var out struct {
		Orders []wireOrder
		Next   string
	}
	a, err := c.call(ctx, op, http.MethodGet, "orders", query, nil, &out)
	if err != nil {
		return driver.OrderPage{}, err
	}
	page := driver.OrderPage{Next: out.Next, At: a.At}
	for _, o := range out.Orders {
		f := o.fact()
		f.ConnectionID, f.ReadAt = c.conn.ID, a.At
		page.Orders = append(page.Orders, f)
	}
	return page, nil
}

// Orders implements driver.Channel. Reading orders in full costs no more here than listing them, so q.Known is ignored; a driver
// of a platform where it is dear leaves out what the caller knows already.
func (c *channel) Orders(ctx context.Context, q driver.OrderQuery) (driver.OrderPage, error) {
	query := url.Values{"limit": {strconv.Itoa(q.Limit)}}
	if !q.UpdatedFrom.IsZero() {
		query.Set("updated_from", q.UpdatedFrom.UTC().Format(time.RFC3339Nano))
	}
	if q.Cursor != "" {
		query.Set("cursor", q.Cursor)
	}
	return c.readOrders(ctx, driver.OpOrders, query)
}

// OrdersByID implements driver.Channel.
func (c *channel) OrdersByID(ctx context.Context, ids []string) ([]order.Fact, error) {
	page, err := c.readOrders(ctx, driver.OpOrder, url.Values{"ids": {strings.Join(ids, ",")}})
	return page.Orders, err
}

// Locations implements driver.Channel.
func (c *channel) Locations(ctx context.Context) ([]driver.Location, error) {
	var out struct{ Warehouses []struct{ ID, Name string } }
	if _, err := c.call(ctx, driver.OpLocations, http.MethodGet, "warehouses", nil, nil, &out); err != nil {
		return nil, err
	}
	var locations []driver.Location
	for i, w := range out.Warehouses {
		locations = append(locations, driver.Location{ExternalID: w.ID, Name: w.Name, Kind: "sales", Active: true, Default: i == 0})
	}
	return locations, nil
}

// wireStock is a SKU with its numbers.
type wireStock struct {
	SKU       string           `json:"sku"`
	Product   string           `json:"product"`
	SellerSKU string           `json:"seller_sku"`
	Title     string           `json:"title"`
	Stock     map[string]int64 `json:"stock"`
	Committed int64            `json:"committed"`
}

// ref names every warehouse, since this platform wants all of them named in a push.
func (w wireStock) ref() driver.ListingRef {
	r := driver.ListingRef{ProductID: w.Product, SKUID: w.SKU}
	for id := range w.Stock {
		r.Locations = append(r.Locations, id)
	}
	slices.Sort(r.Locations)
	return r
}

func (w wireStock) total() int64 {
	var sum int64
	for _, n := range w.Stock {
		sum += n
	}
	return sum
}

// Listings implements driver.Channel.
func (c *channel) Listings(ctx context.Context, cursor string) (driver.ListingPage, error) {
	var out struct {
		Listings []wireStock
		Next     string
	}
	if _, err := c.call(ctx, driver.OpListings, http.MethodGet, "listings", url.Values{"cursor": {cursor}}, nil, &out); err != nil {
		return driver.ListingPage{}, err
	}
	page := driver.ListingPage{Next: out.Next}
	for _, w := range out.Listings {
		page.Listings = append(page.Listings, driver.Listing{
			Ref: w.ref(), SellerSKU: w.SellerSKU, Title: w.Title, Active: true, Quantity: w.total(),
		})
	}
	return page, nil
}

// Quantities implements driver.Channel.
func (c *channel) Quantities(ctx context.Context, refs []driver.ListingRef) ([]driver.Quantity, error) {
	var ids []string
	for _, r := range refs {
		ids = append(ids, r.SKUID)
	}
	var out struct{ Stock []wireStock }
	a, err := c.call(ctx, driver.OpQuantities, http.MethodGet, "stock", url.Values{"skus": {strings.Join(ids, ",")}}, nil, &out)
	if err != nil {
		return nil, err
	}
	var quantities []driver.Quantity
	for _, w := range out.Stock {
		quantities = append(quantities, driver.Quantity{
			Ref: w.ref(), Available: w.total(), ByLocation: w.Stock, Committed: w.Committed, At: a.At,
		})
	}
	return quantities, nil
}

// Group implements driver.Channel: one call may set any SKUs of the shop.
func (c *channel) Group(driver.ListingRef) string { return c.conn.Shop.ExternalID }

type wireSet struct {
	SKU   string           `json:"sku"`
	Stock map[string]int64 `json:"stock"`
}

// SetQuantities implements driver.Channel. The answer lists what failed; everything else is done. Say Confirmed only for
// what the platform confirmed.
func (c *channel) SetQuantities(ctx context.Context, pushes []driver.Push) ([]driver.Result, error) {
	var in struct {
		Set []wireSet `json:"set"`
	}
	for _, p := range pushes {
		if p.Kind != driver.Absolute {
			return nil, &driver.Error{Class: driver.GiveUp, Op: driver.OpSet, Message: "this platform takes absolute quantities only"}
		}
		stock := map[string]int64{}
		for i, location := range p.Ref.Locations {
			switch {
			case len(p.Split) > 0:
				stock[location] = p.Split[location]
			case i == 0:
				stock[location] = p.Quantity
			default:
				stock[location] = 0
			}
		}
		in.Set = append(in.Set, wireSet{SKU: p.Ref.SKUID, Stock: stock})
	}
	var out struct {
		Failed []struct{ SKU, Error, Message string }
	}
	a, err := c.call(ctx, driver.OpSet, http.MethodPut, "stock", nil, in, &out)
	if err != nil {
		return nil, err
	}
	results := make([]driver.Result, 0, len(pushes))
	for _, p := range pushes {
		r := driver.Result{PushID: p.ID, Outcome: driver.Confirmed, After: p.Quantity, HasAfter: true, At: a.At}
		for _, f := range out.Failed {
			if f.SKU == p.Ref.SKUID {
				r = driver.Result{PushID: p.ID, Outcome: driver.Refused, After: -1, At: a.At,
					Err: &driver.Error{Class: driver.GiveUp, Op: driver.OpSet, Status: a.Status, Code: f.Error, Message: f.Message}}
			}
		}
		results = append(results, r)
	}
	return results, nil
}

// SubscribeWebhooks implements driver.Channel.
func (c *channel) SubscribeWebhooks(ctx context.Context, address string) ([]driver.Subscription, error) {
	var out driver.Subscription
	_, err := c.call(ctx, driver.OpWebhooks, http.MethodPut, "webhook", nil, map[string]string{"address": address}, &out)
	if err != nil {
		return nil, err
	}
	return []driver.Subscription{out}, nil
}

package connector

import (
	"context"
	"net/http"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/spillway/spillway/connector/driver"
	"github.com/spillway/spillway/domain/order"
)

// fake is a vendor and its channel whose calls are functions of the test.
type fake struct {
	limits  driver.Limits
	env     driver.Env
	call    func(ctx context.Context, op driver.Operation) error // what each call of the channel does
	refresh func(old driver.Grant) (driver.Grant, error)
	set     func(ctx context.Context, pushes []driver.Push) ([]driver.Result, error)
	pages   func(cursor string) driver.ListingPage
	export  func(ctx context.Context) error

	mu    sync.Mutex
	calls []time.Time
	asked driver.OrderQuery // the last one
}

func (f *fake) Describe() driver.Description {
	l := f.limits
	if l.Default == 0 {
		l = driver.Limits{Default: 1000, Burst: 100, OrderIDs: 3, OrderPage: 5, ReadQuantities: 2, SetQuantities: 4, MaxQuantity: 1000}
	}
	return driver.Description{Vendor: "fake", Write: driver.Absolute, Limits: l,
		AppSettings:  []driver.Setting{{Name: "pin", Secret: true}},
		ShopSettings: []driver.Setting{{Name: "cipher", Secret: true}}}
}

func (f *fake) ConsentURL(driver.App, string, string) (string, error) { return "", nil }
func (f *fake) Exchange(context.Context, driver.App, *http.Client, url.Values) (driver.Grant, error) {
	return driver.Grant{}, nil
}
func (f *fake) Refresh(_ context.Context, _ driver.App, _ *http.Client, old driver.Grant) (driver.Grant, error) {
	return f.refresh(old)
}
func (f *fake) Verify(driver.App, http.Header, []byte) (driver.Envelope, error) {
	return driver.Envelope{}, nil
}
func (f *fake) Decode(string, []byte) ([]driver.Fact, error) { return nil, nil }
func (f *fake) Open(_ driver.Connection, env driver.Env) (driver.Channel, error) {
	f.env = env
	return f, nil
}

// do is one call: it takes a slot, asks for the token and does what the test wants.
func (f *fake) do(ctx context.Context, op driver.Operation) error {
	if err := f.env.Pace(ctx, op); err != nil {
		return &driver.Error{Class: driver.Retry, Op: op, Cause: err}
	}
	f.mu.Lock()
	f.calls = append(f.calls, time.Now())
	f.mu.Unlock()
	if f.call == nil {
		return nil
	}
	return f.call(ctx, op)
}

func (f *fake) count() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.calls)
}

func (f *fake) Orders(ctx context.Context, q driver.OrderQuery) (driver.OrderPage, error) {
	f.mu.Lock()
	f.asked = q
	f.mu.Unlock()
	return driver.OrderPage{Next: q.Cursor}, f.do(ctx, driver.OpOrders)
}
func (f *fake) OrdersByID(ctx context.Context, ids []string) ([]order.Fact, error) {
	var out []order.Fact
	for _, id := range ids {
		out = append(out, order.Fact{ExternalID: id})
	}
	return out, f.do(ctx, driver.OpOrder)
}
func (f *fake) Locations(ctx context.Context) ([]driver.Location, error) {
	return nil, f.do(ctx, driver.OpLocations)
}
func (f *fake) Listings(ctx context.Context, cursor string) (driver.ListingPage, error) {
	return f.pages(cursor), f.do(ctx, driver.OpListings)
}
func (f *fake) Quantities(ctx context.Context, refs []driver.ListingRef) ([]driver.Quantity, error) {
	return make([]driver.Quantity, len(refs)), f.do(ctx, driver.OpQuantities)
}
func (f *fake) SetQuantities(ctx context.Context, pushes []driver.Push) ([]driver.Result, error) {
	if err := f.do(ctx, driver.OpSet); err != nil {
		return nil, err
	}
	return f.set(ctx, pushes)
}
func (f *fake) Group(ref driver.ListingRef) string { return ref.ProductID }
func (f *fake) SubscribeWebhooks(ctx context.Context, _ string) ([]driver.Subscription, error) {
	return nil, f.do(ctx, driver.OpWebhooks)
}
func (f *fake) Backfill(ctx context.Context, _ time.Time, _ func(order.Fact) error) error {
	return f.export(ctx)
}

func session(t *testing.T, f *fake, change ...func(*Options)) *Session {
	t.Helper()
	o := Options{
		Vendor: f, Client: http.DefaultClient,
		Connection: driver.Connection{ID: "c1", App: driver.App{Secret: "app-secret-1", Settings: map[string]string{"pin": "pin-123456"}},
			Shop: driver.Shop{Settings: map[string]string{"cipher": "cipher-9876"}}},
		Tokens: Tokens{Current: func(context.Context) (string, error) { return "t1", nil }},
	}
	for _, c := range change {
		c(&o)
	}
	s, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// failing makes calls that fail with the given errors, one after the other, and then succeed.
func failing(errs ...error) func(context.Context, driver.Operation) error {
	var mu sync.Mutex
	return func(context.Context, driver.Operation) error {
		mu.Lock()
		defer mu.Unlock()
		if len(errs) == 0 {
			return nil
		}
		err := errs[0]
		errs = errs[1:]
		return err
	}
}

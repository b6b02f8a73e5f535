package tiktok

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/spillway/spillway/connector/driver"
)

// endpoint is one documented call. The tests read the list to compare wire types with the field reference.
type endpoint struct {
	method, path string
}

// Calls the package makes. Versions are per endpoint; the newest documented one is used.
var (
	getShops        = endpoint{http.MethodGet, "/authorization/202309/shops"}
	searchOrders    = endpoint{http.MethodPost, "/order/202309/orders/search"}
	getOrders       = endpoint{http.MethodGet, "/order/202507/orders"}
	getWarehouses   = endpoint{http.MethodGet, "/logistics/202309/warehouses"}
	searchProducts  = endpoint{http.MethodPost, "/product/202502/products/search"}
	searchInventory = endpoint{http.MethodPost, "/product/202309/inventory/search"}
	updateInventory = endpoint{http.MethodPost, "/product/202309/products/{product_id}/inventory/update"}
	searchCancels   = endpoint{http.MethodPost, "/return_refund/202309/cancellations/search"}
	searchReturns   = endpoint{http.MethodPost, "/return_refund/202309/returns/search"}
	getWebhooks     = endpoint{http.MethodGet, "/event/202309/webhooks"}
	putWebhook      = endpoint{http.MethodPut, "/event/202309/webhooks"}

	queryServices   = endpoint{http.MethodPost, "/fulfillment/202309/orders/{order_id}/shipping_services/query"}
	createPackage   = endpoint{http.MethodPost, "/fulfillment/202309/packages"}
	handoverSlots   = endpoint{http.MethodGet, "/fulfillment/202309/packages/{package_id}/handover_time_slots"}
	shipPackage     = endpoint{http.MethodPost, "/fulfillment/202309/packages/{package_id}/ship"}
	getDocument     = endpoint{http.MethodGet, "/fulfillment/202309/packages/{package_id}/shipping_documents"}
	getPackage      = endpoint{http.MethodGet, "/fulfillment/202309/packages/{package_id}"}
	markShipped     = endpoint{http.MethodPost, "/fulfillment/202309/orders/{order_id}/packages"}
	correctTracking = endpoint{http.MethodPost, "/fulfillment/202309/packages/{package_id}/shipping_info/update"}
	splitAttributes = endpoint{http.MethodGet, "/fulfillment/202309/orders/split_attributes"}
	splitOrder      = endpoint{http.MethodPost, "/fulfillment/202309/orders/{order_id}/split"}
	searchCombined  = endpoint{http.MethodGet, "/fulfillment/202309/combinable_packages/search"}
	combinePackages = endpoint{http.MethodPost, "/fulfillment/202309/packages/combine"}
	uncombine       = endpoint{http.MethodPost, "/fulfillment/202309/packages/{package_id}/uncombine"}
	firstMile       = endpoint{http.MethodPost, "/fulfillment/202510/first_mile_bundle"}
	getProviders    = endpoint{http.MethodGet, "/logistics/202309/delivery_options/{delivery_option_id}/shipping_providers"}
)

// changing are the calls whose lost answer leaves something uncertain. Pointing a webhook at the same address again does not.
var changing = []endpoint{updateInventory, createPackage, shipPackage, markShipped, correctTracking, splitOrder, combinePackages, uncombine, firstMile}

// clockTolerance is how far our clock may be off before requests are stamped by the platform's: it takes stamps from
// 5 minutes old to 30 seconds ahead.
const clockTolerance = 20 * time.Second

// caller makes signed requests of one app.
type caller struct {
	app  driver.App
	base *url.URL
	now  func() time.Time
	skew atomic.Int64 // platform's clock minus ours in nanoseconds, set after it refused our stamp
}

// request is one call to make.
type request struct {
	op     driver.Operation
	method string
	path   string
	query  url.Values // without the common parameters; empty values are left out
	cipher string     // empty for calls of no single shop
	token  string
	body   any  // encoded as JSON; one without any field is not sent
	write  bool // it is one of changing
}

// build makes the signed request. The signature is over the very bytes of the body.
func (c *caller) build(ctx context.Context, r request) (*http.Request, *driver.Error) {
	body, err := encode(r.body)
	if err != nil {
		return nil, &driver.Error{Class: driver.GiveUp, Op: r.op, Cause: err}
	}
	q := url.Values{}
	for name, values := range r.query {
		if values[0] != "" {
			q.Set(name, values[0])
		}
	}
	q.Set("app_key", c.app.Key)
	q.Set("timestamp", strconv.FormatInt(c.stamp().Unix(), 10))
	if r.cipher != "" {
		q.Set("shop_cipher", r.cipher)
	}
	u := *c.base
	u.Path += r.path
	q.Set("sign", Sign(c.app.Secret, r.path, q, body))
	u.RawQuery = q.Encode()
	var reader io.Reader
	if body != nil {
		reader = bytes.NewReader(body)
	}
	req, err := http.NewRequestWithContext(ctx, r.method, u.String(), reader)
	if err != nil {
		return nil, &driver.Error{Class: driver.GiveUp, Op: r.op, Cause: withoutQuery(err)}
	}
	req.Header.Set("x-tts-access-token", r.token)
	if body != nil {
		req.Header.Set("content-type", "application/json")
	}
	return req, nil
}

func (c *caller) stamp() time.Time { return c.clock().Add(time.Duration(c.skew.Load())) }

// clock is our own clock.
func (c *caller) clock() time.Time {
	if c.now != nil {
		return c.now()
	}
	return time.Now()
}

// encode marshals a body. It returns nil for one without any field: whether an empty object is part of the signature is
// not documented (facts, section 4), so it is never sent.
func encode(body any) ([]byte, error) {
	if body == nil {
		return nil, nil
	}
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(body); err != nil {
		return nil, err
	}
	b := bytes.TrimSuffix(buf.Bytes(), []byte("\n"))
	if string(b) == "{}" || string(b) == "null" {
		return nil, nil
	}
	return b, nil
}

// withoutQuery keeps an unparsable address, which holds the signature, out of errors.
func withoutQuery(err error) error {
	if u, ok := err.(*url.Error); ok {
		return u.Err
	}
	return err
}

// envelope is around every answer (facts, section 3).
type envelope[T any] struct {
	Code      int64  `json:"code"`
	Message   string `json:"message"`
	RequestID string `json:"request_id"`
	Data      T      `json:"data"`
}

// do sends a request and returns the answer's data. also are codes besides 0 whose data is worth reading.
func do[T any](ctx context.Context, c *caller, env driver.Env, r request, also ...int64) (T, *driver.Answer, error) {
	var out envelope[T]
	req, fail := c.build(ctx, r)
	if fail != nil {
		return out.Data, nil, fail
	}
	sent := c.stamp()
	a, err := env.Do(ctx, r.op, req, func(a *driver.Answer) *driver.Error {
		err := json.Unmarshal(a.Body, &out)
		a.RequestID = out.RequestID
		if out.Code != 0 {
			a.Code = strconv.FormatInt(out.Code, 10)
		}
		e := judge(a, out.Code, out.Message, err, r.write, also)
		if e != nil && out.Code == codeBadParameter && c.correct(a.At, sent) {
			e.Class = driver.Retry
		}
		return e
	})
	return out.Data, a, err
}

// correct takes over the platform's clock if it refused a request whose stamp was far off. It reports whether it did.
func (c *caller) correct(theirs, ours time.Time) bool {
	if theirs.IsZero() {
		return false
	}
	if theirs.Sub(ours).Abs() < clockTolerance {
		return false
	}
	c.skew.Store(int64(theirs.Sub(c.clock()))) // the same, whichever of several requests at once comes to it
	return true
}

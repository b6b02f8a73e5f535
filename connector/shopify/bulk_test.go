package shopify

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/spillway/spillway/connector/driver"
	"github.com/spillway/spillway/domain/order"
	sim "github.com/spillway/spillway/sim/shopify"
)

func base64Bytes(s string) ([]byte, error) { return base64.StdEncoding.DecodeString(s) }

func TestBackfill(t *testing.T) {
	for _, v := range Versions {
		t.Run(v, func(t *testing.T) {
			t.Parallel()
			s := newShop(t)
			c := s.channel(t, v)
			if err := c.Backfill(t.Context(), time.Time{}, func(order.Fact) error { return errors.New("there is nothing") }); err != nil {
				t.Fatalf("an empty shop: %v", err)
			}
			want := map[string]bool{}
			for i := range 30 {
				o, err := s.PlaceOrder(sim.OrderInput{Lines: []sim.OrderLine{{SKU: fmt.Sprint("MUG-", i%5), Quantity: 1}, {SKU: fmt.Sprint("MUG-", (i+1)%5), Quantity: 2}}})
				if err != nil {
					t.Fatal(err)
				}
				want[strconv.FormatInt(o.ID, 10)] = true
			}
			err := c.Backfill(t.Context(), time.Now().Add(-time.Hour), func(f order.Fact) error {
				if !want[f.ExternalID] || len(f.Detail.Lines) != 2 || f.ConnectionID != "conn-1" || f.Status != order.AwaitingShipment {
					t.Errorf("order %s: %+v", f.ExternalID, f.Detail)
				}
				delete(want, f.ExternalID)
				return nil
			})
			if err != nil || len(want) != 0 {
				t.Errorf("%d orders are missing, %v", len(want), err)
			}
			stop := errors.New("enough")
			if err := c.Backfill(t.Context(), time.Time{}, func(order.Fact) error { return stop }); !errors.Is(err, stop) {
				t.Errorf("the caller's error came back as %v", err)
			}
		})
	}
}

func TestBackfillWhileAnotherRuns(t *testing.T) {
	s := newShop(t, func(o *sim.Options) { o.BulkDelay = time.Hour })
	c := s.channel(t, DefaultVersion)
	if _, err := c.startBulk(t.Context(), time.Time{}, orderGoes); err != nil {
		t.Fatal(err)
	}
	err := c.Backfill(t.Context(), time.Time{}, func(order.Fact) error { return nil })
	e, ok := err.(*driver.Error)
	if !ok || e.Class != driver.RetryAfter || e.After != bulkBusy {
		t.Errorf("error %v", err)
	}
}

// TestBackfillWithoutLeaveForAddresses: the operation fails for the address alone, and is run again without it.
func TestBackfillWithoutLeaveForAddresses(t *testing.T) {
	var asked []bool // with the address?
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		switch {
		case bytes.Contains(body, []byte("bulkOperationRunQuery")):
			asked = append(asked, bytes.Contains(body, []byte("shippingAddress")))
			_, _ = io.WriteString(w, `{"data":{"bulkOperationRunQuery":{"bulkOperation":{"id":"gid://shopify/BulkOperation/1"},"userErrors":[]}}}`)
		case asked[len(asked)-1]:
			_, _ = io.WriteString(w, `{"data":{"node":{"status":"FAILED","errorCode":"ACCESS_DENIED"}}}`)
		default:
			_, _ = io.WriteString(w, `{"data":{"node":{"status":"COMPLETED","url":null}}}`)
		}
	}))
	t.Cleanup(api.Close)
	c := newShop(t).channel(t, DefaultVersion)
	c.endpoint = api.URL
	if err := c.Backfill(t.Context(), time.Time{}, func(order.Fact) error { return nil }); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(asked, []bool{true, false}) {
		t.Errorf("asked %v", asked)
	}
}

// TestTokenStaysHome: the bulk file lies on another host, which must not be shown the access token.
func TestTokenStaysHome(t *testing.T) {
	var seen http.Header
	files := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen = r.Header
		_, _ = io.WriteString(w, `{"id":"gid://shopify/Order/1","updatedAt":"2026-11-20T10:00:00Z","currencyCode":"USD"}`+"\n")
	}))
	t.Cleanup(files.Close)
	s := newShop(t)
	c := s.channel(t, DefaultVersion)
	n := 0
	if err := c.readBulk(t.Context(), files.URL+"/signed?secret=1", func(order.Fact) error { n++; return nil }); err != nil || n != 1 {
		t.Fatalf("%d orders, %v", n, err)
	}
	if seen.Get("X-Shopify-Access-Token") != "" {
		t.Error("the access token was sent along")
	}
	files.Close()
	err := c.readBulk(t.Context(), files.URL+"/signed?secret=1", func(order.Fact) error { return nil })
	if driver.ClassOf(err) != driver.Retry || strings.Contains(err.Error(), "secret") {
		t.Errorf("error %v", err)
	}
}

// TestDoubtfulBulkOrdersAreReadAgain: a bulk file cannot tell which of two lines was refunded after it was sent.
func TestDoubtfulBulkOrdersAreReadAgain(t *testing.T) {
	files := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"id":"gid://shopify/Order/1","updatedAt":"2026-11-20T10:00:00Z","displayFulfillmentStatus":"FULFILLED","fulfillments":[{"id":"gid://shopify/Fulfillment/7","status":"SUCCESS","totalQuantity":3}]}
{"id":"gid://shopify/LineItem/2","quantity":2,"currentQuantity":1,"unfulfilledQuantity":0,"__parentId":"gid://shopify/Order/1"}
{"id":"gid://shopify/LineItem/3","quantity":2,"currentQuantity":1,"unfulfilledQuantity":0,"__parentId":"gid://shopify/Order/1"}
`)
	}))
	t.Cleanup(files.Close)
	const node = `{"id":"gid://shopify/Order/1","updatedAt":"2026-11-20T10:00:00Z","displayFinancialStatus":"PAID","displayFulfillmentStatus":"FULFILLED","fulfillments":[{"id":"gid://shopify/Fulfillment/7","status":"SUCCESS","totalQuantity":3}],
		"lineItems":{"nodes":[{"id":"gid://shopify/LineItem/2","quantity":2,"currentQuantity":1,"unfulfilledQuantity":0},{"id":"gid://shopify/LineItem/3","quantity":2,"currentQuantity":1,"unfulfilledQuantity":0}],"pageInfo":{"hasNextPage":false}}}`
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if bytes.Contains(body, []byte("Parcel")) {
			_, _ = io.WriteString(w, `{"data":{"node":{"id":"gid://shopify/Fulfillment/7","fulfillmentLineItems":{"nodes":[{"quantity":1,"lineItem":{"id":"gid://shopify/LineItem/2"}},{"quantity":2,"lineItem":{"id":"gid://shopify/LineItem/3"}}],"pageInfo":{"hasNextPage":false}}}}}`)
			return
		}
		_, _ = io.WriteString(w, `{"data":{"nodes":[`+node+`]}}`)
	}))
	t.Cleanup(api.Close)
	s := newShop(t)
	c := s.channel(t, DefaultVersion)
	c.endpoint = api.URL
	var got []order.Fact
	if err := c.readBulk(t.Context(), files.URL, func(f order.Fact) error { got = append(got, f); return nil }); err != nil || len(got) != 1 {
		t.Fatalf("%d orders, %v", len(got), err)
	}
	for i, want := range [][2]int64{{1, 1}, {0, 2}} {
		if l := got[0].Detail.Lines[i]; l.Cancelled != want[0] || l.Shipped != want[1] {
			t.Errorf("line %s: cancelled %d, shipped %d; want %v", l.ExternalLineID, l.Cancelled, l.Shipped, want)
		}
	}
}

func readAll(t testing.TB, text string) (orders, lines int, err error) {
	t.Helper()
	err = readJSONL(strings.NewReader(text), func(o *orderNode) error {
		orders++
		lines += len(o.Lines.Nodes)
		return nil
	})
	return orders, lines, err
}

func TestJSONL(t *testing.T) {
	const o1, o2 = `{"id":"gid://shopify/Order/1"}`, `{"id":"gid://shopify/Order/2"}`
	const l1, l2 = `{"id":"gid://shopify/LineItem/3","__parentId":"gid://shopify/Order/1"}`, `{"id":"gid://shopify/LineItem/4","__parentId":"gid://shopify/Order/2"}`
	for name, tc := range map[string]struct {
		text          string
		orders, lines int
		ok            bool
	}{
		"empty":              {"", 0, 0, true},
		"two orders":         {o1 + "\n" + l1 + "\n" + o2 + "\n" + l2 + "\n", 2, 2, true},
		"no last newline":    {o1 + "\n" + l1, 1, 1, true},
		"empty lines":        {"\n" + o1 + "\n\n" + l1 + "\n\n", 1, 1, true},
		"windows newlines":   {o1 + "\r\n" + l1 + "\r\n", 1, 1, true},
		"a line without one": {l1, 0, 0, false},
		"not grouped":        {o1 + "\n" + o2 + "\n" + l1, 1, 0, false},
		"cut off":            {o1 + "\n" + l1[:20], 0, 0, false},
		"a list":             {"[1]", 0, 0, false},
		"no id":              {"{}", 0, 0, false},
		"too long":           {o1 + "\n" + `{"id":"` + strings.Repeat("x", maxLine) + `"}`, 0, 0, false},
	} {
		orders, lines, err := readAll(t, tc.text)
		if (err == nil) != tc.ok || orders != tc.orders || lines != tc.lines {
			t.Errorf("%s: %d orders, %d lines, %v", name, orders, lines, err)
		}
		if err != nil && driver.ClassOf(err) != driver.Retry {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// long is a bulk file that is made while it is read.
type long struct {
	orders, at int
	rest       []byte
}

func (l *long) Read(p []byte) (int, error) {
	if len(l.rest) == 0 {
		if l.at == l.orders {
			return 0, io.EOF
		}
		l.at++
		l.rest = fmt.Appendf(l.rest[:0], `{"id":"gid://shopify/Order/%d","name":"#%d","updatedAt":"2026-11-20T10:00:00Z"}`+"\n", l.at, l.at)
		for i := range 3 {
			l.rest = fmt.Appendf(l.rest, `{"id":"gid://shopify/LineItem/%d%d","quantity":1,"__parentId":"gid://shopify/Order/%d"}`+"\n", l.at, i, l.at)
		}
	}
	n := copy(p, l.rest)
	l.rest = l.rest[n:]
	return n, nil
}

// TestJSONLMemoryIsBounded reads a file of 4 MB and looks at what stays in memory.
func TestJSONLMemoryIsBounded(t *testing.T) {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	most, n := uint64(0), 0
	if err := readJSONL(&long{orders: 15_000}, func(*orderNode) error {
		if n++; n%3_000 == 0 {
			runtime.GC()
			runtime.ReadMemStats(&after)
			most = max(most, after.HeapAlloc)
		}
		return nil
	}); err != nil || n != 15_000 {
		t.Fatalf("%d orders, %v", n, err)
	}
	if most > before.HeapAlloc+1<<20 {
		t.Errorf("%d KiB were in use at most, %d before", most>>10, before.HeapAlloc>>10)
	}
}

func FuzzJSONL(f *testing.F) {
	f.Add(`{"id":"gid://shopify/Order/1","updatedAt":"2026-11-20T10:00:00Z","fulfillments":[{"status":"SUCCESS","totalQuantity":2}]}` + "\n" +
		`{"id":"gid://shopify/LineItem/2","quantity":2,"currentQuantity":1,"originalUnitPriceSet":{"shopMoney":{"amount":"1.00"}},"variant":{"id":"gid://shopify/ProductVariant/3"},"__parentId":"gid://shopify/Order/1"}`)
	f.Add("{}\n[]\nnull")
	f.Fuzz(func(t *testing.T, text string) {
		_ = readJSONL(strings.NewReader(text), func(o *orderNode) error {
			shipped, _ := o.guessSent()
			fact := o.view(shipped).fact("conn", time.Unix(1_800_000_000, 0))
			if _, err := fact.Hash(); err == nil {
				if _, _, err := order.Merge(nil, fact); err != nil {
					t.Fatalf("%v\n%s", err, text)
				}
			}
			return nil
		})
	})
}

func BenchmarkJSONL(b *testing.B) {
	for b.Loop() {
		if err := readJSONL(&long{orders: 1000}, func(o *orderNode) error { _ = o.view(nil).fact("c", time.Time{}); return nil }); err != nil {
			b.Fatal(err)
		}
	}
}

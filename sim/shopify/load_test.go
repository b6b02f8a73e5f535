package shopify

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/spillway/spillway/kit/errs"
)

// Many shoppers, an app that rewrites stock and an app that reads, at once: the units sold are exactly those that were there.
func TestShoppersAndAppsAtOnce(t *testing.T) {
	s := open(t)
	v := s.product(200, "A")[0]
	var wg sync.WaitGroup
	var mu sync.Mutex
	sold, refused := 0, 0
	for range 4 {
		wg.Go(func() {
			for range 100 {
				_, err := s.PlaceOrder(OrderInput{Lines: []OrderLine{{SKU: "A", Quantity: 1}}})
				mu.Lock()
				switch {
				case err == nil:
					sold++
				case errs.Is(err, errs.Insufficient):
					refused++
				default:
					t.Error(err)
				}
				mu.Unlock()
			}
		})
	}
	// The app takes 50 units away by compare-and-set, trying again when a sale came between.
	wg.Go(func() {
		taken := 0
		for i := 0; taken < 50 && i < 10_000; i++ {
			have := s.Available("A")
			n := min(10, have, 50-taken)
			if n <= 0 {
				return
			}
			a := s.set("2026-10", fmt.Sprint(i), v, have-n, map[string]any{"changeFromQuantity": have}, nil)
			if a.get("data", "inventorySetQuantities", "inventoryAdjustmentGroup") != nil {
				taken += n
				mu.Lock()
				sold += n
				mu.Unlock()
			}
		}
	})
	wg.Go(func() {
		for range 20 {
			s.query(`{ orders(first: 50, sortKey: UPDATED_AT, reverse: true) { nodes { id lineItems(first: 2) { nodes { sku } } } } }`, nil)
		}
	})
	wg.Wait()
	if left := s.Available("A"); sold+left != 200 || left < 0 {
		t.Errorf("%d sold or taken and %d left of 200 (%d refused)", sold, left, refused)
	}
}

// Orders with four webhooks each, delivered to a receiver over HTTP.
func BenchmarkPlaceOrderWithWebhooks(b *testing.B) {
	got := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) }))
	defer got.Close()
	s, err := New(Options{Unthrottled: true})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	for _, topic := range []string{"ORDERS_CREATE", "ORDERS_PAID", "ORDERS_UPDATED", "INVENTORY_LEVELS_UPDATE"} {
		s.subs = append(s.subs, &subscription{id: s.newID("WebhookSubscription"), topic: topic, uri: got.URL, version: "2026-10"})
	}
	if _, err := s.AddProduct(ProductInput{Title: "Mug", Variants: []VariantInput{{SKU: "A", Stock: maxUnits}}}); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := s.PlaceOrder(OrderInput{Lines: []OrderLine{{SKU: "A", Quantity: 1}}}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "orders/s")
	b.ReportMetric(float64(s.Courier().Stats().Delivered)/b.Elapsed().Seconds(), "deliveries/s")
}

// A poll for the newest page of 100,000 orders, over the handler.
func BenchmarkPollOrders(b *testing.B) {
	s, err := New(Options{Unthrottled: true})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	if _, err := s.AddProduct(ProductInput{Title: "Mug", Variants: []VariantInput{{SKU: "A", Stock: maxUnits}}}); err != nil {
		b.Fatal(err)
	}
	for range 100_000 {
		if _, err := s.PlaceOrder(OrderInput{Lines: []OrderLine{{SKU: "A", Quantity: 1}}}); err != nil {
			b.Fatal(err)
		}
	}
	srv := httptest.NewServer(s.Handler())
	defer srv.Close()
	sh := &shop{Sim: s, t: &testing.T{}, url: srv.URL}
	query := fmt.Sprintf(`{ orders(first: 50, sortKey: UPDATED_AT, query: "updated_at:>='%s'") { pageInfo { hasNextPage endCursor }
		nodes { id name updatedAt cancelledAt lineItems(first: 10) { nodes { id sku quantity currentQuantity } } } } }`, time.Now().Add(-time.Hour).UTC().Format(time.RFC3339))
	for b.Loop() {
		if a := sh.at("2026-10", query, nil); a.get("data", "orders", "nodes", 49) == nil {
			b.Fatal(a.text())
		}
	}
}

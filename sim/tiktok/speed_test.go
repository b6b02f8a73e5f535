package tiktok

import (
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/spillway/spillway/sim/world"
)

func busySim(tb testing.TB, orders int) (*Sim, ShopView, *world.Virtual) {
	tb.Helper()
	clock := world.NewVirtual(start)
	s, err := New(Options{Clock: clock, RateLimit: -1, Hold: -1, Shops: []ShopSpec{{Name: "S", Products: []ProductSpec{{Title: "P",
		SKUs: []SKUSpec{{SellerSKU: "A", Available: maxQuantity}}}}}}})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(s.Stop)
	sh := s.Shops()[0]
	for i := range orders {
		if i%50_000 == 0 {
			if err := s.SetStock(sh.ID, "A", "", maxQuantity); err != nil {
				tb.Fatal(err)
			}
		}
		if i%100 == 0 {
			clock.Advance(time.Second)
		}
		if _, err := s.PlaceOrder(sh.ID, []Wanted{{"A", 1}}, PlaceOptions{}); err != nil {
			tb.Fatal(err)
		}
	}
	return s, sh, clock
}

// BenchmarkPlaceOrder reports orders a second.
func BenchmarkPlaceOrder(b *testing.B) {
	s, sh, _ := busySim(b, 0)
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		if n%50_000 == 0 {
			if err := s.SetStock(sh.ID, "A", "", maxQuantity); err != nil {
				b.Fatal(err)
			}
		}
		n++
		if _, err := s.PlaceOrder(sh.ID, []Wanted{{"A", 1}}, PlaceOptions{}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "orders/s")
}

// BenchmarkSearchOrders is a reconciliation page of 100 among 100,000 orders, through the gateway: near the watermark,
// and from the very beginning with a filter, which has to count all.
func BenchmarkSearchOrders(b *testing.B) {
	s, sh, clock := busySim(b, 100_000)
	a, err := s.Grant(sh.Seller)
	if err != nil {
		b.Fatal(err)
	}
	for name, body := range map[string]string{"watermark": fmt.Sprintf(`{"update_time_ge":%d}`, clock.Now().Unix()-1),
		"everything": `{"order_status":"AWAITING_SHIPMENT"}`} {
		b.Run(name, func(b *testing.B) {
			q := values("app_key", s.o.AppKey, "timestamp", fmt.Sprint(clock.Now().Unix()), "shop_cipher", sh.Cipher, "page_size", "100",
				"sort_field", "update_time", "sort_order", "ASC")
			q.Set("sign", requestSign(s.o.AppSecret, search, q, []byte(body)))
			for b.Loop() {
				req := httptest.NewRequestWithContext(b.Context(), "POST", search+"?"+q.Encode(), strings.NewReader(body))
				req.Header.Set("x-tts-access-token", a.AccessToken)
				req.Header.Set("Content-Type", "application/json")
				w := httptest.NewRecorder()
				s.Handler().ServeHTTP(w, req)
				if w.Code != 200 {
					b.Fatal(w.Body)
				}
			}
		})
	}
}

// The index stays in step with the orders however often they are updated, and does not grow with the updates.
func TestIndexIsSwept(t *testing.T) {
	s, sh, clock := busySim(t, 300)
	ids := s.shops[sh.ID].index.created
	for range 40 {
		clock.Advance(time.Second)
		s.mu.Lock()
		for _, o := range ids {
			s.touch(o)
		}
		s.mu.Unlock()
	}
	x := &s.shops[sh.ID].index
	seen := map[*order]bool{}
	last := int64(0)
	x.walk(true, false, 0, 0, func(o *order, _ uint64) {
		if seen[o] || o.updated < last {
			t.Fatalf("order %s is out of place", o.id)
		}
		seen[o], last = true, o.updated
	})
	if len(seen) != 300 || len(x.updated) > 4*1024 {
		t.Errorf("%d orders seen, %d entries", len(seen), len(x.updated))
	}
}

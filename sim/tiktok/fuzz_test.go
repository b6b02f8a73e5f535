package tiktok

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/spillway/spillway/sim/world"
)

// FuzzCalls sends signed calls with any body to every endpoint: each must be answered in the envelope, whatever it says,
// and none may break the stock's sums.
func FuzzCalls(f *testing.F) {
	list := endpoints()
	for i, e := range list {
		f.Add(uint8(i), "576000000000000001", "", "")
		if e.method != "GET" {
			f.Add(uint8(i), "1", `{"skus":[{"id":"1","inventory":[{"warehouse_id":"2","quantity":-1}],"price":{"amount":"1.999","currency":"USD"}}]}`, "")
			f.Add(uint8(i), "ORDER", `{"order_id":"ORDER","order_line_item_ids":["LINE"],"tracking_number":"AB12345","cancel_reason":"seller_cancel_reason_out_of_stock","return_type":"REFUND","return_reason":"x"}`, "")
			f.Add(uint8(i), "PACKAGE", `{"packages":[{"id":"PACKAGE","pickup_slot":[],"self_shipment":[],"delivery_type":"DELIVERY_SUCCESS"}],"decision":"APPROVE_REFUND"}`, "")
		}
		f.Add(uint8(i), "PRODUCT", `[]`, "ids=ORDER&page_size=1&sort_order=ASC")
	}
	f.Fuzz(func(t *testing.T, which uint8, id, body, query string) {
		e := list[int(which)%len(list)]
		s, err := New(Options{Clock: world.NewVirtual(start), Seed: 9, RateLimit: -1, Hold: -1, Shops: []ShopSpec{{Name: "S",
			Region: []string{"US", "GB"}[int(which)%2], Products: []ProductSpec{{Title: "P", SKUs: []SKUSpec{{SellerSKU: "A", Available: 5}}}}}}})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Stop()
		sh := s.Shops()[0]
		order, err := s.PlaceOrder(sh.ID, []Wanted{{"A", 2}}, PlaceOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Cancel(order, "BUYER", ""); err != nil {
			t.Fatal(err)
		}
		fill := strings.NewReplacer("ORDER", order, "LINE", s.orders[order].lines[0].id, "PRODUCT", sh.SKUs[0].ProductID,
			"PACKAGE", append(s.orders[order].parcelIDs(), "none")[0])
		answer := serveSigned(t, s, e, fill.Replace(id), fill.Replace(body), fill.Replace(query))
		if answer == nil {
			return // a path that is no path
		}
		var v struct {
			Code      *int            `json:"code"`
			RequestID string          `json:"request_id"`
			Data      json.RawMessage `json:"data"`
		}
		if err := json.Unmarshal(answer.Body.Bytes(), &v); err != nil || v.Code == nil || v.RequestID == "" || v.Data == nil {
			t.Errorf("%s %s: %d %s", e.method, e.path, answer.Code, answer.Body)
		}
		k, err := s.SKU(sh.ID, "A")
		if err != nil || k.Available < 0 || k.Committed < 0 || k.Active < 0 || k.Available > maxQuantity {
			t.Errorf("%s left %+v, %v", e.path, k, err)
		}
	})
}

func (o *order) parcelIDs() (ids []string) {
	for _, p := range o.parcels {
		ids = append(ids, p.id)
	}
	return ids
}

// serveSigned makes a signed call without a network. It returns nil for text that cannot be put into a path.
func serveSigned(t *testing.T, s *Sim, e route, id, body, query string) *httptest.ResponseRecorder {
	t.Helper()
	if strings.ContainsFunc(id, func(r rune) bool { return !(r >= '0' && r <= '9' || r >= 'a' && r <= 'z') }) || id == "" {
		return nil
	}
	access, err := s.Access(s.Sellers()[0])
	if err != nil {
		t.Fatal(err)
	}
	p := e.path
	if from := strings.IndexByte(p, '{'); from >= 0 {
		p = p[:from] + id + p[strings.IndexByte(p, '}')+1:]
	}
	q := values("app_key", s.o.AppKey, "timestamp", fmt.Sprint(start.Unix()))
	if e.cipher {
		q.Set("shop_cipher", s.Shops()[0].Cipher)
	}
	for pair := range strings.SplitSeq(query, "&") {
		if name, value, ok := strings.Cut(pair, "="); ok && q.Get(name) == "" {
			q.Set(name, value)
		}
	}
	q.Set("sign", requestSign(s.o.AppSecret, p, q, []byte(body)))
	req := httptest.NewRequestWithContext(t.Context(), e.method, p+"?"+q.Encode(), strings.NewReader(body))
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("x-tts-access-token", access.AccessToken)
	w := httptest.NewRecorder()
	s.Handler().ServeHTTP(w, req)
	return w
}

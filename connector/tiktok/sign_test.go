package tiktok

import (
	"io"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/spillway/spillway/connector/driver"
)

// vectors are those of the platform facts, section 4. Body "" is none.
var vectors = []struct {
	name, secret, method, path, query, body, want string
}{
	{"V1", "e59af819cc", "GET", "/authorization/202309/shops", "app_key=29a39d&timestamp=1623812664", "",
		"b596b73e0cc6de07ac26f036364178ab16b0a907af13d43f0a0cd2345f582dc8"},
	{"V2", "e59af819cc", "GET", "/event/202309/webhooks",
		"app_key=68xu9ks5p4i8&shop_cipher=ROW_xkMbgAAAeVAQra0eZWebFQq5aIK&timestamp=1696909648", "",
		"ed58e1b5e59865c22a7b828c1cab65007441f43cc91a6cb2f2cdc638e0995a37"},
	{"V3", "e59af819cc", "PUT", "/event/202309/webhooks",
		"app_key=68xu9ks5p4i8&shop_cipher=ROW_xkMbgAAAeVAQra0eZWebFQq5aIK&timestamp=1696909648",
		`{"event_type":"PACKAGE_UPDATE","address":"https://partner.tiktokshop.com"}`,
		"701dd6deb2389fe4c469b89bd37fc56f96a6da6afeb4d01c9077a65169752fa7"},
	{"V3b", "e59af819cc", "PUT", "/event/202309/webhooks",
		"app_key=68xu9ks5p4i8&shop_cipher=ROW_xkMbgAAAeVAQra0eZWebFQq5aIK&timestamp=1696909648",
		`{"address":"https://partner.tiktokshop.com","event_type":"PACKAGE_UPDATE"}`,
		"cd0d6268252f4ba293bf7ea4c0a2873bf9beec600d22530638564ab301435f7a"},
	{"V4", "app_secret", "GET", "/test-api", "foo=bar", "",
		"d3cb7fe11ecae942802ceeca67e7cf10120cc12f1517d45fbc1c8cfe5413c80f"},
	{"V5", demoSecret, "POST", "/order/202309/orders/search",
		demoQuery + "&page_size=50&page_token=6AsPQsUMvH3RkchN%2FN5M1kHY%2BcZmtQ%3D%3D&sort_field=update_time&sort_order=ASC",
		`{"order_status":"AWAITING_SHIPMENT","update_time_ge":1767139200}`,
		"4608b188cd1ca4f261746cf9ed26f417f3b129a63c6057b005d3d36a87798fe4"},
	{"V6", demoSecret, "GET", "/order/202309/orders", demoQuery + "&ids=576461413038785752%2C576461413038785753", "",
		"b2d294119aec2890f1147fc8713b9ab97b8755942925c6e8c11b9180ed677bfd"},
	{"V7", demoSecret, "POST", "/product/202309/products/1729592969712207008/inventory/update", demoQuery,
		`{"skus":[{"id":"1729592969712207013","inventory":[{"warehouse_id":"7068517275539719942","quantity":42}]}]}`,
		"6a21f8deabff9bb8c7a5be54244ebecc73ec3ce812410c66d17935adad0f976f"},
	{"V8", demoSecret, "GET", "/authorization/202309/shops", "app_key=demo_app_key&timestamp=1767225600", "",
		"75f45abf2f37677cda40e41fcf0866fc7b07e2fb98b6fb4ae2f6fce609df2c7f"},
	{"V9", demoSecret, "POST", "/order/202309/orders/search", demoQuery + "&page_size=50", `{}`,
		"6591b73765eb45f01a116957149956309653d02315ad51a4f5ea0f523142098d"},
	{"V9b, the same without the body", demoSecret, "POST", "/order/202309/orders/search", demoQuery + "&page_size=50", "",
		"db844869437d486ef14a335aac583e62a0c338436695c39247c027ec44dcd8f5"},
}

const (
	demoKey    = "demo_app_key"
	demoSecret = "s3cr3t_0123456789abcdef"
	demoQuery  = "app_key=demo_app_key&shop_cipher=ROW_demoCipher01&timestamp=1767225600"
)

func TestSignVectors(t *testing.T) {
	for _, v := range vectors {
		q, err := url.ParseQuery(v.query)
		if err != nil {
			t.Fatal(err)
		}
		q.Set("access_token", "never signed")
		q.Set("sign", "never signed")
		if got := Sign(v.secret, v.path, q, []byte(v.body)); got != v.want {
			t.Errorf("%s: %s, want %s", v.name, got, v.want)
		}
	}
}

// TestRequestVectors builds whole requests and compares what would go over the wire.
func TestRequestVectors(t *testing.T) {
	app := driver.App{Key: demoKey, Secret: demoSecret}
	base, _ := url.Parse("https://open-api.tiktokglobalshop.com")
	c := caller{app: app, base: base, now: func() time.Time { return time.Unix(1767225600, 0) }}
	build := func(r request) (*http.Request, string) {
		req, fail := c.build(t.Context(), r)
		if fail != nil {
			t.Fatal(fail)
		}
		body := ""
		if req.Body != nil {
			b, err := io.ReadAll(req.Body)
			if err != nil {
				t.Fatal(err)
			}
			body = string(b)
		}
		return req, body
	}
	update := wireUpdate{SKUs: []wireUpdateSKU{{ID: "1729592969712207013", Inventory: []wireUpdateWarehouse{{WarehouseID: "7068517275539719942", Quantity: 42}}}}}
	req, body := build(request{op: driver.OpSet, method: "POST", path: "/product/202309/products/1729592969712207008/inventory/update", cipher: "ROW_demoCipher01", token: "t", body: update})
	if body != vectors[7].body || req.URL.Query().Get("sign") != vectors[7].want || req.Header.Get("content-type") != "application/json" {
		t.Errorf("V7 as a request: %s with %s", req.URL.Query().Get("sign"), body)
	}
	req, body = build(request{op: driver.OpOrders, method: "POST", path: "/order/202309/orders/search", cipher: "ROW_demoCipher01", token: "t",
		query: url.Values{"page_size": {"50"}, "page_token": {""}}, body: wireOrderSearch{}})
	if body != "" || req.ContentLength != 0 || req.Header.Get("content-type") != "" {
		t.Errorf("a search without filters sends the body %q (%s)", body, req.Header.Get("content-type"))
	}
	if req.URL.Query().Has("page_token") {
		t.Errorf("an empty value is sent: %s", req.URL.RawQuery)
	}
	if got := req.URL.Query().Get("sign"); got != vectors[10].want {
		t.Errorf("a search without a body is signed %s, want V9b's %s", got, vectors[10].want)
	}
	req, _ = build(request{op: driver.OpOrders, method: "POST", path: "/order/202309/orders/search", cipher: "ROW_demoCipher01", token: "t",
		query: url.Values{"page_token": {"6AsPQsUMvH3RkchN/N5M1kHY+cZmtQ=="}}})
	if got := req.URL.Query().Get("page_token"); got != "6AsPQsUMvH3RkchN/N5M1kHY+cZmtQ==" {
		t.Errorf("the page token arrives as %q", got)
	}
	if got := req.Header.Get("x-tts-access-token"); got != "t" || req.URL.Query().Has("access_token") {
		t.Errorf("the token must be in its header only, it is %q", got)
	}
}

func TestEncodeNeverSendsAnEmptyObject(t *testing.T) {
	for _, v := range []any{nil, struct{}{}, map[string]string{}, wireOrderSearch{}, (*wireOrderSearch)(nil)} {
		if b, err := encode(v); err != nil || b != nil {
			t.Errorf("encode(%#v) = %q, %v", v, b, err)
		}
	}
	if b, err := encode(wireWebhook{EventType: "A&B", Address: "https://x.example/<>"}); err != nil || string(b) != `{"event_type":"A&B","address":"https://x.example/<>"}` {
		t.Errorf("encode = %s, %v", b, err)
	}
}

func BenchmarkVerify(b *testing.B) {
	app := driver.App{Key: demoKey, Secret: demoSecret}
	body := append([]byte(webhookVector[:len(webhookVector)-1]), []byte(`,"filler":"`)...)
	for len(body) < 1500 {
		body = append(body, 'x')
	}
	body = append(body, `"}`...)
	header := signed(app, body)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := (Vendor{}).Verify(app, header, body); err != nil {
			b.Fatal(err)
		}
	}
}

package tiktok

import (
	"net/url"
	"testing"
)

const vectorSecret = "s3cr3t_0123456789abcdef"

func values(pairs ...string) url.Values {
	q := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		q.Set(pairs[i], pairs[i+1])
	}
	return q
}

// The published and cross-checked signatures of the platform's facts file, section 4.
func TestRequestSignVectors(t *testing.T) {
	hooks := values("app_key", "68xu9ks5p4i8", "shop_cipher", "ROW_xkMbgAAAeVAQra0eZWebFQq5aIK", "timestamp", "1696909648")
	demo := func(more ...string) url.Values {
		return values(append([]string{"app_key", "demo_app_key", "shop_cipher", "ROW_demoCipher01", "timestamp", "1767225600"}, more...)...)
	}
	for _, v := range []struct {
		name, secret, path string
		query              url.Values
		body, want         string
	}{
		{"V1", "e59af819cc", "/authorization/202309/shops", values("app_key", "29a39d", "timestamp", "1623812664"), "",
			"b596b73e0cc6de07ac26f036364178ab16b0a907af13d43f0a0cd2345f582dc8"},
		{"V2", "e59af819cc", "/event/202309/webhooks", hooks, "", "ed58e1b5e59865c22a7b828c1cab65007441f43cc91a6cb2f2cdc638e0995a37"},
		{"V3", "e59af819cc", "/event/202309/webhooks", hooks, `{"event_type":"PACKAGE_UPDATE","address":"https://partner.tiktokshop.com"}`,
			"701dd6deb2389fe4c469b89bd37fc56f96a6da6afeb4d01c9077a65169752fa7"},
		{"V3b", "e59af819cc", "/event/202309/webhooks", hooks, `{"address":"https://partner.tiktokshop.com","event_type":"PACKAGE_UPDATE"}`,
			"cd0d6268252f4ba293bf7ea4c0a2873bf9beec600d22530638564ab301435f7a"},
		{"V4", "app_secret", "/test-api", values("foo", "bar"), "", "d3cb7fe11ecae942802ceeca67e7cf10120cc12f1517d45fbc1c8cfe5413c80f"},
		{"V5", vectorSecret, "/order/202309/orders/search", demo("page_size", "50", "page_token", "6AsPQsUMvH3RkchN/N5M1kHY+cZmtQ==",
			"sort_field", "update_time", "sort_order", "ASC"), `{"order_status":"AWAITING_SHIPMENT","update_time_ge":1767139200}`,
			"4608b188cd1ca4f261746cf9ed26f417f3b129a63c6057b005d3d36a87798fe4"},
		{"V6", vectorSecret, "/order/202309/orders", demo("ids", "576461413038785752,576461413038785753"), "",
			"b2d294119aec2890f1147fc8713b9ab97b8755942925c6e8c11b9180ed677bfd"},
		{"V7", vectorSecret, "/product/202309/products/1729592969712207008/inventory/update", demo(),
			`{"skus":[{"id":"1729592969712207013","inventory":[{"warehouse_id":"7068517275539719942","quantity":42}]}]}`,
			"6a21f8deabff9bb8c7a5be54244ebecc73ec3ce812410c66d17935adad0f976f"},
		{"V8", vectorSecret, "/authorization/202309/shops", values("app_key", "demo_app_key", "timestamp", "1767225600"), "",
			"75f45abf2f37677cda40e41fcf0866fc7b07e2fb98b6fb4ae2f6fce609df2c7f"},
		{"V9", vectorSecret, "/order/202309/orders/search", demo("page_size", "50"), "{}",
			"6591b73765eb45f01a116957149956309653d02315ad51a4f5ea0f523142098d"},
	} {
		if got := requestSign(v.secret, v.path, v.query, []byte(v.body)); got != v.want {
			t.Errorf("%s: %s", v.name, got)
		}
		v.query.Set("sign", v.want)
		v.query.Set("access_token", "never signed")
		if got := checkSign(v.secret, v.path, v.query, []byte(v.body), false); got != goodSign {
			t.Errorf("%s: refused", v.name)
		}
		if got := checkSign(v.secret, v.path, v.query, []byte(v.body+" "), false); got != badSign {
			t.Errorf("%s: accepted with another body (%d)", v.name, got)
		}
	}
}

func TestEmptyBodyMayBeSignedOrNot(t *testing.T) {
	q := values("app_key", "demo_app_key", "shop_cipher", "ROW_demoCipher01", "timestamp", "1767225600", "page_size", "50",
		"sign", "db844869437d486ef14a335aac583e62a0c338436695c39247c027ec44dcd8f5") // V9b
	for body, want := range map[string]signature{"{}": skippedBody, "[]": skippedBody, " { } ": skippedBody, `{"a":1}`: badSign, "": goodSign} {
		if got := checkSign(vectorSecret, "/order/202309/orders/search", q, []byte(body), false); got != want {
			t.Errorf("%q: %d, want %d", body, got, want)
		}
	}
}

func TestMultipartBodyIsNotSigned(t *testing.T) {
	q := values("app_key", "k")
	q.Set("sign", requestSign("s", "/p", q, nil))
	if checkSign("s", "/p", q, []byte("--boundary"), true) != goodSign {
		t.Error("refused")
	}
}

func TestWebhookSignVector(t *testing.T) {
	body := `{"type":1,"tts_notification_id":"7327112393057371910","shop_id":"7494049642642441621","timestamp":1644412885,"data":{"order_id":"576486316948490001","order_status":"UNPAID","is_on_hold_order":false,"update_time":1644412885}}`
	if got := webhookSign("demo_app_key", vectorSecret, []byte(body)); got != "d582970b3e851b346e24702429f7ce80c98cc119d77680aff5150419223e2648" {
		t.Error(got)
	}
}

func TestPageTokens(t *testing.T) {
	seen := map[rune]bool{}
	for pos := uint64(1); pos < 5000; pos += 7 {
		tok := pageToken("orders", pos)
		if got, ok := pagePosition("orders", tok); !ok || got != pos {
			t.Fatalf("%d came back as %d, %v", pos, got, ok)
		}
		if _, ok := pagePosition("returns", tok); ok {
			t.Fatal("a token of another listing was accepted")
		}
		for _, r := range tok {
			seen[r] = true
		}
	}
	if !seen['/'] || !seen['+'] || !seen['='] {
		t.Error("tokens never hold the characters that must be encoded")
	}
}

func FuzzPagePosition(f *testing.F) {
	f.Add(pageToken("orders", 7))
	f.Add("6AsPQsUMvH3RkchN/N5M1kHY+cZmtQ==")
	f.Add("")
	f.Fuzz(func(t *testing.T, token string) {
		if pos, ok := pagePosition("orders", token); ok && pageToken("orders", pos) != token {
			t.Errorf("%q is taken for %d", token, pos)
		}
	})
}

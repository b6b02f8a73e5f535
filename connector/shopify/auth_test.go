package shopify

import (
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/spillway/spillway/connector/driver"
)

// TestSignedQueryVectors are the examples Shopify's documentation published for its consent answer.
func TestSignedQueryVectors(t *testing.T) {
	for _, raw := range []string{
		"code=0907a61c0c8d55e99db179b68161bc00&hmac=700e2dadb827fcc8609e9d5ce208b2e9cdaab9df07390d2cbca10d7c328fc4bf&shop=some-shop.myshopify.com&state=0.6784241404160823&timestamp=1337178173",
		"code=0907a61c0c8d55e99db179b68161bc00&hmac=4712bf92ffc2917d15a2f5a273e39f0116667419aa4b6ac0b3baaf26fa3c4d20&shop=some-shop.myshopify.com&timestamp=1337178173",
	} {
		q, err := url.ParseQuery(raw)
		if err != nil {
			t.Fatal(err)
		}
		if !signedQuery("hush", q) {
			t.Errorf("%s: not taken", raw)
		}
		for k := range q {
			bad, _ := url.ParseQuery(raw)
			bad.Set(k, bad.Get(k)+"0")
			if signedQuery("hush", bad) {
				t.Errorf("taken with another %s", k)
			}
		}
		if signedQuery("", q) || signedQuery("other", q) {
			t.Error("taken with another secret")
		}
	}
	// Values that need encoding are signed either way.
	q := url.Values{"host": {"YWRtaW4/c3RvcmU="}, "shop": {"a.myshopify.com"}}
	for _, text := range []string{q.Encode(), plain(q)} {
		signed := url.Values{"host": q["host"], "shop": q["shop"], "hmac": {hexSum("s", text)}}
		if !signedQuery("s", signed) {
			t.Errorf("%q: not taken", text)
		}
	}
}

func hexSum(secret, text string) string {
	raw, _ := base64Bytes(sign(secret, []byte(text)))
	return hex.EncodeToString(raw)
}

// tokens is a shop's token endpoint with answers in a row.
type tokens struct {
	answers []string
	asked   []url.Values
}

func (k *tokens) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	if strings.HasSuffix(r.URL.Path, "graphql.json") {
		_, _ = io.WriteString(w, `{"data":{"shop":{"name":"Jane's Shop","myshopifyDomain":"`+testShop+`"}}}`)
		return
	}
	form, _ := url.ParseQuery(string(body))
	k.asked = append(k.asked, form)
	w.Header().Set("Date", "Fri, 20 Nov 2026 10:00:00 GMT")
	answer := k.answers[0]
	k.answers = k.answers[1:]
	if strings.Contains(answer, `"error"`) {
		w.WriteHeader(http.StatusBadRequest)
	}
	_, _ = io.WriteString(w, answer)
}

func (k *tokens) app(t *testing.T) driver.App {
	t.Helper()
	srv := httptest.NewServer(k)
	t.Cleanup(srv.Close)
	return driver.App{Key: "key", Secret: "hush", Settings: map[string]string{SettingBase: srv.URL, SettingShop: testShop}}
}

func consented(app driver.App) url.Values {
	q := url.Values{"code": {"c0de"}, "shop": {testShop}, "state": {"s"}, "timestamp": {"1337178173"}}
	q.Set("hmac", hexSum(app.Secret, q.Encode()))
	return q
}

func TestExpiringTokens(t *testing.T) {
	k := &tokens{answers: []string{
		`{"access_token":"a1","scope":"read_orders,write_inventory","expires_in":3600,"refresh_token":"r1","refresh_token_expires_in":7776000}`,
		`{"access_token":"a2","scope":"read_orders,write_inventory","expires_in":3600,"refresh_token":"r2","refresh_token_expires_in":7776000}`,
		`{"error":"invalid_request","error_description":"This refresh token is no longer active"}`,
	}}
	app := k.app(t)
	now := time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC)
	g, err := Vendor{}.Exchange(t.Context(), app, http.DefaultClient, consented(app))
	if err != nil {
		t.Fatal(err)
	}
	if g.AccessToken != "a1" || g.RefreshToken != "r1" || !g.AccessExpiresAt.Equal(now.Add(time.Hour)) || !g.RefreshExpires.Equal(now.Add(90*24*time.Hour)) ||
		g.Subject != testShop || g.SellerName != "Jane's Shop" || len(g.Scopes) != 2 || g.Shops[0].ExternalID != testShop {
		t.Errorf("grant %+v", g)
	}
	if f := k.asked[0]; f.Get("expiring") != "1" || f.Get("code") != "c0de" || f.Get("client_secret") != "hush" {
		t.Errorf("asked with %v", f)
	}
	g, err = Vendor{}.Refresh(t.Context(), app, http.DefaultClient, g)
	if err != nil || g.AccessToken != "a2" || g.RefreshToken != "r2" || k.asked[1].Get("refresh_token") != "r1" || k.asked[1].Get("grant_type") != "refresh_token" {
		t.Errorf("renewed %+v, %v", g, err)
	}
	if _, err = (Vendor{}).Refresh(t.Context(), app, http.DefaultClient, g); driver.ClassOf(err) != driver.AskHuman {
		t.Errorf("an ended refresh token: %v", err)
	}
}

func TestTokenThatNeverExpires(t *testing.T) {
	k := &tokens{answers: []string{`{"access_token":"a1","scope":"read_orders"}`}}
	app := k.app(t)
	app.Settings[SettingExpiring] = "no"
	g, err := Vendor{}.Exchange(t.Context(), app, http.DefaultClient, consented(app))
	if err != nil || !g.AccessExpiresAt.IsZero() || g.RefreshToken != "" || k.asked[0].Has("expiring") {
		t.Errorf("grant %+v, %v", g, err)
	}
	if _, err = (Vendor{}).Refresh(t.Context(), app, http.DefaultClient, g); driver.ClassOf(err) != driver.AskHuman {
		t.Errorf("renewing it: %v", err)
	}
}

// TestCustomAppToken: the operator copies a token out of the shop's admin.
func TestCustomAppToken(t *testing.T) {
	s := newShop(t)
	g, err := Vendor{}.Exchange(t.Context(), s.app, http.DefaultClient, url.Values{"access_token": {testToken}, "shop": {testShop}})
	if err != nil || g.AccessToken != testToken || !g.AccessExpiresAt.IsZero() || g.Shops[0].Name != "Sandbox" {
		t.Errorf("grant %+v, %v", g, err)
	}
	if _, err = (Vendor{}).Exchange(t.Context(), s.app, http.DefaultClient, url.Values{"access_token": {"shpat_wrong"}, "shop": {testShop}}); driver.ClassOf(err) != driver.AskHuman {
		t.Errorf("a wrong token: %v", err)
	}
}

// TestOwnOrganisation: an app of the operator's own organisation logs in with its credentials, and again after a day.
func TestOwnOrganisation(t *testing.T) {
	s := newShop(t)
	g, err := Vendor{}.Exchange(t.Context(), s.app, http.DefaultClient, url.Values{"grant_type": {grantCredentials}})
	if err != nil || g.AccessToken == "" || time.Until(g.AccessExpiresAt) < 23*time.Hour || g.Subject != testShop {
		t.Fatalf("grant %+v, %v", g, err)
	}
	again, err := Vendor{}.Refresh(t.Context(), s.app, http.DefaultClient, g)
	if err != nil || again.AccessToken == g.AccessToken {
		t.Errorf("renewed %+v, %v", again, err)
	}
}

// TestForgedConsent: nothing that Shopify did not sign makes us send our secret anywhere.
func TestForgedConsent(t *testing.T) {
	k := &tokens{}
	app := k.app(t)
	good := consented(app)
	for name, change := range map[string]func(url.Values){
		"another shop": func(q url.Values) { q.Set("shop", "evil.myshopify.com") },
		"another code": func(q url.Values) { q.Set("code", "x") },
		"no hmac":      func(q url.Values) { q.Del("hmac") },
	} {
		q, _ := url.ParseQuery(good.Encode())
		change(q)
		if _, err := (Vendor{}).Exchange(t.Context(), app, http.DefaultClient, q); driver.ClassOf(err) != driver.Forged {
			t.Errorf("%s: %v", name, err)
		}
	}
	q := url.Values{"code": {"c"}, "shop": {"evil.example/x"}}
	q.Set("hmac", hexSum(app.Secret, q.Encode()))
	if _, err := (Vendor{}).Exchange(t.Context(), app, http.DefaultClient, q); driver.ClassOf(err) != driver.GiveUp {
		t.Errorf("a shop elsewhere: %v", err)
	}
	if len(k.asked) != 0 {
		t.Errorf("the secret was sent %d times", len(k.asked))
	}
	delete(app.Settings, SettingShop)
	if _, err := (Vendor{}).ConsentURL(app, "https://x.example", "s"); driver.ClassOf(err) != driver.AskHuman {
		t.Errorf("no shop named: %v", err)
	}
}

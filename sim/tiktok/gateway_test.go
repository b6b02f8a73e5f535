package tiktok

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/sim/world"
)

const search = "/order/202309/orders/search"

func TestGatewayRefuses(t *testing.T) {
	r := newRig(t)
	for name, c := range map[string]struct {
		req        *http.Request
		http, code int
	}{
		"app key":       {r.request("POST", search, "", "app_key", "other"), 400, codeBadParameter},
		"old":           {r.request("POST", search, "", "timestamp", itoa(int(start.Unix())-301)), 400, codeBadParameter},
		"future":        {r.request("POST", search, "", "timestamp", itoa(int(start.Unix())+31)), 400, codeBadParameter},
		"no timestamp":  {r.request("POST", search, "", "timestamp", "-"), 400, codeBadParameter},
		"no cipher":     {r.request("POST", search, "", "shop_cipher", "-"), 400, codeNoCipher},
		"wrong cipher":  {r.request("POST", search, "", "shop_cipher", "ROW_x"), 400, codeBadCipher},
		"cipher unwant": {r.request("GET", "/authorization/202309/shops", ""), 400, codeBadParameter},
		"path":          {r.request("POST", "/order/202309/nothing", ""), 404, codeNoPath},
		"method":        {r.request("GET", search, ""), 405, codeNoMethod},
		"not offered":   {r.request("GET", "/finance/202309/statements", ""), 403, codeNoScope},
	} {
		if a := r.do(c.req); a.Code != c.code || a.HTTP != c.http {
			t.Errorf("%s: %d %d %s, want %d %d", name, a.HTTP, a.Code, a.Message, c.http, c.code)
		}
	}
	for _, edge := range []string{itoa(int(start.Unix()) - 300), itoa(int(start.Unix()) + 30)} {
		if a := r.call("POST", search, "", "timestamp", edge); a.Code != 0 {
			t.Errorf("timestamp %s: %d %s", edge, a.Code, a.Message)
		}
	}
	change := func(do func(*http.Request)) *http.Request {
		req := r.request("POST", search, `{"order_status":"UNPAID"}`)
		do(req)
		return req
	}
	for name, c := range map[string]struct {
		req  *http.Request
		code int
	}{
		"no token":     {change(func(q *http.Request) { q.Header.Del("x-tts-access-token") }), codeBadParameter},
		"content type": {change(func(q *http.Request) { q.Header.Set("Content-Type", "text/plain") }), codeNoJSON},
		"sign":         {change(func(q *http.Request) { q.URL.RawQuery += "&x=1" }), codeBadSign},
		"no sign": {change(func(q *http.Request) {
			v := q.URL.Query()
			v.Del("sign")
			q.URL.RawQuery = v.Encode()
		}), codeBadParameter},
	} {
		if a := r.do(c.req); a.Code != c.code {
			t.Errorf("%s: %d %s, want %d", name, a.Code, a.Message, c.code)
		}
	}
}

// Every answer, whatever it says, carries the simulator's time and not the machine's.
func TestAnswersAreDated(t *testing.T) {
	r := newRig(t)
	r.clock.Advance(90 * time.Minute)
	for _, path := range []string{search, "/api/v2/token/get", "/_sandbox/", "/nothing"} {
		resp, err := http.Get(r.url + path)
		r.must(err)
		resp.Body.Close()
		if got := resp.Header.Get("Date"); got != "Mon, 02 Nov 2026 18:30:00 GMT" {
			t.Errorf("%s is dated %q", path, got)
		}
	}
}

func TestEmptyBodiesAreCounted(t *testing.T) {
	r := newRig(t)
	r.ok(nil, "POST", search, "{}")
	unsigned := r.request("POST", search, "")
	unsigned.Body, unsigned.ContentLength = http.NoBody, 0
	req, err := http.NewRequestWithContext(t.Context(), "POST", unsigned.URL.String(), strings.NewReader("[]"))
	r.must(err)
	req.Header = unsigned.Header
	req.Header.Set("Content-Type", "application/json")
	if a := r.do(req); a.Code != 0 {
		t.Fatalf("%d %s", a.Code, a.Message)
	}
	if got := r.sim.EmptyBodies(); got != (EmptyBodies{Signed: 1, Unsigned: 1}) {
		t.Errorf("%+v", got)
	}
	if note := r.sim.Requests(0)[0].Note; note != "empty body sent but not signed" {
		t.Errorf("logged %q", note)
	}
}

func TestRateLimit(t *testing.T) {
	r := newRig(t, func(o *Options) { o.RateLimit = 3; o.HourlyQuota = 8 })
	for i := range 4 {
		if a := r.call("POST", search, ""); (a.Code == codeThrottled) != (i == 3) || i == 3 && a.HTTP != 429 {
			t.Errorf("call %d: %d %d", i, a.HTTP, a.Code)
		}
	}
	r.ok(nil, "GET", "/logistics/202309/warehouses", "") // another endpoint has its own bucket
	r.clock.Advance(time.Second)
	for range 3 {
		r.ok(nil, "POST", search, "")
	}
	r.refused(codeThrottled, "GET", "/logistics/202309/warehouses", "") // the ninth of the hour
	r.clock.Advance(time.Hour)
	r.ok(nil, "POST", search, "")
}

type tokens struct {
	Access        string   `json:"access_token"`
	AccessExpires int64    `json:"access_token_expire_in"`
	Refresh       string   `json:"refresh_token"`
	Expires       int64    `json:"refresh_token_expire_in"`
	Scopes        []string `json:"granted_scopes"`
}

func (r *rig) tokenCall(path string, pairs ...string) (tokens, answer) {
	r.Helper()
	q := values(append([]string{"app_key", r.sim.o.AppKey, "app_secret", r.sim.o.AppSecret}, pairs...)...)
	req, err := http.NewRequestWithContext(r.Context(), "GET", r.url+path+"?"+q.Encode(), nil)
	r.must(err)
	a := r.do(req)
	var v tokens
	r.must(json.Unmarshal(a.Data, &v))
	return v, a
}

func (r *rig) code() string {
	r.Helper()
	c := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := c.Get(r.url + "/open/authorize?state=s%2F1&service_id=" + r.sim.o.ServiceID)
	r.must(err)
	defer resp.Body.Close()
	u, err := url.Parse(resp.Header.Get("Location"))
	r.must(err)
	if u.Query().Get("state") != "s/1" || u.Host != "app.example" {
		r.Fatalf("sent to %s", u)
	}
	return u.Query().Get("code")
}

func TestOAuth(t *testing.T) {
	r := newRig(t, func(o *Options) { o.AutoApprove, o.RedirectURL = true, "https://app.example/cb" })
	code := r.code()
	first, a := r.tokenCall("/api/v2/token/get", "auth_code", code, "grant_type", "authorized_code")
	if a.Code != 0 || !strings.HasPrefix(first.Access, "TTP_") || first.AccessExpires != start.Add(7*24*time.Hour).Unix() || len(first.Scopes) == 0 {
		t.Fatalf("%+v %+v", a, first)
	}
	if _, a := r.tokenCall("/api/v2/token/get", "auth_code", code, "grant_type", "authorized_code"); a.Code == 0 {
		t.Error("a code was good twice")
	}
	late := r.code()
	r.clock.Advance(codeLife + time.Second)
	if _, a := r.tokenCall("/api/v2/token/get", "auth_code", late, "grant_type", "authorized_code"); a.Code == 0 {
		t.Error("a code was good for too long")
	}
	r.token = first.Access
	r.clock.Advance(7 * 24 * time.Hour)
	if a := r.refused(codeExpired, "POST", search, ""); a.HTTP != 401 {
		t.Errorf("HTTP %d", a.HTTP)
	}
	second, a := r.tokenCall("/api/v2/token/refresh", "refresh_token", first.Refresh, "grant_type", "refresh_token")
	if a.Code != 0 || second.Refresh == first.Refresh || second.Expires != first.Expires {
		t.Fatalf("%+v", a)
	}
	var again tokens
	for range 3 {
		if again, a = r.tokenCall("/api/v2/token/refresh", "refresh_token", first.Refresh, "grant_type", "refresh_token"); a.Code != 0 {
			t.Fatalf("a client that lost the answer again and again is locked out: %+v", a)
		}
	}
	r.token = again.Access
	r.ok(nil, "POST", search, "")
	if _, a := r.tokenCall("/api/v2/token/refresh", "refresh_token", first.Refresh, "grant_type", "refresh_token"); a.Code == 0 {
		t.Error("an old refresh token lives on")
	}
	if _, a := r.tokenCall("/api/v2/token/refresh", "refresh_token", second.Refresh, "grant_type", "refresh_token"); a.Code == 0 {
		t.Error("what was issued beside the one in use refreshes")
	}
	r.ok(nil, "POST", search, "") // and none of that touched the one in use
	r.clock.Advance(365 * 24 * time.Hour)
	if _, a := r.tokenCall("/api/v2/token/refresh", "refresh_token", again.Refresh, "grant_type", "refresh_token"); a.Code != codeExpired {
		t.Errorf("after the grant's end: %+v", a)
	}
}

func TestConsentPageAsksAndCanBeRefused(t *testing.T) {
	r := newRig(t, func(o *Options) { o.RedirectURL = "https://app.example/cb" })
	get := func(more string) *http.Response {
		c := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
		resp, err := c.Get(r.url + "/open/authorize?state=1&service_id=" + r.sim.o.ServiceID + more)
		r.must(err)
		r.must(resp.Body.Close())
		return resp
	}
	if resp := get(""); resp.StatusCode != 200 {
		t.Errorf("asked: %s", resp.Status)
	}
	if to := get("&decision=refuse").Header.Get("Location"); !strings.Contains(to, "code=null") || !strings.Contains(to, "error=auth_denied") {
		t.Errorf("refused: %s", to)
	}
	if to := get("&decision=refuse&redirect_uri=https://127.evil.example/").Header.Get("Location"); !strings.HasPrefix(to, "https://app.example/") {
		t.Errorf("sent to a stranger: %s", to)
	}
}

func TestScopesExpiryAndRevocation(t *testing.T) {
	r := newRig(t, func(o *Options) { o.Scopes = []string{scopeOrder} })
	h := r.listen()
	r.ok(nil, "POST", search, "")
	r.refused(codeNoScope, "GET", "/logistics/202309/warehouses", "")
	seller := r.sim.Sellers()[0]
	r.must(r.sim.ExpireTokens(seller))
	r.refused(codeExpired, "POST", search, "")
	r.grant()
	r.ok(nil, "POST", search, "")
	r.must(r.sim.Revoke(seller))
	r.refused(codeExpired, "POST", search, "")
	if err := r.sim.Revoke(seller); !errs.Is(err, errs.NotFound) {
		t.Errorf("revoked twice: %v", err)
	}
	got := r.take()
	if len(got) != 1 || got[0].Type != 6 || h == nil {
		t.Errorf("webhooks %+v", got)
	}
}

func TestExpiryIsAnnouncedDaily(t *testing.T) {
	r := newRig(t, func(o *Options) { o.GrantLife = 33 * 24 * time.Hour })
	r.listen()
	r.clock.Advance(3*24*time.Hour - time.Second)
	if got := r.take(); len(got) != 0 {
		t.Errorf("too early: %v", got)
	}
	r.clock.Advance(40 * 24 * time.Hour)
	got := r.take()
	if len(got) != 30 || got[0].Type != 7 || got[0].data["expiration_time"] != itoa(int(start.Add(33*24*time.Hour).Unix())) {
		t.Errorf("%d notices, first %s", len(got), got[0].body)
	}
}

func TestTwoShopsOfOneSeller(t *testing.T) {
	r := newRig(t, func(o *Options) {
		o.Shops = append(o.Shops, ShopSpec{Name: "Second"}, ShopSpec{Name: "Stranger", Seller: "Other"})
	})
	var got struct {
		Shops []struct{ ID, Cipher string }
	}
	seller := r.shop.Seller
	a, err := r.sim.Grant(seller)
	r.must(err)
	r.token = a.AccessToken
	r.ok(&got, "GET", "/authorization/202309/shops", "")
	if len(got.Shops) != 2 {
		t.Fatalf("%+v", got)
	}
	id := r.place("MUG-R", 1)
	r.ok(nil, "POST", search, "", "shop_cipher", got.Shops[1].Cipher)
	r.refused(codeOrderUnknown, "GET", "/order/202507/orders", "", "ids", id, "shop_cipher", got.Shops[1].Cipher)
	r.refused(codeBadCipher, "POST", search, "", "shop_cipher", r.sim.Shops()[2].Cipher)
}

func TestArrangedFaults(t *testing.T) {
	r := newRig(t)
	for kind, want := range map[world.Kind]answer{world.Throttle: {HTTP: 429, Code: codeThrottled}, world.Unavailable: {HTTP: 503, Code: codeThrottled},
		world.Internal: {HTTP: 500, Code: codeInternal}, world.TokenExpired: {HTTP: 401, Code: codeExpired}} {
		_, err := r.sim.Faults().Add(world.Rule{Point: "POST /order/*", Kind: kind, Remaining: 1})
		r.must(err)
		if a := r.call("POST", search, ""); a.HTTP != want.HTTP || a.Code != want.Code {
			t.Errorf("%s: %d %d", kind, a.HTTP, a.Code)
		}
		r.ok(nil, "POST", search, "")
	}
	mug, k := r.sku("MUG-B").ProductID, r.sku("MUG-B")
	update := "/product/202309/products/" + mug + "/inventory/update"
	body := `{"skus":[{"id":"` + k.ID + `","inventory":[{"warehouse_id":"` + r.warehouse("East") + `","quantity":7}]}]}`
	_, err := r.sim.Faults().Add(world.Rule{Point: "POST *inventory/update", Kind: world.LostReply, Remaining: 1})
	r.must(err)
	if resp, err := http.DefaultClient.Do(r.request("POST", update, body)); err == nil {
		t.Error("answered", resp.Status)
		_ = resp.Body.Close()
	}
	if got := r.sku("MUG-B").Available; got != 7 {
		t.Errorf("the work of a lost reply was not done: %d", got)
	}
	if line := r.sim.Requests(0)[0]; line.HTTP != 0 || line.Note == "" {
		t.Errorf("log %+v", line)
	}
	_, err = r.sim.Faults().Add(world.Rule{Point: "POST *inventory/update", Kind: world.LateEffect, Remaining: 1, Delay: world.Duration(time.Minute)})
	r.must(err)
	r.ok(nil, "POST", update, strings.Replace(body, ":7}", ":9}", 1))
	if got := r.sku("MUG-B").Available; got != 7 {
		t.Errorf("a late effect came at once: %d", got)
	}
	r.clock.Advance(time.Minute)
	if got := r.sku("MUG-B").Available; got != 9 {
		t.Errorf("a late effect never came: %d", got)
	}
}

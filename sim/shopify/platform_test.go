package shopify

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/spillway/spillway/sim/world"
)

func TestCostAndThrottle(t *testing.T) {
	s := open(t, func(o *Options) { o.Unthrottled = false })
	s.product(5, "A")
	a := s.query(`{ orders(first: 100) { edges { node { id lineItems(first: 3) { nodes { id } } } } } }`, nil)
	cost := []any{"extensions", "cost"}
	at := func(p ...any) []any { return append(append([]any{}, cost...), p...) }
	a.want(602, at("requestedQueryCost")...) // 2 + 100 × (1 + 2 + 3)
	a.want(2, at("actualQueryCost")...)      // no orders
	a.want(2000, at("throttleStatus", "maximumAvailable")...)
	a.want(1998, at("throttleStatus", "currentlyAvailable")...)
	a.want(100, at("throttleStatus", "restoreRate")...)
	heavy := `{ orders(first: 248) { nodes { id lineItems(first: 1) { pageInfo { hasNextPage } } } } }`
	for range 250 {
		s.place("A", 1)
		if err := s.SetAvailable("A", 0, 5); err != nil {
			t.Fatal(err)
		}
	}
	s.query(heavy, nil).want(746, at("actualQueryCost")...) // 2 + 248 × (1 + 2)
	s.query(heavy, nil).want(1998-2*746, at("throttleStatus", "currentlyAvailable")...)
	refused := s.at("2026-10", heavy, nil)
	if refused.status != 200 || refused.code() != "THROTTLED" {
		t.Fatalf("status %d: %s", refused.status, refused.text())
	}
	refused.want("Throttled", "errors", 0, "message")
	refused.want(nil, at("actualQueryCost")...)
	if _, ok := refused.body["data"]; ok {
		t.Error("a throttled answer has data")
	}
	s.clock.Advance(2400 * time.Millisecond) // 506 + 240 = 746
	s.query(heavy, nil).want(0, at("throttleStatus", "currentlyAvailable")...)
	s.clock.Advance(time.Hour)
	s.query(`{ shop { name } }`, nil).want(1999, at("throttleStatus", "currentlyAvailable")...)
	if got := s.Counts().Throttled; got != 1 {
		t.Errorf("%d throttled, want 1", got)
	}
	v := s.variants[0].item
	m := s.set("2026-10", "k", Variant{InventoryItemID: v.id}, 3, map[string]any{"changeFromQuantity": nil}, nil)
	m.want(10, at("requestedQueryCost")...)
	m.want(10, at("actualQueryCost")...)
}

func TestPlansRestoreAtTheirRate(t *testing.T) {
	for plan, rate := range restoreRates {
		b := newBucket(rate, testStart)
		if !b.take(rate*bucketSeconds, testStart) || b.take(1, testStart) {
			t.Errorf("%s: the bucket does not hold %d", plan, rate*bucketSeconds)
		}
		if at := testStart.Add(time.Second); !b.take(rate, at) || b.take(1, at) {
			t.Errorf("%s: a second does not restore %d", plan, rate)
		}
	}
}

func TestArrangedFaults(t *testing.T) {
	s := open(t)
	for _, c := range []struct {
		kind   world.Kind
		status int
		code   string
	}{{world.Throttle, 200, "THROTTLED"}, {world.Unavailable, 503, ""}, {world.Internal, 200, "INTERNAL_SERVER_ERROR"}, {world.TokenExpired, 401, ""}} {
		if _, err := s.Faults().Add(world.Rule{Point: "POST /admin/api/*/graphql.json query shop", Kind: c.kind, Remaining: 1}); err != nil {
			t.Fatal(err)
		}
		if a := s.at("2026-10", `{ shop { name } }`, nil); a.status != c.status || a.code() != c.code {
			t.Errorf("%s: %d %q, want %d %q", c.kind, a.status, a.code(), c.status, c.code)
		}
	}
	s.query(`{ shop { name } }`, nil)
	for _, c := range []struct{ status, want int }{{402, 402}, {423, 423}, {0, 200}} {
		if err := s.Suspend(c.status); err != nil {
			t.Fatal(err)
		}
		if a := s.at("2026-10", `{ shop { name } }`, nil); a.status != c.want {
			t.Errorf("suspended with %d: %d", c.status, a.status)
		}
	}
}

func TestInstall(t *testing.T) {
	s := open(t)
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Get(s.url + "/admin/oauth/authorize?client_id=sandbox-client&scope=read_orders&state=xyz&redirect_uri=" +
		url.QueryEscape("https://app.example.com/callback?keep=1"))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	back, err := resp.Location()
	if err != nil {
		t.Fatal(err)
	}
	q := back.Query()
	if back.Host != "app.example.com" || q.Get("keep") != "1" || q.Get("state") != "xyz" || q.Get("shop") != "sandbox.myshopify.com" {
		t.Errorf("redirect %s", back)
	}
	q.Del("keep")
	if q.Get("hmac") != s.SignQuery(q) || len(q.Get("hmac")) != 64 {
		t.Errorf("hmac %q", q.Get("hmac"))
	}
	exchange := func(form url.Values) (int, map[string]any) {
		resp, err := http.PostForm(s.url+"/admin/oauth/access_token", form)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		var out map[string]any
		if err := json.NewDecoder(resp.Body).Decode(&out); err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode, out
	}
	form := url.Values{"client_id": {"sandbox-client"}, "client_secret": {"sandbox-secret"}, "code": {q.Get("code")}}
	status, out := exchange(form)
	token, _ := out["access_token"].(string)
	if status != 200 || out["scope"] != DefaultScopes {
		t.Fatalf("%d %v", status, out)
	}
	if status, _ := exchange(form); status != 400 {
		t.Errorf("a code worked twice: %d", status)
	}
	shopQuery := []byte(`{"query":"{ shop { name } }"}`)
	if a := s.post("2026-10", token, "application/json", shopQuery); a.status != 200 {
		t.Errorf("the new token gives %d", a.status)
	}
	status, out = exchange(url.Values{"client_id": {"sandbox-client"}, "client_secret": {"sandbox-secret"}, "grant_type": {"client_credentials"}})
	if status != 200 || out["expires_in"] != 86399.0 {
		t.Fatalf("%d %v", status, out)
	}
	token, _ = out["access_token"].(string)
	s.clock.Advance(tokenLifetime - time.Second)
	if a := s.post("2026-10", token, "application/json", shopQuery); a.status != 200 {
		t.Errorf("before it expires the token gives %d", a.status)
	}
	s.clock.Advance(time.Second)
	if a := s.post("2026-10", token, "application/json", shopQuery); a.status != 401 {
		t.Errorf("an expired token gives %d", a.status)
	}
	if status, _ := exchange(url.Values{"client_id": {"sandbox-client"}, "client_secret": {"wrong"}, "grant_type": {"client_credentials"}}); status != 400 {
		t.Errorf("a wrong secret gives %d", status)
	}
}

const (
	bulkRun  = `mutation($q: String!) { bulkOperationRunQuery(query: $q) { bulkOperation { id status } userErrors { code message } } }`
	bulkLook = `{ currentBulkOperation { id status url objectCount rootObjectCount fileSize errorCode completedAt } }`
)

func TestBulkOperation(t *testing.T) {
	s, r := open(t), receive(t)
	s.product(900, "A", "B")
	s.subscribe("BULK_OPERATIONS_FINISH", r.URL, "")
	for range 300 {
		if _, err := s.PlaceOrder(OrderInput{Lines: []OrderLine{{SKU: "A", Quantity: 1}, {SKU: "B", Quantity: 2}}}); err != nil {
			t.Fatal(err)
		}
	}
	a := s.query(bulkRun, map[string]any{"q": `{ orders { edges { node { id name lineItems { edges { node { id sku quantity variant { id } } } } } } } }`})
	a.want("CREATED", "data", "bulkOperationRunQuery", "bulkOperation", "status")
	s.query(bulkRun, map[string]any{"q": `{ orders { edges { node { id } } } }`}).want("OPERATION_IN_PROGRESS", "data", "bulkOperationRunQuery", "userErrors", 0, "code")
	s.query(bulkLook, nil).want("RUNNING", "data", "currentBulkOperation", "status")
	s.clock.Advance(2 * time.Second)
	done := s.query(bulkLook, nil)
	done.want("COMPLETED", "data", "currentBulkOperation", "status")
	done.want("900", "data", "currentBulkOperation", "objectCount")
	done.want("300", "data", "currentBulkOperation", "rootObjectCount")
	s.query(`query($id: ID!) { node(id: $id) { ... on BulkOperation { status } } }`, map[string]any{"id": done.get("data", "currentBulkOperation", "id")}).
		want("COMPLETED", "data", "node", "status")
	resp, err := http.Get(fmt.Sprint(done.get("data", "currentBulkOperation", "url")))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var lines []map[string]any
	for sc := bufio.NewScanner(resp.Body); sc.Scan(); {
		var l map[string]any
		if err := json.Unmarshal(sc.Bytes(), &l); err != nil {
			t.Fatal(err)
		}
		lines = append(lines, l)
	}
	if len(lines) != 900 {
		t.Fatalf("%d lines, want 900", len(lines))
	}
	if lines[0]["name"] != "#1001" || lines[0]["lineItems"] != nil || lines[0]["__parentId"] != nil {
		t.Errorf("first line %v", lines[0])
	}
	if diff := cmp.Diff(lines[0]["id"], lines[2]["__parentId"]); diff != "" || lines[2]["sku"] != "B" {
		t.Errorf("third line %v", lines[2])
	}
	if got := r.take(s); len(got) != 1 || got[0].body["status"] != "completed" {
		t.Errorf("webhooks %+v", got)
	}
	for _, q := range []string{`{ shop { name } }`, `mutation { webhookSubscriptionDelete(id: "x") { userErrors { message } } }`, `{ nope }`} {
		s.query(bulkRun, map[string]any{"q": q}).want("INVALID", "data", "bulkOperationRunQuery", "userErrors", 0, "code")
	}
}

// A connection below a plain object hangs on the nearest node that has a line.
func TestBulkOperationBelowAPlainObject(t *testing.T) {
	s := open(t)
	s.product(600, "A", "B")
	s.query(bulkRun, map[string]any{"q": `{ productVariants { edges { node { id inventoryItem { sku inventoryLevels { nodes { id quantities(names: ["available"]) { quantity } } } } } } } }`})
	s.clock.Advance(2 * time.Second)
	done := s.query(bulkLook, nil)
	done.want("4", "data", "currentBulkOperation", "objectCount")
	resp, err := http.Get(fmt.Sprint(done.get("data", "currentBulkOperation", "url")))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	v := s.variants[0]
	want := fmt.Sprintf(`{"id":%q,"inventoryItem":{"sku":"A"}}
{"id":%q,"quantities":[{"quantity":600}],"__parentId":%q}
`, gid("ProductVariant", v.id), v.item.levels[0].gid(), gid("ProductVariant", v.id))
	if !strings.HasPrefix(string(text), want) {
		t.Errorf("nested result:\n%s\nwant it to begin with\n%s", text, want)
	}
}

func TestControlAPI(t *testing.T) {
	s := open(t)
	call := func(method, path, body string) (int, map[string]any, string) {
		req, err := http.NewRequest(method, s.url+"/_sandbox/api/"+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		raw, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		var out map[string]any
		if json.Unmarshal(bytes.TrimSpace(raw), &out) != nil {
			out = nil // a list
		}
		return resp.StatusCode, out, string(raw)
	}
	if status, _, text := call("POST", "products", `{"title":"Mug","variants":[{"sku":"A","stock":3}]}`); status != 200 {
		t.Fatal(status, text)
	}
	status, o, text := call("POST", "orders", `{"lines":[{"sku":"A","quantity":2}]}`)
	if status != 200 || o["name"] != "#1001" {
		t.Fatal(status, text)
	}
	id := fmt.Sprintf("%.0f", o["id"])
	if status, out, text := call("POST", "orders", `{"lines":[{"sku":"A","quantity":2}]}`); status != 409 || out["kind"] != "insufficient stock" {
		t.Error(status, text)
	}
	for _, c := range []struct {
		method, path, body string
		status             int
	}{
		{"GET", "state", "", 200}, {"GET", "items", "", 200}, {"GET", "items/A", "", 200}, {"GET", "items/Z", "", 404}, {"GET", "orders", "", 200},
		{"GET", "orders/" + id, "", 200}, {"GET", "orders/abc", "", 404}, {"POST", "stock", `{"sku":"A","available":9}`, 200},
		{"POST", "stock", `{"sku":"A","delta":-1}`, 200}, {"POST", "stock", `{"sku":`, 422}, {"POST", "orders/" + id + "/hold", `{"on":true}`, 200},
		{"POST", "orders/" + id + "/edit", `{"sku":"nothing","units":1}`, 404},
		{"POST", "orders/" + id + "/pay", "", 409}, {"POST", "orders/" + id + "/cancel", `{"reason":"WHIM"}`, 422}, {"POST", "orders/" + id + "/cancel", `{"reason":"CUSTOMER","restock":true}`, 200},
		{"POST", "orders/" + id + "/fulfill", `{}`, 409}, {"POST", "faults", `{"point":"*","kind":"throttle","remaining":1}`, 200},
		{"POST", "faults", `{"point":"*","kind":"flood"}`, 422}, {"GET", "faults", "", 200}, {"DELETE", "faults", "", 200}, {"DELETE", "faults/f9", "", 404},
		{"POST", "locations", `{"name":"Far"}`, 200}, {"GET", "webhooks", "", 200}, {"POST", "suspend", `{"status":500}`, 422},
		{"POST", "suspend", `{"status":402}`, 200}, {"POST", "suspend", "", 200}, {"POST", "uninstall", "", 200}, {"GET", "nothing", "", 404},
	} {
		if status, _, text := call(c.method, c.path, c.body); status != c.status {
			t.Errorf("%s %s: %d, want %d: %s", c.method, c.path, status, c.status, text)
		}
	}
	if got := s.Available("A"); got != 10 { // set to 9, minus 1, the cancelled 2 are back
		t.Errorf("available %d, want 10", got)
	}
}

// Every answer carries the store's time, not the machine's.
func TestAnswersAreDated(t *testing.T) {
	s := open(t)
	s.clock.Advance(90 * time.Minute)
	for _, path := range []string{"/admin/api/2026-10/graphql.json", "/_sandbox/api/state", "/nothing"} {
		resp, err := http.Get(s.url + path)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if got := resp.Header.Get("Date"); got != "Mon, 02 Nov 2026 10:30:00 GMT" {
			t.Errorf("%s is dated %q", path, got)
		}
	}
	if got := s.query(`{ shop { name } }`, nil).header.Get("Date"); got != "Mon, 02 Nov 2026 10:30:00 GMT" {
		t.Errorf("a query's answer is dated %q", got)
	}
}

func TestDescribe(t *testing.T) {
	s := open(t)
	v := s.product(3, "MUG-RED")[0]
	text := s.Describe(s.url)
	for _, want := range []string{s.url + "/admin/api/2026-10/graphql.json", s.url + "/_sandbox/api/state", "sandbox.myshopify.com", s.opts.ClientID,
		s.opts.ClientSecret, s.opts.AccessToken, gid("Location", s.locations[0].id), "MUG-RED", gid("InventoryItem", v.InventoryItemID)} {
		if !strings.Contains(text, want) {
			t.Errorf("lacks %q:\n%s", want, text)
		}
	}
}

func TestOptionsAreChecked(t *testing.T) {
	for _, o := range []Options{{Plan: "gold"}, {APIVersion: "2020-01"}} {
		if _, err := New(o); err == nil {
			t.Errorf("%+v was accepted", o)
		}
	}
}

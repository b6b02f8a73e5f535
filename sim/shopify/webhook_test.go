package shopify

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/spillway/spillway/sim/world"
)

// receiver is an app's webhook address.
type receiver struct {
	*httptest.Server
	mu     sync.Mutex
	status int
	got    []hook
}

type hook struct {
	header http.Header
	raw    []byte
	body   map[string]any
}

func (h hook) topic() string { return h.header.Get("X-Shopify-Topic") }

func receive(t *testing.T) *receiver {
	r := &receiver{status: 200}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		raw, err := io.ReadAll(req.Body)
		if err != nil {
			return
		}
		h := hook{header: req.Header, raw: raw}
		r.mu.Lock()
		defer r.mu.Unlock()
		if json.Unmarshal(raw, &h.body) == nil {
			r.got = append(r.got, h)
		}
		w.WriteHeader(r.status)
	}))
	t.Cleanup(r.Close)
	return r
}

// take waits until the courier is idle and gives what has arrived since the last call.
func (r *receiver) take(s *shop) []hook {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := s.Courier().Idle(ctx); err != nil {
		s.t.Fatal(err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	out := r.got
	r.got = nil
	return out
}

func (r *receiver) answer(status int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.status = status
}

func (s *shop) subscribe(topic, uri string, extra string) answer {
	s.t.Helper()
	return s.query(fmt.Sprintf(`mutation { webhookSubscriptionCreate(topic: %s, webhookSubscription: {uri: %q %s}) {
		webhookSubscription { id topic uri apiVersion { handle } endpoint { ... on WebhookHttpEndpoint { callbackUrl } } } userErrors { field message } } }`, topic, uri, extra), nil)
}

func topics(hooks []hook) []string {
	var out []string
	for _, h := range hooks {
		out = append(out, h.topic())
	}
	slices.Sort(out)
	return out
}

func TestWebhooksOfAnOrder(t *testing.T) {
	s, r := open(t), receive(t)
	v := s.product(5, "A")[0]
	for _, topic := range []string{"ORDERS_CREATE", "ORDERS_PAID", "ORDERS_UPDATED", "ORDERS_CANCELLED", "INVENTORY_LEVELS_UPDATE"} {
		s.subscribe(topic, r.URL, "").want(topic, "data", "webhookSubscriptionCreate", "webhookSubscription", "topic")
	}
	o := s.place("A", 2)
	got := r.take(s)
	want := []string{"inventory_levels/update", "orders/create", "orders/paid", "orders/updated"}
	if !slices.Equal(topics(got), want) {
		t.Fatalf("topics %v, want %v", topics(got), want)
	}
	ids := map[string]bool{}
	for _, h := range got {
		ids[h.header.Get("X-Shopify-Webhook-Id")] = true
		if sign := h.header.Get("X-Shopify-Hmac-Sha256"); sign != s.SignWebhook(h.raw) {
			t.Errorf("%s: signature %q", h.topic(), sign)
		}
		if h.header.Get("X-Shopify-Shop-Domain") != "sandbox.myshopify.com" || h.header.Get("X-Shopify-API-Version") != "2026-10" ||
			h.header.Get("X-Shopify-Triggered-At") == "" || h.header.Get("X-Shopify-Event-Id") == "" || h.header.Get(subHeader) != "" {
			t.Errorf("%s: headers %v", h.topic(), h.header)
		}
		switch h.topic() {
		case "orders/create":
			a := answer{t: t, body: h.body}
			a.want(float64(o.ID), "id")
			a.want(o.GID(), "admin_graphql_api_id")
			a.want("A", "line_items", 0, "sku")
			a.want(2, "line_items", 0, "current_quantity")
			a.want(float64(v.VariantID), "line_items", 0, "variant_id")
			a.want("paid", "financial_status")
			a.want("5.00", "total_shipping_price_set", "shop_money", "amount")
			a.want("USD", "total_shipping_price_set", "presentment_money", "currency_code")
			a.want("2026-11-02T09:00:00+00:00", "updated_at")
		case "inventory_levels/update":
			a := answer{t: t, body: h.body}
			a.want(3, "available")
			a.want(float64(v.InventoryItemID), "inventory_item_id")
		}
	}
	if len(ids) != len(got) {
		t.Errorf("%d webhook ids for %d deliveries", len(ids), len(got))
	}
	if _, err := s.CancelOrder(o.ID, "CUSTOMER", true); err != nil {
		t.Fatal(err)
	}
	got = r.take(s)
	if want := []string{"inventory_levels/update", "orders/cancelled", "orders/updated"}; !slices.Equal(topics(got), want) {
		t.Errorf("topics %v, want %v", topics(got), want)
	}
}

func TestWebhookSubscriptions(t *testing.T) {
	s, r := open(t), receive(t)
	s.product(5, "A")
	made := s.subscribe("ORDERS_CREATE", r.URL, `, includeFields: ["id", "name"], name: "a|b"`)
	id := made.get("data", "webhookSubscriptionCreate", "webhookSubscription", "id")
	made.want(r.URL, "data", "webhookSubscriptionCreate", "webhookSubscription", "endpoint", "callbackUrl")
	s.subscribe("ORDERS_CREATE", r.URL, `, name: "a|b"`).want("Address for this topic has already been taken", "data", "webhookSubscriptionCreate", "userErrors", 0, "message")
	s.subscribe("ORDERS_PAID", "http://example.com/", "").want(nil, "data", "webhookSubscriptionCreate", "webhookSubscription")
	s.place("A", 1)
	if got := r.take(s); len(got) != 1 || len(got[0].body) != 2 || got[0].body["name"] != "#1001" || got[0].header.Get("X-Shopify-Name") != "a|b" {
		t.Errorf("with includeFields: %+v", got)
	}
	s.query(fmt.Sprintf(`mutation { webhookSubscriptionUpdate(id: %q, webhookSubscription: {uri: %q}) { webhookSubscription { uri } userErrors { message } } }`, id, r.URL+"/v2"), nil)
	s.query(`{ webhookSubscriptions(first: 5, topics: [ORDERS_CREATE]) { nodes { id uri callbackUrl } } }`, nil).want(r.URL+"/v2", "data", "webhookSubscriptions", "nodes", 0, "uri")
	// The official libraries ask for every kind of endpoint.
	s.query(`{ webhookSubscriptions(first: 250, after: null,) { edges { node { id topic includeFields metafieldNamespaces endpoint { __typename
		... on WebhookHttpEndpoint { callbackUrl } ... on WebhookEventBridgeEndpoint { arn } ... on WebhookPubSubEndpoint { pubSubProject pubSubTopic } } } }
		pageInfo { endCursor hasNextPage } } }`, nil).want("WebhookHttpEndpoint", "data", "webhookSubscriptions", "edges", 0, "node", "endpoint", "__typename")
	s.query(fmt.Sprintf(`mutation { webhookSubscriptionDelete(id: %q) { deletedWebhookSubscriptionId userErrors { message } } }`, id), nil)
	s.place("A", 1)
	if got := r.take(s); len(got) != 0 {
		t.Errorf("%d deliveries after the subscription was deleted", len(got))
	}
}

// A period in a field goes into an object or into every object of a list; nothing beside what is named is sent.
func TestNestedFields(t *testing.T) {
	s, r := open(t), receive(t)
	s.product(5, "A")
	s.subscribe("ORDERS_CREATE", r.URL, `, includeFields: ["id", "shipping_address.country_code", "shipping_address.province_code", "line_items.sku", "name.first", "nothing.at"]`)
	s.place("A", 1)
	got := r.take(s)
	if len(got) != 1 {
		t.Fatalf("%d deliveries", len(got))
	}
	a := answer{t: t, body: got[0].body}
	a.want("US", "shipping_address", "country_code")
	a.want("A", "line_items", 0, "sku")
	to, _ := got[0].body["shipping_address"].(map[string]any)
	line, _ := got[0].body["line_items"].([]any)[0].(map[string]any)
	if len(to) != 2 || len(line) != 1 || got[0].body["name"] != "#1001" || len(got[0].body) != 4 {
		t.Errorf("sent %v", got[0].body)
	}
}

// A receiver that never answers well loses its subscription with the last of eight retries over four hours.
func TestWebhookRetriesAndDeletion(t *testing.T) {
	s, r := open(t), receive(t)
	s.product(5, "A")
	s.subscribe("ORDERS_CREATE", r.URL, "")
	r.answer(500)
	s.place("A", 1)
	first := r.take(s)
	if len(first) != 1 {
		t.Fatalf("%d attempts at once, want 1", len(first))
	}
	for i, wait := range webhookRetries {
		if len(s.Subscriptions()) != 1 {
			t.Fatalf("the subscription was deleted before retry %d", i+1)
		}
		s.clock.Advance(wait)
		again := r.take(s)
		if len(again) != 1 || again[0].header.Get("X-Shopify-Webhook-Id") != first[0].header.Get("X-Shopify-Webhook-Id") ||
			string(again[0].raw) != string(first[0].raw) {
			t.Fatalf("retry %d: %d deliveries, or another body or id", i+1, len(again))
		}
	}
	if len(s.Subscriptions()) != 0 {
		t.Error("the subscription is still there")
	}
	if at := s.clock.Now().Sub(testStart); at != 4*time.Hour {
		t.Errorf("retries went on for %v, want 4 h", at)
	}
}

func TestWebhookFaults(t *testing.T) {
	s, r := open(t), receive(t)
	s.product(9, "A")
	s.subscribe("ORDERS_CREATE", r.URL, "")
	for _, f := range []struct {
		kind world.Kind
		want int
	}{{world.Duplicate, 2}, {world.Drop, 0}, {world.Reorder, 0}} {
		if _, err := s.Faults().Add(world.Rule{Point: "webhook:orders/create", Kind: f.kind, Remaining: 1}); err != nil {
			t.Fatal(err)
		}
		s.place("A", 1)
		if got := r.take(s); len(got) != f.want {
			t.Errorf("%s: %d deliveries at once, want %d", f.kind, len(got), f.want)
		}
	}
	s.clock.Advance(10 * time.Second)
	if got := r.take(s); len(got) != 1 {
		t.Errorf("%d deliveries came late, want 1", len(got))
	}
}

func TestUninstall(t *testing.T) {
	s, r := open(t), receive(t)
	s.subscribe("APP_UNINSTALLED", r.URL, "")
	s.Uninstall()
	if got := r.take(s); len(got) != 1 || got[0].topic() != "app/uninstalled" {
		t.Errorf("deliveries %v", topics(got))
	}
	if a := s.at("2026-10", `{ shop { name } }`, nil); a.status != 401 {
		t.Errorf("status %d after uninstalling, want 401", a.status)
	}
}

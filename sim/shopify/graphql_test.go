package shopify

import (
	"encoding/json"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
)

// Every field of every version's schema has something that answers it.
func TestSchemaIsResolved(t *testing.T) {
	s := open(t)
	// Types whose objects are maps or connections answer by key.
	byKey := map[string]bool{"PageInfo": true, "Count": true, "Domain": true, "ShopPlan": true, "AccessScope": true, "App": true, "LocationAddress": true,
		"InventoryItemMeasurement": true, "Weight": true, "InventoryQuantity": true, "MoneyV2": true, "MoneyBag": true, "MailingAddress": true,
		"FulfillmentOrderSupportedAction": true, "FulfillmentOrderAssignedLocation": true, "FulfillmentTrackingInfo": true, "Job": true,
		"WebhookHttpEndpoint": true, "WebhookEventBridgeEndpoint": true, "WebhookPubSubEndpoint": true, "ApiVersion": true}
	for _, name := range Versions() {
		versions[name].api().Fields(func(typeName, field string) {
			for _, suffix := range []string{"Connection", "Edge", "Payload", "UserError"} {
				if strings.HasSuffix(typeName, suffix) {
					return
				}
			}
			if !byKey[typeName] && s.fields[typeName][field] == nil {
				t.Errorf("%s: nothing answers %s.%s", name, typeName, field)
			}
		})
	}
}

func TestErrorsReadLikeTheVendors(t *testing.T) {
	s := open(t)
	s.product(5, "A")
	for _, c := range []struct{ name, query, vars, code, message string }{
		{"syntax", `{ shop { name }`, ``, "PARSE_ERROR", "syntax error"},
		{"unknown field", `{ shop { nome } }`, ``, "undefinedField", "Field 'nome' doesn't exist on type 'Shop'"},
		{"unknown argument", `{ shop(x: 1) { name } }`, ``, "argumentNotAccepted", "Field 'shop' doesn't accept argument 'x'"},
		{"missing argument", `{ order { id } }`, ``, "missingRequiredArguments", "Field 'order' is missing required arguments: id"},
		{"no selection", `{ shop }`, ``, "selectionMismatch", "Field must have selections"},
		{"undeclared variable", `{ order(id: $id) { id } }`, ``, "variableNotDefined", "Variable $id is used by anonymous query but not declared"},
		{"unused variable", `query Q($id: ID) { shop { name } }`, ``, "variableNotUsed", "Variable $id is declared by Q but not used"},
		{"bad enum", `{ orders(first: 1, sortKey: NOPE) { nodes { id } } }`, ``, "argumentLiteralsIncompatible", "NOPE"},
		{"null variable", `query($id: ID!) { order(id: $id) { id } }`, `{}`, "INVALID_VARIABLE", "Variable $id of type ID! was provided invalid value"},
		{"wrong type", `query($n: Int) { orders(first: $n) { nodes { id } } }`, `{"n":"ten"}`, "INVALID_VARIABLE", "was provided invalid value"},
		{"large int", `query($n: Int) { orders(first: $n) { nodes { id } } }`, `{"n":3000000000}`, "INVALID_VARIABLE", "was provided invalid value"},
		{"no page size", `{ orders { nodes { id } } }`, ``, "BAD_REQUEST", "first or last"},
		{"large page", `{ locations(first: 251) { nodes { id } } }`, ``, "BAD_REQUEST", "250"},
		{"bad cursor", `{ orders(first: 1, after: "zzz") { nodes { id } } }`, ``, "INVALID_CURSOR", "cursor"},
		{"cost", `{ orders(first: 250) { nodes { lineItems(first: 10) { nodes { id } } } } }`, ``, "MAX_COST_EXCEEDED", "exceeds the single query max cost limit (1000)"},
		{"bad id", `{ node(id: "77") { id } }`, ``, "RESOURCE_NOT_FOUND", "Invalid global id"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var vars map[string]any
			if c.vars != "" {
				if err := json.Unmarshal([]byte(c.vars), &vars); err != nil {
					t.Fatal(err)
				}
			}
			a := s.at("2026-10", c.query, vars)
			if a.status != 200 || a.code() != c.code {
				t.Errorf("status %d code %q, want 200 %q: %s", a.status, a.code(), c.code, a.text())
			}
			if msg, _ := a.get("errors", 0, "message").(string); !strings.Contains(msg, c.message) {
				t.Errorf("message %q lacks %q", msg, c.message)
			}
		})
	}
}

func TestInvalidVariableNamesThePath(t *testing.T) {
	s := open(t)
	a := s.at("2025-10", `mutation($i: InventorySetQuantitiesInput!) { inventorySetQuantities(input: $i) { userErrors { code } } }`,
		map[string]any{"i": map[string]any{"name": "available", "reason": "correction", "quantities": []any{
			map[string]any{"inventoryItemId": "x", "locationId": "y", "quantity": 1, "changeFromQuantity": 3}}}})
	a.want("INVALID_VARIABLE", "errors", 0, "extensions", "code")
	a.want("changeFromQuantity", "errors", 0, "extensions", "problems", 0, "path", 2)
	a.want("Field is not defined on InventoryQuantityInput", "errors", 0, "extensions", "problems", 0, "explanation")
}

func TestExecution(t *testing.T) {
	s := open(t)
	v := s.product(5, "A", "B")
	a := s.query(`
		query Q($id: ID!, $skip: Boolean = true) {
			boutique: shop { __typename title: name currencyCode @skip(if: $skip) }
			node(id: $id) { id ... on InventoryItem { ...parts sku } ... on Order { name } }
			nodes(ids: [$id, "gid://shopify/Order/1"]) { __typename }
		}
		fragment parts on InventoryItem { tracked sku inventoryLevels(first: 1) { edges { cursor node { quantities(names: ["available", "on_hand"]) { name quantity } } } pageInfo { hasNextPage endCursor } } }`,
		map[string]any{"id": v[0].ItemGID()})
	a.want("Shop", "data", "boutique", "__typename")
	a.want("Sandbox", "data", "boutique", "title")
	a.want(nil, "data", "boutique", "currencyCode")
	a.want("A", "data", "node", "sku")
	a.want(5, "data", "node", "inventoryLevels", "edges", 0, "node", "quantities", 1, "quantity")
	a.want(false, "data", "node", "inventoryLevels", "pageInfo", "hasNextPage")
	a.want("InventoryItem", "data", "nodes", 0, "__typename")
	a.want(nil, "data", "nodes", 1)
	// The order of keys is the order of fields.
	rec := httptest.NewRecorder()
	req := httptest.NewRequest("POST", "/admin/api/2026-10/graphql.json", strings.NewReader(`{"query":"{ shop { url name id } }"}`))
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-Shopify-Access-Token", "shpat_sandbox")
	s.Handler().ServeHTTP(rec, req)
	body := rec.Body.String()
	if !(strings.Index(body, `"url"`) < strings.Index(body, `"name"`) && strings.Index(body, `"name"`) < strings.Index(body, `"id"`)) {
		t.Errorf("keys out of order: %s", body)
	}
}

func TestNullReachesTheNextNullableParent(t *testing.T) {
	s := open(t, func(o *Options) { o.Scopes = "read_products" })
	a := s.at("2026-10", `{ shop { name } order(id: "gid://shopify/Order/1") { id } }`, nil)
	a.want("ACCESS_DENIED", "errors", 0, "extensions", "code")
	a.want("order", "errors", 0, "path", 0)
	a.want("Sandbox", "data", "shop", "name") // order is nullable
	a = s.at("2026-10", `{ shop { name } orders(first: 1) { nodes { id } } }`, nil)
	a.want("ACCESS_DENIED", "errors", 0, "extensions", "code")
	a.want(nil, "data") // orders is not
}

func TestFrontDoor(t *testing.T) {
	s := open(t)
	shopQuery := []byte(`{"query":"{ shop { name } }"}`)
	for _, c := range []struct {
		name, version, token, kind string
		body                       []byte
		status                     int
	}{
		{"good", "2026-10", "shpat_sandbox", "application/json", shopQuery, 200},
		{"plain query", "2026-10", "shpat_sandbox", "application/graphql", []byte(`{ shop { name } }`), 200},
		{"wrong token", "2026-10", "nope", "application/json", shopQuery, 401},
		{"future version", "2027-01", "shpat_sandbox", "application/json", shopQuery, 404},
		{"not json", "2026-10", "shpat_sandbox", "application/json", []byte(`{`), 400},
		{"no query", "2026-10", "shpat_sandbox", "application/json", []byte(`{"variables":{}}`), 400},
		{"too large", "2026-10", "shpat_sandbox", "application/json", make([]byte, maxBody+1), 413},
	} {
		if a := s.post(c.version, c.token, c.kind, c.body); a.status != c.status || a.header.Get("X-Request-Id") == "" {
			t.Errorf("%s: status %d, want %d: %s", c.name, a.status, c.status, a.text())
		}
	}
	before := open(t, func(o *Options) { o.APIVersion = "2026-04" })
	if a := before.post("2026-07", "shpat_sandbox", "application/json", shopQuery); a.status != 404 {
		t.Errorf("a store of 2026-04 serves 2026-07: %d", a.status)
	}
	a := s.post("2024-01", "shpat_sandbox", "application/json", shopQuery)
	if got := a.header.Get("X-Shopify-API-Version"); got != "2025-10" {
		t.Errorf("an old version is served by %q, want the oldest supported one", got)
	}
}

// FuzzRequest feeds bodies to the whole front door: no input may crash it, and every answer is JSON with data or errors.
func FuzzRequest(f *testing.F) {
	seeds := []string{
		`{"query":"{ shop { name } }"}`,
		`{"query":"query($i:[ID!]!){nodes(ids:$i){id ... on Order{name}}}","variables":{"i":["gid://shopify/Order/1"]}}`,
		`{"query":"{a:orders(first:5,query:\"updated_at:>='2026-01-01' -(tag:x OR NOT name:1)\",sortKey:UPDATED_AT,reverse:true){edges{cursor node{...f}}}} fragment f on Order{id lineItems(last:2){nodes{sku}}}"}`,
		`{"query":"mutation{inventoryAdjustQuantities(input:{name:\"available\",reason:\"other\",changes:[{delta:1,inventoryItemId:\"a\",locationId:\"b\",changeFromQuantity:null}]})@idempotent(key:\"k\"){userErrors{code}}}"}`,
		`{"query":"{shop{...a}} fragment a on Shop{...b ...b} fragment b on Shop{name @include(if:true)}"}`,
		`{"query":"{` + strings.Repeat("shop{", 60) + `"}`,
		`{"query":"mutation{bulkOperationRunQuery(query:\"{orders{edges{node{id}}}}\"){bulkOperation{id}}}"}`,
	}
	for _, s := range seeds {
		f.Add(s)
	}
	s, err := New(Options{Unthrottled: true})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(s.Close)
	if _, err := s.AddProduct(ProductInput{Title: "Mug", Variants: []VariantInput{{SKU: "A", Stock: 10}}}); err != nil {
		f.Fatal(err)
	}
	if _, err := s.PlaceOrder(OrderInput{Lines: []OrderLine{{SKU: "A", Quantity: 1}}}); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, body string) {
		for _, version := range []string{"2025-10", "2026-10"} {
			rec := httptest.NewRecorder()
			req := httptest.NewRequest("POST", "/admin/api/"+version+"/graphql.json", strings.NewReader(body))
			req.Header.Set("Content-Type", "application/json")
			req.Header.Set("X-Shopify-Access-Token", "shpat_sandbox")
			s.Handler().ServeHTTP(rec, req)
			var out map[string]any
			if err := json.Unmarshal(rec.Body.Bytes(), &out); err != nil {
				t.Fatalf("status %d, not JSON: %s", rec.Code, rec.Body)
			}
			_, data := out["data"]
			if _, failed := out["errors"]; !data && !failed {
				t.Fatalf("neither data nor errors: %s", rec.Body)
			}
		}
	})
}

func FuzzSearch(f *testing.F) {
	for _, s := range []string{`updated_at:>='2026-01-01T00:00:00Z' status:any`, `sku:'A B' OR -tag:x`, `((((`, `NOT NOT a:b)`, `"`, `a:\`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		match, _, _ := search(text, orderTerm)
		match(&order{address: &address{}})
	})
}

// The documented example files show which keys the REST-shaped bodies have; ours use no key they do not.
func TestOrderBodyUsesDocumentedKeys(t *testing.T) {
	const file = "../../../shared/data/channel-fixtures/shopify/order.json"
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Skipf("SKIPPED: %s is not here: %v", file, err)
	}
	var fixture struct{ Order map[string]json.RawMessage }
	if err := json.Unmarshal(raw, &fixture); err != nil {
		t.Fatal(err)
	}
	// Newer than the example.
	newer := map[string]bool{"admin_graphql_api_id": true, "app_id": true, "current_subtotal_price": true, "presentment_currency": true,
		"total_shipping_price_set": true}
	s := open(t)
	s.product(3, "A")
	o := s.place("A", 1)
	body, err := json.Marshal(s.orderBody(s.orderByID[o.ID]))
	if err != nil {
		t.Fatal(err)
	}
	var ours map[string]json.RawMessage
	if err := json.Unmarshal(body, &ours); err != nil {
		t.Fatal(err)
	}
	for k := range ours {
		if fixture.Order[k] == nil && !newer[k] {
			t.Errorf("order body has %q, which the example does not", k)
		}
	}
}

func TestDocuments(t *testing.T) {
	schema := versions["2026-10"].api()
	for range 2 { // the second run takes the validated document from memory
		if _, errs := schema.Prepare(`{ shop { name } }`, "", nil); len(errs) > 0 {
			t.Fatal(errs)
		}
	}
	if _, errs := schema.Prepare(`query A { shop { name } } query B { shop { id } }`, "", nil); len(errs) != 1 {
		t.Errorf("two operations and no name: %v", errs)
	}
	op, errs := schema.Prepare(`query A { shop { name } } mutation B { webhookSubscriptionDelete(id: "x") { userErrors { message } } }`, "B", nil)
	if len(errs) > 0 || !op.IsMutation() || op.String() != "mutation webhookSubscriptionDelete" {
		t.Errorf("picked %v, %v", op, errs)
	}
	var bomb strings.Builder
	bomb.WriteString("{ shop { ...f0 } }")
	for i := range 40 {
		bomb.WriteString(" fragment f" + itoa(i) + " on Shop { ...f" + itoa(i+1) + " ...f" + itoa(i+1) + " }")
	}
	bomb.WriteString(" fragment f40 on Shop { name }")
	if _, errs := schema.Prepare(bomb.String(), "", nil); len(errs) == 0 || errs[0].Extensions["code"] != "MAX_COMPLEXITY_EXCEEDED" {
		t.Errorf("a fragment bomb was let through: %v", errs)
	}
}

func itoa(i int) string { return number(int64(i)) }

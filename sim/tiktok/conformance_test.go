package tiktok

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

const factsFile = "../../../shared/facts/tiktok-shop-endpoints.json"

// field is one documented field: s string, i integer, b boolean, o object, with [] for lists of them.
type field struct {
	Name   string   `json:"name"`
	Type   string   `json:"type"`
	Enum   []string `json:"enum"`
	Fields []field  `json:"fields"`
}

type endpoint struct {
	Method string  `json:"method"`
	Path   string  `json:"path"`
	Cipher bool    `json:"shop_cipher"`
	Data   []field `json:"data"`
}

func facts(t *testing.T) map[string]endpoint {
	t.Helper()
	b, err := os.ReadFile(factsFile)
	if err != nil {
		t.Skipf("SKIPPED, NOT PASSED: the documented fields are not at hand: %v", err)
	}
	var f struct {
		Endpoints []endpoint `json:"endpoints"`
	}
	if err := json.Unmarshal(b, &f); err != nil {
		t.Fatal(err)
	}
	out := map[string]endpoint{}
	for _, e := range f.Endpoints {
		out[e.Method+" "+e.Path] = e
	}
	// Older versions of the same calls, whose fields are a subset.
	out["GET /order/202309/orders"] = out["GET /order/202507/orders"]
	out["POST /product/202309/products/search"] = out["POST /product/202502/products/search"]
	return out
}

// conform reports every field of v that is not documented or has another type.
func conform(at string, v any, doc []field, report func(string, ...any)) {
	switch v := v.(type) {
	case map[string]any:
		for name, x := range v {
			i := -1
			for j, d := range doc {
				if d.Name == name {
					i = j
				}
			}
			if i < 0 {
				report("%s.%s is not documented", at, name)
				continue
			}
			typed(at+"."+name, x, doc[i], report)
		}
	default:
		report("%s is not an object but %T", at, v)
	}
}

func typed(at string, x any, d field, report func(string, ...any)) {
	if base, isList := strings.CutSuffix(d.Type, "[]"); isList {
		list, ok := x.([]any)
		if !ok {
			report("%s is %T, documented as %s", at, x, d.Type)
			return
		}
		for i, e := range list {
			typed(fmt.Sprintf("%s[%d]", at, i), e, field{Name: d.Name, Type: base, Fields: d.Fields}, report)
		}
		return
	}
	ok := false
	switch y := x.(type) {
	case string:
		ok = d.Type == "s"
	case bool:
		ok = d.Type == "b"
	case json.Number:
		_, err := y.Int64()
		ok = d.Type == "i" && err == nil
	case map[string]any:
		if ok = d.Type == "o"; ok {
			conform(at, y, d.Fields, report)
		}
	}
	if !ok {
		report("%s is %v (%T), documented as %s", at, x, x, d.Type)
	}
}

// step is one call of the walk; it fills the blanks of the path, the body and the query from what came before.
type step struct {
	endpoint, path, body string
	query                []string
	code                 int
}

func TestEveryAnswerIsDocumented(t *testing.T) {
	doc := facts(t)
	r := newRig(t)
	walked := map[string]bool{}
	for _, s := range walk(r) {
		method, _, _ := strings.Cut(s.endpoint, " ")
		a := r.call(method, s.path, s.body, s.query...)
		if a.Code != s.code {
			t.Errorf("%s %s: %d %s, want %d", s.endpoint, s.body, a.Code, a.Message, s.code)
		}
		walked[s.endpoint] = true
		dec := json.NewDecoder(strings.NewReader(string(a.Data)))
		dec.UseNumber()
		var v any
		if err := dec.Decode(&v); err != nil {
			t.Fatal(err)
		}
		e, ok := doc[s.endpoint]
		if !ok {
			t.Errorf("%s is not documented", s.endpoint)
		}
		conform(s.endpoint, v, e.Data, t.Errorf)
	}
	for _, e := range endpoints() {
		key := e.method + " " + e.path
		if strings.HasPrefix(e.path, "/api/v2/") {
			continue
		}
		if !e.open && !walked[key] {
			t.Errorf("%s is implemented and not walked", key)
		}
		if d, ok := doc[key]; !ok {
			t.Errorf("%s is served and not documented", key)
		} else if !e.open && d.Cipher != e.cipher {
			t.Errorf("%s: shop_cipher is documented as %v", key, d.Cipher)
		}
		delete(doc, key)
	}
	for key := range doc {
		t.Errorf("%s is documented and answered as an unknown path", key)
	}
}

// busy is a shop with something in every state.
type busy struct {
	own, label, split, done, made, fbt          string // orders
	cancelA, cancelB, returnA, returnB, inbound string
	ownLabel, donePackage, madePackage          string
}

func prepare(r *rig) (w busy) {
	r.Helper()
	id := func(id string, err error) string {
		r.Helper()
		r.must(err)
		return id
	}
	parcel := func(order string) string {
		r.Helper()
		o, err := r.sim.Order(order)
		r.must(err)
		return o.Packages[0]
	}
	w.own, w.label, w.split = r.ready("MUG-R", 2), r.ready("MUG-R", 1, PlaceOptions{Shipping: "TIKTOK"}), r.ready("MUG-R", 1)
	w.done, w.fbt = r.ready("MUG-B", 2), r.ready("LAMP", 1, PlaceOptions{FBT: true})
	w.made = r.ready("MUG-B", 1, PlaceOptions{Type: "MADE_TO_ORDER", HandlingDays: 5, Message: "please"})
	r.place("MUG-B", 1, PlaceOptions{Unpaid: true})
	r.must(r.sim.Ship(w.done, "DONE123456", ""))
	r.must(r.sim.Scan(w.done))
	r.must(r.sim.Deliver(w.done))
	r.must(r.sim.Ship(w.made, "MADE123456", ""))
	r.must(r.sim.Scan(w.made))
	w.cancelA = id(r.sim.Cancel(r.ready("MUG-B", 1), "BUYER", ""))
	w.cancelB = id(r.sim.Cancel(r.ready("MUG-B", 1), "BUYER", ""))
	w.returnA = id(r.sim.RequestReturn(w.done, "RETURN_AND_REFUND", "", r.sim.orders[w.done].lines[0].id))
	w.returnB = id(r.sim.RequestReturn(w.done, "REFUND", "", r.sim.orders[w.done].lines[1].id))
	w.inbound = id(r.sim.SendInbound(r.shop.ID, "LAMP", 10))
	r.must(r.sim.ReceiveInbound(r.shop.ID, w.inbound, 8))
	labelled := r.ready("MUG-B", 1, PlaceOptions{Shipping: "TIKTOK"})
	r.must(r.sim.Ship(labelled, "", ""))
	r.clock.Advance(time.Minute)
	w.ownLabel, w.donePackage, w.madePackage = parcel(labelled), parcel(w.done), parcel(w.made)
	return w
}

// walk lists a call of each endpoint, failures of batches included.
func walk(r *rig) []step {
	r.Helper()
	w := prepare(r)
	mug, k, east, prov := r.sku("MUG-R").ProductID, r.sku("MUG-R"), r.warehouse("East"), r.provider()
	hook := `{"event_type":"ORDER_STATUS_CHANGE","address":"https://shop.example/hook"}`
	list := []step{
		{endpoint: "GET /authorization/202309/shops"}, {endpoint: "GET /seller/202309/shops"},
		{endpoint: "PUT /event/202309/webhooks", body: hook}, {endpoint: "GET /event/202309/webhooks"},
		{endpoint: "DELETE /event/202309/webhooks", body: `{"event_type":"ORDER_STATUS_CHANGE"}`},
		{endpoint: "POST /order/202309/orders/search", body: `{}`},
		{endpoint: "GET /order/202507/orders", query: []string{"ids", w.own + "," + w.made + "," + w.fbt + "," + w.done}},
		{endpoint: "GET /order/202309/orders", query: []string{"ids", w.own}},
		{endpoint: "GET /order/202407/orders/{order_id}/price_detail", path: w.own},
		{endpoint: "POST /product/202502/products/search", body: `{"status":"ALL"}`}, {endpoint: "POST /product/202309/products/search"},
		{endpoint: "GET /product/202309/products/{product_id}", path: mug},
		{endpoint: "POST /product/202309/inventory/search", body: `{"product_ids":["` + mug + `"]}`},
		{endpoint: "POST /product/202309/products/{product_id}/inventory/update", path: mug,
			body: `{"skus":[{"id":"` + k.ID + `","inventory":[{"warehouse_id":"` + east + `","quantity":1}]},{"id":"` + k.ID[:5] + `","inventory":[]},
			{"id":"` + r.sku("MUG-B").ID + `","inventory":[{"warehouse_id":"nowhere","quantity":1}]}]}`},
		{endpoint: "POST /product/202309/products/{product_id}/prices/update", path: mug,
			body: `{"skus":[{"id":"` + k.ID + `","price":{"amount":"12.50","currency":"USD"}}]}`},
		{endpoint: "POST /product/202309/products/deactivate", body: `{"product_ids":["` + mug + `","1"]}`},
		{endpoint: "POST /product/202309/products/activate", body: `{"product_ids":["` + mug + `","1"]}`},
		{endpoint: "GET /logistics/202309/warehouses"},
		{endpoint: "GET /logistics/202309/warehouses/{warehouse_id}/delivery_options", path: east},
		{endpoint: "GET /logistics/202309/delivery_options/{delivery_option_id}/shipping_providers", path: standardDelivery},
		{endpoint: "POST /fulfillment/202309/orders/{order_id}/shipping_services/query", path: w.label},
		{endpoint: "POST /fulfillment/202309/packages", body: `{"order_id":"` + w.label + `","weight":{"value":"2","unit":"POUND"}}`},
		{endpoint: "POST /fulfillment/202309/orders/{order_id}/packages", path: w.split, body: `{"tracking_number":"SPLIT12345","shipping_provider_id":"` + prov + `"}`},
		{endpoint: "POST /fulfillment/202309/packages/{package_id}/ship", path: w.ownLabel, code: codeShippedAlready},
		{endpoint: "POST /fulfillment/202309/packages/ship", body: `{"packages":[{"id":"1"}]}`},
		{endpoint: "GET /fulfillment/202309/packages/{package_id}", path: w.donePackage},
		{endpoint: "POST /fulfillment/202309/packages/search", body: `{}`},
		{endpoint: "GET /fulfillment/202309/packages/{package_id}/shipping_documents", path: w.ownLabel, query: []string{"document_type", "SHIPPING_LABEL"}},
		{endpoint: "GET /fulfillment/202309/packages/{package_id}/handover_time_slots", path: w.ownLabel},
		{endpoint: "POST /fulfillment/202309/packages/{package_id}/shipping_info/update", path: w.donePackage,
			body: `{"tracking_number":"DONE654321","shipping_provider_id":"` + prov + `"}`},
		{endpoint: "POST /fulfillment/202309/orders/{order_id}/shipping_info/update", path: w.made,
			body: `{"tracking_number":"MADE654321","shipping_provider_id":"` + prov + `"}`},
		{endpoint: "GET /fulfillment/202309/orders/{order_id}/tracking", path: w.done},
		{endpoint: "GET /fulfillment/202508/tts_tracking_validation", query: []string{"tracking_number", "DONE654321"}},
		{endpoint: "POST /fulfillment/202309/packages/deliver", body: `{"packages":[{"id":"1","delivery_type":"DELIVERY_SUCCESS"},{"id":"` + w.madePackage + `","delivery_type":"DELIVERY_SUCCESS"}]}`},
		{endpoint: "GET /fulfillment/202309/orders/split_attributes", query: []string{"order_ids", w.own + "," + w.made}},
		{endpoint: "POST /fulfillment/202309/orders/{order_id}/split", path: w.own, code: codeNotSplittable},
		{endpoint: "GET /fulfillment/202309/combinable_packages/search", query: []string{"page_size", "50"}},
		{endpoint: "POST /fulfillment/202309/packages/combine", body: `{"combinable_packages":[{"id":"1"}]}`},
		{endpoint: "POST /fulfillment/202309/packages/{package_id}/uncombine", path: w.ownLabel, code: codePackageState},
		{endpoint: "POST /fulfillment/202510/first_mile_bundle", body: `{"order_ids":["1"],"handover_method":"PICKUP"}`},
		{endpoint: "POST /return_refund/202309/cancellations", body: `{"order_id":"` + w.own + `","order_line_item_ids":["` + r.sim.orders[w.own].lines[0].id + `"],"cancel_reason":"seller_cancel_reason_out_of_stock"}`},
		{endpoint: "GET /return_refund/202309/reject_reasons", query: []string{"return_or_cancel_id", w.cancelA}},
		{endpoint: "POST /return_refund/202309/cancellations/search", body: `{}`},
		{endpoint: "POST /return_refund/202309/cancellations/{cancel_id}/approve", path: w.cancelA},
		{endpoint: "POST /return_refund/202309/cancellations/{cancel_id}/reject", path: w.cancelB, body: `{"reject_reason":"seller_reject_apply_product_has_been_packed"}`},
		{endpoint: "POST /return_refund/202309/returns/search", body: `{}`},
		{endpoint: "POST /return_refund/202309/returns/{return_id}/approve", path: w.returnA, body: `{"decision":"APPROVE_RETURN"}`},
		{endpoint: "POST /return_refund/202309/returns/{return_id}/reject", path: w.returnB, body: `{"decision":"REJECT_REFUND","reject_reason":"reverse_reject_request_reason_1"}`},
		{endpoint: "GET /return_refund/202309/returns/{return_id}/records", path: w.returnA},
		{endpoint: "POST /return_refund/202309/returns", body: `{"order_id":"` + w.made + `","return_reason":"seller_shipped_refund_package_lost","return_type":"REFUND"}`},
		{endpoint: "GET /return_refund/202309/orders/{order_id}/aftersale_eligibility", path: w.own},
		{endpoint: "POST /return_refund/202309/refunds/calculate", body: `{"order_id":"` + w.own + `","request_type":"CANCEL","reason_name":"x"}`},
		{endpoint: "POST /fbt/202408/inventory/search", body: `{}`}, {endpoint: "POST /fbt/202409/goods/search", body: `{}`},
		{endpoint: "GET /fbt/202409/inbound_orders", query: []string{"ids", w.inbound}}, {endpoint: "GET /fbt/202408/warehouses"},
		{endpoint: "GET /fbt/202409/merchants/onboarded_regions"},
	}
	for i := range list {
		_, pattern, _ := strings.Cut(list[i].endpoint, " ")
		if from, to := strings.IndexByte(pattern, '{'), strings.IndexByte(pattern, '}'); from >= 0 {
			pattern = pattern[:from] + list[i].path + pattern[to+1:]
		}
		list[i].path = pattern
	}
	return list
}

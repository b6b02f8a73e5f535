package shopify

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/spillway/spillway/kit/errs"
	"pgregory.net/rapid"
)

func TestPlaceOrderRefusesWhatIsNotThere(t *testing.T) {
	s := open(t)
	s.product(5, "A", "B")
	s.place("A", 4)
	_, err := s.PlaceOrder(OrderInput{Lines: []OrderLine{{SKU: "B", Quantity: 1}, {SKU: "A", Quantity: 1}, {SKU: "A", Quantity: 1}}})
	if !errs.Is(err, errs.Insufficient) {
		t.Fatalf("two of one unit: %v", err)
	}
	a, err := s.Stats("A")
	if err != nil {
		t.Fatal(err)
	}
	if want := (SKUStats{SKU: "A", Orders: 1, UnitsSold: 4, UnitsLost: 1, Active: 4}); a != want {
		t.Errorf("stats of A %+v, want %+v", a, want)
	}
	if got := s.Available("B"); got != 5 {
		t.Errorf("a refused order took stock of B: %d left", got)
	}
	if _, err := s.PlaceOrder(OrderInput{Lines: []OrderLine{{SKU: "X", Quantity: 1}}}); !errs.Is(err, errs.NotFound) {
		t.Errorf("unknown SKU: %v", err)
	}
	if _, err := s.AddProduct(ProductInput{Title: "Pre-order", Variants: []VariantInput{{SKU: "P", Oversell: true}}}); err != nil {
		t.Fatal(err)
	}
	s.place("P", 3)
	if got := s.Available("P"); got != -3 {
		t.Errorf("an overselling variant has %d available, want -3", got)
	}
}

func TestOrderSplitsOverLocations(t *testing.T) {
	s := open(t)
	far, err := s.AddLocation("Far")
	if err != nil {
		t.Fatal(err)
	}
	s.product(2, "A")
	if err := s.SetAvailable("A", far, 3); err != nil {
		t.Fatal(err)
	}
	o := s.place("A", 4)
	a := s.query(`query($id: ID!) { order(id: $id) { displayFulfillmentStatus fulfillmentOrders(first: 5) { nodes { id status supportedActions { action }
		assignedLocation { name location { id } } lineItems(first: 5) { nodes { id remainingQuantity totalQuantity sku inventoryItemId } } } } } }`,
		map[string]any{"id": o.GID()})
	fos := []any{"data", "order", "fulfillmentOrders", "nodes"}
	at := func(p ...any) []any { return append(append([]any{}, fos...), p...) }
	a.want(2, at(0, "lineItems", "nodes", 0, "remainingQuantity")...)
	a.want(2, at(1, "lineItems", "nodes", 0, "remainingQuantity")...)
	a.want("Far", at(1, "assignedLocation", "name")...)
	create := `mutation($f: FulfillmentInput!) { fulfillmentCreate(fulfillment: $f) { fulfillment { id status name trackingInfo { company number url } totalQuantity } userErrors { field message } } }`
	type m = map[string]any
	fo := func(i int, lines ...any) m {
		e := m{"fulfillmentOrderId": a.get(at(i, "id")...)}
		if lines != nil {
			e["fulfillmentOrderLineItems"] = lines
		}
		return e
	}
	both := s.query(create, m{"f": m{"lineItemsByFulfillmentOrder": []any{fo(0), fo(1)}}})
	both.want("All fulfillment orders must belong to the same order and the same location.", "data", "fulfillmentCreate", "userErrors", 0, "message")
	part := s.query(create, m{"f": m{"lineItemsByFulfillmentOrder": []any{fo(0, m{"id": a.get(at(0, "lineItems", "nodes", 0, "id")...), "quantity": 1})},
		"trackingInfo": m{"company": "UPS", "number": "1Z1", "url": "https://example.com/1Z1"}}})
	part.want(1, "data", "fulfillmentCreate", "fulfillment", "totalQuantity")
	part.want("1Z1", "data", "fulfillmentCreate", "fulfillment", "trackingInfo", 0, "number")
	tooMany := s.query(create, m{"f": m{"lineItemsByFulfillmentOrder": []any{fo(0, m{"id": a.get(at(0, "lineItems", "nodes", 0, "id")...), "quantity": 2})}}})
	tooMany.want(nil, "data", "fulfillmentCreate", "fulfillment")
	s.query(create, m{"f": m{"lineItemsByFulfillmentOrder": []any{fo(0)}}}).want(1, "data", "fulfillmentCreate", "fulfillment", "totalQuantity")
	got, err := s.Order(o.ID)
	if err != nil || got.Fulfillment != "PARTIALLY_FULFILLED" || got.Fulfillments != 2 {
		t.Errorf("order %+v, %v", got, err)
	}
	s.query(create, m{"f": m{"lineItemsByFulfillmentOrder": []any{fo(1)}}})
	if got, _ = s.Order(o.ID); got.Fulfillment != "FULFILLED" {
		t.Errorf("order %+v", got)
	}
	stock, err := s.Stock("A")
	if err != nil || stock[0].Units["committed"]+stock[1].Units["committed"] != 0 || stock[0].OnHand+stock[1].OnHand != 1 {
		t.Errorf("stock %+v, %v", stock, err)
	}
}

func TestOrderCancel(t *testing.T) {
	s := open(t)
	s.product(5, "A")
	o := s.place("A", 2)
	cancel := `mutation($id: ID!) { orderCancel(orderId: $id, reason: CUSTOMER, restock: true, refundMethod: {originalPaymentMethodsRefund: true}) {
		job { id done } orderCancelUserErrors { code field message } userErrors { message } } }`
	s.query(cancel, map[string]any{"id": o.GID()}).want(true, "data", "orderCancel", "job", "done")
	if got := s.Available("A"); got != 5 {
		t.Errorf("available %d after restocking, want 5", got)
	}
	s.query(cancel, map[string]any{"id": o.GID()}).want("INVALID", "data", "orderCancel", "orderCancelUserErrors", 0, "code")
	s.query(cancel, map[string]any{"id": "gid://shopify/Order/1"}).want("NOT_FOUND", "data", "orderCancel", "orderCancelUserErrors", 0, "code")
	a := s.query(`query($id: ID!) { order(id: $id) { cancelledAt cancelReason displayFinancialStatus currentTotalPriceSet { shopMoney { amount } }
		totalPriceSet { shopMoney { amount currencyCode } } lineItems(first: 1) { nodes { quantity currentQuantity } }
		fulfillmentOrders(first: 1) { nodes { status } } } }`, map[string]any{"id": o.GID()})
	a.want("2026-11-02T09:00:00Z", "data", "order", "cancelledAt")
	a.want("REFUNDED", "data", "order", "displayFinancialStatus")
	a.want("30.00", "data", "order", "totalPriceSet", "shopMoney", "amount")
	a.want("0.00", "data", "order", "currentTotalPriceSet", "shopMoney", "amount")
	a.want(0, "data", "order", "lineItems", "nodes", 0, "currentQuantity")
	a.want("CANCELLED", "data", "order", "fulfillmentOrders", "nodes", 0, "status")
}

func TestUnpaidOrder(t *testing.T) {
	s, r := open(t), receive(t)
	s.product(5, "A")
	for _, topic := range []string{"ORDERS_CREATE", "ORDERS_PAID"} {
		s.subscribe(topic, r.URL, "")
	}
	o, err := s.PlaceOrder(OrderInput{Lines: []OrderLine{{SKU: "A", Quantity: 1}}, Financial: "PENDING"})
	if err != nil {
		t.Fatal(err)
	}
	if got := topics(r.take(s)); fmt.Sprint(got) != "[orders/create]" {
		t.Errorf("an unpaid order sends %v", got)
	}
	s.clock.Advance(time.Minute)
	if o, err = s.PayOrder(o.ID); err != nil || o.Financial != "PAID" || !o.UpdatedAt.Equal(testStart.Add(time.Minute)) {
		t.Errorf("paid order %+v, %v", o, err)
	}
	if got := topics(r.take(s)); fmt.Sprint(got) != "[orders/paid]" {
		t.Errorf("paying sends %v", got)
	}
}

// The same seed, clock and calls give the same store.
func TestSameSeedSameStore(t *testing.T) {
	run := func() []string {
		s, r := open(t), receive(t)
		s.product(50, "A", "B")
		s.subscribe("ORDERS_CREATE", r.URL, "")
		for i := range 10 {
			s.place([]string{"A", "B"}[i%2], 1+i%3)
			s.clock.Advance(time.Second)
		}
		var out []string
		for _, h := range r.take(s) {
			out = append(out, h.header.Get("X-Shopify-Webhook-Id")+h.header.Get("X-Shopify-Triggered-At")+string(h.raw))
		}
		slices.Sort(out) // deliveries overtake each other, their content does not change
		return out
	}
	if a, b := run(), run(); len(a) != 10 || !slices.Equal(a, b) {
		t.Errorf("two runs differ: %d and %d webhooks", len(a), len(b))
	}
}

// names reads a query's order names over all its pages.
func (s *shop) names(args string) []string {
	s.t.Helper()
	var out []string
	after := ""
	for range 100 {
		a := s.query(fmt.Sprintf(`{ orders(first: 3 %s %s) { edges { cursor node { name updatedAt } } pageInfo { hasNextPage endCursor } } }`, after, args), nil)
		edges, _ := a.get("data", "orders", "edges").([]any)
		for i := range edges {
			out = append(out, fmt.Sprint(a.get("data", "orders", "edges", i, "node", "name")))
		}
		if a.get("data", "orders", "pageInfo", "hasNextPage") != true {
			return out
		}
		after = fmt.Sprintf("after: %q", a.get("data", "orders", "pageInfo", "endCursor"))
	}
	s.t.Fatal("the pages do not end")
	return nil
}

func TestOrdersQuery(t *testing.T) {
	s := open(t)
	s.product(100, "A", "B")
	var placed []Order
	for i := range 8 {
		placed = append(placed, s.place([]string{"A", "B"}[i%2], 1))
		s.clock.Advance(time.Minute)
	}
	for _, i := range []int{1, 4} {
		if _, err := s.CancelOrder(placed[i].ID, "CUSTOMER", true); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct{ args, want string }{
		{`sortKey: CREATED_AT`, "[#1001 #1002 #1003 #1004 #1005 #1006 #1007 #1008]"},
		{`sortKey: CREATED_AT, reverse: true`, "[#1008 #1007 #1006 #1005 #1004 #1003 #1002 #1001]"},
		{`sortKey: UPDATED_AT`, "[#1001 #1003 #1004 #1006 #1007 #1008 #1002 #1005]"},
		{`sortKey: UPDATED_AT, reverse: true`, "[#1005 #1002 #1008 #1007 #1006 #1004 #1003 #1001]"},
		{`sortKey: UPDATED_AT, query: "updated_at:>='2026-11-02T09:06:00Z' status:any"`, "[#1007 #1008 #1002 #1005]"},
		{`sortKey: UPDATED_AT, query: "updated_at:>2026-11-02T09:06:00Z"`, "[#1008 #1002 #1005]"},
		{`query: "created_at:>=2026-11-02T09:01:00Z created_at:<2026-11-02T09:03:00Z"`, "[#1002 #1003]"},
		{`query: "status:cancelled"`, "[#1002 #1005]"},
		{`query: "status:open AND sku:B"`, "[#1004 #1006 #1008]"},
		{`query: "name:#1003 OR name:1004"`, "[#1003 #1004]"},
		{`query: "NOT (sku:A OR status:cancelled)"`, "[#1004 #1006 #1008]"},
		{`query: "created_at:2026-11-03"`, "[]"},
	} {
		if got := fmt.Sprint(s.names(c.args)); got != c.want {
			t.Errorf("%s: %s, want %s", c.args, got, c.want)
		}
	}
	a := s.query(`{ orders(last: 2, sortKey: CREATED_AT) { nodes { name } pageInfo { hasPreviousPage hasNextPage startCursor } } ordersCount { count precision } }`, nil)
	a.want("#1007", "data", "orders", "nodes", 0, "name")
	a.want(true, "data", "orders", "pageInfo", "hasPreviousPage")
	a.want(8, "data", "ordersCount", "count")
	a = s.query(`{ orders(first: 1, query: "colour:red") { nodes { name } } }`, nil)
	a.want("colour", "extensions", "search", 0, "warnings", 0, "field")
	a = s.query(`{ orders(first: 3) { nodes { fulfillmentOrders(first: 1, query: "shape:round") { nodes { id } } } } }`, nil)
	a.want("shape", "extensions", "search", 0, "warnings", 0, "field")
	a.want(nil, "extensions", "search", 1)
	a.want(nil, "extensions", "search", 0, "warnings", 1)
	s.clock.Advance(orderWindow)
	if got := s.names("sortKey: CREATED_AT"); len(got) != 0 {
		t.Errorf("orders older than 60 days are shown: %v", got)
	}
}

// The index gives what sorting everything would give, after any history.
func TestUpdateIndex(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		var x updateIndex
		var all []*order
		now := int64(1000)
		for range rapid.IntRange(1, 200).Draw(rt, "steps") {
			now += int64(rapid.IntRange(0, 1).Draw(rt, "seconds"))
			if len(all) == 0 || rapid.Bool().Draw(rt, "new") {
				o := &order{id: int64(len(all) + 1), updatedAt: time.Unix(now, 0)}
				all = append(all, o)
				x.add(o, false)
				continue
			}
			o := all[rapid.IntRange(0, len(all)-1).Draw(rt, "order")]
			if o.updatedAt.Unix() != now {
				o.updatedAt = time.Unix(now, 0)
				x.add(o, true)
			}
			if rapid.IntRange(0, 9).Draw(rt, "sweep") == 0 {
				x.sweep()
			}
		}
		seen := map[int64]bool{}
		var last indexEntry
		for i, e := range x.entries {
			if i > 0 && !last.before(e.at, e.order.id) {
				rt.Fatalf("entry %d is not after the one before", i)
			}
			last = e
			if e.live() {
				if seen[e.order.id] {
					rt.Fatalf("order %d is there twice", e.order.id)
				}
				seen[e.order.id] = true
			}
		}
		if len(seen) != len(all) {
			rt.Fatalf("%d orders in the index, want %d", len(seen), len(all))
		}
	})
}

func TestInventoryLookups(t *testing.T) {
	s := open(t)
	s.product(3, "A", "B", "it's")
	s.product(1, "A")
	a := s.query(`{ inventoryItems(first: 5, query: "sku:'A'") { nodes { id sku duplicateSkuCount variants(first: 1) { nodes { sku product { title } } }
		inventoryLevels(first: 2) { nodes { location { name } quantities(names: ["available"]) { quantity } } } } }
		productVariants(first: 2) { edges { cursor node { sku price inventoryQuantity inventoryItem { id tracked } } } pageInfo { hasNextPage endCursor } } }`, nil)
	a.want("A", "data", "inventoryItems", "nodes", 1, "sku")
	a.want(nil, "data", "inventoryItems", "nodes", 2)
	a.want(1, "data", "inventoryItems", "nodes", 0, "duplicateSkuCount")
	a.want("12.50", "data", "productVariants", "edges", 0, "node", "price")
	next := s.query(fmt.Sprintf(`{ productVariants(first: 5, after: %q) { nodes { sku } } }`, a.get("data", "productVariants", "pageInfo", "endCursor")), nil)
	next.want("it's", "data", "productVariants", "nodes", 0, "sku")
	s.query(`{ inventoryItems(first: 5, query: "sku:\"it's\"") { nodes { sku } } }`, nil).want("it's", "data", "inventoryItems", "nodes", 0, "sku")
	s.query(`{ products(first: 5, query: "sku:B") { nodes { title totalInventory variants(first: 9) { nodes { sku } } } } }`, nil).
		want(9, "data", "products", "nodes", 0, "totalInventory")
}

// PlaceOrder must sustain more than 2,000 orders a second.
func BenchmarkPlaceOrder(b *testing.B) {
	s, err := New(Options{Unthrottled: true})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	if _, err := s.AddProduct(ProductInput{Title: "Mug", Variants: []VariantInput{{SKU: "A", Stock: maxUnits}}}); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := s.PlaceOrder(OrderInput{Lines: []OrderLine{{SKU: "A", Quantity: 1}}}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "orders/s")
}

package shopify

import (
	"strconv"
	"testing"

	"github.com/spillway/spillway/connector/driver"
	sim "github.com/spillway/spillway/sim/shopify"
)

// BenchmarkSet250 writes 250 numbers in one mutation over real HTTP to the simulator.
func BenchmarkSet250(b *testing.B) {
	store, c := benchShop(b)
	var pushes []driver.Push
	for i, v := range store.variants {
		stock, _ := store.Stock(v.SKU)
		pushes = append(pushes, driver.Push{
			ID: strconv.Itoa(i), Kind: driver.Absolute, Quantity: 5,
			Ref: driver.ListingRef{ItemRef: strconv.FormatInt(v.InventoryItemID, 10), Locations: []string{strconv.FormatInt(int64(stock[0].Location), 10)}},
		})
	}
	n := 0
	for b.Loop() {
		for i := range pushes {
			pushes[i].ID = strconv.Itoa(n)
			n++
		}
		got, err := c.SetQuantities(b.Context(), pushes)
		if err != nil || got[0].Outcome != driver.Confirmed {
			b.Fatal(got, err)
		}
	}
}

// BenchmarkOrdersPage reads a page of 20 orders over real HTTP.
func BenchmarkOrdersPage(b *testing.B) {
	store, c := benchShop(b)
	for i := range pageOrders {
		if _, err := store.PlaceOrder(sim.OrderInput{Lines: []sim.OrderLine{{SKU: "B-" + strconv.Itoa(i), Quantity: 1}, {SKU: "B-" + strconv.Itoa(i+1), Quantity: 2}}}); err != nil {
			b.Fatal(err)
		}
	}
	for b.Loop() {
		if p, err := c.Orders(b.Context(), driver.OrderQuery{}); err != nil || len(p.Orders) != pageOrders {
			b.Fatal(len(p.Orders), err)
		}
	}
}

// BenchmarkDecodeWebhook checks and decodes one order as it arrives.
func BenchmarkDecodeWebhook(b *testing.B) {
	body := []byte(`{"id":820982911946154508,"name":"#9999","created_at":"2026-11-20T05:00:00-05:00","updated_at":"2026-11-20T05:01:00-05:00","currency":"USD",
		"financial_status":"paid","subtotal_price":"388.00","total_price":"398.00","line_items":[{"id":1,"variant_id":2,"product_id":3,"sku":"A","title":"IPod",
		"price":"199.00","quantity":2,"current_quantity":2},{"id":4,"variant_id":5,"product_id":3,"sku":"B","title":"IPod","price":"199.00","quantity":2,"current_quantity":2}]}`)
	header, app := hookHeader("s", body), driver.App{Secret: "s"}
	for b.Loop() {
		env, err := Vendor{}.Verify(app, header, body)
		if err != nil {
			b.Fatal(err)
		}
		if facts, err := (Vendor{}).Decode(env.Topic, body); err != nil || len(facts) != 1 {
			b.Fatal(err)
		}
	}
}

func benchShop(b *testing.B) (*shop, *channel) {
	b.Helper()
	s := newShop(b, func(o *sim.Options) { o.Unthrottled = true })
	in := sim.ProductInput{Title: "Wide"}
	for i := range maxEntries {
		in.Variants = append(in.Variants, sim.VariantInput{SKU: "B-" + strconv.Itoa(i), Stock: 1_000_000})
	}
	var err error
	if s.variants, err = s.AddProduct(in); err != nil {
		b.Fatal(err)
	}
	return s, s.channel(b, DefaultVersion)
}

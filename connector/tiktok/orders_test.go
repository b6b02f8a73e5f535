package tiktok

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spillway/spillway/connector/driver"
	"github.com/spillway/spillway/domain/order"
	"github.com/spillway/spillway/kit/money"
)

// channelAt opens a channel whose API is srv.
func channelAt(t testing.TB, address string) *channel {
	t.Helper()
	app := driver.App{Key: demoKey, Secret: demoSecret, Settings: map[string]string{SettingAPIHost: address, SettingTokenHost: address}}
	c, err := Vendor{}.Open(driver.Connection{ID: "c", App: app, Shop: driver.Shop{ExternalID: "1", Settings: map[string]string{shopCipher: "ROW_x"}}},
		driver.Env{Client: http.DefaultClient, Token: func(context.Context) (string, error) { return "ROW_t", nil },
			Log: slog.New(slog.DiscardHandler), Pseudonym: func(id string) string { return "hashed" }})
	if err != nil {
		t.Fatal(err)
	}
	return c.(*channel)
}

// answering starts an API that answers everything alike.
func answering(t testing.TB, status int, body string, header ...string) string {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i+1 < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}))
	t.Cleanup(srv.Close)
	return srv.URL
}

func TestOrderFact(t *testing.T) {
	page, err := os.ReadFile("testdata/order_page.json")
	if err != nil {
		t.Fatal(err)
	}
	got, err := channelAt(t, answering(t, 200, string(page), "Date", "Tue, 03 Nov 2026 10:00:00 GMT")).Orders(t.Context(), driver.OrderQuery{Limit: 100})
	if err != nil {
		t.Fatal(err)
	}
	usd := func(cents int64) money.Amount { return money.Amount{Minor: cents, Currency: "USD"} }
	sec := func(s int64) time.Time { return time.Unix(s, 0).UTC() }
	want := order.Fact{
		Kind: order.Snapshot, ConnectionID: "c", ExternalID: "576461413038785752", UpdatedAt: sec(1793700300),
		ReadAt: time.Date(2026, 11, 3, 10, 0, 0, 0, time.UTC), Status: order.PartiallyShipping, StatusText: "PARTIALLY_SHIPPING",
		Detail: &order.Detail{
			Fulfilment: order.BySeller, CreatedAt: sec(1793700000), PaidAt: sec(1793700060),
			Deadlines: order.Deadlines{ShipBy: sec(1793800001), HandOverBy: sec(1793800002), AutoCancelShipBy: sec(1793800003),
				AutoCancelHandOverBy: sec(1793800004), AutoCancelDeliverBy: sec(1793800005), DeliverBy: sec(1793800006),
				PromisedBy: sec(1793800007), PickUpBy: sec(1793800008), FastDispatchBy: sec(1793800009)},
			Moments:      order.Moments{ReadyAt: sec(1793700100), HandedOverAt: sec(1793700200), CancelRequestedAt: sec(1793700250)},
			CancelReport: order.Cancel{Reason: "seller_cancel_reason_out_of_stock", Role: order.RoleSeller, RequestOpen: true},
			Totals: order.Totals{Subtotal: usd(3750), Shipping: usd(499), Tax: usd(321), SellerDiscount: usd(100), PlatformDiscount: usd(50),
				Total: usd(4570)},
			Flags:        order.Flags{COD: true, Exchange: true, PreOrder: true, PlatformLabel: true, CollectionPoint: true, Split: true},
			WarehouseRef: "7068517275539719942", RelatedOrder: "576461413038785000", BuyerHash: "hashed", Region: "US-CA", PostalPrefix: "900",
			Parcels: []order.Parcel{{Ref: "115", Carrier: "USPS", Tracking: "9400100000000000000001"}},
			Lines: []order.Line{
				{ExternalProduct: "1729592969712207008", ExternalSKU: "1729592969712207012", SellerSKU: "MUG-RED", Title: "Mug · Red", UnitPrice: usd(1250), Qty: 2, Cancelled: 1,
					Units: []order.Unit{
						{ExternalLineID: "1", Status: order.AwaitingCollection, StatusText: "AWAITING_COLLECTION", PackageRef: "115"},
						{ExternalLineID: "3", Status: order.Cancelled, StatusText: "CANCELLED", Cancelled: true, CancelReason: "seller_cancel_reason_out_of_stock", CancelRole: order.RoleSeller},
					}},
				{ExternalProduct: "1729592969712207008", ExternalSKU: "1729592969712207013", SellerSKU: "SET", Title: "Set", UnitPrice: usd(1250), Qty: 1,
					Units: []order.Unit{{ExternalLineID: "2", Status: order.AwaitingShipment, StatusText: "AWAITING_SHIPMENT"}},
					Parts: []order.Part{{ExternalProduct: "17", ExternalSKU: "171", SellerSKU: "CUP", Count: 2}}},
			},
		},
	}
	if diff := cmp.Diff([]order.Fact{want}, got.Orders); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if got.Next != "6AsPQsUMvH3RkchN/N5M1kHY+cZmtQ==" || !got.At.Equal(want.ReadAt) {
		t.Errorf("next %q, at %v", got.Next, got.At)
	}
	// Personal data stands in the answer and nowhere in what leaves the package.
	b, _ := json.Marshal(got)
	for _, personal := range []string{"Ann", "Example Street", "5551234", "ann@", "ring twice", "7494560109732334263", "90001", "Los Angeles"} {
		if !strings.Contains(string(page), personal) {
			t.Fatalf("the sample has no %q", personal)
		}
		if strings.Contains(string(b), personal) {
			t.Errorf("%q left the package: %s", personal, b)
		}
	}
}

func TestOneUnreadableOrderDoesNotHideTheOthers(t *testing.T) {
	body := `{"code":0,"message":"Success","request_id":"r","data":{"orders":[
		{"id":"1","status":"UNPAID","update_time":1793700300,"line_items":[{"id":"11","sku_id":"s"}]},
		{"id":"2","status":"UNPAID","update_time":"soon"},
		{"id":"3","status":"UNPAID"},
		"what is this",
		{"id":"4","status":"BRAND_NEW","update_time":1793700300,"payment":{"currency":"USD","total_amount":"12.345"},"line_items":[{"id":"41","sku_id":"s","sale_price":"1e3"}]}]}}`
	c := channelAt(t, answering(t, 200, body))
	got, err := c.Orders(t.Context(), driver.OrderQuery{Limit: 5})
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, f := range got.Orders {
		ids = append(ids, f.ExternalID)
		if _, _, err := order.Merge(nil, f); err != nil {
			t.Error(err)
		}
	}
	if fmt.Sprint(ids) != "[1 4]" || len(got.Unreadable) != 3 || got.Unreadable[0].ID != "2" || got.Unreadable[0].Why != "update_time is a string" {
		t.Errorf("orders %v, unreadable %+v", ids, got.Unreadable)
	}
	if f := got.Orders[1]; f.Status != "" || f.StatusText != "BRAND_NEW" || f.Detail.Totals.Total != (money.Amount{}) {
		t.Errorf("an unknown status and an amount beyond the currency: %+v", f)
	}
	if _, err := c.OrdersByID(t.Context(), []string{"1", "2"}); driver.ClassOf(err) != driver.GiveUp {
		t.Errorf("asked for by id it must be told: %v", err)
	}
}

func FuzzOrderPage(f *testing.F) {
	page, err := os.ReadFile("testdata/order_page.json")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(page)
	f.Add([]byte(`{"code":0,"data":{"orders":[null,7,{"id":"1","update_time":9223372036854775807,"line_items":[{},{}]}]}}`))
	c := channelAt(f, "https://api.example")
	f.Fuzz(func(t *testing.T, body []byte) {
		var out envelope[wireOrders]
		if json.Unmarshal(body, &out) != nil {
			return
		}
		got := c.page(out.Data, &driver.Answer{}, nil)
		if len(got.Orders)+len(got.Unreadable) != len(out.Data.Orders) {
			t.Fatalf("%d orders and %d unreadable of %d", len(got.Orders), len(got.Unreadable), len(out.Data.Orders))
		}
		for _, fact := range got.Orders {
			var units int
			for _, l := range fact.Detail.Lines {
				units += len(l.Units)
				if l.Qty != int64(len(l.Units)) {
					t.Fatalf("a line of %d units says %d", len(l.Units), l.Qty)
				}
			}
			_, _, _ = order.Merge(nil, fact) // must not panic
		}
	})
}

// BenchmarkOrderPage reads a full page of 100 orders as it comes.
func BenchmarkOrderPage(b *testing.B) {
	page, err := os.ReadFile("testdata/order_page.json")
	if err != nil {
		b.Fatal(err)
	}
	var one struct {
		Data struct{ Orders []json.RawMessage }
	}
	if err := json.Unmarshal(page, &one); err != nil {
		b.Fatal(err)
	}
	orders := make([]string, 100)
	for i := range orders {
		orders[i] = string(one.Data.Orders[0])
	}
	body := []byte(`{"code":0,"message":"Success","request_id":"r","data":{"next_page_token":"","total_count":100,"orders":[` + strings.Join(orders, ",") + `]}}`)
	c := channelAt(b, "https://api.example")
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		var out envelope[wireOrders]
		if err := json.Unmarshal(body, &out); err != nil {
			b.Fatal(err)
		}
		if got := c.page(out.Data, &driver.Answer{}, nil); len(got.Orders) != 100 {
			b.Fatal(len(got.Orders))
		}
	}
}

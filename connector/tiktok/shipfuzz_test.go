package tiktok

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/spillway/spillway/connector/driver"
)

// FuzzShippingAnswers: whatever an answer holds, shipping ends in a value or in an error that is classed, and without a label that was bought nothing is booked.
func FuzzShippingAnswers(f *testing.F) {
	f.Add([]byte(`{"code":0,"data":{"orders":[{"id":"576","status":"AWAITING_SHIPMENT","shipping_type":"TIKTOK","line_items":[{"id":"1","display_status":"AWAITING_SHIPMENT"}]}],
		"shipping_services":[{"id":"7","price":"5.12","currency":"USD"}],"package_id":"9","doc_url":"https://files.example/x"}}`))
	f.Add([]byte(`{"code":0,"data":{"orders":[{"id":"576","status":"AWAITING_COLLECTION","line_items":[{"id":"1","display_status":"AWAITING_COLLECTION","package_id":"9","tracking_number":"T"}]}]}}`))
	f.Add([]byte(`{"code":0,"data":{"orders":[{"id":"576","status":"AWAITING_SHIPMENT","recipient_address":{"name":"A B","address_line1":"1 St","region_code":"US","district_info":[{"address_level":"L1","address_name":"Texas"}]}}]}}`))
	f.Add([]byte(`{"code":21022025,"message":"bought"}`))
	f.Add([]byte(`{"code":0,"data":{"shipping_providers":[{"id":"1","name":"USPS"}],"can_pickup":true,"pickup_slots":[{"start_time":-1,"end_time":9e18,"avaliable":true}]}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		c := channelAt(t, "https://api.example")
		c.env.Client = &http.Client{Transport: said(body)}
		c.conn.Shop.Region = []string{"US", "GB", "TH"}[len(body)%3]
		p := driver.Parcel{OrderIDs: []string{"576"}, Grams: 1}
		d := driver.Dispatch{OrderID: "576", Carrier: "USPS", Tracking: "T"}
		booked, book := c.Book(t.Context(), driver.Booking{ID: "b", Parcel: p})
		_, quote := c.Quote(t.Context(), p)
		_, found, find := c.Find(t.Context(), driver.Booking{ID: "b", Parcel: p})
		_, void := c.Void(t.Context(), driver.Booked{Ref: "9"})
		_, tell := c.Tell(t.Context(), d)
		_, correct := c.Correct(t.Context(), d, driver.Told{PackageID: "9"})
		_, told := c.Told(t.Context(), "576")
		a, where := c.Recipient(t.Context(), "576")
		for _, err := range []error{book, quote, find, void, tell, correct, told, where} {
			if err != nil && driver.ClassOf(err) == "" {
				t.Errorf("%v has no class", err)
			}
		}
		if book == nil && (booked.ID != "b" || booked.State == driver.BookingDone && (booked.Ref == "" || !found)) {
			t.Errorf("booked %+v, found %v", booked, found)
		}
		if where == nil && strings.Contains(a.Name+a.Line1+a.City+a.Post+a.Phone, "*") {
			t.Error("a masked address is taken for one")
		}
	})
}

// said answers every request with the same bytes.
type said []byte

// RoundTrip implements http.RoundTripper.
func (b said) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(bytes.NewReader(b)), Request: r}, nil
}

// TestPackagesHoldEachLineOnce: whatever lines an order has, each uncancelled one is in one package at the most, and a parcel is found in a package of just its lines.
func TestPackagesHoldEachLineOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var o wireShipping
		for i := range rapid.IntRange(0, 8).Draw(t, "lines") {
			o.LineItems = append(o.LineItems, wireShipLine{ID: string(rune('a' + i)), PackageID: rapid.SampledFrom([]string{"", "1", "2"}).Draw(t, "package"),
				DisplayStatus: rapid.SampledFrom([]string{"AWAITING_SHIPMENT", "AWAITING_COLLECTION", "CANCELLED"}).Draw(t, "status")})
		}
		in := map[string]string{}
		for _, p := range o.packs() {
			for _, id := range p.lines {
				if in[id] != "" {
					t.Fatalf("line %s is in %s and %s", id, in[id], p.id)
				}
				in[id] = p.id
			}
			lines, _ := o.wanted([]driver.ParcelLine{{ExternalLineIDs: p.lines}})
			if got, ok := o.holding(lines); !ok || got.id != p.id {
				t.Fatalf("the lines of %s are found in %+v", p.id, got)
			}
			if len(p.lines) > 1 {
				if got, ok := o.holding(p.lines[1:]); ok {
					t.Fatalf("a part of %s is found in %+v", p.id, got)
				}
			}
		}
		for _, l := range o.LineItems {
			if want := l.PackageID; l.DisplayStatus != "CANCELLED" && in[l.ID] != want {
				t.Fatalf("line %s is in %q, want %q", l.ID, in[l.ID], want)
			}
		}
		if _, whole := o.wanted(nil); !whole {
			t.Fatal("all of it is a part")
		}
	})
}

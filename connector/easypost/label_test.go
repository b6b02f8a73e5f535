package easypost

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/spillway/spillway/connector/driver"
	"github.com/spillway/spillway/domain/tracking"
	"github.com/spillway/spillway/kit/money"
	sim "github.com/spillway/spillway/sim/easypost"
)

// booked buys a label with the cheapest service of a carrier.
func (r *rig) booked(t *testing.T, id string, p driver.Parcel, carrier string) driver.Booked {
	t.Helper()
	quotes, err := r.Shipper.Quote(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(quotes, func(q driver.Quote) bool { return q.Carrier == carrier })
	b, err := r.Shipper.Book(t.Context(), driver.Booking{ID: id, Parcel: p, Quote: quotes[i], Format: "PDF"})
	if err != nil {
		t.Fatal(err)
	}
	if b.Price != quotes[i].Price || b.Carrier != carrier || b.Service != quotes[i].Service {
		t.Errorf("quoted %+v, booked %+v", quotes[i], b)
	}
	return b
}

func TestNumbersAreProvedAndMoneyAddsUp(t *testing.T) {
	r := newRig(t)
	var cents int64
	for carrier, id := range map[string]string{"USPS": "b-1", "UPS": "b-2"} {
		b := r.booked(t, id, r.parcel(1), carrier)
		if got := tracking.Valid(b.Tracking, carrier); got != tracking.NumberProved {
			t.Errorf("%s %s: %s", carrier, b.Tracking, got)
		}
		cents += b.Price.Minor
	}
	if got := r.sim.Spent(); got != cents || cents == 0 {
		t.Errorf("the broker charged %d cents, we know of %d", got, cents)
	}
}

func TestLabelInBothFormats(t *testing.T) {
	r := newRig(t)
	b := r.booked(t, "b-1", r.parcel(1), "USPS")
	for format, want := range map[string]string{"PDF": "application/pdf", "ZPL": "application/zpl"} {
		d, err := r.Shipper.Document(t.Context(), b, driver.LabelDocument, format)
		if err != nil || d.Type != want || !bytes.Contains(d.Data, []byte(b.Tracking)) {
			t.Errorf("%s: %s, %v", format, d.Type, err)
		}
	}
	if d, err := r.Shipper.Document(t.Context(), b, driver.CommercialInvoice, "PDF"); err == nil {
		t.Errorf("an invoice that is not there: %d bytes", len(d.Data))
	}
}

func TestManifestOfADay(t *testing.T) {
	r := newRig(t)
	a, b := r.booked(t, "b-1", r.parcel(1), "USPS"), r.booked(t, "b-2", r.parcel(1), "USPS")
	id, ok, err := r.Shipper.Manifest(t.Context(), []driver.Booked{a, b})
	if err != nil || !ok || id == "" {
		t.Fatalf("%q, %v", id, err)
	}
	d, ok, err := r.Shipper.ManifestDocument(t.Context(), id)
	if err != nil || !ok || d.Type != "application/pdf" || d.Kind != driver.ManifestDocument {
		t.Fatalf("%+v, %v", d, err)
	}
	if _, _, err := r.Shipper.ManifestDocument(t.Context(), "none"); err == nil {
		t.Error("a document of no manifest")
	}
	if _, _, err := r.Shipper.Manifest(t.Context(), []driver.Booked{a}); driver.ClassOf(err) != driver.GiveUp {
		t.Errorf("on two manifests: %v", err)
	}
}

func TestAManifestTakesNoLabelOfYesterday(t *testing.T) {
	r := newRig(t)
	a := r.booked(t, "b-1", r.parcel(1), "USPS")
	r.clock.Advance(24 * time.Hour)
	if _, _, err := r.Shipper.Manifest(t.Context(), []driver.Booked{a}); driver.ClassOf(err) != driver.GiveUp || driver.MayBeApplied(err) {
		t.Errorf("a label of yesterday: %v", err)
	}
}

func TestAUsedLabelStaysPaid(t *testing.T) {
	r := newRig(t)
	p := r.parcel(1)
	b := r.booked(t, "b-1", p, "USPS")
	r.clock.Advance(24 * time.Hour) // it was scanned
	for range 2 {
		if got, err := r.Shipper.Void(t.Context(), b); err != nil || got != driver.VoidRefused {
			t.Errorf("%s, %v", got, err)
		}
	}
	if r.sim.Paid(p.Number) != 1 {
		t.Error("a label in use is not paid")
	}
}

func TestARefundIsGranted(t *testing.T) {
	r := newRig(t)
	b := r.booked(t, "b-1", r.parcel(1), "USPS")
	first, err := r.Shipper.Void(t.Context(), b)
	if err != nil || first != driver.VoidAsked {
		t.Fatalf("%s, %v", first, err)
	}
	if _, err := r.Shipper.Void(t.Context(), driver.Booked{ID: "b-2", Ref: "shp_other"}); driver.ClassOf(err) != driver.GiveUp {
		t.Errorf("a label of another account: %v", err)
	}
	r.clock.Advance(15 * 24 * time.Hour)
	if got, err := r.Shipper.Void(t.Context(), b); err != nil || got != driver.VoidDone || r.sim.Spent() != 0 {
		t.Errorf("%s, %v, %d cents", got, err, r.sim.Spent())
	}
}

func TestCustoms(t *testing.T) {
	r := newRig(t)
	p := r.parcel(3)
	p.To.Country, p.To.State, p.To.Post = "CA", "ON", "K1A 0B1"
	if _, err := r.Shipper.Quote(t.Context(), p); driver.ClassOf(err) != driver.GiveUp || !strings.Contains(err.Error(), "Customs information is required") {
		t.Errorf("abroad without a declaration: %v", err)
	}
	p.Customs = &driver.Customs{Contents: "gift", Signer: "J. Doe", Exemption: "NOEEI 30.37(a)", Incoterm: "DDP"}
	p.Lines[0].Value, p.Lines[0].Origin, p.Lines[0].HSCode = money.Amount{Minor: 1999, Currency: "USD"}, "US", "691200"
	if _, err := r.Shipper.Quote(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	c, why := customs(p)
	if why != "" {
		t.Fatal(why)
	}
	got, err := json.Marshal(c)
	want := `{"eel_pfc":"NOEEI 30.37(a)","contents_type":"gift","customs_certify":true,"customs_signer":"J. Doe","non_delivery_option":"return","restriction_type":"none",` +
		`"customs_items":[{"description":"Mug","quantity":3,"value":59.97,"weight":14.9,"hs_tariff_number":"691200","code":"MUG-1","origin_country":"US","currency":"USD"}]}`
	if err != nil || string(got) != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
	p.Customs.Signer = ""
	if _, why := customs(p); why == "" {
		t.Error("nobody signs")
	}
}

func TestMeasures(t *testing.T) {
	for mm, want := range map[int64]json.Number{254: "10.00", 1: "0.04", 305: "12.01", 0: "0.01"} {
		if got := inches(mm); got != want {
			t.Errorf("%d mm are %s inches, want %s", mm, got, want)
		}
	}
	for g, want := range map[int64]json.Number{28: "1.0", 29: "1.1", 454: "16.1", 453: "16.0", 1: "0.1", 31_751: "1120.0"} {
		if got := ounces(g); got != want {
			t.Errorf("%d g are %s ounces, want %s", g, got, want)
		}
	}
	rapid.Check(t, func(t *rapid.T) { // never lighter than it is, and by less than a tenth heavier
		g := rapid.Int64Range(1, 100_000).Draw(t, "grams")
		n, err := ounces(g).Float64()
		if over := n - float64(g)/28.349523125; err != nil || over < -1e-9 || over >= 0.1+1e-9 {
			t.Errorf("%d g are %v oz: %v over", g, n, over)
		}
	})
}

func TestDearerThanQuoted(t *testing.T) {
	rates := []wireRate{{ID: "r1", Carrier: "USPS", Service: "Priority", Rate: "8.10", Currency: "USD"}, {ID: "r2", Carrier: "USPS", Service: "Priority", Rate: "8.00", Currency: "USD"}}
	q := driver.Quote{Carrier: "USPS", Service: "Priority", Price: money.Amount{Minor: 800, Currency: "USD"}}
	if got, err := choose(rates, q); err != nil || got.ID != "r2" {
		t.Errorf("%+v, %v", got, err)
	}
	q.Price.Minor = 799
	if _, err := choose(rates, q); driver.ClassOf(err) != driver.RetryAfter || driver.MayBeApplied(err) {
		t.Errorf("dearer: %v", err)
	}
	q.Service = "Express"
	if _, err := choose(rates, q); driver.ClassOf(err) != driver.GiveUp {
		t.Errorf("gone: %v", err)
	}
}

func TestErrorsAreFlatAndClassed(t *testing.T) {
	for _, c := range []struct {
		status  int
		body    string
		class   driver.Class
		applied bool
		message string
	}{
		{422, `{"error":{"code":"ADDRESS.VERIFY.FAILURE","message":"Unable to verify address.","errors":[{"field":"street1","message":"House number is missing"},"Try again"]}}`,
			driver.GiveUp, false, "Unable to verify address.; street1: House number is missing; Try again"},
		{422, `{"error":{"code":"X","message":["one","two"],"errors":[]}}`, driver.GiveUp, false, "one; two"},
		{422, `{"error":{"code":"X","message":{"b":["two"],"a":"one"}}}`, driver.GiveUp, false, "one; two"},
		{402, `{"error":{"code":"PAYMENT_REQUIRED","message":"Insufficient funds"}}`, driver.AskHuman, false, "Insufficient funds"},
		{401, `{"error":{"code":"APIKEY.INACTIVE","message":"This key is no longer active."}}`, driver.AskHuman, false, "This key is no longer active."},
		{429, `{"error":{"code":"RATE_LIMITED","message":"slow"}}`, driver.RetryAfter, false, "slow"},
		{503, `{"error":{"code":"SERVICE_UNAVAILABLE","message":"busy"}}`, driver.Retry, false, "busy"},
		{503, `<html>gateway</html>`, driver.Retry, true, ""},
		{500, `{"error":{"code":"INTERNAL_SERVER_ERROR","message":"oops"}}`, driver.Retry, true, "oops"},
		{504, ``, driver.Retry, true, ""},
		{404, ``, driver.GiveUp, false, "EasyPost refuses this"},
		{200, `{"id":`, driver.Retry, true, "the answer is not what it should be"},
	} {
		var w wireShipment
		e := judge(&driver.Answer{Status: c.status, Header: http.Header{}, Body: []byte(c.body)}, &w)
		if e == nil || e.Class != c.class || e.Applied != c.applied || e.Message != c.message {
			t.Errorf("%d %s: %+v", c.status, c.body, e)
		}
	}
}

func TestKeysAndDocumentsStayWhereTheyBelong(t *testing.T) {
	for _, base := range []string{"https://evil.example/v2", "http://api.easypost.com/v2", "https://api.easypost.com.evil.example", "https://x@api.easypost.com/v2", "http://10.0.0.1"} {
		if _, err := (Carrier{}).Open(driver.CarrierAccount{Settings: map[string]string{setKey: "k", setBase: base}}, driver.Env{}); driver.ClassOf(err) != driver.AskHuman {
			t.Errorf("%s: %v", base, err)
		}
	}
	asked := 0
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked++ }))
	defer other.Close()
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(`{"id":"shp_1","tracking_code":"1","postage_label":{"label_pdf_url":"` + other.URL + `/label.pdf"}}`))
	}))
	defer api.Close()
	s, err := Carrier{}.Open(driver.CarrierAccount{Settings: map[string]string{setKey: "k", setBase: api.URL}}, driver.Env{Client: http.DefaultClient})
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.Document(t.Context(), driver.Booked{Ref: "shp_1"}, driver.LabelDocument, "PDF")
	if e, ok := errors.AsType[*driver.Error](err); !ok || e.Class != driver.GiveUp || asked != 0 {
		t.Errorf("a document of another host: %v, asked %d times", err, asked)
	}
}

func TestEventsAreFollowed(t *testing.T) {
	r := newRig(t)
	b := r.booked(t, "b-1", r.parcel(1), "USPS")
	r.clock.Advance(4 * 24 * time.Hour)
	page, ok, err := r.Shipper.Parcels(t.Context(), start.Add(-time.Hour), "")
	if err != nil || !ok || page.Next != "" || len(page.News) != 6 {
		t.Fatalf("%d news, next %q, %v", len(page.News), page.Next, err)
	}
	var got []string
	for _, e := range page.News[0].Events {
		got = append(got, e.Status)
	}
	want := []string{"label_created", "accepted", "in_transit", "out_for_delivery", "delivered"}
	if !slices.Equal(got, want) || page.News[0].Tracking != b.Tracking || page.News[0].Ref != b.Ref || page.News[0].Events[1].Place != "Columbus, OH, US" {
		t.Errorf("%v of %+v", got, page.News[0])
	}
	if later, _, err := r.Shipper.Parcels(t.Context(), start.Add(65*time.Hour), ""); err != nil || len(later.News) != 1 {
		t.Errorf("%d news since the van, %v", len(later.News), err)
	}
}

func TestWordsAreWhole(t *testing.T) {
	if err := words.Check(); err != nil {
		t.Error(err)
	}
	for _, w := range []string{"unknown", "pre_transit", "in_transit", "out_for_delivery", "delivered", "available_for_pickup", "return_to_sender", "failure", "cancelled", "error"} {
		if _, known := words.Status(w, "status_update"); !known {
			t.Errorf("%s is not known", w)
		}
	}
}

func TestWebhooksAreSigned(t *testing.T) {
	r := newRig(t)
	type message struct {
		header http.Header
		body   []byte
	}
	sent := make(chan message, 100)
	inbox := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, q *http.Request) {
		var b bytes.Buffer
		_, _ = b.ReadFrom(q.Body)
		sent <- message{q.Header, b.Bytes()}
	}))
	defer inbox.Close()
	r.sim.Webhook(inbox.URL, r.account.Settings[setSecret])
	b := r.booked(t, "b-1", r.parcel(1), "USPS")
	r.clock.Advance(4 * 24 * time.Hour)
	if err := r.sim.Courier().Idle(t.Context()); err != nil {
		t.Fatal(err)
	}
	close(sent)
	seen := map[string]bool{}
	for m := range sent {
		e, err := Carrier{}.Verify(r.account, m.header, m.body)
		if err != nil || e.DeliveryID == "" || e.ShopID != r.account.ID || seen[e.DeliveryID] {
			t.Fatalf("%+v, %v", e, err)
		}
		seen[e.DeliveryID] = true
		news, err := Carrier{}.Decode(e.Topic, m.body)
		if err != nil || len(news) != 1 || news[0].Ref != b.Ref {
			t.Errorf("%s: %+v, %v", e.Topic, news, err)
		}
		forged := bytes.Replace(m.body, []byte("Event"), []byte("Evens"), 1)
		for _, bad := range []driver.CarrierAccount{{ID: "x"}, {ID: "x", Settings: map[string]string{setSecret: "secret"}}} {
			if _, err := (Carrier{}).Verify(bad, m.header, m.body); driver.ClassOf(err) != driver.Forged {
				t.Errorf("another secret: %v", err)
			}
		}
		if _, err := (Carrier{}).Verify(r.account, m.header, forged); driver.ClassOf(err) != driver.Forged {
			t.Errorf("another body: %v", err)
		}
	}
	if len(seen) != 6 {
		t.Errorf("%d messages, want 6", len(seen))
	}
}

// TestNFKD: the vector was computed by another language's library.
func TestNFKD(t *testing.T) {
	body := []byte(`{"id":"evt_1","description":"tracker.updated","weight":1.0}`)
	header := http.Header{signatureHeader: {"hmac-sha256-hex=05f2850705e0df57357cb289429fdc329d1d99643183075804f65a24986cabcd"}}
	if _, err := (Carrier{}).Verify(driver.CarrierAccount{Settings: map[string]string{setSecret: "ſecret ①"}}, header, body); err != nil {
		t.Error(err)
	}
}

// TestAnswerOfTheVendor reads an answer as it is documented, with what is null in it.
func TestAnswerOfTheVendor(t *testing.T) {
	raw, err := os.ReadFile("testdata/shipment.json")
	if err != nil {
		t.Fatal(err)
	}
	var w wireShipment
	if e := judge(&driver.Answer{Status: 200, Header: http.Header{}, Body: raw}, &w); e != nil {
		t.Fatal(e)
	}
	want := driver.Booked{ID: "b-1", Ref: "shp_01", Carrier: "USPS", Service: "Priority", Tracking: "9405500207552011596265", URL: "https://track.easypost.com/x", State: driver.BookingDone,
		Price: money.Amount{Minor: 758, Currency: "USD"}, At: time.Date(2026, 9, 7, 9, 0, 1, 0, time.UTC), Messages: []string{"FedEx: unable to retrieve rates; account is not set up"}}
	if diff := cmp.Diff(want, w.booked("b-1")); diff != "" {
		t.Error(diff)
	}
	if w.Rates[1].days() != 3 || w.Label.in("PDF") == "" || w.Label.in("ZPL") != "" {
		t.Errorf("%+v %+v", w.Rates, w.Label)
	}
}

func FuzzWebhook(f *testing.F) {
	for _, seed := range []string{`{"id":"evt_1","description":"tracker.updated","result":{"tracking_code":"9400","shipment_id":"shp_1","status":"in_transit","tracking_details":[{"status":"in_transit","status_detail":"departed_facility","datetime":"2026-09-07T09:00:00Z","tracking_location":{"city":"X","state":null}}]}}`,
		`{"id":"e","description":"batch.updated","result":{}}`, `{"result":null}`, `[]`} {
		f.Add("tracker.updated", []byte(seed))
	}
	f.Fuzz(func(t *testing.T, topic string, body []byte) {
		news, err := Carrier{}.Decode(topic, body)
		if err != nil && driver.ClassOf(err) != driver.GiveUp {
			t.Fatalf("%v", err)
		}
		for _, n := range news {
			if n.Tracking == "" || len(n.Events) > maxDetails {
				t.Fatalf("%+v", n)
			}
			for _, e := range n.Events {
				if e.At.IsZero() || !slices.Contains(tracking.Statuses, tracking.Status(e.Status)) || len(e.Place) > maxText {
					t.Fatalf("%+v", e)
				}
			}
		}
		header := http.Header{signatureHeader: {sim.Sign("s", body)}}
		if _, err := (Carrier{}).Verify(driver.CarrierAccount{Settings: map[string]string{setSecret: "s"}}, header, body); err != nil && driver.ClassOf(err) != driver.GiveUp {
			t.Fatalf("signed, and %v", err)
		}
	})
}

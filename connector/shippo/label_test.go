package shippo

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spillway/spillway/connector/driver"
	"github.com/spillway/spillway/domain/tracking"
	"github.com/spillway/spillway/kit/money"
)

// booking asks for a label with the cheapest service of a carrier.
func (r *rig) booking(t *testing.T, id string, p driver.Parcel, carrier string) driver.Booking {
	t.Helper()
	quotes, err := r.Shipper.Quote(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(quotes, func(q driver.Quote) bool { return q.Carrier == carrier })
	return driver.Booking{ID: id, Parcel: p, Quote: quotes[i], Format: "PDF"}
}

func (r *rig) booked(t *testing.T, b driver.Booking) driver.Booked {
	t.Helper()
	got, err := r.Shipper.Book(t.Context(), b)
	if err != nil || got.State != driver.BookingDone || got.Price != b.Quote.Price {
		t.Fatalf("%+v, %v", got, err)
	}
	return got
}

func TestNumbersAreProvedAndMoneyAddsUp(t *testing.T) {
	r := newRig(t)
	var cents int64
	for carrier, id := range map[string]string{"USPS": "b-1", "UPS": "b-2"} {
		b := r.booking(t, id, r.parcel(1), carrier)
		got := r.booked(t, b)
		if v := tracking.Valid(got.Tracking, carrier); v != tracking.NumberProved {
			t.Errorf("%s %s: %s", carrier, got.Tracking, v)
		}
		found, ok, err := r.Shipper.Find(t.Context(), driver.Booking{ID: id})
		if diff := cmp.Diff(got, found); err != nil || !ok || diff != "" {
			t.Errorf("found %v, %v\n%s", ok, err, diff)
		}
		cents += got.Price.Minor
	}
	if got := r.sim.Spent(); got != cents || cents == 0 {
		t.Errorf("the broker charged %d cents, we know of %d", got, cents)
	}
}

// TestALabelThatFails: HTTP 201 with status ERROR is an answer, costs nothing, and the next try makes one label.
func TestALabelThatFails(t *testing.T) {
	r := newRig(t)
	b := r.booking(t, "b-1", r.parcel(1), "USPS")
	r.sim.FailLabels(1)
	got, err := r.Shipper.Book(t.Context(), b)
	if err != nil || got.State != driver.BookingFailed || len(got.Messages) != 1 || !strings.Contains(got.Messages[0], "did not respond") {
		t.Fatalf("%+v, %v", got, err)
	}
	if _, found, err := r.Shipper.Find(t.Context(), b); found || err != nil || r.sim.Bought("b-1") != 0 {
		t.Errorf("what failed is found: %v, %v", found, err)
	}
	r.booked(t, b)
	if r.sim.Bought("b-1") != 1 {
		t.Errorf("%d labels are paid", r.sim.Bought("b-1"))
	}
}

func TestALabelThatWaits(t *testing.T) {
	r := newRig(t)
	b := r.booking(t, "b-1", r.parcel(1), "USPS")
	r.sim.QueueLabels(1)
	for range 2 { // asked again it is the same
		if got, err := r.Shipper.Book(t.Context(), b); err != nil || got.State != driver.BookingPending {
			t.Fatalf("%+v, %v", got, err)
		}
	}
	r.clock.Advance(time.Minute)
	got, found, err := r.Shipper.Find(t.Context(), driver.Booking{ID: "b-1"})
	if err != nil || !found || got.State != driver.BookingDone || got.Tracking == "" || r.sim.Bought("b-1") != 1 {
		t.Errorf("%+v, %v, %v", got, found, err)
	}
}

func TestZPL(t *testing.T) {
	r := newRig(t)
	b := r.booking(t, "b-1", r.parcel(1), "UPS")
	b.Format = "ZPL"
	got := r.booked(t, b)
	d, err := r.Shipper.Document(t.Context(), got, driver.LabelDocument, "ZPL")
	if err != nil || d.Type != "application/zpl" || !bytes.Contains(d.Data, []byte(got.Tracking)) {
		t.Errorf("%s, %v", d.Type, err)
	}
}

func TestManifestOfADay(t *testing.T) {
	r := newRig(t)
	a, b := r.booked(t, r.booking(t, "b-1", r.parcel(1), "USPS")), r.booked(t, r.booking(t, "b-2", r.parcel(1), "USPS"))
	id, ok, err := r.Shipper.Manifest(t.Context(), []driver.Booked{a, b})
	if err != nil || !ok || id == "" {
		t.Fatalf("%q, %v", id, err)
	}
	d, ok, err := r.Shipper.ManifestDocument(t.Context(), id)
	if err != nil || !ok || d.Type != "application/pdf" {
		t.Fatalf("%+v, %v", d, err)
	}
	if _, _, err := r.Shipper.ManifestDocument(t.Context(), "none"); err == nil {
		t.Error("a document of no manifest")
	}
	if _, _, err := r.Shipper.Manifest(t.Context(), []driver.Booked{a}); driver.ClassOf(err) != driver.GiveUp || driver.MayBeApplied(err) {
		t.Errorf("on two manifests: %v", err)
	}
}

func TestRefunds(t *testing.T) {
	r := newRig(t)
	used, back := r.booked(t, r.booking(t, "b-1", r.parcel(1), "USPS")), r.booked(t, r.booking(t, "b-2", r.parcel(1), "USPS"))
	void := func(b driver.Booked, want driver.Voided) {
		t.Helper()
		if got, err := r.Shipper.Void(t.Context(), b); err != nil || got != want {
			t.Errorf("%s, %v; want %s", got, err, want)
		}
	}
	void(back, driver.VoidAsked)
	r.clock.Advance(24 * time.Hour)
	void(used, driver.VoidRefused)
	void(used, driver.VoidRefused)
	r.clock.Advance(14 * 24 * time.Hour)
	void(back, driver.VoidDone)
	if got := r.sim.Spent(); got != used.Price.Minor {
		t.Errorf("%d cents are spent, want %d", got, used.Price.Minor)
	}
}

func TestCustoms(t *testing.T) {
	r := newRig(t)
	p := r.parcel(3)
	p.To.Country = "CA"
	if _, err := r.Shipper.Quote(t.Context(), p); driver.ClassOf(err) != driver.GiveUp || !strings.Contains(err.Error(), "customs declaration is required") {
		t.Errorf("abroad without a declaration: %v", err)
	}
	p.Customs = &driver.Customs{Contents: "gift", Signer: "J. Doe", Exemption: "NOEEI 30.37(a)", Incoterm: "DDP", OnFailure: "abandon"}
	p.Lines[0].Value, p.Lines[0].HSCode = money.Amount{Minor: 1999, Currency: "USD"}, "691200"
	if _, err := r.Shipper.Quote(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	c, why := customs(p)
	got, err := json.Marshal(c)
	want := `{"certify":true,"certify_signer":"J. Doe","contents_type":"GIFT","non_delivery_option":"ABANDON","eel_pfc":"NOEEI_30_37_a","incoterm":"DDP",` +
		`"items":[{"description":"Mug","quantity":3,"net_weight":"420","mass_unit":"g","value_amount":"59.97","value_currency":"USD","origin_country":"US","hs_code":"691200","sku_code":"MUG-1"}]}`
	if err != nil || why != "" || string(got) != want {
		t.Errorf("%s %s\nwant\n%s", why, got, want)
	}
	p.Customs.Exemption = "none"
	if _, why := customs(p); why == "" {
		t.Error("an exemption nobody knows")
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
		{400, `{"rate":["Rate with supplied object_id not found."],"__all__":"No."}`, driver.GiveUp, false, "No.; Rate with supplied object_id not found."},
		{401, `{"detail":"Invalid token."}`, driver.AskHuman, false, "Invalid token."},
		{429, `{"detail":"Request was throttled."}`, driver.RetryAfter, false, "Request was throttled."},
		{503, `{"detail":"busy"}`, driver.Retry, true, "busy"},
		{502, `<html>gateway</html>`, driver.Retry, true, ""},
		{404, ``, driver.GiveUp, false, "Shippo refuses this"},
		{201, `{"object_id":`, driver.Retry, true, "the answer is not what it should be"},
	} {
		var w wireTransaction
		e := judge(&driver.Answer{Status: c.status, Header: http.Header{}, Body: []byte(c.body)}, &w)
		if e == nil || e.Class != c.class || e.Applied != c.applied || e.Message != c.message {
			t.Errorf("%d %s: %+v", c.status, c.body, e)
		}
	}
}

// TestAnswerOfTheVendor reads an answer as it is documented, with what is null in it.
func TestAnswerOfTheVendor(t *testing.T) {
	raw, err := os.ReadFile("testdata/transaction.json")
	if err != nil {
		t.Fatal(err)
	}
	var w wireTransaction
	if e := judge(&driver.Answer{Status: 201, Header: http.Header{}, Body: raw}, &w); e != nil {
		t.Fatal(e)
	}
	want := driver.Booked{ID: "b-1", Ref: "3e294ad43f7e417889c3c3766df2589b", Carrier: "USPS", Service: "usps_priority", Tracking: "9405500207552011596265", URL: "https://tools.usps.com/x",
		State: driver.BookingDone, Price: money.Amount{Minor: 550, Currency: "USD"}, At: time.Date(2026, 9, 7, 9, 0, 1, 881e6, time.UTC), Messages: []string{"USPS: Address was corrected."}}
	if diff := cmp.Diff(want, w.booked("b-1")); diff != "" {
		t.Error(diff)
	}
	if err := json.Unmarshal([]byte(`{"rate":"r1","status":"NEW"}`), &w); err != nil || w.Rate.ID != "r1" || w.state() != driver.BookingPending {
		t.Errorf("%+v, %v", w, err)
	}
}

func TestWordsAreWhole(t *testing.T) {
	if err := statuses.Check(); err != nil {
		t.Error(err)
	}
	for _, w := range []string{"UNKNOWN", "PRE_TRANSIT", "TRANSIT", "DELIVERED", "RETURNED", "FAILURE"} {
		if _, known := statuses.Status(w, "other"); !known {
			t.Errorf("%s is not known", w)
		}
	}
}

func TestWebhooks(t *testing.T) {
	r := newRig(t)
	sent := make(chan []byte, 100)
	inbox := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, q *http.Request) {
		var b bytes.Buffer
		_, _ = b.ReadFrom(q.Body)
		sent <- b.Bytes()
	}))
	defer inbox.Close()
	r.sim.Webhook(inbox.URL)
	b := r.booked(t, r.booking(t, "b-1", r.parcel(1), "USPS"))
	r.clock.Advance(4 * 24 * time.Hour)
	if err := r.sim.Courier().Idle(t.Context()); err != nil {
		t.Fatal(err)
	}
	close(sent)
	ids, longest := map[string]bool{}, []driver.ParcelEvent{}
	for body := range sent {
		e, err := Carrier{}.Verify(r.account, http.Header{}, body)
		if driver.ClassOf(err) != driver.GiveUp || e.DeliveryID == "" || ids[e.DeliveryID] {
			t.Fatalf("%+v, %v", e, err)
		}
		ids[e.DeliveryID] = true
		news, err := Carrier{}.Decode(e.Topic, body)
		if err != nil || len(news) != 1 || news[0].Ref != b.Ref || news[0].Tracking != b.Tracking {
			t.Fatalf("%s: %+v, %v", e.Topic, news, err)
		}
		if e.Topic == "transaction_updated" && (news[0].BookingID != "b-1" || news[0].Booked == nil) {
			t.Errorf("%+v", news[0])
		}
		if len(news[0].Events) > len(longest) {
			longest = news[0].Events
		}
	}
	var got []string
	for _, e := range longest {
		got = append(got, e.Status)
	}
	if want := []string{"label_created", "accepted", "in_transit", "out_for_delivery", "delivered"}; !slices.Equal(got, want) || len(ids) != 6 {
		t.Errorf("%v of %d messages", got, len(ids))
	}
}

func FuzzWebhook(f *testing.F) {
	for topic, seed := range map[string]string{
		"track_updated":       `{"event":"track_updated","data":{"tracking_number":"9400","transaction":"t","tracking_history":[{"status":"TRANSIT","status_date":"2026-09-07T09:00:00Z","substatus":{"code":"out_for_delivery"},"location":{"city":"X"}}]}}`,
		"transaction_updated": `{"event":"transaction_updated","data":{"object_id":"t","status":"ERROR","metadata":"b-1","rate":"r","messages":[{"text":"no"}]}}`,
		"batch_created":       `{"event":"batch_created","data":null}`, "all": `[]`,
	} {
		f.Add(topic, []byte(seed))
	}
	f.Fuzz(func(t *testing.T, topic string, body []byte) {
		news, err := Carrier{}.Decode(topic, body)
		if err != nil && driver.ClassOf(err) != driver.GiveUp {
			t.Fatalf("%v", err)
		}
		for _, n := range news {
			if n.Tracking == "" && n.Booked == nil || len(n.Events) > maxDetails || len(n.BookingID) > maxID {
				t.Fatalf("%+v", n)
			}
			for _, e := range n.Events {
				if e.At.IsZero() || !slices.Contains(tracking.Statuses, tracking.Status(e.Status)) {
					t.Fatalf("%+v", e)
				}
			}
		}
		if _, err := (Carrier{}).Verify(driver.CarrierAccount{}, nil, body); driver.ClassOf(err) != driver.GiveUp {
			t.Fatalf("unsigned, and %v", err)
		}
	})
}

package shipbob

import (
	"errors"
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/spillway/spillway/connector/driver"
	"github.com/spillway/spillway/connector/internal/standard"
	sim "github.com/spillway/spillway/sim/shipbob"
)

func TestSignatures(t *testing.T) {
	at := time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)
	body, stamp := []byte(`{"id":1}`), strconv.FormatInt(at.Unix(), 10)
	good, other := sim.Sign(sim.Secret, "msg_1", stamp, body), sim.Sign("whsec_b3RoZXItc2VjcmV0LW90aGVy", "msg_1", stamp, body)
	now := map[string]string{settingSecret: sim.Secret}
	cases := []struct {
		name, signature string
		off             time.Duration
		settings        map[string]string
		ok              bool
	}{
		{"one", good, 0, now, true},
		{"the second of two", other + " " + good, 0, now, true},
		{"the first of two", good + " " + other, 0, now, true},
		{"of a version we do not know", "v1a," + good[3:] + " " + good, 0, now, true},
		{"only of a version we do not know", "v2," + good[3:], 0, now, false},
		{"another's", other, 0, now, false},
		{"by the secret before", good, 0, map[string]string{settingSecret: "whsec_b3RoZXItc2VjcmV0LW90aGVy", settingOld: sim.Secret}, true},
		{"five minutes late", good, standard.Tolerance, now, true},
		{"later", good, standard.Tolerance + time.Second, now, false},
		{"of the future", good, -standard.Tolerance - time.Second, now, false},
		{"no base64", "v1,%%%", 0, now, false},
		{"none", "", 0, now, false},
		{"an empty secret", good, 0, map[string]string{settingSecret: "whsec_"}, false},
		{"the good one behind too many", manyOf(other) + good, 0, now, false},
	}
	for _, c := range cases {
		h := http.Header{}
		h.Set("webhook-id", "msg_1")
		h.Set("webhook-timestamp", stamp)
		h.Set("webhook-signature", c.signature)
		h.Set("x-webhook-topic", "order.shipped")
		e, err := Carrier{Now: func() time.Time { return at.Add(c.off) }}.Verify(driver.CarrierAccount{ID: "acc", Settings: c.settings}, h, body)
		if (err == nil) != c.ok || err != nil && driver.ClassOf(err) != driver.Forged || c.ok && (e.DeliveryID != "msg_1" || e.Topic != "order.shipped" || !e.SentAt.Equal(at)) {
			t.Errorf("%s: %+v, %v", c.name, e, err)
		}
	}
}

func manyOf(s string) (out string) {
	for range standard.MaxSignatures {
		out += s + " "
	}
	return out
}

func TestTheLimitTellsHowLongToWait(t *testing.T) {
	h, s := fresh(t)
	s.Limit = 1
	b := driver.Booking{ID: "b"}
	if _, _, err := h.Raw.Find(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	_, _, err := h.Raw.Find(t.Context(), b)
	if e, ok := errors.AsType[*driver.Error](err); !ok || e.Class != driver.RetryAfter || e.After < 59*time.Second || e.After > longest || e.Applied {
		t.Errorf("too many requests: %v", err)
	}
}

func TestASecondHandOverIsRefusedByShipBobAndFound(t *testing.T) {
	h, s := fresh(t)
	b := driver.Booking{ID: "b", Parcel: h.Parcel(t, 1)}
	first, err := h.Raw.Book(t.Context(), b)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := h.Raw.Book(t.Context(), b); err != nil || again.Ref != first.Ref {
		t.Errorf("%+v, %v", again, err)
	}
	if made, refused := s.Counts(); made != 1 || refused != 1 {
		t.Errorf("%d orders were made and %d refused", made, refused)
	}
}

func TestABadTokenIsAskedOfAPerson(t *testing.T) {
	h, _ := fresh(t)
	settings := map[string]string{settingBase: h.Account.Settings[settingBase], settingToken: "old", settingChannel: "1"}
	to, err := Carrier{}.Open(driver.CarrierAccount{Settings: settings}, driver.Env{Client: http.DefaultClient})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := to.Book(t.Context(), driver.Booking{ID: "b", Parcel: h.Parcel(t, 1)}); driver.ClassOf(err) != driver.AskHuman || driver.MayBeApplied(err) {
		t.Error(err)
	}
	for _, bad := range []map[string]string{{}, {settingToken: "t"}, {settingToken: "t", settingChannel: "1", settingBase: "nowhere"}} {
		if _, err := (Carrier{}).Open(driver.CarrierAccount{Settings: bad}, driver.Env{}); err == nil {
			t.Errorf("%v opens", bad)
		}
	}
}

func TestWords(t *testing.T) {
	if err := words.Check(); err != nil {
		t.Error(err)
	}
	news, err := Carrier{}.Decode("order.shipment.tracking.updated", []byte(`{"event_time":"2026-11-03T10:00:00Z","order_id":7,"reference_id":"b","status":"OutForDelivery","tracking":{"carrier":"USPS","tracking_id":"9261290306529427911297"}}`))
	if err != nil || len(news) != 1 || news[0].Tracking != "9261290306529427911297" || len(news[0].Events) != 1 || news[0].Events[0].Status != "out_for_delivery" {
		t.Errorf("%+v, %v", news, err)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add("order.shipped", []byte(`{"id":900001,"order_id":1,"reference_id":"b","status":"Completed","tracking":{"carrier":"USPS","tracking_number":"9400"},"products":[{"reference_id":"MUG","inventory_items":[{"quantity":2}]}]}`))
	f.Add("order.delivered", []byte(`{"id":1,"reference_id":"b","shipments":[{"status":"Completed"},{}]}`))
	f.Add("order.shipment.exception", []byte(`{"order_id":1,"reference_id":"b","status":"Exception","status_details":[{}]}`))
	f.Fuzz(func(t *testing.T, topic string, body []byte) {
		news, err := Carrier{}.Decode(topic, body)
		if err != nil && (driver.ClassOf(err) != driver.GiveUp || len(news) > 0) {
			t.Errorf("%v with %d news", err, len(news))
		}
		for _, n := range news {
			if n.BookingID == "" || n.Ref == "" || n.Tracking != "" && n.Booked == nil || n.Booked != nil && n.Booked.Tracking != n.Tracking {
				t.Errorf("%+v", n)
			}
			for _, e := range n.Events {
				if e.Status == "" || e.Word == "" {
					t.Errorf("%+v", e)
				}
			}
		}
	})
}

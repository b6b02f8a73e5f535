package tiktok

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spillway/spillway/connector/driver"
	"github.com/spillway/spillway/domain/order"
)

// webhookVector and its signature are those of the platform facts, section 16.1.
const (
	webhookVector     = `{"type":1,"tts_notification_id":"7327112393057371910","shop_id":"7494049642642441621","timestamp":1644412885,"data":{"order_id":"576486316948490001","order_status":"UNPAID","is_on_hold_order":false,"update_time":1644412885}}`
	webhookVectorSign = "d582970b3e851b346e24702429f7ce80c98cc119d77680aff5150419223e2648"
)

var demoApp = driver.App{Key: demoKey, Secret: demoSecret}

func signed(app driver.App, body []byte) http.Header {
	return http.Header{"Authorization": {string(hexMAC(nil, app.Secret, []byte(app.Key), body))}}
}

func TestWebhookVector(t *testing.T) {
	env, err := Vendor{}.Verify(demoApp, http.Header{"Authorization": {webhookVectorSign}}, []byte(webhookVector))
	want := driver.Envelope{DeliveryID: "7327112393057371910", Topic: orderStatus, ShopID: "7494049642642441621", SentAt: time.Unix(1644412885, 0).UTC()}
	if err != nil || env != want {
		t.Fatalf("Verify = %+v, %v", env, err)
	}
	for name, bad := range map[string]string{
		"upper case": strings.ToUpper(webhookVectorSign), "shorter": webhookVectorSign[1:], "longer": webhookVectorSign + "0",
		"with a scheme": "Bearer " + webhookVectorSign, "empty": "",
	} {
		if _, err := (Vendor{}).Verify(demoApp, http.Header{"Authorization": {bad}}, []byte(webhookVector)); driver.ClassOf(err) != driver.Forged {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func message(kind int, data string) string {
	b, _ := json.Marshal(kind)
	return `{"type":` + string(b) + `,"tts_notification_id":"1","shop_id":"2","timestamp":1700000000,"data":` + data + `}`
}

// TestDecode has one message of each type (facts, section 16.2), and the quirks.
func TestDecode(t *testing.T) {
	sent, updated := time.Unix(1700000000, 0).UTC(), time.Unix(1699999000, 0).UTC()
	notice := func(f order.Fact) []driver.Fact { return []driver.Fact{{Order: &f}} }
	status := func(s order.Status, text string) []driver.Fact {
		return notice(order.Fact{Kind: order.StatusNotice, ExternalID: "5", UpdatedAt: updated, Status: s, StatusText: text})
	}
	cancel := func(s order.CancelState) []driver.Fact {
		return notice(order.Fact{Kind: order.CancelNotice, ExternalID: "5", UpdatedAt: sent,
			Cancellation: &order.Cancellation{ID: "9", State: s, Role: order.RoleBuyer, CreatedAt: updated}})
	}
	touch := func(id, text string, at time.Time) driver.Fact {
		return driver.Fact{Order: &order.Fact{Kind: order.TouchNotice, ExternalID: id, UpdatedAt: at, StatusText: text}}
	}
	for _, c := range []struct {
		name string
		kind int
		data string
		want []driver.Fact
	}{
		{"order", 1, `{"order_id":"5","order_status":"AWAITING_SHIPMENT","is_on_hold_order":false,"update_time":1699999000}`, status(order.AwaitingShipment, "AWAITING_SHIPMENT")},
		{"order in the hold", 1, `{"order_id":"5","order_status":"AWAITING_SHIPMENT","is_on_hold_order":true,"update_time":1699999000}`, status(order.OnHold, "AWAITING_SHIPMENT")},
		{"CANCEL", 1, `{"order_id":"5","order_status":"CANCEL","update_time":1699999000}`, status(order.Cancelled, "CANCEL")},
		{"CANCELLED", 1, `{"order_id":"5","order_status":"CANCELLED","update_time":1699999000}`, status(order.Cancelled, "CANCELLED")},
		{"not in its list", 1, `{"order_id":"5","order_status":"PARTIALLY_SHIPPING","update_time":1699999000}`, status(order.PartiallyShipping, "PARTIALLY_SHIPPING")},
		{"a word of tomorrow", 1, `{"order_id":"5","order_status":"TELEPORTED","update_time":1699999000}`, []driver.Fact{touch("5", "TELEPORTED", updated)}},
		{"no time of its own", 1, `{"order_id":5,"order_status":"UNPAID"}`, notice(order.Fact{Kind: order.StatusNotice, ExternalID: "5", UpdatedAt: sent, Status: order.Unpaid, StatusText: "UNPAID"})},
		{"address", 3, `{"order_id":"5","update_time":1699999000}`, notice(order.Fact{Kind: order.AddressNotice, ExternalID: "5", UpdatedAt: updated})},
		{"package", 4, `{"sc_type":"COMBINE","role_type":"ROLE_SELLER","package_list":[{"package_id":"7","order_id_list":["5","6"]},{"package_id":"8","order_id_list":["5"]}],"update_time":1699999000}`,
			[]driver.Fact{touch("5", "", updated), touch("6", "", updated)}},
		{"product with a number beyond a double", 5, `{"product_id":1729592969712207009,"status":"PRODUCT_AUDIT_FAILURE","suspended_reason":"why","update_time":1699999000}`,
			[]driver.Fact{{Listing: &driver.ListingState{ProductID: "1729592969712207009", Status: "PRODUCT_AUDIT_FAILURE", Reason: "why", UpdatedAt: updated}}}},
		{"consent withdrawn", 6, `{"message":"gone"}`, []driver.Fact{{Auth: &driver.AuthNotice{Withdrawn: true, Message: "gone"}}}},
		{"consent ends", 7, `{"message":"soon","expiration_time":"1702592000"}`, []driver.Fact{{Auth: &driver.AuthNotice{ExpiresAt: time.Unix(1702592000, 0).UTC(), Message: "soon"}}}},
		{"cancellation asked", 11, `{"order_id":"5","cancellations_role":"BUYER","cancel_status":"CANCELLATION_REQUEST_PENDING","cancel_id":"9","create_time":1699999000}`, cancel(order.CancelPending)},
		{"cancellation granted", 11, `{"order_id":"5","cancellations_role":"BUYER","cancel_status":"CANCELLATION_REQUEST_SUCCESS","cancel_id":"9","create_time":1699999000}`, cancel(order.CancelAccepted)},
		{"cancellation taken back", 11, `{"order_id":"5","cancellations_role":"BUYER","cancel_status":"CANCELLATION_REQUEST_CANCELLED","cancel_id":"9","create_time":1699999000}`, cancel(order.CancelWithdrawn)},
		{"spelt the other way", 11, `{"order_id":"5","cancellations_role":"BUYER","cancel_status":"CANCELLATION_REQUEST_CANCEL","cancel_id":"9","create_time":1699999000}`, cancel(order.CancelWithdrawn)},
		{"cancellation complete", 11, `{"order_id":"5","cancellations_role":"BUYER","cancel_status":"CANCELLATION_REQUEST_COMPLETE","cancel_id":"9","create_time":1699999000}`, cancel(order.CancelDone)},
		{"cancellation of tomorrow", 11, `{"order_id":"5","cancel_status":"NEW","cancel_id":"9","create_time":1699999000}`, []driver.Fact{touch("5", "NEW", sent)}},
		{"return", 12, `{"order_id":"5","return_role":"SELLER","return_type":"RETURN_AND_REFUND","return_status":"RETURN_OR_REFUND__REQUEST_CANCELLED","return_id":"8","update_time":1699999000}`,
			notice(order.Fact{Kind: order.ReturnNotice, ExternalID: "5", UpdatedAt: updated, Return: &order.Return{ID: "8", Kind: "return", StatusText: "RETURN_OR_REFUND__REQUEST_CANCELLED", Role: order.RoleSeller}})},
		{"inbound", 21, `{"inbound_order_id":"77","order_status":"RECEIVING","update_time":1699999000}`, []driver.Fact{{Note: &driver.Note{Subject: "77", Kind: "inbound", Text: "RECEIVING", At: updated}}}},
		{"platform stock", 24, `{"goods_id":"1","sku_id":"2","fbt_warehouse_inventory":[{"fbt_warehouse_id":"3","on_hand_detail":{"total_quantity":9,"reserved_quantity":2,"available_quantity":7}}],"update_time":1699999000}`,
			[]driver.Fact{{Stock: &driver.PlatformStock{SKUID: "2", LocationID: "3", OnHand: 9, Reserved: 2, UpdatedAt: updated}}}},
		{"inventory", 27, `{"product_id":"1","sku_id":"2","current_inventory_status":"LOW_STOCK","inventory_distribution":{"total_quantity":20,"available_quantity":5,"creator_reserved_quantity":2,"campaign_reserved_quantity":3,"committed_quantity":10},"update_time":1699999000}`,
			[]driver.Fact{{Quantity: &driver.Quantity{Ref: driver.ListingRef{ProductID: "1", SKUID: "2"}, Available: 10, Committed: 10, At: updated}}}},
		{"unknown type", 64, `{"anything":[1]}`, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			body := []byte(message(c.kind, c.data))
			env, err := Vendor{}.Verify(demoApp, signed(demoApp, body), body)
			if err != nil {
				t.Fatal(err)
			}
			got, err := Vendor{}.Decode(env.Topic, body)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestDecodeRefusesWhatItCannotUse(t *testing.T) {
	for name, body := range map[string]string{
		"no order":              message(1, `{"order_status":"UNPAID"}`),
		"no time at all":        `{"type":1,"data":{"order_id":"5","order_status":"UNPAID"}}`,
		"a time as text":        message(1, `{"order_id":"5","update_time":"yesterday"}`),
		"an id as a fraction":   message(5, `{"product_id":1.7e18}`),
		"an id as an object":    message(5, `{"product_id":{}}`),
		"no product":            message(5, `{}`),
		"no inbound order":      message(21, `{}`),
		"no SKU":                message(24, `{}`),
		"a total that is short": message(27, `{"sku_id":"2","inventory_distribution":{"total_quantity":1,"committed_quantity":2}}`),
	} {
		var head wireHead
		if err := json.Unmarshal([]byte(body), &head); err != nil {
			t.Fatal(err)
		}
		facts, err := Vendor{}.Decode(topicOf(head.Type), []byte(body))
		if err == nil || driver.ClassOf(err) != driver.GiveUp {
			t.Errorf("%s: %v, %v", name, facts, err)
		}
	}
}

func TestEnvelopeOfAnAccount(t *testing.T) {
	body := []byte(`{"type":24,"tts_notification_id":12345678901234567890,"seller_open_id":"abc","timestamp":1700000000,"data":{}}`)
	env, err := Vendor{}.Verify(demoApp, signed(demoApp, body), body)
	if err != nil || !env.Account || env.ShopID != "abc" || env.DeliveryID != "12345678901234567890" {
		t.Errorf("Verify = %+v, %v", env, err)
	}
	body = []byte(`{"type":1,"shop_id":"2","timestamp":1700000000,"data":{}}`)
	env, err = Vendor{}.Verify(demoApp, signed(demoApp, body), body)
	if err != nil || !strings.HasPrefix(env.DeliveryID, "sha256:") {
		t.Errorf("a message without an id: %+v, %v", env, err)
	}
}

func TestWebhookAddress(t *testing.T) {
	for address, ok := range map[string]bool{
		"https://hooks.example.com/in/1": true, "http://hooks.example.com/in": false, "https://10.0.0.1/in": false, "https://[2001:db8::1]/": false,
		"https://hooks.example.com:8443/in": false, "https://localhost/in": false, "https://hooks.example.com/" + strings.Repeat("x", 255): false, "": false,
	} {
		if why := badAddress(address); (why == "") != ok {
			t.Errorf("%.40s: %q", address, why)
		}
	}
}

// FuzzWebhook starts from the documented vector, the simulator's own messages and one of each type.
func FuzzWebhook(f *testing.F) {
	f.Add([]byte(webhookVector))
	recorded, err := filepath.Glob("testdata/webhooks/*.json")
	if err != nil || len(recorded) == 0 {
		f.Fatalf("no recorded webhooks: %v", err)
	}
	for _, name := range recorded {
		b, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	for kind, data := range map[int]string{
		1: `{"order_id":"5","order_status":"AWAITING_SHIPMENT","is_on_hold_order":true,"update_time":1699999000}`, 3: `{"order_id":"5","update_time":1}`,
		4: `{"package_list":[{"order_id_list":["5",6]}]}`, 5: `{"product_id":1729592969712207009}`, 6: `{"message":""}`, 7: `{"expiration_time":"2026-01-01"}`,
		11: `{"order_id":"5","cancel_status":"CANCELLATION_REQUEST_PENDING","cancel_id":"9","create_time":-1}`, 12: `{"order_id":"5","return_id":"8"}`,
		21: `{"inbound_order_id":"77"}`, 24: `{"sku_id":"2","fbt_warehouse_inventory":[{"fbt_warehouse_id":"3"}]}`,
		27: `{"sku_id":"2","inventory_distribution":{"total_quantity":9223372036854775807,"committed_quantity":1}}`, 64: `{}`,
	} {
		f.Add([]byte(message(kind, data)))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		if _, err := (Vendor{}).Verify(demoApp, http.Header{"Authorization": {webhookVectorSign}}, body); err == nil && string(body) != webhookVector {
			t.Fatal("a forged message was taken")
		}
		env, err := Vendor{}.Verify(demoApp, signed(demoApp, body), body)
		if err != nil {
			if driver.ClassOf(err) != driver.GiveUp {
				t.Fatalf("a signed message fails with class %q", driver.ClassOf(err))
			}
			return
		}
		facts, err := Vendor{}.Decode(env.Topic, body)
		if err != nil && driver.ClassOf(err) != driver.GiveUp {
			t.Fatalf("Decode fails with class %q", driver.ClassOf(err))
		}
		for _, fact := range facts {
			if fact.Order == nil {
				continue
			}
			o := *fact.Order
			o.ConnectionID = "c"
			_, _, _ = order.Merge(nil, o) // must not panic; strange times and ids are refused by it
		}
	})
}

package tiktok

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spillway/spillway/sim/world"
)

func kinds(got []hookCall) (out []int) {
	for _, c := range got {
		out = append(out, c.Type)
	}
	return out
}

func TestWebhooksAreSignedAndRetried(t *testing.T) {
	r := newRig(t)
	h := r.listen()
	h.next = []int{500, 204, 404, 500}
	id := r.place("MUG-B", 1, PlaceOptions{Unpaid: true})
	r.take()
	for _, wait := range []time.Duration{2 * time.Minute, 30 * time.Minute, 3 * time.Hour, 12 * time.Hour} {
		r.clock.Advance(wait - time.Second)
		if got := r.take(); len(got) != 0 {
			t.Fatalf("%s: too early", wait)
		}
		r.clock.Advance(time.Second)
		got := r.take()
		if len(got) != 1 || got[0].data["order_id"] != id || got[0].auth != webhookSign(r.sim.o.AppKey, r.sim.o.AppSecret, got[0].body) {
			t.Fatalf("%s: %+v", wait, got)
		}
	}
	r.clock.Advance(time.Hour)
	if got := r.take(); len(got) != 0 {
		t.Errorf("sent after it was accepted: %v", got)
	}
}

func TestOrderWebhooks(t *testing.T) {
	r := newRig(t)
	r.listen()
	id := r.place("MUG-B", 1)
	got := r.take()
	want := map[string]any{"order_id": id, "order_status": "ON_HOLD", "is_on_hold_order": true, "update_time": float64(start.Unix())}
	if len(got) != 1 || got[0].Type != 1 || got[0].ShopID != r.shop.ID || cmp.Diff(want, got[0].data) != "" {
		t.Fatalf("%s", got[0].body)
	}
	r.must(r.sim.ChangeAddress(id))
	if d := cmp.Diff([]int{3}, kinds(r.take())); d != "" {
		t.Error(d)
	}
	if _, err := r.sim.Cancel(id, "BUYER", ""); err != nil {
		t.Fatal(err)
	}
	statuses := map[string]bool{}
	for _, c := range r.take() {
		statuses[fmt.Sprint(c.data["order_status"], c.data["cancel_status"])] = true
	}
	if !statuses["CANCEL<nil>"] || !statuses["<nil>CANCELLATION_REQUEST_SUCCESS"] {
		t.Errorf("%v", statuses)
	}
	r.clock.Advance(refundDelay)
	if got := r.take(); len(got) != 1 || got[0].data["cancel_status"] != cancelDone {
		t.Errorf("%+v", got)
	}
}

func TestProductWebhookHasANumericID(t *testing.T) {
	r := newRig(t)
	r.listen()
	r.must(r.sim.SetProductStatus(r.shop.ID, r.sku("LAMP").ProductID, "FREEZE"))
	got := r.take()
	if len(got) != 1 || !regexp.MustCompile(`"product_id":`+r.sku("LAMP").ProductID+`[,}]`).Match(got[0].body) {
		t.Errorf("%s", got[0].body)
	}
}

func TestStockWebhooks(t *testing.T) {
	r := newRig(t)
	r.listen()
	level := func(qty int) (out []string) {
		r.must(r.sim.SetStock(r.shop.ID, "MUG-B", "", qty))
		for _, c := range r.take() {
			if c.Type == 27 {
				out = append(out, c.data["current_inventory_status"].(string))
			}
		}
		return out
	}
	for _, step := range []struct {
		qty  int
		want []string
	}{{11, nil}, {10, []string{"LOW_STOCK"}}, {9, nil}, {0, []string{"OUT_OF_STOCK"}}, {5, nil}, {50, nil}, {0, []string{"OUT_OF_STOCK"}}} {
		if d := cmp.Diff(step.want, level(step.qty)); d != "" {
			t.Errorf("to %d: %s", step.qty, d)
		}
	}
	in, err := r.sim.SendInbound(r.shop.ID, "LAMP", 5)
	r.must(err)
	r.must(r.sim.ReceiveInbound(r.shop.ID, in, 5))
	seen := map[string]bool{}
	for _, c := range r.take() {
		if c.ShopID != "" || c.SellerOpenID == "" {
			t.Errorf("an FBT event names a shop: %s", c.body)
		}
		seen[fmt.Sprint(c.Type, c.data["order_status"])] = true
	}
	if d := cmp.Diff(map[string]bool{"21TO_BE_RECEIVED": true, "21RECEIVED": true, "24 <nil>": true}, seen); d != "" {
		t.Error(d)
	}
}

func TestShopsSetTheirWebhooks(t *testing.T) {
	r := newRig(t)
	console, own := r.listen(), newRig(t).listen()
	put := func(code int, event, address string) {
		t.Helper()
		r.refused(code, "PUT", "/event/202309/webhooks", fmt.Sprintf(`{"event_type":%q,"address":%q}`, event, address))
	}
	put(codeBadParameter, "NOTHING", own.URL)
	put(codeBadParameter, "ORDER_STATUS_CHANGE", "http://shop.example/hook")
	put(codeBadParameter, "ORDER_STATUS_CHANGE", "https://shop.example:8443/hook")
	put(codeBadParameter, "ORDER_STATUS_CHANGE", "https://192.0.2.1/hook")
	put(codeBadParameter, "ORDER_STATUS_CHANGE", "https://shop.example/"+strings.Repeat("x", 255))
	put(0, "ORDER_STATUS_CHANGE", own.URL)
	id := r.place("MUG-B", 1)
	r.take()
	own.mu.Lock()
	n := len(own.got)
	own.mu.Unlock()
	if n != 1 || console == nil {
		t.Errorf("the shop's own address got %d", n)
	}
	r.ok(nil, "DELETE", "/event/202309/webhooks", `{"event_type":"ORDER_STATUS_CHANGE"}`)
	r.ok(nil, "DELETE", "/event/202309/webhooks", `{"event_type":"ORDER_STATUS_CHANGE"}`)
	r.must(r.sim.AdvanceStatus(id))
	if got := r.take(); len(got) != 1 {
		t.Errorf("the console's address got %d", len(got))
	}
}

func TestWebhookFaults(t *testing.T) {
	r := newRig(t)
	r.listen()
	arrange := func(k world.Kind) {
		_, err := r.sim.Faults().Add(world.Rule{Point: "webhook:ORDER_*", Kind: k, Remaining: 1, Delay: world.Duration(time.Second)})
		r.must(err)
	}
	arrange(world.Drop)
	r.place("MUG-B", 1)
	if got := r.take(); len(got) != 0 {
		t.Errorf("dropped and sent: %v", got)
	}
	arrange(world.Duplicate)
	r.place("MUG-B", 1)
	first := r.take()
	r.clock.Advance(time.Second)
	second := r.take()
	if len(first) != 1 || len(second) != 1 || first[0].NotificationID != second[0].NotificationID {
		t.Errorf("%v %v", first, second)
	}
	arrange(world.Reorder)
	late := r.place("MUG-B", 1)
	early := r.place("MUG-B", 1)
	got := r.take()
	r.clock.Advance(time.Second)
	got = append(got, r.take()...)
	if len(got) != 2 || got[0].data["order_id"] != early || got[1].data["order_id"] != late {
		t.Errorf("%v", got)
	}
}

// documentedHooks are the data fields of each type, those inside objects after a dot. All of them are sent.
var documentedHooks = map[int][]string{
	1:  {"order_id", "order_status", "is_on_hold_order", "update_time"},
	3:  {"order_id", "update_time"},
	4:  {"sc_type", "role_type", "package_list", "package_list.package_id", "package_list.order_id_list", "update_time"},
	5:  {"product_id", "status", "suspended_reason", "update_time"},
	6:  {"message"},
	7:  {"message", "expiration_time"},
	11: {"order_id", "cancellations_role", "cancel_status", "cancel_id", "create_time"},
	12: {"order_id", "return_role", "return_type", "return_status", "return_id", "create_time", "update_time"},
	21: {"inbound_order_id", "order_status", "update_time"},
	24: {"goods_id", "sku_id", "fbt_warehouse_inventory", "fbt_warehouse_inventory.fbt_warehouse_id", "fbt_warehouse_inventory.on_hand_detail",
		"fbt_warehouse_inventory.on_hand_detail.total_quantity", "fbt_warehouse_inventory.on_hand_detail.reserved_quantity",
		"fbt_warehouse_inventory.on_hand_detail.available_quantity", "update_time"},
	27: {"product_id", "sku_id", "trigger_reason", "trigger_reason.alert_type", "trigger_reason.low_stock_threshold", "current_inventory_status",
		"inventory_distribution", "inventory_distribution.total_quantity", "inventory_distribution.available_quantity",
		"inventory_distribution.creator_reserved_quantity", "inventory_distribution.campaign_reserved_quantity",
		"inventory_distribution.committed_quantity", "update_time"},
}

// names lists the fields of a decoded value, lists by their elements.
func names(at string, v any, into map[string]bool) {
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			names(at, e, into)
		}
	case map[string]any:
		for k, e := range v {
			into[at+k] = true
			names(at+k+".", e, into)
		}
	}
}

func TestEveryWebhookIsDocumented(t *testing.T) {
	r := newRig(t, func(o *Options) { o.GrantLife = 30 * 24 * time.Hour })
	r.listen()
	w := prepare(r)
	r.must(r.sim.ChangeAddress(w.own))
	r.ok(nil, "POST", path("/return_refund/202309/returns/%s/approve", w.returnA), `{"decision":"APPROVE_RETURN"}`)
	split := r.ready("MUG-R", 2)
	for i, l := range r.sim.orders[split].lines {
		r.ok(nil, "POST", path("/fulfillment/202309/orders/%s/packages", split), fmt.Sprintf(
			`{"order_line_item_ids":[%q],"tracking_number":"MORE%d00","shipping_provider_id":%q}`, l.id, i, r.provider()))
	}
	r.must(r.sim.SetStock(r.shop.ID, "MUG-B", "", 0))
	r.must(r.sim.SetProductStatus(r.shop.ID, r.sku("LAMP").ProductID, "FAILED"))
	r.must(r.sim.Revoke(r.shop.Seller))
	seen := map[int]bool{}
	for _, c := range r.take() {
		seen[c.Type] = true
		got := map[string]bool{}
		names("", c.data, got)
		want := map[string]bool{}
		for _, n := range documentedHooks[c.Type] {
			want[n] = true
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("type %d: %s", c.Type, d)
		}
		if c.NotificationID == "" || c.Timestamp == 0 || (c.ShopID == "") == (c.SellerOpenID == "") {
			t.Errorf("envelope of %s", c.body)
		}
	}
	for n := range documentedHooks {
		if !seen[n] {
			t.Errorf("type %d was never sent", n)
		}
	}
}

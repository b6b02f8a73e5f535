package tiktok

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spillway/spillway/kit/errs"
)

type ordersPage struct {
	Next   string      `json:"next_page_token"`
	Total  int         `json:"total_count"`
	Orders []wireOrder `json:"orders"`
}

func TestOrderLivesAlongTheTable(t *testing.T) {
	r := newRig(t)
	id := r.place("MUG-R", 3, PlaceOptions{Unpaid: true})
	want := []string{unpaid, onHold, awaitingShipment, awaitingCollection, inTransit, delivered, completed}
	for _, w := range want {
		r.is(id, w)
		if w != completed {
			r.must(r.sim.AdvanceStatus(id))
		}
	}
	if err := r.sim.AdvanceStatus(id); !errs.Is(err, errs.Conflict) {
		t.Errorf("a completed order moved on: %v", err)
	}
}

func TestOneLineAUnitAndDeadlines(t *testing.T) {
	r := newRig(t)
	id := r.place("MUG-R", 3)
	var got ordersPage
	r.ok(&got, "GET", "/order/202507/orders", "", "ids", id)
	o := got.Orders[0]
	if len(o.Lines) != 3 || o.Lines[0].SKUID != o.Lines[2].SKUID || o.Lines[0].ID == o.Lines[1].ID {
		t.Fatalf("lines %+v", o.Lines)
	}
	if !o.IsOnHold || o.Recipient != nil || o.Payment.Total != "68.16" || o.Payment.SubTotal != "59.97" || o.Payment.Tax != "4.20" {
		t.Fatalf("order %+v", o)
	}
	// Paid on Monday 2 November 2026; Wednesday the 11th is Veterans Day; standard time has begun.
	la := time.FixedZone("PST", -8*3600)
	end := func(d int) int64 { return time.Date(2026, 11, d, 23, 59, 59, 0, la).Unix() }
	times := []int64{o.RTSSLATime, o.TTSSLATime, o.DeliverySLATime, o.ShippingDueTime, o.CollectionDueTime}
	if d := cmp.Diff([]int64{end(4), end(4), end(10), end(12), end(17)}, times); d != "" {
		t.Error(d)
	}
}

func TestPartialShipping(t *testing.T) {
	r := newRig(t)
	id := r.ready("MUG-R", 2)
	var got ordersPage
	r.ok(&got, "GET", "/order/202309/orders", "", "ids", id)
	for i, l := range got.Orders[0].Lines {
		r.ok(nil, "POST", path("/fulfillment/202309/orders/%s/packages", id), fmt.Sprintf(
			`{"order_line_item_ids":[%q],"tracking_number":"TRACK%d00","shipping_provider_id":%q}`, l.ID, i, r.provider()))
		r.is(id, []string{partiallyShipping, awaitingCollection}[i])
	}
	r.must(r.sim.Scan(id))
	r.is(id, inTransit)
	r.must(r.sim.Deliver(id))
	r.is(id, delivered)
}

func TestTimeMovesOrders(t *testing.T) {
	r := newRig(t)
	paid, unpaidID := r.place("MUG-R", 1), r.place("MUG-R", 1, PlaceOptions{Unpaid: true})
	r.clock.Advance(time.Hour - time.Second)
	r.is(paid, onHold)
	r.clock.Advance(time.Second)
	r.is(paid, awaitingShipment)
	r.clock.Advance(23 * time.Hour)
	r.is(unpaidID, cancelled)
	o := r.sim.orders[paid]
	r.clock.AdvanceTo(time.Unix(o.due.shippingDue, 0))
	r.is(paid, awaitingShipment)
	r.clock.Advance(time.Second)
	r.is(paid, cancelled)
	if k := r.sku("MUG-R"); k.Active != 0 || k.Sold != 2 || k.Available != 50 || k.Committed != 0 {
		t.Errorf("after all is cancelled: %+v", k)
	}
}

func TestNeverScannedIsCancelledAndNeverDeliveredToo(t *testing.T) {
	r := newRig(t)
	shipped, scanned := r.ready("MUG-R", 1), r.ready("MUG-R", 1)
	r.must(r.sim.Ship(shipped, "", ""))
	r.must(r.sim.Ship(scanned, "", ""))
	r.must(r.sim.Scan(scanned))
	r.clock.Advance(20 * 24 * time.Hour)
	r.is(shipped, cancelled)
	r.is(scanned, inTransit)
	r.clock.Advance(60 * 24 * time.Hour)
	r.is(scanned, cancelled)
	if k := r.sku("MUG-R"); k.Available != 49 || k.Committed != 0 || k.Active != 0 {
		t.Errorf("the unit lost on the road came back: %+v", k)
	}
}

func TestRefusedWhenStockIsShort(t *testing.T) {
	r := newRig(t)
	_, err := r.sim.PlaceOrder(r.shop.ID, []Wanted{{"MUG-R", 20}, {"MUG-R", 31}}, PlaceOptions{})
	if !errs.Is(err, errs.Insufficient) {
		t.Fatalf("sold what is not there: %v", err)
	}
	if st, _ := r.sim.Stats(r.shop.ID); st.LostOrders != 1 || st.LostUnits != 51 {
		t.Errorf("lost sales not counted: %+v", st)
	}
	r.place("MUG-R", 45) // over both warehouses
	if k := r.sku("MUG-R"); k.Available != 5 || k.Committed != 45 || k.Lost != 51 {
		t.Errorf("%+v", k)
	}
	for name, w := range map[string]Wanted{"no such SKU": {"NOPE", 1}, "none": {"MUG-R", 0}, "too many": {"MUG-R", maxUnits + 1}} {
		if _, err := r.sim.PlaceOrder(r.shop.ID, []Wanted{w}, PlaceOptions{}); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestSearchPagesByUpdateTime(t *testing.T) {
	r := newRig(t)
	var ids []string
	for range 25 {
		ids = append(ids, r.place("MUG-B", 1))
		r.clock.Advance(time.Second)
	}
	r.must(r.sim.AdvanceStatus(ids[3])) // moves to the end
	want := append(append(append([]string{}, ids[:3]...), ids[4:]...), ids[3])
	var got []string
	token := ""
	for pages := 0; ; pages++ {
		q := []string{"page_size", "7", "sort_field", "update_time", "sort_order", "ASC"}
		if token != "" {
			q = append(q, "page_token", token)
		}
		var p ordersPage
		r.ok(&p, "POST", "/order/202309/orders/search", fmt.Sprintf(`{"update_time_ge":%d}`, start.Unix()), q...)
		if p.Total != 25 || pages > 4 {
			t.Fatalf("total %d on page %d", p.Total, pages)
		}
		for _, o := range p.Orders {
			got = append(got, o.ID)
		}
		if token = p.Next; token == "" {
			break
		}
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	var p ordersPage
	r.ok(&p, "POST", "/order/202309/orders/search", fmt.Sprintf(`{"order_status":"ON_HOLD","create_time_ge":%d,"create_time_lt":%d}`,
		start.Unix()+2, start.Unix()+6))
	if len(p.Orders) != 3 || p.Orders[0].ID != ids[5] || p.Next != "" {
		t.Errorf("newest first, bounds ge and lt: %d rows, first %s", len(p.Orders), p.Orders[0].ID)
	}
	r.refused(codeBadParameter, "POST", "/order/202309/orders/search", `{}`, "page_size", "101")
	r.refused(codeBadParameter, "POST", "/order/202309/orders/search", `{}`, "page_token", "nonsense")
	r.refused(codeBadParameter, "POST", "/order/202309/orders/search", `{"order_status":"LOST"}`)
	r.refused(codeBadParameter, "POST", "/order/202309/orders/search", `{"create_time_ge":"yesterday"}`)
}

func TestMaskedAddresses(t *testing.T) {
	r := newRig(t)
	detail := func(id string) *wireRecipient {
		var p ordersPage
		r.ok(&p, "GET", "/order/202507/orders", "", "ids", id)
		return p.Orders[0].Recipient
	}
	own, label, fbt := r.ready("MUG-B", 1), r.ready("MUG-B", 1, PlaceOptions{Shipping: "TIKTOK"}), r.ready("LAMP", 1, PlaceOptions{FBT: true})
	masked := func(s string) bool { return len(s) > 1 && s[1] == '*' }
	if a := detail(own); masked(a.Phone) || masked(a.Line1) || masked(a.FirstName) {
		t.Errorf("own shipping: %+v", a)
	}
	if a := detail(label); !masked(a.Phone) || !masked(a.Line1) || masked(a.FirstName) {
		t.Errorf("platform label: %+v", a)
	}
	if a := detail(fbt); !masked(a.Phone) || !masked(a.FirstName) {
		t.Errorf("FBT: %+v", a)
	}
}

func TestFBTOrdersShipThemselves(t *testing.T) {
	r := newRig(t)
	id := r.place("LAMP", 2, PlaceOptions{FBT: true})
	if k := r.sku("LAMP"); k.Stock[r.warehouse("FBT")] != 28 || k.Stock[r.warehouse("East")] != 5 {
		t.Errorf("%+v", k.Stock)
	}
	r.clock.Advance(time.Hour)
	r.refused(codeByPlatform, "POST", path("/fulfillment/202309/orders/%s/packages", id), `{"tracking_number":"TRACK100","shipping_provider_id":"1"}`)
	r.clock.Advance(4 * time.Hour)
	r.is(id, awaitingCollection)
	r.clock.Advance(48 * time.Hour)
	r.is(id, delivered)
}

func TestOrdersOfOtherMarketsHaveAPackageAfterPayment(t *testing.T) {
	r := newRig(t, func(o *Options) { o.Shops[0].Region = "GB" })
	id := r.ready("MUG-R", 2)
	o, _ := r.sim.Order(id)
	if len(o.Packages) != 1 {
		t.Fatalf("packages %v", o.Packages)
	}
	var slots struct {
		Slots []map[string]any `json:"pickup_slots"`
	}
	r.ok(&slots, "GET", path("/fulfillment/202309/packages/%s/handover_time_slots", o.Packages[0]), "")
	if _, ok := slots.Slots[0]["avaliable"]; !ok {
		t.Error("the misspelt field is gone")
	}
	// An empty list where an object belongs, as one published client sends it.
	r.ok(nil, "POST", path("/fulfillment/202309/packages/%s/ship", o.Packages[0]), fmt.Sprintf(
		`{"handover_method":"DROP_OFF","pickup_slot":[],"self_shipment":{"tracking_number":"RM123456","shipping_provider_id":%q}}`, provider("GB", "").id))
	r.is(id, awaitingCollection)
}

func TestCalendar(t *testing.T) {
	for day, want := range map[string]bool{"2026-01-01": true, "2026-01-19": true, "2026-02-16": true, "2026-05-25": true, "2026-06-19": true,
		"2026-07-03": true, "2026-09-07": true, "2026-10-12": true, "2026-11-11": true, "2026-11-26": true, "2026-12-25": true,
		"2021-12-31": true, "2027-07-05": true, "2026-07-06": false, "2026-11-27": false, "2026-12-24": false, "2026-05-18": false} {
		d, err := time.Parse(time.DateOnly, day)
		if err != nil {
			t.Fatal(err)
		}
		if federalHoliday(d) != want {
			t.Errorf("%s: holiday is %v", day, !want)
		}
	}
	la, err := time.LoadLocation("America/Los_Angeles")
	if err != nil {
		t.Fatal(err)
	}
	// Paid on a Friday evening: the second business day ends on Tuesday.
	friday := time.Date(2026, 11, 13, 20, 0, 0, 0, la)
	if got := businessEnd(friday, 2, la, "US"); got.Format(time.DateTime) != "2026-11-17 23:59:59" {
		t.Error(got)
	}
}

func TestTheSameSeedIsTheSameWorld(t *testing.T) {
	run := func() string {
		r := newRig(t)
		id := r.place("MUG-R", 2)
		r.clock.Advance(2 * time.Hour)
		var got json.RawMessage
		r.ok(&got, "GET", "/order/202507/orders", "", "ids", id)
		return string(got)
	}
	if a, b := run(), run(); a != b {
		t.Errorf("%s\n%s", a, b)
	}
}

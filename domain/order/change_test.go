package order

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// timeline merges fs in turn and writes down what each brought.
func timeline(t *testing.T, fs ...Fact) []string {
	var out []string
	var o *Order
	for _, f := range fs {
		m, c, err := Merge(o, f)
		if err != nil {
			t.Fatal(err)
		}
		o = &m
		for _, e := range c.Events {
			line := fmt.Sprintf("%d %s %s>%s", int(e.At.Sub(day).Seconds()), e.Kind, e.From, e.To)
			for _, more := range []string{e.Ref, string(e.Actor), e.Text} {
				if more != "" {
					line += " " + more
				}
			}
			if e.Count > 0 {
				line += fmt.Sprintf(" x%d", e.Count)
			}
			out = append(out, line)
		}
	}
	return out
}

func TestTimeline(t *testing.T) {
	due := func(at int) func(*Detail) { return func(d *Detail) { d.Deadlines.ShipBy = sec(at) } }
	ret := func(text string, at int) Fact {
		return Fact{Kind: ReturnNotice, ConnectionID: "shop", ExternalID: "1", UpdatedAt: sec(at), Return: &Return{ID: "r9", StatusText: text, Role: RoleBuyer}}
	}
	for _, c := range []struct {
		name string
		fs   []Fact
		want string
	}{
		{"a plain life with a late notice and a doubled one", []Fact{
			shot(OnHold, 1), notice(AwaitingShipment, 5), notice(OnHold, 1), notice(AwaitingShipment, 5),
			shot(AwaitingCollection, 9, func(d *Detail) { d.Moments.ReadyAt = sec(8) }),
			shot(Delivered, 30, handedOver(20), func(d *Detail) { d.Moments.DeliveredAt = sec(29) }),
		}, `0 order.seen >on_hold
5 order.status on_hold>awaiting_shipment
9 order.status awaiting_shipment>awaiting_collection
8 order.ready >
30 order.status awaiting_collection>delivered
20 order.handed_over >
29 order.delivered >`},
		{"a request, taken back, asked again and accepted", []Fact{
			shot(AwaitingShipment, 1), cancelNotice("c1", CancelPending, 3), cancelNotice("c1", CancelWithdrawn, 4), shot(AwaitingShipment, 4),
			cancelNotice("c2", CancelPending, 6), cancelNotice("c2", CancelAccepted, 7),
			shot(Cancelled, 8, cancelledUnits("u1", "u2"), func(d *Detail) {
				d.CancelReport = Cancel{Role: RoleBuyer, Reason: "ecom_order_to_ship_canceled_reason_better_price"}
			}),
		}, `0 order.seen >awaiting_shipment
3 order.cancellation >pending c1 buyer
3 order.cancel_requested > buyer
4 order.cancellation pending>withdrawn c1 buyer
6 order.cancellation >pending c2 buyer
6 order.cancel_requested > buyer
7 order.cancellation pending>accepted c2 buyer
8 order.status awaiting_shipment>cancelled buyer ecom_order_to_ship_canceled_reason_better_price
8 order.units_cancelled > sku x2`},
		{"an impossible course, followed", []Fact{shot(Delivered, 1), notice(AwaitingShipment, 2)}, `0 order.seen >delivered
2 order.status delivered>awaiting_shipment
2 order.anomaly delivered>awaiting_shipment`},
		{"address, deadline, return", []Fact{
			shot(AwaitingShipment, 1, due(100)), {Kind: AddressNotice, ConnectionID: "shop", ExternalID: "1", UpdatedAt: sec(2)},
			shot(AwaitingShipment, 3, due(160)), notice(Delivered, 50), ret("PENDING", 60), ret("COMPLETE", 70), ret("PENDING", 60),
		}, `0 order.seen >awaiting_shipment
2 order.address_changed >
3 order.deadline 2026-11-27T09:01:40Z>2026-11-27T09:02:40Z ship_by
50 order.status awaiting_shipment>delivered
60 order.return >PENDING r9 buyer
70 order.return PENDING>COMPLETE r9 buyer`},
	} {
		if d := cmp.Diff(strings.Split(c.want, "\n"), timeline(t, c.fs...)); d != "" {
			t.Errorf("%s:\n%s", c.name, d)
		}
	}
}

// An order costs this much to merge and to store; a spike merges hundreds a second.
func BenchmarkMerge(b *testing.B) {
	known := mergeAll(b, shot(OnHold, 1))
	next := shot(AwaitingShipment, 3600)
	b.ReportAllocs()
	for b.Loop() {
		m, _, err := Merge(&known, next)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := json.Marshal(m); err != nil {
			b.Fatal(err)
		}
	}
}

func Example() {
	at := time.Date(2026, 11, 27, 9, 0, 0, 0, time.UTC)
	fact := Fact{ConnectionID: "shop", ExternalID: "576", UpdatedAt: at}

	// A notice of the status comes first, and before the order itself was ever read.
	hint := fact
	hint.Kind, hint.Status = StatusNotice, AwaitingShipment
	o, _, _ := Merge(nil, hint)
	fmt.Println(o.ID, o.Status, "needs detail:", o.NeedsDetail)

	// The connector reads the order. On this platform each unit is a line; here they become one line of two.
	full := fact
	full.Kind, full.Status, full.ReadAt = Snapshot, AwaitingShipment, at.Add(time.Second)
	full.Detail = &Detail{Fulfilment: BySeller, Deadlines: Deadlines{ShipBy: at.Add(24 * time.Hour)}, Lines: []Line{
		{ExternalSKU: "172", SellerSKU: "MUG", Units: []Unit{{ExternalLineID: "1"}}},
		{ExternalSKU: "172", SellerSKU: "MUG", Units: []Unit{{ExternalLineID: "2"}}},
	}}
	o, changes, _ := Merge(&o, full)
	slack, due := Slack(&o, at.Add(20*time.Hour))
	for _, d := range Demand(&o) {
		fmt.Println(d.SellerSKU, "reserve", d.Reserve, "ship", d.Ship, "tell the ledger:", changes.Demand)
	}
	fmt.Println("may ship:", MayShip(&o) == nil, "with", slack, "left to", due.Kind)
	// Output:
	// shop:576 awaiting_shipment needs detail: true
	// MUG reserve 2 ship 0 tell the ledger: true
	// may ship: true with 4h0m0s left to ship_by
}

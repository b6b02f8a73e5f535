package flow

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/spillway/spillway/domain/order"
)

var noon = time.Date(2026, time.March, 2, 12, 30, 0, 0, time.UTC)

// some draws an order at some point of its life.
func some(t *rapid.T) *order.Order {
	o := &order.Order{ConnectionID: "c", Status: order.AwaitingShipment}
	o.PaidAt, o.WarehouseRef = noon.Add(time.Duration(rapid.IntRange(0, 5000).Draw(t, "paid"))*time.Minute), rapid.SampledFrom([]string{"", "w1", "w2"}).Draw(t, "node")
	at := o.PaidAt
	later := func(name string) time.Time {
		at = at.Add(time.Duration(rapid.IntRange(0, 3000).Draw(t, name)) * time.Minute)
		return at
	}
	switch rapid.IntRange(0, 4).Draw(t, "stage") {
	case 4:
		o.Moments.ReadyAt, o.Moments.HandedOverAt, o.Moments.DeliveredAt = later("ready"), later("scan"), later("delivered")
		o.Status = order.Delivered
	case 3:
		o.Moments.ReadyAt, o.Moments.HandedOverAt = later("ready"), later("scan")
		o.Status = order.InTransit
	case 2:
		o.Moments.ReadyAt = later("ready")
		o.Status = order.AwaitingCollection
	case 1:
		o.Moments.CancelledAt = later("cancelled")
		o.Status = order.Cancelled
	}
	if !o.Moments.ReadyAt.IsZero() {
		o.Parcels = []order.Parcel{{Ref: "1", Carrier: "UPS"}}
	}
	return o
}

// However often an order changes, the changes add up to what it is in the end.
func TestChangesAddUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var direct, byChange Batch
		for range rapid.IntRange(1, 5).Draw(t, "orders") {
			var before *order.Order
			for range rapid.IntRange(1, 4).Draw(t, "changes") {
				after := some(t)
				var one Batch
				one.Add(before, after)
				data, err := one.MarshalBinary()
				if err != nil {
					t.Fatal(err)
				}
				if err := byChange.UnmarshalBinary(data); err != nil {
					t.Fatal(err)
				}
				before = after
			}
			direct.Add(nil, before)
		}
		if diff := cmp.Diff(direct.Counts(), byChange.Counts()); diff != "" {
			t.Fatal(diff)
		}
		if diff := cmp.Diff(direct.Lags(), byChange.Lags()); diff != "" {
			t.Fatal(diff)
		}
	})
}

func TestWhatAnOrderAdds(t *testing.T) {
	o := &order.Order{ConnectionID: "c", Status: order.Delivered}
	o.PaidAt, o.WarehouseRef = noon, "w1"
	o.Moments = order.Moments{ReadyAt: noon.Add(2 * time.Hour), HandedOverAt: noon.Add(7*time.Hour + 59*time.Minute), DeliveredAt: noon.Add(80 * time.Hour)}
	o.Parcels = []order.Parcel{{Ref: "1", Carrier: "UPS"}}
	var b Batch
	b.Add(nil, o)
	h := HourOf(noon)
	if diff := cmp.Diff([]Count{
		{Connection: "c", Node: "w1", Kind: HandedOver, Hour: h + 8, N: 1},
		{Connection: "c", Node: "w1", Kind: Placed, Hour: h, N: 1},
		{Connection: "c", Node: "w1", Kind: Ready, Hour: h + 2, N: 1},
	}, b.Counts()); diff != "" {
		t.Error(diff)
	}
	day := h / 24 * 24
	if diff := cmp.Diff([]Lag{
		{Connection: "c", Carrier: "UPS", Leg: ToScan, Ended: day, Hours: 5, N: 1},
		{Connection: "c", Carrier: "UPS", Leg: ToDelivery, Ended: day + 3*24, Hours: 72, N: 1},
	}, b.Lags()); diff != "" {
		t.Error(diff)
	}
	for name, spoil := range map[string]func(*order.Order){
		"on hold":          func(o *order.Order) { o.Status = order.OnHold },
		"shipped for us":   func(o *order.Order) { o.Fulfilment = order.ByPlatform },
		"waits to be paid": func(o *order.Order) { o.Status = order.Unpaid },
	} {
		p := *o
		spoil(&p)
		var none Batch
		if none.Add(nil, &p); !none.Empty() {
			t.Errorf("%s: adds %+v", name, none.Counts())
		}
	}
}

func FuzzUnmarshal(f *testing.F) {
	var b Batch
	b.Count(Count{Connection: "a", Node: "w", Kind: Ready, Hour: 5, N: 1})
	b.Lag(Lag{Connection: "a", Carrier: "UPS", Leg: ToScan, Ended: 24, Hours: 7, N: 2})
	data, err := b.MarshalBinary()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Fuzz(func(t *testing.T, data []byte) {
		var b Batch
		if b.UnmarshalBinary(data) != nil {
			return
		}
		again, err := b.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		var c Batch
		if err := c.UnmarshalBinary(again); err != nil || !cmp.Equal(b.Counts(), c.Counts()) || !cmp.Equal(b.Lags(), c.Lags()) {
			t.Fatalf("%v: %s", err, again)
		}
	})
}

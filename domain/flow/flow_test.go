package flow

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/spillway/spillway/domain/order"
	"github.com/spillway/spillway/kit/pack"
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
		var direct, byChange Sums
		var one Batch
		written := func() {
			add(t, &byChange, &one)
			one = Batch{}
		}
		for range rapid.IntRange(1, 5).Draw(t, "orders") {
			var before *order.Order
			connection := rapid.SampledFrom([]string{"c", "d"}).Draw(t, "shop")
			for range rapid.IntRange(1, 4).Draw(t, "changes") {
				after := some(t)
				after.ConnectionID = connection
				one.Add(before, after)
				if rapid.Bool().Draw(t, "written") {
					written()
				}
				before = after
			}
			var last Batch
			last.Add(nil, before)
			add(t, &direct, &last)
		}
		written()
		if diff := cmp.Diff(direct.Counts(), byChange.Counts()); diff != "" {
			t.Fatal(diff)
		}
		if diff := cmp.Diff(direct.Lags(), byChange.Lags()); diff != "" {
			t.Fatal(diff)
		}
	})
}

// add adds a batch as it is stored.
func add(t interface{ Fatal(...any) }, sums *Sums, b *Batch) {
	data, err := b.Record()
	if err == nil && !b.Empty() {
		err = sums.AddRecord(data)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestAChangeThatIsNoneWritesNothing(t *testing.T) {
	o := &order.Order{ConnectionID: "c", Status: order.InTransit}
	o.PaidAt, o.WarehouseRef, o.Moments.ReadyAt, o.Moments.HandedOverAt = noon, "w1", noon, noon
	var b Batch
	if b.Add(o, o); !b.Empty() {
		t.Errorf("%x", b.data)
	}
	o.WarehouseRef = strings.Repeat("w", pack.MaxText+1)
	b.Add(nil, o)
	if _, err := b.Record(); err == nil {
		t.Error("a name above the bound was written")
	}
}

func TestWhatAnOrderAdds(t *testing.T) {
	o := &order.Order{ConnectionID: "c", Status: order.Delivered}
	o.PaidAt, o.WarehouseRef = noon, "w1"
	o.Moments = order.Moments{ReadyAt: noon.Add(2 * time.Hour), HandedOverAt: noon.Add(7*time.Hour + 59*time.Minute), DeliveredAt: noon.Add(80 * time.Hour)}
	o.Parcels = []order.Parcel{{Ref: "1", Carrier: "UPS"}}
	var one Batch
	one.Add(nil, o)
	var b Sums
	add(t, &b, &one)
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
			t.Errorf("%s: adds %x", name, none.data)
		}
	}
}

// Whatever bytes come in, adding them errs or gives sums that can be listed.
func FuzzAddRecord(f *testing.F) {
	o := &order.Order{ConnectionID: "c", Status: order.Delivered}
	o.PaidAt, o.WarehouseRef = noon, "w1"
	o.Moments = order.Moments{ReadyAt: noon.Add(2 * time.Hour), HandedOverAt: noon.Add(8 * time.Hour), DeliveredAt: noon.Add(80 * time.Hour)}
	var b Batch
	b.Add(nil, o)
	f.Add(b.data)
	f.Add(b.data[:len(b.data)/2])
	f.Add([]byte{codecVersion, opCount, 0, 2, 0xff})
	f.Fuzz(func(t *testing.T, data []byte) {
		var s Sums
		if s.AddRecord(data) != nil {
			return
		}
		if n := len(s.Counts()) + len(s.Lags()); n > len(data) {
			t.Fatalf("%d sums of %d bytes", n, len(data))
		}
	})
}

package order

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/spillway/spillway/kit/errs"
)

func cancelledUnits(ids ...string) func(*Detail) {
	return func(d *Detail) {
		for _, id := range ids {
			for i := range d.Lines[0].Units {
				if u := &d.Lines[0].Units[i]; u.ExternalLineID == id {
					u.Cancelled = true
				}
			}
		}
	}
}

func handedOver(at int) func(*Detail) { return func(d *Detail) { d.Moments.HandedOverAt = sec(at) } }

func quantity(qty, cancelled, shipped int64) func(*Detail) {
	return func(d *Detail) {
		d.Lines = []Line{{ExternalLineID: "q", ExternalSKU: "sku", Qty: qty, Cancelled: cancelled, Shipped: shipped}}
	}
}

func TestDemand(t *testing.T) {
	unit := func(i int, s Status) func(*Detail) { return func(d *Detail) { d.Lines[0].Units[i].Status = s } }
	for _, c := range []struct {
		name          string
		fs            []Fact
		reserve, ship int64
	}{
		{"unpaid reserves", []Fact{shot(Unpaid, 1)}, 2, 0},
		{"on hold reserves", []Fact{shot(OnHold, 1)}, 2, 0},
		{"awaiting shipment", []Fact{shot(AwaitingShipment, 1)}, 2, 0},
		{"one unit cancelled", []Fact{shot(AwaitingShipment, 1, cancelledUnits("u1"))}, 1, 0},
		{"a unit cancelled by a request only", []Fact{shot(AwaitingShipment, 1), unitCancel(CancelAccepted, "u2")}, 1, 0},
		{"a unit with a request not answered", []Fact{shot(AwaitingShipment, 1), unitCancel(CancelPending, "u2")}, 2, 0},
		{"a unit's cancel is not taken back", []Fact{shot(AwaitingShipment, 1, cancelledUnits("u1")), shot(AwaitingShipment, 2)}, 1, 0},
		{"part with the carrier", []Fact{shot(PartiallyShipping, 1, unit(0, InTransit))}, 1, 1},
		{"a label is no carrier", []Fact{shot(AwaitingCollection, 1)}, 2, 0},
		{"first parcel scanned", []Fact{shot(AwaitingCollection, 1, unit(1, InTransit))}, 1, 1},
		{"in transit", []Fact{shot(InTransit, 1)}, 0, 2},
		{"in transit by notice", []Fact{shot(AwaitingCollection, 1), notice(InTransit, 2)}, 0, 2},
		{"in transit less a unit", []Fact{shot(AwaitingShipment, 1, cancelledUnits("u1")), notice(InTransit, 2)}, 0, 1},
		{"in transit, a unit cancelled we do not know when", []Fact{shot(InTransit, 1, cancelledUnits("u1"))}, 0, 1},
		{"delivered", []Fact{shot(Delivered, 1)}, 0, 2},
		{"completed", []Fact{shot(Completed, 1)}, 0, 2},
		{"cancelled in time", []Fact{shot(AwaitingShipment, 1), shot(Cancelled, 2, cancelledUnits("u1", "u2"))}, 0, 0},
		{"cancelled by notice", []Fact{shot(AwaitingShipment, 1), notice(Cancelled, 2)}, 0, 0},
		{"cancelled with a label", []Fact{shot(AwaitingCollection, 1), notice(Cancelled, 2)}, 0, 0},
		{"cancelled on its way", []Fact{shot(InTransit, 1), shot(Cancelled, 2, cancelledUnits("u1", "u2"))}, 0, 2},
		{"cancelled on its way, scan told by time only", []Fact{shot(Cancelled, 2, cancelledUnits("u1", "u2"), handedOver(1))}, 0, 2},
		{"cancelled on its way, scan told by notice only", []Fact{shot(AwaitingShipment, 1), notice(InTransit, 2), shot(Cancelled, 3, cancelledUnits("u1", "u2"))}, 0, 2},
		{"cancelled on its way, one cancelled before", []Fact{shot(AwaitingShipment, 1, cancelledUnits("u1")), shot(Cancelled, 3, cancelledUnits("u1", "u2"), handedOver(2))}, 0, 1},
		{"cancelled with the first parcel scanned", []Fact{shot(AwaitingCollection, 1, unit(0, InTransit)), shot(Cancelled, 2, cancelledUnits("u1", "u2"))}, 0, 1},
		{"the platform takes a scan back", []Fact{shot(InTransit, 1), shot(AwaitingCollection, 2)}, 0, 2},
		{"completed by notice without a scan", []Fact{shot(AwaitingCollection, 1), notice(Completed, 2)}, 0, 2},
		{"the platform takes a scan back, told by notice only", []Fact{shot(AwaitingCollection, 1), notice(InTransit, 2), shot(AwaitingCollection, 3)}, 0, 2},
		{"quantity added after all went", []Fact{shot(InTransit, 1, quantity(5, 0, 5)), shot(PartiallyShipping, 2, quantity(7, 0, 5))}, 2, 5},
		{"quantity added after all went, then cancelled", []Fact{shot(InTransit, 1, quantity(5, 0, 5)), shot(PartiallyShipping, 2, quantity(7, 0, 5)), shot(Cancelled, 3, quantity(7, 7, 5))}, 0, 5},
		{"quantity line lowered after all went", []Fact{shot(InTransit, 1, quantity(5, 0, 5)), shot(InTransit, 2, quantity(3, 0, 3))}, 0, 5},
		{"quantity line cancelled on its way, told by notice", []Fact{notice(InTransit, 1), shot(Cancelled, 2, quantity(5, 5, 0))}, 0, 5},
		{"quantity line", []Fact{shot(AwaitingShipment, 1, quantity(5, 2, 0))}, 3, 0},
		{"quantity line edited back", []Fact{shot(AwaitingShipment, 1, quantity(5, 2, 0)), shot(AwaitingShipment, 2, quantity(5, 0, 0))}, 5, 0},
		{"quantity line partly shipped", []Fact{shot(PartiallyShipping, 1, quantity(5, 1, 3))}, 1, 3},
		{"quantity line refunded after shipping", []Fact{shot(Delivered, 1, quantity(5, 0, 5)), shot(Delivered, 2, quantity(5, 2, 5))}, 0, 5},
		{"quantity line cancelled after part went", []Fact{shot(PartiallyShipping, 1, quantity(5, 0, 3)), shot(Cancelled, 2, quantity(5, 5, 0))}, 0, 3},
	} {
		o := mergeAll(t, c.fs...)
		ds := Demand(&o)
		if len(ds) != 1 || ds[0].Reserve != c.reserve || ds[0].Ship != c.ship || ds[0].Pool != PoolOwn {
			t.Errorf("%s: %+v, want reserve %d, ship %d", c.name, ds, c.reserve, c.ship)
		}
	}
}

func unitCancel(s CancelState, units ...string) Fact {
	f := cancelNotice("c", s, 1)
	f.Cancellation.Units = units
	return f
}

func TestDemandSumsLinesOfOneSKUAndKeepsParts(t *testing.T) {
	f := shot(AwaitingShipment, 1, func(d *Detail) {
		d.Fulfilment = ByPlatform
		gift := Line{ExternalSKU: "sku", Title: "gift", Units: []Unit{{ExternalLineID: "u3"}}}
		set := Line{ExternalSKU: "set", SellerSKU: "SET", ExternalProduct: "p", Parts: []Part{{ExternalSKU: "sku", Count: 2}}, Units: []Unit{{ExternalLineID: "u4"}}}
		d.Lines = append(d.Lines, set, gift)
	})
	o := mergeAll(t, f)
	want := []LineDemand{
		{Key: "set", ExternalProduct: "p", ExternalSKU: "set", SellerSKU: "SET", Parts: []Part{{ExternalSKU: "sku", Count: 2}}, Pool: PoolPlatform, Reserve: 1},
		{Key: "sku", ExternalSKU: "sku", Pool: PoolPlatform, Reserve: 3},
	}
	if d := cmp.Diff(want, Demand(&o)); d != "" || len(o.Lines) != 3 {
		t.Fatalf("%d lines, %s", len(o.Lines), d)
	}
}

func TestMayShip(t *testing.T) {
	for _, s := range Statuses {
		o := mergeAll(t, shot(s, 1))
		err := MayShip(&o)
		may := s == AwaitingShipment || s == PartiallyShipping || s == AwaitingCollection
		if (err == nil) != may || (err != nil && (!errs.Is(err, errs.Conflict) || errs.Safe(err) == "")) {
			t.Errorf("%s: %v", s, err)
		}
	}
	open := shot(AwaitingShipment, 1, func(d *Detail) { d.CancelReport.RequestOpen = true })
	for name, fs := range map[string][]Fact{
		"fulfilled by the platform": {shot(AwaitingShipment, 1, func(d *Detail) { d.Fulfilment = ByPlatform })},
		"request in the snapshot":   {open},
		"request by notice":         {shot(AwaitingShipment, 1), cancelNotice("c", CancelPending, 2)},
		"address changed":           {shot(AwaitingShipment, 1), {Kind: AddressNotice, ConnectionID: "shop", ExternalID: "1", UpdatedAt: sec(2)}},
	} {
		if o := mergeAll(t, fs...); MayShip(&o) == nil {
			t.Errorf("%s: may ship", name)
		}
	}
	for name, fs := range map[string][]Fact{
		"withdrawn, shown by a later snapshot":         {open, shot(AwaitingShipment, 2)},
		"notice of the withdrawal lost, later version": {cancelNotice("c", CancelPending, 2), shot(AwaitingShipment, 3)},
		"notice of the withdrawal lost, later reading": {cancelNotice("c", CancelPending, 2), readAt(shot(AwaitingShipment, 1), 62)},
		"withdrawn and read again":                     {open, cancelNotice("c", CancelPending, 1), cancelNotice("c", CancelWithdrawn, 2), shot(AwaitingShipment, 2)},
	} {
		if o := mergeAll(t, fs...); MayShip(&o) != nil {
			t.Errorf("%s: %v", name, MayShip(&o))
		}
	}
}

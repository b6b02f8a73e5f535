package order

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestSlackIsToTheNextUnmetDeadline(t *testing.T) {
	all := Deadlines{ShipBy: sec(10), PickUpBy: sec(15), FastDispatchBy: sec(18), HandOverBy: sec(20), AutoCancelShipBy: sec(30), AutoCancelHandOverBy: sec(40),
		PromisedBy: sec(50), DeliverBy: sec(60), AutoCancelDeliverBy: sec(70)}
	for _, c := range []struct {
		name   string
		status Status
		d      Deadlines
		m      Moments
		want   DeadlineKind
		slack  time.Duration
	}{
		{"to be arranged", AwaitingShipment, all, Moments{}, ShipBy, 5 * time.Second},
		{"held orders have deadlines too", OnHold, all, Moments{}, ShipBy, 5 * time.Second},
		{"part arranged is not arranged", PartiallyShipping, all, Moments{}, ShipBy, 5 * time.Second},
		{"arranged", AwaitingCollection, all, Moments{}, PickUpBy, 10 * time.Second},
		{"arranged, known by its time", AwaitingShipment, all, Moments{ReadyAt: sec(1)}, PickUpBy, 10 * time.Second},
		{"with the carrier", InTransit, all, Moments{}, PromisedBy, 45 * time.Second},
		{"with the carrier, known by its time", AwaitingCollection, all, Moments{HandedOverAt: sec(2)}, PromisedBy, 45 * time.Second},
		{"delivered", Delivered, all, Moments{}, "", 0},
		{"delivered, known by its time", InTransit, all, Moments{DeliveredAt: sec(2)}, "", 0},
		{"over", Completed, all, Moments{}, "", 0},
		{"cancelled", Cancelled, all, Moments{}, "", 0},
		{"none given", AwaitingShipment, Deadlines{}, Moments{}, "", 0},
		{"only a cancel", AwaitingShipment, Deadlines{AutoCancelHandOverBy: sec(4)}, Moments{}, AutoCancelHandOverBy, -time.Second},
		{"a cancel weighs more than a rate", AwaitingShipment, Deadlines{ShipBy: sec(9), AutoCancelShipBy: sec(9)}, Moments{}, AutoCancelShipBy, 4 * time.Second},
		{"late stays due", AwaitingShipment, Deadlines{ShipBy: sec(1), HandOverBy: sec(9)}, Moments{}, ShipBy, -4 * time.Second},
	} {
		o := mergeAll(t, shot(c.status, 1, func(d *Detail) { d.Deadlines, d.Moments = c.d, c.m }))
		slack, due := Slack(&o, sec(5))
		if slack != c.slack || due.Kind != c.want || due != NextDue(&o) {
			t.Errorf("%s: %v to %+v, want %v to %s", c.name, slack, due, c.slack, c.want)
		}
	}
	o := mergeAll(t, shot(AwaitingShipment, 1, func(d *Detail) { d.Deadlines, d.Fulfilment = all, ByPlatform }))
	if slack, due := Slack(&o, sec(5)); slack != 0 || due != (Due{}) {
		t.Errorf("the platform's own parcels do not bind us: %v, %+v", slack, due)
	}
}

func TestByUrgencyIsATotalOrderByDeadline(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var os []*Order
		for range rapid.IntRange(2, 8).Draw(t, "orders") {
			o := &Order{ID: rapid.StringMatching("[a-d]").Draw(t, "id"), Status: AwaitingShipment}
			if rapid.Bool().Draw(t, "has deadline") {
				o.Deadlines.ShipBy = sec(rapid.IntRange(0, 3).Draw(t, "ship by"))
			}
			o.CreatedAt = sec(-rapid.IntRange(0, 2).Draw(t, "age"))
			os = append(os, o)
		}
		slices.SortFunc(os, ByUrgency)
		for i, a := range os {
			for _, b := range os[i+1:] {
				if ByUrgency(a, b) > 0 || ByUrgency(a, b) != -ByUrgency(b, a) {
					t.Fatalf("%+v and %+v are not in order", a, b)
				}
				x, y := NextDue(a).At, NextDue(b).At
				if (x.IsZero() && !y.IsZero()) || (!x.IsZero() && !y.IsZero() && x.After(y)) {
					t.Fatalf("due %v sorts before due %v", x, y)
				}
			}
		}
	})
}

package ops

import (
	"strings"
	"testing"
	"time"

	"github.com/spillway/spillway/connector/driver"
	"github.com/spillway/spillway/domain/shipping"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/ops/view"
	"github.com/spillway/spillway/store"
)

func TestANumberIsCorrectedOnceOnTheChannel(t *testing.T) {
	rigOnBoth(t, func(t *testing.T, r *rig) {
		id, ctx := r.sell("S1", 1), t.Context()
		const first, second, third = "9400111206206406300100", "9400111206206406300209", "9400111206206406300308"
		r.scanned("sh-1", id, "USPS", first)
		told := func(number string) {
			t.Helper()
			r.shipped("sh-1", "the channel knows "+number, func(s store.Shipment) bool { return s.Tell.Tracking == number })
		}
		told(first)
		enter := func(parcel, carrier, number string, want errs.Kind, words string) {
			t.Helper()
			_, err := r.d.Renumber(ctx, view.RenumberDraft{OrderID: id, Parcel: parcel, Carrier: carrier, Number: number, Actor: "lena"})
			if !errs.Is(err, want) || !strings.Contains(errs.Safe(err), words) {
				t.Errorf("%s: %v, want %s %q", number, err, want, words)
			}
		}
		enter("sh-1", "UPS", "1Z5R89390357567128", errs.Invalid, "no number of UPS")
		enter("none", "", second, errs.NotFound, "no such")
		r.did(r.d.Renumber(ctx, view.RenumberDraft{OrderID: id, Parcel: "sh-1", Number: "9400 1112 0620 6406 3002 09", Actor: "lena"}))
		told(second)
		r.did(r.d.Renumber(ctx, view.RenumberDraft{OrderID: id, Parcel: "sh-1", Number: second, Actor: "lena"})) // again: nothing
		enter("sh-1", "", third, errs.Conflict, "no second correction. It knows "+second)
		other := r.sell("S1", 1)
		r.scanned("sh-2", other, "USPS", third)
		enter("sh-1", "", third, errs.Conflict, "another parcel has this number")
		if got := r.shop.Parcels(strings.TrimPrefix(id, r.conn+":")); len(got) != 1 || got[0].Tracking != second {
			t.Errorf("the channel knows %+v", got)
		}
		page, err := r.d.Order(ctx, id)
		r.must(err)
		if p := page.Route.Parcels[0]; p.Renumber == nil || p.Renumber.May || p.Tracking != second {
			t.Errorf("%+v", p)
		}
		said := 0
		for _, e := range page.Timeline {
			if e.Kind == "number corrected" && e.Actor == "lena" && strings.Contains(e.Text, first) && strings.Contains(e.Text, second) {
				said++
			}
		}
		if said != 1 {
			t.Errorf("the timeline says it %d times: %+v", said, page.Timeline)
		}
	})
}

// What the shipper says of the number before does not come back.
func TestNewsOfTheNumberBeforeIsNotBelieved(t *testing.T) {
	r := newRig(t)
	const first, second = "9400111206206406300100", "9400111206206406300209"
	s := r.shipment("sh-1", r.sell("S1", 1), shipping.ByCarrier, "acc")
	s.Booked(time.Now(), shipping.Label{Ref: "shp", Carrier: "USPS", Tracking: first})
	r.must(s.Renumber(time.Now(), "", second))
	at := time.Now().Add(-time.Hour)
	r.x.hear(&s.Shipment, "broker", driver.ParcelNews{Ref: "shp", Tracking: first, Booked: &driver.Booked{Ref: "shp", Tracking: first, State: driver.BookingDone},
		Events: []driver.ParcelEvent{{Word: "delivered", Status: "delivered", At: at}}}, time.Now())
	if s.Label.Tracking != second || s.Track != nil || !s.DeliveredAt.IsZero() {
		t.Errorf("%+v", s.Shipment)
	}
	r.x.hear(&s.Shipment, "broker", driver.ParcelNews{Ref: "shp", Tracking: second, Events: []driver.ParcelEvent{{Word: "accepted", Status: "accepted", At: at}}}, time.Now())
	if s.Track == nil || len(s.Track.Events) != 1 {
		t.Errorf("%+v", s.Track)
	}
}

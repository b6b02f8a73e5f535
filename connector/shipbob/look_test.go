package shipbob

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/spillway/spillway/connector/driver"
	"github.com/spillway/spillway/sim/world"
)

// What is told of one order when asked for it is what the list tells of it, at every stage.
func TestOneOrderTellsWhatTheListTells(t *testing.T) {
	h, s := fresh(t)
	to := h.Raw.(driver.Looker)
	good, short := driver.Booking{ID: "b-1", Parcel: h.Parcel(t, 2)}, driver.Booking{ID: "b-2", Parcel: h.Stuck(t)}
	for _, b := range []driver.Booking{good, short} {
		booked, err := h.Raw.Book(t.Context(), b)
		if err != nil {
			t.Fatal(err)
		}
		for range 3 { // taken in, shipped, delivered
			page, err := h.Raw.(driver.Follower).Parcels(t.Context(), h.Now().AddDate(0, 0, -30), "")
			if err != nil {
				t.Fatal(err)
			}
			var listed []driver.ParcelNews
			for _, n := range page.News {
				if n.BookingID == b.ID {
					listed = append(listed, n)
				}
			}
			got, err := to.Look(t.Context(), booked)
			if diff := cmp.Diff(listed, got); diff != "" || err != nil || len(got) != 1 {
				t.Errorf("%s: %v %s", b.ID, err, diff)
			}
			h.Pass(t, h.Delivers)
		}
	}
	if made, _ := s.Counts(); made != 2 {
		t.Errorf("%d orders were made", made)
	}
}

func TestAnOrderThatIsNotOursTellsNothing(t *testing.T) {
	h, s := fresh(t)
	to := h.Raw.(driver.Looker)
	booked, err := h.Raw.Book(t.Context(), driver.Booking{ID: "b", Parcel: h.Parcel(t, 1)})
	if err != nil {
		t.Fatal(err)
	}
	for name, b := range map[string]driver.Booked{"another's": {ID: "c", Ref: booked.Ref}, "no such order": {ID: "b", Ref: "1"}, "no number": {ID: "b", Ref: "x"}} {
		if news, err := to.Look(t.Context(), b); len(news) != 0 || driver.ClassOf(err) != driver.GiveUp {
			t.Errorf("%s: %+v, %v", name, news, err)
		}
	}
	for kind, want := range map[world.Kind]driver.Class{world.Throttle: driver.RetryAfter, world.Unavailable: driver.Retry, world.TokenExpired: driver.AskHuman} {
		if _, err := s.Faults.Add(world.Rule{Point: "GET /2026-07/order/*", Kind: kind, Remaining: 1}); err != nil {
			t.Fatal(err)
		}
		if news, err := to.Look(t.Context(), booked); len(news) != 0 || driver.ClassOf(err) != want {
			t.Errorf("%s: %+v, %v", kind, news, err)
		}
	}
	if _, err := to.Look(t.Context(), booked); err != nil {
		t.Error(err)
	}
}

// All lanes together stay within what ShipBob allows in a minute, all kinds of requests together.
func TestTheLanesAddUpToTheLimit(t *testing.T) {
	l := Carrier{}.Describe().Limits
	sum := 0.0
	for _, op := range []driver.Operation{driver.OpBook, driver.OpFind, driver.OpVoid, driver.OpParcels, driver.OpLook, driver.OpQuantities} {
		if per, ok := l.PerSecond[op]; ok {
			sum += per
		} else {
			sum += l.Default
		}
	}
	if sum*60 > 150.001 {
		t.Errorf("%.1f requests a minute", sum*60)
	}
}

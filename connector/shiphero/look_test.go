package shiphero

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spillway/spillway/connector/driver"
	"github.com/spillway/spillway/sim/world"
)

// What is told of one order when asked for it is what the list tells of it, at every stage.
func TestOneOrderTellsWhatTheListTells(t *testing.T) {
	h, _, _ := fresh(t)
	to := h.Raw.(driver.Looker)
	for _, b := range []driver.Booking{{ID: "b-1", Parcel: h.Parcel(t, 2)}, {ID: "b-2", Parcel: h.Stuck(t)}} {
		booked, err := h.Raw.Book(t.Context(), b)
		if err != nil {
			t.Fatal(err)
		}
		for range 2 { // taken in, shipped
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
			h.Pass(t, h.Ships)
		}
	}
}

func TestAnOrderThatIsNotOursTellsNothing(t *testing.T) {
	h, s, _ := fresh(t)
	to := h.Raw.(driver.Looker)
	booked, err := h.Raw.Book(t.Context(), driver.Booking{ID: "b", Parcel: h.Parcel(t, 1)})
	if err != nil {
		t.Fatal(err)
	}
	for name, b := range map[string]driver.Booked{"another's": {ID: "c", Ref: booked.Ref}, "no such order": {ID: "b", Ref: "x"}} {
		if news, err := to.Look(t.Context(), b); len(news) != 0 || driver.ClassOf(err) != driver.GiveUp {
			t.Errorf("%s: %+v, %v", name, news, err)
		}
	}
	for kind, want := range map[world.Kind]driver.Class{world.Throttle: driver.RetryAfter, world.Unavailable: driver.Retry, world.LostReply: driver.Retry} {
		if _, err := s.Faults.Add(world.Rule{Point: "order", Kind: kind, Remaining: 1}); err != nil {
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

// Looking for single orders as often as their lane lets through leaves three quarters of what ShipHero gives to everything else.
func TestLookingForOrdersLeavesCreditsForTheOthers(t *testing.T) {
	h, s, clock := fresh(t)
	booked, err := h.Raw.Book(t.Context(), driver.Booking{ID: "b", Parcel: h.Parcel(t, 1)})
	if err != nil {
		t.Fatal(err)
	}
	clock.Advance(time.Hour)
	s.Free = false
	looks := 0
	for ; looks < 1000; looks++ {
		if _, err := h.Raw.(driver.Looker).Look(t.Context(), booked); driver.ClassOf(err) == driver.RetryAfter && err != nil {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
	const most, restored = 4004, 60 // credits there are at most, and come back in a second, as documented
	each := float64(most) / float64(looks)
	if share := each * (Carrier{}).Describe().Limits.PerSecond[driver.OpLook] / restored; share > 0.27 || looks == 1000 {
		t.Errorf("an order costs about %.0f credits: %.0f %% of what comes back", each, share*100)
	}
}

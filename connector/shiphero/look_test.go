package shiphero

import (
	"errors"
	"fmt"
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

// An order of more lines than the list reads is told of in brief, and in full when asked for; one of fewer is not.
func TestALongOrderIsToldOfInBrief(t *testing.T) {
	h, s, _ := fresh(t)
	for _, sku := range []string{"MUG", "CUP", "DISH", "JUG"} {
		s.Floor.Stow("V2FyZWhvdXNlOjM=", sku, 50, 0)
	}
	placed := map[string]driver.Booked{}
	for name, skus := range map[string][]string{"short": {"MUG", "CUP"}, "long": {"MUG", "CUP", "DISH", "JUG"}, "long and stuck": {"MUG", "CUP", "DISH", "LAMP"}} {
		p := h.Parcel(t, 1)
		p.Lines = nil
		for _, sku := range skus {
			p.Lines = append(p.Lines, driver.ParcelLine{SKU: sku, Title: sku, Qty: 6}) // there are five lamps
		}
		b, err := h.Raw.Book(t.Context(), driver.Booking{ID: name, Parcel: p})
		if err != nil {
			t.Fatal(err)
		}
		placed[name] = b
	}
	check := func(name string, brief bool, problem string, lines int) {
		t.Helper()
		page, err := h.Raw.(driver.Follower).Parcels(t.Context(), h.Now().AddDate(0, 0, -30), "")
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range page.News {
			if n.BookingID == name && n.Brief != brief {
				t.Errorf("the list tells of %s in brief: %v", name, n.Brief)
			}
		}
		got, err := h.Raw.(driver.Looker).Look(t.Context(), placed[name])
		if err != nil || len(got) != 1 || got[0].Brief || got[0].Exception != problem || len(got[0].Shipped) != lines {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
	check("short", false, "", 0)
	check("long", true, "", 0)
	check("long and stuck", true, "not enough stock of LAMP", 0)
	h.Pass(t, h.Ships)
	check("short", false, "", 2)
	check("long", true, "", 4)
}

// Whatever is asked as fast as its lane lets through finds the credits it needs: nothing is starved by what is asked beside it.
func TestTheLanesShareTheCredits(t *testing.T) {
	const most, restored = 4004, 60 // credits there are at most, and come back in a second, as documented
	h, s, clock := fresh(t)
	booked, err := h.Raw.Book(t.Context(), driver.Booking{ID: "b", Parcel: h.Parcel(t, 1)})
	if err != nil {
		t.Fatal(err)
	}
	s.Free = false
	per, share, n := (Carrier{}).Describe().Limits.PerSecond, 0.0, 0
	for op, ask := range map[driver.Operation]func() error{
		driver.OpBook: func() error {
			n++
			_, err := h.Raw.Book(t.Context(), driver.Booking{ID: fmt.Sprintf("b%d", n), Parcel: h.Parcel(t, 1)})
			return err
		},
		driver.OpLook: func() error { _, err := h.Raw.(driver.Looker).Look(t.Context(), booked); return err },
		driver.OpParcels: func() error {
			_, err := h.Raw.(driver.Follower).Parcels(t.Context(), h.Now().AddDate(0, 0, -30), "")
			return err
		},
	} {
		clock.Advance(time.Hour)
		// As many as there are credits for, and the wait for one more: together they tell what one costs.
		n, waited := 0.0, time.Duration(0)
		for waited == 0 && n < 1000 {
			err := ask()
			e, failed := errors.AsType[*driver.Error](err)
			switch {
			case err == nil:
				n++
			case failed && e.Class == driver.RetryAfter:
				waited = e.After
			default:
				t.Fatal(err)
			}
		}
		cost := (most + waited.Seconds()*restored) / (n + 1)
		share += cost * per[op] / restored
		t.Logf("%s: about %.0f credits, %.0f %% of what comes back", op, cost, cost*per[op]/restored*100)
	}
	if share > 1 {
		t.Errorf("they take %.0f %% of what comes back", share*100)
	}
}

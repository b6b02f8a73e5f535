package ops

import (
	"net/http/httptest"
	"testing"

	dummyvendor "github.com/spillway/spillway/connector/dummy"

	"github.com/spillway/spillway/connector/driver"
	"github.com/spillway/spillway/connector/shipbob"
	"github.com/spillway/spillway/domain/shipping"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/ops/view"
	"github.com/spillway/spillway/sim/depot"
	dummysim "github.com/spillway/spillway/sim/dummy"
	shipbobsim "github.com/spillway/spillway/sim/shipbob"
	"github.com/spillway/spillway/sim/world"
	"github.com/spillway/spillway/store"
)

func TestALoginIsRefusedOftenBeforeAPersonIsAsked(t *testing.T) {
	for failures := range 2 * loginTries {
		if got, want := hopeless(&driver.Error{Class: driver.AskHuman}, failures), failures >= loginTries; got != want {
			t.Errorf("after %d refusals: %v", failures, got)
		}
		for class, want := range map[driver.Class]bool{driver.Retry: false, driver.RetryAfter: false, driver.RefreshLogin: false, driver.GiveUp: true} {
			if hopeless(&driver.Error{Class: class}, failures) != want {
				t.Errorf("%s after %d failures: %v", class, failures, !want)
			}
		}
	}
	for kind, want := range map[errs.Kind]bool{errs.Invalid: true, errs.NotFound: true, errs.Forbidden: true, errs.Unavailable: false, errs.Conflict: false} {
		if hopeless(errs.New(kind, "op", "item", "why"), 0) != want {
			t.Errorf("an error of ours, %s: %v", kind, !want)
		}
	}
}

// refusedFor hands one parcel over to a provider that refuses the login some times, and moves time on until it is booked or asks.
func refusedFor(t *testing.T, refusals int) (shipping.Shipment, int) {
	clock := &leaping{}
	shop := dummysim.New(clock, 1)
	t.Cleanup(shop.Stop)
	r := newStorm(t, clock, dummyvendor.Vendor{}, shop.Handler(), func(base string) view.AppDraft {
		return view.AppDraft{Vendor: "dummy", Key: dummysim.AppKey, Secret: dummysim.AppSecret, Settings: map[string]string{"base_url": base}, Actor: "lena"}
	}, "")
	r.conn, r.shop = "dummy-"+dummysim.ShopID, shop
	hub := shipbobsim.New(clock, 3, depot.Options{})
	t.Cleanup(hub.Stop)
	srv := httptest.NewServer(hub.Handler())
	t.Cleanup(srv.Close)
	hub.Floor.Stow("Cicero", "MUG", 5, 0)
	_, err := hub.Faults.Add(world.Rule{Point: "POST /2026-07/order", Kind: world.TokenExpired, Remaining: refusals})
	r.must(err)
	r.x.carriers["shipbob"] = shipbob.Carrier{Now: clock.Now}
	a, err := r.x.AddCarrier(t.Context(), NewCarrierAccount{Carrier: "shipbob", Name: "Hub", Actor: "lena",
		Settings: map[string]string{"base_url": srv.URL, "token": shipbobsim.Token, "channel_id": shipbobsim.ChannelID}})
	r.must(err)
	parcel := r.shipment("sh-1", r.sell("S1", 1), shipping.ByProvider, a.ID)
	r.must(r.st.Update(t.Context(), func(tx *store.Tx) error { _, err := tx.ShipmentsAdd([]store.Shipment{parcel}); return err }))
	got := r.shipped("sh-1", "it is booked or asks", func(s store.Shipment) bool {
		if wait := s.Next(clock.Now()).At.Sub(clock.Now()); wait > 0 && s.Label.Fate == shipping.Refused && s.Question() == "" {
			clock.ahead.Add(int64(wait))
		}
		return s.Label.Fate == shipping.Done || s.Question() != ""
	})
	made, _ := hub.Counts()
	return got.Shipment, made
}

func TestAParcelGoesThroughWhenItsLoginWorksAgain(t *testing.T) {
	got, made := refusedFor(t, loginTries)
	if got.Question() != "" || got.Label.Fate != shipping.Done || made != 1 {
		t.Errorf("after %d refusals it asks %q, and %d orders were made: %+v", loginTries, got.Question(), made, got.Label)
	}
}

func TestAParcelAsksWhenItsLoginStaysRefused(t *testing.T) {
	got, made := refusedFor(t, 10*loginTries)
	if got.Question() == "" || got.Label.Failures != loginTries+1 || made != 0 {
		t.Errorf("after %d refusals it asks %q, and %d orders were made", got.Label.Failures, got.Question(), made)
	}
}

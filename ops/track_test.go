package ops

import (
	"testing"
	"time"

	"github.com/spillway/spillway/domain/custody"
	"github.com/spillway/spillway/domain/shipping"
	"github.com/spillway/spillway/domain/tracking"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/store"
)

// A buyer's page opens by its own address only, and says where the parcel is without saying whose it is.
func TestABuyerSeesTheParcelByItsTokenAlone(t *testing.T) {
	rigOnBoth(t, func(t *testing.T, r *rig) {
		_, a := r.broker()
		id := r.sell("S1", 1)
		s := r.shipment("sh-1", id, shipping.ByProvider, a.ID)
		at := time.Now().Add(-time.Hour).UTC().Truncate(time.Second)
		s.Label = shipping.Label{Call: shipping.Call{Fate: shipping.Done, N: 1, At: at}, Ref: "order 7", Carrier: "USPS", Tracking: "9400111206206406300106", URL: "javascript:alert(1)"}
		if err := s.Follow(tracking.Event{At: at, Status: tracking.Accepted, Place: "Reno NV"}); err != nil {
			t.Fatal(err)
		}
		r.must(r.st.Update(t.Context(), func(tx *store.Tx) error { _, err := tx.ShipmentsAdd([]store.Shipment{s}); return err }))
		v, err := r.d.Track(t.Context(), r.x.TrackToken("sh-1"))
		r.must(err)
		if v.Status != "With the carrier" || len(v.Scans) != 1 || v.Scans[0].Place != "Reno NV" || v.Units != 1 || v.Number != "9400111206206406300106" || !safe(v.URL) {
			t.Errorf("%+v", v)
		}
		for _, bad := range []string{"", "sh-1", "sh-1.", "sh-1.00000000000000000000000000000000", r.x.TrackToken("sh-2"), r.x.TrackToken("sh-1") + "0"} {
			if _, err := r.d.Track(t.Context(), bad); !errs.Is(err, errs.NotFound) {
				t.Errorf("%q opens: %v", bad, err)
			}
		}
	})
}

func safe(u string) bool { return u == "" || u[:8] == "https://" }

// What becomes of a parcel is in the custody log once for each change, whoever stores it again.
func TestPassagesOfAParcel(t *testing.T) {
	at := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	was := shipping.Shipment{ID: "sh-1", Orders: []string{"shop:1", "shop:2"}, Way: shipping.ByCarrier, Node: "reno"}
	now := store.Shipment{Shipment: was, Version: 3}
	now.Label = shipping.Label{Call: shipping.Call{Fate: shipping.Done}, Ref: "l-1", Carrier: "USPS", Tracking: "9400111206206406300106"}
	same := now.Shipment
	check := func(name string, was *shipping.Shipment, want ...custody.What) {
		t.Helper()
		got := passages(was, &now, nil, custody.Carrier, at)
		if len(got) != 2*len(want) {
			t.Fatalf("%s: %+v", name, got)
		}
		for i, e := range got {
			if e.What != want[i/2] || e.ParcelID != "sh-1" || e.OrderID != was.Orders[i%2] {
				t.Errorf("%s: %+v", name, e)
			}
			if _, err := e.Normal(); err != nil {
				t.Error(err)
			}
		}
	}
	check("a label is bought", &was, custody.LabelBought)
	check("nothing changed", &same)
	now.Tell.Tracking = now.Label.Tracking
	check("the channel is told", &same, custody.TrackingTold)
	same = now.Shipment
	if err := now.Follow(tracking.Event{At: at, Status: tracking.Accepted}, tracking.Event{At: at.Add(time.Hour), Status: tracking.Delivered}); err != nil {
		t.Fatal(err)
	}
	check("scanned and delivered at once", &same, custody.CarrierScanned, custody.Delivered)
}

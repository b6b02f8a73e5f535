package ops

import (
	"strings"
	"testing"
	"time"

	"github.com/spillway/spillway/domain/alert"
	"github.com/spillway/spillway/domain/shipping"
	"github.com/spillway/spillway/kit/money"
	"github.com/spillway/spillway/sim/world"
	"github.com/spillway/spillway/store"
)

// scanned stores a parcel whose label was made elsewhere.
func (r *rig) scanned(id, order, carrier, number string) {
	r.t.Helper()
	s := r.shipment(id, order, shipping.ByHand, "")
	r.must(s.Scanned(time.Now(), carrier, number, money.Amount{}))
	r.must(r.st.Update(r.t.Context(), func(tx *store.Tx) error { _, err := tx.ShipmentsAdd([]store.Shipment{s}); return err }))
}

// untold is what is said at a moment of orders whose number the channel does not have.
func (r *rig) untold(at time.Time) (alert.Signal, bool) {
	r.t.Helper()
	r.x.alerts.untracked = untracked{}
	got, err := r.x.trackingSignals(r.t.Context(), &alert.Config{}, at)
	r.must(err)
	return find(r.t, got, alert.TrackingUpload, r.conn)
}

func TestANumberTheChannelDoesNotTakeIsToldBeforeItsDeadline(t *testing.T) {
	t.Parallel() // it waits for another try most of its time
	r := newRig(t)
	now := time.Now()
	refused, down, told := r.sell("S1", 1), r.sell("S1", 1), r.sell("S1", 1)
	r.scanned("sh-told", told, "USPS", "9400111206206406300100")
	r.shipped("sh-told", "the number is told", func(s store.Shipment) bool { return s.Tell.Tracking != "" })
	r.scanned("sh-refused", refused, "Pigeon Post", "PG1234567")
	r.shipped("sh-refused", "it is refused", func(s store.Shipment) bool { return s.Question() != "" })
	fault, err := r.shop.Faults.Add(world.Rule{Point: "*/parcels*", Kind: world.Unavailable, Probability: 1})
	r.must(err)
	r.scanned("sh-down", down, "USPS", "9400111206206406300209")
	r.shipped("sh-down", "the channel does not take it", func(s store.Shipment) bool { return s.Tell.Failures > 0 })

	// The orders want to be shipped within 48 hours: nothing is said 40 hours before, all of it 10 hours before, loudly an hour before and after.
	if s, any := r.untold(now.Add(8 * time.Hour)); any {
		t.Errorf("too early: %+v", s)
	}
	for after, want := range map[time.Duration]alert.Severity{38 * time.Hour: alert.Warning, 47 * time.Hour: alert.Critical, 50 * time.Hour: alert.Critical} {
		s, any := r.untold(now.Add(after))
		f, _ := s.Figure("orders without a tracking number")
		if !any || s.Severity != want || f.Value != 2 {
			t.Errorf("after %s: %+v", after, s)
		}
		for _, words := range []string{"(refused: the platform knows no carrier Pigeon Post)", "(it fails and is tried again: "} {
			if !strings.Contains(s.Text, words) {
				t.Errorf("%q does not say %q", s.Text, words)
			}
		}
	}
	r.shop.Faults.Remove(fault.ID)
	r.shipped("sh-down", "it is told", func(s store.Shipment) bool { return s.Tell.Tracking != "" })
	s, _ := r.untold(now.Add(47 * time.Hour))
	if f, _ := s.Figure("orders without a tracking number"); f.Value != 1 || strings.Contains(s.Text, "tried again") {
		t.Errorf("%+v", s)
	}
}

func TestWhyANumberIsNotTold(t *testing.T) {
	base := func(change func(*shipping.Shipment)) *shipping.Shipment {
		s := &shipping.Shipment{Way: shipping.ByCarrier}
		s.Booked(time.Now(), shipping.Label{Ref: "r", Tracking: "1Z"})
		change(s)
		return s
	}
	for name, c := range map[string]struct {
		change func(*shipping.Shipment)
		want   string
	}{
		"told":               {func(s *shipping.Shipment) { s.Tell.Tracking = "1Z" }, "-"},
		"the platform's":     {func(s *shipping.Shipment) { s.Way = shipping.ByPlatform }, "-"},
		"without a number":   {func(s *shipping.Shipment) { s.Label.Tracking = "" }, "-"},
		"stopped":            {func(s *shipping.Shipment) { s.Stop(time.Now(), "cancelled") }, "-"},
		"new":                {func(*shipping.Shipment) {}, "not told yet"},
		"another is known":   {func(s *shipping.Shipment) { s.Tell.Tracking = "2Z" }, "the channel knows the number it had before"},
		"no answer":          {func(s *shipping.Shipment) { s.Tell.Fate = shipping.Open }, "the channel does not answer"},
		"fails":              {func(s *shipping.Shipment) { s.Tell.Failures, s.Tell.Message = 3, "busy" }, "it fails and is tried again: busy"},
		"refused at length":  {func(s *shipping.Shipment) { s.Tell.Stuck, s.Tell.Message = true, strings.Repeat("é", 200) }, "refused: " + strings.Repeat("é", whyShown/2) + "…"},
		"refused as stopped": {func(s *shipping.Shipment) { s.Tell.Stuck = true; s.Stop(time.Now(), "x") }, "-"},
	} {
		why, untold := untoldWhy(base(c.change))
		if untold != (c.want != "-") || untold && why != c.want {
			t.Errorf("%s: %q, %v; want %q", name, why, untold, c.want)
		}
	}
}

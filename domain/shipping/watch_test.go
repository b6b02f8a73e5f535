package shipping

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/spillway/spillway/domain/policy/calendar"
	"github.com/spillway/spillway/domain/tracking"
	"github.com/spillway/spillway/domain/transit"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/kit/money"
)

const uspsNumber = "9400111206206406300100"

var calendars = map[[2]string]*calendar.Calendar{}

// days keeps calendars, as callers do.
func days(carrier, zone string) *calendar.Calendar {
	k := [2]string{carrier, zone}
	if calendars[k] == nil {
		if loc, err := time.LoadLocation(zone); err == nil {
			calendars[k], _ = transit.Calendar(carrier, loc)
		}
	}
	return calendars[k]
}

func onTheWay(t testing.TB, way Way) *Shipment {
	t.Helper()
	s := &Shipment{ID: "sh-1", ConnectionID: "c", Orders: []string{"c:1"}, Node: "main", Way: way, Lines: []Line{{OrderID: "c:1", ItemID: "MUG", Qty: 1}}}
	s.Booked(noon, Label{Ref: "L", Carrier: "USPS", Service: "Ground Advantage", Tracking: uspsNumber})
	return s
}

func follow(t testing.TB, s *Shipment, events ...tracking.Event) {
	t.Helper()
	if err := s.Follow(events...); err != nil {
		t.Fatal(err)
	}
}

func hour(n int) time.Time { return noon.Add(time.Duration(n) * time.Hour) }

// noon is Friday 20 November 2026; the post rests on Sundays and on Thursday the 26th.
func TestWhatIsWaitedForOfAParcel(t *testing.T) {
	end := func(day int) time.Time { return time.Date(2026, 11, day, 23, 59, 59, 0, time.UTC) }
	handed := func(s *Shipment) { s.HandedOverAt = hour(1) }
	scan := func(s *Shipment) { follow(t, s, tracking.Event{At: hour(4), Status: tracking.Accepted}) }
	for _, c := range []struct {
		name   string
		change []func(*Shipment)
		want   tracking.Trouble
		due    time.Time
	}{
		{"only labelled", nil, "", time.Time{}},
		{"handed over", []func(*Shipment){handed}, tracking.NoFirstScan, end(21)},
		{"handed over by an economy service", []func(*Shipment){handed, func(s *Shipment) { s.Label.Carrier, s.Label.Service = "UPS", "UPS Ground Saver" }}, tracking.NoFirstScan, end(24)},
		{"scanned", []func(*Shipment){handed, scan}, tracking.Silent, end(24)},
		{"scanned, and its way is short", []func(*Shipment){scan, func(s *Shipment) { s.Road = Road{Likely: 1, Late: 2, From: "stated"} }}, tracking.Overdue, end(23)},
		{"at the counter", []func(*Shipment){scan, func(s *Shipment) { follow(t, s, tracking.Event{At: hour(72), Status: tracking.ReadyForPickup}) }}, tracking.NotFetched, time.Date(2026, 12, 3, 23, 59, 59, 0, time.UTC)},
		{"the channel alone has seen it", []func(*Shipment){func(s *Shipment) { s.Left(hour(4), time.Time{}) }}, "", time.Time{}},
		{"the channel alone has seen it, on a known way", []func(*Shipment){func(s *Shipment) { s.Road = Road{Late: 2}; s.Left(hour(4), time.Time{}) }}, tracking.Overdue, end(23)},
		{"delivered", []func(*Shipment){scan, func(s *Shipment) { follow(t, s, tracking.Event{At: hour(30), Status: tracking.Delivered}) }}, "", time.Time{}},
		{"delivered, as the channel says", []func(*Shipment){scan, func(s *Shipment) { s.Left(hour(4), hour(40)) }}, "", time.Time{}},
		{"voided", []func(*Shipment){func(s *Shipment) { s.Stop(hour(1), "cancelled"); s.Voided(hour(2), "voided") }}, "", time.Time{}},
		{"what was told is of the number before", []func(*Shipment){scan, func(s *Shipment) { s.Label.Tracking = "9400111206206406300209"; s.SeenAt = time.Time{} }}, tracking.NoFirstScan, end(21)},
	} {
		s := onTheWay(t, ByCarrier)
		for _, change := range c.change {
			change(s)
		}
		f, ok := s.Watch(days, noon)
		if ok != (c.want != "") || f.Trouble != c.want || !f.Due.Equal(c.due) {
			t.Errorf("%s: %+v, %v; want %s by %s", c.name, f, ok, c.want, c.due)
		}
	}
}

func TestWhatAPersonHasSettledIsWatchedAgainWhenItIsHeardOf(t *testing.T) {
	s := onTheWay(t, ByCarrier)
	if err := s.Settle(days, hour(1), "lena", "lost"); !errs.Is(err, errs.Conflict) {
		t.Errorf("nothing is waited for: %v", err)
	}
	follow(t, s, tracking.Event{At: hour(4), Status: tracking.Accepted})
	if err := s.Settle(days, hour(200), "lena", "lost, claim 17"); err != nil {
		t.Fatal(err)
	}
	if f, ok := s.Watch(days, hour(300)); ok {
		t.Errorf("still waited for: %+v", f)
	}
	follow(t, s, tracking.Event{At: hour(100), Status: tracking.InTransit})
	if f, ok := s.Watch(days, hour(300)); ok {
		t.Errorf("an older scan that comes late: %+v", f)
	}
	follow(t, s, tracking.Event{At: hour(301), Status: tracking.InTransit})
	if f, ok := s.Watch(days, hour(302)); !ok || f.Trouble != tracking.Silent && f.Trouble != tracking.Overdue {
		t.Errorf("found again: %+v, %v", f, ok)
	}
}

// Whatever happens to a parcel in whatever order: one that is over is never stuck; of one that is not the moment from which it is follows from what is
// known of it, whenever it is asked, and no event makes that moment earlier than the event.
func TestStuckFollowsFromWhatIsKnown(t *testing.T) {
	statuses := rapid.SampledFrom(tracking.Statuses)
	rapid.Check(t, func(t *rapid.T) {
		s := &Shipment{ID: "sh-1", Way: rapid.SampledFrom(Ways).Draw(t, "way"), Orders: []string{"c:1"}}
		s.Booked(noon, Label{Ref: "L", Carrier: rapid.SampledFrom([]string{"USPS", "UPS", "FedEx", "Hermes", ""}).Draw(t, "carrier"), Tracking: uspsNumber})
		s.Road = Road{Likely: 2, Late: rapid.IntRange(0, 9).Draw(t, "late"), Zone: rapid.SampledFrom([]string{"", "America/New_York", "no such zone"}).Draw(t, "zone")}
		over := false
		for i := range rapid.IntRange(0, 12).Draw(t, "steps") {
			at := hour(rapid.IntRange(0, 24*20).Draw(t, "hour"))
			switch rapid.IntRange(0, 5).Draw(t, "what") {
			case 0:
				_ = s.HandOver(at)
			case 1:
				s.Left(at, time.Time{})
			case 2:
				s.Stop(at, "cancelled")
			case 3:
				if s.Way != ByHand && s.Void.Answer == "" && !s.Shipped() && !s.Stopped.IsZero() {
					s.Voided(at, "voided")
				}
			default:
				if err := s.Follow(tracking.Event{At: at, Status: statuses.Draw(t, "status")}); err != nil {
					t.Fatal(i, err)
				}
			}
		}
		if s.Track != nil {
			over = s.Track.State().Status.Over()
		}
		over = over || !s.DeliveredAt.IsZero() || s.Void.Answer == "voided" && s.Way != ByProvider
		early, ok := s.Watch(days, noon)
		late, okLate := s.Watch(days, noon.Add(5*365*24*time.Hour))
		if ok && over {
			t.Fatalf("it is over, and waited for: %+v\n%+v", early, s)
		}
		if ok != okLate || early.Trouble != late.Trouble || !early.Due.Equal(late.Due) {
			t.Fatalf("when it is asked decides: %+v, %+v", early, late)
		}
		if !ok {
			return
		}
		if early.Due.Before(early.Since) || !late.Stuck {
			t.Fatalf("%+v, %+v", early, late)
		}
		if f, _ := s.Watch(days, early.Due); f.Stuck {
			t.Fatalf("stuck at the moment itself: %+v", f)
		}
		if f, _ := s.Watch(days, early.Due.Add(time.Second)); !f.Stuck {
			t.Fatalf("not stuck after it: %+v", f)
		}
	})
}

func TestTermsFollowCarrierAndService(t *testing.T) {
	for name, want := range map[[2]string]int{{"UPS", "Ground"}: 3, {"UPS", "UPS Ground Saver"}: 8, {"UPS Ground Saver", ""}: 8, {"USPS", ""}: 8, {"", ""}: 4, {"Hermes", "Standard"}: 4} {
		s := &Shipment{}
		s.Booked(noon, Label{Carrier: name[0], Service: name[1], Price: money.Amount{}})
		if got := s.Terms(); got.Patience.Counter != want || got.Source == "" {
			t.Errorf("%v: %+v", name, got)
		}
	}
}

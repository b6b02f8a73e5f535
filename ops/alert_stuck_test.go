package ops

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/spillway/spillway/domain/alert"
	"github.com/spillway/spillway/domain/order"
	"github.com/spillway/spillway/domain/shipping"
	"github.com/spillway/spillway/domain/tracking"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/store"
)

// parcels stores parcels of orders of one shop, whose number is their id's.
func (w *watch) parcels(all ...store.Shipment) {
	w.t.Helper()
	w.must(w.x.st.Update(w.t.Context(), func(tx *store.Tx) error { _, err := tx.ShipmentsAdd(all); return err }))
}

// left is a parcel with a label.
func left(id, carrier string) store.Shipment {
	s := store.Shipment{Shipment: shipping.Shipment{ID: id, ConnectionID: "a", Orders: []string{"a:" + id}, Node: "main", Way: shipping.ByCarrier, Account: "acc",
		Lines: []shipping.Line{{OrderID: "a:" + id, Key: "k", ItemID: "MUG", Qty: 1}}}}
	s.Booked(time.Date(2026, 2, 20, 9, 0, 0, 0, time.UTC), shipping.Label{Ref: "r" + id, Carrier: carrier, Tracking: "9400111206206406300100"})
	return s
}

func (w *watch) stuckNow() map[string]alert.Signal {
	w.t.Helper()
	w.x.alerts.stuck = stuckParcels{}
	got, err := w.x.stuckSignals(w.t.Context(), &alert.Config{}, w.at)
	w.must(err)
	out := map[string]alert.Signal{}
	for _, s := range got {
		if _, twice := out[s.Subject]; twice || s.Kind != alert.StuckParcel || s.Next == "" || s.Order != "a:"+s.Subject {
			w.t.Errorf("%+v", s)
		}
		out[s.Subject] = s
	}
	return out
}

func TestAStuckParcelIsToldAndEndsWithTheNextEvent(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, url string) {
		w := newWatch(t, url)
		w.shop("a", "Nordlicht")
		o := order.Order{ID: "a:p1", ConnectionID: "a", ExternalID: "p1", Status: order.InTransit, Detail: order.Detail{Number: "1001", CreatedAt: w.at.Add(-day), Deadlines: order.Deadlines{DeliverBy: w.at.Add(5 * day)}}}
		w.save(o)
		s := left("p1", "USPS")
		w.must(s.Follow(tracking.Event{At: w.at, Status: tracking.Accepted}))
		w.parcels(s)
		f, ok := s.Watch(w.at)
		if !ok || f.Trouble != tracking.Silent {
			t.Fatalf("%+v, %v", f, ok)
		}
		for f.Due.Sub(w.at) > 2*time.Hour { // thousands of minutes, of which one an hour is looked at
			w.mu.Lock()
			w.at = w.at.Add(59 * time.Minute)
			w.mu.Unlock()
			w.pass(time.Minute, false)
		}
		w.pass(f.Due.Sub(w.at).Truncate(time.Minute), false)
		if got := w.open(); len(got) != 0 {
			t.Fatalf("before its time: %+v", got[0].Last)
		}
		w.pass(2*time.Minute, false) // a scan's period after it
		got := w.open()
		if len(got) != 1 || got[0].Kind != alert.StuckParcel || got[0].Subject != "p1" || got[0].Last.Order != "a:p1" || got[0].Severity != alert.Warning {
			t.Fatalf("%+v", got)
		}
		for _, word := range []string{"Nordlicht", "1001", "300100", "USPS", "The last scan was on 2 March 09:00", "deadline is 7 Mar"} {
			if !strings.Contains(got[0].Last.Text, word) {
				t.Errorf("%q is not in %q", word, got[0].Last.Text)
			}
		}
		view, err := newDesk(t, w.x).Incident(t.Context(), got[0].ID)
		if err != nil || view.About.ID != "a:p1" {
			t.Errorf("%+v, %v", view.About, err)
		}
		w.must(w.x.st.Update(t.Context(), func(tx *store.Tx) error {
			s, err := tx.ShipmentGet("p1")
			if err == nil {
				err = s.Follow(tracking.Event{At: w.at, Status: tracking.InTransit})
			}
			if err == nil {
				err = tx.ShipmentsSave([]store.Shipment{s})
			}
			return err
		}))
		w.pass(7*time.Minute, false)
		if got := w.open(); len(got) != 0 {
			t.Errorf("still open: %+v", got[0].Last)
		}
	})
}

// The alert names just the parcels that are stuck, at any moment, whatever happened to them; none that arrived, came back or was given back.
func TestStuckParcelsAreJustThoseThatAre(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		w := newWatch(t, url)
		w.shop("a", "Nordlicht")
		r := rand.New(rand.NewPCG(21, 5))
		start := w.at
		var all []store.Shipment
		for i := range 300 {
			s := left(fmt.Sprintf("p%03d", i), []string{"USPS", "UPS", "FedEx", "Hermes"}[r.IntN(4)])
			s.Node = []string{"main", "east"}[r.IntN(2)]
			if r.IntN(2) == 0 {
				s.Road = shipping.Road{Likely: 3, Late: 5, From: "usual", Zone: "America/Los_Angeles"}
			}
			at := start.Add(time.Duration(r.IntN(72)) * time.Hour)
			switch r.IntN(10) {
			case 0: // only labelled
			case 1:
				s.Stop(at, "cancelled")
				s.Voided(at, "voided")
			case 2:
				s.Left(at, at.Add(30*time.Hour))
			default:
				w.must(s.HandOver(at))
				for range r.IntN(6) {
					at = at.Add(time.Duration(1+r.IntN(40)) * time.Hour)
					w.must(s.Follow(tracking.Event{At: at, Status: tracking.Statuses[r.IntN(len(tracking.Statuses))]}))
				}
			}
			all = append(all, s)
		}
		w.parcels(all...)
		stuck := 0
		for _, days := range []int{0, 1, 3, 6, 10, 25, 58, 75, 200} {
			w.at = start.Add(time.Duration(days) * day)
			got := w.stuckNow()
			for i := range all {
				s := &all[i]
				over := !s.DeliveredAt.IsZero() || s.Void.Answer == "voided" || s.Track != nil && s.Track.State().Status.Over()
				f, waits := s.Watch(w.at)
				want := waits && f.Stuck && w.at.Sub(f.Due) <= shipping.WatchedFor
				if _, told := got[s.ID]; told != want || told && over {
					t.Errorf("after %d days %s is told: %v, want %v, over: %v; %+v %+v", days, s.ID, told, want, over, f, s.Shipment)
				}
			}
			stuck += len(got)
		}
		if stuck < 300 {
			t.Errorf("only %d times something was stuck: the test shows little", stuck)
		}
	})
}

func TestAMissingFirstScanIsUrgentBeforeItsDeadline(t *testing.T) {
	at := time.Date(2026, 3, 4, 9, 0, 0, 0, time.UTC)
	s := left("p1", "UPS")
	if err := s.HandOver(at.Add(-2 * day)); err != nil {
		t.Fatal(err)
	}
	f, ok := s.Watch(at)
	if !ok || !f.Stuck || f.Trouble != tracking.NoFirstScan {
		t.Fatalf("%+v, %v", f, ok)
	}
	for by, want := range map[time.Duration]alert.Severity{time.Hour: alert.Critical, scanSoon: alert.Critical, scanSoon + time.Minute: alert.Warning, -time.Minute: alert.Warning} {
		o := order.Order{ID: "a:p1", Status: order.AwaitingCollection, Detail: order.Detail{Deadlines: order.Deadlines{HandOverBy: at.Add(by)}}}
		if got := stuckSignal(&s, &o, f, nil, at); got.Severity != want {
			t.Errorf("%s before its deadline: %s, want %s", by, got.Severity, want)
		}
	}
}

func TestWhatAPersonSettlesIsNotWaitedFor(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		w := newWatch(t, url)
		w.shop("a", "Nordlicht")
		s := left("p1", "USPS")
		w.must(s.HandOver(w.at.Add(-5 * day)))
		w.parcels(s)
		if len(w.stuckNow()) != 1 {
			t.Fatal("it is not stuck")
		}
		if err := w.x.SettleParcel(t.Context(), "p1", "lena", " "); !errs.Is(err, errs.Invalid) {
			t.Errorf("without a reason: %v", err)
		}
		w.must(w.x.SettleParcel(t.Context(), "p1", "lena", "lost, claim 17"))
		if err := w.x.SettleParcel(t.Context(), "p1", "lena", "again"); !errs.Is(err, errs.Conflict) {
			t.Errorf("twice: %v", err)
		}
		if got := w.stuckNow(); len(got) != 0 {
			t.Errorf("%+v", got)
		}
		w.must(w.x.st.View(t.Context(), func(tx *store.Tx) error {
			rows, err := tx.EventsOf("a:p1", 10)
			if len(rows) != 1 || rows[0].Kind != EventSettled {
				t.Errorf("%+v", rows)
			}
			return err
		}))
	})
}

package ops

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/spillway/spillway/connector/driver"
	"github.com/spillway/spillway/domain/alert"
	"github.com/spillway/spillway/domain/order"
	"github.com/spillway/spillway/domain/tracking"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/ops/view"
	shipbobsim "github.com/spillway/spillway/sim/shipbob"
	"github.com/spillway/spillway/sim/world"
	"github.com/spillway/spillway/store"
)

// onTheRoad stores a parcel of an account that was scanned now, and returns from when on it is stuck.
func (r *newsRig) onTheRoad(id string, a store.CarrierAccount) time.Time {
	r.t.Helper()
	r.save(order.Order{ID: "a:" + id, ConnectionID: "a", ExternalID: id, Status: order.InTransit, Detail: order.Detail{Number: id, CreatedAt: r.at.Add(-day)}})
	s := left(id, "USPS")
	s.Account = a.ID
	r.must(s.Follow(tracking.Event{At: r.at, Status: tracking.Accepted}))
	r.parcels(s)
	f, ok := s.Watch(r.at)
	if !ok {
		r.t.Fatal("nothing is waited for")
	}
	return f.Due
}

// told are the signals of stuck parcels and of accounts that were not heard.
func (r *newsRig) told() (stuck, unheard []alert.Signal) {
	r.t.Helper()
	r.x.alerts.stuck = stuckParcels{}
	all, err := r.x.stuckSignals(r.t.Context(), &alert.Config{}, r.at)
	r.must(err)
	for _, s := range all {
		if s.Kind == alert.StuckParcel {
			stuck = append(stuck, s)
		} else {
			unheard = append(unheard, s)
		}
	}
	return stuck, unheard
}

// page is what the order's page, the floor and the API say of a parcel.
func (r *newsRig) page(id string) (way view.ParcelWay, floor int64) {
	r.t.Helper()
	var s store.Shipment
	r.must(r.x.st.View(r.t.Context(), func(tx *store.Tx) (err error) {
		if s, err = tx.ShipmentGet(id); err != nil {
			return err
		}
		h, err := r.x.hearing(tx)
		way = *wayView(h, &s, r.at)
		v := view.Bench{At: r.at}
		if err == nil {
			err = r.x.stuckAt(tx, s.Node, &v)
		}
		if floor = v.StuckN; int64(len(v.Stuck)) != floor {
			r.t.Errorf("%d are listed of %d", len(v.Stuck), floor)
		}
		return err
	}))
	told, err := r.x.WatchParcels(r.t.Context(), []store.Shipment{s}, r.at)
	if f := told[id]; err != nil || f.Stuck != way.Stuck || f.Unheard != way.Unheard {
		r.t.Errorf("the API says %+v, the page %+v; %v", f, way, err)
	}
	return way, floor
}

// An API that is away for a week is no silence of the parcels': they are not stuck, and it is said that the account is not heard. When it is back and tells
// nothing of a parcel, that one is.
func TestAnAccountThatIsNotHeardMakesNoParcelStuck(t *testing.T) {
	newsOnBoth(t, func(t *testing.T, r *newsRig) {
		s, a := r.shipbob("Hub", plainly)
		_, gone := r.shipbob("Old hub", plainly)
		due := r.onTheRoad("p1", a)
		r.onTheRoad("p2", gone)
		r.must(r.x.RemoveCarrier(t.Context(), gone.ID, "lena"))
		ask := func() error { _, err := r.x.askNewsOf(t.Context(), a); return err }
		r.must(ask())
		away, err := s.Faults.Add(world.Rule{Point: "*", Kind: world.TokenExpired, Probability: 1})
		r.must(err)
		r.later(due.Sub(r.at) + 7*day)
		if driver.ClassOf(ask()) != driver.AskHuman {
			t.Fatal("the account is not away")
		}
		stuck, unheard := r.told()
		if len(stuck) != 1 || stuck[0].Subject != "p2" { // nobody will ever be heard of it
			t.Errorf("stuck: %+v", stuck)
		}
		if len(unheard) != 1 || unheard[0].Kind != alert.CarrierUnheard || unheard[0].Subject != a.ID || !strings.Contains(unheard[0].Text, "Hub has told nothing of any parcel since 2 Mar 09:00 UTC: of 1 parcel") {
			t.Errorf("not heard: %+v", unheard)
		}
		if way, floor := r.page("p1"); way.Stuck || !way.Unheard || !strings.Contains(way.Text, "nobody can say") || floor != 1 {
			t.Errorf("%+v, %d on the floor", way, floor)
		}
		if !s.Faults.Remove(away.ID) {
			t.Fatal("it stays away")
		}
		r.later(time.Minute)
		r.must(ask())
		r.later(time.Minute)
		if stuck, unheard := r.told(); len(stuck) != 2 || len(unheard) != 0 {
			t.Errorf("back again: stuck %+v, not heard %+v", stuck, unheard)
		}
		if way, floor := r.page("p1"); !way.Stuck || way.Unheard || floor != 2 {
			t.Errorf("%+v, %d on the floor", way, floor)
		}
	})
}

// Until a list is read, a parcel whose time has just come is neither stuck nor is its account complained of.
func TestAParcelIsStuckOnceItsAccountWasHeardAfterItsTime(t *testing.T) {
	newsOnBoth(t, func(t *testing.T, r *newsRig) {
		_, a := r.shipbob("Hub", plainly)
		due := r.onTheRoad("p1", a)
		r.later(due.Sub(r.at) - time.Minute)
		_, err := r.x.askNewsOf(t.Context(), a)
		r.must(err)
		r.later(2 * time.Minute)
		if stuck, unheard := r.told(); len(stuck)+len(unheard) != 0 {
			t.Errorf("%+v %+v", stuck, unheard)
		}
		_, err = r.x.askNewsOf(t.Context(), a)
		r.must(err)
		if stuck, unheard := r.told(); len(stuck) != 1 || len(unheard) != 0 {
			t.Errorf("%+v %+v", stuck, unheard)
		}
	})
}

// A webhook is heard too, a forged one is not; many are written down once a minute.
func TestAWebhookIsHeard(t *testing.T) {
	newsOnBoth(t, func(t *testing.T, r *newsRig) {
		s, a := r.shipbob("Hub", plainly)
		n := 0
		s.Subscribe(r.serve(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
			n++
			body, err := io.ReadAll(q.Body)
			if err != nil {
				t.Error(err)
			}
			if err := r.x.ReceiveParcelNews(q.Context(), "shipbob", a.ID, q.Header, body); err != nil {
				t.Error(err)
			}
		})))
		heard := func() (at time.Time) {
			r.must(r.x.st.View(t.Context(), func(tx *store.Tx) error {
				h, err := r.x.hearing(tx)
				at = h[a.ID].last
				return err
			}))
			return at
		}
		forged := http.Header{"Webhook-Id": {"m"}, "Webhook-Timestamp": {fmt.Sprint(r.at.Unix())}, "Webhook-Signature": {shipbobsim.Sign("whsec_b3RoZXI=", "m", fmt.Sprint(r.at.Unix()), []byte("{}"))}, "X-Webhook-Topic": {"order.shipped"}}
		if err := r.x.ReceiveParcelNews(t.Context(), "shipbob", a.ID, forged, []byte("{}")); !errs.Is(err, errs.Unauthenticated) || !heard().IsZero() {
			t.Errorf("forged: %v, heard at %s", err, heard())
		}
		id := r.handed(a, 9*day)
		for n == 0 { // step by step, since a message is believed only for minutes after it was signed
			next, ok := r.clock.Next()
			if !ok {
				t.Fatal("the parcel does not leave")
			}
			r.later(next.Sub(r.clock.Now()))
			r.must(s.Courier().Idle(t.Context()))
		}
		first := heard()
		if n != 1 || first.IsZero() || r.number(id) == "" {
			t.Fatalf("%d webhooks, heard at %s", n, first)
		}
		r.mu.Lock()
		r.at = r.at.Add(heardEvery - time.Second)
		r.mu.Unlock()
		if r.x.heardOf(t.Context(), a.ID); !heard().Equal(first) {
			t.Errorf("written down again after %s", heard().Sub(first))
		}
		r.later(day)
		if r.x.heardOf(t.Context(), a.ID); heard().Sub(first) < day {
			t.Errorf("a day later it is heard at %s", heard())
		}
	})
}

// The account has one incident, which is over when it is heard again; its page can be opened.
func TestAnAccountThatIsNotHeardHasAnIncident(t *testing.T) {
	newsOnBoth(t, func(t *testing.T, r *newsRig) {
		_, a := r.shipbob("Hub", plainly)
		due := r.onTheRoad("p1", a)
		r.onTheRoad("p2", a)
		r.later(due.Sub(r.at) + unheardAfter)
		r.pass(5*time.Minute, false)
		got := r.open()
		if len(got) != 1 || got[0].Kind != alert.CarrierUnheard || got[0].Subject != a.ID || !strings.Contains(got[0].Last.Text, "of 2 parcels") {
			t.Fatalf("%+v", got)
		}
		if v, err := newDesk(t, r.x).Incident(t.Context(), got[0].ID); err != nil || v.At.IsZero() {
			t.Errorf("its page: %v", err)
		}
		_, err := r.x.askNewsOf(t.Context(), a)
		r.must(err)
		r.pass(7*time.Minute, false)
		got = r.open()
		if len(got) != 2 || got[0].Kind != alert.StuckParcel || got[1].Kind != alert.StuckParcel {
			t.Errorf("heard again: %+v", got)
		}
	})
}

// Each of the two kinds is turned off by itself: who wants no alarms of single parcels is still told that a carrier is not heard, and the other way round.
func TestStuckParcelsAndUnheardAccountsAreTurnedOffApart(t *testing.T) {
	for _, off := range []alert.Kind{alert.StuckParcel, alert.CarrierUnheard, ""} {
		t.Run("without "+string(off), func(t *testing.T) {
			r := newNewsRig(t)
			_, a := r.shipbob("Hub", plainly)
			_, gone := r.shipbob("Old hub", plainly)
			due := r.onTheRoad("p1", a)
			r.onTheRoad("p2", gone) // of it nobody will ever be heard: it is stuck
			r.must(r.x.RemoveCarrier(t.Context(), gone.ID, "lena"))
			want := map[alert.Kind]string{alert.StuckParcel: "p2", alert.CarrierUnheard: a.ID}
			if off != "" {
				rule := alert.Config{}.Rule(off)
				rule.Off = true
				_, err := r.x.SetAlertRule(t.Context(), rule, "lena")
				r.must(err)
				delete(want, off)
			}
			r.later(due.Sub(r.at) + unheardAfter)
			r.pass(5*time.Minute, false)
			got := map[alert.Kind]string{}
			for _, i := range r.open() {
				got[i.Kind] = i.Subject
			}
			if !maps.Equal(got, want) {
				t.Errorf("told of %v, want %v", got, want)
			}
		})
	}
}

package ops

import (
	"bytes"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/spillway/spillway/sim/world"
	"github.com/spillway/spillway/store"
)

// singly knows in which order single orders were asked for.
type singly struct {
	mu   sync.Mutex
	refs []string
}

func (l *singly) through(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		ref := ""
		if path, ok := strings.CutPrefix(r.URL.Path, "/2026-07/order/"); ok && r.Method == http.MethodGet {
			ref = path
		} else if bytes.Contains(body, []byte("order(id:")) {
			_, after, _ := strings.Cut(string(body), `"id":"`)
			ref, _, _ = strings.Cut(after, `"`)
		}
		if ref != "" {
			l.mu.Lock()
			l.refs = append(l.refs, ref)
			l.mu.Unlock()
		}
		h.ServeHTTP(w, r)
	})
}

// since are the parcels that were asked for, and forgets them.
func (l *singly) since(t *testing.T, r *newsRig, account string) (ids []string) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	r.must(r.x.st.View(t.Context(), func(tx *store.Tx) error {
		for _, ref := range l.refs {
			got, err := tx.ShipmentsBy(ref, 9)
			got = slices.DeleteFunc(got, func(s store.Shipment) bool { return s.Account != account })
			if err != nil || len(got) != 1 {
				t.Errorf("%s is no parcel's: %d, %v", ref, len(got), err)
				continue
			}
			ids = append(ids, got[0].ID)
		}
		return nil
	}))
	l.refs = nil
	return ids
}

// Every webhook is dropped and the list cannot be read: parcels are asked for one by one all the same, those that must leave first in front, and only where
// their deadline is near.
func TestAParcelWhoseWebhookStayedAwayIsAskedForBeforeItsDeadline(t *testing.T) {
	for name, start := range map[string]func(*newsRig, *singly) (*world.Faults, string, store.CarrierAccount){
		"ShipBob": func(r *newsRig, l *singly) (*world.Faults, string, store.CarrierAccount) {
			s, a := r.shipbob("Hub", l.through)
			return s.Faults, "GET /2026-07/order", a
		},
		"ShipHero": func(r *newsRig, l *singly) (*world.Faults, string, store.CarrierAccount) {
			s, a := r.shiphero("Hub", l.through)
			return s.Faults, "orders", a
		},
	} {
		t.Run(name, func(t *testing.T) {
			r, seen := newNewsRig(t), &singly{}
			faults, list, a := start(r, seen)
			_, other := r.shipbob("Other", plainly)
			far, third, first, second, notOurs := r.handed(a, 20*time.Hour), r.handed(a, 6*time.Hour), r.handed(a, 4*time.Hour), r.handed(a, 5*time.Hour), r.handed(other, 4*time.Hour)
			_, err := faults.Add(world.Rule{Point: list, Kind: world.TokenExpired, Probability: 1})
			r.must(err)
			looks := &lateLooks{x: r.x, asked: map[string]map[string]time.Time{}}
			ask := func() []string {
				t.Helper()
				more, err := looks.ask(t.Context(), a)
				if err != nil || more {
					t.Fatalf("more to ask for: %v, %v", more, err)
				}
				return seen.since(t, r, a.ID)
			}
			if got := ask(); len(got) != 0 {
				t.Errorf("asked for at once: %v", got)
			}
			r.later(95 * time.Minute) // not shipped yet
			if got := ask(); !slices.Equal(got, []string{first, second, third}) {
				t.Errorf("asked for %v, want %v", got, []string{first, second, third})
			}
			if got := ask(); len(got) != 0 {
				t.Errorf("asked for again at once: %v", got)
			}
			r.later(75 * time.Minute) // shipped, and nobody was told
			if got := ask(); !slices.Equal(got, []string{first, second, third}) {
				t.Errorf("asked for %v, want %v", got, []string{first, second, third})
			}
			for id, known := range map[string]bool{first: true, second: true, third: true, far: false, notOurs: false} {
				if (r.number(id) != "") != known {
					t.Errorf("the number of %s is %q", id, r.number(id))
				}
			}
			r.later(time.Hour)
			if got := ask(); len(got) != 0 {
				t.Errorf("asked for although its number is known: %v", got)
			}
			r.later(15 * time.Hour)
			if got := ask(); !slices.Equal(got, []string{far}) || r.number(far) == "" {
				t.Errorf("asked for %v, want %s", got, far)
			}
		})
	}
}

// One turn asks for so many at most; what it does not get to is the latest due, and next. One order the provider does not know keeps no other waiting.
func TestATurnAsksForSoManyParcels(t *testing.T) {
	r, seen := newNewsRig(t), &singly{}
	_, a := r.shipbob("Hub", seen.through)
	var ids []string
	for i := range lateMost + 1 {
		ids = append(ids, r.handed(a, 5*time.Hour-time.Duration(i)*time.Minute))
	}
	slices.Reverse(ids)
	r.later(4*time.Hour - 30*time.Minute)
	looks := &lateLooks{x: r.x, asked: map[string]map[string]time.Time{}}
	r.must(r.x.st.Update(t.Context(), func(tx *store.Tx) error {
		one, err := tx.ShipmentGet(ids[1])
		if err == nil {
			one.Label.Ref = "1"
			err = tx.ShipmentsSave([]store.Shipment{one})
		}
		return err
	}))
	more, err := looks.ask(t.Context(), a)
	got := seen.since(t, r, a.ID)
	if err != nil || !more || !slices.Equal(got, ids[:lateMost]) {
		t.Errorf("more: %v, %v; asked for %v, want %v", more, err, got, ids[:lateMost])
	}
	for i, id := range ids {
		if known := r.number(id) != ""; known != (i < lateMost && i != 1) {
			t.Errorf("parcel %d of those due has a number: %v", i, known)
		}
	}
	all, err := r.x.outstanding(t.Context(), a.ID, r.x.now())
	r.must(err)
	var next []string
	for _, p := range looks.due(a.ID, all) {
		next = append(next, p.ID)
	}
	if !slices.Equal(next, ids[lateMost:]) {
		t.Errorf("next are %v, want %v", next, ids[lateMost:])
	}
}

// A login that is refused ends the turn: the next parcel would be refused too.
func TestARefusedLoginEndsTheTurn(t *testing.T) {
	r, seen := newNewsRig(t), &singly{}
	s, a := r.shipbob("Hub", seen.through)
	first, second := r.handed(a, 3*time.Hour), r.handed(a, 4*time.Hour)
	_, err := s.Faults.Add(world.Rule{Point: "GET /2026-07/order/*", Kind: world.TokenExpired, Remaining: 1})
	r.must(err)
	r.later(150 * time.Minute)
	looks := &lateLooks{x: r.x, asked: map[string]map[string]time.Time{}}
	if _, err := looks.ask(t.Context(), a); err == nil || !slices.Equal(seen.since(t, r, a.ID), []string{first}) {
		t.Errorf("it goes on: %v", err)
	}
	if _, err := looks.ask(t.Context(), a); err != nil || !slices.Equal(seen.since(t, r, a.ID), []string{first, second}) {
		t.Errorf("when the login is good again: %v", err)
	}
}

// What is not a provider's to tell of is not asked for.
func TestOnlyParcelsAProviderHasAreAskedFor(t *testing.T) {
	r := newNewsRig(t)
	_, a := r.shipbob("Hub", plainly)
	id := r.handed(a, 3*time.Hour)
	is := func(what string, want bool, change func(*store.Shipment)) {
		t.Helper()
		var s store.Shipment
		r.must(r.x.st.View(t.Context(), func(tx *store.Tx) (err error) { s, err = tx.ShipmentGet(id); return err }))
		change(&s)
		if awaited(&s.Shipment) != want {
			t.Errorf("%s: %v", what, !want)
		}
	}
	is("with the provider", true, func(*store.Shipment) {})
	is("its number is known", false, func(s *store.Shipment) { s.Label.Tracking = "9400111206206406300100" })
	is("stopped", false, func(s *store.Shipment) { s.Stop(r.at, "cancelled") })
	is("its booking is unsure", false, func(s *store.Shipment) { s.Label.Fate = "unknown" })
	is("our own label", false, func(s *store.Shipment) { s.Way = "carrier" })
}

package ops

import (
	"fmt"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	easypostcarrier "github.com/spillway/spillway/connector/easypost"
	shippocarrier "github.com/spillway/spillway/connector/shippo"

	"github.com/spillway/spillway/connector/driver"
	"github.com/spillway/spillway/domain/custody"
	"github.com/spillway/spillway/domain/order"
	"github.com/spillway/spillway/domain/shipping"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/ops/view"
	easypostsim "github.com/spillway/spillway/sim/easypost"
	shipposim "github.com/spillway/spillway/sim/shippo"
	"github.com/spillway/spillway/sim/world"
	"github.com/spillway/spillway/store"
)

// dock is a node whose parcels have labels of a simulated broker.
type dock struct {
	*rig
	account string
}

func (r *rig) dock(carrier driver.Carrier, settings map[string]string) *dock {
	r.t.Helper()
	name := carrier.Describe().Name
	r.x.carriers[name] = carrier
	a, err := r.x.AddCarrier(r.t.Context(), NewCarrierAccount{Carrier: name, Name: "Main account", Settings: settings, Actor: "lena"})
	r.must(err)
	return &dock{rig: r, account: a.ID}
}

func (r *rig) easypostDock() (*dock, *easypostsim.Sim) {
	r.t.Helper()
	s := easypostsim.New(world.Wall(), 7)
	r.t.Cleanup(s.Stop)
	server := httptest.NewServer(s.Handler())
	r.t.Cleanup(server.Close)
	return r.dock(easypostcarrier.Carrier{}, map[string]string{"api_key": easypostsim.APIKey, "base_url": server.URL + "/v2"}), s
}

// labels buys labels and has their parcels wait for the van. No shop works on them.
func (k *dock) labels(carrier string, ids ...string) {
	k.t.Helper()
	to, err := k.x.freight(k.t.Context(), k.account)
	k.must(err)
	var all []store.Shipment
	for _, id := range ids {
		b := driver.Booking{ID: id, Format: "PDF", Parcel: driver.Parcel{OrderIDs: []string{id}, Number: id, Grams: 420, LengthMM: 200, WidthMM: 150, HeightMM: 100, ShipOn: time.Now(),
			Lines: []driver.ParcelLine{{SKU: "MUG", Title: "Mug", Qty: 1}}, From: driver.Address{Company: "Mugs", Line1: "1 Dock Rd", City: "Columbus", State: "OH", Post: "43004", Country: "US"},
			To: driver.Address{Name: "A. Buyer", Line1: "22 Elm St", City: "Denver", State: "CO", Post: "80202", Country: "US"}}}
		quotes, err := to.Quote(k.t.Context(), b.Parcel)
		k.must(err)
		b.Quote = quotes[slices.IndexFunc(quotes, func(q driver.Quote) bool { return q.Carrier == carrier })]
		got, err := to.Book(k.t.Context(), b)
		k.must(err)
		s := k.shipment(id, "nobody:"+id, shipping.ByCarrier, k.account)
		s.ConnectionID = "nobody"
		s.Booked(time.Now(), labelOf(got))
		s.Stored("printed")
		s.Told(time.Now(), s.Label.Tracking, "", "", -1)
		all = append(all, s)
	}
	k.must(k.st.Update(k.t.Context(), func(tx *store.Tx) error { _, err := tx.ShipmentsAdd(all); return err }))
}

func (k *dock) draft(id string) view.ManifestDraft {
	return view.ManifestDraft{ID: id, Node: "main", Account: k.account, Carrier: "USPS", Actor: "mia"}
}

// page is what the hand-over page says could go on manifests, and of those made.
func (k *dock) page(free int64) []view.Manifest {
	k.t.Helper()
	v, err := k.d.HandOver(k.t.Context(), "main")
	k.must(err)
	var n int64
	for _, u := range v.Unlisted {
		n += u.N
		if u.Name != "Main account" {
			k.t.Errorf("%+v", u)
		}
	}
	if n != free {
		k.t.Errorf("%d parcels could go on a manifest, want %d", n, free)
	}
	return v.Manifests
}

func (k *dock) parcel(id string) (s store.Shipment) {
	k.t.Helper()
	k.must(k.st.View(k.t.Context(), func(tx *store.Tx) (err error) { s, err = tx.ShipmentGet(id); return err }))
	return s
}

// labelWord is what the page of a parcel's order says of its label.
func (k *dock) labelWord(id string) (word string) {
	k.t.Helper()
	k.must(k.st.View(k.t.Context(), func(tx *store.Tx) error {
		v, err := k.d.orderRoute(tx, &order.Order{ID: "nobody:" + id})
		if err == nil {
			word = v.Parcels[0].Label
		}
		return err
	}))
	return word
}

func (k *dock) refused(kind errs.Kind, words string, err error) {
	k.t.Helper()
	if !errs.Is(err, kind) || !strings.Contains(errs.Safe(err), words) {
		k.t.Errorf("%v, want %q", err, words)
	}
}

func TestACarrierClosesADayOnce(t *testing.T) {
	rigOnBoth(t, func(t *testing.T, r *rig) {
		k, sim := r.easypostDock()
		k.labels("USPS", "p1", "p2", "p3", "p4")
		k.stops("p3", shipping.VoidRefused)
		scan := view.Scan{ID: "scan-1", Node: "main", Station: "dock", Text: k.parcel("p2").Label.Tracking, Actor: "mia"} // the van was early
		if a, err := k.x.HandScan(t.Context(), scan); !a.OK || err != nil {
			t.Fatalf("%+v %v", a, err)
		}
		k.page(3)
		k.did(k.d.CloseManifest(t.Context(), k.draft("m1")))
		k.did(k.d.CloseManifest(t.Context(), k.draft("m1"))) // sent again
		if n := sim.ScanForms(); n != 1 {
			t.Errorf("%d forms are made", n)
		}
		made := k.page(0)
		if len(made) != 1 || made[0].N != 3 || !made[0].Sheet || made[0].NotDone || made[0].Text != "" {
			t.Errorf("%+v", made)
		}
		_, on, _, err := k.x.Manifest(t.Context(), "m1")
		if !slices.Equal(on, []string{"p1", "p2", "p4"}) || err != nil {
			t.Errorf("on it are %v, %v", on, err)
		}
		_, err = k.d.CloseManifest(t.Context(), k.draft("m2"))
		k.refused(errs.Conflict, "on no manifest yet", err)
		for range 2 {
			sheet, err := k.d.FloorSheet(t.Context(), "carrier-manifest", "m1")
			if err != nil || sheet.Type != "application/pdf" || !strings.Contains(string(sheet.Data), "SCAN FORM") {
				t.Errorf("%q, %v", sheet.Type, err)
			}
		}
		if word := k.labelWord("p4"); !strings.HasSuffix(word, ", on its carrier’s manifest") {
			t.Errorf("the order's page says the label is %q", word)
		}
		k.proves("p1", custody.Manifested)
		k.proves("p2", custody.HandedOver, custody.Manifested)

		k.labels("USPS", "p5") // after the form was made
		k.page(1)
		k.did(k.d.CloseManifest(t.Context(), k.draft("m2")))
		k.stops("p1", shipping.VoidRefused)
		if word := k.labelWord("p1"); !strings.Contains(word, "taking it back: refused") || !strings.Contains(word, "strike it from the sheet") {
			t.Errorf("the order's page says the label is %q", word)
		}
		made = k.page(0)
		if len(made) != 2 || made[0].ID != "m2" || !strings.HasPrefix(made[1].Text, "1 parcel of it will not ship") || made[1].Level != view.Watch {
			t.Errorf("%+v", made)
		}
	})
}

// stops has a parcel not ship any more; what was answered when its label was to be taken back is told.
func (k *dock) stops(id, answer string) {
	k.t.Helper()
	k.must(k.st.Update(k.t.Context(), func(tx *store.Tx) error {
		s, err := tx.ShipmentGet(id)
		if err != nil {
			return err
		}
		was := s.Shipment
		s.Stop(tx.Now(), "cancelled")
		s.Voided(tx.Now(), answer)
		return k.x.saveParcel(tx, &was, &s, custody.Channel)
	}))
}

func TestTwoStationsCloseOneManifest(t *testing.T) {
	rigOnBoth(t, func(t *testing.T, r *rig) {
		k, sim := r.easypostDock()
		k.labels("USPS", "p1", "p2", "p3")
		var all sync.WaitGroup
		said := make([]error, 6)
		for i := range said {
			all.Go(func() { // each of three stations sends it twice
				_, said[i] = k.d.CloseManifest(t.Context(), k.draft(fmt.Sprintf("m%d", i%3)))
			})
		}
		all.Wait()
		made := 0
		for i, err := range said {
			if err == nil {
				made++
				if said[(i+3)%6] != nil {
					t.Errorf("of one station's two, one was told %v", said[(i+3)%6])
				}
				continue
			}
			k.refused(errs.Conflict, "on no manifest yet", err)
		}
		if made != 2 || sim.ScanForms() != 1 {
			t.Errorf("%d were told that it is made, %d forms are", made, sim.ScanForms())
		}
	})
}

func TestAManifestWhoseAnswerIsLostIsAskedOfAPerson(t *testing.T) {
	k, sim := newRig(t).easypostDock()
	k.labels("USPS", "p1", "p2")
	if _, err := sim.Faults.Add(world.Rule{Point: "POST /v2/scan_forms", Kind: world.LostReply, Remaining: 1}); err != nil {
		t.Fatal(err)
	}
	_, err := k.d.CloseManifest(t.Context(), k.draft("m1"))
	k.refused(errs.Conflict, "not known whether", err)
	_, err = k.d.CloseManifest(t.Context(), k.draft("m1")) // sent again, it is told again
	k.refused(errs.Conflict, "not known whether", err)
	made := k.page(0) // it may be made, so they go on no other
	if len(made) != 1 || !made[0].Made || made[0].NotMade || !made[0].NotDone || sim.ScanForms() != 1 {
		t.Errorf("%+v, %d forms", made, sim.ScanForms())
	}
	_, err = k.d.SettleManifest(t.Context(), "m1", false, "mia")
	k.refused(errs.Conflict, "may still be made until", err)
	k.did(k.d.SettleManifest(t.Context(), "m1", true, "mia"))
	k.did(k.d.SettleManifest(t.Context(), "m1", true, "mia"))
	made = k.page(0)
	if made[0].Made || made[0].NotMade || made[0].NotDone || made[0].Sheet || !strings.HasPrefix(made[0].Text, "Made, says mia") {
		t.Errorf("%+v", made)
	}
	_, err = k.x.ManifestDocument(t.Context(), "m1")
	k.refused(errs.NotFound, "own pages", err)

	k.labels("USPS", "p3") // and one of which nothing was heard since the program stopped
	k.must(k.st.Update(t.Context(), func(tx *store.Tx) error {
		if _, err := tx.ManifestAdd(CarrierManifest{ID: "m2", Account: k.account, Node: "main", At: tx.Now().Add(-10 * time.Minute), Carrier: "USPS", N: 1, Fate: "open", By: "mia"}); err != nil {
			return err
		}
		s, err := tx.ShipmentGet("p3")
		if err != nil {
			return err
		}
		return tx.ManifestParcelsPut("main", "m2", tx.Now(), []store.ManifestParcel{listed(&s)})
	}))
	if made = k.page(0); !made[1].Made || !made[1].NotMade || made[1].Level != view.Bad {
		t.Errorf("%+v", made)
	}
	_, err = k.d.CloseManifest(t.Context(), k.draft("m2"))
	k.refused(errs.Conflict, "not known whether", err)
	k.did(k.d.SettleManifest(t.Context(), "m2", false, "mia"))
	k.page(1)
	k.did(k.d.CloseManifest(t.Context(), k.draft("m3")))
	if sim.ScanForms() != 2 {
		t.Errorf("%d forms", sim.ScanForms())
	}
}

func TestWhatACarrierRefusesIsFreeAgain(t *testing.T) {
	k, sim := newRig(t).easypostDock()
	k.labels("USPS", "p1", "p2")
	to, err := k.x.freight(t.Context(), k.account)
	k.must(err)
	p := k.parcel("p2")
	if _, err := to.Void(t.Context(), booked(&p.Shipment)); err != nil { // in the broker's own pages: we do not know
		t.Fatal(err)
	}
	for i := range 2 {
		_, err = k.d.CloseManifest(t.Context(), k.draft(fmt.Sprintf("m%d", i)))
		k.refused(errs.Conflict, "is refunded", err)
		if made := k.page(2); len(made) != i+1 || !made[0].NotDone || made[0].Made || !strings.Contains(made[0].Text, "is refunded") {
			t.Errorf("%+v", made)
		}
	}
	k.stops("p2", "asked")
	if _, err := sim.Faults.Add(world.Rule{Point: "GET /labels/*", Kind: world.TokenExpired, Remaining: 1}); err != nil {
		t.Fatal(err)
	}
	k.did(k.d.CloseManifest(t.Context(), k.draft("m9"))) // it is made all the same
	made := k.page(0)
	if !made[0].Sheet || made[0].NotDone || !made[0].NotMade || made[0].Text == "" {
		t.Errorf("%+v", made[0])
	}
	sim.Faults.Clear()
	if sheet, err := k.d.FloorSheet(t.Context(), "carrier-manifest", "m9"); err != nil || len(sheet.Data) == 0 {
		t.Error(err)
	}
	if made = k.page(0); made[0].NotMade || made[0].Text != "" {
		t.Errorf("%+v", made[0])
	}
}

func TestShippoClosesADayToo(t *testing.T) {
	s := shipposim.New(world.Wall(), 7)
	t.Cleanup(s.Stop)
	server := httptest.NewServer(s.Handler())
	t.Cleanup(server.Close)
	k := newRig(t).dock(shippocarrier.Carrier{}, map[string]string{"api_key": shipposim.APIKey, "base_url": server.URL})
	k.labels("USPS", "p1", "p2")
	k.page(2)
	k.did(k.d.CloseManifest(t.Context(), k.draft("m1")))
	if made := k.page(0); len(made) != 1 || made[0].N != 2 || made[0].Text != "" {
		t.Errorf("%+v", made)
	}
	if sheet, err := k.d.FloorSheet(t.Context(), "carrier-manifest", "m1"); err != nil || !strings.Contains(string(sheet.Data), "MANIFEST") {
		t.Error(err)
	}
}

func TestWhoMakesNoManifestsIsNotOffered(t *testing.T) {
	r := newRig(t)
	_, a := r.broker()
	s := r.shipment("p1", "nobody:p1", shipping.ByCarrier, a.ID)
	s.ConnectionID = "nobody"
	s.Booked(time.Now(), shipping.Label{Ref: "1", Carrier: "USPS", Tracking: "9400"})
	s.Stored("printed")
	s.Told(time.Now(), "9400", "", "", -1)
	r.must(r.st.Update(t.Context(), func(tx *store.Tx) error { _, err := tx.ShipmentsAdd([]store.Shipment{s}); return err }))
	k := &dock{rig: r, account: a.ID}
	if made := k.page(0); len(made) != 0 {
		t.Errorf("%+v", made)
	}
	_, err := k.d.CloseManifest(t.Context(), k.draft("m1"))
	k.refused(errs.Invalid, "no manifests", err)
}

// What waits for the van is on a manifest already in the morning of a busy day: the rest is found behind it, of each account.
func TestManifestsOfABusyDay(t *testing.T) {
	k, _ := newRig(t).easypostDock()
	const many = driver.MaxManifest + 30
	var all []store.Shipment
	var on []store.ManifestParcel
	for i := range many {
		s := k.shipment(fmt.Sprintf("p%04d", i), "nobody:1", shipping.ByCarrier, k.account)
		s.ConnectionID = "nobody"
		s.Booked(time.Now(), shipping.Label{Ref: fmt.Sprint("shp_", i), Carrier: "USPS", Tracking: fmt.Sprint("94", i)})
		if i == many-1 {
			s.Label.Carrier = "DHL"
		}
		s.Stored("printed")
		s.Told(time.Now(), s.Label.Tracking, "", "", -1)
		if all = append(all, s); i < driver.MaxManifest {
			on = append(on, listed(&s))
		}
	}
	k.must(k.st.Update(t.Context(), func(tx *store.Tx) error { _, err := tx.ShipmentsAdd(all); return err }))
	k.must(k.st.View(t.Context(), func(tx *store.Tx) error {
		free, err := k.x.listable(tx, "main", func(s *store.Shipment) bool { return s.Label.Carrier == "DHL" })
		if len(free) != 1 {
			t.Errorf("%d of the last carrier", len(free))
		}
		return err
	}))
	k.must(k.st.Update(t.Context(), func(tx *store.Tx) error { return tx.ManifestParcelsPut("main", "m1", tx.Now(), on) }))
	k.page(30)
}

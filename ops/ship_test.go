package ops

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/spillway/spillway/connector/driver"
	"github.com/spillway/spillway/domain/custody"
	"github.com/spillway/spillway/domain/shipping"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/store"
)

// parcelBroker sells labels in memory. The first calls of each kind lose their answers; it refuses no second booking.
type parcelBroker struct {
	mu     sync.Mutex
	lose   int                 // answers still to be lost
	labels map[string][]string // by booking id
	voided map[string]bool
	to     driver.Address
}

func (b *parcelBroker) Describe() driver.CarrierDescription {
	return driver.CarrierDescription{Name: "broker", Title: "Broker", Limits: driver.ShipLimits{Default: 1000, Burst: 1000}, RequestLifetime: 50 * time.Millisecond,
		Settings: []driver.Setting{{Name: "key", Secret: true, Required: true}, {Name: "mode", Default: "test"}}}
}
func (b *parcelBroker) Verify(driver.CarrierAccount, http.Header, []byte) (driver.Envelope, error) {
	return driver.Envelope{}, nil
}
func (b *parcelBroker) Decode(string, []byte) ([]driver.ParcelNews, error)             { return nil, nil }
func (b *parcelBroker) Open(driver.CarrierAccount, driver.Env) (driver.Shipper, error) { return b, nil }
func (b *parcelBroker) Quote(context.Context, driver.Parcel) ([]driver.Quote, error) {
	return []driver.Quote{{ID: "q", Carrier: "USPS", Service: "Ground"}}, nil
}

func (b *parcelBroker) lost() error {
	if b.lose == 0 {
		return nil
	}
	b.lose--
	return &driver.Error{Class: driver.Retry, Applied: true, Message: "no answer"}
}

func (b *parcelBroker) Book(_ context.Context, k driver.Booking) (driver.Booked, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.to = k.Parcel.To
	ref := fmt.Sprintf("%s/%d", k.ID, len(b.labels[k.ID]))
	b.labels[k.ID] = append(b.labels[k.ID], ref)
	return driver.Booked{ID: k.ID, Ref: ref, Tracking: "9400", Carrier: "USPS", State: driver.BookingDone}, b.lost()
}

func (b *parcelBroker) Find(_ context.Context, k driver.Booking) (driver.Booked, bool, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	refs := b.labels[k.ID]
	if len(refs) == 0 {
		return driver.Booked{}, false, nil
	}
	return driver.Booked{ID: k.ID, Ref: refs[0], Tracking: "9400", Carrier: "USPS", State: driver.BookingDone}, true, nil
}

func (b *parcelBroker) Document(context.Context, driver.Booked, driver.DocumentKind, string) (driver.Document, error) {
	return driver.Document{Kind: driver.LabelDocument, Type: "application/pdf", Data: []byte("%PDF Jane Doe")}, nil
}

func (b *parcelBroker) Void(_ context.Context, k driver.Booked) (driver.Voided, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.voided[k.Ref] = true
	return driver.VoidDone, b.lost()
}

func (r *rig) shipment(id, order string, way shipping.Way, account string) store.Shipment {
	return store.Shipment{Shipment: shipping.Shipment{ID: id, ConnectionID: r.conn, Orders: []string{order}, Node: "main", Way: way, Account: account, CreatedAt: time.Now(),
		Lines: []shipping.Line{{OrderID: order, Key: "k", ItemID: "MUG", Qty: 1}}, Box: &shipping.Box{Grams: 500, At: time.Now()}}}
}

// shipped waits until a parcel is as wanted.
func (r *rig) shipped(id, what string, want func(store.Shipment) bool) store.Shipment {
	r.t.Helper()
	var s store.Shipment
	r.until(what, func() bool {
		r.must(r.st.View(r.t.Context(), func(tx *store.Tx) (err error) { s, err = tx.ShipmentGet(id); return err }))
		return want(s)
	})
	return s
}

func (r *rig) broker() (*parcelBroker, store.CarrierAccount) {
	r.t.Helper()
	b := &parcelBroker{labels: map[string][]string{}, voided: map[string]bool{}}
	r.x.carriers["broker"] = b
	a, err := r.x.AddCarrier(r.t.Context(), NewCarrierAccount{Carrier: "broker", Name: "Labels", Settings: map[string]string{"key": "secret-key"}, Actor: "lena"})
	r.must(err)
	return b, a
}

func TestACarrierAccountKeepsItsSecretsToItself(t *testing.T) {
	rigOnBoth(t, func(t *testing.T, r *rig) {
		_, a := r.broker()
		if len(a.Sealed) != 0 || a.Settings["key"] != "" || a.Settings["mode"] != "test" {
			t.Errorf("%+v", a)
		}
		r.must(r.st.View(t.Context(), func(tx *store.Tx) error {
			row, err := tx.CarrierAccountGet(a.ID)
			if strings.Contains(string(row.Sealed), "secret-key") || len(row.Sealed) == 0 {
				t.Error("the secret is stored as it is")
			}
			all, openErr := r.x.carrierSettings(row)
			if all["key"] != "secret-key" || all["mode"] != "test" {
				t.Errorf("%v", all)
			}
			return errors.Join(err, openErr)
		}))
		for name, n := range map[string]NewCarrierAccount{
			"no secret":       {Carrier: "broker", Name: "x"},
			"no name":         {Carrier: "broker", Settings: map[string]string{"key": "k"}},
			"unknown setting": {Carrier: "broker", Name: "x", Settings: map[string]string{"key": "k", "other": "y"}},
		} {
			if _, err := r.x.AddCarrier(t.Context(), n); !errs.Is(err, errs.Invalid) {
				t.Errorf("%s: %v", name, err)
			}
		}
		r.must(r.x.RemoveCarrier(t.Context(), a.ID, "lena"))
		if _, err := r.x.freight(t.Context(), a.ID); !errs.Is(err, errs.NotFound) {
			t.Errorf("a removed account ships: %v", err)
		}
	})
}

func TestAParcelWithoutAnAddressIsAskedOfAPersonAndNotPaid(t *testing.T) {
	r := newRig(t)
	b, a := r.broker()
	order := r.sell("S1", 1)
	r.must(r.st.Update(t.Context(), func(tx *store.Tx) error {
		_, err := tx.ShipmentsAdd([]store.Shipment{r.shipment("sh-1", order, shipping.ByCarrier, a.ID)})
		return err
	}))
	s := r.shipped("sh-1", "a person is asked", func(s store.Shipment) bool { return s.Question() != "" })
	if s.Label.Fate != shipping.Refused || len(b.labels) != 0 {
		t.Errorf("%+v %v", s.Label, b.labels)
	}
}

func TestNewsOfAParcelIsMergedOnce(t *testing.T) {
	rigOnBoth(t, func(t *testing.T, r *rig) {
		_, a := r.broker()
		id := r.sell("S1", 1)
		s := r.shipment("sh-1", id, shipping.ByProvider, a.ID)
		s.Label = shipping.Label{Call: shipping.Call{Fate: shipping.Done, N: 1, At: time.Now()}, Ref: "order 7"}
		r.must(r.st.Update(t.Context(), func(tx *store.Tx) error { _, err := tx.ShipmentsAdd([]store.Shipment{s}); return err }))
		at := time.Now().Add(-time.Hour).UTC().Truncate(time.Second)
		news := []driver.ParcelNews{
			{Ref: "order 7", Booked: &driver.Booked{Ref: "order 7", Carrier: "USPS", Tracking: "9400111206206406300106", State: driver.BookingDone}},
			{Tracking: "9400111206206406300106", Events: []driver.ParcelEvent{{Word: "picked_up", Status: "accepted", At: at}}},
			{Ref: "of somebody else"},
		}
		r.must(r.x.takeNews(t.Context(), a, news))
		got := r.shipped("sh-1", "the scan is known", func(s store.Shipment) bool { return s.Shipped() })
		if !got.HandedOverAt.Equal(at) || got.Track == nil || len(got.Track.Events) != 1 {
			t.Errorf("%+v", got.Shipment)
		}
		for range 2 {
			r.must(r.x.takeNews(t.Context(), a, news))
		}
		r.proves("sh-1", custody.CarrierScanned)
		again := r.shipped("sh-1", "it is asked again", func(s store.Shipment) bool { return s.Question() != "" || s.Version >= got.Version })
		if again.Track == nil || len(again.Track.Events) != 1 || !again.HandedOverAt.Equal(at) {
			t.Errorf("%+v", again.Shipment)
		}
		if err := r.x.ReceiveParcelNews(t.Context(), "broker", "none", nil, nil); !errs.Is(err, errs.NotFound) {
			t.Error(err)
		}
		if err := r.x.ReceiveParcelNews(t.Context(), "nobody", a.ID, nil, nil); !errs.Is(err, errs.NotFound) {
			t.Error(err)
		}
		r.must(r.x.ReceiveParcelNews(t.Context(), "broker", a.ID, http.Header{}, nil))
	})
}

// A broker's webhook names no carrier, and a channel wants one: while the call is unsure, the news only makes us look.
func TestNewsWithoutItsCarrierIsLookedUp(t *testing.T) {
	at := time.Now()
	told := func() *driver.Booked {
		return &driver.Booked{Ref: "tx", Tracking: "9400111206206406300106", State: driver.BookingDone}
	}
	x := &Ops{log: slog.New(slog.DiscardHandler)}
	for fate, want := range map[shipping.Fate]shipping.Fate{shipping.Open: shipping.Open, shipping.Unknown: shipping.Unknown, shipping.Waiting: shipping.Waiting, shipping.Refused: shipping.Done} {
		s := shipping.Shipment{Way: shipping.ByCarrier, Account: "a", Carrier: "USPS", Box: &shipping.Box{Grams: 1}, Label: shipping.Label{Call: shipping.Call{Fate: fate, N: 1, At: at, After: at.Add(time.Hour)}}}
		x.hear(&s, "broker", driver.ParcelNews{Booked: told()}, at)
		if s.Label.Fate != want || want == shipping.Done && s.Label.Carrier != "USPS" {
			t.Errorf("%s: %+v", fate, s.Label)
		}
		if due := s.Next(at).Due(at); (fate == shipping.Unknown || fate == shipping.Waiting) && !due {
			t.Errorf("%s: it is not looked for at once", fate)
		}
	}
	s := shipping.Shipment{Way: shipping.ByCarrier, Account: "a", Label: shipping.Label{Call: shipping.Call{Fate: shipping.Done, N: 1}, Ref: "tx", Carrier: "UPS", Tracking: "9400111206206406300106"}}
	if x.hear(&s, "broker", driver.ParcelNews{Booked: told()}, at); s.Label.Carrier != "UPS" {
		t.Errorf("%+v", s.Label)
	}
}

// proves waits until the custody log has just these events of a parcel, with what the channel is told left out.
func (r *rig) proves(parcel string, want ...custody.What) {
	r.t.Helper()
	if _, err := r.x.SequenceCustody(r.t.Context()); err != nil {
		r.t.Fatal(err)
	}
	var got []custody.What
	p, err := r.x.CustodyProof(r.t.Context(), "", parcel, 0)
	if err != nil {
		r.t.Fatal(err)
	}
	proven, err := p.Check(p.Key)
	if err != nil {
		r.t.Fatal(err)
	}
	for _, e := range proven.Events {
		if e.What != custody.TrackingTold {
			got = append(got, e.What)
		}
	}
	if !slices.Equal(got, want) {
		r.t.Errorf("the custody log says %v of %s, want %v", got, parcel, want)
	}
}

func TestLabelsAreForgotten(t *testing.T) {
	rigOnBoth(t, func(t *testing.T, r *rig) {
		put := func(id string, at time.Time) {
			r.must(r.st.Update(t.Context(), func(tx *store.Tx) error {
				return tx.DocumentPut(store.ShipmentDocument{ID: id, Shipment: "s", Kind: "label", Type: "application/pdf", Sealed: r.x.o.Ring.Seal(documentPlace(id), []byte("%PDF Jane Doe")), At: at})
			}))
		}
		now := time.Now()
		put("old", now.Add(-documentKept-time.Minute))
		put("new", now.Add(-documentKept+time.Hour))
		r.must(r.x.pruneParcels(now))
		if _, err := r.x.Document(t.Context(), "old"); !errs.Is(err, errs.NotFound) {
			t.Errorf("an old label is kept: %v", err)
		}
		if d, err := r.x.Document(t.Context(), "new"); err != nil || string(d.Data) != "%PDF Jane Doe" {
			t.Errorf("%+v %v", d, err)
		}
	})
}

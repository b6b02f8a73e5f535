package connector

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/spillway/spillway/connector/driver"
	"github.com/spillway/spillway/kit/errs"
)

// broker is a carrier whose calls are functions of the test.
type broker struct {
	book  func() (driver.Booked, error)
	doc   []byte
	calls int
	desc  driver.CarrierDescription
}

func (b *broker) Describe() driver.CarrierDescription { return b.desc }
func (b *broker) Verify(driver.CarrierAccount, http.Header, []byte) (driver.Envelope, error) {
	return driver.Envelope{}, nil
}
func (b *broker) Decode(string, []byte) ([]driver.ParcelNews, error) { return nil, nil }
func (b *broker) Open(driver.CarrierAccount, driver.Env) (driver.Shipper, error) {
	return b, nil
}
func (b *broker) Quote(context.Context, driver.Parcel) ([]driver.Quote, error) { return nil, nil }
func (b *broker) Book(context.Context, driver.Booking) (driver.Booked, error) {
	b.calls++
	return b.book()
}
func (b *broker) Find(context.Context, driver.Booking) (driver.Booked, bool, error) {
	b.calls++
	return driver.Booked{Ref: "x"}, true, &driver.Error{Class: driver.GiveUp, Message: "key-1234567890"}
}
func (b *broker) Document(context.Context, driver.Booked, driver.DocumentKind, string) (driver.Document, error) {
	return driver.Document{Data: b.doc}, nil
}
func (b *broker) Void(context.Context, driver.Booked) (driver.Voided, error) {
	return driver.VoidDone, nil
}

func freight(t *testing.T, b *broker) *Freight {
	t.Helper()
	if b.desc.Name == "" {
		b.desc = driver.CarrierDescription{Name: "broker", Limits: driver.ShipLimits{Default: 100, Burst: 10}, RequestLifetime: time.Minute,
			Settings: []driver.Setting{{Name: "key", Secret: true}}}
	}
	f, err := OpenCarrier(CarrierOptions{Carrier: b, Account: driver.CarrierAccount{ID: "a", Settings: map[string]string{"key": "key-1234567890"}}, Client: http.DefaultClient})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestABookingIsRepeatedOnlyWhereItSurelyWasNotMade(t *testing.T) {
	for name, c := range map[string]struct {
		err   *driver.Error
		calls int
	}{
		"busy":        {&driver.Error{Class: driver.Retry}, 1 + maxRetries},
		"lost answer": {&driver.Error{Class: driver.Retry, Applied: true}, 1},
		"refused":     {&driver.Error{Class: driver.GiveUp}, 1},
	} {
		synctest.Test(t, func(t *testing.T) {
			b := &broker{book: func() (driver.Booked, error) { return driver.Booked{Ref: "made"}, c.err }}
			got, err := freight(t, b).Book(t.Context(), driver.Booking{ID: "1"})
			if b.calls != c.calls || err == nil || got.Ref != "" {
				t.Errorf("%s: %d calls, %+v, %v", name, b.calls, got, err)
			}
		})
	}
}

func TestWhatAShipperAnswersIsBoundedAndRedacted(t *testing.T) {
	b := &broker{doc: make([]byte, driver.MaxDocument+1)}
	f := freight(t, b)
	if _, err := f.Document(t.Context(), driver.Booked{}, driver.LabelDocument, "PDF"); driver.ClassOf(err) != driver.GiveUp {
		t.Errorf("a document beyond the bound: %v", err)
	}
	b.doc = []byte("%PDF")
	if d, err := f.Document(t.Context(), driver.Booked{}, driver.LabelDocument, "PDF"); err != nil || string(d.Data) != "%PDF" {
		t.Errorf("%+v %v", d, err)
	}
	if got, found, err := f.Find(t.Context(), driver.Booking{}); err == nil || found || got.Ref != "" || strings.Contains(err.Error(), "1234567890") {
		t.Errorf("%+v %v %v", got, found, err)
	}
	if _, ok, err := f.Manifest(t.Context(), nil); ok || err != nil {
		t.Error("a shipper without manifests made one")
	}
	if _, ok, err := f.Parcels(t.Context(), time.Time{}, ""); ok || err != nil {
		t.Error("a shipper that follows nothing told something")
	}
	if _, ok, err := f.Stock(t.Context(), ""); ok || err != nil {
		t.Error("a shipper without stock told of some")
	}
}

func TestACarrierDeclaresItsLimits(t *testing.T) {
	b := &broker{desc: driver.CarrierDescription{Name: "broker"}}
	if _, err := OpenCarrier(CarrierOptions{Carrier: b, Client: http.DefaultClient}); !errs.Is(err, errs.Internal) {
		t.Error(err)
	}
}

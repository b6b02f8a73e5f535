package tiktok

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/spillway/spillway/connector"
	"github.com/spillway/spillway/connector/driver"
	sim "github.com/spillway/spillway/sim/tiktok"
	"github.com/spillway/spillway/sim/world"
)

func TestCarriersByName(t *testing.T) {
	list := []driver.Provider{{ID: "1", Name: "USPS"}, {ID: "2", Name: "UPS"}, {ID: "3", Name: "UPS Mail Innovations"}, {ID: "4", Name: "DHL eCommerce"},
		{ID: "5", Name: "DHL Express"}, {ID: "6", Name: "Evri (Hermes)"}}
	for ours, want := range map[string]string{
		"usps": "1", " USPS Ground Advantage ": "1", "ups": "2", "UPS Ground": "2", "UPS Mail Innovations Domestic": "3", "ups-mail-innovations": "3",
		"DHL": "", "dhl express": "5", "evri": "6", "EVRI (HERMES)": "6", "FedEx": "", "": "", "-": "", "US": "", "DH": "",
	} {
		got, ok := named(list, ours)
		if got.ID != want || ok != (want != "") {
			t.Errorf("%q is %+v, want %q", ours, got, want)
		}
	}
}

func TestWhatIsMeasuredIsRoundedUp(t *testing.T) {
	weight, size := measures(driver.Parcel{Grams: 421, LengthMM: 100, WidthMM: 254, HeightMM: 1})
	if weight.Value != "421" || weight.Unit != "GRAM" || *size != (wireSize{"10.00", "3.94", "0.04", "INCH"}) {
		t.Errorf("%+v %+v", weight, size)
	}
	if weight, size = measures(driver.Parcel{LengthMM: 100}); weight != nil || size != nil {
		t.Errorf("nothing measured is %+v %+v", weight, size)
	}
}

// TestProvidersAreReadOnceAnHour: carriers cost a call for each delivery option and hour, not one for each parcel.
func TestProvidersAreReadOnceAnHour(t *testing.T) {
	p := newProviders()
	now := time.Unix(1_780_000_000, 0)
	for i := range maxOptions + 5 {
		p.put(strings.Repeat("1", i+1), []driver.Provider{{ID: "x"}}, now)
		if len(p.all) > maxOptions {
			t.Fatalf("%d options are kept", len(p.all))
		}
	}
	if _, ok := p.get("1", now); ok {
		t.Error("what was forgotten is known")
	}
	p.put("7", []driver.Provider{{ID: "x"}}, now)
	if _, ok := p.get("7", now.Add(providerAge-1)); !ok {
		t.Error("it is forgotten too early")
	}
	if _, ok := p.get("7", now.Add(providerAge)); ok {
		t.Error("it is kept too long")
	}
}

// TestAHeldOrderWaits: an order in its hour of grace is not refused for good, and is not shipped.
func TestAHeldOrderWaits(t *testing.T) {
	s := newShop(t, func(o *sim.Options) { o.Hold = time.Hour })
	h := s.shipping(t, "USPS")
	p, d := h.Parcel(t, 1), h.Dispatch(t, 1)
	_, quote := h.Raw.Quote(t.Context(), p)
	_, book := h.Raw.Book(t.Context(), driver.Booking{ID: "b", Parcel: p})
	_, tell := h.RawChannel.(driver.Dispatcher).Tell(t.Context(), d)
	_, where := h.RawChannel.(driver.Recipients).Recipient(t.Context(), d.OrderID)
	for what, err := range map[string]error{"quote": quote, "book": book, "tell": tell, "address": where} {
		if e, ok := errors.AsType[*driver.Error](err); !ok || e.Class != driver.RetryAfter || e.After < time.Minute || e.Applied {
			t.Errorf("%s: %v", what, err)
		}
	}
	if n := h.Paid(t, p); n != 0 {
		t.Errorf("%d labels are paid", n)
	}
}

// TestWhatThePlatformFulfilsIsLeftAlone covers orders from its own warehouse.
func TestWhatThePlatformFulfilsIsLeftAlone(t *testing.T) {
	o := &wireShipping{Status: "AWAITING_SHIPMENT", FulfillmentType: "FULFILLMENT_BY_TIKTOK", ShippingType: "TIKTOK"}
	for _, platform := range []bool{true, false} {
		if err := o.may(driver.OpBook, platform); driver.ClassOf(err) != driver.GiveUp || !strings.Contains(err.Error(), "21008025") {
			t.Errorf("%v", err)
		}
	}
}

// TestALabelBoughtByHand: units that went in another package are never bought a second label, and somebody is told.
func TestALabelBoughtByHand(t *testing.T) {
	s := newShop(t)
	h := s.shipping(t, "USPS")
	p := h.Parcel(t, 2)
	part := p
	part.Lines = []driver.ParcelLine{{ExternalLineIDs: p.Lines[0].ExternalLineIDs[:1], Qty: 1}}
	if err := s.Ship(p.OrderIDs[0], "", ""); err != nil {
		t.Fatal(err)
	}
	whole, err := h.Raw.Book(t.Context(), driver.Booking{ID: "whole", Parcel: p})
	if err != nil || whole.Tracking == "" {
		t.Errorf("all of it, shipped by hand: %+v, %v", whole, err)
	}
	_, err = h.Raw.Book(t.Context(), driver.Booking{ID: "part", Parcel: part})
	if driver.ClassOf(err) != driver.GiveUp || driver.MayBeApplied(err) {
		t.Errorf("a part of it: %v", err)
	}
	if n := h.Paid(t, p); n != 1 {
		t.Errorf("%d labels are paid", n)
	}
}

// TestSlotsOutsideTheUS: pick-up times that are free, and the drop-off; the one chosen reaches the platform.
func TestSlotsOutsideTheUS(t *testing.T) {
	s := newShop(t, inRegion("GB"))
	h := s.shipping(t, "dpd")
	p := h.Parcel(t, 1)
	quotes, err := h.Raw.Quote(t.Context(), p)
	if err != nil || len(quotes) != 1 || len(quotes[0].Slots) < 2 || !quotes[0].Slots[len(quotes[0].Slots)-1].DropOff {
		t.Fatalf("%+v, %v", quotes, err)
	}
	for _, slot := range []driver.Slot{quotes[0].Slots[0], {DropOff: true}, {}} {
		if _, err := h.Raw.Book(t.Context(), driver.Booking{ID: "b", Parcel: p, Quote: quotes[0], Slot: slot}); err != nil {
			t.Errorf("%+v: %v", slot, err)
		}
		p = h.Parcel(t, 1)
	}
	part := h.Parcel(t, 2)
	part.Lines[0].ExternalLineIDs = part.Lines[0].ExternalLineIDs[:1]
	if _, err := h.Raw.Book(t.Context(), driver.Booking{ID: "b", Parcel: part}); driver.ClassOf(err) != driver.GiveUp || !strings.Contains(err.Error(), "Seller Center") {
		t.Errorf("a part of a package: %v", err)
	}
}

// TestALabelOfACancelledOrder: nothing takes a label back; with the order it is the platform's to settle.
func TestALabelOfACancelledOrder(t *testing.T) {
	s := newShop(t)
	h := s.shipping(t, "USPS")
	p := h.Parcel(t, 1)
	booked, err := h.Raw.Book(t.Context(), driver.Booking{ID: "b", Parcel: p})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := h.Raw.Void(t.Context(), booked); got != driver.VoidRefused || err != nil {
		t.Errorf("%s, %v", got, err)
	}
	if _, err := s.Cancel(p.OrderIDs[0], "SELLER", ""); err != nil {
		t.Fatal(err)
	}
	if got, err := h.Raw.Void(t.Context(), booked); got != driver.VoidAsked || err != nil {
		t.Errorf("of a cancelled order: %s, %v", got, err)
	}
}

// TestZPLIsMadeInBrazilOnly: elsewhere the platform has PDF, whatever is asked for.
func TestZPLIsMadeInBrazilOnly(t *testing.T) {
	for region, want := range map[string]string{"BR": "application/zpl", "US": "application/pdf"} {
		h := newShop(t, inRegion(region)).shipping(t, "Local Express")
		booked, err := h.Raw.Book(t.Context(), driver.Booking{ID: "b", Parcel: h.Parcel(t, 1)})
		if err != nil {
			t.Fatal(err)
		}
		if d, err := h.Raw.Document(t.Context(), booked, driver.LabelDocument, "ZPL"); err != nil || d.Type != want {
			t.Errorf("%s: %q, %v", region, d.Type, err)
		}
	}
}

// TestADocumentThatIsBeingMade is asked for again, and one the carrier has is not.
func TestADocumentThatIsBeingMade(t *testing.T) {
	clock := world.NewVirtual(time.Now().Truncate(time.Second))
	s := newShop(t, func(o *sim.Options) { o.DocumentDelay, o.Clock = time.Minute, clock })
	h := s.shipping(t, "USPS")
	raw, err := Vendor{}.Open(s.conn, driver.Env{Client: http.DefaultClient, Token: func(context.Context) (string, error) { return s.grant.AccessToken, nil }, Now: clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	h.Raw = raw.(driver.Shipper)
	p := h.Parcel(t, 1)
	booked, err := h.Raw.Book(t.Context(), driver.Booking{ID: "b", Parcel: p})
	if err != nil {
		t.Fatal(err)
	}
	_, err = h.Raw.Document(t.Context(), booked, driver.LabelDocument, "PDF")
	if e, ok := errors.AsType[*driver.Error](err); !ok || e.Class != driver.RetryAfter || e.After < documentWait {
		t.Errorf("while it is made: %v", err)
	}
	clock.Advance(2 * time.Minute)
	if _, err := h.Raw.Document(t.Context(), booked, driver.LabelDocument, "PDF"); err != nil {
		t.Errorf("when it is made: %v", err)
	}
	if err := s.Scan(p.OrderIDs[0]); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Raw.Document(t.Context(), booked, driver.LabelDocument, "PDF"); driver.ClassOf(err) != driver.GiveUp {
		t.Errorf("when the carrier has it: %v", err)
	}
}

// TestADocumentsAddressIsGuarded: no other host without https, no user in it, and never our token.
func TestADocumentsAddressIsGuarded(t *testing.T) {
	var seen http.Header
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { seen = r.Header; w.Write([]byte("%PDF-1.4")) }))
	defer other.Close()
	c := &channel{env: driver.Env{Client: connector.NewClient(connector.ClientOptions{AllowLoopback: true})}}
	api, err := Vendor{}.address(driver.App{Settings: map[string]string{SettingAPIHost: "https://api.example"}}, SettingAPIHost)
	if err != nil {
		t.Fatal(err)
	}
	c.api.base = api
	for _, address := range []string{"", "/label", other.URL, "ftp://files.example/x", "https://user:pass@files.example/x", "http://files.example/x", "javascript:alert(1)", "https://"} {
		if _, err := c.download(t.Context(), driver.LabelDocument, address); driver.ClassOf(err) != driver.GiveUp || seen != nil {
			t.Errorf("%q: %v", address, err)
		}
	}
	c.api.base.Scheme, c.api.base.Host = "http", strings.TrimPrefix(other.URL, "http://")
	d, err := c.download(t.Context(), driver.LabelDocument, other.URL+"/label?X-Signature=abc")
	if err != nil || d.Type != "application/pdf" || seen.Get("x-tts-access-token") != "" {
		t.Errorf("%+v, %v, %v", d, err, seen)
	}
}

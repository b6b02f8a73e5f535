package shiphero

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/spillway/spillway/connector/driver"
	"github.com/spillway/spillway/connector/drivertest"
	"github.com/spillway/spillway/sim/depot"
	sim "github.com/spillway/spillway/sim/shiphero"
	"github.com/spillway/spillway/sim/world"
)

func TestContract(t *testing.T) {
	drivertest.RunProvider(t, func(t *testing.T) *drivertest.Provider { h, _, _ := fresh(t); return h })
}

func TestDocs(t *testing.T) { drivertest.CheckProviderDocs(t, Carrier{}, "../..") }

// points are where operations strike the simulator.
var points = map[driver.Operation]string{driver.OpBook: "order_create", driver.OpFind: "orders", driver.OpVoid: "order_cancel"}

var kinds = map[drivertest.Fault]world.Kind{drivertest.Throttle: world.Throttle, drivertest.LostReply: world.LostReply, drivertest.LostRequest: world.LostRequest}

// fresh starts the vendor with stock in two places.
func fresh(t *testing.T) (*drivertest.Provider, *sim.Sim, *world.Virtual) {
	clock := world.NewVirtual(time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC))
	s := sim.New(clock, 7, depot.Options{})
	t.Cleanup(s.Stop)
	srv := httptest.NewServer(s.Handler())
	t.Cleanup(srv.Close)
	s.Free = true // the suite's wall is faster than the vendor's; credits have a test of their own
	s.Floor.Stow("V2FyZWhvdXNlOjE=", "MUG", 500, 3)
	s.Floor.Stow("V2FyZWhvdXNlOjE=", "LAMP", 5, 0)
	s.Floor.Stow("V2FyZWhvdXNlOjI=", "MUG", 20, 0)
	account := driver.CarrierAccount{ID: "acc-1", Settings: map[string]string{settingBase: srv.URL, settingRefresh: sim.RefreshToken, settingSecret: sim.Secret}}
	h := &drivertest.Provider{Shipping: drivertest.FreightOf(t, Carrier{}, account), Carrier: Carrier{}, Account: account, Now: clock.Now, Ships: 3 * time.Hour, Subscribe: s.Subscribe}
	h.Split = true
	h.Pass = func(t *testing.T, d time.Duration) {
		clock.Advance(d)
		if err := s.Courier().Idle(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	n := 0
	parcel := func(sku string, units int) driver.Parcel {
		n++
		number := fmt.Sprintf("order-%d", n)
		return driver.Parcel{OrderIDs: []string{number}, Number: number, Lines: []driver.ParcelLine{{ExternalLineIDs: []string{number + "-1"}, SKU: sku, Title: "A " + sku, Qty: int64(units)}},
			To: driver.Address{Name: "Jo Sample", Line1: "1 Example Street", City: "Springfield", State: "OR", Post: "97477", Country: "US"}}
	}
	h.Parcel = func(_ *testing.T, units int) driver.Parcel { return parcel("MUG", units) }
	h.Stuck = func(*testing.T) driver.Parcel { return parcel("LAMP", 6) }
	h.Paid = func(_ *testing.T, p driver.Parcel) int {
		return len(s.Floor.Orders(func(o depot.Order) bool { return strings.HasPrefix(o.Number, p.Number+"-") && o.Standing() }))
	}
	h.Unshippable = map[string]func(*testing.T) driver.Parcel{
		"no address": func(*testing.T) driver.Parcel { p := parcel("MUG", 1); p.To = driver.Address{}; return p },
		"nothing in": func(*testing.T) driver.Parcel { p := parcel("MUG", 1); p.Lines = nil; return p },
	}
	h.Arrange = func(t *testing.T, f drivertest.Fault, op driver.Operation, times int) bool {
		kind, ok := kinds[f]
		if !ok || points[op] == "" {
			return false
		}
		if _, err := s.Faults.Add(world.Rule{Point: points[op], Kind: kind, Remaining: times}); err != nil {
			t.Fatal(err)
		}
		return true
	}
	h.Kept = func() map[[2]string]driver.Kept {
		out := map[[2]string]driver.Kept{}
		for _, s := range s.Floor.Shelves() {
			out[[2]string{s.SKU, s.Place}] = driver.Kept{OnHand: s.OnHand, Reserved: s.Allocated, Blocked: s.Damaged}
		}
		return out
	}
	h.Many = func(*testing.T) int {
		for i := range orderPage + 7 {
			s.Floor.Place(depot.Order{Reference: fmt.Sprintf("many-%d", i), Number: "n", Lines: []depot.Line{{SKU: "MUG", Qty: 1}}})
		}
		return orderPage + 7
	}
	return h, s, clock
}

func TestATokenThatEndedIsRenewedOnce(t *testing.T) {
	h, s, clock := fresh(t)
	b := driver.Booking{ID: "b", Parcel: h.Parcel(t, 1)}
	if _, err := h.Raw.Book(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	s.EndToken()
	if _, found, err := h.Raw.Find(t.Context(), b); err != nil || !found {
		t.Errorf("after the token ended: %v, %v", found, err)
	}
	clock.Advance(29 * 24 * time.Hour)
	if _, err := h.Raw.Book(t.Context(), driver.Booking{ID: "c", Parcel: h.Parcel(t, 1)}); err != nil {
		t.Errorf("after 29 days: %v", err)
	}
	if created, logins := s.Counts(); created != 2 || logins != 3 {
		t.Errorf("%d orders, %d sign-ins", created, logins)
	}
	account := driver.CarrierAccount{Settings: map[string]string{settingBase: h.Account.Settings[settingBase], settingRefresh: "old"}}
	to, err := Carrier{}.Open(account, driver.Env{Client: http.DefaultClient})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := to.Book(t.Context(), b); driver.ClassOf(err) != driver.AskHuman || driver.MayBeApplied(err) {
		t.Error(err)
	}
}

func TestCreditsAreWaitedFor(t *testing.T) {
	h, s, clock := fresh(t)
	s.Free = false
	for range 100 {
		_, err := h.Raw.(driver.Follower).Parcels(t.Context(), time.Time{}, "")
		if err == nil {
			continue
		}
		e, ok := errors.AsType[*driver.Error](err)
		if !ok || e.Class != driver.RetryAfter || e.After < time.Second || e.After > time.Minute+8*time.Second || e.Code != "30" {
			t.Fatal(err)
		}
		clock.Advance(e.After)
		if _, err := h.Raw.(driver.Follower).Parcels(t.Context(), time.Time{}, ""); err != nil {
			t.Errorf("after waiting %s: %v", e.After, err)
		}
		return
	}
	t.Error("the credits have no end")
}

func FuzzDecode(f *testing.F) {
	f.Add("Shipment Update", []byte(`{"webhook_type":"Shipment Update","fulfillment":{"partner_order_id":"b","order_uuid":"T3JkZXI6MQ==","tracking_number":"9400","shipping_carrier":"USPS","created_at":"2026-11-02T12:00:00","line_items":[{"sku":"MUG","quantity":2}],"packages":[{"tracking_number":"1","line_items":[{"sku":"MUG","quantity":1}]},{"tracking_number":"2"}]}}`))
	f.Add("Order Canceled", []byte(`{"order_uuid":"x","partner_order_id":"b"}`))
	f.Fuzz(func(t *testing.T, topic string, body []byte) {
		news, err := Carrier{}.Decode(topic, body)
		if err != nil && (driver.ClassOf(err) != driver.GiveUp || len(news) > 0) {
			t.Errorf("%v with %d news", err, len(news))
		}
		for _, n := range news {
			if n.BookingID == "" || n.Booked == nil || n.Tracking != n.Booked.Tracking {
				t.Errorf("%+v", n)
			}
		}
	})
}

package dummy

import (
	"fmt"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/spillway/spillway/connector/driver"
	"github.com/spillway/spillway/connector/drivertest"
	sim "github.com/spillway/spillway/sim/dummy"
	"github.com/spillway/spillway/sim/world"
)

func TestShipping(t *testing.T) { drivertest.RunShipping(t, freshShipping) }

// shipPaths are where the operations of shipping strike the simulator.
var shipPaths = map[driver.Operation]string{
	driver.OpBook: "PUT */labels/*", driver.OpFind: "GET */labels/*", driver.OpDocument: "GET */document", driver.OpVoid: "DELETE */labels/*",
	driver.OpTell: "PUT */parcels/*", driver.OpOrder: "GET */address",
}

func freshShipping(t *testing.T) *drivertest.Shipping {
	s := sim.New(world.Wall(), 1)
	t.Cleanup(s.Stop)
	srv := httptest.NewServer(s.Handler())
	t.Cleanup(srv.Close)
	access, refresh := s.Tokens()
	app := driver.App{ID: "app", Key: sim.AppKey, Secret: sim.AppSecret, Settings: map[string]string{settingBase: srv.URL}}
	h := drivertest.ShippingOf(t, &drivertest.Harness{
		Vendor: Vendor{}, App: app, Connection: driver.Connection{ID: "conn-1", App: app, Shop: driver.Shop{ExternalID: sim.ShopID, Name: "Dummy shop"}},
		Grant: driver.Grant{AccessToken: access, RefreshToken: refresh, AccessExpiresAt: time.Now().Add(24 * time.Hour)},
	})
	place := func(t *testing.T, units int) sim.Order {
		t.Helper()
		o, err := s.Place("S1", int64(units))
		if err != nil {
			t.Fatal(err)
		}
		return o
	}
	cancelled := func(t *testing.T) string {
		t.Helper()
		o := place(t, 1)
		if err := s.Cancel(o.ID); err != nil {
			t.Fatal(err)
		}
		return o.ID
	}
	parcel := func(order string, units int) driver.Parcel {
		return driver.Parcel{OrderIDs: []string{order}, Number: order, Grams: 300, Lines: []driver.ParcelLine{{ExternalLineIDs: []string{order + "-1"}, Qty: int64(units)}}}
	}
	numbers := 0
	h.Number = func() string { numbers++; return fmt.Sprintf("NUMBER%04d", numbers) }
	dispatch := func(order string, units int) driver.Dispatch {
		return driver.Dispatch{OrderID: order, Lines: parcel(order, units).Lines, Carrier: "usps", Tracking: h.Number()}
	}
	h.Arrange = func(t *testing.T, f drivertest.Fault, op driver.Operation, times int) bool {
		if _, err := s.Faults.Add(world.Rule{Point: shipPaths[op], Kind: kinds[f], Remaining: times}); err != nil {
			t.Fatal(err)
		}
		return true
	}
	h.Parcel = func(t *testing.T, units int) driver.Parcel { return parcel(place(t, units).ID, units) }
	h.Paid = func(_ *testing.T, p driver.Parcel) int { return s.LabelsPaid(p.OrderIDs[0]) }
	h.Split = true
	h.Unshippable = map[string]func(*testing.T) driver.Parcel{
		"cancelled":      func(t *testing.T) driver.Parcel { return parcel(cancelled(t), 1) },
		"no such order":  func(*testing.T) driver.Parcel { return parcel("999999", 1) },
		"more than sold": func(t *testing.T) driver.Parcel { return parcel(place(t, 1).ID, 2) },
	}
	h.Dispatch = func(t *testing.T, units int) driver.Dispatch { return dispatch(place(t, units).ID, units) }
	h.Untellable = map[string]func(*testing.T) driver.Dispatch{
		"cancelled": func(t *testing.T) driver.Dispatch { return dispatch(cancelled(t), 1) },
		"another order's number": func(t *testing.T) driver.Dispatch {
			d := dispatch(place(t, 1).ID, 1)
			if _, err := h.RawChannel.(driver.Dispatcher).Tell(t.Context(), d); err != nil {
				t.Fatal(err)
			}
			d.OrderID = place(t, 1).ID
			return d
		},
	}
	h.Recipient = func(t *testing.T) (string, driver.Address) {
		o := place(t, 1)
		a := s.AddressOf(o.ID)
		return o.ID, driver.Address{Name: a.Name, Line1: a.Street, City: a.City, State: a.State, Post: a.Postal, Country: a.Country, Phone: a.Phone, Residential: true}
	}
	h.Masked = cancelled
	return h
}

// TestALabelInUseStaysPaid: once the carrier has the parcel a void is refused, again and again.
func TestALabelInUseStaysPaid(t *testing.T) {
	s := sim.New(world.Wall(), 1)
	t.Cleanup(s.Stop)
	srv := httptest.NewServer(s.Handler())
	t.Cleanup(srv.Close)
	access, _ := s.Tokens()
	app := driver.App{ID: "app", Key: sim.AppKey, Secret: sim.AppSecret, Settings: map[string]string{settingBase: srv.URL}}
	h := drivertest.ShippingOf(t, &drivertest.Harness{Vendor: Vendor{}, App: app, Grant: driver.Grant{AccessToken: access},
		Connection: driver.Connection{ID: "conn-1", App: app, Shop: driver.Shop{ExternalID: sim.ShopID}}})
	o, err := s.Place("S1", 1)
	if err != nil {
		t.Fatal(err)
	}
	b, err := h.Raw.Book(t.Context(), driver.Booking{ID: "b", Parcel: driver.Parcel{OrderIDs: []string{o.ID}, Grams: 1}})
	if err == nil {
		err = s.Scan(o.ID)
	}
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if got, err := h.Raw.Void(t.Context(), b); got != driver.VoidRefused || err != nil {
			t.Errorf("%s, %v", got, err)
		}
	}
	if n := s.LabelsPaid(o.ID); n != 1 {
		t.Errorf("%d labels are paid", n)
	}
}

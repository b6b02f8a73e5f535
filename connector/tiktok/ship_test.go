package tiktok

import (
	"fmt"
	"strings"
	"testing"

	"github.com/spillway/spillway/connector/driver"
	"github.com/spillway/spillway/connector/drivertest"
	sim "github.com/spillway/spillway/sim/tiktok"
	"github.com/spillway/spillway/sim/world"
)

func TestShippingInTheUS(t *testing.T) {
	drivertest.RunShipping(t, func(t *testing.T) *drivertest.Shipping { return newShop(t).shipping(t, "USPS") })
}

func TestShippingInBritain(t *testing.T) {
	drivertest.RunShipping(t, func(t *testing.T) *drivertest.Shipping { return newShop(t, inRegion("GB")).shipping(t, "royal mail") })
}

func TestShippingInThailand(t *testing.T) {
	drivertest.RunShipping(t, func(t *testing.T) *drivertest.Shipping { return newShop(t, inRegion("TH")).shipping(t, "City Post") })
}

func inRegion(code string) func(*sim.Options) {
	return func(o *sim.Options) { o.Shops[0].Region = code }
}

// strikesOf are where the operations of shipping reach the simulator.
var strikesOf = map[driver.Operation][]string{
	driver.OpBook: {"POST /fulfillment/202309/packages", "POST /fulfillment/202309/packages/*/ship"}, driver.OpFind: {"GET /order/*"}, driver.OpOrder: {"GET /order/*"},
	driver.OpDocument: {"GET /fulfillment/*/shipping_documents"}, driver.OpVoid: {"GET /fulfillment/202309/packages/*"},
	driver.OpTell:  {"POST /fulfillment/202309/orders/*/packages", "POST /fulfillment/202309/packages/*/ship"},
	driver.OpGroup: {"POST /fulfillment/202309/packages/combine"}, driver.OpBundle: {"POST /fulfillment/202510/*"},
}

// sold is what a buyer ordered: the order and its lines.
func (s *shop) sold(t *testing.T, units int, o sim.PlaceOptions) (string, []driver.ParcelLine) {
	t.Helper()
	id, err := s.PlaceOrder(s.id, []sim.Wanted{{SKU: "MUG-1", Qty: units}}, o)
	check(t, err)
	lines, err := s.Lines(id)
	check(t, err)
	return id, []driver.ParcelLine{{ExternalLineIDs: lines, Qty: int64(units)}}
}

func (s *shop) parcel(t *testing.T, units int, o sim.PlaceOptions) driver.Parcel {
	id, lines := s.sold(t, units, o)
	return driver.Parcel{OrderIDs: []string{id}, Number: id, Lines: lines, Grams: 420, LengthMM: 200, WidthMM: 150, HeightMM: 101}
}

func (s *shop) cancel(t *testing.T, id, by string) {
	t.Helper()
	_, err := s.Cancel(id, by, "")
	check(t, err)
}

// Who ships: the platform's label, or the seller.
var labelled, own = sim.PlaceOptions{Shipping: "TIKTOK"}, sim.PlaceOptions{Shipping: "SELLER"}

// unshippable are parcels that the platform makes no label for.
func (s *shop) unshippable() map[string]func(*testing.T) driver.Parcel {
	cancelled := func(by string) func(*testing.T) driver.Parcel {
		return func(t *testing.T) driver.Parcel {
			p := s.parcel(t, 1, labelled)
			s.cancel(t, p.OrderIDs[0], by)
			return p
		}
	}
	return map[string]func(*testing.T) driver.Parcel{
		"cancelled":                 cancelled("SELLER"),
		"the buyer asks to cancel":  cancelled("BUYER"),
		"the seller's own shipment": func(t *testing.T) driver.Parcel { return s.parcel(t, 1, own) },
		"two orders":                func(*testing.T) driver.Parcel { return driver.Parcel{OrderIDs: []string{"576999999999999999", "1"}} },
		"no such order":             func(*testing.T) driver.Parcel { return driver.Parcel{OrderIDs: []string{"576999999999999999"}} },
	}
}

func (s *shop) shipping(t *testing.T, carrier string) *drivertest.Shipping {
	h := drivertest.ShippingOf(t, s.harness(t))
	us := s.conn.Shop.Region == "US"
	numbers := 0
	h.Number = func() string { numbers++; return fmt.Sprintf("TRACK%05d", numbers) }
	dispatch := func(t *testing.T, units int, o sim.PlaceOptions) driver.Dispatch {
		id, lines := s.sold(t, units, o)
		return driver.Dispatch{OrderID: id, Lines: lines, ExternalLineIDs: lines[0].ExternalLineIDs, Carrier: carrier, Tracking: h.Number()}
	}
	h.Arrange = func(t *testing.T, f drivertest.Fault, op driver.Operation, times int) bool {
		for _, point := range strikesOf[op] {
			if _, err := s.Faults().Add(world.Rule{Point: point, Kind: faultKinds[f], Remaining: times}); err != nil {
				t.Fatal(err)
			}
		}
		return true
	}
	h.Parcel = func(t *testing.T, units int) driver.Parcel { return s.parcel(t, units, labelled) }
	h.Paid = func(t *testing.T, p driver.Parcel) int {
		n, err := s.LabelsPaid(p.OrderIDs[0])
		if err != nil && p.OrderIDs[0] != "576999999999999999" {
			t.Fatal(err)
		}
		return n
	}
	h.Split = us
	h.Unshippable = s.unshippable()
	h.Dispatch = func(t *testing.T, units int) driver.Dispatch { return dispatch(t, units, own) }
	h.Untellable = map[string]func(*testing.T) driver.Dispatch{
		"on the platform's label": func(t *testing.T) driver.Dispatch { return dispatch(t, 1, labelled) },
		"a number that is none": func(t *testing.T) driver.Dispatch {
			d := dispatch(t, 1, own)
			d.Tracking = "no number"
			return d
		},
		"another parcel's number": func(t *testing.T) driver.Dispatch {
			d := dispatch(t, 1, own)
			if _, err := h.RawChannel.(driver.Dispatcher).Tell(t.Context(), d); err != nil {
				t.Fatal(err)
			}
			other := dispatch(t, 1, own)
			other.Tracking = d.Tracking
			return other
		},
		"cancelled": func(t *testing.T) driver.Dispatch {
			d := dispatch(t, 1, own)
			s.cancel(t, d.OrderID, "SELLER")
			return d
		},
	}
	if !us && s.conn.Shop.Region != "GB" {
		h.TellsWhole = true
	}
	if !us {
		h.Together = func(t *testing.T) (a, b driver.Parcel) {
			a = s.parcel(t, 1, labelled)
			return a, s.parcel(t, 2, sim.PlaceOptions{Shipping: "TIKTOK", With: a.OrderIDs[0]})
		}
		h.Bagged = func(t *testing.T, id string) string { bag, _, err := s.Bundle(id); check(t, err); return bag }
	}
	if h.TellsWhole {
		h.Divisible = func(t *testing.T) driver.Parcel {
			id, err := s.PlaceOrder(s.id, []sim.Wanted{{SKU: "MUG-1", Qty: 2}, {SKU: "MUG-2", Qty: 1}}, labelled)
			check(t, err)
			lines, err := s.Lines(id)
			check(t, err)
			return driver.Parcel{OrderIDs: []string{id}, Number: id, Grams: 420, LengthMM: 200, WidthMM: 150, HeightMM: 101,
				Lines: []driver.ParcelLine{{ExternalLineIDs: lines[:2], Qty: 2}, {ExternalLineIDs: lines[2:], Qty: 1}}}
		}
	}
	h.Recipient = s.recipient
	if us {
		h.Masked = func(t *testing.T) string { id, _ := s.sold(t, 1, labelled); return id }
	}
	return h
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// recipient places an order of the seller's own shipping, and tells where it goes.
func (s *shop) recipient(t *testing.T) (string, driver.Address) {
	t.Helper()
	id, err := s.PlaceOrder(s.id, []sim.Wanted{{SKU: "MUG-1", Qty: 1}}, sim.PlaceOptions{Shipping: "SELLER"})
	if err != nil {
		t.Fatal(err)
	}
	a, err := s.Address(id)
	if err != nil {
		t.Fatal(err)
	}
	want := driver.Address{Name: a.Name, Phone: a.Phone, Line1: a.Street, City: a.City, State: a.State, Post: a.Postal, Country: a.Country, Residential: true}
	if code := usStates[strings.ToLower(a.State)]; s.conn.Shop.Region == "US" && code != "" {
		want.State = strings.TrimPrefix(code, "US-")
	}
	return id, want
}

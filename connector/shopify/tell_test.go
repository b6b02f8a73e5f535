package shopify

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/spillway/spillway/connector/driver"
	"github.com/spillway/spillway/connector/drivertest"
	sim "github.com/spillway/spillway/sim/shopify"
	"github.com/spillway/spillway/sim/world"
)

func TestShipping(t *testing.T) {
	drivertest.RunShipping(t, func(t *testing.T) *drivertest.Shipping { return newShop(t).shipping(t) })
}

// tellStrikes are where the operations of telling reach the simulator.
var tellStrikes = map[driver.Operation]string{driver.OpTell: "*mutation fulfillmentCreate", driver.OpOrder: "*query node"}

// sold is an order with its lines as a parcel holds them.
func (s *shop) sold(t *testing.T, units int) (int64, []driver.ParcelLine) {
	t.Helper()
	id := mustInt(t, s.place(t, strconv.FormatInt(s.variants[0].VariantID, 10), units))
	return id, s.lines(t, id, units)
}

func (s *shop) lines(t *testing.T, id int64, units ...int) (out []driver.ParcelLine) {
	t.Helper()
	ids, err := s.LineIDs(id)
	if err != nil || len(ids) != len(units) {
		t.Fatalf("%v, %v", ids, err)
	}
	for i, line := range ids {
		out = append(out, driver.ParcelLine{ExternalLineIDs: []string{strconv.FormatInt(line, 10)}, Qty: int64(units[i])})
	}
	return out
}

func (s *shop) shipping(t *testing.T) *drivertest.Shipping {
	h := drivertest.ShippingOf(t, s.harness(t))
	numbers := 0
	h.Number = func() string { numbers++; return fmt.Sprintf("TRACK%05d", numbers) }
	h.Arrange = func(t *testing.T, f drivertest.Fault, op driver.Operation, times int) bool {
		if _, err := s.Faults().Add(world.Rule{Point: tellStrikes[op], Kind: faultKinds[f], Remaining: times}); err != nil {
			t.Fatal(err)
		}
		return true
	}
	h.Dispatch = func(t *testing.T, units int) driver.Dispatch {
		id, lines := s.sold(t, units)
		return driver.Dispatch{OrderID: strconv.FormatInt(id, 10), Lines: lines, ExternalLineIDs: lines[0].ExternalLineIDs, Carrier: "usps", Tracking: h.Number(), URL: "https://usps.example/1"}
	}
	h.Untellable = map[string]func(*testing.T) driver.Dispatch{
		"cancelled": func(t *testing.T) driver.Dispatch {
			d := h.Dispatch(t, 1)
			if _, err := s.CancelOrder(mustInt(t, d.OrderID), "CUSTOMER", true); err != nil {
				t.Fatal(err)
			}
			return d
		},
		"on hold": func(t *testing.T) driver.Dispatch {
			d := h.Dispatch(t, 1)
			if err := s.HoldOrder(mustInt(t, d.OrderID), true); err != nil {
				t.Fatal(err)
			}
			return d
		},
		"more than was sold": func(t *testing.T) driver.Dispatch {
			d := h.Dispatch(t, 1)
			d.Lines[0].Qty = 2
			return d
		},
		"another order's line": func(t *testing.T) driver.Dispatch {
			d := h.Dispatch(t, 1)
			d.Lines = h.Dispatch(t, 1).Lines
			return d
		},
		"no such order": func(*testing.T) driver.Dispatch {
			return driver.Dispatch{OrderID: "999999999999", Tracking: h.Number()}
		},
		"no order": func(*testing.T) driver.Dispatch { return driver.Dispatch{OrderID: "x", Tracking: h.Number()} },
	}
	h.Recipient = func(t *testing.T) (string, driver.Address) {
		id, _ := s.sold(t, 1)
		a, err := s.AddressOf(id)
		if err != nil {
			t.Fatal(err)
		}
		return strconv.FormatInt(id, 10), driver.Address{Name: a.Name, Phone: a.Phone, Line1: a.Street, City: a.City, State: a.Province, Post: a.Zip, Country: a.Country, Residential: true}
	}
	return h
}

// teller is the driver as it tells.
func (s *shop) teller(t *testing.T) driver.Dispatcher { return s.channel(t, DefaultVersion) }

// TestManyLines: an order of more lines than a page holds is told of whole, part by part, and each part once.
func TestManyLines(t *testing.T) {
	s := newShop(t, func(o *sim.Options) { o.Unthrottled = true })
	in := sim.ProductInput{Title: "Many"}
	for i := range 2*placeLines + 3 {
		sku := "MANY-" + strconv.Itoa(i)
		in.Variants = append(in.Variants, sim.VariantInput{SKU: sku, Title: sku, Stock: 10, Price: "1.00"})
	}
	if _, err := s.AddProduct(in); err != nil {
		t.Fatal(err)
	}
	var order sim.OrderInput
	var units []int
	for _, v := range in.Variants {
		order.Lines = append(order.Lines, sim.OrderLine{SKU: v.SKU, Quantity: 2})
		units = append(units, 2)
	}
	o, err := s.PlaceOrder(order)
	if err != nil {
		t.Fatal(err)
	}
	d := driver.Dispatch{OrderID: strconv.FormatInt(o.ID, 10), Lines: s.lines(t, o.ID, units...), Carrier: "UPS Ground", Tracking: "1Z1"}
	part := d
	part.Lines = d.Lines[:1]
	part.Lines = []driver.ParcelLine{{ExternalLineIDs: part.Lines[0].ExternalLineIDs, Qty: 1}}
	part.Tracking = "1Z0"
	d.Lines = append([]driver.ParcelLine{{ExternalLineIDs: part.Lines[0].ExternalLineIDs, Qty: 1}}, d.Lines[1:]...)
	to := s.teller(t)
	for range 2 {
		for _, one := range []driver.Dispatch{part, d} {
			if _, err := to.Tell(t.Context(), one); err != nil {
				t.Fatal(err)
			}
		}
	}
	parcels, err := s.Parcels(o.ID)
	if err != nil || len(parcels) != 2 || parcels[0].Units != 1 || parcels[1].Units != 2*len(units)-1 || parcels[1].Company != "UPS" {
		t.Errorf("%+v, %v", parcels, err)
	}
	all, err := to.Told(t.Context(), d.OrderID)
	if err != nil || len(all) != 2 || len(all[1].Lines) != len(units) {
		t.Errorf("%+v, %v", all, err)
	}
}

// TestUnitsAreTakenByPlace: fulfilment orders of one place go together, and one place that has it all goes before several.
func TestUnitsAreTakenByPlace(t *testing.T) {
	o := &shipNode{}
	for i, location := range []string{"a", "b", "a"} {
		p := placeNode{ID: "fo" + strconv.Itoa(i), Items: page[placeItem]{Nodes: []placeItem{{ID: "i" + strconv.Itoa(i), Remaining: 2, Line: gqlID{"l" + strconv.Itoa(i%2)}}}}}
		p.Assigned.Location = &gqlID{location}
		p.Actions = append(p.Actions, struct {
			Action string `json:"action"`
		}{"CREATE_FULFILLMENT"})
		o.Places.Nodes = append(o.Places.Nodes, p)
	}
	for want, units := range map[string]map[string]int64{
		"[[{fo0 [{i0 2}]} {fo2 [{i2 1}]}]]":                  {"l0": 3},
		"[[{fo1 [{i1 1}]}]]":                                 {"l1": 1},
		"[[{fo0 [{i0 1}]}] [{fo1 [{i1 2}]}]]":                {"l0": 1, "l1": 2},
		"[[{fo0 [{i0 2}]} {fo2 [{i2 2}]}] [{fo1 [{i1 2}]}]]": nil,
	} {
		got, err := o.take(units, units == nil)
		if err != nil || fmt.Sprint(got) != want {
			t.Errorf("%v: %v, %v, want %s", units, got, err, want)
		}
	}
	if _, err := o.take(map[string]int64{"l0": 5}, false); driver.ClassOf(err) != driver.GiveUp {
		t.Errorf("more than there is: %v", err)
	}
}

// TestANumberForWhatStaffMarkedAsSent: just these units were marked without a number; the channel's own parcel gets it.
func TestANumberForWhatStaffMarkedAsSent(t *testing.T) {
	s := newShop(t)
	id, lines := s.sold(t, 2)
	if _, err := s.FulfillOrder(id, "", ""); err != nil {
		t.Fatal(err)
	}
	to := s.teller(t)
	d := driver.Dispatch{OrderID: strconv.FormatInt(id, 10), Lines: lines, Carrier: "FedEx", Tracking: "7777"}
	told, err := to.Tell(t.Context(), d)
	if err != nil || told.Tracking != "" || told.Corrections == 0 {
		t.Fatalf("%+v, %v", told, err)
	}
	if told, err = to.Correct(t.Context(), d, told); err != nil || told.Tracking != "7777" {
		t.Errorf("%+v, %v", told, err)
	}
	parcels, err := s.Parcels(id)
	if err != nil || len(parcels) != 1 || len(parcels[0].Numbers) != 1 || parcels[0].Numbers[0] != "7777" {
		t.Errorf("%+v, %v", parcels, err)
	}
}

// TestAWholeOrder: a parcel that names no lines is the order as a whole, in every version of the API.
func TestAWholeOrder(t *testing.T) {
	s := newShop(t)
	for _, v := range Versions {
		id, _ := s.sold(t, 3)
		c := s.channel(t, v)
		d := driver.Dispatch{OrderID: strconv.FormatInt(id, 10), Carrier: "A carrier nobody knows", Tracking: "X1"}
		told, err := c.Tell(t.Context(), d)
		if err == nil {
			_, err = c.Tell(t.Context(), d)
		}
		if err == nil {
			d.Tracking = "X2"
			_, err = c.Correct(t.Context(), d, told)
		}
		if err == nil {
			_, err = c.Recipient(t.Context(), d.OrderID)
		}
		if err != nil {
			t.Fatalf("%s: %v", v, err)
		}
		parcels, err := s.Parcels(id)
		if err != nil || len(parcels) != 1 || parcels[0].Units != 3 || parcels[0].Company != d.Carrier || parcels[0].Numbers[0] != "X2" {
			t.Errorf("%s: %+v, %v", v, parcels, err)
		}
	}
}

func TestCompaniesAreSpelledAsShopifyDoes(t *testing.T) {
	for ours, want := range map[string]string{
		"usps": "USPS", "USPS Ground Advantage": "USPS", "dhl express": "DHL Express", "DHL eCommerce": "DHL eCommerce", "DHL": "DHL", "dpd uk": "DPD UK", "dpd": "DPD",
		"royal-mail": "Royal Mail", " Somebody ": "Somebody", "": "",
	} {
		if got := company(ours); got != want {
			t.Errorf("%q is %q, want %q", ours, got, want)
		}
	}
}

// TestWhatMustBeGranted: a refusal of the address or of what is to be sent names what to grant.
func TestWhatMustBeGranted(t *testing.T) {
	denied := answering(t, 200, nil, `{"data":{"node":{"id":"gid://shopify/Order/1","shippingAddress":null}},"errors":[{"message":"This app is not approved to access the MailingAddress object.",
		"path":["node","shippingAddress"],"extensions":{"code":"ACCESS_DENIED"}}]}`)
	_, err := denied.Recipient(t.Context(), "1")
	if driver.ClassOf(err) != driver.AskHuman || !strings.Contains(err.Error(), "protected customer data") {
		t.Errorf("%v", err)
	}
	nowhere := answering(t, 200, nil, `{"data":{"node":{"id":"gid://shopify/Order/1","shippingAddress":null}}}`)
	if _, err := nowhere.Recipient(t.Context(), "1"); driver.ClassOf(err) != driver.GiveUp {
		t.Errorf("an order without an address: %v", err)
	}
	nothing := answering(t, 200, nil, `{"data":{"node":{"id":"gid://shopify/Order/1","fulfillments":[],"fulfillmentOrders":{"nodes":[],"pageInfo":{}}}}}`)
	_, err = nothing.Tell(t.Context(), driver.Dispatch{OrderID: "1", Tracking: "X"})
	if driver.ClassOf(err) != driver.AskHuman || !strings.Contains(err.Error(), "write_merchant_managed_fulfillment_orders") || driver.MayBeApplied(err) {
		t.Errorf("%v", err)
	}
}

// TestBuyersAreWrittenToUnlessTheShopSaysNo watches what goes out.
func TestBuyersAreWrittenToUnlessTheShopSaysNo(t *testing.T) {
	s := newShop(t)
	for setting, want := range map[string]bool{"": true, "yes": true, "No ": false} {
		c := s.channel(t, DefaultVersion)
		c.conn.Settings[SettingNotify] = setting
		if c.notify() != want {
			t.Errorf("%q: %v", setting, c.notify())
		}
	}
}

// TestTellingIsCheap: what an order's parcels cost in points is guessed within reason, so that a small plan tells several a second.
func TestTellingIsCheap(t *testing.T) {
	s := newShop(t)
	c := s.channel(t, DefaultVersion, func(e *driver.Env) { e.Now = time.Now; e.Client = http.DefaultClient })
	id, _ := s.sold(t, 1)
	if _, err := c.shipping(t.Context(), strconv.FormatInt(id, 10)); err != nil {
		t.Fatal(err)
	}
	if asked := c.budget.prices[price{docShipping.name, 0}]; asked > 200 || asked == 0 || asked > shipCost {
		t.Errorf("the order's parcels are priced at %v, guessed %d", asked, shipCost)
	}
}

// TestNoMoreIsTakenThanIsWantedOrLeft: whatever is wanted and left, all of it is taken or nothing, and no place sends more than it has.
func TestNoMoreIsTakenThanIsWantedOrLeft(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o := &shipNode{}
		left := map[string]int64{}
		for i := range rapid.IntRange(0, 4).Draw(t, "places") {
			p := placeNode{ID: strconv.Itoa(i), Status: "OPEN"}
			p.Assigned.Location = &gqlID{rapid.SampledFrom([]string{"a", "b"}).Draw(t, "location")}
			open := rapid.Bool().Draw(t, "open")
			if open {
				p.Actions = append(p.Actions, struct {
					Action string `json:"action"`
				}{"CREATE_FULFILLMENT"})
			}
			for j, line := range []string{"x", "y"} {
				n := rapid.Int64Range(0, 3).Draw(t, "remaining")
				p.Items.Nodes = append(p.Items.Nodes, placeItem{ID: fmt.Sprint(i, "/", j), Remaining: n, Line: gqlID{line}})
				if open {
					left[line] += n
				}
			}
			o.Places.Nodes = append(o.Places.Nodes, p)
		}
		units := map[string]int64{}
		for _, line := range []string{"x", "y"} {
			if n := rapid.Int64Range(0, 6).Draw(t, "wanted"); n > 0 {
				units[line] = n
			}
		}
		if len(units) == 0 {
			return
		}
		got, err := o.take(units, false)
		if can := units["x"] <= left["x"] && units["y"] <= left["y"]; (err == nil) != can {
			t.Fatalf("wanted %v of %v: %v", units, left, err)
		}
		if err != nil {
			return
		}
		taken := map[string]int64{}
		for _, group := range got {
			at := ""
			for _, from := range group {
				n, _ := strconv.Atoi(from.ID)
				p := &o.Places.Nodes[n]
				if !p.open() || at != "" && at != p.location() {
					t.Fatalf("a call takes from a closed place or from two: %v", got)
				}
				at = p.location()
				for _, it := range from.Items {
					for _, has := range p.Items.Nodes {
						if has.ID == it.ID {
							if it.Quantity < 1 || it.Quantity > has.Remaining {
								t.Fatalf("%d of %d are taken", it.Quantity, has.Remaining)
							}
							taken[has.Line.ID] += it.Quantity
						}
					}
				}
			}
		}
		if fmt.Sprint(taken) != fmt.Sprint(units) {
			t.Fatalf("wanted %v, taken %v", units, taken)
		}
	})
}

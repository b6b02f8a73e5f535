package shippo

import (
	"fmt"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/spillway/spillway/connector/driver"
	"github.com/spillway/spillway/connector/drivertest"
	sim "github.com/spillway/spillway/sim/shippo"
	"github.com/spillway/spillway/sim/world"
)

var start = time.Date(2026, 9, 7, 9, 0, 0, 0, time.UTC)

// rig is an account with a broker of its own.
type rig struct {
	*drivertest.Shipping
	sim     *sim.Sim
	clock   *world.Virtual
	account driver.CarrierAccount
	orders  int
}

func newRig(t *testing.T) *rig {
	t.Helper()
	clock := world.NewVirtual(start)
	s := sim.New(clock, 7)
	t.Cleanup(s.Stop)
	server := httptest.NewServer(s.Handler())
	t.Cleanup(server.Close)
	r := &rig{sim: s, clock: clock, account: driver.CarrierAccount{ID: "acc-1", Settings: map[string]string{setKey: sim.APIKey, setBase: server.URL}}}
	r.Shipping = drivertest.FreightOf(t, Carrier{}, r.account)
	r.Arrange = r.arrange
	r.Parcel = func(_ *testing.T, units int) driver.Parcel { return r.parcel(units) }
	r.Paid = func(_ *testing.T, p driver.Parcel) int { return s.Paid(p.Number) }
	r.Split = true
	r.Unshippable = map[string]func(*testing.T) driver.Parcel{
		"no weight":  func(*testing.T) driver.Parcel { p := r.parcel(1); p.Grams = 0; return p },
		"no address": func(*testing.T) driver.Parcel { p := r.parcel(1); p.To = driver.Address{}; return p },
		"no service": func(*testing.T) driver.Parcel { return r.parcel(1) },
	}
	return r
}

// points are where operations reach the simulator.
var points = map[driver.Operation]string{
	driver.OpBook: "POST /transactions", driver.OpFind: "GET /transactions", driver.OpDocument: "GET /files/*", driver.OpVoid: "POST /refunds",
}

var kinds = map[drivertest.Fault]world.Kind{
	drivertest.Throttle: world.Throttle, drivertest.Unavailable: world.Unavailable, drivertest.LostReply: world.LostReply, drivertest.LostRequest: world.LostRequest,
}

func (r *rig) arrange(t *testing.T, f drivertest.Fault, op driver.Operation, times int) bool {
	t.Helper()
	if kinds[f] == "" || points[op] == "" || f == drivertest.Unavailable && op == driver.OpBook { // a 503 may have sold a label here
		return false
	}
	r.strike(t, points[op], kinds[f], times, 0)
	return true
}

func (r *rig) strike(t *testing.T, point string, kind world.Kind, times int, delay time.Duration) {
	t.Helper()
	if _, err := r.sim.Faults.Add(world.Rule{Point: point, Kind: kind, Remaining: times, Delay: world.Duration(delay)}); err != nil {
		t.Fatal(err)
	}
}

func (r *rig) parcel(units int) driver.Parcel {
	r.orders++
	id := fmt.Sprintf("order-%d", r.orders)
	return driver.Parcel{OrderIDs: []string{id}, Number: "#" + id, Lines: []driver.ParcelLine{{SKU: "MUG-1", Title: "Mug", Qty: int64(units)}},
		From:  driver.Address{Company: "Mugs", Line1: "1 Dock Rd", City: "Columbus", State: "OH", Post: "43004", Country: "US"},
		To:    driver.Address{Name: "A. Buyer", Line1: "22 Elm St", City: "Denver", State: "CO", Post: "80202", Country: "US", Residential: true},
		Grams: 420, LengthMM: 200, WidthMM: 150, HeightMM: 101, ShipOn: start}
}

func TestShipping(t *testing.T) {
	drivertest.RunShipping(t, func(t *testing.T) *drivertest.Shipping { return newRig(t).Shipping })
}

func TestNeverPaidTwice(t *testing.T) {
	drivertest.RunFreight(t, 1, func(t *testing.T) *drivertest.Freight {
		r := newRig(t)
		f := &drivertest.Freight{Shipping: r.Shipping, Now: r.clock.Now, Advance: r.clock.Advance, Lifetime: lifetime, Calm: r.sim.Faults.Clear, Bought: r.sim.Bought}
		for _, point := range []string{"POST /shipments", "POST /transactions", "GET /transactions", "GET /rates/*"} {
			for _, kind := range []world.Kind{world.Throttle, world.Unavailable, world.Internal, world.LostReply, world.LostRequest, world.LateEffect} {
				f.Trouble = append(f.Trouble, func(t *testing.T, delay time.Duration) {
					if kind != world.LateEffect {
						delay = 0
					}
					r.strike(t, point, kind, 1+int(delay%2), delay)
				})
			}
		}
		return f
	})
}

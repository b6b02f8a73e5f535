package shipbob

import (
	"fmt"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/spillway/spillway/connector/driver"
	"github.com/spillway/spillway/connector/drivertest"
	"github.com/spillway/spillway/sim/depot"
	sim "github.com/spillway/spillway/sim/shipbob"
	"github.com/spillway/spillway/sim/world"
)

func TestContract(t *testing.T) {
	drivertest.RunProvider(t, func(t *testing.T) *drivertest.Provider { h, _ := fresh(t); return h })
}

func TestDocs(t *testing.T) { drivertest.CheckProviderDocs(t, Carrier{}, "../..") }

// paths are where operations strike the simulator.
var paths = map[driver.Operation]string{driver.OpBook: "POST */order", driver.OpFind: "GET */order", driver.OpVoid: "POST *:cancel"}

var kinds = map[drivertest.Fault]world.Kind{
	drivertest.Throttle: world.Throttle, drivertest.Unavailable: world.Unavailable, drivertest.LostReply: world.LostReply, drivertest.LostRequest: world.LostRequest,
}

// fresh starts the vendor with stock in two places.
func fresh(t *testing.T) (*drivertest.Provider, *sim.Sim) {
	clock := world.NewVirtual(time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC))
	s := sim.New(clock, 7, depot.Options{})
	t.Cleanup(s.Stop)
	srv := httptest.NewServer(s.Handler())
	t.Cleanup(srv.Close)
	s.Limit = 10000 // the suite's wall is faster than the vendor's; the limit has a test of its own
	s.Floor.Stow("Cicero", "MUG", 500, 3)
	s.Floor.Stow("Cicero", "LAMP", 5, 0)
	s.Floor.Stow("Moreno", "MUG", 20, 0)
	c := Carrier{Now: clock.Now}
	account := driver.CarrierAccount{ID: "acc-1", Settings: map[string]string{settingBase: srv.URL, settingToken: sim.Token, settingChannel: sim.ChannelID, settingSecret: sim.Secret}}
	h := &drivertest.Provider{Shipping: drivertest.FreightOf(t, c, account), Carrier: c, Account: account, Now: clock.Now, Ships: 3 * time.Hour, Delivers: 50 * time.Hour, Subscribe: s.Subscribe}
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
		return len(s.Floor.Orders(func(o depot.Order) bool { return o.Number == p.Number && o.Standing() }))
	}
	h.Unshippable = map[string]func(*testing.T) driver.Parcel{
		"no address": func(*testing.T) driver.Parcel { p := parcel("MUG", 1); p.To = driver.Address{}; return p },
		"nothing in": func(*testing.T) driver.Parcel { p := parcel("MUG", 1); p.Lines = nil; return p },
	}
	h.Arrange = func(t *testing.T, f drivertest.Fault, op driver.Operation, times int) bool {
		kind, ok := kinds[f]
		if !ok || paths[op] == "" {
			return false
		}
		if _, err := s.Faults.Add(world.Rule{Point: paths[op], Kind: kind, Remaining: times}); err != nil {
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
		for i := range page + 7 {
			s.Floor.Place(depot.Order{Reference: fmt.Sprintf("many-%d", i), Number: "n", Lines: []depot.Line{{SKU: "MUG", Qty: 1}}})
		}
		return page + 7
	}
	return h, s
}

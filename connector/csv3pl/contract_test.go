package csv3pl

import (
	"fmt"
	"testing"
	"time"

	"github.com/spillway/spillway/connector/driver"
	"github.com/spillway/spillway/connector/drivertest"
	"github.com/spillway/spillway/sim/depot"
)

func TestContractInAFolder(t *testing.T) {
	drivertest.RunProvider(t, func(t *testing.T) *drivertest.Provider {
		p := newPartner(t)
		return provider(t, p, map[string]string{settingFolder: p.dir})
	})
}

func TestContractOverSFTP(t *testing.T) {
	drivertest.RunProvider(t, func(t *testing.T) *drivertest.Provider {
		p := newPartner(t)
		s := serveSFTP(t, p.dir)
		return provider(t, p, map[string]string{settingHost: s.address, settingUser: "seller", settingPassword: "right", settingHostKey: s.hostKey})
	})
}

func TestDocs(t *testing.T) { drivertest.CheckProviderDocs(t, Carrier{}, "../..") }

func provider(t *testing.T, p *partner, settings map[string]string) *drivertest.Provider {
	p.floor.Stow("Leeds", "MUG", 500, 3)
	p.floor.Stow("Leeds", "LAMP", 5, 0)
	p.floor.Stow("York", "MUG", 20, 0)
	settings[settingSecret], settings[settingSettle] = webhookSecret, "0"
	c, account := Carrier{Now: p.clock.Now}, driver.CarrierAccount{ID: "acc-1", Settings: settings}
	h := &drivertest.Provider{Shipping: drivertest.FreightOf(t, c, account), Carrier: c, Account: account, Now: p.clock.Now, Pass: p.pass, Ships: 3 * time.Hour,
		Delivers: 50 * time.Hour, OneWay: true, Subscribe: func(address string) { p.hook = address }}
	h.Split = true
	n := 0
	parcel := func(sku string, units int) driver.Parcel {
		n++
		number := fmt.Sprintf("order-%d", n)
		return driver.Parcel{OrderIDs: []string{number}, Number: number, Lines: []driver.ParcelLine{{ExternalLineIDs: []string{number + "-1"}, SKU: sku, Title: "A " + sku, Qty: int64(units)}},
			To: driver.Address{Name: "Jo Sample", Line1: "1 Example Street", City: "Leeds", Post: "LS1 1AA", Country: "GB", Phone: "+44 20 7946 0000"}}
	}
	h.Parcel = func(_ *testing.T, units int) driver.Parcel { return parcel("MUG", units) }
	h.Stuck = func(*testing.T) driver.Parcel { return parcel("LAMP", 6) }
	h.Paid = func(_ *testing.T, d driver.Parcel) int {
		p.take()
		return len(p.floor.Orders(func(o depot.Order) bool { return o.Number == d.Number && o.Standing() }))
	}
	h.Unshippable = map[string]func(*testing.T) driver.Parcel{
		"no address": func(*testing.T) driver.Parcel { d := parcel("MUG", 1); d.To = driver.Address{}; return d },
		"nothing in": func(*testing.T) driver.Parcel { d := parcel("MUG", 1); d.Lines = nil; return d },
	}
	h.Arrange = func(*testing.T, drivertest.Fault, driver.Operation, int) bool { return false }
	h.Kept = func() map[[2]string]driver.Kept {
		out := map[[2]string]driver.Kept{}
		for _, s := range p.floor.Shelves() {
			out[[2]string{s.SKU, s.Place}] = driver.Kept{OnHand: s.OnHand, Reserved: s.Allocated, Blocked: s.Damaged}
		}
		return out
	}
	h.Many = func(*testing.T) int {
		for i := range 7 {
			p.floor.Place(depot.Order{Reference: fmt.Sprintf("many-%d", i), Number: "n", Lines: []depot.Line{{SKU: "MUG", Qty: 1}}})
		}
		return 7
	}
	return h
}

// Package all is the one list of vendors and carriers. Adding one adds one line here; nothing registers itself.
//
// It may import vendors' connectors and the driver contract, and it is imported by the composition root and by tests only.
package all

import (
	"github.com/spillway/spillway/connector/csv3pl"
	"github.com/spillway/spillway/connector/driver"
	"github.com/spillway/spillway/connector/easypost"
	"github.com/spillway/spillway/connector/shipbob"
	"github.com/spillway/spillway/connector/shiphero"
	"github.com/spillway/spillway/connector/shippo"
	"github.com/spillway/spillway/connector/shopify"
	"github.com/spillway/spillway/connector/tiktok"
)

// All returns every vendor offered to users, in the order pages show them.
func All() []driver.Vendor {
	return []driver.Vendor{
		tiktok.Vendor{},
		shopify.Vendor{},
	}
}

// ByName returns the vendor of a name, as in driver.Description.Vendor.
func ByName(name string) (driver.Vendor, bool) {
	for _, v := range All() {
		if v.Describe().Vendor == name {
			return v, true
		}
	}
	return nil, false
}

// Carriers returns every carrier, label broker and logistics provider offered to users, in the order pages show them.
func Carriers() []driver.Carrier {
	return []driver.Carrier{
		easypost.Carrier{},
		shippo.Carrier{},
		shipbob.Carrier{},
		shiphero.Carrier{},
		csv3pl.Carrier{},
	}
}

// CarrierByName returns the carrier of a name, as in driver.CarrierDescription.Name.
func CarrierByName(name string) (driver.Carrier, bool) {
	for _, c := range Carriers() {
		if c.Describe().Name == name {
			return c, true
		}
	}
	return nil, false
}

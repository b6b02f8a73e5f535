// Package all is the one list of vendors. Adding a vendor adds one line here; nothing registers itself.
//
// It may import vendors' connectors and the driver contract, and it is imported by the composition root and by tests only.
package all

import (
	"github.com/spillway/spillway/connector/driver"
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

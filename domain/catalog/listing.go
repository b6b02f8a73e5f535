package catalog

import (
	"time"

	"github.com/spillway/spillway/kit/errs"
)

// Allocation modes of a listing. The empty mode means the default, Guarded.
const (
	Guarded = "guarded" // never promise a unit twice
	Shared  = "shared"  // every channel sees everything: a stated risk
	Fixed   = "fixed"   // the number in ListingRules.Fixed
)

// Listing is one sellable SKU of one connection: the number that a channel shows belongs to it.
type Listing struct {
	ID           string // ListingID(connection, external SKU id)
	ConnectionID string
	ProductID    string // the channel's product the SKU belongs to
	ExternalSKU  string // the channel's id of the SKU
	ItemRef      string // a further id some channels need to set stock, such as an inventory item
	SellerSKU    string // what the seller typed on the channel; used to suggest a mapping
	Title        string
	ItemID       string   // what a sale here sells; empty: not mapped yet
	Locations    []string // the channel's warehouses to name when setting a quantity
	Active       bool     // offered for sale at the moment
	Mode         string   // who fulfils, in the channel's words as the driver reports them
	Rules        ListingRules
	UpdatedAt    time.Time
}

// ListingRules bound what a listing may be told.
type ListingRules struct {
	Min           int64  `json:"min,omitempty"`            // units kept for this listing as long as there are any
	Max           int64  `json:"max,omitempty"`            // most units ever shown; 0: no limit
	BufferPercent int    `json:"buffer_percent,omitempty"` // share of the item kept back, 0 to 100
	BufferUnits   int64  `json:"buffer_units,omitempty"`   // units of the item kept back
	Fixed         int64  `json:"fixed,omitempty"`          // the number shown in mode Fixed
	Priority      int    `json:"priority,omitempty"`       // higher is served first when units are scarce
	Mode          string `json:"mode,omitempty"`           // Guarded, Shared, Fixed or empty
}

// ListingID makes a listing's id. Connection ids hold no colon, so it can be taken apart again.
func ListingID(connectionID, externalSKU string) string { return connectionID + ":" + externalSKU }

// Validate refuses rules that contradict themselves. Errors are of kind Invalid and name the field.
func (r ListingRules) Validate() error {
	bad := func(field, format string, args ...any) error {
		return errs.New(errs.Invalid, "catalog.ListingRules", field, format, args...)
	}
	switch {
	case r.Min < 0:
		return bad("min", "must not be negative")
	case r.Max < 0:
		return bad("max", "must not be negative")
	case r.Max > 0 && r.Min > r.Max:
		return bad("min", "must not be above max")
	case r.BufferPercent < 0 || r.BufferPercent > 100:
		return bad("buffer percent", "must be 0 to 100")
	case r.BufferUnits < 0:
		return bad("buffer units", "must not be negative")
	case r.Fixed < 0:
		return bad("fixed", "must not be negative")
	}
	switch r.Mode {
	case "", Guarded, Shared, Fixed:
		return nil
	}
	return bad("mode", "%q is not guarded, shared or fixed", r.Mode)
}

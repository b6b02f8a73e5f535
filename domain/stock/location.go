package stock

import "slices"

// LocationKind says what sort of place holds the units, and so whom they may be promised to.
type LocationKind string

const (
	Own         LocationKind = "own"         // the seller's warehouse or shop
	ThirdParty  LocationKind = "3pl"         // a logistics provider's warehouse
	Coop        LocationKind = "coop"        // shared with or lent by a partner
	Marketplace LocationKind = "marketplace" // at a marketplace that also ships for other channels: serves those it names
	FBT         LocationKind = "fbt"         // at a platform that ships its own orders only
	Transit     LocationKind = "transit"     // between two locations
	Returns     LocationKind = "returns"     // came back, not inspected
)

// LocationKinds lists every kind.
var LocationKinds = []LocationKind{Own, ThirdParty, Coop, Marketplace, FBT, Transit, Returns}

// Location is a place that holds stock.
type Location struct {
	ID           string // short slug
	Name         string
	Kind         LocationKind
	Serves       []string          // connection ids; empty: every connection the kind allows
	ExternalRefs map[string]string // connection id to that channel's warehouse id
	Active       bool              // false: nothing new is promised from here, what is held stays held
}

// MayServe reports whether units here may be promised to orders of a connection (empty: an order of no channel).
//
// Own, 3PL and co-op stock serves everyone unless Serves names connections. Marketplace and FBT stock serves only the
// connections it names. Units in transit or returned and not inspected serve nobody.
func (l Location) MayServe(connectionID string) bool {
	if !l.Active {
		return false
	}
	switch l.Kind {
	case Own, ThirdParty, Coop:
		return len(l.Serves) == 0 || slices.Contains(l.Serves, connectionID)
	case Marketplace, FBT:
		return slices.Contains(l.Serves, connectionID)
	}
	return false
}

// InPool reports whether the location belongs to the pool of a Want: the empty pool is everything but FBT stock (a platform ships
// its own orders from there and says so), any other pool is the one location of that id.
func (l Location) InPool(pool string) bool {
	if pool == "" {
		return l.Kind != FBT
	}
	return l.ID == pool
}

package health

import (
	"cmp"
	"slices"
	"strings"

	"github.com/spillway/spillway/domain/order"
	"github.com/spillway/spillway/domain/policy"
)

// Facet is a way to divide a rate. The empty Facet is the whole.
type Facet = string

const (
	FacetAll      Facet = ""
	FacetNode     Facet = "node"     // warehouse the channel expects to ship
	FacetCarrier  Facet = "carrier"  // of its parcels; an order with several counts once under each, a package under its own
	FacetRegion   Facet = "region"   // where it goes
	FacetItem     Facet = "item"     // seller SKU; an order with several counts once under each
	FacetMode     Facet = "mode"     // seller, platform_label or platform_fulfilled
	FacetFault    Facet = "fault"    // cancelled orders only: "role/reason name", whoever's fault it was
	FacetUnjudged Facet = "unjudged" // not a division: the orders that could not be judged, see Tally
)

// FacetNames are the facets in the order in which they are shown. Their values are "" where the channel does not say.
var FacetNames = []Facet{FacetNode, FacetCarrier, FacetRegion, FacetItem, FacetMode, FacetFault}

// ModeSeller is the mode of an order that is neither fulfilled nor labelled by the platform; those are policy.ByPlatform and PlatformLabel.
const ModeSeller = "seller"

// MaxItems bounds the items and carriers an order is counted under: a cart above it says nothing about any one item. The first by name count.
const MaxItems = 50

// Facets are an order's values.
type Facets struct {
	Node     string   `json:"node,omitzero"`
	Region   string   `json:"region,omitzero"`
	Mode     string   `json:"mode,omitzero"`
	Fault    string   `json:"fault,omitzero"`
	Carriers []string `json:"carriers,omitempty"` // sorted, each once
	Items    []string `json:"items,omitempty"`    // sorted, each once
}

// FacetsOf are the values an order is counted under.
func FacetsOf(o *order.Order) Facets { return facetsOf(o, nil, nil) }

// facetsOf is FacetsOf; what fits into carriers and items, which are empty, takes no memory of its own.
func facetsOf(o *order.Order, carriers, items []string) Facets {
	for i := range o.Parcels {
		carriers = append(carriers, clip(o.Parcels[i].Carrier))
	}
	for i := range o.Lines {
		items = append(items, clip(item(&o.Lines[i])))
	}
	return Facets{Node: clip(o.Node()), Region: clip(o.Region), Mode: mode(o), Fault: clip(faultOf(o)), Carriers: distinct(carriers), Items: distinct(items)}
}

// distinct sorts, drops doubles and what is over MaxItems; of nothing it makes the one value "not told", so that each facet adds up.
func distinct(in []string) []string {
	switch len(in) {
	case 0:
		return append(in, "")
	case 1:
		return in
	}
	slices.Sort(in)
	in = slices.Compact(in)
	return in[:min(len(in), MaxItems)]
}

// maxValue bounds a facet's value, in bytes: enough for every id, and short enough for an index of a database.
const maxValue = 128

func clip(s string) string {
	if len(s) <= maxValue {
		return s
	}
	return strings.ToValidUTF8(s[:maxValue], "")
}

func item(l *order.Line) string { return cmp.Or(l.SellerSKU, l.ExternalSKU) }

func mode(o *order.Order) string {
	switch {
	case o.Fulfilment == order.ByPlatform:
		return string(policy.ByPlatform)
	case o.Flags.PlatformLabel:
		return string(policy.PlatformLabel)
	}
	return ModeSeller
}

func faultOf(o *order.Order) string {
	if o.Status != order.Cancelled {
		return ""
	}
	return string(o.Cancel.Role) + "/" + o.Cancel.Reason
}

// facetSet is a set of facets.
type facetSet uint8

const (
	nodeSet facetSet = 1 << iota
	regionSet
	modeSet
	faultSet
	carrierSet
	itemSet
	allFacets = nodeSet | regionSet | modeSet | faultSet | carrierSet | itemSet
)

// sameFacets are the facets of which two readings of an order certainly have the same values, by the same parcels. It may leave one out of which
// they do: that only costs time.
func sameFacets(a, b *order.Order) facetSet {
	same := allFacets
	if a.Node() != b.Node() {
		same &^= nodeSet
	}
	if a.Region != b.Region {
		same &^= regionSet
	}
	if mode(a) != mode(b) {
		same &^= modeSet
	}
	if (a.Status == order.Cancelled) != (b.Status == order.Cancelled) ||
		(a.Status == order.Cancelled && (a.Cancel.Role != b.Cancel.Role || a.Cancel.Reason != b.Cancel.Reason)) {
		same &^= faultSet
	}
	if !sameCarriers(a.Parcels, b.Parcels) {
		same &^= carrierSet
	}
	if !slices.EqualFunc(a.Lines, b.Lines, func(x, y order.Line) bool { return item(&x) == item(&y) }) {
		same &^= itemSet
	}
	return same
}

func sameCarriers(a, b []order.Parcel) bool {
	if len(a) > 1 || len(b) > 1 {
		return slices.Equal(a, b)
	}
	return len(a) == len(b) && (len(a) == 0 || a[0].Carrier == b[0].Carrier)
}

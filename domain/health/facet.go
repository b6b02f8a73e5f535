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
func FacetsOf(o *order.Order) Facets { return *facetsOf(o) }

func facetsOf(o *order.Order) *Facets {
	f := &Facets{Node: clip(o.WarehouseRef), Region: clip(o.Region), Mode: mode(o), Fault: clip(faultOf(o))}
	f.Carriers = make([]string, 0, len(o.Parcels))
	for i := range o.Parcels {
		f.Carriers = append(f.Carriers, clip(o.Parcels[i].Carrier))
	}
	f.Items = make([]string, 0, len(o.Lines))
	for i := range o.Lines {
		f.Items = append(f.Items, clip(item(&o.Lines[i])))
	}
	f.Carriers, f.Items = distinct(f.Carriers), distinct(f.Items)
	return f
}

// distinct sorts, drops doubles and what is over MaxItems; of nothing it makes the one value "not told", so that each facet adds up.
func distinct(in []string) []string {
	if len(in) == 0 {
		return append(in, "")
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

// sameFacets reports whether two readings of an order certainly have the same facets. It may say no where they do: that only costs time.
func sameFacets(a, b *order.Order) bool {
	if a.WarehouseRef != b.WarehouseRef || a.Region != b.Region || mode(a) != mode(b) || len(a.Parcels) != len(b.Parcels) ||
		len(a.Lines) != len(b.Lines) || (a.Status == order.Cancelled) != (b.Status == order.Cancelled) ||
		(a.Status == order.Cancelled && (a.Cancel.Role != b.Cancel.Role || a.Cancel.Reason != b.Cancel.Reason)) {
		return false
	}
	for i := range a.Parcels {
		if a.Parcels[i].Carrier != b.Parcels[i].Carrier {
			return false
		}
	}
	for i := range a.Lines {
		if item(&a.Lines[i]) != item(&b.Lines[i]) {
			return false
		}
	}
	return true
}

package health

import (
	"cmp"
	"slices"
	"strings"

	"github.com/spillway/spillway/domain/policy"
)

// Tally is what a day adds to a rate: of the whole shop, or of one value of a facet. As a change it may be negative. The unjudged of a day are a
// tally of their own, with the facet FacetUnjudged, the value "" and their number as Den.
type Tally struct {
	Connection, Rate, Facet, Value string
	Day                            policy.Day
	Num, Den                       int64
}

func (t Tally) compare(u Tally) int {
	if c := cmp.Or(strings.Compare(t.Connection, u.Connection), strings.Compare(t.Rate, u.Rate)); c != 0 {
		return c
	}
	return cmp.Or(cmp.Compare(slices.Index(facetOrder[:], t.Facet), slices.Index(facetOrder[:], u.Facet)), strings.Compare(t.Value, u.Value), cmp.Compare(t.Day, u.Day))
}

// Mark is an order that counts against the shop, or could not be judged (Reason.Unjudged). N is how many of it do: 1, or the packages. As a
// change it may be negative; marks that differ in anything but N are different marks, so a corrected order takes one back and sets another.
// The N of all judged marks of a rate and day add up to the orders against the shop in its tally.
type Mark struct {
	Connection, Rate string
	Day              policy.Day
	OrderID          string
	Reason           Reason
	Facets           Facets
	N                int64
}

func (m Mark) compare(n Mark) int {
	a, b := &m.Facets, &n.Facets
	return cmp.Or(strings.Compare(m.Connection, n.Connection), strings.Compare(m.Rate, n.Rate), cmp.Compare(m.Day, n.Day),
		strings.Compare(m.OrderID, n.OrderID), strings.Compare(string(m.Reason), string(n.Reason)), strings.Compare(a.Node, b.Node),
		strings.Compare(a.Region, b.Region), strings.Compare(a.Mode, b.Mode), strings.Compare(a.Fault, b.Fault),
		slices.Compare(a.Carriers, b.Carriers), slices.Compare(a.Items, b.Items))
}

var facetOrder = [...]Facet{FacetAll, FacetNode, FacetCarrier, FacetRegion, FacetItem, FacetMode, FacetFault, FacetUnjudged}

const (
	facetAll = iota
	facetNode
	facetCarrier
	facetRegion
	facetItem
	facetMode
	facetFault
	facetUnjudged
)

package ops

import (
	"slices"

	"github.com/spillway/spillway/connector/driver"
	"github.com/spillway/spillway/domain/catalog"
	"github.com/spillway/spillway/domain/routing"
	"github.com/spillway/spillway/domain/transit"
	"github.com/spillway/spillway/store"
)

// handling is what the floor needs to know of things: what items are like, the cartons there are, and the shelves items lie on. It is held with the
// catalogue, so that routing and packing ask no database.
type handling struct {
	physicals map[string]catalog.Physical // by item
	cartons   []catalog.Carton            // in the order of id
	bins      map[[2]string][]catalog.Bin // by node and item, the one to look at first first
}

// loadHandling reads all of it.
func loadHandling(tx *store.Tx) (handling, error) {
	h := handling{physicals: map[string]catalog.Physical{}, bins: map[[2]string][]catalog.Bin{}}
	for after := ""; ; {
		page, err := tx.Physicals(after, catalogPage)
		if err != nil {
			return h, err
		}
		for _, p := range page {
			h.physicals[p.ItemID] = p.Physical
			after = p.ItemID
		}
		if len(page) < catalogPage {
			break
		}
	}
	cartons, err := tx.Cartons()
	if err != nil {
		return h, err
	}
	for _, c := range cartons {
		h.cartons = append(h.cartons, c.Carton)
	}
	for after := (catalog.Bin{}); ; {
		page, err := tx.Bins(after, catalogPage)
		if err != nil {
			return h, err
		}
		for _, b := range page {
			k := [2]string{b.Node, b.ItemID}
			h.bins[k] = append(h.bins[k], b)
			after = b
		}
		if len(page) < catalogPage {
			break
		}
	}
	for _, bins := range h.bins {
		catalog.SortBins(bins)
	}
	return h, nil
}

// cartonsAt are the cartons a node packs in.
func (h *handling) cartonsAt(node string) []catalog.Carton {
	var out []catalog.Carton
	for _, c := range h.cartons {
		if c.At(node) && len(out) < catalog.MaxCartonsOfNode {
			out = append(out, c)
		}
	}
	return out
}

// BinsAt says where items lie at a node: of each the shelf to look at first first, then the others as one walks. Items nobody has said a shelf of are left
// out. Sort the first ones with catalog.WalkOrder for a pick list.
func (x *Ops) BinsAt(node string, items []string) map[string][]catalog.Bin {
	h := &x.catalog.Load().handling
	out := make(map[string][]catalog.Bin, len(items))
	for _, id := range items {
		if bins := h.bins[[2]string{node, id}]; len(bins) > 0 {
			out[id] = slices.Clone(bins)
		}
	}
	return out
}

// lineGrams bounds the weight a line is routed with, so that no order of absurd sizes is beyond what routing takes: above it nothing goes in a parcel.
const lineGrams = routing.MaxGrams / 200

// routeLine is what routing must know of a quantity of an item, where parcels are billed by some terms.
func (h *handling) routeLine(terms []transit.Terms, item string, qty int64) routing.Line {
	p := h.physicals[item]
	return routing.Line{Item: item, Qty: qty, Needs: p.Needs, Grams: min(billableGrams(terms, p.Grams, p.LengthMM, p.WidthMM, p.HeightMM), lineGrams/max(1, qty))}
}

// declare adds to a line of a parcel what labels and customs ask of its item.
func (h *handling) declare(l *driver.ParcelLine, item string) {
	p := h.physicals[item]
	l.Grams, l.HSCode, l.Origin = p.Grams, p.HSCode, p.Origin
}

package ops

import (
	"github.com/spillway/spillway/domain/catalog"
	"github.com/spillway/spillway/domain/packing"
)

// handling is what the floor needs to know of things: what items are like, the cartons there are, and the shelves items lie on. It is held with the
// catalogue, so that routing and packing ask no database.
type handling struct {
	physicals map[string]catalog.Physical // by item
	cartons   []catalog.Carton            // in the order of id
	bins      map[[2]string][]catalog.Bin // by node and item, the one to look at first first
}

// cartonsAt are the cartons a node packs in, as many as packing looks at.
func (h *handling) cartonsAt(node string) []catalog.Carton {
	var out []catalog.Carton
	for _, c := range h.cartons {
		if c.At(node) && len(out) < packing.MaxCartons {
			out = append(out, c)
		}
	}
	return out
}

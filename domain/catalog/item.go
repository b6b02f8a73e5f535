package catalog

import (
	"strings"
	"time"
	"unicode/utf8"

	"github.com/spillway/spillway/kit/errs"
)

// MaxIDBytes bounds item ids. Marketplaces allow seller SKUs of 50 characters to 64 bytes; the id is by default the SKU.
const MaxIDBytes = 64

// MaxComponents bounds how many different items one bundle may take: a sale of it locks and moves every one of them at once.
const MaxComponents = 100

// MaxComponentQty bounds the units of one component in one bundle. It keeps sale quantity × component quantity far from overflow.
const MaxComponentQty = 100_000

// Item is something with a stock-keeping unit. An item with components is a bundle (kit): it has no stock of its own.
type Item struct {
	ID         string // any text up to MaxIDBytes, by default the SKU at creation; never changes
	SKU        string // what people and labels call it; may change
	Title      string
	Barcode    string
	Components []Component // empty: a simple item
	CreatedAt  time.Time
}

// Component is Qty units of another item inside one bundle.
type Component struct {
	ItemID string `json:"item"`
	Qty    int64  `json:"qty"`
}

// Bundle reports whether the item is made of others.
func (i Item) Bundle() bool { return len(i.Components) > 0 }

// Explode returns what a sale of qty units of item takes from stock: qty of the item itself, or of each component its part.
// Components named twice are added up. The order is the order of first mention.
func Explode(item Item, qty int64) []Component {
	if !item.Bundle() {
		return []Component{{ItemID: item.ID, Qty: qty}}
	}
	out := make([]Component, 0, len(item.Components))
	at := make(map[string]int, len(item.Components))
	for _, c := range item.Components {
		if i, seen := at[c.ItemID]; seen {
			out[i].Qty += c.Qty * qty
			continue
		}
		at[c.ItemID] = len(out)
		out = append(out, Component{ItemID: c.ItemID, Qty: c.Qty * qty})
	}
	return out
}

// Sellable returns how many whole bundles or units of item the available units allow: the minimum over the components of
// available ÷ needed, rounded down.
func Sellable(item Item, available func(itemID string) int64) int64 {
	least := int64(-1)
	for _, c := range Explode(item, 1) {
		n := max(available(c.ItemID), 0) / c.Qty
		if least < 0 || n < least {
			least = n
		}
	}
	return max(least, 0)
}

// Validate refuses an item that could not be stored or sold: no or too long an id, text that a database cannot hold,
// components without a positive quantity, a bundle that contains itself. Errors are of kind Invalid.
func (i Item) Validate() error {
	bad := func(format string, args ...any) error {
		return errs.New(errs.Invalid, "catalog.Item", i.ID, format, args...)
	}
	switch {
	case i.ID == "":
		return bad("an item needs an id")
	case len(i.ID) > MaxIDBytes:
		return bad("the id is longer than %d bytes", MaxIDBytes)
	case i.SKU == "":
		return bad("the item needs a SKU")
	case len(i.Components) > MaxComponents:
		return bad("a bundle may have at most %d components", MaxComponents)
	}
	for _, s := range []string{i.ID, i.SKU, i.Title, i.Barcode} {
		if !utf8.ValidString(s) || strings.IndexByte(s, 0) >= 0 {
			return bad("text must be UTF-8 without zero bytes")
		}
	}
	for _, c := range i.Components {
		switch {
		case c.ItemID == "" || c.ItemID == i.ID:
			return bad("a component must be another item")
		case c.Qty < 1 || c.Qty > MaxComponentQty:
			return bad("component %q: the quantity must be 1 to %d", c.ItemID, MaxComponentQty)
		}
	}
	return nil
}

// ValidateBundle checks item itself and that each of its components exists and is not a bundle. lookup finds an item by id.
// Errors are of kind Invalid and name the component.
func ValidateBundle(item Item, lookup func(id string) (Item, bool)) error {
	if err := item.Validate(); err != nil {
		return err
	}
	for _, c := range item.Components {
		part, ok := lookup(c.ItemID)
		switch {
		case !ok:
			return errs.New(errs.Invalid, "catalog.ValidateBundle", item.ID, "component %q does not exist", c.ItemID)
		case part.Bundle():
			return errs.New(errs.Invalid, "catalog.ValidateBundle", item.ID, "component %q is a bundle itself; bundles do not nest", c.ItemID)
		}
	}
	return nil
}

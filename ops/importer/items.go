package importer

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/spillway/spillway/domain/catalog"
	"github.com/spillway/spillway/store"
)

const (
	maxTitle   = 500 // bytes; longer ones are cells that slipped
	maxBarcode = 64  // bytes; the longest GS1 element strings in use
)

// itemRow is an item as the file names it: components by SKU.
type itemRow struct {
	line  int
	item  catalog.Item
	parts []part
}

type part struct {
	sku string
	qty int64
}

// items reads a file of items and returns what applies it.
func (j *job) items(ctx context.Context) (func(*store.Tx) error, error) {
	var rows []itemRow
	at := map[string]int{}
	skips := newSkips(j.preset)
	_, err := j.scan(ctx, func(t *table) {
		if skips.leavesOut(t) {
			return
		}
		r, ok := readItem(t)
		if !ok {
			return
		}
		i, again := at[r.item.SKU]
		switch {
		case again && j.preset.sales:
			if r.item.Title != "" {
				rows[i].item.Title = r.item.Title
			}
		case again:
			t.bad("sku", "is in line %d already", rows[i].line)
		case len(rows) == maxKept:
			t.bad("sku", "is one item more than the %d of one file; cut the file into several", maxKept)
			t.over = true
		default:
			at[r.item.SKU] = len(rows)
			rows = append(rows, r)
		}
	})
	if err != nil {
		return nil, err
	}
	j.report.Skipped = skips.list()
	if err := j.wrong.err(j.src.Name); err != nil {
		return nil, err
	}
	return func(tx *store.Tx) error { return j.putItems(tx, rows, at) }, nil
}

func readItem(t *table) (itemRow, bool) {
	r := itemRow{line: t.line()}
	sku, ok1 := t.ident("sku", catalog.MaxIDBytes)
	title, ok2 := t.text("title", maxTitle)
	barcode, ok3 := t.text("barcode", maxBarcode)
	parts, ok4 := readParts(t)
	r.item, r.parts = catalog.Item{ID: sku, SKU: sku, Title: title, Barcode: barcode}, parts
	return r, ok1 && ok2 && ok3 && ok4
}

// readParts reads "A:2;B:1". The SKU may hold colons: the last one counts.
func readParts(t *table) ([]part, bool) {
	cell := t.get("components")
	if cell == "" {
		return nil, true
	}
	var out []part
	for one := range strings.SplitSeq(cell, ";") {
		one = strings.TrimSpace(one)
		if one == "" {
			continue
		}
		i := strings.LastIndexByte(one, ':')
		if i <= 0 {
			t.bad("components", "must be written like A:2;B:1, a SKU and its units")
			return nil, false
		}
		n, err := strconv.ParseInt(strings.TrimSpace(one[i+1:]), 10, 64)
		if err != nil || n < 1 || n > catalog.MaxComponentQty {
			t.bad("components", "must have units from 1 to %d behind each colon", catalog.MaxComponentQty)
			return nil, false
		}
		out = append(out, part{strings.Clone(strings.TrimSpace(one[:i])), n})
		if len(out) > catalog.MaxComponents {
			t.bad("components", "names more than %d items", catalog.MaxComponents)
			return nil, false
		}
	}
	return out, true
}

// putItems creates the items that are new and, if asked to, changes those that differ.
func (j *job) putItems(tx *store.Tx, rows []itemRow, at map[string]int) error {
	var skus []string
	for _, r := range rows {
		skus = append(skus, r.item.SKU)
		for _, p := range r.parts {
			skus = append(skus, p.sku)
		}
	}
	known, err := itemsBySKU(tx, skus)
	if err != nil {
		return err
	}
	put := make([]catalog.Item, 0, len(rows))
	for _, r := range rows {
		was, exists := known[r.item.SKU]
		next := r.item
		if !j.resolve(&next, r, rows, at, known) {
			continue
		}
		if exists {
			j.keep(&next, was)
		}
		switch {
		case !exists:
			j.report.Created++
		case same(was, next):
			j.report.Unchanged++
			continue
		case !j.o.Update:
			j.wrong.add(Problem{Line: r.line, Field: "sku", Value: r.item.SKU, Conflict: true,
				Text: "is an item already, with another title, barcode or components; add --update to change it"})
		default:
			j.report.Changed++
		}
		put = append(put, next)
	}
	if len(j.wrong.Shown) > 0 || len(put) == 0 {
		return nil
	}
	if err := tx.ItemPut(put); err != nil {
		return err
	}
	return mapListings(tx, put)
}

// resolve turns components named by SKU into items, of the file or stored, and refuses bundles of bundles.
func (j *job) resolve(next *catalog.Item, r itemRow, rows []itemRow, at map[string]int, known map[string]catalog.Item) bool {
	bad := func(p part, text string) bool {
		j.wrong.add(Problem{Line: r.line, Field: "components", Value: p.sku, Text: text})
		return false
	}
	for _, p := range r.parts {
		stored, isKnown := known[p.sku]
		i, inFile := at[p.sku]
		id := p.sku
		if isKnown {
			id = stored.ID
		}
		switch {
		case p.sku == r.item.SKU:
			return bad(p, "is the bundle itself")
		case !isKnown && !inFile:
			return bad(p, "is no item, neither in the file nor known; add a row for it")
		case inFile && len(rows[i].parts) > 0, !inFile && stored.Bundle():
			return bad(p, "is a bundle itself; bundles do not nest, name its items")
		}
		next.Components = append(next.Components, catalog.Component{ItemID: id, Qty: p.qty})
	}
	return true
}

// keep takes over from a stored item what the file does not speak of.
func (j *job) keep(next *catalog.Item, was catalog.Item) {
	next.ID, next.CreatedAt = was.ID, was.CreatedAt
	if _, told := j.at["title"]; !told {
		next.Title = was.Title
	}
	if _, told := j.at["barcode"]; !told {
		next.Barcode = was.Barcode
	}
	if _, told := j.at["components"]; !told {
		next.Components = was.Components
	}
}

func same(a, b catalog.Item) bool {
	return a.SKU == b.SKU && a.Title == b.Title && a.Barcode == b.Barcode && slices.Equal(a.Components, b.Components)
}

// itemsBySKU reads the items of many SKUs.
func itemsBySKU(tx *store.Tx, skus []string) (map[string]catalog.Item, error) {
	const page = 10_000 // what one statement may ask for
	slices.Sort(skus)
	skus = slices.Compact(skus)
	out := make(map[string]catalog.Item, len(skus))
	for part := range slices.Chunk(skus, page) {
		items, err := tx.ItemsBySKU(part)
		if err != nil {
			return nil, err
		}
		for _, it := range items {
			out[it.SKU] = it
		}
	}
	return out, nil
}

// mapListings maps listings that sell nothing yet to the items that carry their SKU.
func mapListings(tx *store.Tx, items []catalog.Item) error {
	const page = 2000
	bySKU := make(map[string]string, len(items))
	for _, it := range items {
		bySKU[it.SKU] = it.ID
	}
	for after := ""; ; {
		listings, err := tx.ListingsUnmapped(after, page)
		if err != nil {
			return err
		}
		for _, l := range listings {
			after = l.ID
			if item, ok := bySKU[l.SellerSKU]; ok {
				if err := tx.ListingMap(l.ID, item); err != nil {
					return err
				}
			}
		}
		if len(listings) < page {
			return nil
		}
	}
}

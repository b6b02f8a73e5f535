package importer

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"
)

// Kind is what a file holds.
type Kind string

// Kinds of files.
const (
	Items  Kind = "items"
	Stock  Kind = "stock"
	Orders Kind = "orders"
)

// field is a column a file may have. Names are compared without case, blanks and punctuation.
type field struct {
	name   string
	needed bool
	also   []string // other names it goes by
}

// layout is the columns of a kind of file.
type layout struct {
	fields  []field
	maxRows int
}

var skuNames = []string{"item", "itemsku", "sellersku", "stockkeepingunit", "variantsku", "lineitemsku", "productcode"}

var formats = map[Kind]layout{
	Items: {maxRows: maxKept, fields: []field{
		{"sku", true, skuNames},
		{"title", false, []string{"name", "description", "producttitle", "productname"}},
		{"barcode", false, []string{"ean", "upc", "gtin", "isbn"}},
		{"components", false, []string{"bundle", "parts", "kit"}},
	}},
	Stock: {maxRows: maxKept, fields: []field{
		{"sku", true, skuNames},
		{"location", false, []string{"warehouse", "locationid", "place", "site"}},
		{"on_hand", true, []string{"onhand", "quantity", "qty", "stock", "count", "available"}},
		{"damaged", false, []string{"broken", "defective"}},
	}},
	Orders: {maxRows: maxRows, fields: []field{
		{"order", true, []string{"orderid", "ordernumber", "orderno", "invoiceno", "invoice"}},
		{"sku", true, skuNames},
		{"quantity", true, []string{"qty", "lineitemquantity", "units"}},
		{"created_at", true, []string{"date", "orderdate", "createdtime", "placedat", "invoicedate"}},
		{"unit_price", false, []string{"price", "lineitemprice"}},
		{"currency", false, nil},
		{"status", false, []string{"orderstatus", "state"}},
		{"cancelled", false, []string{"canceled", "cancelledquantity", "cancelledqty"}},
		{"updated_at", false, []string{"updated", "lastmodified", "modifiedat"}},
		{"title", false, []string{"name", "description", "producttitle", "productname", "lineitemname"}},
	}},
}

// itemsSold is a file of sales read for the items sold: an article in many rows, its title in each.
var itemsSold = layout{maxRows: maxRows, fields: []field{{"order", true, nil}, {"sku", true, nil}, {"title", true, nil}, {"quantity", true, nil}, {"unit_price", true, nil}}}

// maxKept rows of items or counts are kept in memory and written in one transaction.
const maxKept = 50_000

// plain is a column name without case, blanks and punctuation.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, s)
}

// columns finds the column of each field: as the caller says, else by name.
func (l layout) columns(header []string, o Options, wrong *Problems) map[string]int {
	names := make([]string, len(header))
	for i, h := range header {
		names[i] = plain(h)
	}
	find := func(column string) (at int, n int) {
		at = -1
		for i, name := range names {
			if name != "" && name == plain(column) {
				n++
				at = i
			}
		}
		return at, n
	}
	given := maps.Clone(o.Map)
	at := map[string]int{}
	for _, f := range l.fields {
		column, told := given[f.name]
		delete(given, f.name)
		tried := append([]string{f.name}, f.also...)
		if told {
			tried = []string{column}
		}
		for _, name := range tried {
			i, n := find(name)
			if n > 1 {
				wrong.add(Problem{Line: 1, Text: fmt.Sprintf("two columns are called %q; rename one", header[i])})
			}
			if n > 0 {
				at[f.name] = i
				break
			}
		}
		if _, found := at[f.name]; found {
			continue
		}
		if told {
			wrong.add(Problem{Line: 1, Text: fmt.Sprintf("there is no column %q for %s; the columns are %s", column, f.name, listed(header))})
		} else if f.needed {
			wrong.add(Problem{Line: 1, Text: fmt.Sprintf("no column is the %s; name it with --map %s=COLUMN; the columns are %s", f.name, f.name, listed(header))})
		}
	}
	for name := range given {
		wrong.add(Problem{Text: fmt.Sprintf("--map %s: there is no such field; fields are %s", excerpt(name), strings.Join(l.names(), ", "))})
	}
	return at
}

func (l layout) names() []string {
	out := make([]string, len(l.fields))
	for i, f := range l.fields {
		out[i] = f.name
	}
	return out
}

// listed shows a header; a single column holding another delimiter is pointed out.
func listed(header []string) string {
	const most = 30
	var out []string
	for _, h := range header[:min(len(header), most)] {
		out = append(out, fmt.Sprintf("%q", excerpt(h)))
	}
	text := strings.Join(out, ", ")
	if len(header) > most {
		text += fmt.Sprintf(" and %d more", len(header)-most)
	}
	if len(header) == 1 && strings.ContainsAny(header[0], ";\t|") {
		text += "; is the delimiter another? See --delimiter"
	}
	return text
}

// unread lists the columns of a header that no field reads.
func (t *table) unread() []string {
	var out []string
	for i, h := range t.header {
		if !slices.Contains(slices.Collect(maps.Values(t.at)), i) {
			out = append(out, excerpt(h))
		}
	}
	return out
}

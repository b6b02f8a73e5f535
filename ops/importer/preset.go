package importer

import "regexp"

// OnlineRetail is the preset of the Online Retail data set and of shops that export the same columns.
const OnlineRetail = "online-retail"

// preset is what is known of an export beforehand.
type preset struct {
	columns  map[Kind]map[string]string
	zone     string
	currency string
	layouts  []string // of times, beside the usual ones
	rules    []rule   // rows left out, by the first that fits
	sales    bool     // the file is sales, so items repeat, and their last title counts
}

// rule leaves rows out that are no sales of goods. What it leaves out is counted and reported.
type rule struct {
	name string
	fits func(order, sku string, quantity int64, free bool) bool
}

// goods is how article codes look: five digits, and letters for variants.
var goods = regexp.MustCompile(`^[0-9]{5}[A-Za-z]*$`)

// Presets are the exports that are known, by name. The empty one knows nothing.
var Presets = map[string]preset{
	"": {zone: "UTC"},
	OnlineRetail: {
		columns: map[Kind]map[string]string{
			Items:  {"order": "InvoiceNo", "sku": "StockCode", "title": "Description", "quantity": "Quantity", "unit_price": "UnitPrice"},
			Orders: {"order": "InvoiceNo", "sku": "StockCode", "title": "Description", "quantity": "Quantity", "created_at": "InvoiceDate", "unit_price": "UnitPrice"},
		},
		zone: "Europe/London", currency: "GBP", sales: true,
		layouts: []string{"1/2/2006 15:04"},
		rules: []rule{
			{"a cancellation (invoice C…), which does not say what sale it cancels", func(order, _ string, _ int64, _ bool) bool { return len(order) > 0 && order[0] == 'C' }},
			{"an adjustment of the accounts (invoice A…)", func(order, _ string, _ int64, _ bool) bool { return len(order) > 0 && order[0] == 'A' }},
			{"not goods: postage, fees, vouchers and codes other than five digits with letters", func(_, sku string, _ int64, _ bool) bool { return !goods.MatchString(sku) }},
			{"a write-off: no units or fewer", func(_, _ string, quantity int64, _ bool) bool { return quantity <= 0 }},
			{"no price: a gift, a sample or found stock", func(_, _ string, _ int64, free bool) bool { return free }},
		},
	},
}

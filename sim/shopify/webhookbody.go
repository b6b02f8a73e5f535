package shopify

import (
	"strings"
	"time"
)

// Webhook bodies have the shape of the REST resources: numbers for identifiers, the global one beside it, money as strings.

type orderJSON struct {
	ID                  int64             `json:"id"`
	GID                 string            `json:"admin_graphql_api_id"`
	AppID               *int64            `json:"app_id"`
	CancelReason        *string           `json:"cancel_reason"`
	CancelledAt         *string           `json:"cancelled_at"`
	ClosedAt            *string           `json:"closed_at"`
	Confirmed           bool              `json:"confirmed"`
	ContactEmail        string            `json:"contact_email"`
	CreatedAt           string            `json:"created_at"`
	Currency            string            `json:"currency"`
	CurrentSubtotal     string            `json:"current_subtotal_price"`
	CurrentTotal        string            `json:"current_total_price"`
	Email               string            `json:"email"`
	FinancialStatus     string            `json:"financial_status"`
	FulfillmentStatus   *string           `json:"fulfillment_status"`
	Name                string            `json:"name"`
	Note                *string           `json:"note"`
	Number              int               `json:"number"`
	OrderNumber         int               `json:"order_number"`
	PresentmentCurrency string            `json:"presentment_currency"`
	ProcessedAt         string            `json:"processed_at"`
	SourceName          string            `json:"source_name"`
	Subtotal            string            `json:"subtotal_price"`
	Tags                string            `json:"tags"`
	Test                bool              `json:"test"`
	TotalPrice          string            `json:"total_price"`
	TotalLines          string            `json:"total_line_items_price"`
	TotalTax            string            `json:"total_tax"`
	TotalDiscounts      string            `json:"total_discounts"`
	TotalShipping       moneySetJSON      `json:"total_shipping_price_set"`
	UpdatedAt           string            `json:"updated_at"`
	ShippingAddress     addressJSON       `json:"shipping_address"`
	BillingAddress      addressJSON       `json:"billing_address"`
	LineItems           []lineJSON        `json:"line_items"`
	Fulfillments        []fulfillmentJSON `json:"fulfillments"`
	Refunds             []struct{}        `json:"refunds"`
	ShippingLines       []shippingJSON    `json:"shipping_lines"`
}

// moneySetJSON is an amount in the store's currency and in the buyer's, which are the same here.
type moneySetJSON struct {
	Shop        moneyJSON `json:"shop_money"`
	Presentment moneyJSON `json:"presentment_money"`
}

type moneyJSON struct {
	Amount   string `json:"amount"`
	Currency string `json:"currency_code"`
}

type addressJSON struct {
	FirstName    string  `json:"first_name"`
	LastName     string  `json:"last_name"`
	Name         string  `json:"name"`
	Address1     string  `json:"address1"`
	Address2     *string `json:"address2"`
	City         string  `json:"city"`
	Zip          string  `json:"zip"`
	Province     string  `json:"province"`
	ProvinceCode string  `json:"province_code"`
	Country      string  `json:"country"`
	CountryCode  string  `json:"country_code"`
	Phone        string  `json:"phone"`
	Company      *string `json:"company"`
}

type lineJSON struct {
	ID                  int64   `json:"id"`
	GID                 string  `json:"admin_graphql_api_id"`
	CurrentQuantity     int     `json:"current_quantity"`
	FulfillableQuantity int     `json:"fulfillable_quantity"`
	FulfillmentService  string  `json:"fulfillment_service"`
	FulfillmentStatus   *string `json:"fulfillment_status"`
	Name                string  `json:"name"`
	Price               string  `json:"price"`
	ProductID           int64   `json:"product_id"`
	Quantity            int     `json:"quantity"`
	RequiresShipping    bool    `json:"requires_shipping"`
	SKU                 string  `json:"sku"`
	Title               string  `json:"title"`
	TotalDiscount       string  `json:"total_discount"`
	VariantID           int64   `json:"variant_id"`
	VariantTitle        *string `json:"variant_title"`
	Vendor              string  `json:"vendor"`
	InventoryManagement *string `json:"variant_inventory_management"`
}

type shippingJSON struct {
	ID    int64  `json:"id"`
	Code  string `json:"code"`
	Price string `json:"price"`
	Title string `json:"title"`
}

type fulfillmentJSON struct {
	ID              int64      `json:"id"`
	GID             string     `json:"admin_graphql_api_id"`
	CreatedAt       string     `json:"created_at"`
	LocationID      int64      `json:"location_id"`
	Name            string     `json:"name"`
	OrderID         int64      `json:"order_id"`
	Service         string     `json:"service"`
	Status          string     `json:"status"`
	TrackingCompany *string    `json:"tracking_company"`
	TrackingNumber  *string    `json:"tracking_number"`
	TrackingNumbers []string   `json:"tracking_numbers"`
	TrackingURL     *string    `json:"tracking_url"`
	TrackingURLs    []string   `json:"tracking_urls"`
	UpdatedAt       string     `json:"updated_at"`
	LineItems       []lineJSON `json:"line_items"`
}

// stamp is the vendor's time format with an offset; our stores live in UTC.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05-07:00") }

func stampOrNull(t time.Time) *string {
	if t.IsZero() {
		return nil
	}
	return ptr(stamp(t))
}

func ptr[T any](v T) *T { return &v }

// textOrNull is nil for an empty string.
func textOrNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func (s *Sim) orderBody(o *order) orderJSON {
	now, before := o.subtotal((*line).current), o.subtotal((*line).ordered)
	a, shipping := o.address.json(), moneyJSON{Amount: s.decimal(o.shipping), Currency: s.opts.Currency}
	b := orderJSON{
		ID: o.id, GID: gid("Order", o.id), CancelledAt: stampOrNull(o.cancelledAt), ClosedAt: stampOrNull(o.closedAt),
		CancelReason: textOrNull(strings.ToLower(o.cancelReason)), Confirmed: true, ContactEmail: o.email, CreatedAt: stamp(o.createdAt),
		Currency: s.opts.Currency, CurrentSubtotal: s.decimal(now), CurrentTotal: s.decimal(o.currentTotal()), Email: o.email,
		FinancialStatus: strings.ToLower(o.financial), Name: o.name(), Note: textOrNull(o.note), Number: o.number - 1000,
		OrderNumber: o.number, PresentmentCurrency: s.opts.Currency, ProcessedAt: stamp(o.createdAt), SourceName: o.source,
		Subtotal: s.decimal(before), Tags: strings.Join(o.tags, ", "), TotalPrice: s.decimal(before + o.shipping), TotalLines: s.decimal(before),
		TotalTax: s.decimal(0), TotalDiscounts: s.decimal(0), UpdatedAt: stamp(o.updatedAt), ShippingAddress: a, BillingAddress: a,
		LineItems: make([]lineJSON, len(o.lines)), Fulfillments: make([]fulfillmentJSON, len(o.fulfillments)), Refunds: []struct{}{},
		TotalShipping: moneySetJSON{Shop: shipping, Presentment: shipping},
		ShippingLines: []shippingJSON{{ID: o.id + 1, Code: "Standard", Price: s.decimal(o.shipping), Title: "Standard"}},
	}
	switch o.fulfillmentStatus() {
	case "FULFILLED":
		b.FulfillmentStatus = ptr("fulfilled")
	case "PARTIALLY_FULFILLED":
		b.FulfillmentStatus = ptr("partial")
	}
	for i, l := range o.lines {
		b.LineItems[i] = s.lineBody(l, l.quantity)
	}
	for i, f := range o.fulfillments {
		b.Fulfillments[i] = s.fulfillmentBody(f)
	}
	return b
}

// currentTotal is what the buyer still pays: a cancelled order's shipping is gone too.
func (o *order) currentTotal() int64 {
	if !o.cancelledAt.IsZero() {
		return 0
	}
	return o.subtotal((*line).current) + o.shipping
}

func (a *address) json() addressJSON {
	return addressJSON{FirstName: a.firstName, LastName: a.lastName, Name: a.firstName + " " + a.lastName, Address1: a.address1, City: a.city,
		Zip: a.zip, Province: a.province, ProvinceCode: a.provinceCode, Country: a.country, CountryCode: a.countryCode, Phone: a.phone}
}

func (s *Sim) lineBody(l *line, units int) lineJSON {
	v := l.variant
	b := lineJSON{ID: l.id, GID: gid("LineItem", l.id), CurrentQuantity: l.current(), FulfillableQuantity: l.open(), FulfillmentService: "manual",
		Name: v.displayName(), Price: s.decimal(l.price), ProductID: v.product.id, Quantity: units, RequiresShipping: true, SKU: v.item.sku,
		Title: v.product.title, TotalDiscount: s.decimal(0), VariantID: v.id, VariantTitle: textOrNull(v.title), Vendor: v.product.vendor}
	switch {
	case l.shipped > 0 && l.open() == 0:
		b.FulfillmentStatus = ptr("fulfilled")
	case l.shipped > 0:
		b.FulfillmentStatus = ptr("partial")
	}
	if v.title == "Default Title" {
		b.VariantTitle = nil
	}
	if v.item.tracked {
		b.InventoryManagement = ptr("shopify")
	}
	return b
}

func (s *Sim) fulfillmentBody(f *fulfillment) fulfillmentJSON {
	b := fulfillmentJSON{ID: f.id, GID: gid("Fulfillment", f.id), CreatedAt: stamp(f.createdAt), LocationID: f.loc.id, Name: f.name(),
		OrderID: f.order.id, Service: "manual", Status: "success", TrackingCompany: textOrNull(f.company), TrackingNumbers: append([]string{}, f.numbers...),
		TrackingURLs: append([]string{}, f.urls...), UpdatedAt: stamp(f.updatedAt), LineItems: []lineJSON{}}
	if len(f.numbers) > 0 {
		b.TrackingNumber = &f.numbers[0]
	}
	if len(f.urls) > 0 {
		b.TrackingURL = &f.urls[0]
	}
	for _, l := range f.lines {
		b.LineItems = append(b.LineItems, s.lineBody(l.line, l.quantity))
	}
	return b
}

type levelJSON struct {
	ItemID     int64  `json:"inventory_item_id"`
	LocationID int64  `json:"location_id"`
	Available  int    `json:"available"`
	UpdatedAt  string `json:"updated_at"`
	GID        string `json:"admin_graphql_api_id"`
}

func levelBody(l *level) levelJSON {
	return levelJSON{ItemID: l.item.id, LocationID: l.loc.id, Available: l.get(available), UpdatedAt: stamp(l.updatedAt), GID: l.gid()}
}

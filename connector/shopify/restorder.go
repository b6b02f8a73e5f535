package shopify

import (
	"strings"
	"time"

	"github.com/spillway/spillway/kit/money"
)

// restOrder is an order as webhooks send it: REST-shaped, with other words than GraphQL. Only orderWords are subscribed.
type restOrder struct {
	ID           text       `json:"id"`
	Name         string     `json:"name"`
	CreatedAt    time.Time  `json:"created_at"`
	ProcessedAt  time.Time  `json:"processed_at"`
	UpdatedAt    time.Time  `json:"updated_at"`
	CancelledAt  time.Time  `json:"cancelled_at"`
	CancelReason string     `json:"cancel_reason"`
	Currency     string     `json:"currency"`
	Financial    string     `json:"financial_status"`
	Fulfilment   *string    `json:"fulfillment_status"`
	Gateways     []string   `json:"payment_gateway_names"`
	Subtotal     text       `json:"subtotal_price"`
	Tax          text       `json:"total_tax"`
	Total        text       `json:"total_price"`
	Lines        []restLine `json:"line_items"`
	Goes         *struct {
		Country string `json:"country_code"`
		State   string `json:"province_code"`
	} `json:"shipping_address"`
	Parcels []struct {
		ID             text      `json:"id"`
		Company        string    `json:"tracking_company"`
		Number         string    `json:"tracking_number"`
		Numbers        []string  `json:"tracking_numbers"`
		Status         string    `json:"status"`
		ShipmentStatus string    `json:"shipment_status"`
		CreatedAt      time.Time `json:"created_at"`
		UpdatedAt      time.Time `json:"updated_at"`
		Lines          []struct {
			ID       text  `json:"id"`
			Quantity int64 `json:"quantity"`
		} `json:"line_items"`
	} `json:"fulfillments"`
	Refunds []struct {
		Lines []struct {
			ID       text   `json:"line_item_id"`
			Quantity int64  `json:"quantity"`
			Restock  string `json:"restock_type"`
		} `json:"refund_line_items"`
	} `json:"refunds"`
	ShippingSet *struct {
		Shop struct {
			Amount text `json:"amount"`
		} `json:"shop_money"`
	} `json:"total_shipping_price_set"`
	ShippingLines []struct {
		Price text `json:"price"`
	} `json:"shipping_lines"`
}

type restLine struct {
	ID        text   `json:"id"`
	VariantID text   `json:"variant_id"`
	ProductID text   `json:"product_id"`
	SKU       string `json:"sku"`
	Title     string `json:"title"`
	Variant   string `json:"variant_title"`
	Price     text   `json:"price"`
	Quantity  int64  `json:"quantity"`
	Current   *int64 `json:"current_quantity"` // missing in bodies of old versions
}

func (o *restOrder) view() *view {
	v := &view{
		id: string(o.ID), name: o.Name, created: o.CreatedAt, processed: o.ProcessedAt, updated: o.UpdatedAt, canceled: o.CancelledAt,
		cancelReason: strings.ToUpper(o.CancelReason), financial: strings.ToUpper(o.Financial), fulfilment: fulfilmentWord(o.Fulfilment),
		currency: o.Currency, subtotal: string(o.Subtotal), tax: string(o.Tax), total: string(o.Total), shipping: o.shipping(),
		payOnDelivery: onDelivery(o.Gateways),
	}
	if o.Goes != nil {
		v.region = region(o.Goes.Country, o.Goes.State)
	}
	shipped, returned := map[text]int64{}, map[text]int64{}
	for _, p := range o.Parcels {
		switch p.Status {
		case "success", "open", "pending":
		default:
			continue
		}
		one := parcel{progress: progressOf(p.ShipmentStatus), created: p.CreatedAt, updated: p.UpdatedAt, ref: string(p.ID), carrier: p.Company, numbers: p.Numbers}
		if len(one.numbers) == 0 && p.Number != "" {
			one.numbers = []string{p.Number}
		}
		v.parcels = append(v.parcels, one)
		for _, l := range p.Lines {
			shipped[l.ID] += l.Quantity
		}
	}
	refunded := map[text]int64{}
	for _, r := range o.Refunds {
		for _, l := range r.Lines {
			refunded[l.ID] += l.Quantity
			if l.Restock == "return" {
				returned[l.ID] += l.Quantity
			}
		}
	}
	for _, l := range o.Lines {
		removed := refunded[l.ID]
		if l.Current != nil {
			removed = l.Quantity - *l.Current
		}
		sent := min(shipped[l.ID], l.Quantity)
		v.lines = append(v.lines, soldLine{
			id: string(l.ID), product: string(l.ProductID), variant: string(l.VariantID), sku: l.SKU, title: title(l.Title, l.Variant),
			price: string(l.Price), qty: l.Quantity, shipped: sent,
			// What came back after it was sent is a return; of the rest no more can be cancelled than was not sent.
			cancelled: min(count(removed-returned[l.ID]), l.Quantity-sent),
		})
	}
	return v
}

// fulfilmentWord is the GraphQL word. Holds and schedules do not show in a webhook: such an order looks unfulfilled.
func fulfilmentWord(s *string) string {
	if s == nil {
		return "UNFULFILLED"
	}
	switch *s {
	case "partial":
		return "PARTIALLY_FULFILLED"
	case "", "unfulfilled":
		return "UNFULFILLED"
	}
	return strings.ToUpper(*s) // fulfilled, restocked
}

// onDelivery recognises Shopify's own manual payment method, which translations of the shop do not rename.
func onDelivery(gateways []string) bool {
	for _, g := range gateways {
		if g == "Cash on Delivery (COD)" || g == "cash_on_delivery" {
			return true
		}
	}
	return false
}

// shipping is the total where it is told, else the sum of its lines.
func (o *restOrder) shipping() string {
	if o.ShippingSet != nil {
		return string(o.ShippingSet.Shop.Amount)
	}
	var sum money.Amount
	for _, l := range o.ShippingLines {
		a, err := money.Parse(string(l.Price), o.Currency)
		if err != nil {
			return ""
		}
		if sum, err = sum.Add(a); err != nil {
			return ""
		}
	}
	if sum.Currency == "" {
		return ""
	}
	return sum.Decimal()
}

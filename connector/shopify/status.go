package shopify

import (
	"strings"
	"time"

	"github.com/spillway/spillway/domain/order"
	"github.com/spillway/spillway/kit/money"
)

// view is an order as GraphQL, a webhook or a bulk file shows it, with the words of GraphQL.
type view struct {
	id, name                              string
	created, processed, updated, canceled time.Time
	cancelReason                          string // CUSTOMER, DECLINED, FRAUD, INVENTORY, OTHER, STAFF
	financial, fulfilment                 string // displayFinancialStatus, displayFulfillmentStatus
	currency                              string
	subtotal, shipping, tax, total        string
	region                                string
	payOnDelivery                         bool // told by webhooks only
	parcels                               []parcel
	lines                                 []soldLine
}

// parcel is a fulfilment that counts.
type parcel struct {
	progress
	created, updated time.Time
	ref, carrier     string
	numbers          []string
}

// soldLine is one line with its counts: qty = cancelled + shipped + what is still to be sent.
type soldLine struct {
	id, product, variant, sku, title, price string
	qty, cancelled, shipped                 int64
}

// progress is how far a parcel is.
type progress uint8

const (
	arranged  progress = iota // a label exists, no carrier event
	moving                    // with the carrier, or marked as sent by hand
	delivered                 // or picked up
)

// progressOf reads a fulfilment's displayStatus (GraphQL) or shipment_status (webhooks). A fulfilment without carrier events
// counts as sent: that is what a merchant says by making one.
func progressOf(word string) progress {
	switch strings.ToUpper(word) {
	case "LABEL_PRINTED", "LABEL_PURCHASED", "LABEL_VOIDED", "CONFIRMED", "READY_FOR_PICKUP", "SUBMITTED":
		return arranged
	case "DELIVERED", "PICKED_UP":
		return delivered
	}
	return moving
}

// status maps to the canonical order. Shopify keeps money and goods apart, so both words count.
func (v *view) status() order.Status {
	shipped, open := int64(0), int64(0)
	for _, l := range v.lines {
		shipped += l.shipped
		open += l.qty - l.cancelled - l.shipped
	}
	switch {
	case !v.canceled.IsZero():
		return order.Cancelled
	case v.fulfilment == "FULFILLED":
		return v.sent()
	case v.fulfilment == "PARTIALLY_FULFILLED":
		return order.PartiallyShipping
	case v.fulfilment == "FULFILLMENT_NOT_REQUIRED":
		return order.Delivered
	case len(v.lines) > 0 && open <= 0 && shipped == 0: // RESTOCKED among others: every line was taken off again
		return order.Cancelled
	case v.fulfilment == "ON_HOLD" || v.fulfilment == "SCHEDULED" || v.financial == "REFUNDED":
		// Money back and the goods not yet sent: nothing to ship, but the units are still committed to the order.
		return order.OnHold
	}
	return v.unsent()
}

// unsent is the status of an order of which nothing has been sent.
func (v *view) unsent() order.Status {
	switch v.fulfilment {
	case "UNFULFILLED", "OPEN", "IN_PROGRESS", "PENDING_FULFILLMENT", "REQUEST_DECLINED", "RESTOCKED":
	default:
		return "" // a word we do not know
	}
	switch v.financial {
	case "PAID", "AUTHORIZED", "PARTIALLY_REFUNDED":
		return order.AwaitingShipment
	case "PENDING", "PARTIALLY_PAID", "EXPIRED", "VOIDED":
		if v.payOnDelivery {
			return order.AwaitingShipment
		}
		return order.Unpaid
	}
	return ""
}

// sent is the status of an order all of which is in fulfilments.
func (v *view) sent() order.Status {
	if v.financial == "REFUNDED" {
		return order.Completed
	}
	if len(v.parcels) == 0 {
		return order.InTransit
	}
	least, most := delivered, arranged
	for _, p := range v.parcels {
		least, most = min(least, p.progress), max(most, p.progress)
	}
	switch {
	case least == delivered:
		return order.Delivered
	case most == arranged:
		return order.AwaitingCollection
	}
	return order.InTransit
}

// fact makes the canonical fact. connection is empty for webhooks: the inbox knows it.
func (v *view) fact(connection string, readAt time.Time) order.Fact {
	status := v.status()
	d := &order.Detail{
		Number: v.name, Fulfilment: order.BySeller, CreatedAt: v.created, Moments: v.moments(status),
		Totals: order.Totals{
			Subtotal: v.money(v.subtotal), Shipping: v.money(v.shipping), Tax: v.money(v.tax), Total: v.money(v.total),
		},
		Flags: order.Flags{COD: v.payOnDelivery}, Region: v.region, Parcels: v.ways(),
		Lines: make([]order.Line, 0, len(v.lines)),
	}
	switch v.financial {
	case "PAID", "AUTHORIZED", "PARTIALLY_REFUNDED", "REFUNDED":
		d.PaidAt = v.processed
	}
	if status == order.Cancelled {
		d.CancelReport = cancelReport(v.cancelReason)
	}
	for _, l := range v.lines {
		line := order.Line{
			ExternalLineID: l.id, ExternalProduct: l.product, ExternalSKU: l.variant, SellerSKU: l.sku, Title: l.title,
			UnitPrice: v.money(l.price), Qty: l.qty, Cancelled: l.cancelled, Shipped: l.shipped,
		}
		if status == order.Cancelled {
			line.Cancelled = line.Qty - line.Shipped
		}
		if status == order.AwaitingCollection {
			line.Shipped = 0 // no carrier has them yet
		}
		d.Lines = append(d.Lines, line)
	}
	d.Totals.SellerDiscount = v.discount(d)
	return order.Fact{
		Kind: order.Snapshot, ConnectionID: connection, ExternalID: v.id, UpdatedAt: v.updated.UTC(), ReadAt: readAt,
		Status: status, StatusText: statusText(v.financial, v.fulfilment), Detail: d,
	}
}

// statusText is Shopify's words for an order's money and goods, as facts carry them.
func statusText(financial, fulfilment string) string {
	return strings.ToLower(strings.Trim(financial+"/"+fulfilment, "/"))
}

func (v *view) moments(s order.Status) order.Moments {
	var m order.Moments
	m.CancelledAt = v.canceled.UTC()
	if v.canceled.IsZero() {
		m.CancelledAt = time.Time{}
	}
	var last, lastNews time.Time
	for _, p := range v.parcels {
		if p.created.After(last) {
			last = p.created
		}
		if p.updated.After(lastNews) {
			lastNews = p.updated
		}
	}
	switch s {
	case order.AwaitingCollection:
		m.ReadyAt = last.UTC()
	case order.InTransit:
		m.HandedOverAt = last.UTC()
	case order.Delivered:
		m.HandedOverAt, m.DeliveredAt = last.UTC(), lastNews.UTC()
	}
	return m
}

// discount is what the seller took off the goods: the price of the lines above the subtotal. Zero where an amount is missing.
func (v *view) discount(d *order.Detail) money.Amount {
	sum := d.Totals.Subtotal
	if sum.Currency == "" || len(d.Lines) == 0 {
		return money.Amount{}
	}
	sum.Minor = -sum.Minor
	for _, l := range d.Lines {
		all, err := l.UnitPrice.Times(l.Qty)
		if err != nil || l.UnitPrice.Currency == "" {
			return money.Amount{}
		}
		if sum, err = sum.Add(all); err != nil {
			return money.Amount{}
		}
	}
	if sum.Minor <= 0 {
		return money.Amount{}
	}
	return sum
}

// money reads an amount exactly. One that cannot be kept exactly is left out rather than rounded.
func (v *view) money(s string) money.Amount {
	if s == "" || v.currency == "" {
		return money.Amount{}
	}
	a, err := money.Parse(s, v.currency)
	if err != nil {
		return money.Amount{}
	}
	return a
}

// cancelReport reads OrderCancelReason.
func cancelReport(reason string) order.Cancel {
	c := order.Cancel{Reason: strings.ToLower(reason)}
	switch reason {
	case "CUSTOMER":
		c.Role, c.Fault = order.RoleBuyer, order.FaultBuyer
	case "DECLINED": // the payment was
		c.Role, c.Fault = order.RoleSeller, order.FaultBuyer
	case "FRAUD":
		c.Role, c.Fault = order.RoleSeller, order.FaultBuyer
	case "INVENTORY", "STAFF":
		c.Role, c.Fault = order.RoleSeller, order.FaultSeller
	case "":
	default:
		c.Fault = order.FaultUnknown
	}
	return c
}

// count is a quantity that cannot be negative.
func count(n int64) int64 { return max(0, n) }

// title joins a product's and a variant's title as Shopify shows them.
func title(product, variant string) string {
	if variant == "" || variant == "Default Title" {
		return product
	}
	return product + " - " + variant
}

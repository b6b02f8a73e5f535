package tiktok

import (
	"slices"
	"time"

	"github.com/spillway/spillway/domain/order"
	"github.com/spillway/spillway/kit/money"
)

// statuses are the platform's words (facts, section 8.1). The webhook spells the cancelled one without its ending.
var statuses = map[string]order.Status{
	"UNPAID": order.Unpaid, "ON_HOLD": order.OnHold, "AWAITING_SHIPMENT": order.AwaitingShipment,
	"PARTIALLY_SHIPPING": order.PartiallyShipping, "AWAITING_COLLECTION": order.AwaitingCollection, "IN_TRANSIT": order.InTransit,
	"DELIVERED": order.Delivered, "COMPLETED": order.Completed, "CANCELLED": order.Cancelled, "CANCEL": order.Cancelled,
}

// statusOf also heeds the flag of the one-hour hold: shops without the status of its own show such an order as awaiting
// shipment, and shipping it fails.
func statusOf(word string, onHold bool) order.Status {
	s := statuses[word]
	if s == order.AwaitingShipment && onHold {
		return order.OnHold
	}
	return s
}

// roles are who did something.
var roles = map[string]order.Role{
	"BUYER": order.RoleBuyer, "SELLER": order.RoleSeller, "OPERATOR": order.RoleOperator, "SYSTEM": order.RoleSystem,
}

// fact makes the canonical snapshot of an order.
func (c *channel) fact(o *wireOrder, read time.Time) order.Fact {
	d := &order.Detail{
		Fulfilment: order.BySeller, CreatedAt: at(o.CreateTime), PaidAt: at(o.PaidTime),
		Deadlines: deadlines(o), Moments: moments(o), Totals: c.totals(o), Flags: flags(o),
		WarehouseRef: o.WarehouseID, RelatedOrder: o.ReplacedOrderID, Region: region(&o.Recipient), PostalPrefix: order.PostalPrefix(o.Recipient.Postal), Parcels: parcels(o.LineItems),
		CancelReport: order.Cancel{Reason: o.CancelReason, Role: roles[o.CancellationInitiator]},
	}
	if o.FulfillmentType != "" && o.FulfillmentType != "FULFILLMENT_BY_SELLER" {
		d.Fulfilment = order.ByPlatform // by TikTok, or by Tokopedia
	}
	if d.RelatedOrder == "" {
		d.RelatedOrder = o.ExchangeSourceOrderID
	}
	status := statusOf(o.Status, o.IsOnHoldOrder)
	d.CancelReport.RequestOpen = o.IsBuyerCancel && !status.Terminal()
	if c.env.Pseudonym != nil && o.UserID != "" {
		d.BuyerHash = c.env.Pseudonym(o.UserID)
	}
	for i := range o.LineItems {
		d.Lines = c.add(d.Lines, o, &o.LineItems[i])
	}
	return order.Fact{
		Kind: order.Snapshot, ConnectionID: c.conn.ID, ExternalID: o.ID, UpdatedAt: at(o.UpdateTime), ReadAt: read,
		Status: status, StatusText: o.Status, Detail: d,
	}
}

// deadlines are taken as they are (facts, section 8.2): they hold the market's holidays and cut-off already.
func deadlines(o *wireOrder) order.Deadlines {
	return order.Deadlines{
		ShipBy: at(o.RTSSLATime), HandOverBy: at(o.TTSSLATime), AutoCancelShipBy: at(o.ShippingDueTime),
		AutoCancelHandOverBy: at(o.CollectionDueTime), AutoCancelDeliverBy: at(o.DeliveryDueTime), DeliverBy: at(o.DeliverySLATime),
		PromisedBy: at(o.RequiredDelivery), PickUpBy: at(o.PickUpCutOffTime), FastDispatchBy: at(o.FastDispatchSLA),
	}
}

func moments(o *wireOrder) order.Moments {
	return order.Moments{
		ReadyAt: at(o.RTSTime), HandedOverAt: at(o.CollectionTime), DeliveredAt: at(o.DeliveryTime), CancelledAt: at(o.CancelTime),
		CancelRequestedAt: at(o.RequestCancelTime),
	}
}

func flags(o *wireOrder) order.Flags {
	return order.Flags{
		COD: o.IsCOD, Sample: o.IsSampleOrder, Replacement: o.IsReplacementOrder, Exchange: o.IsExchangeOrder,
		PreOrder: o.OrderType == "PRE_ORDER", BackOrder: o.OrderType == "BACK_ORDER", MadeToOrder: o.OrderType == "MADE_TO_ORDER",
		Lottery: o.OrderType == "ZERO_LOTTERY", PlatformLabel: o.ShippingType == "TIKTOK",
		CollectionPoint: o.DeliveryType == "COLLECTION_POINT", Split: o.SplitOrCombineTag == "SPLIT", Combined: o.SplitOrCombineTag == "COMBINED",
	}
}

func (c *channel) totals(o *wireOrder) order.Totals {
	p := &o.Payment
	return order.Totals{
		Subtotal: c.amount(o, p.SubTotal, p.Currency), Shipping: c.amount(o, p.ShippingFee, p.Currency), Tax: c.amount(o, p.Tax, p.Currency),
		SellerDiscount:   c.amount(o, p.SellerDiscount, p.Currency),
		PlatformDiscount: c.amount(o, p.PlatformDiscount, p.Currency), Total: c.amount(o, p.TotalAmount, p.Currency),
	}
}

// amount reads a decimal text exactly. One that is no amount is left out and logged: units must be reserved all the same.
func (c *channel) amount(o *wireOrder, text, currency string) money.Amount {
	if text == "" || currency == "" {
		return money.Amount{}
	}
	a, err := money.Parse(text, currency)
	if err != nil {
		c.env.Log.Warn("an amount cannot be read", "order", o.ID, "currency", currency)
		return money.Amount{}
	}
	return a
}

// add puts a unit into the line of its SKU and price, or starts one.
func (c *channel) add(lines []order.Line, o *wireOrder, w *wireLine) []order.Line {
	currency := w.Currency
	if currency == "" {
		currency = o.Payment.Currency
	}
	unit := order.Unit{
		ExternalLineID: w.ID, Status: statuses[w.DisplayStatus], StatusText: w.DisplayStatus, CancelReason: w.CancelReason,
		CancelRole: roles[w.CancelUser], PackageRef: w.PackageID,
	}
	unit.Cancelled = unit.Status == order.Cancelled
	line := order.Line{
		ExternalProduct: w.ProductID, ExternalSKU: w.SKUID, SellerSKU: w.SellerSKU, Title: title(w), UnitPrice: c.amount(o, w.SalePrice, currency),
	}
	for _, p := range w.CombinedListing {
		line.Parts = append(line.Parts, order.Part{ExternalProduct: p.ProductID, ExternalSKU: p.SKUID, SellerSKU: p.SellerSKU, Count: p.SKUCount})
	}
	for i := range lines {
		l := &lines[i]
		if l.ExternalSKU == line.ExternalSKU && l.ExternalProduct == line.ExternalProduct && l.UnitPrice == line.UnitPrice &&
			l.SellerSKU == line.SellerSKU && l.Title == line.Title && slices.Equal(l.Parts, line.Parts) {
			l.Units = append(l.Units, unit)
			l.Qty++
			if unit.Cancelled {
				l.Cancelled++
			}
			return lines
		}
	}
	line.Units, line.Qty = []order.Unit{unit}, 1
	if unit.Cancelled {
		line.Cancelled = 1
	}
	return append(lines, line)
}

func title(w *wireLine) string {
	if w.SKUName == "" {
		return w.ProductName
	}
	return w.ProductName + " · " + w.SKUName
}

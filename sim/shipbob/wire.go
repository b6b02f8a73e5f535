package shipbob

import (
	"time"

	"github.com/spillway/spillway/sim/depot"
)

// shipmentStatus are the vendor's words of a shipment.
var shipmentStatus = map[depot.Stage]string{
	depot.Received: "Processing", depot.Picking: "Processing", depot.Packed: "LabeledCreated", depot.Short: "Exception", depot.Held: "OnHold",
	depot.Shipped: "Completed", depot.Delivered: "Completed", depot.Cancelled: "Cancelled",
}

// orderStatus are those of an order.
var orderStatus = map[depot.Stage]string{
	depot.Received: "Processing", depot.Picking: "Processing", depot.Packed: "Processing", depot.Short: "Exception", depot.Held: "Exception",
	depot.Shipped: "Fulfilled", depot.Delivered: "Fulfilled", depot.Cancelled: "Cancelled",
}

type object = map[string]any

func moment(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.Format(time.RFC3339Nano)
}

// shipment is an order's one shipment: in the order, and as the body of webhooks.
func shipment(o depot.Order) object {
	products := []object{}
	for _, l := range o.Lines {
		products = append(products, object{"reference_id": l.SKU, "sku": l.SKU, "name": l.SKU, "inventory_items": []object{{"quantity": l.Qty}}})
	}
	out := object{
		"id": 900000 + o.ID, "order_id": o.ID, "reference_id": o.Reference, "status": shipmentStatus[o.Stage], "created_date": moment(o.CreatedAt),
		"last_update_at": moment(o.UpdatedAt), "actual_fulfillment_date": moment(o.ShippedAt), "delivery_date": moment(o.DeliveredAt),
		"ship_option": o.Method, "location": object{"name": o.Place}, "products": products, "tracking": nil, "status_details": []object{},
	}
	if o.Tracking != "" {
		out["tracking"] = object{"carrier": o.Carrier, "carrier_service": "GroundAdvantage", "tracking_number": o.Tracking,
			"tracking_url": "https://tools.usps.com/go/TrackConfirmAction?tLabels=" + o.Tracking, "shipping_date": moment(o.ShippedAt), "last_update_at": moment(o.UpdatedAt)}
	}
	if o.Problem != "" {
		out["status_details"] = []object{{"name": "InventoryUnavailable", "description": o.Problem}}
		if o.Stage == depot.Held {
			out["status_details"] = []object{{"name": "InvalidAddress", "description": o.Problem}}
		}
	}
	return out
}

func orderBody(o depot.Order) object {
	return object{"id": o.ID, "reference_id": o.Reference, "order_number": o.Number, "type": "DTC", "status": orderStatus[o.Stage],
		"created_date": moment(o.CreatedAt), "shipping_method": o.Method, "channel": object{"id": 101, "name": "Spillway"}, "shipments": []object{shipment(o)}}
}

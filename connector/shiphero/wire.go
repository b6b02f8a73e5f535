package shiphero

import (
	"slices"
	"strings"
	"time"

	"github.com/spillway/spillway/connector/driver"
	"github.com/spillway/spillway/domain/tracking"
)

// Lines are bounded, since what may be answered is what is paid for, and they are nine tenths of it. Most orders have one or two items: the list reads
// lineFew lines of each order and of each shipment, a single order is read with lineMost.
const (
	lineFew, lineMost = 3, 20
	orderFields       = `id order_number partner_order_id fulfillment_status order_date updated_at
holds { address_hold fraud_hold operator_hold payment_hold }
line_items(first: $lines) { edges { node { sku quantity backorder_quantity } } }
shipments { id created_date shipping_labels { tracking_number tracking_url carrier shipping_method status }
	line_items(first: $lines) { edges { node { quantity line_item { sku } } } } }`
)

const (
	findOrder   = `query ($ref: String) { orders(partner_order_id: $ref) { request_id complexity data(first: 5) { edges { node { id partner_order_id fulfillment_status } } } } }`
	readOrder   = `query ($id: String!, $lines: Int) { order(id: $id) { request_id complexity data { ` + orderFields + ` } } }`
	followOrder = `query ($since: ISODateTime, $n: Int, $after: String, $lines: Int) { orders(updated_from: $since) { request_id complexity data(first: $n, after: $after) { edges { node { ` +
		orderFields + ` } } pageInfo { hasNextPage endCursor } } } }`
	readStock = `query ($warehouse: String, $n: Int, $after: String) { warehouse_products(warehouse_id: $warehouse) { request_id complexity data(first: $n, after: $after) {
		edges { node { sku warehouse_id on_hand allocated reserve_inventory non_sellable_quantity } } pageInfo { hasNextPage endCursor } } } }`
	createOrder = `mutation ($data: CreateOrderInput!) { order_create(data: $data) { request_id complexity order { id order_number partner_order_id fulfillment_status order_date } } }`
	cancelOrder = `mutation ($data: CancelOrderInput!) { order_cancel(data: $data) { request_id complexity order { id fulfillment_status } } }`
)

type edges[T any] struct {
	Edges []struct {
		Node T `json:"node"`
	} `json:"edges"`
	Info struct {
		More bool   `json:"hasNextPage"`
		End  string `json:"endCursor"`
	} `json:"pageInfo"`
}

func (e edges[T]) next() string {
	if !e.Info.More {
		return ""
	}
	return e.Info.End
}

type wireOrder struct {
	ID        string `json:"id"`
	Reference string `json:"partner_order_id"`
	Status    string `json:"fulfillment_status"`
	Ordered   stamp  `json:"order_date"`
	Holds     *struct {
		Address  bool `json:"address_hold"`
		Fraud    bool `json:"fraud_hold"`
		Operator bool `json:"operator_hold"`
		Payment  bool `json:"payment_hold"`
	} `json:"holds"`
	Lines edges[struct {
		SKU   string `json:"sku"`
		Qty   int64  `json:"quantity"`
		Short int64  `json:"backorder_quantity"`
	}] `json:"line_items"`
	Shipments []wireShipment `json:"shipments"`
}

type wireShipment struct {
	ID      string `json:"id"`
	Created stamp  `json:"created_date"`
	Labels  []struct {
		Number string `json:"tracking_number"`
		URL    string `json:"tracking_url"`
		Carr   string `json:"carrier"`
		Method string `json:"shipping_method"`
		Status string `json:"status"`
	} `json:"shipping_labels"`
	Lines edges[struct {
		Qty  int64 `json:"quantity"`
		Line struct {
			SKU string `json:"sku"`
		} `json:"line_item"`
	}] `json:"line_items"`
}

// stamp is a time that may come without a zone, which is UTC then.
type stamp struct{ time.Time }

// UnmarshalJSON implements json.Unmarshaler. What is no time stays zero.
func (s *stamp) UnmarshalJSON(b []byte) error {
	text := strings.Trim(string(b), `"`)
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999", "2006-01-02 15:04:05"} {
		if t, err := time.Parse(layout, text); err == nil {
			s.Time = t.UTC()
			return nil
		}
	}
	return nil
}

func (o wireOrder) cancelled() bool {
	return strings.EqualFold(o.Status, "canceled") || strings.EqualFold(o.Status, "cancelled")
}

func (o wireOrder) left() bool {
	return strings.EqualFold(o.Status, "fulfilled") || len(o.Shipments) > 0
}

// closedShort reports whether an order is closed although not all of it was sent. It is sure only where all lines were read.
func (o wireOrder) closedShort() bool {
	var ordered, sent int64
	for _, l := range o.Lines.Edges {
		ordered += l.Node.Qty
	}
	for _, s := range o.Shipments {
		for _, l := range s.Lines.Edges {
			sent += l.Node.Qty
		}
	}
	return strings.EqualFold(o.Status, "fulfilled") && len(o.Shipments) > 0 && sent < ordered
}

// problem says why an order does not go on; empty while it does.
func (o wireOrder) problem() string {
	if h := o.Holds; h != nil {
		switch {
		case h.Address:
			return "ShipHero holds the order for its address"
		case h.Fraud:
			return "ShipHero holds the order for suspected fraud"
		case h.Operator:
			return "the warehouse holds the order"
		case h.Payment:
			return "ShipHero holds the order for its payment"
		}
	}
	for _, l := range o.Lines.Edges {
		if l.Node.Short > 0 {
			return "not enough stock of " + l.Node.SKU
		}
	}
	return ""
}

func (o wireOrder) booked(id string) driver.Booked {
	b := driver.Booked{ID: id, Ref: o.ID, At: o.Ordered.Time, State: driver.BookingDone}
	if o.cancelled() {
		b.State = driver.BookingVoided
	} else if why := o.problem(); why != "" && !o.left() {
		b.Messages = []string{why}
	}
	if len(o.Shipments) == 1 {
		o.Shipments[0].into(&b)
	}
	return b
}

// into adds carrier and number to a booking: those of the label that is in use.
func (s wireShipment) into(b *driver.Booked) {
	for _, l := range s.Labels {
		if l.Number != "" && !strings.EqualFold(l.Status, "voided") && !strings.EqualFold(l.Status, "refunded") {
			b.Carrier, b.Service, b.Tracking, b.URL = l.Carr, l.Method, l.Number, l.URL
			return
		}
	}
}

// news is what an order as it stands tells: of each of its shipments, or of itself. Where as many lines were read as were asked for there may be more of
// them, and it is brief.
func (o wireOrder) news(lines int) []driver.ParcelNews {
	if len(o.Shipments) == 0 {
		n := driver.ParcelNews{BookingID: o.Reference, Ref: o.ID, Brief: len(o.Lines.Edges) >= lines && o.problem() == "" && !o.cancelled()}
		if o.cancelled() {
			b := o.booked(o.Reference)
			n.Booked = &b
		} else {
			n.Exception = o.problem()
		}
		return []driver.ParcelNews{n}
	}
	var out []driver.ParcelNews
	for _, s := range o.Shipments {
		b := driver.Booked{ID: o.Reference, Ref: o.ID, At: o.Ordered.Time, State: driver.BookingDone}
		s.into(&b)
		if b.Tracking == "" {
			continue // its label was voided: the next shipment, or none, counts
		}
		n := driver.ParcelNews{BookingID: o.Reference, Ref: o.ID, Tracking: b.Tracking, Booked: &b, Brief: len(s.Lines.Edges) >= lines}
		for _, l := range s.Lines.Edges {
			n.Shipped = append(n.Shipped, driver.ParcelLine{SKU: l.Node.Line.SKU, Qty: l.Node.Qty})
		}
		b.Lines = n.Shipped
		if !s.Created.IsZero() {
			n.Events = []driver.ParcelEvent{labelMade(s.Created.Time)}
		}
		out = append(out, n)
	}
	if o.closedShort() && len(o.Lines.Edges) < lines && !slices.ContainsFunc(out, func(n driver.ParcelNews) bool { return n.Brief }) {
		out = append(out, driver.ParcelNews{BookingID: o.Reference, Ref: o.ID, Exception: "ShipHero has closed the order, and not all of it was sent"})
	}
	return out
}

// labelMade is the one event ShipHero tells: it does not follow carriers.
func labelMade(at time.Time) driver.ParcelEvent {
	return driver.ParcelEvent{Word: "Shipment Update", Status: string(tracking.LabelCreated), At: at}
}

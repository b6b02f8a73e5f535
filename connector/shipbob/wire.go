package shipbob

import (
	"strconv"
	"time"

	"github.com/spillway/spillway/connector/driver"
	"github.com/spillway/spillway/domain/tracking"
)

type wireOrder struct {
	ID        int64          `json:"id"`
	Reference string         `json:"reference_id"`
	Status    string         `json:"status"`
	Created   time.Time      `json:"created_date"`
	Shipments []wireShipment `json:"shipments"`
}

type wireShipment struct {
	ID        int64      `json:"id"`
	OrderID   int64      `json:"order_id"`
	Reference string     `json:"reference_id"`
	Status    string     `json:"status"`
	Created   *time.Time `json:"created_date"`
	Updated   *time.Time `json:"last_update_at"`
	Event     *time.Time `json:"event_time"`
	ShippedAt *time.Time `json:"actual_fulfillment_date"`
	Delivered *time.Time `json:"delivery_date"`
	Tracking  *struct {
		Carrier string     `json:"carrier"`
		Service string     `json:"carrier_service"`
		Number  string     `json:"tracking_number"`
		ID      string     `json:"tracking_id"` // the number's name in messages of tracking
		URL     string     `json:"tracking_url"`
		Updated *time.Time `json:"last_update_at"`
	} `json:"tracking"`
	Details []struct {
		Name        string `json:"name"`
		Description string `json:"description"`
	} `json:"status_details"`
	Products []struct {
		Reference string `json:"reference_id"`
		SKU       string `json:"sku"`
		Quantity  int64  `json:"quantity"`
		Items     []struct {
			Quantity int64 `json:"quantity"`
		} `json:"inventory_items"`
	} `json:"products"`
}

// words are ShipBob's for a parcel on its way.
var words = tracking.Mapping{Source: "shipbob", Rows: []tracking.Row{
	{Code: "LabeledCreated", Status: tracking.LabelCreated}, {Code: "LabelCreated", Status: tracking.LabelCreated},
	{Code: "AwaitingCarrierScan", Status: tracking.LabelCreated}, {Code: "InTransit", Status: tracking.InTransit},
	{Code: "OutForDelivery", Status: tracking.OutForDelivery}, {Code: "DeliveryAttemptFailed", Status: tracking.Attempted},
	{Code: "Delivered", Status: tracking.Delivered}, {Code: "DeliveryException", Status: tracking.Exception},
	{Code: "Returned", Status: tracking.Returned}, {Code: "Cancelled", Status: tracking.Cancelled},
}}

func (o wireOrder) booked(id string) driver.Booked {
	b := driver.Booked{ID: id, Ref: strconv.FormatInt(o.ID, 10), At: o.Created, State: driver.BookingDone}
	if o.Status == "Cancelled" {
		b.State = driver.BookingVoided
	}
	for _, s := range o.Shipments {
		if why := s.problem(); why != "" {
			b.Messages = append(b.Messages, why)
		}
	}
	if len(o.Shipments) == 1 {
		o.Shipments[0].into(&b)
	}
	return b
}

// news is what an order as it stands tells of its shipments; nothing where it was made by somebody else, in the same account.
func (o wireOrder) news() (out []driver.ParcelNews) {
	if o.Reference == "" {
		return nil
	}
	for _, s := range o.Shipments {
		s.OrderID, s.Reference = o.ID, o.Reference
		out = append(out, s.news())
	}
	return out
}

// into adds carrier and number to a booking, once there are some.
func (s wireShipment) into(b *driver.Booked) {
	if t := s.Tracking; t != nil {
		b.Carrier, b.Service, b.URL, b.Tracking = t.Carrier, t.Service, t.URL, s.number()
	}
}

func (s wireShipment) number() string {
	switch t := s.Tracking; {
	case t == nil:
		return ""
	case t.Number != "":
		return t.Number
	default:
		return t.ID
	}
}

// problem says why a shipment does not go on; empty while it does.
func (s wireShipment) problem() string {
	switch s.Status {
	case "Exception", "OnHold", "ImportReview":
	default:
		return ""
	}
	for _, d := range s.Details {
		if d.Description != "" {
			return d.Description
		}
		if d.Name != "" {
			return d.Name
		}
	}
	return "ShipBob holds the shipment: " + s.Status
}

func (s wireShipment) lines() (out []driver.ParcelLine) {
	for _, p := range s.Products {
		l := driver.ParcelLine{SKU: p.Reference, Qty: p.Quantity}
		if l.SKU == "" {
			l.SKU = p.SKU
		}
		if l.Qty == 0 && len(p.Items) == 1 { // a product of several items, a bundle, does not tell how often it is in
			l.Qty = p.Items[0].Quantity
		}
		if l.SKU == "" || l.Qty < 1 {
			return nil // half of what is in a parcel would be taken for all of it
		}
		out = append(out, l)
	}
	return out
}

// news is what a shipment as it stands tells.
func (s wireShipment) news() driver.ParcelNews {
	n := driver.ParcelNews{BookingID: s.Reference, Ref: strconv.FormatInt(s.OrderID, 10), Tracking: s.number(), Exception: s.problem()}
	b := driver.Booked{ID: n.BookingID, Ref: n.Ref, State: driver.BookingDone, Lines: s.lines()}
	if s.Created != nil {
		b.At = *s.Created
	}
	s.into(&b)
	if s.Status == "Cancelled" {
		b.State = driver.BookingVoided
	}
	if n.Tracking != "" || b.State == driver.BookingVoided { // a late message from before it shipped must not take the number away
		n.Booked = &b
	}
	if n.Tracking == "" {
		return n
	}
	n.Shipped = s.lines()
	if s.ShippedAt != nil {
		n.Events = append(n.Events, driver.ParcelEvent{Word: "LabelCreated", Status: string(tracking.LabelCreated), At: *s.ShippedAt})
	}
	if s.Delivered != nil {
		n.Events = append(n.Events, driver.ParcelEvent{Word: "Delivered", Status: string(tracking.Delivered), At: *s.Delivered})
	}
	if status, known := words.Status(s.Status, ""); known && status != tracking.Cancelled && status != tracking.LabelCreated && status != tracking.Delivered {
		n.Events = append(n.Events, driver.ParcelEvent{Word: s.Status, Status: string(status), At: s.when()})
	}
	return n
}

// when is the moment of a shipment's last change.
func (s wireShipment) when() time.Time {
	for _, t := range []*time.Time{s.Event, s.Updated, s.Created} {
		if t != nil {
			return *t
		}
	}
	return time.Time{}
}

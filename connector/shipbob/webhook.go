package shipbob

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/spillway/spillway/connector/driver"
	"github.com/spillway/spillway/connector/internal/standard"
	"github.com/spillway/spillway/domain/tracking"
)

const opReceive driver.Operation = "webhook"

// Verify implements driver.Carrier: any one of the signatures must fit, with the present secret or the one before.
func (c Carrier) Verify(account driver.CarrierAccount, header http.Header, body []byte) (driver.Envelope, error) {
	id, sent, err := standard.Verify(header, body, c.now(), account.Settings[settingSecret], account.Settings[settingOld])
	if err != nil {
		return driver.Envelope{}, err
	}
	topic := header.Get("x-webhook-topic")
	if topic == "" {
		return driver.Envelope{}, &driver.Error{Class: driver.GiveUp, Op: opReceive, Message: "the message has no topic"}
	}
	return driver.Envelope{DeliveryID: id, Topic: topic, ShopID: account.ID, SentAt: sent}, nil
}

func (c Carrier) now() time.Time {
	if c.Now == nil {
		return time.Now()
	}
	return c.Now()
}

// Decode implements driver.Carrier.
func (Carrier) Decode(topic string, body []byte) ([]driver.ParcelNews, error) {
	switch topic {
	case "order.shipped", "order.delivered", "order.shipment.delivered", "order.shipment.exception", "order.shipment.on_hold", "order.shipment.cancelled",
		"order.shipment.tracking.updated", "order.shipment.tracking_received":
	default:
		return nil, nil
	}
	var m struct {
		wireShipment
		Shipments []wireShipment `json:"shipments"` // where the message is of the whole order, whose id is then ID
	}
	if err := json.Unmarshal(body, &m); err != nil {
		return nil, &driver.Error{Class: driver.GiveUp, Op: opReceive, Message: "the message cannot be read"}
	}
	all := m.Shipments
	for i := range all {
		all[i].OrderID, all[i].Reference = m.ID, m.Reference
	}
	if len(all) == 0 {
		all = []wireShipment{m.wireShipment}
	}
	var out []driver.ParcelNews
	for _, s := range all {
		if s.OrderID == 0 || s.Reference == "" {
			return nil, &driver.Error{Class: driver.GiveUp, Op: opReceive, Message: "the message names no order"}
		}
		n := s.news()
		if at := s.when(); strings.HasSuffix(topic, ".delivered") && s.Delivered == nil && !at.IsZero() {
			n.Events = append(n.Events, driver.ParcelEvent{Word: "Delivered", Status: string(tracking.Delivered), At: at})
		}
		out = append(out, n)
	}
	return out, nil
}

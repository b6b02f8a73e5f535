package shipbob

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/spillway/spillway/connector/driver"
	"github.com/spillway/spillway/domain/tracking"
)

const (
	opReceive driver.Operation = "webhook"
	// tolerance is how far a message's time may be off, by the Standard Webhooks rule; every attempt is signed anew.
	tolerance     = 5 * time.Minute
	maxSignatures = 10 // in one header; two are usual while a secret is changed
)

// Verify implements driver.Carrier: any one of the signatures must fit, with the present secret or the one before.
func (c Carrier) Verify(account driver.CarrierAccount, header http.Header, body []byte) (driver.Envelope, error) {
	forged := func(why string) (driver.Envelope, error) {
		return driver.Envelope{}, &driver.Error{Class: driver.Forged, Op: opReceive, Message: why}
	}
	id, stamp := header.Get("webhook-id"), header.Get("webhook-timestamp")
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	if id == "" || err != nil {
		return forged("the message has no id or no time")
	}
	genuine := false
	for _, name := range []string{settingSecret, settingOld} {
		genuine = fits(account.Settings[name], id+"."+stamp+".", body, header.Get("webhook-signature")) || genuine
	}
	if !genuine {
		return forged("the signature does not fit the body")
	}
	sent, now := time.Unix(seconds, 0).UTC(), c.now()
	if sent.Before(now.Add(-tolerance)) || sent.After(now.Add(tolerance)) {
		return forged("the message is too old, or a clock is wrong")
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

// fits reports whether one of the signatures is that of head and body by secret. Without a secret nothing fits.
func fits(secret, head string, body []byte, signatures string) bool {
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
	if err != nil || len(key) == 0 {
		return false
	}
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(head))
	mac.Write(body)
	want, genuine := mac.Sum(nil), false
	for i, s := range strings.Fields(signatures) {
		if text, ok := strings.CutPrefix(s, "v1,"); ok && i < maxSignatures {
			got, err := base64.StdEncoding.DecodeString(text)
			genuine = err == nil && hmac.Equal(got, want) || genuine
		}
	}
	return genuine
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

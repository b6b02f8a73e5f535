package dummy

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"time"

	"github.com/spillway/spillway/connector/driver"
)

const opReceive driver.Operation = "webhook"

type wireMessage struct {
	ID    string     `json:"id"`
	Topic string     `json:"topic"`
	Shop  string     `json:"shop"`
	At    time.Time  `json:"at"`
	Order *wireOrder `json:"order"`
}

// Verify checks the signature over the raw bytes first and reads the content only after that. An app without a secret
// takes nothing, and the comparison takes the same time whatever was sent.
func (Vendor) Verify(app driver.App, header http.Header, body []byte) (driver.Envelope, error) {
	got := []byte(header.Get("X-Dummy-Signature"))
	genuine := false
	for _, secret := range []string{app.Secret, app.OldSecret} {
		if secret == "" {
			continue
		}
		mac := hmac.New(sha256.New, []byte(secret))
		mac.Write(body)
		genuine = hmac.Equal(got, []byte(hex.EncodeToString(mac.Sum(nil)))) || genuine
	}
	if !genuine {
		return driver.Envelope{}, &driver.Error{Class: driver.Forged, Op: opReceive, Message: "the signature does not fit the body"}
	}
	m, err := read(body)
	if err != nil {
		return driver.Envelope{}, err
	}
	if m.ID == "" || m.Topic == "" || m.Shop == "" {
		return driver.Envelope{}, &driver.Error{Class: driver.GiveUp, Op: opReceive, Message: "the message has no id, topic or shop"}
	}
	return driver.Envelope{DeliveryID: m.ID, Topic: m.Topic, ShopID: m.Shop, SentAt: m.At}, nil
}

// Decode is called later, on the stored bytes, perhaps years later and by a newer version: it depends on nothing else.
func (Vendor) Decode(topic string, body []byte) ([]driver.Fact, error) {
	if topic != "order" {
		return nil, nil // a topic of tomorrow is no failure
	}
	m, err := read(body)
	if err != nil {
		return nil, err
	}
	if m.Order == nil || m.Order.ID == "" {
		return nil, &driver.Error{Class: driver.GiveUp, Op: opReceive, Message: "the message has no order"}
	}
	f := m.Order.fact()
	f.ReadAt = m.At // it was sent unasked, with the state of that moment
	return []driver.Fact{{Order: &f}}, nil
}

func read(body []byte) (wireMessage, error) {
	var m wireMessage
	if err := json.Unmarshal(body, &m); err != nil {
		return m, &driver.Error{Class: driver.GiveUp, Op: opReceive, Message: "the message cannot be read", Cause: err}
	}
	return m, nil
}

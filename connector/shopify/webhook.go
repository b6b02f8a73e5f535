package shopify

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/spillway/spillway/connector/driver"
	"github.com/spillway/spillway/domain/order"
	"github.com/spillway/spillway/kit/errs"
)

// maxHeader bounds what is taken from a header; Shopify's are all shorter than 100 bytes.
const maxHeader = 255

// Verify implements driver.Vendor: base64(HMAC-SHA256(client secret, raw body)). After a rotation Shopify goes on signing with
// the old secret for up to an hour. The headers themselves are not signed.
func (Vendor) Verify(app driver.App, header http.Header, body []byte) (driver.Envelope, error) {
	if len(body) > driver.MaxWebhook {
		return driver.Envelope{}, &driver.Error{Class: driver.GiveUp, Message: "the webhook is longer than allowed"}
	}
	text := header.Get("X-Shopify-Hmac-Sha256")
	sum, err := base64.StdEncoding.Strict().DecodeString(text)
	if err != nil || len(sum) != sha256.Size || len(text) != base64.StdEncoding.EncodedLen(sha256.Size) { // the decoder passes over line breaks
		return driver.Envelope{}, &driver.Error{Class: driver.Forged, Message: "the webhook carries no signature"}
	}
	if !signed(app.Secret, body, sum) && !signed(app.OldSecret, body, sum) {
		return driver.Envelope{}, &driver.Error{Class: driver.Forged, Message: "the webhook's signature does not match"}
	}
	env := driver.Envelope{
		DeliveryID: header.Get("X-Shopify-Webhook-Id"), Topic: header.Get("X-Shopify-Topic"), ShopID: header.Get("X-Shopify-Shop-Domain"),
	}
	for _, h := range []string{env.DeliveryID, env.Topic, env.ShopID} {
		if h == "" || len(h) > maxHeader {
			return driver.Envelope{}, &driver.Error{Class: driver.GiveUp, Message: "the webhook lacks its id, topic or shop"}
		}
	}
	if at, err := time.Parse(time.RFC3339Nano, header.Get("X-Shopify-Triggered-At")); err == nil {
		env.SentAt = at.UTC()
	}
	return env, nil
}

// signed compares in constant time. No secret signs nothing.
func signed(secret string, body, sum []byte) bool {
	if secret == "" {
		return false
	}
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	return hmac.Equal(mac.Sum(nil), sum)
}

// Decode implements driver.Vendor.
func (Vendor) Decode(topic string, body []byte) ([]driver.Fact, error) {
	switch topic {
	case "orders/create", "orders/updated", "orders/paid", "orders/cancelled", "orders/fulfilled", "orders/partially_fulfilled":
		return decodeOrder(topic, body)
	case "orders/edited":
		return decodeEdit(topic, body)
	case "refunds/create":
		return decodeRefund(topic, body)
	case "inventory_levels/update", "inventory_levels/connect":
		return decodeLevel(topic, body)
	case "bulk_operations/finish":
		return decodeBulk(topic, body)
	case "app/uninstalled":
		return []driver.Fact{{Auth: &driver.AuthNotice{Withdrawn: true, Message: "the app was uninstalled from the shop"}}}, nil
	case "customers/data_request", "customers/redact", "shop/redact":
		// Nothing of a buyer is kept by this package. That the request came must be seen by whoever answers for the data.
		return []driver.Fact{{Note: &driver.Note{Kind: topic, Text: "Shopify passed on a privacy request; its body is in the inbox"}}}, nil
	}
	return nil, nil
}

// parse reads a body that is not too long to be worth it.
func parse(body []byte, v any) error {
	if len(body) > driver.MaxWebhook {
		return fmt.Errorf("%d bytes are more than allowed", len(body))
	}
	return json.Unmarshal(body, v)
}

// unreadable is the error of a body that does not have the form of its topic.
func unreadable(topic, why string, cause error) error {
	return &driver.Error{Class: driver.GiveUp, Code: topic, Message: why, Cause: cause}
}

func decodeOrder(topic string, body []byte) ([]driver.Fact, error) {
	var o restOrder
	if err := parse(body, &o); err != nil {
		return nil, unreadable(topic, "the body is not an order", err)
	}
	if !isNumber(string(o.ID)) {
		return nil, unreadable(topic, "the order has no id", nil)
	}
	return orderFact(topic, o.view().fact("", time.Time{}))
}

func decodeEdit(topic string, body []byte) ([]driver.Fact, error) {
	var b struct {
		Edit struct {
			OrderID   text      `json:"order_id"`
			CreatedAt time.Time `json:"created_at"`
		} `json:"order_edit"`
	}
	if err := parse(body, &b); err != nil || !isNumber(string(b.Edit.OrderID)) {
		return nil, unreadable(topic, "the body names no order", err)
	}
	return orderFact(topic, order.Fact{Kind: order.TouchNotice, ExternalID: string(b.Edit.OrderID), UpdatedAt: b.Edit.CreatedAt.UTC()})
}

// orderFact checks f as the order's own rules will. The inbox fills in the connection, and when a snapshot was sent.
func orderFact(topic string, f order.Fact) ([]driver.Fact, error) {
	whole := f
	whole.ConnectionID, whole.ReadAt = "any", f.UpdatedAt
	if _, err := whole.Hash(); err != nil {
		return nil, unreadable(topic, errs.Safe(err), nil)
	}
	return []driver.Fact{{Order: &f}}, nil
}

// decodeRefund tells that there is a refund. What it does to the lines comes with orders/updated.
func decodeRefund(topic string, body []byte) ([]driver.Fact, error) {
	var b struct {
		ID        text      `json:"id"`
		OrderID   text      `json:"order_id"`
		CreatedAt time.Time `json:"created_at"`
	}
	if err := parse(body, &b); err != nil || !isNumber(string(b.ID)) || !isNumber(string(b.OrderID)) {
		return nil, unreadable(topic, "the body is not a refund", err)
	}
	return orderFact(topic, order.Fact{
		Kind: order.ReturnNotice, ExternalID: string(b.OrderID), UpdatedAt: b.CreatedAt.UTC(),
		Return: &order.Return{ID: string(b.ID), Kind: "refund", StatusText: "refunded"},
	})
}

// decodeLevel reads the number of one item at one location. An item that is not tracked has none.
func decodeLevel(topic string, body []byte) ([]driver.Fact, error) {
	var b struct {
		Item      text      `json:"inventory_item_id"`
		Location  text      `json:"location_id"`
		Available *int64    `json:"available"`
		UpdatedAt time.Time `json:"updated_at"`
	}
	if err := parse(body, &b); err != nil || !isNumber(string(b.Item)) || !isNumber(string(b.Location)) {
		return nil, unreadable(topic, "the body names no item or no location", err)
	}
	if b.Available == nil {
		return nil, nil
	}
	return []driver.Fact{{Quantity: &driver.Quantity{
		Ref:       driver.ListingRef{ItemRef: string(b.Item), Locations: []string{string(b.Location)}},
		Available: *b.Available, ByLocation: map[string]int64{string(b.Location): *b.Available}, Committed: -1, At: b.UpdatedAt.UTC(),
	}}}, nil
}

func decodeBulk(topic string, body []byte) ([]driver.Fact, error) {
	var b struct {
		ID          string    `json:"admin_graphql_api_id"`
		Status      string    `json:"status"`
		CompletedAt time.Time `json:"completed_at"`
	}
	if err := parse(body, &b); err != nil || b.ID == "" {
		return nil, unreadable(topic, "the body is not a bulk operation", err)
	}
	return []driver.Fact{{Note: &driver.Note{Subject: number(b.ID), Kind: topic, Text: "bulk operation " + cut(b.Status), At: b.CompletedAt.UTC()}}}, nil
}

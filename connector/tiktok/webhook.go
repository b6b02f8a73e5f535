package tiktok

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/spillway/spillway/connector/driver"
)

const opReceive driver.Operation = "webhook"

// Names of the webhook types that are decoded (facts, section 16.2).
const (
	orderStatus     = "ORDER_STATUS_CHANGE"
	addressUpdate   = "RECIPIENT_ADDRESS_UPDATE"
	packageUpdate   = "PACKAGE_UPDATE"
	productStatus   = "PRODUCT_STATUS_CHANGE"
	deauthorised    = "SELLER_DEAUTHORIZATION"
	expiring        = "UPCOMING_AUTHORIZATION_EXPIRATION"
	cancellation    = "CANCELLATION_STATUS_CHANGE"
	returnStatus    = "RETURN_STATUS_CHANGE"
	inboundStatus   = "FBT_INBOUND_STATUS"
	fbtInventory    = "FBT_INVENTORY"
	inventoryStatus = "INVENTORY_STATUS_CHANGE"
)

// topics are the types by number. A type that is not here gets its number as topic and is stored without facts. The names
// of 21, 24 and 27 are ours: the platform gives them numbers only.
var topics = map[int64]string{
	1: orderStatus, 3: addressUpdate, 4: packageUpdate, 5: productStatus, 6: deauthorised, 7: expiring, 11: cancellation,
	12: returnStatus, 21: inboundStatus, 24: fbtInventory, 27: inventoryStatus,
}

// subscribable are the topics whose address can be set by request; the others are set in the developer console.
var subscribable = []string{
	orderStatus, addressUpdate, packageUpdate, productStatus, deauthorised, expiring, cancellation, returnStatus,
}

// wireHead is what every message has. The platform's samples differ in whether ids are texts or numbers.
type wireHead struct {
	Type         int64 `json:"type"`
	ID           text  `json:"tts_notification_id"`
	ShopID       text  `json:"shop_id"`
	SellerOpenID text  `json:"seller_open_id"`
	Timestamp    int64 `json:"timestamp"`
}

// text is an id that may be written as a number too large for a double; its digits are kept as they stand.
type text string

// UnmarshalJSON implements json.Unmarshaler.
func (t *text) UnmarshalJSON(b []byte) error {
	switch {
	case string(b) == "null":
		return nil
	case b[0] == '"':
		var s string
		if err := json.Unmarshal(b, &s); err != nil {
			return err
		}
		*t = text(s)
		return nil
	case digits(string(b)):
		*t = text(b)
		return nil
	}
	return errors.New("an id is neither a text nor a whole number")
}

// Verify implements driver.Vendor (facts, section 16.1). The signature holds no time, so a replay is genuine: the inbox drops
// it by its id.
func (Vendor) Verify(app driver.App, header http.Header, body []byte) (driver.Envelope, error) {
	if !genuine(app, header.Get("Authorization"), body) {
		return driver.Envelope{}, &driver.Error{Class: driver.Forged, Op: opReceive, Message: "the signature does not fit the body"}
	}
	var head wireHead
	if err := json.Unmarshal(body, &head); err != nil {
		return driver.Envelope{}, unreadable(err)
	}
	env := driver.Envelope{DeliveryID: string(head.ID), Topic: topicOf(head.Type), ShopID: string(head.ShopID), SentAt: at(head.Timestamp)}
	if env.ShopID == "" {
		env.ShopID, env.Account = string(head.SellerOpenID), true
	}
	if env.ShopID == "" || head.Type <= 0 {
		return driver.Envelope{}, &driver.Error{Class: driver.GiveUp, Op: opReceive, Message: "the message names no type or no shop"}
	}
	if env.DeliveryID == "" { // a retry repeats the bytes
		sum := sha256.Sum256(body)
		env.DeliveryID = "sha256:" + hex.EncodeToString(sum[:])
	}
	return env, nil
}

func topicOf(number int64) string {
	if name, ok := topics[number]; ok {
		return name
	}
	return strconv.FormatInt(number, 10)
}

// genuine checks the signature against the present secret and the one before, each in constant time. An app without a
// secret takes nothing.
func genuine(app driver.App, signature string, body []byte) bool {
	var sum [2 * sha256.Size]byte
	for _, secret := range []string{app.Secret, app.OldSecret} {
		if secret != "" && hmac.Equal([]byte(signature), hexMAC(sum[:0], secret, []byte(app.Key), body)) {
			return true
		}
	}
	return false
}

func unreadable(err error) *driver.Error {
	return &driver.Error{Class: driver.GiveUp, Op: opReceive, Message: "the message cannot be read", Cause: shape(err)}
}

// SubscribeWebhooks implements driver.Channel. Topics that point at address already are left alone.
func (c *channel) SubscribeWebhooks(ctx context.Context, address string) ([]driver.Subscription, error) {
	if why := badAddress(address); why != "" && !loopback(c.api.base) {
		return nil, &driver.Error{Class: driver.AskHuman, Op: driver.OpWebhooks, Message: why}
	}
	present, err := c.subscriptions(ctx)
	if err != nil {
		return nil, err
	}
	changed := false
	for _, topic := range subscribable {
		if slices.Contains(present, driver.Subscription{Topic: topic, Address: address}) {
			continue
		}
		changed = true
		body := wireWebhook{EventType: topic, Address: address}
		if _, _, err := call[struct{}](ctx, c, driver.OpWebhooks, putWebhook, putWebhook.path, nil, body); err != nil {
			return nil, err
		}
	}
	if !changed {
		return present, nil
	}
	return c.subscriptions(ctx)
}

func (c *channel) subscriptions(ctx context.Context) ([]driver.Subscription, error) {
	data, _, err := call[wireWebhooks](ctx, c, driver.OpWebhooks, getWebhooks, getWebhooks.path, nil, nil)
	if err != nil {
		return nil, err
	}
	out := make([]driver.Subscription, 0, len(data.Webhooks))
	for _, w := range data.Webhooks {
		out = append(out, driver.Subscription{Topic: w.EventType, Address: w.Address})
	}
	return out, nil
}

// badAddress says what the platform would not like about a webhook address (facts, section 16.1); empty if it is good.
func badAddress(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" || u.Hostname() == "" {
		return "the webhook address must be https"
	}
	if len(address) > maxWebhookURL {
		return "the webhook address must have at most 255 characters"
	}
	if _, err := netip.ParseAddr(u.Hostname()); err == nil || u.Port() != "" || !strings.Contains(u.Hostname(), ".") {
		return "the webhook address must be a domain, without a port"
	}
	return ""
}

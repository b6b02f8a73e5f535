package shiphero

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"

	"github.com/spillway/spillway/connector/driver"
)

const opReceive driver.Operation = "webhook"

// Verify implements driver.Carrier, with the present secret or the one before. ShipHero signs no time: the inbox knows repeats by their id.
func (Carrier) Verify(account driver.CarrierAccount, header http.Header, body []byte) (driver.Envelope, error) {
	got, err := base64.StdEncoding.DecodeString(header.Get("x-shiphero-hmac-sha256"))
	genuine := false
	for _, name := range []string{settingSecret, settingOld} {
		if secret := account.Settings[name]; secret != "" {
			mac := hmac.New(sha256.New, []byte(secret))
			mac.Write(body)
			genuine = err == nil && hmac.Equal(got, mac.Sum(nil)) || genuine
		}
	}
	if !genuine {
		return driver.Envelope{}, &driver.Error{Class: driver.Forged, Op: opReceive, Message: "the signature does not fit the body"}
	}
	var m struct {
		Type string `json:"webhook_type"`
	}
	id := header.Get("x-shiphero-message-id")
	if json.Unmarshal(body, &m) != nil || m.Type == "" || id == "" {
		return driver.Envelope{}, &driver.Error{Class: driver.GiveUp, Op: opReceive, Message: "the message has no type or no id"}
	}
	return driver.Envelope{DeliveryID: id, Topic: m.Type, ShopID: account.ID}, nil
}

type wireLine struct {
	SKU     string `json:"sku"`
	Qty     int64  `json:"quantity"`
	Package string `json:"package"` // "Package #1"
}

type wirePackage struct {
	Carrier  string     `json:"shipping_carrier"`
	Method   string     `json:"shipping_method"`
	Tracking string     `json:"tracking_number"`
	URL      string     `json:"tracking_url"`
	Lines    []wireLine `json:"line_items"`
}

type wireFulfillment struct {
	wirePackage
	Reference string        `json:"partner_order_id"`
	Order     string        `json:"order_uuid"`
	Created   stamp         `json:"created_at"`
	Packages  []wirePackage `json:"packages"` // what it says of a package goes before what the shipment says
}

// Decode implements driver.Carrier.
func (Carrier) Decode(topic string, body []byte) ([]driver.ParcelNews, error) {
	fail := func(why string) ([]driver.ParcelNews, error) {
		return nil, &driver.Error{Class: driver.GiveUp, Op: opReceive, Message: why}
	}
	switch topic {
	case "Order Canceled":
		var m struct {
			Order     string `json:"order_uuid"`
			Reference string `json:"partner_order_id"`
		}
		if json.Unmarshal(body, &m) != nil {
			return fail("the message cannot be read")
		}
		if m.Reference == "" {
			return nil, nil // another's order, in the same account
		}
		return []driver.ParcelNews{{BookingID: m.Reference, Ref: m.Order, Booked: &driver.Booked{ID: m.Reference, Ref: m.Order, State: driver.BookingVoided}}}, nil
	case "Shipment Update":
		var m struct {
			Fulfillment *wireFulfillment `json:"fulfillment"`
		}
		if json.Unmarshal(body, &m) != nil || m.Fulfillment == nil {
			return fail("the message cannot be read")
		}
		return m.Fulfillment.news(), nil
	}
	return nil, nil
}

// news is one for each package, or one for the shipment where it tells of no packages.
func (f *wireFulfillment) news() (out []driver.ParcelNews) {
	if f.Reference == "" {
		return nil
	}
	all := slices.DeleteFunc(slices.Clone(f.Packages), func(p wirePackage) bool { return p.Tracking == "" })
	if len(all) == 0 {
		all = []wirePackage{f.wirePackage}
	}
	for i, p := range all {
		if p.Tracking == "" {
			continue // a message without a number tells nothing
		}
		if p.Carrier == "" {
			p.Carrier, p.Method = f.Carrier, f.Method
		}
		if len(p.Lines) == 0 {
			p.Lines = f.of(i, len(all))
		}
		b := driver.Booked{ID: f.Reference, Ref: f.Order, Carrier: p.Carrier, Service: p.Method, Tracking: p.Tracking, URL: p.URL, State: driver.BookingDone}
		for _, l := range p.Lines {
			if l.SKU != "" && l.Qty > 0 {
				b.Lines = append(b.Lines, driver.ParcelLine{SKU: l.SKU, Qty: l.Qty})
			}
		}
		n := driver.ParcelNews{BookingID: f.Reference, Ref: f.Order, Tracking: all[i].Tracking, Booked: &b, Shipped: b.Lines}
		if !f.Created.IsZero() {
			n.Events = []driver.ParcelEvent{labelMade(f.Created.Time)}
		}
		out = append(out, n)
	}
	return out
}

// of are the lines of a package that does not list them itself.
func (f *wireFulfillment) of(i, packages int) (out []wireLine) {
	if packages == 1 {
		return f.Lines
	}
	for _, l := range f.Lines {
		if l.Package == fmt.Sprintf("Package #%d", i+1) {
			out = append(out, l)
		}
	}
	return out
}

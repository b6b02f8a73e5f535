package shipbob

import (
	"net/url"
	"strings"
	"time"

	"github.com/spillway/spillway/connector/driver"
	"github.com/spillway/spillway/kit/errs"
)

// Carrier implements driver.Carrier.
type Carrier struct {
	// Now is the clock by which a webhook's age is judged; nil is the machine's.
	Now func() time.Time
}

const (
	settingBase    = "base_url"
	settingToken   = "token"
	settingChannel = "channel_id"
	settingMethod  = "shipping_method"
	settingSecret  = "webhook_secret"
	settingOld     = "old_webhook_secret"

	usualBase = "https://api.shipbob.com"
	version   = "2026-07"
	page      = 100 // orders a page; up to 250 are allowed, a smaller page is answered sooner
)

// Describe implements driver.Carrier. ShipBob allows 150 requests a minute of an account, all kinds together: the lanes' shares add up to that.
func (Carrier) Describe() driver.CarrierDescription {
	return driver.CarrierDescription{
		Name: "shipbob", Title: "ShipBob", Docs: "docs/connectors/shipbob.md", Owner: "connector maintainers", Keeps: true,
		Settings: []driver.Setting{
			{Name: settingToken, Help: "Personal access token with the scopes orders_read, orders_write and inventory_read.", Required: true, Secret: true},
			{Name: settingChannel, Help: "Id of the channel that the token may write to.", Required: true},
			{Name: settingMethod, Help: "Shipping method, as mapped to a ship option in ShipBob.", Default: "Standard"},
			{Name: settingSecret, Help: "Secret of the webhook subscription, beginning with whsec_; without it no webhook is taken.", Secret: true},
			{Name: settingOld, Help: "The subscription's secret before, while a change of it settles.", Secret: true},
			{Name: settingBase, Help: "Address of the API.", Default: usualBase},
		},
		Can:             []driver.ShipAbility{driver.CanVoid, driver.CanFollow, driver.CanStock},
		Limits:          driver.ShipLimits{PerSecond: map[driver.Operation]float64{driver.OpBook: 0.9, driver.OpQuantities: 0.2, driver.OpLook: 0.2}, Default: 0.4, Burst: 10, Page: page},
		RequestLifetime: time.Minute, // its gateway gives up after half of that
	}
}

// Open implements driver.Carrier. Errors: Invalid.
func (Carrier) Open(account driver.CarrierAccount, env driver.Env) (driver.Shipper, error) {
	set := func(name, usual string) string {
		if v := strings.TrimSpace(account.Settings[name]); v != "" {
			return v
		}
		return usual
	}
	base, err := url.Parse(set(settingBase, usualBase))
	if err != nil || base.Host == "" {
		return nil, errs.New(errs.Invalid, "shipbob.Open", settingBase, "ShipBob's address is not an address.")
	}
	s := &shipper{env: env, base: base.JoinPath(version), token: set(settingToken, ""), channel: set(settingChannel, ""), method: set(settingMethod, "Standard")}
	if s.token == "" || s.channel == "" {
		return nil, errs.New(errs.Invalid, "shipbob.Open", account.ID, "ShipBob needs a token and the id of a channel.")
	}
	return s, nil
}

// shipper is one account.
type shipper struct {
	env                    driver.Env
	base                   *url.URL
	token, channel, method string
}

// Roles of the provider.
var (
	_ driver.Shipper     = (*shipper)(nil)
	_ driver.Follower    = (*shipper)(nil)
	_ driver.Looker      = (*shipper)(nil)
	_ driver.StockKeeper = (*shipper)(nil)
)

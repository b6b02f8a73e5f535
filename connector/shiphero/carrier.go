package shiphero

import (
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/spillway/spillway/connector/driver"
	"github.com/spillway/spillway/kit/errs"
)

// Carrier implements driver.Carrier. It has no fields: a carrier holds no state.
type Carrier struct{}

const (
	settingBase      = "base_url"
	settingRefresh   = "refresh_token"
	settingShop      = "shop_name"
	settingWarehouse = "warehouse_id"
	settingSecret    = "webhook_secret"
	settingOld       = "old_webhook_secret"

	usualBase = "https://public-api.shiphero.com"
	orderPage = 40 // orders a page: with their lines and shipments they cost about a quarter of the credits there are at most
	shelfPage = 100
)

// Describe implements driver.Carrier. ShipHero gives 60 credits a second: the lanes of handing over, following and looking take them together, so that none
// starves another, and what the calls before left pays for stock.
func (Carrier) Describe() driver.CarrierDescription {
	return driver.CarrierDescription{
		Name: "shiphero", Title: "ShipHero", Docs: "docs/connectors/shiphero.md", Owner: "connector maintainers", Keeps: true,
		Settings: []driver.Setting{
			{Name: settingRefresh, Help: "Refresh token of a user made for this, from ShipHero's sign-in.", Required: true, Secret: true},
			{Name: settingShop, Help: "Name of the shop that orders are filed under.", Default: "Spillway"},
			{Name: settingWarehouse, Help: "Id of the warehouse that ships and whose stock is read; empty: all of them, and ShipHero chooses."},
			{Name: settingSecret, Help: "Shared secret of the webhooks; without it no webhook is taken.", Secret: true},
			{Name: settingOld, Help: "The shared secret before, while a change of it settles.", Secret: true},
			{Name: settingBase, Help: "Address of the API.", Default: usualBase},
		},
		Can: []driver.ShipAbility{driver.CanVoid, driver.CanFollow, driver.CanStock},
		Limits: driver.ShipLimits{PerSecond: map[driver.Operation]float64{driver.OpBook: 0.6, driver.OpParcels: 0.025, driver.OpLook: 0.1, driver.OpQuantities: 0.1},
			Default: 1, Burst: 10, Page: orderPage},
		RequestLifetime: 2 * time.Minute, // a mutation that timed out has been seen to end within one
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
		return nil, errs.New(errs.Invalid, "shiphero.Open", settingBase, "ShipHero's address is not an address.")
	}
	s := &shipper{env: env, base: base, shop: set(settingShop, "Spillway"), warehouse: set(settingWarehouse, ""), refresh: set(settingRefresh, "")}
	if s.refresh == "" {
		return nil, errs.New(errs.Invalid, "shiphero.Open", account.ID, "ShipHero needs a refresh token.")
	}
	return s, nil
}

// shipper is one account. The access token is kept for as long as the session lives; it is had again at any time.
type shipper struct {
	env                      driver.Env
	base                     *url.URL
	shop, warehouse, refresh string

	mu     sync.Mutex
	access string
}

// Roles of the provider.
var (
	_ driver.Shipper     = (*shipper)(nil)
	_ driver.Follower    = (*shipper)(nil)
	_ driver.Looker      = (*shipper)(nil)
	_ driver.StockKeeper = (*shipper)(nil)
)

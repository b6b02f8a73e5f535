package tiktok

import (
	"net/url"
	"strings"
	"time"

	"github.com/spillway/spillway/connector/driver"
	"github.com/spillway/spillway/connector/tiktok/policy"
	"github.com/spillway/spillway/kit/errs"
)

// Vendor implements driver.Vendor.
type Vendor struct{}

var _ driver.Vendor = Vendor{}

// Names of settings, as a user sets them.
const (
	SettingServiceID  = "service_id"
	SettingConsentURL = "consent_url"
	SettingAPIHost    = "api_url"
	SettingTokenHost  = "token_url"

	shopCipher = "cipher" // of Shop.Settings: names the shop in requests
	shopCode   = "code"
	shopSeller = "seller_type"

	crossBorder = "CROSS_BORDER" // a value of it
)

// Bounds of the platform (facts, sections 6, 7, 8 and 11).
const (
	maxOrderIDs   = 50
	maxOrderPage  = 100
	maxSKUIDs     = 600 // of an inventory search
	maxSKUs       = 100 // of an inventory update
	maxQuantity   = 99_999
	maxListings   = 100
	maxWebhookURL = 255
	// The documented rate is 50 requests a second for each endpoint, app and shop, in windows of a shape nobody tells. 44
	// with bursts of 4 sends at most 48 in any second; two are left for what the network bunches up.
	perSecond = 44
	burst     = 4
)

// paced names the operation in whose lane calls of an endpoint wait that several operations make: the rate is the endpoint's. A parcel
// quoted and booked is three reads of orders in five calls, beside the reads of orders that webhooks name.
var paced = map[endpoint]driver.Operation{
	getOrders: driver.OpOrder, shipPackage: driver.OpBook, getPackage: driver.OpFind, splitAttributes: driver.OpGroup, splitOrder: driver.OpGroup,
}

// requestLifetime: the gateway refuses a request whose timestamp is older than 5 minutes (facts, section 3), so one that
// was held up on its way cannot take effect after that.
const requestLifetime = 5 * time.Minute

// Describe implements driver.Vendor.
func (Vendor) Describe() driver.Description {
	return driver.Description{
		Vendor: "tiktok", Title: "TikTok Shop", Docs: "docs/connectors/tiktok.md", Owner: "connector maintainers",
		Write: driver.Absolute,
		AppSettings: []driver.Setting{
			{Name: SettingServiceID, Help: "The app's service id, from its page in Partner Center.", Required: true},
			{Name: SettingConsentURL, Default: "https://services.tiktokshop.com/open/authorize",
				Help: "Where sellers agree. Apps for US shops: https://services.us.tiktokshop.com/open/authorize."},
			{Name: SettingAPIHost, Default: "https://open-api.tiktokglobalshop.com", Help: "Address of the API, the same for every region."},
			{Name: SettingTokenHost, Default: "https://auth.tiktok-shops.com", Help: "Address that issues tokens."},
		},
		ShopSettings: []driver.Setting{
			{Name: shopCipher, Help: "Names the shop in requests; filled in when the seller agrees.", Required: true, Secret: true},
		},
		Capabilities: capabilities(),
		Limits: driver.Limits{
			Default: perSecond, Burst: burst, OrderIDs: maxOrderIDs, OrderPage: maxOrderPage,
			ReadQuantities: maxSKUIDs, SetQuantities: maxSKUs, MaxQuantity: maxQuantity,
		},
		RequestLifetime: requestLifetime,
		Packages:        true,
		Undivided:       undivided,
		CancelRestocks:  true, // not documented; it is the reading that cannot oversell, and a read-back corrects it
		Timestamps:      time.Second,
		Policies:        policy.All(),
	}
}

func capabilities() []driver.Capability {
	const api, hooks = "docs/connectors/tiktok.md#what-it-does", "docs/connectors/tiktok.md#webhooks"
	return []driver.Capability{
		{Name: "order webhooks", Support: driver.Yes, Link: hooks, Why: "status, address, package, cancellation and return events; they name the order, its content is read"},
		{Name: "order poll", Support: driver.Yes, Link: api, Why: "by update time, oldest first, with whole orders in the answer"},
		{Name: "order backfill", Support: driver.Yes, Link: api, Why: "by the same search, 100 orders a page; the platform has no bulk export"},
		{Name: "stock read", Support: driver.Yes, Link: api, Why: "available and committed, by warehouse"},
		{Name: "stock write", Support: driver.Yes, Link: api, Why: "absolute quantities, up to 100 SKUs of one product in a call"},
		{Name: "several locations", Support: driver.Yes, Link: api, Why: "every warehouse of a SKU is named in every push"},
		{Name: "webhook registration", Support: driver.Yes, Link: hooks, Why: "per shop; stock and fulfilment-by-TikTok events only in the developer console"},
		{Name: "token refresh", Support: driver.Yes, Link: api, Why: "access tokens live 7 days, refresh tokens as long as the seller agreed to"},
		{Name: "cancellation events", Support: driver.Yes, Link: hooks, Why: "requests and their outcome, with who asked"},
		{Name: "return events", Support: driver.Yes, Link: hooks, Why: "status, type and who asked"},
		{Name: "platform fulfilment stock", Support: driver.Yes, Link: hooks, Why: "from its webhook, by warehouse"},
		{Name: "tracking write", Support: driver.Yes, Link: "docs/connectors/tiktok.md#shipping", Why: "carrier and number for orders the seller ships, corrected once within 72 hours; the platform knows the number of its own labels"},
	}
}

// Open implements driver.Vendor.
func (v Vendor) Open(conn driver.Connection, env driver.Env) (driver.Channel, error) {
	const op = "tiktok.Open"
	if conn.App.Key == "" || conn.App.Secret == "" {
		return nil, errs.New(errs.Invalid, op, conn.ID, "The app's key and secret are not set.")
	}
	if conn.Shop.Settings[shopCipher] == "" {
		return nil, errs.New(errs.Invalid, op, conn.ID, "The shop has no cipher; connect it again.")
	}
	api, err := v.address(conn.App, SettingAPIHost)
	if err != nil {
		return nil, err
	}
	return &channel{conn: conn, env: env, api: caller{app: conn.App, base: api, now: env.Now}, cipher: conn.Shop.Settings[shopCipher], listed: newListed(), known: newProviders()}, nil
}

// address reads a setting that holds an address, or its default.
func (v Vendor) address(app driver.App, name string) (*url.URL, error) {
	text := app.Settings[name]
	if text == "" {
		for _, s := range v.Describe().AppSettings {
			if s.Name == name {
				text = s.Default
			}
		}
	}
	u, err := url.Parse(strings.TrimSuffix(text, "/"))
	if err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http") {
		return nil, errs.New(errs.Invalid, "tiktok.Open", name, "The setting is not a web address.")
	}
	return u, nil
}

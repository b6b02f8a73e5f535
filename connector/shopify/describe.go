package shopify

import (
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/spillway/spillway/connector/driver"
)

// Vendor is Shopify.
type Vendor struct{}

var _ driver.Vendor = Vendor{}

// Names of the settings.
const (
	SettingVersion = "api_version"
	// SettingShopVersion is SettingVersion for one shop.
	SettingShopVersion = "shop_api_version"
	SettingShop        = "shop"
	SettingScopes      = "scopes"
	SettingGrant       = "grant"
	SettingExpiring    = "expiring_tokens"
	SettingBase        = "base_url"
	// SettingNotify says whether Shopify writes to the buyer when a parcel is told of.
	SettingNotify = "notify_customer"
)

const (
	defaultBase   = "https://{shop}"
	defaultScopes = "read_products,read_inventory,write_inventory,read_locations,read_orders," +
		"read_merchant_managed_fulfillment_orders,write_merchant_managed_fulfillment_orders"

	// grantCredentials is the value of SettingGrant for apps of the operator's own organisation.
	grantCredentials = "client_credentials"

	// defaultRate is what the largest plan sustains: 2,000 points a second, a mutation costs 10. What a smaller plan allows is
	// decided by its point budget, which every answer tells: a slower rate here would let urgent pushes of a shop that
	// has points wait in line.
	defaultRate = 200
	burst       = 20
	// ordersRate is the same for pages of orders, a hundred points each and more.
	ordersRate = 20
)

// shopForm is Shopify's own rule for the permanent name of a shop.
var shopForm = regexp.MustCompile(`^[a-z0-9][a-z0-9-]*\.myshopify\.com$`)

// Describe implements driver.Vendor.
func (Vendor) Describe() driver.Description {
	return driver.Description{
		Vendor: "shopify", Title: "Shopify", Docs: "docs/connectors/shopify.md", Owner: "connector maintainers", Write: driver.CompareAndSet,
		AppSettings: []driver.Setting{
			{Name: SettingVersion, Default: DefaultVersion, Help: "Version of the Admin API: " + strings.Join(Versions, ", ") + " or a later one."},
			{Name: SettingShop, Help: "The shop to connect, such as my-shop.myshopify.com. Needed to build the consent address."},
			{Name: SettingScopes, Default: defaultScopes, Help: "Access scopes to ask for, comma separated. read_all_orders opens orders older than 60 days."},
			{Name: SettingGrant, Default: "code", Help: "How to log in: code (the merchant consents) or client_credentials (an app of your own organisation)."},
			{Name: SettingExpiring, Default: "yes", Help: "Ask for access tokens that end after an hour and are renewed: yes or no. Public apps must say yes."},
			{Name: SettingBase, Default: defaultBase, Help: "Where the shop answers; {shop} is replaced. Only simulators need another value."},
		},
		ShopSettings: []driver.Setting{
			{Name: SettingShopVersion, Help: "Version of the Admin API for this shop, if it differs from the app's."},
			{Name: SettingNotify, Default: "yes", Help: "Shopify writes to the buyer when a parcel is told of or its number changes: yes or no."},
		},
		Capabilities: capabilities(),
		Limits: driver.Limits{
			PerSecond: map[driver.Operation]float64{driver.OpOrders: ordersRate, driver.OpListings: 2, driver.OpLocations: 2, driver.OpBulk: 0.5},
			Default:   defaultRate, Burst: burst, OrderIDs: pageOrders, OrderPage: pageOrders, KnownPage: pageHeads, ReadQuantities: 100,
			SetQuantities: maxEntries, MaxQuantity: maxQuantity,
		},
		// Shopify's gateway gives up on a request after about half a minute; twice that is the bound.
		RequestLifetime: time.Minute,
		// The admin's cancel dialogue restocks unless the box is cleared. Taking it as given is the safe side: the number
		// may be higher than we know, never lower.
		CancelRestocks: true,
		Timestamps:     time.Second,
	}
}

func capabilities() []driver.Capability {
	const base = "https://shopify.dev/docs/"
	return []driver.Capability{
		{Name: "order webhooks", Support: driver.Yes, Why: "orders/* carry the whole order; order and delivery are not guaranteed, so the order's time of change decides", Link: base + "api/webhooks"},
		{Name: "order poll", Support: driver.Yes, Why: "orders by time of change; only the last 60 days without the scope read_all_orders", Link: base + "api/admin-graphql/latest/queries/orders"},
		{Name: "order backfill", Support: driver.Yes, Why: "a bulk operation writes one file", Link: base + "api/usage/bulk-operations/queries"},
		{Name: "stock read", Support: driver.Yes, Why: "available and committed per location", Link: base + "api/admin-graphql/latest/objects/InventoryLevel"},
		{Name: "stock write", Support: driver.Yes, Why: "compare-and-set or delta with an idempotency key, 250 entries a request, all or nothing; those not at fault go again at once", Link: base + "api/admin-graphql/latest/mutations/inventorySetQuantities"},
		{Name: "several locations", Support: driver.Yes, Why: "one number per item and location", Link: base + "api/admin-graphql/latest/objects/Location"},
		{Name: "webhook registration", Support: driver.Yes, Why: "through the API, except the compliance topics, which stand in the app's configuration", Link: base + "apps/build/webhooks"},
		{Name: "token refresh", Support: driver.Yes, Why: "expiring tokens have a refresh token; an app of the own organisation asks again with its credentials", Link: base + "apps/build/authentication-authorization/access-tokens"},
		{Name: "cancellation events", Support: driver.Yes, Why: "orders/cancelled; removed units show as current_quantity", Link: base + "api/webhooks"},
		{Name: "return events", Support: driver.Yes, Why: "refunds/create; the return's own steps are not read", Link: base + "api/webhooks"},
		{Name: "platform fulfilment stock", Support: driver.No, Why: "Shopify has no stock of its own; a fulfilment service is a location like others", Link: base + "apps/build/orders-fulfillment/fulfillment-service-apps"},
		{Name: "tracking write", Support: driver.Yes, Why: "by line and quantity, to each place the units are sent from; a number can be changed any time", Link: base + "api/admin-graphql/latest/mutations/fulfillmentCreate"},
	}
}

// setting reads an app's setting or its default.
func setting(app driver.App, name string) string {
	if v := strings.TrimSpace(app.Settings[name]); v != "" {
		return v
	}
	all := Vendor{}.Describe().AppSettings
	return all[slices.IndexFunc(all, func(s driver.Setting) bool { return s.Name == name })].Default
}

// address is the URL of a path on a shop.
func address(app driver.App, shop, path string) string {
	return strings.TrimSuffix(strings.ReplaceAll(setting(app, SettingBase), "{shop}", shop), "/") + path
}

package dummy

import (
	"net/url"
	"time"

	"github.com/spillway/spillway/connector/driver"
	"github.com/spillway/spillway/kit/errs"
)

// Vendor implements driver.Vendor. It has no fields: a vendor holds no state, so that one value serves every shop.
type Vendor struct{}

// Describe says what the vendor is and can do. Be honest here: pages, docs, start-up checks and the skips of the contract
// suite are all made from it, and a capability you claim is a test you must pass.
func (Vendor) Describe() driver.Description {
	return driver.Description{
		Vendor: "dummy", Title: "Dummy shop", Docs: "docs/connectors/dummy.md", Owner: "connector maintainers",
		Write: driver.Absolute, // it sets totals: last write wins
		AppSettings: []driver.Setting{
			{Name: settingBase, Help: "Address of the platform, such as http://127.0.0.1:9100.", Required: true},
		},
		Capabilities: []driver.Capability{
			{Name: "order webhooks", Support: driver.Yes, Why: "one topic, with the whole order"},
			{Name: "order poll", Support: driver.Yes, Why: "orders by change time"},
			{Name: "order backfill", Support: driver.Yes, Why: "by the same paging; there is no bulk export"},
			{Name: "stock read", Support: driver.Yes, Why: "per warehouse, with the committed number"},
			{Name: "stock write", Support: driver.Yes, Why: "absolute totals per warehouse"},
			{Name: "several locations", Support: driver.Yes, Why: "a SKU may be in two warehouses"},
			{Name: "webhook registration", Support: driver.Yes, Why: "one address per shop"},
			{Name: "token refresh", Support: driver.Yes, Why: "access tokens end after a day"},
			{Name: "cancellation events", Support: driver.Yes, Why: "the order webhook tells"},
			{Name: "return events", Support: driver.No, Why: "there are no returns"},
			{Name: "platform fulfilment stock", Support: driver.No, Why: "sellers ship themselves"},
			{Name: "tracking write", Support: driver.Yes, Why: "by parcel and quantity; a number can be corrected once"},
		},
		Limits: driver.Limits{
			Default: 50, Burst: 10, OrderIDs: 20, OrderPage: 50, ReadQuantities: 50, SetQuantities: 20, MaxQuantity: 100_000,
		},
		RequestLifetime: 30 * time.Second,
		CancelRestocks:  true,
		Timestamps:      time.Nanosecond,
		Policies:        policies(),
	}
}

// settingBase names the setting with the platform's address.
const settingBase = "base_url"

// Open makes a channel. Check here what can be checked without I/O, so that a wrong set-up shows at start.
func (Vendor) Open(conn driver.Connection, env driver.Env) (driver.Channel, error) {
	base, err := base(conn.App)
	if err != nil {
		return nil, err
	}
	if conn.Shop.ExternalID == "" {
		return nil, errs.New(errs.Invalid, "dummy.Open", conn.ID, "The connection names no shop.")
	}
	return &channel{conn: conn, env: env, base: base.JoinPath("shops", conn.Shop.ExternalID)}, nil
}

func base(app driver.App) (*url.URL, error) {
	u, err := url.Parse(app.Settings[settingBase])
	if err != nil || u.Host == "" {
		return nil, errs.New(errs.Invalid, "dummy.Open", settingBase, "The platform's address is not an address.")
	}
	return u, nil
}

package shopify

import (
	"log/slog"
	"strings"
	"time"

	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/sim/world"
)

// Plan is the store's subscription. It decides the restore rate of the query budget.
type Plan string

// The plans and their points per second.
const (
	Standard   Plan = "standard"   // 100
	Advanced   Plan = "advanced"   // 200
	Plus       Plan = "plus"       // 1000
	Enterprise Plan = "enterprise" // 2000
)

var restoreRates = map[Plan]int{Standard: 100, Advanced: 200, Plus: 1000, Enterprise: 2000}

// bucketSeconds is the size of the budget in seconds of its restore rate (2000 points at 100 a second).
const bucketSeconds = 20

// DefaultScopes is what an app needs to keep stock and orders in step.
const DefaultScopes = "read_products,read_inventory,write_inventory,read_locations,read_orders,write_orders," +
	"read_merchant_managed_fulfillment_orders,write_merchant_managed_fulfillment_orders,read_fulfillments,write_fulfillments"

// Options says which store is simulated. The zero value of every field has a working default.
type Options struct {
	Clock world.Clock   // default the machine's clock
	Seed  uint64        // decides identifiers, addresses and random faults
	Log   *slog.Logger  // default silent
	Fault *world.Faults // default an empty list made from Seed

	ShopDomain   string // default "sandbox.myshopify.com"
	ShopName     string // default "Sandbox"
	Currency     string // ISO 4217, default "USD"
	Plan         Plan   // default Standard
	APIVersion   string // the newest version the store serves, default "2026-10"; later ones do not exist for it
	AccessToken  string // a token that works from the start, default "shpat_sandbox"
	ClientID     string // of the installed app, default "sandbox-client"
	ClientSecret string // signs webhooks and OAuth, default "sandbox-secret"
	Scopes       string // comma separated, default DefaultScopes

	BulkDelay time.Duration // how long a bulk operation runs, default 2 s
	// Unthrottled switches the query budget off, for tests and demos that are not about it.
	Unthrottled bool
}

func (o *Options) fill() error {
	if o.Clock == nil {
		o.Clock = world.Wall()
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Fault == nil {
		o.Fault = world.NewFaults(o.Seed)
	}
	for _, d := range []struct {
		field *string
		value string
	}{
		{&o.ShopDomain, "sandbox.myshopify.com"}, {&o.ShopName, "Sandbox"}, {&o.Currency, "USD"}, {(*string)(&o.Plan), string(Standard)},
		{&o.APIVersion, "2026-10"}, {&o.AccessToken, "shpat_sandbox"}, {&o.ClientID, "sandbox-client"},
		{&o.ClientSecret, "sandbox-secret"}, {&o.Scopes, DefaultScopes},
	} {
		if *d.field == "" {
			*d.field = d.value
		}
	}
	if o.BulkDelay <= 0 {
		o.BulkDelay = 2 * time.Second
	}
	if restoreRates[o.Plan] == 0 {
		return errs.New(errs.Invalid, "shopify.New", string(o.Plan), "is not a plan; the plans are standard, advanced, plus and enterprise")
	}
	if versions[o.APIVersion] == nil {
		return errs.New(errs.Invalid, "shopify.New", o.APIVersion, "is not a version that is simulated: %s", strings.Join(versionNames, ", "))
	}
	return nil
}

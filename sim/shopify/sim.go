package shopify

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/sim/shopify/internal/graphql"
	"github.com/spillway/spillway/sim/world"
)

// Sim is one simulated store.
type Sim struct {
	opts    Options
	courier *world.Courier
	bucket  *bucket
	mux     *http.ServeMux
	fields  graphql.Resolvers
	calls   atomic.Uint64 // for request ids

	requests  atomic.Int64 // executed
	suspended atomic.Int32 // HTTP status that the Admin API answers with, 0 in good standing

	mu         sync.RWMutex
	rnd        *rand.Rand
	next       map[string]int64
	createdAt  time.Time
	locations  []*location
	products   []*product
	variants   []*variant
	items      []*item
	bySKU      map[string][]*item
	itemByID   map[int64]*item
	varByID    map[int64]*variant
	levelByID  map[int64]*level
	orders     []*order // by id, which is the order they were placed in
	orderByID  map[int64]*order
	foByID     map[int64]*fulfillmentOrder
	ffByID     map[int64]*fulfillment
	updated    updateIndex
	groups     []*adjustment // the newest, for node(id:)
	subs       []*subscription
	bulks      []*bulkOperation
	idempotent map[string]*attempt
	keys       []string // of idempotent, oldest first
	tokens     map[string]*grant
	codes      map[string]time.Time // authorization codes that wait to be exchanged
	counts     Counts
}

// Bounds on what a store keeps.
const (
	maxGroups    = 10_000 // adjustments that node(id:) still finds
	maxLocations = 1_000
	maxVariants  = 200_000
	maxLines     = 500 // of one order, the vendor's limit
)

// New opens a store. It has no products, and one location called "Main warehouse". Close ends its webhook workers.
func New(opts Options) (*Sim, error) {
	if err := opts.fill(); err != nil {
		return nil, err
	}
	s := &Sim{
		opts: opts, rnd: world.Stream(opts.Seed, "shopify"), next: map[string]int64{}, bySKU: map[string][]*item{},
		itemByID: map[int64]*item{}, varByID: map[int64]*variant{}, levelByID: map[int64]*level{}, orderByID: map[int64]*order{},
		foByID: map[int64]*fulfillmentOrder{}, ffByID: map[int64]*fulfillment{}, idempotent: map[string]*attempt{},
		tokens: map[string]*grant{}, codes: map[string]time.Time{},
	}
	s.createdAt = s.now()
	s.bucket = newBucket(restoreRates[opts.Plan], opts.Clock.Now())
	s.tokens[opts.AccessToken] = &grant{scopes: scopeSet(opts.Scopes)}
	s.courier = s.newCourier()
	s.fields = s.resolvers()
	s.mux = s.routes()
	_, err := s.AddLocation("Main warehouse")
	return s, err
}

// Handler serves the store: the Admin API, OAuth, bulk results and the control API. Every answer is dated by the store's clock,
// by which clients judge their own.
func (s *Sim) Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Date", s.opts.Clock.Now().UTC().Format(http.TimeFormat))
		s.mux.ServeHTTP(w, r)
	})
}

// Describe prints, for people, how to reach the store at baseURL: credentials, a token that works, what is on sale and where.
func (s *Sim) Describe(baseURL string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "Shopify sandbox at %s\n", baseURL)
	fmt.Fprintf(&b, "  shop           %s\n  client id      %s\n  client secret  %s\n  access token   %s\n",
		s.opts.ShopDomain, s.opts.ClientID, s.opts.ClientSecret, s.opts.AccessToken)
	fmt.Fprintf(&b, "  GraphQL        %s/admin/api/%s/graphql.json\n  install        %s/admin/oauth/authorize?client_id=%s&redirect_uri=…&state=…\n",
		baseURL, s.opts.APIVersion, baseURL, s.opts.ClientID)
	fmt.Fprintf(&b, "  control        %s/_sandbox/api/state\n", baseURL)
	for _, l := range s.state().Locations {
		fmt.Fprintf(&b, "  location       %s  %s\n", gid("Location", int64(l.ID)), l.Name)
	}
	for _, it := range s.itemList("") {
		fmt.Fprintf(&b, "  SKU %-10s %s  %s\n", it.SKU, gid("InventoryItem", it.ItemID), it.Product)
	}
	return b.String()
}

// Close stops the webhook workers. Webhooks that wait are lost.
func (s *Sim) Close() { s.courier.Stop() }

// Faults is the list of arranged faults. API faults strike at "POST /admin/api/<version>/graphql.json <kind> <fields>",
// such as "*mutation inventorySetQuantities"; webhook faults at "webhook:" and the topic, such as "webhook:orders/create".
// LateEffect and Partial change nothing here: the vendor's stock writes take effect at once, and wholly or not at all.
func (s *Sim) Faults() *world.Faults { return s.opts.Fault }

// Courier is the delivery log and the counters of webhooks.
func (s *Sim) Courier() *world.Courier { return s.courier }

// Suspend makes the Admin API refuse every call, as it does for a store that is frozen over its bill (402) or locked (423).
// A status of 0 opens the store again.
func (s *Sim) Suspend(status int) error {
	if status != 0 && status != http.StatusPaymentRequired && status != http.StatusLocked {
		return errs.New(errs.Invalid, "shopify.Suspend", "status", "The status must be 402, 423, or 0 to open the store again.")
	}
	s.suspended.Store(int32(status))
	return nil
}

// now is the time in whole seconds, the precision the vendor keeps.
func (s *Sim) now() time.Time { return s.opts.Clock.Now().UTC().Truncate(time.Second) }

// idBases keep the numbers of different kinds apart, so that mixing them up is noticed.
var idBases = map[string]int64{
	"Location": 60_000_000_000, "Product": 7_100_000_000_000, "ProductVariant": 41_000_000_000_000, "InventoryItem": 43_000_000_000_000,
	"InventoryLevel": 98_000_000_000, "Order": 5_300_000_000_000, "LineItem": 13_600_000_000_000, "FulfillmentOrder": 6_200_000_000_000,
	"FulfillmentOrderLineItem": 13_900_000_000_000, "Fulfillment": 4_700_000_000_000, "FulfillmentLineItem": 10_300_000_000_000,
	"InventoryAdjustmentGroup": 110_000_000, "WebhookSubscription": 1_200_000_000_000, "BulkOperation": 3_100_000_000_000,
	"Shop": 57_000_000_000, "MailingAddress": 15_800_000_000_000,
}

// newID gives the next number of a kind. The caller holds the lock.
func (s *Sim) newID(kind string) int64 {
	s.next[kind]++
	return idBases[kind] + int64(s.opts.Seed%1000)*1_000_000 + s.next[kind]
}

// LocationID is the number of a location.
type LocationID int64

// AddLocation opens a location that fulfils online orders. Orders take their units from locations in the order these were added.
func (s *Sim) AddLocation(name string) (LocationID, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.locations) >= maxLocations {
		return 0, errs.New(errs.Busy, "shopify.AddLocation", name, "A store has at most %d locations.", maxLocations)
	}
	if name == "" {
		return 0, errs.New(errs.Invalid, "shopify.AddLocation", "name", "A location needs a name.")
	}
	at := s.now()
	l := &location{id: s.newID("Location"), name: name, city: "Springfield", country: "US", active: true, online: true, createdAt: at, updatedAt: at}
	s.locations = append(s.locations, l)
	return LocationID(l.id), nil
}

func (s *Sim) location(id int64) *location {
	for _, l := range s.locations {
		if l.id == id {
			return l
		}
	}
	return nil
}

package driver

import (
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/spillway/spillway/domain/order"
)

// Vendor is one outside system, such as a marketplace. It holds no state; everything it needs is handed in.
type Vendor interface {
	// Describe tells name, settings, capabilities and limits. It is constant.
	Describe() Description

	// ConsentURL is where the seller agrees to connect. state comes back unchanged with the answer.
	ConsentURL(app App, redirect, state string) (string, error)
	// Exchange turns the parameters of the consent answer into a grant with the shops it covers.
	Exchange(ctx context.Context, app App, client *http.Client, answer url.Values) (Grant, error)
	// Refresh trades the refresh token for a new grant. Both tokens of the answer must be stored before the old ones are forgotten.
	Refresh(ctx context.Context, app App, client *http.Client, old Grant) (Grant, error)

	// Verify checks a webhook's signature over its raw bytes and reads only what the inbox needs. It does no I/O. A bad
	// signature is an Error of class Forged; unreadable content of class GiveUp.
	Verify(app App, header http.Header, body []byte) (Envelope, error)
	// Decode turns a verified, stored webhook body into facts. It must accept unknown topics with no facts and no error.
	// The ConnectionID of an order's fact, and ReadAt of a snapshot, are the caller's to fill in.
	Decode(topic string, body []byte) ([]Fact, error)

	// Open makes a channel for one connected shop. It does no I/O.
	Open(conn Connection, env Env) (Channel, error)
}

// Channel is one connected shop. Calls are made one after the other or at once; every call takes one paced slot of its Operation.
type Channel interface {
	// Orders reads one page of full orders changed at or after q.UpdatedFrom, oldest change first. With q.Known it may leave
	// out orders that surely have nothing new for stock.
	Orders(ctx context.Context, q OrderQuery) (OrderPage, error)
	// OrdersByID reads full orders by the vendor's order ids, at most Limits.OrderIDs at once. Unknown ids are left out.
	OrdersByID(ctx context.Context, ids []string) ([]order.Fact, error)
	// Locations reads the shop's warehouses.
	Locations(ctx context.Context) ([]Location, error)
	// Listings reads one page of sellable SKUs with their present quantities.
	Listings(ctx context.Context, cursor string) (ListingPage, error)
	// Quantities reads back what the channel shows now, at most Limits.ReadQuantities listings at once.
	Quantities(ctx context.Context, refs []ListingRef) ([]Quantity, error)
	// SetQuantities applies pushes, at most Limits.SetQuantities at once and all of one Group. It answers one Result per push, in order.
	// A returned error speaks for the pushes without a result.
	SetQuantities(ctx context.Context, pushes []Push) ([]Result, error)
	// Group names the batch a listing's pushes may share one call with (a product on one vendor, the shop on another).
	Group(ref ListingRef) string
	// SubscribeWebhooks points every topic the driver decodes at address and tells what is subscribed afterwards.
	SubscribeWebhooks(ctx context.Context, address string) ([]Subscription, error)
}

// Backfiller is implemented by channels that can export a long history cheaper than page by page.
type Backfiller interface {
	// Backfill streams all orders changed at or after from to emit, in any order.
	Backfill(ctx context.Context, from time.Time, emit func(order.Fact) error) error
}

// CaseReader is implemented by channels that tell until when a buyer's request to cancel, to return or to be refunded wants an answer.
type CaseReader interface {
	// Cases reads one page of the requests changed at or after from (zero: all), as facts of their orders, whose snapshots they are not.
	Cases(ctx context.Context, from time.Time, cursor string) (CasePage, error)
}

// CasePage is one page of requests; Next is empty on the last one. It may be without facts and not the last.
type CasePage struct {
	Facts []order.Fact
	Next  string
}

// App is the operator's registration with a vendor: keys and addresses.
type App struct {
	ID        string
	Key       string            // public id of the app (app_key, client id)
	Secret    string            // signs requests and webhooks
	OldSecret string            // still accepted for webhooks while a rotation settles; may be empty
	Settings  map[string]string // Description.AppSettings: service id, hosts, API version…
}

// Grant is a seller's consent: tokens with absolute expiry times and the shops they cover.
type Grant struct {
	AccessToken     string
	RefreshToken    string
	AccessExpiresAt time.Time // zero: does not expire
	RefreshExpires  time.Time // zero: does not expire
	Subject         string    // seller's account id with the vendor
	SellerName      string
	Scopes          []string
	Shops           []Shop // filled by Exchange; Refresh may leave it empty
}

// Shop is one shop that a grant covers.
type Shop struct {
	ExternalID string
	Name       string
	Region     string            // market, ISO 3166 two letters
	Settings   map[string]string // what Open needs for it, such as a cipher, and ShopKind
}

// ShopKind names, in Shop.Settings, what sort of shop it is, in the words of the market's rules, such as "cross-border shops"; missing: no rule
// speaks of its sort.
const ShopKind = "kind"

// Connection is one shop as we store it.
type Connection struct {
	ID       string
	Shop     Shop
	App      App
	Settings map[string]string
}

// Env is what a channel works with.
type Env struct {
	Client *http.Client                                  // timeouts, size limits and address rules are set
	Files  *http.Client                                  // the same for long files: bounded by silence, not by total time
	Token  func(ctx context.Context) (string, error)     // a current access token
	Now    func() time.Time                              // for request timestamps
	Pace   func(ctx context.Context, op Operation) error // wait for a slot; call before each HTTP request
	Log    *slog.Logger
	// Pseudonym hashes a personal id with the operator's own key, for order.Detail.BuyerHash; nil: leave such ids out.
	Pseudonym func(id string) string
	Seen      func(Exchange) // told of every request and answer, for the connection's log; never bodies or secrets
}

// Exchange is one request as the connection's log shows it.
type Exchange struct {
	At        time.Time
	Op        Operation
	Status    int
	Code      string
	RequestID string
	Took      time.Duration
	Err       string
}

// Operation names a kind of call that has a rate limit of its own.
type Operation string

// Operations common to channels.
const (
	OpOrders     Operation = "orders"
	OpOrder      Operation = "order"
	OpLocations  Operation = "locations"
	OpListings   Operation = "listings"
	OpQuantities Operation = "quantities"
	OpSet        Operation = "set-quantities"
	OpWebhooks   Operation = "webhooks"
	OpBulk       Operation = "bulk"
	OpCases      Operation = "cases"
)

// WriteKind is how a channel takes a new quantity. It decides how much can be sold unseen while one is on its way.
type WriteKind string

const (
	Absolute      WriteKind = "absolute"        // last write wins
	CompareAndSet WriteKind = "compare-and-set" // applied only if the present number is the one named
	DeltaWrite    WriteKind = "delta"           // adds or subtracts
)

// Description is what a vendor is and can do; docs, pages, start-up checks and test skips are made from it.
type Description struct {
	Vendor       string // short name used in paths and ids: "dummy"
	Title        string // for people
	Docs         string // page under docs/connectors
	Owner        string // who fixes it
	Write        WriteKind
	AppSettings  []Setting
	ShopSettings []Setting
	Capabilities []Capability
	Limits       Limits
	// RequestLifetime bounds how long after it was sent a request whose answer was lost may still be applied.
	RequestLifetime time.Duration
	// Packages says that it makes the packages of orders itself, so that its channels are Packagers.
	Packages bool
	// Undivided are the markets in which a package of its holds all units of an item that an order wants, or none: orders are split by item there.
	Undivided []string
	// CancelRestocks says that a cancelled order's units return to the channel's own number without us.
	CancelRestocks bool
	// Timestamps is the resolution of the vendor's event times.
	Timestamps time.Duration
	// Policies are the rules by which the vendor judges shops, one rule set a market; none: it does not judge them.
	Policies []Policy
}

// Policy is the rule set of one market, see [policy.Decode].
type Policy struct {
	Market string // ISO 3166 two letters
	YAML   []byte
}

// Setting is one named configuration value of a vendor.
type Setting struct {
	Name     string
	Help     string
	Default  string
	Required bool
	Secret   bool
}

// Support says whether a vendor can do something.
type Support string

const (
	Yes    Support = "yes"
	No     Support = "no"
	NotYet Support = "not yet"
)

// Capability is one declared ability with the reason and where to read about it.
type Capability struct {
	Name    string
	Support Support
	Why     string
	Link    string
}

// Names every vendor must declare a Capability for.
var CapabilityNames = []string{
	"order webhooks", "order poll", "order backfill", "stock read", "stock write", "several locations", "webhook registration",
	"token refresh", "cancellation events", "return events", "platform fulfilment stock", "tracking write",
}

// Limits are the vendor's documented bounds.
type Limits struct {
	PerSecond      map[Operation]float64 // missing: Default
	Default        float64
	Burst          int
	OrderIDs       int // ids in one OrdersByID
	OrderPage      int
	KnownPage      int // orders in one page of a query with Known; zero: OrderPage
	ReadQuantities int
	SetQuantities  int
	MaxQuantity    int64
}

// MaxWebhook bounds a webhook's body in bytes; the inbox refuses longer ones before Verify. The longest real ones, a full
// order with hundreds of lines, stay below a quarter of it.
const MaxWebhook = 2 << 20

// Envelope is what the inbox needs of a webhook before anything is decoded.
type Envelope struct {
	DeliveryID string // the vendor's id of this message, the same on retries; the inbox drops repeats
	Topic      string
	ShopID     string // external shop id, or the seller account's when Account is set
	Account    bool
	SentAt     time.Time
}

// OrderQuery asks for a page of orders.
type OrderQuery struct {
	UpdatedFrom time.Time
	Cursor      string
	Limit       int // orders a page, those left out too
	// Known tells what the caller has taken in of an order already; nil: nothing. A driver whose full listing is dear may list
	// cheaply and leave out of the page the orders of which the cheap listing shows nothing that differs from what is known.
	// Left out may be only what surely has nothing new for stock: an equal time of change proves nothing where times have
	// whole seconds, so the cancellation, the units and the state of payment and dispatch must be alike too, and where they
	// could not show a change (a second parcel within the second), Seen.ReadAt must. In doubt the order is read. A driver may
	// ignore Known. It may be called from any goroutine while the call lasts.
	Known func(externalID string) (Seen, bool)
}

// OrderPage is one page; Next is empty on the last one. It may be without orders and not the last.
type OrderPage struct {
	Orders []order.Fact
	Next   string
	// ChangedTo is the newest change the page has come to, of orders left out too; zero: that of Orders. An order read in full
	// after the listing may be newer: what changed up to its time need not have been on a page.
	ChangedTo time.Time
	At        time.Time // the channel's clock when it answered; zero if it does not say
	// Unreadable are orders of the page that the driver could not make sense of; the caller parks them with the reason,
	// so that one of them never stops the rest.
	Unreadable []Unreadable
}

// Unreadable names an order that could not be read.
type Unreadable struct {
	ID  string // empty if not even that could be read
	Why string // no personal data
}

// Location is a warehouse of the shop.
type Location struct {
	ExternalID string
	Name       string
	Kind       string // "sales", "returns", "platform"
	Active     bool
	Default    bool
}

// ListingRef names a sellable SKU on the channel.
type ListingRef struct {
	ProductID string
	SKUID     string
	ItemRef   string   // inventory item id where the vendor has one
	Locations []string // every warehouse that must be named in a push
}

// Listing is a sellable SKU with its present number.
type Listing struct {
	Ref       ListingRef
	SellerSKU string
	Title     string
	Active    bool
	Quantity  int64 // sum over Locations
}

// ListingPage is one page of listings.
type ListingPage struct {
	Listings []Listing
	Next     string
}

// Quantity is what the channel shows for a listing now.
type Quantity struct {
	Ref        ListingRef
	Available  int64
	ByLocation map[string]int64
	Committed  int64     // sold and not yet shipped, where the channel tells; -1 where not
	At         time.Time // the channel's clock when it answered; zero if it does not say
}

// Push asks the channel for one new number.
type Push struct {
	ID       string // caller-made, stable under retry
	Ref      ListingRef
	Kind     WriteKind
	Quantity int64            // new total (Absolute, CompareAndSet) or difference (DeltaWrite)
	From     int64            // CompareAndSet: the total it must have now
	Split    map[string]int64 // per location; sums to Quantity. Empty: all to the first location, 0 to the others
	FromBy   map[string]int64 // CompareAndSet per location
}

// Outcome is what became of a push.
type Outcome string

const (
	Confirmed Outcome = "confirmed" // applied
	Refused   Outcome = "refused"   // surely not applied
	Stale     Outcome = "stale"     // compare-and-set found another number; not applied
	Unknown   Outcome = "unknown"   // it may or may not be applied, now or later
)

// Result answers one push.
type Result struct {
	PushID   string
	Outcome  Outcome
	After    int64 // the channel's number afterwards where it tells, else -1
	HasAfter bool
	At       time.Time // the channel's clock when it answered; zero if it does not say
	Err      *Error    // why, unless confirmed
}

// Subscription is one webhook topic and where it goes.
type Subscription struct {
	Topic   string
	Address string
}

// Fact is one thing a vendor told us; exactly one field is set.
type Fact struct {
	Order    *order.Fact
	Quantity *Quantity      // the channel's number changed or was reported
	Stock    *PlatformStock // stock held by the platform itself
	Listing  *ListingState
	Auth     *AuthNotice
	Note     *Note // worth a line in a timeline, changes nothing
}

// PlatformStock is stock in the platform's own warehouse.
type PlatformStock struct {
	SKUID      string
	LocationID string
	OnHand     int64
	Reserved   int64
	UpdatedAt  time.Time
}

// ListingState says that a listing went up or down.
type ListingState struct {
	ProductID string
	Status    string
	Reason    string
	UpdatedAt time.Time
}

// AuthNotice says that consent was withdrawn or will end.
type AuthNotice struct {
	Withdrawn bool
	ExpiresAt time.Time
	Message   string
}

// Note is something for the log of an order or an inbound shipment.
type Note struct {
	Subject string // external id
	Kind    string
	Text    string
	At      time.Time
}

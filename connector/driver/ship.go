package driver

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/spillway/spillway/kit/money"
)

// Carrier is an outside system that ships and sells nothing: a label broker, a carrier, a logistics provider. Like Vendor it holds no state.
type Carrier interface {
	// Describe tells name, settings and what it can do. It is constant.
	Describe() CarrierDescription
	// Verify checks a webhook's signature over its raw bytes, as Vendor.Verify does. One whose messages are not signed answers class GiveUp,
	// and Description.Unsigned says that only an address nobody can guess guards it.
	Verify(account CarrierAccount, header http.Header, body []byte) (Envelope, error)
	// Decode turns a verified, stored webhook body into news of parcels. Unknown topics are no news and no error.
	Decode(topic string, body []byte) ([]ParcelNews, error)
	// Open makes a shipper for one account. It does no I/O.
	Open(account CarrierAccount, env Env) (Shipper, error)
}

// CarrierDescription is what a carrier is and can do.
type CarrierDescription struct {
	Name     string // short, used in paths and ids: "easypost"
	Title    string // for people
	Docs     string // page under docs/connectors
	Owner    string // who fixes it
	Settings []Setting
	Can      []ShipAbility
	Limits   ShipLimits
	// RequestLifetime bounds how long after it was sent a request whose answer was lost may still be carried out.
	RequestLifetime time.Duration
	Unsigned        bool // its webhooks carry no signature
	Keeps           bool // it keeps the stock itself and picks: a logistics provider
}

// ShipAbility is something a shipper can do.
type ShipAbility string

const (
	CanQuote    ShipAbility = "quote"
	CanVoid     ShipAbility = "void"
	CanManifest ShipAbility = "manifest"
	CanZPL      ShipAbility = "zpl"
	CanPDF      ShipAbility = "pdf"
	CanSlots    ShipAbility = "hand-over slots"
	CanFollow   ShipAbility = "tracking events"
	CanStock    ShipAbility = "stock"
	CanCustoms  ShipAbility = "customs"
)

// ShipLimits are the documented bounds.
type ShipLimits struct {
	PerSecond map[Operation]float64
	Default   float64
	Burst     int
	Page      int
}

// Operations of shipping that have limits of their own.
const (
	OpQuote    Operation = "quote"
	OpBook     Operation = "book"
	OpFind     Operation = "find"
	OpDocument Operation = "document"
	OpVoid     Operation = "void"
	OpManifest Operation = "manifest"
	OpParcels  Operation = "parcels"
	OpLook     Operation = "look"
	OpTell     Operation = "tell-tracking"
	OpGroup    Operation = "group"
	OpBundle   Operation = "bundle"
)

// CarrierAccount is one account with a carrier as we store it.
type CarrierAccount struct {
	ID       string
	Settings map[string]string // Description.Settings, secrets opened
}

// Shipper gets parcels out of the door. Three families stand behind it: a channel that labels its own orders, a broker or carrier that sells
// labels, and a logistics provider that picks and packs too. Calls may be made at once; each takes one paced slot of its Operation.
type Shipper interface {
	// Quote tells what a parcel could go with, cheapest first. A shipper that leaves no choice answers the one there is.
	Quote(ctx context.Context, p Parcel) ([]Quote, error)
	// Book has the parcel shipped: it buys the label, or hands the order to the provider. A Booking's ID is the caller's and stays the same under
	// retry; where the shipper cannot refuse a second booking of it, the driver reads before it books. An error that MayBeApplied is settled
	// with Find, never by booking again.
	Book(ctx context.Context, b Booking) (Booked, error)
	// Find reads what was booked under a Booking's ID. Without any it reports false, which is sure after RequestLifetime only.
	Find(ctx context.Context, b Booking) (Booked, bool, error)
	// Document fetches a document of what was booked, in the format asked for if the shipper has it.
	Document(ctx context.Context, b Booked, kind DocumentKind, format string) (Document, error)
	// Void takes a booking back. Asked again it answers the same.
	Void(ctx context.Context, b Booked) (Voided, error)
}

// Manifester is implemented by shippers that close a day's parcels with one document for the driver of the van.
type Manifester interface {
	// Manifest closes parcels of one carrier, sender and day and returns the shipper's id of it. A parcel goes on one manifest only. It cannot be
	// repeated nor read back by what is on it: an answer that was lost is settled by a person.
	Manifest(ctx context.Context, booked []Booked) (string, error)
	// ManifestDocument fetches the document of one. Class Retry: it is still being made. Class GiveUp: it came to nothing after all.
	ManifestDocument(ctx context.Context, id string) (Document, error)
}

// MaxManifest bounds the parcels of one manifest, as the postal service does.
const MaxManifest = 1000

// Follower is implemented by shippers that tell what becomes of parcels when asked.
type Follower interface {
	// Parcels reads one page of news since a moment; the webhooks bring the same earlier.
	Parcels(ctx context.Context, since time.Time, cursor string) (ParcelPage, error)
}

// Looker is implemented by shippers that tell of one parcel when asked for it, which is less than a page of all.
type Looker interface {
	// Look reads what Parcels would tell of one booking, by its ID and Ref.
	Look(ctx context.Context, b Booked) ([]ParcelNews, error)
}

// StockKeeper is implemented by logistics providers: the stock is theirs to count.
type StockKeeper interface {
	Stock(ctx context.Context, cursor string) (KeptPage, error)
}

// OrderFiler is implemented by carriers whose form of orders a person can send to any provider.
type OrderFiler interface {
	// OrdersFile makes one file of some bookings. Class GiveUp: one of them cannot be in it.
	OrdersFile(all []Booking) (Document, error)
}

// Dispatcher is implemented by channels that are told how an order was shipped when somebody else made the label.
type Dispatcher interface {
	// Tell gives the channel the parcel's tracking number. Telling the same again is answered like the first time.
	Tell(ctx context.Context, d Dispatch) (Told, error)
	// Correct replaces a number told before, where the channel allows it; how often it does is Told.Corrections.
	Correct(ctx context.Context, d Dispatch, told Told) (Told, error)
	// Told reads what the channel knows of the order's parcels.
	Told(ctx context.Context, orderID string) ([]Told, error)
	// Providers are the carriers the channel accepts, for an order's delivery option where it tells them apart.
	Providers(ctx context.Context, orderID string) ([]Provider, error)
}

// Packager is implemented by channels that make the packages of orders themselves, before they ship. What a parcel holds must be just what one package
// holds: an order whose parcels leave from several places is split, orders that ship as one are combined, and taken apart again.
type Packager interface {
	// Packaged looks whether one package holds just what the parcel holds. A channel that makes no packages before they ship answers yes, without one.
	Packaged(ctx context.Context, p Parcel) (Package, bool, error)
	// MakePackage has one package hold just that. It looks first and takes one step at a time: Package.ID is empty when another step is needed.
	MakePackage(ctx context.Context, g Grouping) (Package, error)
	// Combinable reads one page of what the channel would let ship as one.
	Combinable(ctx context.Context, cursor string) (CombinablePage, error)
}

// Grouping asks for a package that holds just what a parcel holds.
type Grouping struct {
	Parcel Parcel
	Others [][]string // the lines of the other parcels of these orders that wait, so that an order is split once
}

// Package is a package that the channel made.
type Package struct {
	ID   string
	Free bool // the channel makes none before it ships: there is nothing to group
}

// Combinable is a set of orders of one buyer that the channel would let ship as one.
type Combinable struct {
	ID     string
	Orders []string // external order ids
}

// CombinablePage is one page of them; Next is empty on the last one.
type CombinablePage struct {
	Offers []Combinable
	Next   string
}

// Bundler is implemented by channels that take many parcels over in one bag on their first mile.
type Bundler interface {
	// Bundles reports whether it does so in this shop's market.
	Bundles() bool
	// Bundle puts the parcels of orders into one bag. It cannot be read back: an answer that was lost is settled by a person.
	Bundle(ctx context.Context, b Bundling) (Bundle, error)
	// BundleDocument fetches what is stuck on the bag.
	BundleDocument(ctx context.Context, b Bundle) (Document, error)
}

// Bundling asks for a bag.
type Bundling struct {
	Orders  []string // external order ids
	DropOff bool     // somebody brings it; else it is fetched
}

// Bundle is a bag of parcels.
type Bundle struct {
	ID, URL string
	Refused map[string]string // orders that are not in it, with the reason
}

// Recipients is implemented by channels that tell where an order goes. Nothing keeps the answer longer than it takes to ship: it is asked for
// when a parcel is booked. A channel that masks addresses, since it labels the parcel itself, answers class GiveUp.
type Recipients interface {
	Recipient(ctx context.Context, orderID string) (Address, error)
}

// Address is where a parcel comes from or goes to. It is personal data: it is never logged, and its String says nothing.
type Address struct {
	Name, Company, Phone, Email     string
	Line1, Line2, City, State, Post string
	Country                         string // ISO 3166 two letters
	Residential                     bool
}

// String keeps an address out of whatever prints it.
func (Address) String() string { return "an address" }

// LogValue does the same for logs.
func (Address) LogValue() slog.Value { return slog.StringValue("an address") }

// Parcel is one parcel to be shipped.
type Parcel struct {
	OrderIDs  []string // external order ids, one unless combined
	Number    string   // the order's number for people, printed on the label
	Lines     []ParcelLine
	From, To  Address // a platform that labels its own orders needs neither
	Return    Address
	LengthMM  int64
	WidthMM   int64
	HeightMM  int64
	Grams     int64 // all in
	ShipOn    time.Time
	Region    string // market, where the way depends on it
	PackageID string // the platform's package, where it exists already
	Customs   *Customs
}

// ParcelLine is what of an order is in a parcel.
type ParcelLine struct {
	ExternalLineIDs []string // units or lines of the platform
	SKU             string
	Title           string
	Qty             int64
	Value           money.Amount // of one
	Grams           int64        // of one
	HSCode, Origin  string       // for customs
}

// Customs is what a parcel abroad declares.
type Customs struct {
	Contents  string // merchandise, gift, sample, documents, return
	Incoterm  string // DDP, DDU, DAP
	Signer    string
	Exemption string // such as NOEEI 30.37(a)
	OnFailure string // return, abandon
}

// Quote is a service a parcel can go with.
type Quote struct {
	ID               string // the shipper's, good for a booking soon after
	Carrier, Service string
	Price            money.Amount // zero without currency: not told
	MinDays, MaxDays int          // on the road; 0: not told
	ByPlatform       bool         // the platform chooses; there is nothing to choose
	Slots            []Slot       // hand-over times, where the shipper wants one chosen
}

// Slot is a time at which a parcel is handed over: From and Until zero is a drop-off at any time.
type Slot struct {
	From, Until time.Time
	DropOff     bool
}

// Booking asks for a parcel to be shipped.
type Booking struct {
	ID     string // caller-made, at most 40 bytes of [A-Za-z0-9-]: the shipper keeps it as its reference
	Parcel Parcel
	Quote  Quote
	Slot   Slot
	Format string // "PDF" or "ZPL"
}

// Booked is a parcel that is the shipper's business.
type Booked struct {
	ID       string // the Booking's
	Ref      string // the shipper's id of it
	Package  string // the platform's package id where that is another
	Carrier  string
	Service  string
	Tracking string // empty: comes later, as ParcelNews
	URL      string // where the buyer can follow it
	Price    money.Amount
	Lines    []ParcelLine
	At       time.Time
	State    BookedState
	Messages []string // what the shipper adds, for people
	Rest     bool     // what is left of a booking of which a provider has sent packages already
}

// BookedState is where a booking stands.
type BookedState string

const (
	BookingPending BookedState = "pending" // taken, and not yet decided: Find again
	BookingDone    BookedState = "done"
	BookingFailed  BookedState = "failed" // surely not shipped and not paid: Messages say why
	BookingVoided  BookedState = "voided"
)

// DocumentKind is what a document is for.
type DocumentKind string

const (
	LabelDocument       DocumentKind = "label"
	SlipDocument        DocumentKind = "packing slip"
	ManifestDocument    DocumentKind = "manifest"
	CommercialInvoice   DocumentKind = "commercial invoice"
	HazmatLabelDocument DocumentKind = "hazmat label"
	OrdersDocument      DocumentKind = "orders"
)

// Document is a file to print.
type Document struct {
	Kind DocumentKind
	Type string // media type
	Data []byte
}

// MaxDocument bounds a document in bytes: labels are a few hundred kilobytes.
const MaxDocument = 10 << 20

// Voided is what became of a void.
type Voided string

const (
	VoidDone    Voided = "voided"  // and nothing is to be paid
	VoidAsked   Voided = "asked"   // the carrier decides, often for weeks
	VoidRefused Voided = "refused" // it was used, or it is too late
)

// ParcelNews is what a shipper tells of a parcel: Booked when it is booked or ships, Events as it travels.
type ParcelNews struct {
	BookingID string // ours, if it names it
	Ref       string // the shipper's
	Tracking  string
	Booked    *Booked
	Shipped   []ParcelLine // what a logistics provider says is in it; empty: all
	Exception string       // why it cannot ship, for people
	Brief     bool         // there is more to be told, such as further lines: a Looker tells it
	Events    []ParcelEvent
}

// ParcelEvent is one scan, in the shipper's own word.
type ParcelEvent struct {
	Word   string // translated by the driver's own table, see Status
	Status string // of package tracking's vocabulary
	Detail string
	Place  string // city, state, country; never an address
	At     time.Time
}

// ParcelPage is one page of news; Next is empty on the last one.
type ParcelPage struct {
	News []ParcelNews
	Next string
	At   time.Time // the shipper's clock; zero if it does not say
}

// KeptPage is one page of a provider's stock.
type KeptPage struct {
	Items []Kept
	Next  string
}

// Kept is what a provider has of an item.
type Kept struct {
	SKU, LocationID           string
	OnHand, Reserved, Blocked int64 // Blocked: damaged, in quarantine or otherwise not to be promised
	At                        time.Time
}

// Dispatch tells a channel how (a part of) an order was shipped.
type Dispatch struct {
	OrderID         string
	With            []string // other orders in the same parcel
	ExternalLineIDs []string // empty: all of it
	Lines           []ParcelLine
	PackageID       string // where the platform has made one already
	Carrier         string // in our words; the driver finds the channel's provider for it
	ProviderID      string // the channel's own id, where it was chosen
	Tracking        string
	URL             string
	ShippedAt       time.Time
	Region          string
}

// Told is a parcel as the channel knows it.
type Told struct {
	PackageID   string
	Tracking    string
	Provider    string
	Lines       []string
	Warning     string    // the channel took it and is not content
	Corrections int       // how often it can still be corrected; -1: not told
	Until       time.Time // it cannot be corrected after; zero: no such bound is known
	At          time.Time
}

// Provider is a carrier a channel accepts.
type Provider struct{ ID, Name string }

package order

import (
	"cmp"
	"time"

	"github.com/spillway/spillway/kit/money"
)

// ID makes our order id out of the connection's id and the platform's order id.
func ID(connectionID, externalID string) string { return connectionID + ":" + externalID }

// Order is all that is known of one order. Make and change it with Merge, Substitute and LeaveFrom only: several fields are derived from others.
// Its JSON form holds everything Merge needs to go on.
type Order struct {
	ID           string `json:"id"`            // see ID
	ConnectionID string `json:"connection_id"` // the connected shop that sold it
	ExternalID   string `json:"external_id"`   // the platform's id

	Status     Status    `json:"status,omitzero"`      // by the newest fact of any kind
	StatusText string    `json:"status_text,omitzero"` // the platform's own word for Status
	StatusAt   time.Time `json:"status_at,omitzero"`   // the platform's time of that fact
	UpdatedAt  time.Time `json:"updated_at,omitzero"`  // derived: the platform's time of the newest fact

	// NeedsDetail (derived) says that something happened which no snapshot we have can contain: the connector must read
	// the order again. It clears when a fresh enough snapshot is merged, or one read a minute or more after the event; so
	// whoever reads must ask again, with a growing pause, while it is set.
	NeedsDetail bool   `json:"needs_detail,omitzero"`
	Cancel      Cancel `json:"cancel,omitzero"` // derived from CancelReport and Cancellations

	Detail          // the newest snapshot, with set-once times and unit cancels of all others
	Version Version `json:"version,omitzero"` // which snapshot that is; zero: none seen yet

	Cancellations    []Cancellation `json:"cancellations,omitempty"` // by id
	Returns          []Return       `json:"returns,omitempty"`       // by id
	AddressChangedAt time.Time      `json:"address_changed_at,omitzero"`
	TouchedAt        time.Time      `json:"touched_at,omitzero"` // newest change without a notice of its own kind
	EverLeft         bool           `json:"ever_left,omitzero"`  // some fact said the carrier has it; never taken back
	Fates            []Fate         `json:"fates,omitempty"`     // by external line id
	Instead          []Instead      `json:"instead,omitempty"`   // what is sent as an equal item; see Substitute
	Routed           string         `json:"routed,omitzero"`     // the node it was routed to; see LeaveFrom
}

// LeaveFrom notes from where the order, or what is left of it, is sent: the channel's code of the node, or where the channel has none, our id of it.
func (o *Order) LeaveFrom(node string) { o.Routed = node }

// Node is where the order leaves from: the node it was routed to, else the one that the channel expects to ship it. Empty: not known.
func (o *Order) Node() string { return cmp.Or(o.Routed, o.WarehouseRef) }

// Detail is the content of a platform's full view of an order.
type Detail struct {
	Number       string     `json:"number,omitzero"` // the number people use, if it is not the id
	Fulfilment   Fulfilment `json:"fulfilment,omitzero"`
	CreatedAt    time.Time  `json:"created_at,omitzero"`
	PaidAt       time.Time  `json:"paid_at,omitzero"`
	Deadlines    Deadlines  `json:"deadlines,omitzero"`
	Moments      Moments    `json:"moments,omitzero"`
	CancelReport Cancel     `json:"cancel_report,omitzero"` // what the snapshot itself says; read Order.Cancel
	Totals       Totals     `json:"totals,omitzero"`
	Flags        Flags      `json:"flags,omitzero"`
	WarehouseRef string     `json:"warehouse_ref,omitzero"` // the platform's id of the warehouse it expects to ship
	RelatedOrder string     `json:"related_order,omitzero"` // external id of the order this one replaces or is exchanged for
	BuyerHash    string     `json:"buyer_hash,omitzero"`    // keyed hash of the platform's buyer id; no personal data
	Region       string     `json:"region,omitzero"`        // where it goes: country and state, such as US-CA; never finer
	PostalPrefix string     `json:"postal_prefix,omitzero"` // the first three characters of its postal code, see PostalPrefix; never finer
	Lines        []Line     `json:"lines,omitempty"`
	Parcels      []Parcel   `json:"parcels,omitempty"` // by Ref
}

// Fulfilment says who ships the order.
type Fulfilment string

const (
	BySeller   Fulfilment = "seller"   // from a location of ours, a 3PL's included
	ByPlatform Fulfilment = "platform" // from the platform's own warehouse and stock; we must not touch it
)

// Deadlines are the platform's, which already hold the market's holidays and cut-offs. A zero time is no deadline.
type Deadlines struct {
	ShipBy               time.Time `json:"ship_by,omitzero"`                  // arranged by then, or it counts as dispatched late
	HandOverBy           time.Time `json:"hand_over_by,omitzero"`             // with the carrier by then, or it counts as dispatched late
	AutoCancelShipBy     time.Time `json:"auto_cancel_ship_by,omitzero"`      // arranged by then, or the platform cancels
	AutoCancelHandOverBy time.Time `json:"auto_cancel_hand_over_by,omitzero"` // with the carrier by then, or the platform cancels
	AutoCancelDeliverBy  time.Time `json:"auto_cancel_deliver_by,omitzero"`   // delivered by then, or the platform cancels
	DeliverBy            time.Time `json:"deliver_by,omitzero"`               // delivered by then, or it counts as delivered late
	PromisedBy           time.Time `json:"promised_by,omitzero"`              // delivery promise of the option the buyer chose
	PickUpBy             time.Time `json:"pick_up_by,omitzero"`               // with the carrier before this pick-up
	FastDispatchBy       time.Time `json:"fast_dispatch_by,omitzero"`         // with the carrier by then, to count as dispatched fast
}

// Moments are the times at which things happened. Each is set once: of several reports the earliest stays.
type Moments struct {
	ReadyAt           time.Time `json:"ready_at,omitzero"`       // became AwaitingCollection
	HandedOverAt      time.Time `json:"handed_over_at,omitzero"` // became InTransit
	DeliveredAt       time.Time `json:"delivered_at,omitzero"`
	CancelledAt       time.Time `json:"cancelled_at,omitzero"`
	CancelRequestedAt time.Time `json:"cancel_requested_at,omitzero"` // the buyer's first request
}

// Totals are what the buyer pays, in one currency. Subtotal is the goods after Discount.
type Totals struct {
	Subtotal         money.Amount `json:"subtotal,omitzero"`
	Shipping         money.Amount `json:"shipping,omitzero"`
	Tax              money.Amount `json:"tax,omitzero"`
	SellerDiscount   money.Amount `json:"seller_discount,omitzero"`
	PlatformDiscount money.Amount `json:"platform_discount,omitzero"`
	Total            money.Amount `json:"total,omitzero"`
}

// Flags are the platform's marks on an order.
type Flags struct {
	COD             bool `json:"cod,omitzero"` // paid on delivery
	Sample          bool `json:"sample,omitzero"`
	Replacement     bool `json:"replacement,omitzero"` // RelatedOrder is the one it replaces
	Exchange        bool `json:"exchange,omitzero"`    // RelatedOrder is the one it came from
	PreOrder        bool `json:"pre_order,omitzero"`
	BackOrder       bool `json:"back_order,omitzero"`
	MadeToOrder     bool `json:"made_to_order,omitzero"`
	Lottery         bool `json:"lottery,omitzero"`        // won, price zero
	PlatformLabel   bool `json:"platform_label,omitzero"` // the label comes from the platform
	CollectionPoint bool `json:"collection_point,omitzero"`
	Split           bool `json:"split,omitzero"`
	Combined        bool `json:"combined,omitzero"` // shipped in one parcel with other orders
}

// Line is one thing sold. Where the platform has a line for each unit, Units names them and the three counts follow from
// it; where it has quantity lines, ExternalLineID names the line and the counts are the platform's.
type Line struct {
	Key             string       `json:"key"` // derived: stays the same through the life of the order; lines may share one, see Demand
	ExternalLineID  string       `json:"external_line_id,omitzero"`
	ExternalProduct string       `json:"external_product,omitzero"`
	ExternalSKU     string       `json:"external_sku,omitzero"`
	SellerSKU       string       `json:"seller_sku,omitzero"`
	Title           string       `json:"title,omitzero"`
	UnitPrice       money.Amount `json:"unit_price,omitzero"` // what the buyer pays for one
	Qty             int64        `json:"qty"`                 // units ordered, cancelled ones included
	Cancelled       int64        `json:"cancelled,omitzero"`  // of Qty
	Shipped         int64        `json:"shipped,omitzero"`    // of Qty, with the carrier according to the platform
	Units           []Unit       `json:"units,omitempty"`     // by id
	Parts           []Part       `json:"parts,omitempty"`     // what one unit consists of, if the platform sells several SKUs as one
}

// Unit is one piece on a platform that has a line for each.
type Unit struct {
	ExternalLineID string `json:"id"`
	Status         Status `json:"status,omitzero"`      // empty if the platform does not say
	StatusText     string `json:"status_text,omitzero"` // the platform's own word
	Cancelled      bool   `json:"cancelled,omitzero"`   // never taken back
	CancelReason   string `json:"cancel_reason,omitzero"`
	CancelRole     Role   `json:"cancel_role,omitzero"`
	PackageRef     string `json:"package_ref,omitzero"` // the platform's package id
}

// Parcel is one parcel of an order as the platform knows it.
type Parcel struct {
	Ref      string `json:"ref"`               // the platform's package id
	Carrier  string `json:"carrier,omitzero"`  // as the platform names it
	Tracking string `json:"tracking,omitzero"` // the tracking number uploaded; empty: none yet
}

// Part is a component of a combined listing.
type Part struct {
	ExternalProduct string `json:"external_product,omitzero"`
	ExternalSKU     string `json:"external_sku"`
	SellerSKU       string `json:"seller_sku,omitzero"`
	Count           int64  `json:"count"` // pieces of it in one unit sold
}

// Cancel says why an order is or may be cancelled.
type Cancel struct {
	Reason      string `json:"reason,omitzero"`       // the platform's reason name, an opaque text
	Role        Role   `json:"role,omitzero"`         // who cancelled
	Fault       Fault  `json:"fault,omitzero"`        // whose doing it was; looked up by FaultOf unless the connector knows
	RequestOpen bool   `json:"request_open,omitzero"` // the buyer asked and nobody has answered: answer before shipping
}

// CancelState is how far a cancellation is.
type CancelState string

const (
	CancelPending   CancelState = "pending"   // the seller must answer
	CancelWithdrawn CancelState = "withdrawn" // taken back or refused: the order goes on
	CancelAccepted  CancelState = "accepted"  // the units it names are cancelled
	CancelDone      CancelState = "done"      // accepted, and the money is back
)

var cancelStates = []CancelState{CancelPending, CancelWithdrawn, CancelAccepted, CancelDone}

// Settled reports whether the units a cancellation names are cancelled.
func (s CancelState) Settled() bool { return s == CancelAccepted || s == CancelDone }

// Cancellation is one cancellation of (a part of) an order, with the platform's id.
type Cancellation struct {
	ID        string      `json:"id"`
	State     CancelState `json:"state"`
	Role      Role        `json:"role,omitzero"`
	Reason    string      `json:"reason,omitzero"`
	Fault     Fault       `json:"fault,omitzero"` // the connector's own reading, if it has one
	CreatedAt time.Time   `json:"created_at,omitzero"`
	UpdatedAt time.Time   `json:"updated_at,omitzero"` // filled from the fact
	AnswerBy  time.Time   `json:"answer_by,omitzero"`  // the platform decides for the seller after it
	Units     []string    `json:"units,omitempty"`     // external line ids; empty: not told
}

// Return is what an order knows of a return or refund: that it exists and where it is. The case itself lives elsewhere.
type Return struct {
	ID         string    `json:"id"`
	Kind       string    `json:"kind,omitzero"`        // refund, return, replacement
	StatusText string    `json:"status_text,omitzero"` // the platform's own word
	Role       Role      `json:"role,omitzero"`
	UpdatedAt  time.Time `json:"updated_at,omitzero"` // filled from the fact
	AnswerBy   time.Time `json:"answer_by,omitzero"`  // the seller must act on it as it is now, else the platform decides after it; zero: nothing to do
}

// Version orders the snapshots of an order: by the platform's time, which counts seconds, then the status furthest along,
// then the time of reading, then the content.
type Version struct {
	At     time.Time `json:"at,omitzero"`
	Status Status    `json:"status,omitzero"`
	ReadAt time.Time `json:"read_at,omitzero"`
	Hash   string    `json:"hash,omitzero"`
}

// Fate is what all snapshots together have shown of a line (of a unit where the platform has a line for each). Each field
// only ever grows, so facts may come in any order.
type Fate struct {
	ID        string `json:"id"`                 // external line id
	Cancelled bool   `json:"cancelled,omitzero"` // units only: quantity lines may be edited back, so the newest snapshot counts
	Early     int64  `json:"early,omitzero"`     // most seen cancelled while the order went on: these did not leave
	Left      int64  `json:"left,omitzero"`      // most seen with the carrier
}

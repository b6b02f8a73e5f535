package shipping

import (
	"time"

	"github.com/spillway/spillway/domain/tracking"
	"github.com/spillway/spillway/kit/money"
)

// Bounds of one shipment.
const (
	MaxOrders   = 20 // of a parcel that holds several orders: no channel combines more
	MaxLines    = 200
	MaxAttempts = 1000 // of one kind, before a person must look
	maxText     = 500
	maxID       = 40 // shippers keep the id as their reference, some in 40 bytes
)

// Way is who makes the label and moves the parcel.
type Way string

const (
	ByPlatform Way = "platform" // the channel that sold it labels it and picks the carrier
	ByCarrier  Way = "carrier"  // a label of an account of the seller's with a carrier or a broker
	ByProvider Way = "provider" // a logistics provider picks, packs and labels it
	ByHand     Way = "manual"   // a label made elsewhere, whose number somebody scans
)

// Ways lists every way.
var Ways = []Way{ByPlatform, ByCarrier, ByProvider, ByHand}

// Shipment is one parcel, from the moment it is known which node sends what of which orders. Change it with its methods only.
type Shipment struct {
	ID           string    `json:"id"` // ours, and what a shipper knows the booking by
	ConnectionID string    `json:"connection_id"`
	Orders       []string  `json:"orders"` // our order ids, one unless several share the parcel
	Node         string    `json:"node"`
	Lines        []Line    `json:"lines"`
	Way          Way       `json:"way"`
	Account      string    `json:"account,omitzero"` // the carrier account, of ByCarrier and ByProvider; a provider without one is told by a person
	Carrier      string    `json:"carrier,omitzero"` // wanted; empty: the cheapest that is in time
	Service      string    `json:"service,omitzero"`
	Divided      bool      `json:"divided,omitzero"` // somebody divided what the order ships from here: routing leaves it so
	Due          time.Time `json:"due,omitzero"`     // with the carrier by then, or it counts as late; zero: no deadline
	CreatedAt    time.Time `json:"created_at"`

	Package      Package   `json:"package,omitzero"` // the channel's
	Box          *Box      `json:"box,omitempty"`    // packed and weighed; nil: not yet
	Label        Label     `json:"label,omitzero"`
	Tell         Telling   `json:"tell,omitzero"`
	Void         Voiding   `json:"void,omitzero"`
	HandedOverAt time.Time `json:"handed_over_at,omitzero"`
	SeenAt       time.Time `json:"seen_at,omitzero"` // since when somebody outside says that it is on its way; zero: nobody but us
	DeliveredAt  time.Time `json:"delivered_at,omitzero"`
	Road         Road      `json:"road,omitzero"`
	Settled      *Settled  `json:"settled,omitempty"` // nobody waits for it any more; nil: nobody said so

	Track *tracking.Parcel `json:"track,omitempty"` // what was told of it on its way; nil: nothing

	Stopped time.Time `json:"stopped,omitzero"` // it is not to ship any more
	StopWhy string    `json:"stop_why,omitzero"`
}

// Line is what a parcel holds of an order's line.
type Line struct {
	OrderID string   `json:"order_id"`
	Key     string   `json:"key"` // of the order's line
	ItemID  string   `json:"item_id"`
	Qty     int64    `json:"qty"`
	Units   []string `json:"units,omitempty"` // the channel's ids of these units, where it has one for each
}

// Box is a parcel that is packed.
type Box struct {
	Carton   string    `json:"carton,omitzero"`
	LengthMM int64     `json:"length_mm,omitzero"`
	WidthMM  int64     `json:"width_mm,omitzero"`
	HeightMM int64     `json:"height_mm,omitzero"`
	Grams    int64     `json:"grams"` // all in, as weighed
	At       time.Time `json:"at"`
}

// Fate is what became of a call that changes something outside.
type Fate string

const (
	Never   Fate = ""        // not made
	Open    Fate = "open"    // it left, or was about to; it may or may not be carried out
	Unknown Fate = "unknown" // its answer was lost: the same, for sure no answer will come
	Waiting Fate = "waiting" // it was taken and is not decided
	Refused Fate = "refused" // surely not carried out
	Done    Fate = "done"
)

// Call is the last call of a kind, with how many there were.
type Call struct {
	Fate     Fate      `json:"fate,omitzero"`
	N        int       `json:"n,omitzero"`        // calls made of this kind
	Failures int       `json:"failures,omitzero"` // since something went well, for the pause
	At       time.Time `json:"at,omitzero"`       // when it was stored to be made
	Until    time.Time `json:"until,omitzero"`    // Open and Unknown: it may be carried out until then
	After    time.Time `json:"after,omitzero"`    // nothing is done before
	Message  string    `json:"message,omitzero"`  // the last refusal in words
	Stuck    bool      `json:"stuck,omitzero"`    // the same call will never work: a person must look
}

// Package is what the channel was asked of its own package, where it makes the packages of orders before they ship: that one holds just what the parcel
// holds.
type Package struct {
	Call
	Wanted bool   `json:"wanted,omitzero"` // the channel's package may hold more or less
	ID     string `json:"id,omitzero"`
}

// Label is the booking with whoever ships the parcel.
type Label struct {
	Call
	Ref      string       `json:"ref,omitzero"`     // the shipper's id of it
	PartOf   string       `json:"part_of,omitzero"` // the parcel it was booked as part of; empty: it was booked by itself
	Package  string       `json:"package,omitzero"`
	Carrier  string       `json:"carrier,omitzero"`
	Service  string       `json:"service,omitzero"`
	Tracking string       `json:"tracking,omitzero"`
	URL      string       `json:"url,omitzero"`
	Entered  bool         `json:"entered,omitzero"` // somebody entered the number in place of the shipper's
	Price    money.Amount `json:"price,omitzero"`
	BookedAt time.Time    `json:"booked_at,omitzero"`
	Document string       `json:"document,omitzero"` // id of the stored label; empty: not fetched
	Fetch    Call         `json:"fetch,omitzero"`    // of the document
}

// Telling is what the channel knows of the parcel.
type Telling struct {
	Call
	Tracking    string `json:"tracking,omitzero"` // the number it knows
	Package     string `json:"package,omitzero"`
	Corrections int    `json:"corrections,omitzero"` // how often the number can still be changed; -1: not told
	Warning     string `json:"warning,omitzero"`
	Along       bool   `json:"along,omitzero"` // the channel has it in one package with another parcel, and knows that one's number

	Fixed        int       `json:"fixed,omitzero"`         // how often it was changed
	CorrectUntil time.Time `json:"correct_until,omitzero"` // it cannot be changed after; zero: no such bound is known
}

// Voiding takes a label back that is not used.
type Voiding struct {
	Call
	Answer string `json:"answer,omitzero"` // voided, asked, refused
}

// Terms are what a shipper or a channel promises of its calls.
type Terms struct {
	Lifetime time.Duration // how long after it left a call whose answer was lost may still be carried out
}

// Slack is the time that is left until the parcel must be with the carrier; without a deadline it is MaxSlack.
func (s *Shipment) Slack(at time.Time) time.Duration {
	if s.Due.IsZero() {
		return MaxSlack
	}
	return s.Due.Sub(at)
}

// MaxSlack is the slack of what has no deadline.
const MaxSlack = 10 * 365 * 24 * time.Hour

// Closed reports whether nothing will be done any more: it is delivered, or it was stopped before it left and no label is paid.
func (s *Shipment) Closed() bool {
	if s.Shipped() || s.Stopped.IsZero() {
		return !s.DeliveredAt.IsZero()
	}
	return s.Label.Fate == Never || s.Label.Fate == Refused || s.Void.Fate == Done
}

// Reclaimed reports whether a provider is being asked not to ship it after all: until it has answered, it may.
func (s *Shipment) Reclaimed() bool {
	return s.Way == ByProvider && !s.Stopped.IsZero() && !s.Shipped() && !s.Closed()
}

// Question is what only a person can settle, in the words of whoever refused; empty: nothing. What was stopped and is taken back asks nothing.
func (s *Shipment) Question() string {
	if !s.Stopped.IsZero() && s.Closed() {
		return ""
	}
	for _, c := range []*Call{&s.Package.Call, &s.Label.Call, &s.Void.Call, &s.Tell.Call, &s.Label.Fetch} {
		if c.Stuck {
			return c.Message
		}
	}
	if s.ByPerson() && s.Reclaimed() {
		return "Have its provider not ship it any more (" + s.StopWhy + "), and say what became of that."
	}
	return ""
}

// Shipped reports whether the parcel has left.
func (s *Shipment) Shipped() bool { return !s.HandedOverAt.IsZero() }

package view

import "time"

// ItemList is one page of items.
type ItemList struct {
	Query string
	Rows  []ItemRow
	Next  string // cursor of the next page; empty on the last
	Total int64  // items that match; −1 when too many to count
}

// ItemRow is one item of a list.
type ItemRow struct {
	ID, SKU, Title string
	OnHand         int64
	Reserved       int64
	Damaged        int64
	Available      int64
	Exposed        int64
	Short          int64
	Listings       int64
	Wrong          int64 // listings where told differs from desired
	Mode           string
	Bundle         bool
	Level          Level
}

// ItemPage is everything we think, or thought at a moment, about one item.
type ItemPage struct {
	ID, SKU, Title, Barcode string
	At                      time.Time // the moment balances and journal speak for
	AsOf                    bool      // At is in the past, by the time we recorded it; listings are then left out
	Balances                []Balance
	Total                   Balance
	Promise                 Promise
	Components              []Component // of a bundle
	PartOf                  []Component // bundles that consume this item
	Listings                []Listing
	Holds                   []Hold
	Journal                 []Movement // newest first
	NextSeq                 int64      // pass as before for the next page; 0 on the last
	Drift                   []Drift
	Locations               []Option // where stock may be received or counted
}

// Balance is an item at one location.
type Balance struct {
	LocationID, Location, Kind           string
	OnHand, Reserved, Damaged, Available int64
	Short                                int64
	Serves                               string // "all channels", or their names
}

// Component is one line of a bundle.
type Component struct {
	ItemID, SKU, Title string
	Qty                int64
	Available          int64
}

// Listing is an item on one channel.
type Listing struct {
	ID, ConnectionID, Channel string
	ExternalSKU, Title        string
	Told                      *int64
	ToldAt                    time.Time
	Exposure                  int64
	Desired                   int64
	Mode                      string // guarded, shared, fixed
	State                     string // "right", "push on its way", "waiting for the barrier", "waiting for a giver", "paused", "inactive"
	Level                     Level
	Why                       string // how Desired came about, in a sentence
	Risk                      int64  // shared mode: units that could be sold twice right now
	Rules                     Rules
}

// Rules are what an operator sets for a listing.
type Rules struct {
	Mode          string // "" is the default, guarded
	Min           int64
	Max           int64 // 0: none
	BufferPercent int
	BufferUnits   int64
	Fixed         int64 // mode fixed: the number to show
	Priority      int
}

// Movement is one row of the journal.
type Movement struct {
	ID                                       string
	Seq                                      int64
	At, RecordedAt                           time.Time
	Kind                                     string
	LocationID, Location                     string
	OnHand, Reserved, Damaged                int64 // signed differences
	OnHandAfter, ReservedAfter, DamagedAfter int64
	Text                                     string // what it refers to, for people: "order 5771…"
	Ref                                      Ref
	Reason, Actor                            string
	Reverses, ReversedBy                     string // movement ids
}

// Self is the actor of what follows from an order by itself, so that nobody did it.
const Self = "Spillway"

// Drift is a channel's number that was not what it should have been.
type Drift struct {
	At         time.Time
	ListingID  string
	Channel    string
	Expected   int64
	Found      int64
	RepairedAt *time.Time
	Text       string // who or what changed it, as far as we know
}

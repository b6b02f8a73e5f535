package view

import "time"

// OrderFilter selects orders. The zero filter is all open orders by slack.
type OrderFilter struct {
	State        string // "" open, "late", "hold", "short", "shipped", "cancelled", "all"
	ConnectionID string
	Query        string
	After        string // cursor
}

// OrderList is one page of orders; open ones by slack, finished ones newest first.
type OrderList struct {
	At       time.Time
	Filter   OrderFilter
	Rows     []OrderRow
	Next     string
	States   []Count // ID is a value of OrderFilter.State
	Channels []Option
}

// Count is an option with how many there are.
type Count struct {
	ID, Label string
	N         int64
}

// OrderRow is one order of a list.
type OrderRow struct {
	ID, Number            string // ours, and the one the buyer sees
	ConnectionID, Channel string
	State                 string // our word: "to ship", "on hold", "shipped"
	Due                   *time.Time
	DueWhat               string // "hand to carrier"
	Placed                time.Time
	Lines                 int64
	Units                 int64
	Short                 int64 // units promised that are not there
	Total                 string
	Level                 Level
}

// OrderPage is everything about one order.
type OrderPage struct {
	OrderRow
	At           time.Time
	Buyer        string // a short hash; never a name
	Destination  string // country and region only
	ChannelState string // the channel's own word
	CancelReason string
	CancelFault  string // buyer, seller, platform
	Deadlines    []Deadline
	OrderLines   []OrderLine
	Reservations []Reservation
	Timeline     []Entry // oldest first
	Facts        []FactRow
	Risk         *LateRisk // nil: nothing is expected of it
}

// LateRisk is the chance that an order is dispatched late.
type LateRisk struct {
	At         time.Time
	InQueue    *PPM    // by the queue it stands in; nil: below what is kept, or not known
	AtPurchase PPM     // by what was known when it was bought; 0: no chance was given
	Usual      PPM     // of any order of the shop
	Used       bool    // AtPurchase is what lists go by, as the queue says nothing
	Reasons    []Input // what drove AtPurchase, strongest first: Name says the direction
	Basis      string  // what it was learned from, and how good it was
	Text       string
}

// Deadline is a moment the order is judged by.
type Deadline struct {
	Name   string // "Hand to the carrier"
	At     time.Time
	Source string // the platform's field, or our rule and its date
	Met    *time.Time
	Level  Level
}

// OrderLine is one product of an order.
type OrderLine struct {
	LineID, ItemID, SKU, Title    string
	Qty, Held, Shipped, Cancelled int64
	Short                         int64
	Price                         string
	Note                          string // "not mapped to an item"
}

// Reservation is stock held for an order.
type Reservation struct {
	ItemID, SKU, Location string
	Held, Shipped, Short  int64
	ExpiresAt             *time.Time
	UpdatedAt             time.Time
}

// Entry is one moment of a timeline.
type Entry struct {
	At    time.Time
	Kind  string // one word: "placed", "reserved", "told"
	Text  string
	Actor string
	Ref   Ref
	Level Level
}

// FactRow is one thing a channel told us about an order.
type FactRow struct {
	ID         string
	ReceivedAt time.Time
	EventAt    time.Time
	Source     string // "webhook", "poll", "backfill", "import"
	Message    string // the id of the stored message, of a webhook
	Effect     string // "new", "changed state to …", "nothing new"
}

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
	Risk         *LateRisk   // nil: nothing is expected of it
	Route        *OrderRoute // nil: nothing is said of any node, so nothing is routed
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

// OrderRoute is from where an order leaves, why, and in which parcels.
type OrderRoute struct {
	Sentence   string // "Leaves from Reno."
	At         time.Time
	Actor      string // who decided: a person, or Self
	Reason     string
	Parts      []RoutePart
	Figures    []Input // cost, chance late, how sure
	Candidates []Candidate
	Parcels    []Parcel
	Choices    []Option // nodes it may be sent from instead; none: it cannot be changed
	Fixed      string   // why it cannot be changed
	Pinned     bool     // a person said where it leaves from
}

// RoutePart is what leaves one node.
type RoutePart struct {
	Node, Name, Carrier string
	Units               int64
	Leaves              time.Time // zero: not said
	PlanFor, Arrives    Day       // empty: not said
	Zone                string
	Cost                string
}

// Candidate is a node and what became of it.
type Candidate struct {
	Name, Text string
	Taken      bool
	Cost       string // of all of it from there; empty: it could not
}

// Parcel is one parcel of an order.
type Parcel struct {
	ID, Node     string
	Step         string // what it waits for, in words
	Level        Level
	Units        int64
	Carrier      string
	Tracking     string
	URL          string // where the carrier shows it; empty: not known
	Label        string // "bought for 4.20 USD"
	Told         string // what the channel knows
	Due          *time.Time
	Question     string // what only a person can settle; it can be tried again
	Stopped      bool
	StoppedWhy   string
	HandedOverAt *time.Time
	DeliveredAt  *time.Time
	Page         string     // where its buyer sees it, for whoever has the address; empty: there is nothing to see
	Proof        bool       // the custody log has signed entries of it
	Way          *ParcelWay // what is waited for on its way; nil: nothing
	Settled      string     // what a person has said became of it; empty: nothing
	Renumber     *Renumber  // nil: it has no number of ours
	Items        []ParcelItem
	Divides      bool // it may be divided in two
}

// ParcelItem is what a parcel holds of an item.
type ParcelItem struct {
	ItemID, SKU string
	Qty         int64
}

// DivisionDraft leaves in a parcel what Keep says, by item, and makes another of the rest.
type DivisionDraft struct {
	OrderID, Parcel string
	Keep            map[string]int64
	Actor           string
}

// Renumber says whether another tracking number may be entered for a parcel.
type Renumber struct {
	May  bool
	Text string // how often and until when, or why not
}

// RenumberDraft is another tracking number for a parcel. Carrier "" leaves the carrier as it is.
type RenumberDraft struct{ OrderID, Parcel, Carrier, Number, Actor string }

// ParcelWay is what is wrong with a parcel on its way, or would be first if nothing more were heard.
type ParcelWay struct {
	Stuck   bool
	Unheard bool   // it would be stuck, but its account was not heard either
	Text    string // "The last scan was on 20 November 16:00 UTC."
	Due     time.Time
	Next    string // what to do
	Source  string // what the patience rests on
}

// RerouteDraft is a filled-in form of a route. No nodes: by the rules.
type RerouteDraft struct {
	ID      string // caller-made
	OrderID string
	Nodes   []string
	Reason  string
	Actor   string
}

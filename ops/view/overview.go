package view

import "time"

// Overview answers: are we right now, and for the next hours? If not, what first?
type Overview struct {
	At       time.Time
	Sentence string // the answer in one line
	Level    Level
	Steps    []Step // set-up steps; empty when all are done
	Problems []Problem
	Live     []LiveNow

	Orders     Series // orders per minute, oldest first, the last point is the running minute
	OrdersLast int64  // orders in the last 60 seconds
	OrdersDay  int64  // since midnight in the first zone
	Open       int64  // orders not yet shipped nor cancelled

	Truth    Truth
	Oversold Oversold

	SaleToReserved Latency // from the channel's event to the units reserved
	SaleToRight    Latency // from the channel's event to every channel told a number that is right
	PushToTold     Latency // from a push leaving to its confirmation

	Hot      []Promise    // the items where exposure is most of what there is, most urgent first
	Channels []ChannelNow // in a stable order
	Due      []OrderRow   // open orders with least slack first
	DueCount DueCount
}

// Series is a figure over time in equal steps.
type Series struct {
	Unit   string // "orders/min"
	From   time.Time
	Step   time.Duration
	Points []float64
	Limit  float64 // drawn and named when > 0
	Name   string  // of the limit
}

// Truth is the stock we know, over all items and locations.
type Truth struct {
	Items     int64
	OnHand    int64
	Reserved  int64
	Damaged   int64
	Available int64 // OnHand − Reserved − Damaged
	Exposed   int64 // Σ exposure: what channels may still sell that we do not know of yet
	Buffer    int64 // kept back
	Short     int64 // promised by a channel and not there
	Movements int64 // rows in the journal
}

// Oversold is the figure the product exists for, with its proof.
type Oversold struct {
	Units     int64 // units sold beyond what was there, guarded items
	Shared    int64 // the same for items in shared mode, where it is an accepted risk
	Checks    []Check
	CheckedAt time.Time
}

// Check is one line of a proof.
type Check struct {
	Name string // "Journal sums to the balances"
	OK   bool
	Text string // "48,210 movements, 2,041 balances, no difference"
}

// Latency is a time measured over a window.
type Latency struct {
	P50, P99 time.Duration
	Count    int64
	Window   time.Duration
	Target   time.Duration // for the 99th percentile; 0: none
}

// Promise is one item's available stock and who may still sell how much of it: Σ exposure + buffer ≤ available.
type Promise struct {
	ItemID    string
	SKU       string
	Title     string
	Available int64
	Buffer    int64
	Parts     []Part
	Free      int64 // Available − Buffer − Σ exposure; below 0 only in shared mode
	Mode      string
	LastMin   int64 // units sold in the last minute
	Level     Level
	Text      string // says why when Level is not quiet
}

// Part is one channel's share of an item.
type Part struct {
	ListingID    string
	ConnectionID string
	Channel      string
	Told         *int64 // nil: never told a number
	Exposure     int64
	Desired      int64
	LastMin      int64
}

// ChannelNow is a connection on the overview.
type ChannelNow struct {
	ConnectionID string
	Name         string
	Vendor       string
	Level        Level
	State        string // "right", "catching up", "needs login", "paused"
	Wrong        int64  // listings where told differs from desired
	Listings     int64
	LastMin      int64 // orders in the last minute
	Pushes       int64 // pushes in the last hour
	SeenAt       time.Time
}

// DueCount counts open orders by their slack.
type DueCount struct {
	Late, Hour, Today, Later int64
}

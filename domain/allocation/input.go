package allocation

import (
	"time"
)

// Kind is how a channel lets us write a listing's quantity.
type Kind string

const (
	// Absolute sets a number and nothing else: sales that happen while the number travels are overwritten.
	Absolute Kind = "absolute"
	// CompareAndSet sets a number only if the channel still shows the one we name. Such a channel takes deltas as well.
	CompareAndSet Kind = "compare_and_set"
	// Delta adds to or takes from whatever the channel shows and may answer with the quantity after.
	Delta Kind = "delta"
)

// takes reports whether a channel of kind k takes a push of kind push.
func (k Kind) takes(push Kind) bool { return push == k || k == CompareAndSet && push == Delta }

// exact reports whether a confirmed write changes the exposure by a known amount at once.
func (k Kind) exact() bool { return k == CompareAndSet || k == Delta }

// Mode is the rule by which a listing gets its number.
type Mode string

const (
	// Guarded never lets the exposures exceed the stock. The default.
	Guarded Mode = "guarded"
	// Shared shows the whole stock everywhere: a risk, reported as a number.
	Shared Mode = "shared"
	// Fixed shows the operator's number, as far as guarding the stock allows.
	Fixed Mode = "fixed"
)

// Bounds of one allocation problem. A problem is one item, or the items that bundles tie together.
const (
	MaxItems    = 256           // a bundle of more parts than this is a warehouse, not a bundle
	MaxListings = 1024          // four listings for each item
	MaxPoolSets = 64            // distinct unions of pools per item; real shops have two or three
	MaxHolds    = 256           // live sessions that can overlap in one problem
	MaxUnits    = 1_000_000_000 // the largest quantity a channel we know of accepts; keeps sums far from overflow
	maxPools    = 64            // pools of one item; sets of them are kept as bits of one word
	maxGhosts   = 8             // pushes of unknown fate per listing before we wait for them to die
	maxSeconds  = 64            // distinct seconds of sales remembered while one answer is awaited
	maxWeight   = 10000         // operator's priority of a listing
)

// Input is everything a decision depends on except the books: stock, listings and the schedule of holds.
type Input struct {
	Items    []Item
	Listings []Listing
	Holds    []Hold
}

// Item is a stocked thing with its pools and its policy.
type Item struct {
	ID    string
	Mode  Mode // Guarded (or empty) or Shared
	Pools []Pool

	BufferPercent int // 0..100 of the promisable units kept back: "list 80 %" is 20
	BufferUnits   int // units kept back: "keep 200"
}

// Pool is stock that the same listings may draw on: a location or a group of locations.
type Pool struct {
	ID         string
	Promisable int  // on hand − reserved − damaged; every known sale is already reserved
	Platform   bool // the platform keeps this quantity (FBT): listings drawing on it alone are never pushed
}

// Component is what one sold unit of a listing takes from stock.
type Component struct {
	Item     string
	Quantity int      // at least 1
	Pools    []string // pools that may serve the listing; empty means all of the item not kept by a platform
}

// Listing is one SKU on one connection.
type Listing struct {
	ID         string
	Connection string
	Kind       Kind
	Components []Component // one for a plain item, several for a bundle

	Fixed    *int // the operator's number; makes the listing Fixed
	Min      int  // show at least this while stock lasts
	Max      *int // never show more
	OrderCap *int // units left under an order-volume cap of the connection; nil means none
	Weight   int  // operator's priority relative to others; 0 means 1

	Cycle    time.Duration // sale → known → refill confirmed → barrier; 0 means DefaultCycle
	Quantile float64       // 0: worst case. 0.999: accept that unseen sales exceed their 99.9 % quantile
	Paused   bool          // the connection cannot be written to now; its exposure still counts
	Platform bool          // quantity is managed by the platform: counted nowhere, pushed never
}

// DefaultCycle is one second for the event, half a second for the push, and an order poll for the barrier.
const DefaultCycle = 4 * time.Second

func (l Listing) cycle() time.Duration {
	if l.Cycle > 0 {
		return l.Cycle
	}
	return DefaultCycle
}

func (l Listing) weight() float64 {
	if l.Weight > 0 {
		return float64(l.Weight)
	}
	return 1
}

// Hold keeps units of an item exclusive to one listing for a while: a LIVE session, a campaign.
type Hold struct {
	ID       string
	Item     string
	Listing  string // the favoured listing
	Quantity int    // units of the item kept exclusive
	Sold     int    // units of the item the favoured listing has sold within the hold so far (known, net of cancels)
	From     time.Time
	Until    time.Time // exclusive
}

// active reports whether the hold rules at the given time. A hold is a level, not an edge: whoever asks, however
// often, after however many restarts, gets the same answer, so its end cannot be missed or applied twice.
func (h Hold) active(at time.Time) bool { return !at.Before(h.From) && at.Before(h.Until) }

// Left is how many units the hold still keeps exclusive.
func (h Hold) Left() int { return max(0, h.Quantity-max(0, h.Sold)) }

// Books are the exposure books of the listings, by listing id.
type Books map[string]Book

// ModeOf returns the mode that rules a listing: Fixed if it has a number of its own, Shared if every item it consumes
// is shared, else Guarded.
func (in Input) ModeOf(l Listing) Mode {
	if l.Fixed != nil {
		return Fixed
	}
	shared := len(l.Components) > 0
	for _, c := range l.Components {
		for i := range in.Items {
			if in.Items[i].ID == c.Item && in.Items[i].Mode != Shared {
				shared = false
			}
		}
	}
	if shared {
		return Shared
	}
	return Guarded
}

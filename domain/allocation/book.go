package allocation

import (
	"slices"
	"time"

	"github.com/spillway/spillway/kit/errs"
)

// BookVersion is the layout of the persisted Book. A reader refuses a version it does not know.
const BookVersion = 1

// Book is the exposure book of one listing. It is a plain value: every transition returns a new one, and the caller
// stores it in the same transaction as the fact that caused it. Transitions are not idempotent; the caller applies
// each fact once.
//
// Let x = what the channel still shows as sellable (never below 0) + sales we do not know yet − cancellations that
// went back on sale at the channel and that we do not know yet. The book promises Exposure ≥ x, now and whatever
// request still under way is applied; and x ≥ Floor when FloorKnown. Somebody editing the channel by hand breaks
// the promise until the next reading finds it, see Drift.
type Book struct {
	Version  int    `json:"version"`
	Listing  string `json:"listing"`
	Kind     Kind   `json:"kind"`
	Revision int64  `json:"revision"` // rises by one with every transition

	Told       int  `json:"told"`        // the last number the channel confirmed or showed
	Remaining  int  `json:"remaining"`   // what it is believed to show now
	Exposure   int  `json:"exposure"`    // upper bound of x
	Floor      int  `json:"floor"`       // lower bound of x
	FloorKnown bool `json:"floor_known"` // false while a request of unknown effect makes the lower bound worthless

	InFlight *Flight     `json:"in_flight,omitempty"`
	Ghosts   []Ghost     `json:"ghosts,omitempty"`
	Reading  *Reading    `json:"reading,omitempty"`
	Anchor   *Anchor     `json:"anchor,omitempty"`
	Demand   *ReadDemand `json:"demand,omitempty"`

	Repair  bool      `json:"repair,omitempty"`  // the channel drifted: put it right without waiting for a reason
	RetryAt time.Time `json:"retry_at,omitzero"` // no push before this, after a refusal
	Since   time.Time `json:"since,omitzero"`    // when Told last changed
	Rate    Rate      `json:"rate"`
}

// Flight is a push whose answer is awaited. A book has at most one.
type Flight struct {
	Push       Push      `json:"push"`
	SentAt     time.Time `json:"sent_at"`
	Expires    time.Time `json:"expires_at"`  // the channel will not apply it after this
	Adds       int       `json:"adds"`        // what it adds to Exposure until its fate is known
	Before     int       `json:"before"`      // Exposure before it was sent, for people
	Learned    Tally     `json:"learned"`     // facts learned since it was sent
	Relaxed    bool      `json:"relaxed"`     // Adds is a quantile, not the worst case
	FloorKnown bool      `json:"floor_known"` // the book's FloorKnown, given back if the push changes nothing
}

// Ghost is a push whose fate is unknown: it may be applied at any moment until it expires. It also stays in the
// book until a reading or a confirmed push begun after its expiry has taken its place.
type Ghost struct {
	PushID  string    `json:"push_id"`
	Adds    int       `json:"adds"`
	Expires time.Time `json:"expires_at"`
}

// Reading is a read of the channel's number that has begun.
type Reading struct {
	ID        int64     `json:"id"` // the book's revision at its beginning; its answer must name it
	StartedAt time.Time `json:"started_at"`
	Learned   Tally     `json:"learned"`
}

// Anchor is a number the channel is known to have shown at some moment between From and AckedAt. It becomes the new
// bound once every sale placed before AckedAt is known: the barrier.
type Anchor struct {
	Quantity  int       `json:"quantity"`
	From      time.Time `json:"from"`       // our clock: push sent or read begun
	AckedAt   time.Time `json:"acked_at"`   // our clock: answer received
	ChannelAt time.Time `json:"channel_at"` // the channel's clock in the answer; zero when unknown
	Sold      int       `json:"sold"`       // units learned sold since From
	SoldAfter int       `json:"sold_after"` // those of them sold in a later second than ChannelAt
	Restocked int       `json:"restocked"`  // units learned put back on sale by cancellations since From
	Read      bool      `json:"read"`       // it comes from reading, not from our own push
	Relaxed   bool      `json:"relaxed"`    // the bound it replaces was a quantile
}

// ReadDemand says the channel's number must be read, and why.
type ReadDemand struct {
	Reason    string    `json:"reason"`
	NotBefore time.Time `json:"not_before"`
	Since     time.Time `json:"since"`
}

// Reasons for reading a channel's number.
const (
	ReadUnknownPush = "push of unknown fate"
	ReadMismatch    = "compare-and-set failed"
	ReadOversell    = "sold more than it could show"
	ReadUncertain   = "uncertain units needed elsewhere"
	ReadScheduled   = "scheduled check"
	ReadAsked       = "asked by an operator"
	ReadNoQuantity  = "answer without a quantity"
)

// Tally counts what was learned since some moment. Sales are also kept by second of the channel's clock, newest
// seconds only, because only the answer will tell which of them came after it.
type Tally struct {
	Sold      int          `json:"sold"`
	Restocked int          `json:"restocked"`
	Seconds   []SecondSold `json:"seconds,omitempty"`
}

// SecondSold is the units sold in one second of the channel's clock.
type SecondSold struct {
	Second int64 `json:"second"` // Unix seconds
	Units  int   `json:"units"`
}

func (t Tally) sale(qty int, soldAt time.Time) Tally {
	t.Sold += qty
	if soldAt.IsZero() {
		return t
	}
	second := soldAt.Unix()
	i, found := slices.BinarySearchFunc(t.Seconds, second, func(s SecondSold, at int64) int { return int(s.Second - at) })
	t.Seconds = slices.Clone(t.Seconds)
	if found {
		t.Seconds[i].Units += qty
		return t
	}
	t.Seconds = slices.Insert(t.Seconds, i, SecondSold{Second: second, Units: qty})
	if len(t.Seconds) > maxSeconds {
		t.Seconds = t.Seconds[1:] // forgetting one only makes the bound wider
	}
	return t
}

func (t Tally) soldAfter(channelAt time.Time) int {
	n := 0
	for _, s := range t.Seconds {
		if !channelAt.IsZero() && s.Second > channelAt.Unix() {
			n += s.Units
		}
	}
	return n
}

// NewBook opens the book of a listing at the number it was found to show by a read that began and ended at the
// given times of our clock; channelAt is the channel's clock in the answer, zero when unknown. The bound is safe
// once the barrier is reached: every sale and cancellation before the end of the read is known.
func NewBook(listing string, kind Kind, found int, began, ended, channelAt time.Time) Book {
	b := Book{Version: BookVersion, Listing: listing, Kind: kind}
	b.Told, b.Remaining, b.Exposure, b.Floor = found, found, max(0, found), max(0, found)
	b.Since = ended
	b.Anchor = &Anchor{Quantity: found, From: began, AckedAt: ended, ChannelAt: channelAt, Read: true}
	b.Rate = Rate{At: ended, Closed: found <= 0}
	return b
}

// next returns a copy ready to be changed: nothing it points to is shared with b.
func (b Book) next() Book {
	b.Revision++
	b.InFlight, b.Reading, b.Anchor, b.Demand = clone(b.InFlight), clone(b.Reading), clone(b.Anchor), clone(b.Demand)
	b.Ghosts = slices.Clone(b.Ghosts)
	return b
}

func clone[T any](p *T) *T {
	if p == nil {
		return nil
	}
	c := *p
	return &c
}

// SaleKnown takes a sale we have learned of: the channel can sell that much less without our knowing. soldAt is the
// channel's own time of the order (zero when unknown), at is now. The caller lowers the promisable stock in the same
// transaction.
func (b Book) SaleKnown(qty int, soldAt, at time.Time) Book {
	if qty <= 0 {
		return b
	}
	b = b.next()
	b.Rate = b.Rate.Observe(qty, at)
	if b.InFlight != nil {
		b.InFlight.Learned = b.InFlight.Learned.sale(qty, soldAt)
	}
	if b.Reading != nil {
		b.Reading.Learned = b.Reading.Learned.sale(qty, soldAt)
	}
	if a := b.Anchor; a != nil {
		a.Sold += qty
		if !a.ChannelAt.IsZero() && soldAt.Unix() > a.ChannelAt.Unix() {
			a.SoldAfter += qty
		}
	}
	if qty > b.Exposure {
		b = b.demand(ReadOversell, at, at)
	}
	b.Exposure -= qty
	b.Floor -= qty
	b.Remaining = max(min(0, b.Remaining), b.Remaining-qty)
	return b.openOrClose(at)
}

// CancelKnown takes a cancellation we have learned of. If the channel itself put the units back on sale its exposure
// rises with our stock; if not, only our stock rises and the planner may hand the units out. In doubt say it does.
func (b Book) CancelKnown(qty int, channelRestocks bool, at time.Time) Book {
	if qty <= 0 || !channelRestocks {
		return b
	}
	b = b.next()
	if b.InFlight != nil {
		b.InFlight.Learned.Restocked += qty
	}
	if b.Reading != nil {
		b.Reading.Learned.Restocked += qty
	}
	if b.Anchor != nil {
		b.Anchor.Restocked += qty
	}
	b.Exposure += qty
	b.Floor += qty
	b.Remaining += qty
	return b.openOrClose(at)
}

// DemandRead asks for a reading of the channel's number: the scheduled drift check, or an operator's wish.
func (b Book) DemandRead(reason string, at time.Time) Book {
	if b.Demand != nil || b.Reading != nil {
		return b
	}
	return b.next().demand(reason, at, at)
}

// demand notes a wish to read; of two it keeps the older reason and the later time.
func (b Book) demand(reason string, notBefore, at time.Time) Book {
	if b.Demand == nil {
		b.Demand = &ReadDemand{Reason: reason, NotBefore: notBefore, Since: at}
	} else if notBefore.After(b.Demand.NotBefore) {
		b.Demand.NotBefore = notBefore
	}
	return b
}

// dead is when the last push of unknown fate can no longer be applied; zero if there is none.
func (b Book) dead() time.Time {
	var t time.Time
	for _, g := range b.Ghosts {
		if g.Expires.After(t) {
			t = g.Expires
		}
	}
	return t
}

// openOrClose keeps the demand rate from learning while there is nothing to sell.
func (b Book) openOrClose(at time.Time) Book {
	if closed := b.Exposure <= 0; closed != b.Rate.Closed {
		if closed {
			b.Rate = b.Rate.Close(at)
		} else {
			b.Rate = b.Rate.OpenUp(at)
		}
	}
	return b
}

// ghosts is what pushes of unknown fate can add.
func (b Book) ghosts() int {
	n := 0
	for _, g := range b.Ghosts {
		n += g.Adds
	}
	return n
}

// pending is what requests still under way can add to the channel.
func (b Book) pending() int {
	if b.InFlight != nil {
		return b.InFlight.Adds + b.ghosts()
	}
	return b.ghosts()
}

// Settled reports whether nothing about the listing is under way or in doubt.
func (b Book) Settled() bool {
	return b.InFlight == nil && len(b.Ghosts) == 0 && b.Reading == nil && b.Anchor == nil && b.Demand == nil
}

// Uncertain is how many units the bound may be above the truth; -1 when even the lower bound is unknown.
func (b Book) Uncertain() int {
	if !b.FloorKnown {
		return -1
	}
	return max(0, b.Exposure) - max(0, b.Floor)
}

// Check verifies what a stored book must satisfy, for the doctor command and tests. Errors are Internal.
func (b Book) Check() error {
	const op = "allocation.Book.Check"
	switch {
	case b.Version != BookVersion:
		return errs.New(errs.Internal, op, b.Listing, "The exposure book has version %d; this program knows %d.", b.Version, BookVersion)
	case b.FloorKnown && b.Floor > b.Exposure:
		return errs.New(errs.Internal, op, b.Listing, "The lower bound %d is above the upper bound %d.", b.Floor, b.Exposure)
	case len(b.Ghosts) > maxGhosts:
		return errs.New(errs.Internal, op, b.Listing, "More than %d pushes are in doubt.", maxGhosts)
	}
	return nil
}

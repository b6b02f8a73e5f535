package allocation

import (
	"time"

	"github.com/spillway/spillway/kit/errs"
)

// Push is one write to a channel.
type Push struct {
	ID       string `json:"id"` // made by the caller before PushSent; also the idempotency key where there is one
	Listing  string `json:"listing"`
	Kind     Kind   `json:"kind"`
	Quantity int    `json:"quantity"`         // Absolute and CompareAndSet: the number to show; Delta: the number expected after
	From     int    `json:"from"`             // CompareAndSet: the number that must be showing
	Delta    int    `json:"delta"`            // Delta: what to add, negative to take; CompareAndSet: the same, for people
	Unseen   *int   `json:"unseen,omitempty"` // the accepted quantile of sales unseen while it travels; nil: worst case
	Lowers   bool   `json:"lowers"`           // it takes units back
	Urgent   bool   `json:"urgent"`           // the listing may run dry, or promises must be cut
	Why      Why    `json:"why"`
}

// adds is what the push adds to a bound of e until its fate is known. An absolute set can be applied after the old
// number has been sold: both count. A set to 0 adds nothing.
func (p Push) adds(e int) int {
	switch p.Kind {
	case CompareAndSet:
		return max(0, p.sellable())
	case Delta:
		return max(0, p.Delta)
	}
	if p.Unseen != nil {
		return max(0, min(e, *p.Unseen)+p.Quantity-e)
	}
	return p.Quantity
}

// sellable is by how much a compare-and-set changes what can be sold: nothing can be sold of a number below 0.
func (p Push) sellable() int { return max(0, p.Quantity) - max(0, p.From) }

// Answer is a channel's answer to a push or a reading. Where the clock in the answer may lag the one that stamps orders, the
// connector adds that lag to ChannelAt: an order stamped in a later second is taken to have come after the change.
type Answer struct {
	At        time.Time // our clock
	ChannelAt time.Time // the channel's clock when it answered, by the clock that also stamps its orders; zero when unknown
	After     *int      // the quantity after the change, if the answer says it
}

// PushSent records that a push is about to leave. It must be stored before the request is written to the wire.
// lifetime is how long the channel (and everything between) may still apply the request after now.
func (b Book) PushSent(p Push, at time.Time, lifetime time.Duration) (Book, error) {
	const op = "allocation.PushSent"
	switch {
	case b.InFlight != nil:
		return b, errs.New(errs.Conflict, op, b.Listing, "Another push of this listing is still on its way.")
	case p.ID == "" || p.Listing != b.Listing || !b.Kind.takes(p.Kind) || p.Quantity < 0 && p.Kind != Delta:
		return b, errs.New(errs.Invalid, op, b.Listing, "The push does not belong to this listing.")
	case lifetime <= 0:
		return b, errs.New(errs.Invalid, op, b.Listing, "A push needs a lifetime.")
	}
	b = b.next()
	b.InFlight = &Flight{
		Push: p, SentAt: at, Expires: at.Add(lifetime), Adds: p.adds(b.Exposure), Before: b.Exposure,
		Relaxed: p.Unseen != nil && p.Kind == Absolute, FloorKnown: b.FloorKnown,
	}
	b.Exposure += b.InFlight.Adds
	b.FloorKnown = false
	b.Reading = nil // the read may show the number from before or after this push
	b.Repair = false
	return b.openOrClose(at), nil
}

// land takes the push with this id out of flight.
func (b Book) land(op, id string) (Book, Flight, error) {
	if b.InFlight == nil || b.InFlight.Push.ID != id {
		return b, Flight{}, errs.New(errs.Conflict, op, b.Listing, "Push %q is not on its way.", id)
	}
	f := *b.InFlight
	b = b.next()
	b.InFlight = nil
	return b, f, nil
}

// PushConfirmed records that the channel applied the push. An absolute set keeps both the old and the new number in
// the exposure until the barrier, see SalesKnownUntil. Compare-and-set and delta change the exposure by what they
// changed at the channel, at once.
func (b Book) PushConfirmed(id string, a Answer) (Book, error) {
	b, f, err := b.land("allocation.PushConfirmed", id)
	if err != nil {
		return b, err
	}
	p := f.Push
	shown := p.Quantity
	switch p.Kind {
	case CompareAndSet:
		b = b.changed(p.sellable(), p.Quantity-p.From, f)
	case Delta:
		if a.After == nil {
			return b.confirmedBlind(f, a.At), nil
		}
		shown = *a.After
		// What can be sold never falls below 0, whatever the number says.
		b = b.changed(max(0, shown)-max(0, shown-p.Delta), p.Delta, f)
	}
	b.Anchor = f.Learned.anchor(shown, f.SentAt, a.At, a.ChannelAt)
	b.Anchor.Relaxed = f.Relaxed
	b.Told, b.Since, b.RetryAt = shown, a.At, time.Time{}
	b.Remaining = max(min(0, shown), shown-b.Anchor.SoldAfter)
	return b.openOrClose(a.At), nil
}

// changed replaces what flight f could have added by what it did: to what can be sold, and to the number shown.
func (b Book) changed(sellable, shown int, f Flight) Book {
	b.Exposure += sellable - f.Adds
	b.Floor += shown
	b.FloorKnown = f.FloorKnown && len(b.Ghosts) == 0
	return b
}

// blindPause is how long deltas answered without a quantity share one reading.
const blindPause = 2 * time.Second

// confirmedBlind handles a confirmed delta whose answer carries no quantity: the channel may have stood below zero,
// so a rise may have added less and a fall may have taken less than asked. A reading tells, after a pause in which
// others may follow.
func (b Book) confirmedBlind(f Flight, at time.Time) Book {
	b.Anchor = nil
	b.Floor += f.Push.Delta
	b.FloorKnown = f.FloorKnown && len(b.Ghosts) == 0
	b.Remaining += f.Push.Delta
	b.Told, b.Since, b.RetryAt = b.Remaining, at, time.Time{}
	if b.Demand == nil {
		b = b.demand(ReadNoQuantity, at.Add(blindPause), at)
	}
	return b.openOrClose(at)
}

// PushRefused records that the channel definitely did not apply the push. The next push waits until retryAt.
func (b Book) PushRefused(id string, at, retryAt time.Time) (Book, error) {
	b, f, err := b.land("allocation.PushRefused", id)
	if err != nil {
		return b, err
	}
	b = b.changed(0, 0, f)
	b.RetryAt = retryAt
	return b.openOrClose(at), nil
}

// Mismatch records that a compare-and-set found another number than we named, and changed nothing. The answer may say
// which (actual); otherwise the channel must be read.
func (b Book) Mismatch(id string, actual *int, a Answer) (Book, error) {
	b, f, err := b.land("allocation.Mismatch", id)
	if err != nil {
		return b, err
	}
	b = b.changed(0, 0, f)
	if actual == nil {
		return b.demand(ReadMismatch, a.At, a.At).openOrClose(a.At), nil
	}
	b.Anchor = f.Learned.anchor(*actual, f.SentAt, a.At, a.ChannelAt)
	b.Anchor.Read = true
	return b.found(a.At), nil
}

// PushUnknown records that nobody knows whether the push was or will be applied: a time-out, a broken connection, a
// restart of ours. What it could add stays in the exposure until it can no longer be applied and a later reading
// (which the planner orders by itself) or push has taken its place.
func (b Book) PushUnknown(id string, at time.Time) (Book, error) {
	b, f, err := b.land("allocation.PushUnknown", id)
	if err != nil {
		return b, err
	}
	strict := f.Push
	strict.Unseen = nil
	adds := strict.adds(f.Before)
	b.Exposure += adds - f.Adds
	b.Ghosts = append(b.Ghosts, Ghost{PushID: id, Adds: adds, Expires: f.Expires})
	if len(b.Ghosts) > maxGhosts { // merging two is safe: their sum, until the later expiry
		a, c := b.Ghosts[0], b.Ghosts[1]
		c.Adds += a.Adds
		if a.Expires.After(c.Expires) {
			c.Expires = a.Expires
		}
		b.Ghosts = append([]Ghost{c}, b.Ghosts[2:]...)
	}
	if b.Kind == CompareAndSet { // the number to name in the next one is no longer known
		b = b.demand(ReadUnknownPush, at, at)
	}
	return b.openOrClose(at), nil
}

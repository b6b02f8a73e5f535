package allocation

import (
	"time"

	"github.com/spillway/spillway/kit/errs"
)

// Drift says that a channel showed a number that neither its sales nor our pushes explain: somebody edited it there,
// or the channel lost or doubled something.
type Drift struct {
	Listing string    `json:"listing"`
	Least   int       `json:"least"` // what it should have shown, at least
	Most    int       `json:"most"`  // and at most
	Found   int       `json:"found"` // what it showed, net of the sales known since
	Raised  bool      `json:"raised"`
	At      time.Time `json:"at"`
}

// anchor makes an anchor of a number shown at some moment between from and ackedAt.
func (t Tally) anchor(quantity int, from, ackedAt, channelAt time.Time) *Anchor {
	return &Anchor{
		Quantity: quantity, From: from, AckedAt: ackedAt, ChannelAt: channelAt,
		Sold: t.Sold, SoldAfter: t.soldAfter(channelAt), Restocked: t.Restocked,
	}
}

// ReadStarted records that the channel's number is about to be read. It is refused while a push is on its way,
// because the answer could mean before or after. The caller keeps Reading.ID of the new book for the answer.
func (b Book) ReadStarted(at time.Time) (Book, error) {
	if b.InFlight != nil {
		return b, errs.New(errs.Conflict, "allocation.ReadStarted", b.Listing, "A push is on its way; read after its answer.")
	}
	b = b.next()
	b.Reading = &Reading{ID: b.Revision, StartedAt: at}
	return b, nil
}

// ReadDone records the number the channel showed. It does nothing if reading id is not the one under way: a push was
// sent or another reading begun since. The number
// rules only after the barrier: until then a number too high may just be a cancellation we have not heard of.
func (b Book) ReadDone(id int64, quantity int, a Answer) Book {
	if b.Reading == nil || b.Reading.ID != id {
		return b
	}
	b = b.next()
	r := *b.Reading
	b.Reading = nil
	b.Anchor = r.Learned.anchor(quantity, r.StartedAt, a.At, a.ChannelAt)
	b.Anchor.Read = true
	if b.Demand != nil && !b.Demand.NotBefore.After(r.StartedAt) {
		b.Demand = nil
	}
	return b.found(a.At)
}

// found takes over what a fresh reading lets us believe without waiting for the barrier.
func (b Book) found(at time.Time) Book {
	b.Remaining = max(min(0, b.Anchor.Quantity), b.Anchor.Quantity-b.Anchor.SoldAfter)
	return b.openOrClose(at)
}

// ReadFailed records that reading id gave no number. It is asked for again from retryAt on.
func (b Book) ReadFailed(id int64, at, retryAt time.Time) Book {
	if b.Reading == nil || b.Reading.ID != id {
		return b
	}
	b = b.next()
	b.Reading = nil
	return b.demand(ReadScheduled, retryAt, at)
}

// SalesKnownUntil records the barrier: every sale and every cancellation the channel took before until (our clock) has
// been learned, because an order poll by update time that began then, or later, has been taken in completely. Where
// a channel lists orders late, the caller takes that lag off until. If a number confirmed or read before that
// is waiting, it becomes the new bound; a contradiction to what the book allowed is returned as drift.
func (b Book) SalesKnownUntil(until, at time.Time) (Book, *Drift) {
	if b.Anchor == nil || until.Before(b.Anchor.AckedAt) {
		return b, nil
	}
	b = b.next()
	a := *b.Anchor
	b.Anchor = nil
	live := b.Ghosts[:0]
	for _, g := range b.Ghosts {
		if a.From.Before(g.Expires) {
			live = append(live, g)
		}
	}
	b.Ghosts = live
	if len(b.Ghosts) == 0 {
		b.Ghosts = nil
	}
	b, drift := b.reconcile(a, at)
	return b.openOrClose(at), drift
}

// reconcile intersects the bounds of the book with those that follow from anchor a, all sales before which are known.
//
// The channel showed a.Quantity at a moment m. Since then it has sold at least the sales surely after m and at most
// all sales learned since a.From, and has put back at most the cancellations learned since a.From.
func (b Book) reconcile(a Anchor, at time.Time) (Book, *Drift) {
	most := max(0, a.Quantity) - a.SoldAfter + a.Restocked
	least := a.Quantity - a.Sold
	clean := b.InFlight == nil && len(b.Ghosts) == 0
	before := b
	var drift *Drift
	switch {
	case a.Relaxed:
		b.Exposure = most + b.pending()
	case least > b.Exposure:
		b.Exposure = most + b.pending()
		if clean {
			drift = &Drift{Listing: b.Listing, Least: max(0, before.Floor), Most: before.Exposure, Found: least, Raised: true, At: at}
		}
	case clean && b.FloorKnown && most < b.Floor:
		b.Exposure = most
		drift = &Drift{Listing: b.Listing, Least: before.Floor, Most: before.Exposure, Found: most, At: at}
	default:
		b.Exposure = min(b.Exposure, most+b.pending())
	}
	if drift == nil && b.FloorKnown {
		least = max(least, b.Floor)
	}
	b.Floor = least
	if clean {
		b.FloorKnown = true
		b.Remaining = max(0, b.Exposure)
		if a.Quantity < 0 {
			b.Remaining = a.Quantity
		}
	} else if b.InFlight != nil {
		b.InFlight.FloorKnown = len(b.Ghosts) == 0
	}
	if drift != nil {
		b.Repair, b.Told, b.Since = true, a.Quantity, at
	}
	return b, drift
}

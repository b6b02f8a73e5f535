package driver

import (
	"encoding/hex"
	"time"

	"github.com/spillway/spillway/domain/order"
)

// Seen is what is known of an order from its last snapshot: enough to tell from a cheap listing that the order has nothing new
// for stock, and little enough to be kept of every recent order. A cancelled order has the status order.Cancelled.
type Seen struct {
	UpdatedAt time.Time // the order's version on the channel
	// ReadAt is when the channel answered the question that told this; zero where nobody asked, as with a webhook. What was
	// read well after UpdatedAt cannot lack a later change of that same moment.
	ReadAt     time.Time
	Status     order.Status
	StatusText string // the channel's words
	Ordered    int64  // units of all lines, cancelled ones too
	Cancelled  int64  // of them, never to be sent
	Shipped    int64  // of them, sent
	// Content tells apart what the snapshots of one order said: all of it, but not when it was read. Zero where it is not known.
	Content Content
}

// Content is the first half of a fact's hash: enough to tell the states of one order apart.
type Content [16]byte

// SeenOf is what a snapshot leaves to be remembered; false for any other fact, and for one that cannot be used.
func SeenOf(f order.Fact) (Seen, bool) {
	if f.Kind != order.Snapshot || f.Detail == nil {
		return Seen{}, false
	}
	hash, err := f.Hash()
	if err != nil {
		return Seen{}, false
	}
	s := Seen{UpdatedAt: f.UpdatedAt, ReadAt: f.ReadAt, Status: f.Status, StatusText: f.StatusText}
	if _, err := hex.Decode(s.Content[:], []byte(hash[:hex.EncodedLen(len(s.Content))])); err != nil {
		return Seen{}, false
	}
	s.count(f.Detail.Lines)
	return s, true
}

// SeenIn is what the last snapshot of a stored order left; false where a later notice says more than it. When it was read is left out: a
// message's content is stored as true at the moment the channel sent it, which does not prove it.
func SeenIn(o *order.Order) (Seen, bool) {
	s := Seen{UpdatedAt: o.Version.At, Status: o.Version.Status, StatusText: o.StatusText}
	if o.NeedsDetail || !o.StatusAt.Equal(o.Version.At) || len(o.Version.Hash) < hex.EncodedLen(len(s.Content)) {
		return Seen{}, false
	}
	if _, err := hex.Decode(s.Content[:], []byte(o.Version.Hash[:hex.EncodedLen(len(s.Content))])); err != nil {
		return Seen{}, false
	}
	s.count(o.Lines)
	return s, true
}

// count counts the units of lines.
func (s *Seen) count(lines []order.Line) {
	for _, l := range lines {
		if len(l.Units) == 0 {
			s.Ordered, s.Cancelled, s.Shipped = s.Ordered+l.Qty, s.Cancelled+l.Cancelled, s.Shipped+l.Shipped
		}
		for _, u := range l.Units {
			s.Ordered++
			switch {
			case u.Cancelled || u.Status == order.Cancelled:
				s.Cancelled++
			case u.Status.Left():
				s.Shipped++
			}
		}
	}
}

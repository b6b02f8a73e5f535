package tracking

import (
	"slices"
	"strings"
	"time"

	"github.com/spillway/spillway/kit/errs"
)

// MaxEvents bounds what is kept of one parcel: carriers tell some twenty events of one, the longest ways a hundred. Of more the latest are kept,
// and the earliest label and scan.
const MaxEvents = 200

// Parcel is the history of one tracking number.
type Parcel struct {
	Carrier string  `json:"carrier"`          // code, as Match has it
	Number  string  `json:"number"`           // normalised
	Events  []Event `json:"events,omitempty"` // each once, in the order they happened
}

// NewParcel is a parcel nothing is known of. Errors: Invalid, if the number can be none.
func NewParcel(carrier, number string) (Parcel, error) {
	n := Normalise(number)
	if n == "" {
		return Parcel{}, errs.New(errs.Invalid, "tracking.NewParcel", "", "a tracking number has 1 to %d letters and digits", MaxNumber)
	}
	return Parcel{Carrier: carrier, Number: n}, nil
}

// Add is the parcel with events added, in whatever order they come and however often: the result is that of the set of all of them. It alters
// nothing. Errors: Invalid, with the event; then none is added.
func (p Parcel) Add(events ...Event) (Parcel, error) {
	more := make([]Event, 0, len(events))
	for _, e := range events {
		c, err := e.canonical()
		if err != nil {
			return Parcel{}, err
		}
		more = append(more, c)
	}
	p.Events = keep(append(more, p.Events...), MaxEvents)
	return p, nil
}

// Merge is what two histories of the same parcel know together. Errors: Conflict, if they are of different parcels.
func Merge(a, b Parcel) (Parcel, error) {
	if a.Carrier != b.Carrier || a.Number != b.Number {
		return Parcel{}, errs.New(errs.Conflict, "tracking.Merge", a.Number, "these are two parcels")
	}
	return a.Add(b.Events...)
}

// keep sorts events, leaves doubles out, and of more than the limit keeps the latest, together with the earliest label and the earliest scan. What
// it keeps of a union is what it keeps of the union of what it kept of the parts, so histories converge even beyond the limit.
func keep(events []Event, limit int) []Event {
	slices.SortFunc(events, Event.compare)
	events = slices.Compact(events)
	if len(events) <= limit {
		return events
	}
	early, late := events[:len(events)-limit], events[len(events)-limit:]
	var out []Event
	label := slices.IndexFunc(events, func(e Event) bool { return e.Status == LabelCreated })
	scan := slices.IndexFunc(events, func(e Event) bool { return e.Status.Scan() })
	for i, e := range early {
		if i == label || i == scan {
			out = append(out, e)
		}
	}
	return append(out, late...)
}

// State is how far a parcel is. Times that are not known are zero.
type State struct {
	Status      Status
	StatusAt    time.Time // since when it is so
	SaidAt      time.Time // the latest event that said so again
	LabelAt     time.Time // the earliest news of the label: no carrier has the parcel for that
	ScannedAt   time.Time // the first scan by a carrier, which is what dispatch and valid tracking are judged by
	LastScanAt  time.Time
	DeliveredAt time.Time // zero again if the delivery was taken back
	Scans       int       // moments at which it was scanned
	TakenBack   bool      // a delivery was told and taken back by a later event
}

// State works out how far the parcel is from all its events, in the order they happened: so an older event that comes late changes only what it is the
// first to tell.
//
// A delivery stands against later scans of its way, which stragglers and plants' clocks cause, but not against a later return; and once it is taken
// back by what cannot be after a delivery: a van, an attempt, a counter. What is delivered on its way back is with its sender.
func (p Parcel) State() State {
	s := State{Status: Unknown}
	for _, e := range p.Events {
		if e.Status == LabelCreated && s.LabelAt.IsZero() {
			s.LabelAt = e.At
		}
		if e.Status.Scan() {
			if s.ScannedAt.IsZero() {
				s.ScannedAt = e.At
			}
			if !e.At.Equal(s.LastScanAt) {
				s.Scans++
			}
			s.LastScanAt = e.At
		}
		s.step(e)
	}
	return s
}

// step moves the status on by the next event.
func (s *State) step(e Event) {
	next := e.Status
	switch {
	case next == Unknown, s.Status == Returned:
		return
	case s.Status == Returning:
		if next != Delivered && next != Returned {
			return
		}
		next = Returned
	case s.Status == Delivered:
		back := next == OutForDelivery || next == Attempted || next == ReadyForPickup
		if next != Returning && next != Returned && (!back || s.TakenBack) {
			return
		}
		s.TakenBack = s.TakenBack || back
		s.DeliveredAt = time.Time{}
	case (next == LabelCreated || next == Cancelled) && !s.ScannedAt.IsZero(), next == Accepted && s.Status.Scan():
		return // news of the label after the carrier had it, and a second acceptance, are no step back
	}
	s.SaidAt = e.At
	if next == s.Status {
		return
	}
	s.Status, s.StatusAt = next, e.At
	if next == Delivered {
		s.DeliveredAt = e.At
	}
}

// Upload is a number as a channel was told it.
type Upload struct {
	Carrier string    `json:"carrier"`
	Number  string    `json:"number"`
	At      time.Time `json:"at"`
}

// Told is what a channel was told of a parcel's number: first, and last. They differ after a correction, of which channels allow one.
type Told struct {
	First Upload `json:"first,omitzero"`
	Last  Upload `json:"last,omitzero"`
}

// Corrected reports whether the number the channel has is another than the first.
func (t Told) Corrected() bool {
	return t.First.Carrier != t.Last.Carrier || t.First.Number != t.Last.Number
}

// Join is both histories together: the earliest upload and the latest, in any order and however often.
func (t Told) Join(o Told) Told {
	if t.First.At.IsZero() || !o.First.At.IsZero() && o.First.compare(t.First) < 0 {
		t.First = o.First
	}
	if o.Last.compare(t.Last) > 0 {
		t.Last = o.Last
	}
	return t
}

func (u Upload) compare(o Upload) int {
	if c := u.At.Compare(o.At); c != 0 {
		return c
	}
	return strings.Compare(u.Carrier+"\n"+u.Number, o.Carrier+"\n"+o.Number)
}

// Tell is the history after the channel is told a number: the first time, again, or as the one correction, which must come within so long of the first
// (0: at any time). Errors: Conflict, if it was corrected already or it is too late; Invalid, if there is no number or time.
func (t Told) Tell(u Upload, within time.Duration) (Told, error) {
	u.Number = Normalise(u.Number)
	switch {
	case u.Number == "" || u.At.IsZero():
		return t, errs.New(errs.Invalid, "tracking.Tell", u.Number, "a channel is told a number at a time")
	case t.First.At.IsZero() || u.Carrier == t.Last.Carrier && u.Number == t.Last.Number:
	case t.Corrected():
		return t, errs.New(errs.Conflict, "tracking.Tell", u.Number, "the number was corrected before; the channel takes one correction")
	case within > 0 && u.At.After(t.First.At.Add(within)):
		return t, errs.New(errs.Conflict, "tracking.Tell", u.Number, "the channel takes a correction within %s of the first upload, at %s", within, t.First.At.UTC().Format(time.DateTime))
	}
	return t.Join(Told{First: u, Last: u}), nil
}

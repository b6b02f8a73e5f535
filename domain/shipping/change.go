package shipping

import (
	"slices"
	"strings"
	"time"

	"github.com/spillway/spillway/domain/tracking"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/kit/money"
)

// New makes a shipment of what is planned. Errors: Invalid.
func New(s Shipment) (*Shipment, error) {
	bad := func(format string, args ...any) (*Shipment, error) {
		return nil, errs.New(errs.Invalid, "shipping.New", s.ID, format, args...)
	}
	plain := func(r rune) bool {
		return r == '-' || r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z'
	}
	switch {
	case s.ID == "" || len(s.ID) > maxID || strings.ContainsFunc(s.ID, func(r rune) bool { return !plain(r) }):
		return bad("the id of a shipment has 1 to %d letters, digits and dashes", maxID)
	case len(s.Orders) == 0 || len(s.Orders) > MaxOrders:
		return bad("a parcel holds 1 to %d orders", MaxOrders)
	case len(s.Lines) == 0 || len(s.Lines) > MaxLines:
		return bad("a parcel holds 1 to %d lines", MaxLines)
	case s.Node == "" || s.ConnectionID == "":
		return bad("a shipment needs a node and the connection that sold it")
	case !slices.Contains(Ways, s.Way):
		return bad("%q is no way to ship: one of %v", s.Way, Ways)
	case s.Way == ByCarrier && s.Account == "", s.Way != ByCarrier && s.Way != ByProvider && s.Account != "":
		return bad("a shipment by %s and the account %q do not go together", s.Way, s.Account)
	}
	for _, l := range s.Lines {
		if l.Qty < 1 || !slices.Contains(s.Orders, l.OrderID) || l.ItemID == "" {
			return bad("a line needs an item, a quantity above 0 and one of the parcel's orders")
		}
	}
	s.Box, s.Label, s.Tell, s.Void, s.Package = nil, Label{}, Telling{}, Voiding{}, Package{Wanted: s.Package.Wanted}
	return &s, nil
}

// Pack says that the parcel is packed and weighed. Packed again before it is booked, the later box counts. Errors: Conflict.
func (s *Shipment) Pack(b Box) error {
	if s.Label.Fate != Never && s.Label.Fate != Refused {
		return s.conflict("Pack", "it has a label for the box it had; void that first")
	}
	if !s.Stopped.IsZero() {
		return s.conflict("Pack", "it is not to ship any more: %s", s.StopWhy)
	}
	if b.Grams <= 0 || b.LengthMM < 0 || b.WidthMM < 0 || b.HeightMM < 0 {
		return errs.New(errs.Invalid, "shipping.Pack", s.ID, "a parcel weighs something, and its sides are not below 0")
	}
	s.Box = &b
	if s.Label.Fate == Refused { // another box is another question
		s.Label.After, s.Label.Stuck = time.Time{}, false
	}
	return nil
}

// Begin is stored before a call of Next leaves. Whoever could store it makes the call; another worker that read the same shipment could not.
// Errors: Conflict if that call is not the next step.
func (s *Shipment) Begin(k StepKind, at time.Time, terms Terms) error {
	if next := s.Next(at); next.Kind != k || !next.Due(at) || !k.Calls() {
		return s.conflict("Begin", "%s is not what is to be done now", k)
	}
	c := s.call(k)
	*c = Call{Fate: Open, N: c.N + 1, Failures: c.Failures, At: at, Until: at.Add(CallTime + terms.Lifetime), Message: c.Message}
	return nil
}

func (s *Shipment) call(k StepKind) *Call {
	switch k {
	case Tell, Correct:
		return &s.Tell.Call
	case TakeBack:
		return &s.Void.Call
	case Fetch:
		return &s.Label.Fetch
	case Group, Seek:
		return &s.Package.Call
	}
	return &s.Label.Call
}

// Failures is how often a step failed since it last went on.
func (s *Shipment) Failures(k StepKind) int { return s.call(k).Failures }

// Lost says that the answer to a call was lost, or that reading failed: what is uncertain stays so.
func (s *Shipment) Lost(k StepKind, at time.Time, message string) {
	c := s.call(k)
	if c.Fate == Open {
		c.Fate = Unknown
	}
	if k.Calls() && k != Book && k != Group { // told or voided again it answers like the first time
		c.Fate = Refused
	}
	c.later(at, 0, s.Slack(at), message)
}

// Refuse says that a call was surely not carried out. after is how long the other side wants to be left alone. What the same call will never
// change is asked of a person.
func (s *Shipment) Refuse(k StepKind, at time.Time, after time.Duration, message string, hopeless bool) {
	c := s.call(k)
	if k != Find && k != Fetch && k != Seek {
		c.Fate = Refused
	}
	c.later(at, after, s.Slack(at), message)
	c.Stuck = c.Stuck || hopeless
}

// Booked says that the parcel is the shipper's business now, by the answer to the call or by reading.
func (s *Shipment) Booked(at time.Time, b Label) {
	b.Call = Call{Fate: Done, N: s.Label.N, At: s.Label.At}
	b.Document, b.Fetch, b.PartOf = s.Label.Document, s.Label.Fetch, s.Label.PartOf
	if b.Ref != s.Label.Ref { // another label is another document
		b.Document, b.Fetch = "", Call{}
	}
	if b.BookedAt.IsZero() {
		b.BookedAt = at
	}
	s.Label = b
}

// Pending says that the shipper has it and has not decided.
func (s *Shipment) Pending(at time.Time) {
	s.Label.Fate = Waiting
	s.Label.later(at, 0, s.Slack(at), "")
}

// NotFound says that reading found no booking. That is sure only when the call cannot be carried out any more.
func (s *Shipment) NotFound(at time.Time) { s.Label.notFound(at, s.Slack(at)) }

func (c *Call) notFound(at time.Time, slack time.Duration) {
	if at.Before(c.Until) {
		c.later(at, 0, slack, c.Message)
		c.After = earlier(c.After, c.Until)
		return
	}
	c.Fate = Refused
	c.After = at
}

// Stored says under which id the label's document is kept.
func (s *Shipment) Stored(document string) {
	s.Label.Document, s.Label.Fetch = document, Call{Fate: Done, N: s.Label.Fetch.N}
}

// Told says what the channel knows now.
func (s *Shipment) Told(at time.Time, tracking, pkg, warning string, corrections int) {
	fixed := s.Tell.Fixed
	if s.Tell.Tracking != "" && s.Tell.Tracking != tracking {
		fixed++
	}
	s.Tell = Telling{Call: Call{Fate: Done, N: s.Tell.N, At: at}, Tracking: tracking, Package: pkg, Warning: clip(warning), Corrections: corrections, Fixed: fixed}
	if tracking != s.Label.Tracking && corrections == 0 {
		s.Tell.Stuck, s.Tell.Message = true, "The channel knows another tracking number and lets nobody change it any more."
	}
}

// Voided says what became of a void: voided, asked, or refused, which leaves the label paid. A provider that refuses ships it, so it goes on.
func (s *Shipment) Voided(at time.Time, answer string) {
	s.Void.Call = Call{Fate: Done, N: s.Void.N, At: at}
	s.Void.Answer = clip(answer)
	if s.Way == ByProvider && answer == VoidRefused {
		s.Stopped = time.Time{}
	}
}

// VoidDone is the answer that a label is taken back, VoidRefused that it cannot be any more.
const (
	VoidDone    = "voided"
	VoidRefused = "refused"
)

// Relabel forgets a label that was taken back, so that another is made: for another box, carrier or account.
func (s *Shipment) Relabel() error {
	if s.Void.Fate != Done || s.Shipped() {
		return s.conflict("Relabel", "its label is not taken back, or it has left")
	}
	s.Label, s.Void, s.Stopped, s.StopWhy = Label{Call: Call{N: s.Label.N}}, Voiding{}, time.Time{}, ""
	return nil
}

// Scanned says under which number a parcel travels whose label was made elsewhere.
func (s *Shipment) Scanned(at time.Time, carrier, tracking string, price money.Amount) error {
	if s.Way != ByHand || !s.Stopped.IsZero() {
		return s.conflict("Scanned", "its label is not made elsewhere, or it is not to ship any more")
	}
	if tracking == "" || len(tracking) > maxText {
		return errs.New(errs.Invalid, "shipping.Scanned", s.ID, "scan the tracking number")
	}
	s.Booked(at, Label{Ref: tracking, Carrier: carrier, Tracking: tracking, Price: price})
	return nil
}

// HandOver says that the carrier has it. Errors: Conflict without a label.
func (s *Shipment) HandOver(at time.Time) error {
	if s.Label.Fate != Done {
		return s.conflict("HandOver", "it has no label")
	}
	if !s.Stopped.IsZero() && s.HandedOverAt.IsZero() {
		return s.conflict("HandOver", "it is not to ship any more: %s", s.StopWhy)
	}
	if s.HandedOverAt.IsZero() {
		s.HandedOverAt = at
	}
	return nil
}

// Left says that somebody outside has seen it on its way, whatever we think of it. Delivered is the zero time if it is not known to be.
func (s *Shipment) Left(seen, delivered time.Time) {
	if s.HandedOverAt.IsZero() {
		s.HandedOverAt = seen
	}
	if s.SeenAt.IsZero() {
		s.SeenAt = seen
	}
	if s.DeliveredAt.IsZero() {
		s.DeliveredAt = delivered
	}
}

// Follow adds what was told of the parcel on its way: whatever the order and however often, it comes to the same. The first physical scan is when it
// left. Errors: Invalid (too many events, or one that cannot be).
func (s *Shipment) Follow(events ...tracking.Event) error {
	var p tracking.Parcel
	var err error
	if s.Track != nil && s.Track.Number == tracking.Normalise(s.Label.Tracking) {
		p = *s.Track
	} else if p, err = tracking.NewParcel(carrierCode(s.Label.Carrier), s.Label.Tracking); err != nil {
		return err
	}
	if p, err = p.Add(events...); err != nil {
		return err
	}
	s.Track = &p
	if st := p.State(); !st.ScannedAt.IsZero() {
		s.Left(st.ScannedAt, st.DeliveredAt)
	}
	return nil
}

// carrierCode is how package tracking calls a carrier; empty: it does not know it.
func carrierCode(name string) string {
	if codes := tracking.Carriers(name); len(codes) > 0 {
		return codes[0]
	}
	return ""
}

// Except says that whoever ships it cannot go on without a person.
func (s *Shipment) Except(at time.Time, why string) {
	s.Label.Stuck, s.Label.Message, s.Label.After = true, clip(why), at
}

// Stop says that the parcel is not to ship any more, and why: its order was cancelled, or goes from elsewhere. What has left goes on.
func (s *Shipment) Stop(at time.Time, why string) {
	if s.Stopped.IsZero() && !s.Shipped() {
		s.Stopped, s.StopWhy = at, clip(why)
	}
}

// Answered says that a person has settled the question: what was refused is tried again.
func (s *Shipment) Answered(at time.Time) {
	for _, c := range []*Call{&s.Label.Call, &s.Label.Fetch, &s.Tell.Call, &s.Void.Call, &s.Package.Call} {
		if !c.unsure() {
			c.After, c.Failures, c.Stuck = at, 0, false
		}
	}
	if s.Package.Fate == Done && s.Label.Fate == Refused { // somebody may have split or combined it elsewhere meanwhile
		s.Package.Fate = Never
	}
}

// Pauses between tries of what fails: they double from the first to the last. The nearer the deadline, the shorter: waiting longer than a
// tenth of what is left would spend it.
const (
	firstPause = 2 * time.Second
	lastPause  = 5 * time.Minute
)

func (c *Call) later(at time.Time, after, slack time.Duration, message string) {
	pause := firstPause << min(c.Failures, 10)
	pause = min(pause, lastPause)
	if slack > 0 {
		pause = max(firstPause, min(pause, slack/10))
	}
	c.Failures++
	c.Stuck = c.N >= MaxAttempts
	c.After = at.Add(max(pause, after))
	c.Message = clip(message)
}

func (s *Shipment) conflict(op, format string, args ...any) error {
	return errs.New(errs.Conflict, "shipping."+op, s.ID, format, args...)
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

func clip(s string) string {
	if len(s) > maxText {
		return strings.ToValidUTF8(s[:maxText], "")
	}
	return s
}

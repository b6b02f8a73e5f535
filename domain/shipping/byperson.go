package shipping

import (
	"time"

	"github.com/spillway/spillway/domain/tracking"
	"github.com/spillway/spillway/kit/errs"
)

// ByPerson reports whether the provider of a parcel has no account here: a person sends it the order, and enters the number it gives.
func (s *Shipment) ByPerson() bool { return s.Way == ByProvider && s.Account == "" }

// Send says that a person sends the parcel's order to its provider: from now on nobody else does, and it goes from nowhere else. Errors: Conflict.
func (s *Shipment) Send(at time.Time) error {
	if !s.ByPerson() || s.Next(at).Kind != Send {
		return s.conflict("Send", "it does not wait to be sent by hand")
	}
	s.Label.N, s.Label.At = s.Label.N+1, at
	s.Booked(at, Label{Ref: s.ID})
	return nil
}

// Unsent says that its provider does not ship the parcel after all: it waits to be sent again or, if it is not to ship any more, that is settled. Errors:
// Conflict.
func (s *Shipment) Unsent(at time.Time) error {
	if !s.ByPerson() || s.Label.Fate != Done || s.Label.Tracking != "" || s.Closed() {
		return s.conflict("Unsent", "its provider does not have it, or has shipped it")
	}
	if !s.Stopped.IsZero() {
		s.Voided(at, VoidDone)
		return nil
	}
	s.Label = Label{}
	return nil
}

// Numbered says under which number its provider shipped the parcel, although it was to be stopped. Errors: Conflict, Invalid.
func (s *Shipment) Numbered(at time.Time, carrier, number string) error {
	switch {
	case !s.ByPerson() || s.Label.Fate != Done || s.Label.Tracking != "" || s.Closed():
		return s.conflict("Numbered", "it waits for no number: say first that it is sent, or correct the number it has")
	case number == "" || len(number) > tracking.MaxNumber || len(carrier) > maxText:
		return errs.New(errs.Invalid, "shipping.Numbered", s.ID, "a tracking number has 1 to %d letters and digits", tracking.MaxNumber)
	}
	if !s.Stopped.IsZero() {
		s.Voided(at, VoidRefused)
	}
	s.Label.Carrier, s.Label.Tracking, s.Label.Entered = carrier, number, true
	return s.HandOver(at)
}

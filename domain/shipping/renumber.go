package shipping

import (
	"time"

	"github.com/spillway/spillway/domain/tracking"
	"github.com/spillway/spillway/kit/errs"
)

// MayRenumber says whether another number may be entered for the parcel, and if not, why, in a sentence for people. What the channel was told can be
// changed only as often, and as long, as the channel allows.
func (s *Shipment) MayRenumber(at time.Time) (why string, may bool) {
	t := &s.Tell
	switch {
	case s.Way == ByPlatform:
		return "The platform makes this label and knows its number: nobody can change it.", false
	case s.Way == ByProvider && !s.ByPerson():
		return "The logistics provider gives this number: have it corrected there, and it is taken over.", false
	case s.Label.Fate != Done || s.Label.Tracking == "":
		return "It has no number yet: it is scanned when it is packed.", false
	case !s.Stopped.IsZero() && !s.Shipped():
		return "It is not to ship any more: " + s.StopWhy, false
	case !s.DeliveredAt.IsZero() && !s.trackSaid(s.DeliveredAt):
		return "It is delivered.", false
	case t.Fate == Open:
		return "The channel is just being told a number: look again in a minute.", false
	case t.Tracking == "":
		return "", true // nobody was told the wrong one
	case t.Corrections == 0 && t.Fixed > 0:
		return "The channel was told another number once already, and takes no second correction. It knows " + t.Tracking + ".", false
	case t.Corrections == 0:
		return "The channel takes no correction of " + t.Tracking + ".", false
	case !t.CorrectUntil.IsZero() && at.After(t.CorrectUntil):
		return "The channel took a correction until " + t.CorrectUntil.UTC().Format("2 January 15:04 UTC") + ". It knows " + t.Tracking + ".", false
	}
	return "", true
}

// Renumber says that the parcel travels under another number than was scanned, made or told. The channel is told it as a correction. What was heard of the
// number before was of another parcel, and is forgotten. Entered again it changes nothing; the number that the channel knows may always be entered again,
// which takes a refused correction back. Errors: Invalid, Conflict (see MayRenumber).
func (s *Shipment) Renumber(at time.Time, carrier, number string) error {
	number = tracking.Normalise(number)
	if number == "" || len(carrier) > maxText {
		return errs.New(errs.Invalid, "shipping.Renumber", s.ID, "a tracking number has 1 to %d letters and digits", tracking.MaxNumber)
	}
	if number == s.Label.Tracking && (carrier == "" || carrier == s.Label.Carrier) {
		return nil
	}
	if why, may := s.MayRenumber(at); !may && number != s.Tell.Tracking {
		return errs.New(errs.Conflict, "shipping.Renumber", s.ID, "%s", why)
	}
	s.forgetTrack()
	if s.Way == ByHand {
		s.Label.Ref = number
	}
	s.Label.Tracking, s.Label.Entered, s.Label.URL = number, true, ""
	if carrier != "" {
		s.Label.Carrier = carrier
	}
	s.Tell.After, s.Tell.Failures, s.Tell.Stuck, s.Tell.Message = at, 0, false, ""
	return nil
}

// trackSaid reports whether a moment is known only from what was told of the number.
func (s *Shipment) trackSaid(t time.Time) bool {
	if s.Track == nil {
		return false
	}
	st := s.Track.State()
	return t.Equal(st.DeliveredAt) || t.Equal(st.ScannedAt)
}

// forgetTrack forgets what was told of the number, and the moments that only it told.
func (s *Shipment) forgetTrack() {
	for _, t := range []*time.Time{&s.HandedOverAt, &s.SeenAt, &s.DeliveredAt} {
		if !t.IsZero() && s.trackSaid(*t) {
			*t = time.Time{}
		}
	}
	s.Track, s.Settled = nil, nil
}

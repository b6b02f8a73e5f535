package shipping

import (
	"strings"
	"time"

	"github.com/spillway/spillway/domain/policy/calendar"
	"github.com/spillway/spillway/domain/tracking"
)

// WatchedFor is how long after it counts as stuck a parcel is spoken of: carriers take claims for 60 days after posting (UPS, FedEx, USPS), so what
// nobody has settled by then no alert settles.
const WatchedFor = 60 * 24 * time.Hour

// Road is what was known of the way when the parcel was planned; zero: nothing.
type Road struct {
	Likely int    `json:"likely,omitzero"` // business days: usual
	Late   int    `json:"late,omitzero"`   // longer than nearly all take
	From   string `json:"from,omitzero"`   // what they rest on, in words
	Zone   string `json:"zone,omitzero"`   // IANA name of the node's, whose days are counted; empty: UTC
}

// Settled says that nobody waits for the parcel any more although it did not arrive: it was found, claimed or refunded.
type Settled struct {
	At  time.Time `json:"at"`
	By  string    `json:"by"`
	Why string    `json:"why"`
}

// Days knows the days on which a carrier, by its code, moves parcels that left from a zone; nil: every day counts. Making a calendar takes long, so
// the caller keeps them.
type Days func(carrier, zone string) *calendar.Calendar

// Watch says what is wrong with the parcel on its way or, if nothing is, what will be first if nothing more is heard, and from when on. What it
// says follows from what is stored alone, but for whether it is so already. False: there is nothing to wait for. It has not left, it is voided, stopped,
// delivered or returned, a person has settled it and nothing came since, or nobody tells of its way.
func (s *Shipment) Watch(days Days, at time.Time) (tracking.Finding, bool) {
	voided := s.Void.Answer != "" && s.Void.Answer != VoidRefused
	if s.Label.Fate != Done || !s.DeliveredAt.IsZero() || voided || !s.Stopped.IsZero() && !s.Shipped() {
		return tracking.Finding{}, false
	}
	var p tracking.Parcel
	if s.Track != nil && s.Track.Number == tracking.Normalise(s.Label.Tracking) { // what was told of a number it had before is of another parcel
		p = *s.Track
	}
	known := p.State()
	if known.Status.Over() || s.Settled != nil && !heardSince(p, s.Settled.At) {
		return tracking.Finding{}, false
	}
	if len(p.Events) == 0 && s.HandedOverAt.IsZero() { // most parcels: no calendar is needed for them
		return tracking.Finding{}, false
	}
	lane := tracking.Lane{Likely: s.Road.Likely, Late: s.Road.Late, From: s.Road.From, Calendar: days(carrierCode(s.Label.Carrier), s.Road.Zone)}
	patience := s.Terms().Patience
	if known.ScannedAt.IsZero() && !s.SeenAt.IsZero() { // the channel alone tells of it, and it tells no scans: silence means nothing
		if lane.Late == 0 {
			return tracking.Finding{}, false
		}
		patience.Silence = lane.Late + 1
		var err error
		if p, err = p.Add(tracking.Event{At: s.SeenAt, Status: tracking.Accepted, Source: "channel"}); err != nil {
			return tracking.Finding{}, false // a time no event can have
		}
	}
	return tracking.Watch(p, s.HandedOverAt, lane, patience, at)
}

// Terms are how long nothing may be heard of it, and on what that rests.
func (s *Shipment) Terms() tracking.Terms {
	carrier, service := s.Label.Carrier, s.Label.Service
	if carrier == "" {
		carrier, service = s.Carrier, s.Service
	}
	name := carrier + " " + service
	if strings.HasPrefix(strings.ToLower(service), strings.ToLower(carrier)) { // "UPS", "UPS Ground Saver"
		name = service
	}
	return tracking.TermsOf(carrierCode(carrier), name)
}

// Settle says that nobody waits for the parcel any more. What is heard of it later is looked at again. Errors: Conflict, if nothing is watched.
func (s *Shipment) Settle(days Days, at time.Time, by, why string) error {
	if _, watched := s.Watch(days, at); !watched {
		return s.conflict("Settle", "nothing is waited for")
	}
	s.Settled = &Settled{At: at, By: clip(by), Why: clip(why)}
	return nil
}

func heardSince(p tracking.Parcel, at time.Time) bool {
	return len(p.Events) > 0 && p.Events[len(p.Events)-1].At.After(at)
}

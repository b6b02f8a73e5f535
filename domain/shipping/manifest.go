package shipping

import "time"

// Listable reports whether the parcel's label can go on its carrier's manifest of the day that began at today. Carriers close what was labelled that day, by
// an account of the seller's, and neither taken back nor scanned by themselves. A number that somebody entered is of a label they do not have.
func (s *Shipment) Listable(today time.Time) bool {
	l := &s.Label
	switch {
	case s.Way != ByCarrier || l.Fate != Done || l.Ref == "" || l.Carrier == "" || l.Entered:
		return false
	case !s.Stopped.IsZero() && !s.Shipped() || s.Void.Fate != Never:
		return false
	}
	return !l.BookedAt.Before(today) && s.SeenAt.IsZero() && s.DeliveredAt.IsZero()
}

// TogetherFate is what became of a manifest or a bag that was asked for, by what is stored of it: where no answer came within the time of a call, that is not known.
func TogetherFate(stored Fate, asked, at time.Time) Fate {
	if stored == Open && at.Sub(asked) >= CallTime {
		return Unknown
	}
	return stored
}

// SureBy is when a call that was asked for at a moment is carried out, or never will be.
func (t Terms) SureBy(asked time.Time) time.Time { return asked.Add(CallTime + t.Lifetime) }

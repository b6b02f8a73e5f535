package tracking

import "time"

const (
	// AskFrom is how long before its deadline a parcel is first asked for by itself. Before that its shipper's list is soon enough.
	AskFrom = 6 * time.Hour
	// AskUntil is how long after its deadline it is asked for. What is later still was seen by people.
	AskUntil = 3 * 24 * time.Hour
	// askLeast is how long nothing must have been heard: most parcels ship, and are told, within minutes of each other.
	askLeast = 5 * time.Minute
	// askPart of the time that is left until the deadline is how long nothing must have been heard. It grows again behind it.
	askPart = 4
)

// AskAt is when a shipper is to be asked for one parcel by itself: a parcel it has and tells nothing of, heard of or asked for last at heard, that must
// have left by due. That is after a quarter of the time between heard and due, at least five minutes, and not before [AskFrom]: some ten questions before a
// deadline that comes near, and none while there is time. False: never.
func AskAt(heard, due time.Time) (time.Time, bool) {
	if heard.IsZero() || due.IsZero() {
		return time.Time{}, false
	}
	at := heard.Add(max(due.Sub(heard).Abs()/askPart, askLeast))
	if first := due.Add(-AskFrom); at.Before(first) {
		at = first
	}
	return at, !at.After(due.Add(AskUntil))
}

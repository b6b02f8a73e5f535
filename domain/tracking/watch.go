package tracking

import (
	"fmt"
	"strings"
	"time"

	"github.com/spillway/spillway/domain/policy/calendar"
)

// Trouble is a way in which a parcel is stuck.
type Trouble string

const (
	NoFirstScan Trouble = "no_first_scan" // the carrier fetched it, as far as we know, and never scanned it
	Silent      Trouble = "silent"        // scanned, and then nothing for too long
	Overdue     Trouble = "overdue"       // longer on the road than nearly all parcels of its lane
	VanTooLong  Trouble = "van_too_long"  // out for delivery, and nothing came of it
	NotRetried  Trouble = "not_retried"   // delivery was tried, and not again
	NotFetched  Trouble = "not_fetched"   // waits to be fetched, and goes back soon
	NotSolved   Trouble = "not_solved"    // the carrier has a trouble with it that nobody solved
	ComesBack   Trouble = "comes_back"    // it is on its way back to the sender
)

// Troubles lists every one.
var Troubles = []Trouble{NoFirstScan, Silent, Overdue, VanTooLong, NotRetried, NotFetched, NotSolved, ComesBack}

// Lane is what is expected of the way a parcel takes.
type Lane struct {
	Likely, Late int                // business days on the road: usual, and longer than nearly all take; 0: not known
	From         string             // what they rest on, in words
	Calendar     *calendar.Calendar // the days the carrier moves parcels; nil: every day
}

// Patience is how long nothing may be heard before a parcel counts as stuck.
type Patience struct {
	FirstScan int           // business days from the pick-up to the first scan
	Silence   int           // business days between scans; on long lanes half of the time they take late
	Van       time.Duration // from the scan that it is out for delivery
	Retry     int           // business days from an attempt to the next
	Counter   int           // business days to be fetched before it is said: carriers send back after five to fifteen days
	Solve     time.Duration // from a trouble of the carrier's
}

// UsualPatience is for parcels nobody set anything else for. The figures are ours: a scan at the latest on the business day after the pick-up, since
// platforms judge dispatch by it; a van is back at night; an attempt is repeated on the next business day.
var UsualPatience = Patience{FirstScan: 1, Silence: 3, Van: 18 * time.Hour, Retry: 2, Counter: 4, Solve: 24 * time.Hour}

// Finding is what is, or next would be, wrong with a parcel.
type Finding struct {
	Trouble Trouble
	Since   time.Time // the event it is counted from
	Due     time.Time // from when on it is stuck, if nothing more comes: the moment to look again
	Stuck   bool
	Unheard bool   // it would be stuck, but whoever would tell was not heard either: see Heard
	Why     string // one sentence for people
}

// Watch says what is wrong with a parcel at a moment or, if nothing is, what would be first if no more were heard. pickedUp is when the carrier
// fetched it, as far as we know; zero: not yet. False: there is nothing to wait for; it is over, or not handed over.
func Watch(p Parcel, pickedUp time.Time, lane Lane, patience Patience, at time.Time) (Finding, bool) {
	s := p.State()
	f := Finding{Since: s.StatusAt}
	switch s.Status {
	case Delivered, Returned, Cancelled:
		return Finding{}, false
	case Returning:
		f.Trouble, f.Due, f.Why = ComesBack, s.StatusAt, "It is on its way back to the sender since %s."
	case Exception:
		f.Trouble, f.Due, f.Why = NotSolved, s.StatusAt.Add(patience.Solve), "The carrier reports a trouble with it since %s."
	case OutForDelivery:
		f.Since = s.SaidAt // every morning on the van is a new try
		f.Trouble, f.Due, f.Why = VanTooLong, f.Since.Add(patience.Van), "It is out for delivery since %s."
	case Attempted:
		f.Since = s.SaidAt
		f.Trouble, f.Due, f.Why = NotRetried, lane.after(f.Since, patience.Retry), "Delivery was tried in vain on %s, and not again."
	case ReadyForPickup:
		f.Trouble, f.Due, f.Why = NotFetched, lane.after(s.StatusAt, patience.Counter), "It waits to be fetched since %s, and goes back if nobody comes."
	default:
		return watchMoving(s, pickedUp, lane, patience, at)
	}
	return f.at(at), true
}

// watchMoving is Watch for a parcel between label and door.
func watchMoving(s State, pickedUp time.Time, lane Lane, patience Patience, at time.Time) (Finding, bool) {
	if s.ScannedAt.IsZero() {
		if pickedUp.IsZero() {
			return Finding{}, false
		}
		f := Finding{Trouble: NoFirstScan, Since: pickedUp, Due: lane.after(pickedUp, patience.FirstScan), Why: "It was fetched on %s, and the carrier has not scanned it."}
		return f.at(at), true
	}
	f := Finding{Trouble: Silent, Since: s.LastScanAt, Due: lane.after(s.LastScanAt, max(patience.Silence, (lane.Late+1)/2)), Why: "The last scan was on %s."}
	if lane.Late > 0 {
		if due := lane.after(s.ScannedAt, lane.Late); due.Before(f.Due) {
			f = Finding{Trouble: Overdue, Since: s.ScannedAt, Due: due, Why: "It is on the road since %s. " + fmt.Sprintf("Usual are %d business days, and nearly all take at most %d (%s).", lane.Likely, lane.Late, lane.From)}
		}
	}
	return f.at(at), true
}

// at says whether the finding holds, and puts its moment into the sentence.
func (f Finding) at(at time.Time) Finding {
	f.Stuck = at.After(f.Due)
	f.Why = strings.Replace(f.Why, "%s", f.Since.UTC().Format("2 January 15:04 UTC"), 1) // what people wrote may stand behind it
	return f
}

// after is the end of the n-th business day after the day of t.
func (l Lane) after(t time.Time, n int) time.Time {
	if l.Calendar != nil {
		if due, ok := l.Calendar.Deadline(t, n); ok {
			return due
		}
	}
	return t.Add(time.Duration(n) * 24 * time.Hour)
}

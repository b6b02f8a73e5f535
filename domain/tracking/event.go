package tracking

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/spillway/spillway/kit/errs"
)

// Status is what an event says of a parcel, in the one vocabulary all sources are turned into.
type Status string

const (
	LabelCreated   Status = "label_created"    // there is a label; the carrier has nothing yet
	Accepted       Status = "accepted"         // first scan: the carrier has it
	InTransit      Status = "in_transit"       // on its way
	OutForDelivery Status = "out_for_delivery" // on the van to its receiver
	Attempted      Status = "attempted"        // delivery was tried in vain
	ReadyForPickup Status = "ready_for_pickup" // waits for its receiver at a counter or in a locker
	Delivered      Status = "delivered"
	Delayed        Status = "delayed"   // later than the carrier meant
	Exception      Status = "exception" // something has to be done: address, customs, damage, loss
	Returning      Status = "returning" // on its way back
	Returned       Status = "returned"  // back with its sender
	Cancelled      Status = "cancelled" // the label was given back
	Unknown        Status = "unknown"   // the source says nothing, or something its mapping does not know
)

// Statuses lists every status. Of two events of the same second the one whose status stands later here came later.
var Statuses = []Status{Unknown, Cancelled, LabelCreated, Accepted, InTransit, Delayed, Exception, OutForDelivery, Attempted, ReadyForPickup, Delivered, Returning, Returned}

// Scan reports whether only a carrier with the parcel in hand says so. A label, a delay or a trouble may be told of a parcel nobody has seen.
func (s Status) Scan() bool {
	switch s {
	case Accepted, InTransit, OutForDelivery, Attempted, ReadyForPickup, Delivered, Returning, Returned:
		return true
	}
	return false
}

// Over reports whether nothing more is waited for.
func (s Status) Over() bool { return s == Delivered || s == Returned || s == Cancelled }

// maxEventText bounds each text of an event: codes and cities are shorter.
const maxEventText = 120

// Years an event may be of; a time outside them is a source's mistake.
var (
	firstMoment = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	pastMoment  = time.Date(2101, 1, 1, 0, 0, 0, 0, time.UTC)
)

// Event is something a source told of a parcel. It has no words of the source's, which may name the receiver.
type Event struct {
	At     time.Time `json:"at"` // when it happened, in whole seconds
	Status Status    `json:"status"`
	Code   string    `json:"code,omitzero"`   // the source's own word for it
	Place  string    `json:"place,omitzero"`  // the carrier's plant, or a city: no finer
	Source string    `json:"source,omitzero"` // who told it
}

// canonical is the event in its one form. Errors: Invalid, if it has no status or time, or texts are too long.
func (e Event) canonical() (Event, error) {
	bad := func(format string, args ...any) (Event, error) {
		return Event{}, errs.New(errs.Invalid, "tracking.Event", e.Code, format, args...)
	}
	e.At = e.At.UTC().Truncate(time.Second)
	e.Code, e.Place, e.Source = strings.TrimSpace(e.Code), strings.TrimSpace(e.Place), strings.TrimSpace(e.Source)
	switch {
	case !slices.Contains(Statuses, e.Status):
		return bad("%q is no status of a parcel", e.Status)
	case e.At.Before(firstMoment) || !e.At.Before(pastMoment):
		return bad("an event is of the years 2000 to 2100")
	case max(len(e.Code), len(e.Place), len(e.Source)) > maxEventText:
		return bad("code, place and source of an event have at most %d bytes", maxEventText)
	}
	return e, nil
}

func (e Event) compare(o Event) int {
	return cmp.Or(e.At.Compare(o.At), cmp.Compare(slices.Index(Statuses, e.Status), slices.Index(Statuses, o.Status)),
		strings.Compare(e.Code, o.Code), strings.Compare(e.Place, o.Place), strings.Compare(e.Source, o.Source))
}

// Mapping turns a source's words into statuses: data of the package that reads the source.
type Mapping struct {
	Source string
	Rows   []Row
}

// Row is one word of a source, with the detail that makes it another status, if there is one. Capitals do not matter.
type Row struct {
	Code   string
	Detail string // "": whatever the detail
	Status Status
}

// Status is what a source's code and detail mean: the row with both, else the row of the code alone. False: neither is known, the status is Unknown, and
// the code is worth a look.
func (m Mapping) Status(code, detail string) (Status, bool) {
	status, known := Unknown, false
	for _, r := range m.Rows {
		switch {
		case !strings.EqualFold(r.Code, code):
		case r.Detail == "" && !known:
			status, known = r.Status, true
		case r.Detail != "" && strings.EqualFold(r.Detail, detail):
			return r.Status, true
		}
	}
	return status, known
}

// Check names the first row that cannot be: without a code, with a status that is none, or of which there are two. Errors: Invalid.
func (m Mapping) Check() error {
	for i, r := range m.Rows {
		same := func(o Row) bool { return strings.EqualFold(o.Code, r.Code) && strings.EqualFold(o.Detail, r.Detail) }
		if r.Code == "" || !slices.Contains(Statuses, r.Status) || slices.ContainsFunc(m.Rows[:i], same) {
			return errs.New(errs.Invalid, "tracking.Mapping", m.Source, "row %d (%s, %s) is not whole, has no status of ours, or is there twice", i+1, r.Code, r.Detail)
		}
	}
	return nil
}

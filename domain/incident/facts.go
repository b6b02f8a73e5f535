package incident

import (
	"time"

	"github.com/spillway/spillway/domain/alert"
)

// Facts are what a report tells besides the incident and its timeline.
type Facts struct {
	Began   time.Time // of the cause, by what is stored of it; zero: not known before it was seen
	Numbers []Number
}

// Number is a figure of the report. One that is not known says so, and why.
type Number struct{ Name, Value string }

// Add appends a number.
func (f *Facts) Add(name, value string) { f.Numbers = append(f.Numbers, Number{name, value}) }

// Milestones are the moments by which a report measures. Zero ones did not come.
type Milestones struct {
	Began, Seen, Opened time.Time
	Known               bool // Began is that of the cause, and not when it was seen first
	Told, Taken, Gone   time.Time
	Taker               string
}

// MilestonesOf finds the moments in an incident and its timeline.
func MilestonesOf(i alert.Incident, entries []alert.Entry, f Facts) Milestones {
	var back time.Time
	m := Milestones{Began: i.Since, Seen: i.Since, Opened: i.OpenedAt}
	if !f.Began.IsZero() && f.Began.Before(i.Since) {
		m.Began, m.Known = f.Began, true
	}
	for _, e := range entries {
		switch e.Kind {
		case alert.EntryDelivered:
			if m.Told.IsZero() || e.At.Before(m.Told) {
				m.Told = e.At
			}
		case alert.EntryAcknowledged:
			if m.Taken.IsZero() || e.At.Before(m.Taken) {
				m.Taken, m.Taker = e.At, e.Actor
			}
		case alert.EntryGone:
			if e.At.After(m.Gone) {
				m.Gone = e.At
			}
		case alert.EntryBack, alert.EntryReturned:
			if e.At.After(back) {
				back = e.At
			}
		}
	}
	if back.After(m.Gone) {
		m.Gone = time.Time{}
	}
	return m
}

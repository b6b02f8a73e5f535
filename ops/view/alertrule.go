package view

import "time"

// AlertRuleDraft is a filled-in form of how a kind of alert is treated. Numbers are texts as entered, so that what cannot be read is told by its
// field.
type AlertRuleDraft struct {
	ID             string // of the kind
	Reset          bool   // back to the program's own; the other fields say nothing
	On             bool
	Warn, Critical string // in hours, or times; empty: never
	Level          string // how loud it is, or at most; empty: as it comes
	Role           string
	After, Clear   string // minutes
	Quiet          string // in quiet hours: empty, "through" or "waits"
	Actor          string
}

// AlertRulePage is how one kind of alert is treated, and may be.
type AlertRulePage struct {
	At      time.Time
	Rule    AlertRule
	Now     AlertRuleDraft
	Default AlertRuleDraft
	Unit    string // of Warn and Critical: "hours", "times"; empty: it has no numbers to set
	Asks    string // "when no more than this is left"
	Judged  string // what it is judged by, where that is not set here
	Graded  bool   // it says by itself how loud it is: Level is the most
	Roles   []Option
	Levels  []Option
	Hushes  []Option
}

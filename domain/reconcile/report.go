package reconcile

import (
	"strings"
	"unicode"

	"github.com/spillway/spillway/domain/health"
	"github.com/spillway/spillway/domain/policy"
)

// Cause says why the two sides differ on an order. It is also the key of its text in the interface.
type Cause string

const (
	Agree           Cause = "agree"           // they do not
	NotTold         Cause = "not_told"        // their files do not say how they count this order
	UnknownHere     Cause = "unknown_here"    // in their files, and not known to us
	NotRead         Cause = "not_read"        // known to us by a notice only: its content was not read yet
	NotInFile       Cause = "not_in_file"     // we have it; their file of the same days does not
	TimeDiffers     Cause = "time"            // Field is a time that differs by Minutes
	DeadlineDiffers Cause = "deadline"        // Field is a deadline that differs by Minutes, or "implied"
	CancelDiffers   Cause = "cancellation"    // cancelled on one side only
	FaultDiffers    Cause = "fault"           // cancelled on both, by another's fault
	TrackingDiffers Cause = "tracking"        // other parcels or numbers, or a number only one side takes for valid
	SeveralDiffer   Cause = "several"         // only several facts together explain it; Field lists them
	ClassDiffers    Cause = "class"           // one side leaves such orders out; Field is the class
	OtherDefinition Cause = "definition"      // counted their way by the rule Field, which holds on other days
	OtherDay        Cause = "day"             // counted on another day, Field says in whose zone, or outside the period
	NotJudged       Cause = "not_judged"      // counted here, and not judged: Reason says what is missing
	Unexplained     Cause = "unexplained"     // nobody knows
	NoRule          Cause = "no_rule"         // our rules do not say how the metric is counted on that day
	OutsidePeriods  Cause = "outside_periods" // in their files, and in none of the periods compared
)

// Causes in the order in which they are shown.
var Causes = []Cause{Agree, UnknownHere, NotRead, NotInFile, TimeDiffers, DeadlineDiffers, CancelDiffers, FaultDiffers, TrackingDiffers, SeveralDiffer,
	ClassDiffers, OtherDefinition, OtherDay, NotJudged, Unexplained, NoRule, NotTold, OutsidePeriods}

// Side is how one side counts an order in a period.
type Side string

const (
	Against    Side = "against"     // the shop
	Fine       Side = "fine"        // counted, and not against the shop
	Unjudged   Side = "unjudged"    // counted, and not known which
	NotCounted Side = "not_counted" // not in this period, or not at all
	Unknown    Side = "unknown"     // the order is not known to this side
	Silent     Side = "not_told"    // the files do not say
)

// Line is one order in one period.
type Line struct {
	OrderID      string        `json:"order_id"` // the channel's
	Ours         Side          `json:"ours"`
	Theirs       Side          `json:"theirs"`
	Cause        Cause         `json:"cause"`
	Field        string        `json:"field,omitzero"`
	OursValue    string        `json:"ours_value,omitzero"`
	TheirsValue  string        `json:"theirs_value,omitzero"`
	Minutes      int64         `json:"minutes,omitzero"` // theirs less ours, whole ones
	Day          policy.Day    `json:"day,omitzero"`     // on which we count it
	Reason       health.Reason `json:"reason,omitzero"`  // why we count it against the shop
	TheirsReason string        `json:"theirs_reason,omitzero"`
	Place        Place         `json:"place,omitzero"`

	weight int64 // how much more counts against the shop here than there
	listed bool
}

// Sum is a rate as a fraction.
type Sum struct {
	Num      int64 `json:"num"`
	Den      int64 `json:"den"`
	Against  int64 `json:"against"`
	Unjudged int64 `json:"unjudged,omitzero"`
}

// Section is one metric in one period.
type Section struct {
	Metric   policy.Metric `json:"metric"`
	RateID   string        `json:"rate,omitzero"` // the definition it is counted by; empty: there is none
	From     policy.Day    `json:"from"`
	To       policy.Day    `json:"to"` // both included
	Ours     Sum           `json:"ours"`
	Theirs   *Figure       `json:"theirs,omitempty"`   // nil: no figure, only orders
	Listed   int64         `json:"listed"`             // orders they list as against the shop in this period
	Causes   []CauseCount  `json:"causes"`             // in the order of the list Causes; those that do not occur are left out
	Lines    []Line        `json:"lines,omitempty"`    // by order id; without those that agree, unless asked for
	Residual *int64        `json:"residual,omitempty"` // what the lines leave unexplained of the difference of the figures; nil: they gave no counts
}

// CauseCount is how many orders a cause explains.
type CauseCount struct {
	Cause Cause `json:"cause"`
	N     int64 `json:"n"`
}

// Report is the comparison.
type Report struct {
	Sections []Section `json:"sections"` // by metric and period
	// Outside is what of their files belongs to none of the periods: rows of orders, and entries of lists, whose metric is the Field.
	Outside []Line `json:"outside,omitempty"`
	Known   int64  `json:"known"` // orders of their files that we know
}

// plain is text without case, blanks and punctuation.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, s)
}

func hasAny(s string, words ...string) bool {
	for _, w := range words {
		if strings.Contains(s, w) {
			return true
		}
	}
	return false
}

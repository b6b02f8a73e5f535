package alert

import (
	"slices"
	"time"

	"github.com/spillway/spillway/kit/errs"
)

// Role is who looks after something.
type Role string

// Roles. Owner stands, in a step of an escalation, for the role in the kind's rule.
const (
	Owner       Role = "owner"
	Operations  Role = "operations" // the head of operations
	Warehouse   Role = "warehouse"  // the lead of the warehouse
	Marketing   Role = "marketing"
	Engineering Role = "engineering"
	Everyone    Role = "everyone" // a team's channel: told at the first step of everything
)

// Roles a target can have.
var Roles = []Role{Operations, Warehouse, Marketing, Engineering, Everyone}

// Rule is how one kind of trouble is treated.
type Rule struct {
	Kind     Kind          `json:"kind"`
	Title    string        `json:"title"`    // "Late dispatch forecast to breach"
	Many     string        `json:"many"`     // the same of several, after their number: "forecasts breach a limit"
	Severity Severity      `json:"severity"` // of signals that say none
	Owner    Role          `json:"owner"`
	After    time.Duration `json:"after"`        // how long it must last to count
	Clear    time.Duration `json:"clear"`        // how long it must be gone to be over; doubles with each return, up to maxClear
	Reopen   time.Duration `json:"reopen"`       // a return within it reopens the incident rather than begin another
	Off      bool          `json:"off,omitzero"` // it is not watched
	// Warn and Critical are from where on its figure is a warning and critical, in the unit of the kind's [Measure]; 0: it never is.
	Warn     int64 `json:"warn,omitzero"`
	Critical int64 `json:"critical,omitzero"`
	// Most is the most severe any of the kind may be; empty: as severe as it is.
	Most  Severity `json:"most,omitzero"`
	Quiet Hush     `json:"quiet,omitzero"`
}

// Hush says what becomes of a kind in people's quiet hours. The empty one: what is critical comes through.
type Hush string

// Hushes.
const (
	Through Hush = "through" // all of it comes through
	Waits   Hush = "waits"   // all of it waits until they end, what is critical too
)

// Hushes there are.
var Hushes = []Hush{"", Through, Waits}

// ComesThrough reports whether an incident of the kind with a severity is told in quiet hours.
func (r Rule) ComesThrough(s Severity) bool {
	return r.Quiet == Through || (s == Critical && r.Quiet != Waits)
}

// capped is a severity within what the rule allows.
func (r Rule) capped(s Severity) Severity {
	if r.Most != "" && s.rank() > r.Most.rank() {
		return r.Most
	}
	return s
}

// Measure is the figure by which a kind is judged, where an operator may say from where on it is wrong.
type Measure struct {
	Name  string // of what is entered, after "warning": "when this much time is left"
	Unit  Unit   // of Warn and Critical; Seconds are entered in hours
	Low   bool   // being below is what is wrong: Critical is the lower one
	Least int64  // what may be entered, besides 0 for never
	Most  int64
}

const leadTime = "when no more than this is left"

// seconds of days and hours, the unit of lead times.
const (
	hourS = int64(time.Hour / time.Second)
	dayS  = 24 * hourS
)

// measures of the kinds that have one. Rates and account ratings are judged by the channel's own limits, forecasts by the rule of the alarm.
var measures = map[Kind]Measure{
	StockAhead:     {leadTime, Seconds, true, hourS, 30 * dayS},
	TrackingUpload: {leadTime, Seconds, true, hourS, 7 * dayS},
	CancelAnswer:   {leadTime, Seconds, true, hourS, 7 * dayS},
	RefundAnswer:   {leadTime, Seconds, true, hourS, 7 * dayS},
	TokenExpiry:    {leadTime, Seconds, true, hourS, 60 * dayS},
	OrderSpike:     {"when orders are more than so many times their average", Times, false, 1_100, 1_000_000},
}

// MeasureOf is the figure a kind is judged by; false: it has none of its own to set.
func MeasureOf(k Kind) (Measure, bool) {
	m, ok := measures[k]
	return m, ok
}

// Graded reports whether what is seen of a kind says by itself how severe it is: an operator may only say how severe it is at most.
func Graded(k Kind) bool { return measures[k] != (Measure{}) || k == RateBreach || k == StuckParcel }

// Grade says how severe a figure of a kind with a [Measure] is. One exactly on a limit of time left has reached it; one on a number that must
// not be passed has not. fading: it is on the right side of all of them, and no further than margin from one.
func (r Rule) Grade(value, margin int64) (s Severity, fading, any bool) {
	limits := r.Limits()
	if measures[r.Kind].Low {
		value-- // reached is passed
	}
	passed, fading, any := Reading{Figure: Figure{Value: value}, Limits: limits, Low: measures[r.Kind].Low, Margin: margin}.Judge()
	return passed.Severity, fading, any
}

// Limits are those of a reading of the kind's figure.
func (r Rule) Limits() (out []Limit) {
	for _, l := range []Limit{{"warning", r.Warn, Warning}, {"critical", r.Critical, Critical}} {
		if l.Value > 0 {
			out = append(out, l)
		}
	}
	return out
}

// maxClear bounds how long a cause that comes and goes is taken to be there still: a shift.
const maxClear = 8 * time.Hour

const (
	minute = time.Minute
	hour   = time.Hour
)

// Rules is what holds where the operator has said nothing else. Times are ours: long enough that a channel's hiccup, a restart or a
// redelivery wakes nobody, short enough to leave the hours in which something can be done.
func Rules() []Rule {
	return []Rule{
		{Kind: RateBreach, Title: "A rate is past its limit", Many: "rates are past their limits", Severity: Warning, Owner: Operations, After: 2 * minute, Clear: 30 * minute, Reopen: 24 * hour},
		{Kind: Forecast, Title: "A rate is forecast to pass its limit", Many: "rates are forecast to pass their limits", Severity: Critical, Owner: Operations, After: 5 * minute, Clear: 30 * minute, Reopen: 24 * hour},
		{Kind: AccountRating, Title: "The account rating is low", Many: "account ratings are low", Severity: Warning, Owner: Operations, Clear: hour, Reopen: 24 * hour},
		{Kind: StockAhead, Title: "Stock runs out", Many: "items run out of stock", Severity: Warning, Owner: Marketing, After: 15 * minute, Clear: hour, Reopen: 24 * hour, Warn: 2 * dayS},
		{Kind: Short, Title: "Units were promised that are not there", Many: "shops have promised units that are not there", Severity: Critical, Owner: Warehouse, After: 2 * minute, Clear: 10 * minute, Reopen: 6 * hour},
		{Kind: OrderSpike, Title: "Orders are far above their average", Many: "shops have far more orders than usual", Severity: Critical, Owner: Operations, After: 2 * minute, Clear: 2 * hour, Reopen: 24 * hour, Critical: 3_000},
		{Kind: TrackingUpload, Title: "Tracking numbers are missing", Many: "shops have orders without a tracking number", Severity: Warning, Owner: Warehouse, After: 10 * minute, Clear: 10 * minute, Reopen: 6 * hour, Warn: 12 * hourS, Critical: 2 * hourS},
		{Kind: StuckParcel, Title: "A parcel is stuck", Many: "parcels are stuck", Severity: Warning, Owner: Operations, Clear: 5 * minute, Reopen: 24 * hour},
		{Kind: CarrierUnheard, Title: "A carrier account tells nothing", Many: "carrier accounts tell nothing", Severity: Warning, Owner: Engineering, After: 3 * minute, Clear: 5 * minute, Reopen: 24 * hour},
		{Kind: CancelAnswer, Title: "Requests to cancel want an answer", Many: "shops have requests to cancel without an answer", Severity: Warning, Owner: Operations, Clear: 5 * minute, Reopen: 6 * hour, Warn: 12 * hourS, Critical: 3 * hourS},
		{Kind: RefundAnswer, Title: "Refunds want an answer", Many: "shops have refunds without an answer", Severity: Warning, Owner: Operations, Clear: 5 * minute, Reopen: 6 * hour, Warn: 12 * hourS, Critical: 3 * hourS},
		{Kind: LateOrders, Title: "Orders are past a deadline", Many: "shops have orders past a deadline", Severity: Warning, Owner: Warehouse, After: 5 * minute, Clear: 15 * minute, Reopen: 12 * hour},
		{Kind: KeptStock, Title: "A provider counts other stock", Many: "providers count other stock", Severity: Warning, Owner: Warehouse, After: 30 * minute, Clear: 30 * minute, Reopen: 24 * hour},
		{Kind: Drift, Title: "A channel shows other numbers than it was told", Many: "channels show other numbers than they were told", Severity: Warning, Owner: Engineering, After: 10 * minute, Clear: 30 * minute, Reopen: 12 * hour},
		{Kind: ConnectionDown, Title: "A channel cannot be worked", Many: "channels cannot be worked", Severity: Critical, Owner: Engineering, After: 3 * minute, Clear: 5 * minute, Reopen: 6 * hour},
		{Kind: TokenExpiry, Title: "A login ends", Many: "logins end", Severity: Warning, Owner: Engineering, Clear: 5 * minute, Reopen: 24 * hour, Warn: 7 * dayS, Critical: 2 * dayS},
		{Kind: InboxStuck, Title: "Messages are not taken in", Many: "channels' messages are not taken in", Severity: Critical, Owner: Engineering, After: 5 * minute, Clear: 5 * minute, Reopen: 6 * hour},
		{Kind: PushStuck, Title: "Numbers are not told", Many: "channels are not told their numbers", Severity: Critical, Owner: Engineering, After: 10 * minute, Clear: 5 * minute, Reopen: 6 * hour},
		{Kind: Upkeep, Title: "The database is not kept in shape", Many: "databases are not kept in shape", Severity: Warning, Owner: Engineering, Clear: 10 * minute, Reopen: 24 * hour},
		{Kind: Ledger, Title: "The journal does not prove", Many: "journals do not prove", Severity: Critical, Owner: Engineering, Clear: 10 * minute, Reopen: 24 * hour},
		{Kind: Notify, Title: "Alerts do not arrive", Many: "people cannot be told", Severity: Warning, Owner: Engineering, Clear: 10 * minute, Reopen: 24 * hour},
	}
}

// clearTime is how long an incident's cause must be gone: the more often it came back, the longer.
func (r Rule) clearTime(returns int) time.Duration {
	d := r.Clear
	for range returns {
		if d *= 2; d >= maxClear {
			return max(maxClear, r.Clear)
		}
	}
	return d
}

// Bounds of a rule's times: what lasts longer before anybody hears of it, or stays open longer after it is gone, is as good as not watched.
const maxAfter, longestClear = 24 * time.Hour, 7 * 24 * time.Hour

// Check refuses what cannot be meant and names the field. Errors: Invalid.
func (r Rule) Check() error {
	bad := func(field, format string, args ...any) error {
		return errs.New(errs.Invalid, "alert.Rule", field, format, args...)
	}
	if !Known(r.Kind) {
		return bad("kind", "there is no kind of alert %q", r.Kind)
	}
	switch {
	case r.Severity.rank() < 0:
		return bad("severity", "there is no severity %q", r.Severity)
	case r.Most != "" && r.Most.rank() < 0:
		return bad("most", "there is no severity %q", r.Most)
	case !slices.Contains(Roles, r.Owner):
		return bad("owner", "there is no role %q; it is one of %v", r.Owner, Roles)
	case !slices.Contains(Hushes, r.Quiet):
		return bad("quiet", "is “through”, “waits” or nothing, not %q", r.Quiet)
	case r.After < 0 || r.After > maxAfter:
		return bad("after", "is between nothing and %s", maxAfter)
	case r.Clear < 0 || r.Clear > longestClear:
		return bad("clear", "is between nothing and %s", longestClear)
	case r.Reopen < 0 || r.Reopen > Remembered:
		return bad("reopen", "is between nothing and %s", Remembered)
	}
	return r.checkLimits(bad)
}

func (r Rule) checkLimits(bad func(field, format string, args ...any) error) error {
	m, any := MeasureOf(r.Kind)
	if !any {
		if r.Warn != 0 || r.Critical != 0 {
			return bad("warn", "this kind has no number of its own to set")
		}
		return nil
	}
	for _, l := range []struct {
		field string
		value int64
	}{{"warn", r.Warn}, {"critical", r.Critical}} {
		if l.value != 0 && (l.value < m.Least || l.value > m.Most) {
			return bad(l.field, "is between %s and %s, or 0 for never", Figure{Value: m.Least, Unit: m.Unit}.Text(), Figure{Value: m.Most, Unit: m.Unit}.Text())
		}
	}
	switch {
	case r.Warn == 0 && r.Critical == 0:
		return bad("warn", "needs a number here or at “critical”; to watch it no longer, switch it off")
	case r.Warn == 0 || r.Critical == 0:
	case m.Low && r.Critical >= r.Warn:
		return bad("critical", "must be less than the warning: it comes after it")
	case !m.Low && r.Critical <= r.Warn:
		return bad("critical", "must be more than the warning: it comes after it")
	}
	return nil
}

// Known reports whether there is a kind.
func Known(k Kind) bool {
	return slices.ContainsFunc(Rules(), func(r Rule) bool { return r.Kind == k })
}

package alert

import "time"

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
		{RateBreach, "A rate is past its limit", "rates are past their limits", Warning, Operations, 2 * minute, 30 * minute, 24 * hour, false},
		{Forecast, "A rate is forecast to pass its limit", "rates are forecast to pass their limits", Critical, Operations, 5 * minute, 30 * minute, 24 * hour, false},
		{AccountRating, "The account rating is near a milestone", "account ratings are near a milestone", Warning, Operations, 0, hour, 24 * hour, false},
		{StockAhead, "Stock runs out", "items run out of stock", Warning, Marketing, 15 * minute, hour, 24 * hour, false},
		{Short, "Units were promised that are not there", "items are promised and not there", Critical, Warehouse, 2 * minute, 10 * minute, 6 * hour, false},
		{OrderSpike, "Orders are far above their average", "shops have far more orders than usual", Critical, Operations, 2 * minute, 2 * hour, 24 * hour, false},
		{TrackingUpload, "Tracking numbers cannot be told", "channels do not take tracking numbers", Critical, Engineering, 10 * minute, 10 * minute, 6 * hour, false},
		{CancelAnswer, "Requests to cancel want an answer", "shops have requests to cancel without an answer", Warning, Operations, 0, 5 * minute, 6 * hour, false},
		{RefundAnswer, "Refunds want an answer", "shops have refunds without an answer", Warning, Operations, 0, 5 * minute, 6 * hour, false},
		{DisputeAnswer, "Disputes want an answer", "shops have disputes without an answer", Warning, Operations, 0, 5 * minute, 6 * hour, false},
		{LateOrders, "Orders are past a deadline", "shops have orders past a deadline", Warning, Warehouse, 5 * minute, 15 * minute, 12 * hour, false},
		{Drift, "A channel shows other numbers than it was told", "channels show other numbers than they were told", Warning, Engineering, 10 * minute, 30 * minute, 12 * hour, false},
		{ConnectionDown, "A channel cannot be worked", "channels cannot be worked", Critical, Engineering, 3 * minute, 5 * minute, 6 * hour, false},
		{TokenExpiry, "A login ends", "logins end", Warning, Engineering, 0, 5 * minute, 24 * hour, false},
		{InboxStuck, "Messages are not taken in", "channels' messages are not taken in", Critical, Engineering, 5 * minute, 5 * minute, 6 * hour, false},
		{PushStuck, "Numbers are not told", "channels are not told their numbers", Critical, Engineering, 10 * minute, 5 * minute, 6 * hour, false},
		{Upkeep, "The database is not kept in shape", "databases are not kept in shape", Warning, Engineering, 0, 10 * minute, 24 * hour, false},
		{Ledger, "The journal does not prove", "journals do not prove", Critical, Engineering, 0, 10 * minute, 24 * hour, false},
		{Notify, "Alerts do not arrive", "people cannot be told", Warning, Engineering, 0, 10 * minute, 24 * hour, false},
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

// Package calendar is business time: days in a zone, the days on which business is done, and the moment a deadline of so many of them falls on.
// It is used only where a sales channel gives no deadline of its own; the channel's word wins.
//
// It promises: a day begins and ends at the right moment in every zone, clock changes at midnight included; a deadline is the last second
// of its day; the day a count starts from is not counted. Holidays of the United States are computed by rule, as federal offices and, apart from
// them, as the Postal Service observes them. No other country's holidays are known here: they are closures that the operator adds, and
// until then a calendar of that country counts them as business days.
//
// It reads no clock and no file, and imports none of our packages.
package calendar

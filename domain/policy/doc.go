// Package policy is what a sales channel demands of a shop, as dated data: how each rate is counted, where its limits lie, how long an order
// may take, what an account's points open and close, which ways of shipping are allowed, what is charged. A rule set is one market's; every
// number in it has a date from which it holds, a source and how sure we are of it.
//
// It promises: a rule set that was decoded is whole and consistent (Decode is strict); any day can be judged by the rules of that day; a gap
// is told as a gap and never filled with a guess. Times of day, business days and zones are package policy/calendar's.
//
// It knows no vendor (their rule sets come with their connectors), reads no clock and no file.
package policy

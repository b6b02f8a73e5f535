// Package health judges a shop by the rules of its sales channel: which orders count in which rate on which day and why, what a rate is on any
// day, how far its limits are, and what is known of the account's points.
//
// It promises: what an order adds to the rates is a pure function of the order and the rule set ([Judge]), and a change of the order is the
// difference of two of those ([Batch]). Differences add up in any order, so figures kept as they come equal figures counted anew. All is judged
// in whole numbers. That nothing was counted, that no rule is known for a day, or that orders could not be judged are states of their own and
// never a good one.
//
// It knows no vendor, reads no clock and must not import stores, connectors or HTTP.
package health

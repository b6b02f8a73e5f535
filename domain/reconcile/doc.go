// Package reconcile sets what a sales channel says of a shop's rates beside what we count, and says for every order on which the two differ why
// they do: an order we do not know, a time that differs, a deadline, a class that is left out, a day cut in another zone, a cancellation laid at
// another door, a definition of another date.
//
// It promises that every order of either side is accounted for exactly once in each period it belongs to, that a cause is only named when putting
// the channel's version in the place of ours makes our judgement theirs (what no version explains is told as unexplained), and that the order
// in which our orders are handed in does not matter.
//
// It reads no file, no clock and no database, and knows no vendor.
package reconcile

// Package stock is the ledger: how many whole units of each item are where, to whom they are promised, and why.
//
// It promises that stock changes only by appending a [Movement]; that a [Balance] is the sum of its movements and [Check] proves it;
// that for every item and location
//
//	0 ≤ reserved,  0 ≤ damaged,  reserved + damaged ≤ on hand,  reserved = Σ held of the reservations there,
//	available to promise = on hand − reserved − damaged ≥ 0
//
// hold after every single movement; and that telling it the same demand twice changes nothing the second time.
// A [Book] is the working set of one batch: it decides, and collects what is to be saved. What is promised and not there is a
// short (a backorder), counted in the open, never a negative balance.
//
// It is pure: no database, network, clock, randomness or logging. Times and ids are handed in.
package stock

// Package order is the canonical order: what a channel said was sold, how far it is, by when the seller must act and
// what that means for stock.
//
// It promises that the order known after any set of facts depends on the set only: late, doubled and swapped facts end
// in the same order ([Merge] is a join: commutative, associative, idempotent), and a lost notice is made good by the next
// full snapshot. Everything else here ([Demand], [MayShip], [Slack]) is a function of that merged order.
//
// The platform's word is taken as it is: deadlines are its fields, never computed; a move its own table does not know
// is recorded as an anomaly and followed all the same. Personal data is not here: an order carries a hash of its buyer.
//
// The package is pure. It must not import stores, connectors, HTTP, clocks, randomness or logging.
package order

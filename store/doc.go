// Package store keeps everything that must not be lost: in one SQLite file by default, or in a PostgreSQL database shared by several
// processes. A [Store] is opened by URL; [Store.Update] and [Store.View] run a function in a transaction; the verbs are methods of [Tx],
// named noun first (Items…, Listings…, Balances…, Movements…, Ledger…, Orders…, Events…, Inbox…, Books…, Holds…, …).
//
// It promises the same behaviour on both databases (package storetest is the proof), that what Update acknowledged is on disk, and that
// what cannot be kept is refused, not changed.
//
// It must not import ops, connectors, api or web.
package store

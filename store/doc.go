// Package store keeps everything that must not be lost: in SQLite by default, or in a PostgreSQL database shared by several processes. A
// [Store] is opened by URL; [Store.Update] and [Store.View] run a function in a transaction; the verbs are methods of [Tx], named noun
// first (Items…, Listings…, Balances…, Movements…, Ledger…, Orders…, Events…, Books…, Holds…, …). The inbox has transactions of its
// own, [Store.UpdateInbox] and [Store.ViewInbox] with the verbs of [InboxTx]: SQLite keeps it in a second file with a second writer, so
// that a webhook is answered while orders are taken in.
//
// It promises the same behaviour on both databases (package storetest is the proof), that what Update acknowledged is on disk, and that
// what cannot be kept is refused, not changed.
//
// It must not import ops, connectors, api or web.
package store

// Package stream carries what is committed to other processes and programs over NATS JetStream, and keeps webhooks while the database is away.
//
//	Relay    the event log, followed by the store's cursor, is published: one message for many events, each acknowledged from disk
//	Consume  calls a handler with events in order; what it cannot do is tried again, then set aside where a person sees it
//	Wakes    content-free notices that something changed, for live pages in any process
//	Shelter  webhooks that the database cannot take are kept, one synced message a batch, and moved into the inbox afterwards
//
// It promises that nothing here is ever the record: the database is. NATS away delays readers and loses nothing; the program starts and runs
// without it. Every event is published at least once; readers are idempotent by an event's id.
//
// It must not import ops, connectors, api or web.
package stream

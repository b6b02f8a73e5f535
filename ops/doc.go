// Package ops is the use-cases: what happens across domains, one transaction each, in batches where it is hot.
//
//	Receive   a webhook is verified and stored before it is answered
//	Intake    facts about orders become orders, reservations, exposure and events, in one transaction a batch
//	plan      listings are compared with what they should be told, and pushes are decided
//	push      pushes are applied by one worker per connection, and their fate is recorded
//	sweep     the reconciliation poll: the safety net and the barrier that ends uncertainty
//
// It owns transactions and the goroutines that drive them. Rules are in domain, words of vendors in connector, SQL in store.
// It never names a vendor and reads no clock but the one it is given.
package ops

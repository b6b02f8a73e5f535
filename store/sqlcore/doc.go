// Package sqlcore is what both databases share: the verbs of a transaction, one file per noun, and the SQL they run. Package store is the
// door to it; the packages sqlite and postgres bring connections, locking, migrations and error mapping through [Engine].
//
// It promises that a verb means the same on both databases (package storetest holds them to it), that every statement is a constant
// that a test prepares on both, and that text no database can keep is refused as Invalid by both.
//
// It knows the domain's types and rules and keeps none itself. It must not import connectors, web, api or ops.
package sqlcore

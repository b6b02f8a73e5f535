// Package storetest is the suite that every database must pass: [Exercise] runs it on empty databases that the caller makes. The same
// cases run on SQLite and on PostgreSQL, the concurrent ones too, since SQLite alone would hide every mistake of locking.
//
// It is imported by tests only.
package storetest

// Package sqlite opens the embedded database: a file, and one for the inbox beside it. Each has one writer connection, a few read-only
// readers and a write-ahead log. Commits share flushes: each is on disk before it is acknowledged, and before a reader who saw it
// is answered. It needs no cgo and no other process.
//
// It promises what package sqlcore asks of an engine. Only package store and tests import it.
package sqlite

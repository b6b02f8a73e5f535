// Package sqlite opens the embedded database: a file, and one for the inbox beside it. Each has one writer connection, a few read-only
// readers, a write-ahead log, and every commit on disk before it is acknowledged. It needs no cgo and no other process.
//
// It promises what package sqlcore asks of an engine. Only package store and tests import it.
package sqlite

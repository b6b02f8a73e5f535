// Package sqlite opens the embedded database: one file, one writer connection, a few read-only readers, write-ahead log, every commit
// on disk before it is acknowledged. It needs no cgo and no other process.
//
// It promises what package sqlcore asks of an engine. Only package store and tests import it.
package sqlite

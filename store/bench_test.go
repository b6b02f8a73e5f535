package store_test

import (
	"testing"

	"github.com/spillway/spillway/internal/pgtest"
	"github.com/spillway/spillway/store/storetest"
)

func BenchmarkSQLite(b *testing.B) { storetest.Bench(b, sqliteFile) }

// PostgreSQL here runs with fsync off: the figures show statements and round trips, not the disk.
func BenchmarkPostgres(b *testing.B) { storetest.Bench(b, pgtest.Start) }

func BenchmarkInboxSQLite(b *testing.B) { storetest.BenchInbox(b, sqliteFile) }

func BenchmarkInboxPostgres(b *testing.B) { storetest.BenchInbox(b, pgtest.Start) }

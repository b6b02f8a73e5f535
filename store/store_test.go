package store_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/spillway/spillway/internal/pgtest"
	"github.com/spillway/spillway/store/storetest"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

func TestSQLite(t *testing.T) {
	storetest.Exercise(t, func(tb testing.TB) string { return "sqlite:" + filepath.Join(tb.TempDir(), "spillway.db") })
}

func TestPostgres(t *testing.T) {
	storetest.Exercise(t, pgtest.Start)
}

package sqlite

import (
	"os"
	"path/filepath"
	"testing"
)

// A closed database is one file: somebody copies it, or another program opens it for itself.
func TestCloseFoldsTheLogAndLetsGo(t *testing.T) {
	path := filepath.Join(t.TempDir(), "close.db")
	engine, err := Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	if err := engine.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, readOnly := range []bool{true, false} {
		run, err := engine.Begin(t.Context(), readOnly)
		if err != nil {
			t.Fatal(err)
		}
		if !readOnly {
			if _, err := run.Exec(t.Context(), "INSERT INTO setting VALUES ('a', 'b')"); err != nil {
				t.Fatal(err)
			}
		}
		if err := run.Commit(t.Context(), func() {}); err != nil {
			t.Fatal(err)
		}
	}
	if err := engine.Close(); err != nil {
		t.Fatal(err)
	}
	for _, left := range []string{"-wal", "-shm"} {
		if _, err := os.Stat(path + left); !os.IsNotExist(err) {
			t.Errorf("%s is left: %v", left, err)
		}
	}
	if _, err := engine.Begin(t.Context(), false); err == nil {
		t.Error("a closed database began a transaction")
	}
}

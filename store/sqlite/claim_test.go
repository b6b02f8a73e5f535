package sqlite

import (
	"path/filepath"
	"testing"

	"github.com/spillway/spillway/kit/errs"
)

func TestOneProgramRunsOnAFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.db")
	first, err := Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	second, err := Open(t.Context(), path) // tools may
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close()
	release, err := first.Claim()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := second.Claim(); !errs.Is(err, errs.Conflict) {
		t.Fatalf("a second program on the file: %v", err)
	}
	if err := release(); err != nil {
		t.Fatal(err)
	}
	again, err := second.Claim()
	if err != nil {
		t.Fatal(err)
	}
	if err := again(); err != nil {
		t.Fatal(err)
	}
}

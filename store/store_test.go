package store_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/spillway/spillway/internal/pgtest"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/store"
	"github.com/spillway/spillway/store/storetest"
)

func TestMain(m *testing.M) {
	storetest.CrashMain()
	moveMain()
	os.Exit(pgtest.Main(m))
}

func sqliteFile(tb testing.TB) string { return "sqlite:" + filepath.Join(tb.TempDir(), "spillway.db") }

func TestSQLite(t *testing.T) { storetest.Exercise(t, sqliteFile) }

func TestPostgres(t *testing.T) { storetest.Exercise(t, pgtest.Start) }

func TestSQLiteSurvivesKills(t *testing.T) { storetest.Crash(t, sqliteFile) }

func TestPostgresSurvivesKills(t *testing.T) { storetest.Crash(t, pgtest.Start) }

func TestOpenSaysWhatIsWrong(t *testing.T) {
	file := filepath.Join(t.TempDir(), "text.db")
	if err := os.WriteFile(file, []byte("This is not a database, but long enough to be taken for one if nobody looked closely. "), 0o600); err != nil {
		t.Fatal(err)
	}
	for url, kind := range map[string]errs.Kind{
		"":                        errs.Invalid,
		"mysql://x":               errs.Invalid,
		"sqlite:":                 errs.Invalid,
		"sqlite:" + t.TempDir():   errs.Unavailable,
		"sqlite:" + file:          errs.Unavailable,
		"sqlite:/proc/nowhere/db": errs.Unavailable,
		"file:/proc/nowhere/url":  errs.NotFound,
		"file:" + file:            errs.Invalid,
	} {
		st, err := store.Open(t.Context(), url, store.Options{})
		if !errs.Is(err, kind) {
			t.Errorf("%q: %v, want %s", url, err, kind)
		}
		if err == nil {
			st.Close()
		}
	}
}

func TestTheURLMayBeInAFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "url")
	if err := os.WriteFile(file, []byte(sqliteFile(t)+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	st, err := store.Open(t.Context(), "file:"+file, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := st.Close(); err != nil {
		t.Error(err)
	}
}

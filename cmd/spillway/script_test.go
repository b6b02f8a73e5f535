package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestMain lets scripts call spillway: this test binary, started anew as the program.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"spillway": main})
}

// TestScripts runs testdata/script: each file is a session at a terminal, in a directory and with a home of its own. The condition
// [shared] holds where ../shared lies beside the checkout; $SHARED is its path. See "go doc github.com/rogpeppe/go-internal/testscript".
func TestScripts(t *testing.T) {
	shared, err := filepath.Abs("../../../shared")
	if err != nil {
		t.Fatal(err)
	}
	_, err = os.Stat(filepath.Join(shared, "data"))
	if err != nil {
		t.Logf("SKIPPED in part: %s is not there, so scripts leave out what needs it", shared)
	}
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(env *testscript.Env) error {
			env.Setenv("SHARED", shared)
			env.Setenv("SPILLWAY_HOME", filepath.Join(env.WorkDir, "home"))
			return nil
		},
		Condition: func(name string) (bool, error) { return name == "shared" && err == nil, nil },
	})
}

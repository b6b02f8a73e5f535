package e2e

import (
	"os"
	"testing"

	"github.com/spillway/spillway/internal/pgtest"
)

func TestMain(m *testing.M) {
	if spec := os.Getenv(childEnv); spec != "" {
		os.Exit(child(spec))
	}
	os.Exit(pgtest.Main(m))
}

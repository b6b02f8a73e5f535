package ops

import (
	"flag"
	"os"
	"testing"

	"github.com/spillway/spillway/internal/pgtest"
)

func TestMain(m *testing.M) {
	// What runs side by side here waits for other tries more than it computes; the command line may say otherwise.
	if err := flag.Set("test.parallel", "6"); err != nil {
		panic(err)
	}
	os.Exit(pgtest.Main(m))
}

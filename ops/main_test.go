package ops

import (
	"os"
	"testing"

	"github.com/spillway/spillway/internal/pgtest"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

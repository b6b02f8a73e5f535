package dummy

import (
	_ "embed"

	"github.com/spillway/spillway/connector/driver"
)

//go:embed policy.yaml
var rules []byte

// policies are the rules the platform judges shops by, one file a market. They are data: nothing is decided here. A vendor that does not judge
// its shops leaves them out.
func policies() []driver.Policy { return []driver.Policy{{Market: "US", YAML: rules}} }

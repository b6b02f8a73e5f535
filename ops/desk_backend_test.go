package ops_test

import (
	"github.com/spillway/spillway/ops"
	"github.com/spillway/spillway/web"
)

// The pages' questions are answered by the desk, all of them.
var _ web.Backend = (*ops.Desk)(nil)
var _ web.Health = (*ops.Desk)(nil)

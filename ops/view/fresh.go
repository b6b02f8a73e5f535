package view

import (
	"context"
	"time"
)

// FreshFor is for how long after a change whoever made it is shown the database itself: twice as long as a replica in use may be behind.
const FreshFor = 10 * time.Second

type freshKey struct{}

// Fresh marks a request of somebody who has just changed something: it must be shown what is there now, not what a replica of the database
// showed moments ago.
func Fresh(ctx context.Context) context.Context { return context.WithValue(ctx, freshKey{}, true) }

// IsFresh reports whether ctx is marked by Fresh.
func IsFresh(ctx context.Context) bool { return ctx.Value(freshKey{}) != nil }

package main

import (
	"context"
	"time"

	"github.com/spillway/spillway/store"
)

// replicaWait is how long status waits for a replica's first answer: longer than the store gives it.
const replicaWait = 3 * time.Second

// replicaLine says whether pages may be read from the replica, as this process finds it; empty where there is none.
func replicaLine(ctx context.Context, st *store.Store) string {
	r, has := st.Replica()
	if !has {
		return ""
	}
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for late := time.After(replicaWait); !r.Asked; r, _ = st.Replica() {
		select {
		case <-tick.C:
			continue
		case <-late:
		case <-ctx.Done():
		}
		break
	}
	if r.Used {
		return "The replica is " + r.Lag.Round(time.Millisecond).String() + " behind and serves pages."
	}
	return "The replica is not used: " + r.Why + ". Pages read the database itself."
}

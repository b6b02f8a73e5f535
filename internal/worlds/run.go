package worlds

import (
	"fmt"
	"time"

	"github.com/spillway/spillway/domain/allocation"
)

const (
	maxSteps  = 400_000          // a world that needs more is going round in circles
	restAfter = 10 * time.Minute // virtual time after which nothing may be under way
	restPause = 2 * time.Minute
)

// Play runs a world under Spillway's rules and asserts them after every step if the spec says so. The error names the
// first rule broken.
func Play(s Spec) (Result, error) {
	m := newMarket(s)
	k := newSpillway(m)
	m.keeper = k
	k.start()
	steps := 0
	run := func(limit time.Duration) error {
		for m.step(limit) {
			if steps++; steps > maxSteps {
				return errUnquiet
			}
			if s.Observed {
				if err := k.check(steps%64 == 0); err != nil {
					return fmt.Errorf("step %d, %v: %w", steps, m.now, err)
				}
			}
		}
		return nil
	}
	m.result.Keeper = "spillway"
	if err := run(s.Horizon); err != nil {
		return m.result, err
	}
	if !s.Observed {
		return m.result, nil
	}
	m.calm = true
	if err := run(s.Horizon + restAfter); err != nil {
		return m.result, err
	}
	// The scheduled check of every number finds what no need has found, and the plan settles what it frees.
	for _, l := range k.policy.Listings {
		k.books[l.ID] = k.books[l.ID].DemandRead(allocation.ReadScheduled, m.clock())
	}
	var err error
	for i := range 5 { // each plan sees a later time, and demand that has faded a little more
		k.plan()
		if err := run(m.now + time.Duration(i+1)*restPause); err != nil {
			return m.result, err
		}
		if err = k.checkRest(); err == nil {
			break
		}
	}
	return m.result, err
}

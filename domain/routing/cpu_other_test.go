//go:build !linux

package routing

import "time"

var began = time.Now()

// cpuTime is the wall clock where a thread's own is not at hand.
func cpuTime() time.Duration { return time.Since(began) }

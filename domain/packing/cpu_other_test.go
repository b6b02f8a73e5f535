//go:build !linux

package packing_test

import "time"

var started = time.Now()

// cpuTime is the clock where the system tells no time by thread.
func cpuTime() time.Duration { return time.Since(started) }

package packing_test

import (
	"syscall"
	"time"
)

// cpuTime is what this thread has worked so far; unlike a clock it does not count what other work on the machine takes.
func cpuTime() time.Duration {
	const thisThread = 1 // RUSAGE_THREAD
	var u syscall.Rusage
	if syscall.Getrusage(thisThread, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

package routing

import (
	"syscall"
	"time"
	"unsafe"
)

// cpuTime is what this thread has had of a processor: the machine may be busy with other work.
func cpuTime() time.Duration {
	var t syscall.Timespec
	const threadClock = 3
	if _, _, e := syscall.Syscall(syscall.SYS_CLOCK_GETTIME, threadClock, uintptr(unsafe.Pointer(&t)), 0); e != 0 {
		panic(e)
	}
	return time.Duration(t.Nano())
}

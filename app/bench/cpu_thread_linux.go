package bench

import (
	"syscall"
	"time"
	"unsafe"
)

// threadTime is what the calling thread has used of the cores until now. A thread's rusage would not do: it is brought up to date only when the
// thread waits.
func threadTime() time.Duration {
	const threadClock = 3 // CLOCK_THREAD_CPUTIME_ID
	var t syscall.Timespec
	if _, _, failed := syscall.Syscall(syscall.SYS_CLOCK_GETTIME, threadClock, uintptr(unsafe.Pointer(&t)), 0); failed != 0 {
		return 0
	}
	return time.Duration(t.Nano())
}

package bench

import (
	"context"
	"database/sql"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// tick is the unit in which Linux tells the time a process has used.
const tick = 10 * time.Millisecond

// procStat reads from /proc a process's name, parent, and the times it has used itself and by children that have ended.
func procStat(pid string) (name string, parent int, own, ended time.Duration, ok bool) {
	text, err := os.ReadFile(filepath.Join("/proc", pid, "stat"))
	if err != nil {
		return "", 0, 0, 0, false
	}
	// The name is in brackets and may hold anything; the fields behind it are numbered from the third.
	left, right := strings.IndexByte(string(text), '('), strings.LastIndexByte(string(text), ')')
	fields := strings.Fields(string(text[right+1:]))
	if left < 0 || right < left || len(fields) < 15 {
		return "", 0, 0, 0, false
	}
	n := func(i int) time.Duration {
		v, _ := strconv.ParseInt(fields[i-3], 10, 64) // numbers, by the system's word
		return time.Duration(v)
	}
	return string(text[left+1 : right]), int(n(4)), (n(14) + n(15)) * tick, (n(16) + n(17)) * tick, true
}

// familyTime is what a process and its children, those that have ended too, have used of the cores.
func familyTime(pid int) time.Duration {
	_, _, own, ended, _ := procStat(strconv.Itoa(pid))
	sum := own + ended
	entries, _ := os.ReadDir("/proc") // a machine without has no postmaster here
	for _, e := range entries {
		if _, parent, own, _, ok := procStat(e.Name()); ok && parent == pid {
			sum += own
		}
	}
	return sum
}

// postmasterOf finds the PostgreSQL server behind a connection among this machine's processes; 0: it runs elsewhere.
func postmasterOf(ctx context.Context, db *sql.DB) int {
	var backend int
	if db.QueryRowContext(ctx, "SELECT pg_backend_pid()").Scan(&backend) != nil {
		return 0
	}
	name, parent, _, _, ok := procStat(strconv.Itoa(backend))
	if !ok || name != "postgres" {
		return 0
	}
	return parent
}

// machineTime is how long the machine's cores have worked, and have been there, in ticks; both 0 where the system does not say.
func machineTime() (busy, total int64) {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, 0
	}
	line, _, _ := strings.Cut(string(text), "\n")
	for i, f := range strings.Fields(line)[1:] {
		n, _ := strconv.ParseInt(f, 10, 64) // numbers, by the system's word
		if total += n; i != 3 && i != 4 {   // idle, and idle while waiting for a disk
			busy += n
		}
	}
	return busy, total
}

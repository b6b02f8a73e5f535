package bench

import (
	"bufio"
	"context"
	"debug/buildinfo"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spillway/spillway/kit/errs"
)

const (
	readyBar = 150 * time.Millisecond
	idleBar  = 60 // MiB
	// startRuns are taken, the median counts.
	startRuns = 5
	// idleAfter is how long the program is left alone before its memory is read.
	idleAfter = 3 * time.Second
)

// Start measures the binary: is it static, how large is it, how soon does it answer, how much memory does it idle at.
func Start(ctx context.Context, binary string, r *Report) error {
	dir, err := os.MkdirTemp("", "spillway-start-")
	if err != nil {
		return errs.Wrap("bench.Start", "", err)
	}
	defer os.RemoveAll(dir)
	info, err := buildinfo.ReadFile(binary)
	if err != nil {
		return errs.Wrap("bench.Start", binary, err)
	}
	st, err := os.Stat(binary)
	if err != nil {
		return errs.Wrap("bench.Start", binary, err)
	}
	r.uses(ctx, "")
	var ready []time.Duration
	var idle int
	for i := range startRuns {
		took, rss, err := startOnce(ctx, binary, filepath.Join(dir, strconv.Itoa(i)), i == startRuns-1)
		if err != nil {
			return err
		}
		ready = append(ready, took)
		idle = max(idle, rss)
	}
	slices.Sort(ready)
	w := r.table("start")
	w.row("binary", figure("mib", float64(st.Size())/(1<<20), "%.1f MiB"), words(fmt.Sprintf("cgo: %t", cgo(info))), only("cgo", cgo(info)))
	w.row("ready to answer, fresh database", span("median", ready[len(ready)/2]), bar("bar "+readyBar.String(), ready[len(ready)/2] <= readyBar))
	w.row("resident memory when idle", figure("mib", idle, "%d MiB"), bar(fmt.Sprintf("bar %d MiB", idleBar), idle < idleBar))
	if cgo(info) || idle >= idleBar {
		return errs.New(errs.Conflict, "bench.Start", "", "the binary is not static, or idles above its bar")
	}
	return nil
}

// cgo says whether a program was built with C in it.
func cgo(info *debug.BuildInfo) bool {
	return slices.ContainsFunc(info.Settings, func(s debug.BuildSetting) bool { return s.Key == "CGO_ENABLED" && s.Value == "1" })
}

func verdict(ok bool) string {
	if ok {
		return "ok"
	}
	return "MISSED"
}

// startOnce runs the program on an empty home with an empty environment, until it says that it is ready.
func startOnce(ctx context.Context, binary, home string, wait bool) (time.Duration, int, error) {
	cmd := exec.CommandContext(ctx, binary, "serve", "--home", home, "--listen", "127.0.0.1:0", "--ops-listen", "off")
	cmd.Env = []string{}
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		return 0, 0, err
	}
	began := time.Now()
	if err := cmd.Start(); err != nil {
		return 0, 0, errs.Wrap("bench.Start", binary, err)
	}
	defer func() { cmd.Process.Kill(); cmd.Wait() }()
	line, err := bufio.NewReader(pipe).ReadString('\n')
	if err != nil || !strings.Contains(line, "ready") {
		return 0, 0, errs.New(errs.Internal, "bench.Start", "", "the program did not get ready: %q", line)
	}
	took := time.Since(began)
	if !wait {
		return took, 0, nil
	}
	select {
	case <-time.After(idleAfter):
	case <-ctx.Done():
		return 0, 0, ctx.Err()
	}
	rss, err := residentMiB(cmd.Process.Pid)
	return took, rss, err
}

// residentMiB reads a process's memory where the system tells it (Linux).
func residentMiB(pid int) (int, error) {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
	if err != nil {
		return 0, nil //nolint:nilerr // other systems do not tell; the other figures count
	}
	for line := range strings.Lines(string(text)) {
		if f := strings.Fields(line); len(f) >= 2 && f[0] == "VmRSS:" {
			kb, err := strconv.Atoi(f[1])
			return kb >> 10, err
		}
	}
	return 0, nil
}

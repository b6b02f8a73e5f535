package bench

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"

	"github.com/spillway/spillway/internal/pgserver"
)

// Machine is where something was measured. What a system does not tell is empty.
type Machine struct {
	CPU        string  `json:"cpu,omitempty"`
	Cores      int     `json:"cores"`
	MemoryMiB  int     `json:"memory_mib,omitempty"`
	System     string  `json:"system"` // as in linux/amd64
	Kernel     string  `json:"kernel,omitempty"`
	Release    string  `json:"release,omitempty"`    // of the system, as in Debian GNU/Linux 12
	Filesystem string  `json:"filesystem,omitempty"` // that data are written to
	Load       float64 `json:"load,omitempty"`       // processes that wanted a core in the minute before
}

func (m Machine) String() string {
	out := []string{strings.TrimSpace(fmt.Sprintf("%s %d cores", m.CPU, m.Cores))}
	if m.MemoryMiB > 0 {
		out = append(out, fmt.Sprintf("%.1f GiB", float64(m.MemoryMiB)/1024))
	}
	out = append(out, strings.TrimSpace(m.System+" "+m.Kernel))
	for _, word := range []string{m.Release, m.Filesystem} {
		if word != "" {
			out = append(out, word)
		}
	}
	if m.Load > 0 {
		out = append(out, fmt.Sprintf("load before %.1f", m.Load))
	}
	return strings.Join(out, ", ")
}

func thisMachine() Machine {
	read := func(path string) string {
		text, _ := os.ReadFile(path) // systems without /proc tell less
		return string(text)
	}
	m := Machine{Cores: runtime.NumCPU(), System: runtime.GOOS + "/" + runtime.GOARCH, Kernel: strings.TrimSpace(read("/proc/sys/kernel/osrelease")),
		CPU: field(read("/proc/cpuinfo"), "model name", ":"), Release: strings.Trim(field(read("/etc/os-release"), "PRETTY_NAME", "="), `"`),
		Filesystem: filesystemOf(os.TempDir())}
	if kb, err := strconv.Atoi(strings.TrimSuffix(field(read("/proc/meminfo"), "MemTotal", ":"), " kB")); err == nil {
		m.MemoryMiB = kb >> 10
	}
	if f := strings.Fields(read("/proc/loadavg")); len(f) > 0 {
		m.Load, _ = strconv.ParseFloat(f[0], 64)
	}
	return m
}

// field finds the first line of a name and returns what follows.
func field(text, name, between string) string {
	for line := range strings.Lines(text) {
		if key, value, ok := strings.Cut(line, between); ok && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// filesystemOf names the kind of file system a folder is on, where the system tells it.
func filesystemOf(dir string) string {
	full, err := filepath.Abs(dir)
	if err != nil {
		return ""
	}
	if real, err := filepath.EvalSymlinks(full); err == nil {
		full = real
	}
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return ""
	}
	return mountedAt(string(mounts), full)
}

// mountedAt finds the mount that a path is under in /proc/self/mountinfo: the longest, and of as long ones the last, which hides the others.
func mountedAt(mounts, path string) (kind string) {
	longest := -1
	for line := range strings.Lines(mounts) {
		left, right, ok := strings.Cut(line, " - ")
		at, what := strings.Fields(left), strings.Fields(right)
		if !ok || len(at) < 5 || len(what) == 0 {
			continue
		}
		point := strings.ReplaceAll(at[4], `\040`, " ")
		if (point == "/" || path == point || strings.HasPrefix(path, point+"/")) && len(point) >= longest {
			longest, kind = len(point), what[0]
		}
	}
	return kind
}

// buildVersions are of what is in this program.
func buildVersions(version string) map[string]string {
	out := map[string]string{"spillway": version, "go": runtime.Version()}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return out
	}
	changed := ""
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			out["commit"] = s.Value
		case s.Key == "vcs.modified" && s.Value == "true":
			changed = " and changes"
		}
	}
	if out["commit"] != "" {
		out["commit"] += changed
	}
	for _, d := range info.Deps {
		switch d.Path {
		case "modernc.org/sqlite", "github.com/jackc/pgx/v5", "github.com/redis/go-redis/v9", "github.com/redis/rueidis":
			out[d.Path] = d.Version
		}
	}
	return out
}

// uses notes the engine behind a database URL: its version, and what it is set to that durability and speed depend on. What it does not tell is left out: a
// measurement does not fail for its heading.
func (r *Report) uses(ctx context.Context, database string) {
	if engineOf(database) == enginePostgres {
		r.usesPostgres(ctx, database)
		return
	}
	r.Settings["sqlite.durable"] = "WAL, its log synced before each answer"
	if path, ok := strings.CutPrefix(database, "sqlite:"); ok {
		r.Machine.Filesystem = filesystemOf(filepath.Dir(path))
	}
	db, err := sql.Open("sqlite", ":memory:")
	if err != nil {
		return
	}
	defer db.Close()
	r.ask(ctx, db, "SELECT sqlite_version()", func(v string) { r.Versions["sqlite"] = v })
}

// pgTold are the settings of a PostgreSQL server that a report tells.
var pgTold = []string{"fsync", "synchronous_commit", "full_page_writes", "wal_level", "shared_buffers", "max_wal_size", "checkpoint_timeout", "max_connections"}

func (r *Report) usesPostgres(ctx context.Context, database string) {
	db, err := sql.Open("pgx", database)
	if err != nil {
		return
	}
	defer db.Close()
	r.ask(ctx, db, "SHOW server_version", func(v string) { r.Versions["postgres"] = v })
	for _, name := range pgTold {
		r.ask(ctx, db, "SHOW "+name, func(v string) { r.Settings["postgres."+name] = v })
	}
	r.Machine.Filesystem = ""
	if postmasterOf(ctx, db) != 0 { // its disk is this machine's
		r.ask(ctx, db, "SHOW data_directory", func(v string) { r.Machine.Filesystem = filesystemOf(v) })
	}
}

func (r *Report) ask(ctx context.Context, db *sql.DB, query string, tell func(string)) {
	var v string
	if db.QueryRowContext(ctx, query).Scan(&v) == nil {
		tell(v)
	}
}

// usesServer notes a PostgreSQL of our own.
func (r *Report) usesServer(ctx context.Context, s *pgserver.Server) {
	r.uses(ctx, s.URL())
	r.Versions["postgres"] = s.Version()
}

// usesNATS notes the version of a nats-server program.
func (r *Report) usesNATS(ctx context.Context, program string) {
	said, err := exec.CommandContext(ctx, program, "--version").Output() // nats-server: v2.12.1
	if f := strings.Fields(string(said)); err == nil && len(f) > 0 {
		r.Versions["nats-server"] = f[len(f)-1]
	}
}

// Redacted is a database URL without its password, for a report that is shown around.
func Redacted(database string) string {
	u, err := url.Parse(database)
	if err != nil {
		scheme, _, _ := strings.Cut(database, ":")
		return scheme + ":…"
	}
	if q := u.Query(); q.Has("password") {
		q.Set("password", "xxxxx")
		u.RawQuery = q.Encode()
	}
	return u.Redacted()
}

// freeOn is the room that is left on a folder's disk.
func freeOn(dir string) int64 {
	var s syscall.Statfs_t
	if syscall.Statfs(dir, &s) != nil {
		return 1 << 62 // it shows when it is full
	}
	return int64(s.Bavail) * int64(s.Bsize)
}

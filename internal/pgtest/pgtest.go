package pgtest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	startTimeout = time.Minute // initdb and start take about two seconds; a loaded machine gets a minute
	help         = `PostgreSQL is not installed, so its half of the store suite does not run.
On Debian or Ubuntu: apt-get install postgresql   (the server need not be started; the tests start their own)
Elsewhere: put the folder of initdb and pg_ctl on PATH, or in the variable SPILLWAY_POSTGRES_BIN.`
)

var (
	once    sync.Once
	running *server
	failure error
	counter atomic.Int64
)

type server struct {
	dir, bin string
	port     int
	as       *syscall.Credential // PostgreSQL refuses to run as root
}

var errNotInstalled = errors.New(help)

// Main runs the tests of a binary and stops the server if any of them started it. Call it from TestMain: os.Exit(pgtest.Main(m)).
func Main(m *testing.M) int {
	code := m.Run()
	if running != nil {
		running.stop()
	}
	return code
}

// Start gives the test an empty schema of its own and returns the URL of the database that shows it alone. The binary's TestMain must call Main.
func Start(tb testing.TB) string {
	tb.Helper()
	once.Do(func() { running, failure = start() })
	need(tb, failure)
	name := "t" + strconv.FormatInt(counter.Add(1), 10)
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	// A schema is made ten times as fast as a database, and need not be dropped: the server goes with the tests.
	if err := running.admin(ctx, "CREATE SCHEMA "+name); err != nil {
		tb.Fatalf("pgtest: %v", err)
	}
	return running.url() + "&search_path=" + name
}

// need skips the test when PostgreSQL is not installed, and ends it when it did not start.
func need(tb testing.TB, err error) {
	tb.Helper()
	switch {
	case errors.Is(err, errNotInstalled) && !slices.Contains(strings.Split(os.Getenv("SPILLWAY_REQUIRE"), ","), "postgres"):
		fmt.Fprintf(os.Stderr, "\nSKIPPED %s\n%s\n\n", tb.Name(), help)
		tb.Skip(help)
	case err != nil:
		tb.Fatalf("pgtest: %v", err)
	}
}

// Server is a PostgreSQL server of a test's own, to stop and start.
type Server struct{ *server }

// Own runs a server until the test ends. It takes seconds; use Start where the server need not be stopped.
func Own(tb testing.TB) Server {
	tb.Helper()
	s, err := start()
	need(tb, err)
	tb.Cleanup(func() {
		if _, err := os.Stat(filepath.Join(s.dir, "data", "postmaster.pid")); err == nil {
			s.stop()
			return
		}
		if err := os.RemoveAll(s.dir); err != nil {
			tb.Error(err)
		}
	})
	return Server{s}
}

// URL is the server's database.
func (s Server) URL() string { return s.url() }

// Stop ends the server at once, as a crash would. Everything committed with synchronous_commit on, as Spillway does, stays.
func (s Server) Stop() error { return s.down() }

// Restart starts it again and returns when it answers.
func (s Server) Restart() error { return s.up() }

func (s *server) url() string {
	return fmt.Sprintf("postgres://postgres@127.0.0.1:%d/postgres?sslmode=disable", s.port)
}

func (s *server) admin(ctx context.Context, sql string) error {
	conn, err := pgx.Connect(ctx, s.url())
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	_, err = conn.Exec(ctx, sql)
	return err
}

// start makes a cluster in a temporary folder and starts it on a spare loopback port.
func start() (*server, error) {
	bin, err := find()
	if err != nil {
		return nil, err
	}
	s := &server{bin: bin}
	if s.dir, err = os.MkdirTemp("", "pgtest"); err != nil {
		return nil, err
	}
	if os.Geteuid() == 0 {
		if err := s.dropRoot(); err != nil {
			return nil, err
		}
	}
	data := filepath.Join(s.dir, "data")
	if err := s.run("initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"); err != nil {
		return nil, err
	}
	if s.port, err = sparePort(); err != nil {
		return nil, err
	}
	if err := s.up(); err != nil {
		return nil, err
	}
	return s, nil
}

// up starts the server on its cluster.
func (s *server) up() error {
	// No syncing: these databases need not survive a power cut, and tests wait for every commit.
	options := fmt.Sprintf("-p %d -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c fsync=off -c synchronous_commit=off "+
		"-c full_page_writes=off -c max_connections=300 -c shared_buffers=64MB", s.port)
	return s.run("pg_ctl", "start", "-w", "-D", filepath.Join(s.dir, "data"), "-l", filepath.Join(s.dir, "log"), "-o", options)
}

// dropRoot makes the folder the postgres user's (or nobody's) and lets the server run as that user.
func (s *server) dropRoot() error {
	u, err := user.Lookup("postgres")
	if err != nil {
		if u, err = user.Lookup("nobody"); err != nil {
			return err
		}
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		return err
	}
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	if err != nil {
		return err
	}
	s.as = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	return os.Chown(s.dir, int(uid), int(gid))
}

func (s *server) run(name string, args ...string) error {
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, filepath.Join(s.bin, name), args...)
	cmd.Dir = s.dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: s.as}
	out, err := os.Create(filepath.Join(s.dir, name+".out")) // a pipe would stay open in the server and make Wait wait for it
	if err != nil {
		return err
	}
	defer out.Close()
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Run(); err != nil {
		said, _ := os.ReadFile(out.Name())
		return fmt.Errorf("%s: %w\n%s", name, err, said)
	}
	return nil
}

// down stops the server at once, as a crash would: what was not committed is gone.
func (s *server) down() error {
	return s.run("pg_ctl", "stop", "-w", "-m", "immediate", "-D", filepath.Join(s.dir, "data"))
}

func (s *server) stop() {
	if err := s.down(); err != nil {
		fmt.Fprintln(os.Stderr, "pgtest:", err)
	}
	if err := os.RemoveAll(s.dir); err != nil {
		fmt.Fprintln(os.Stderr, "pgtest:", err)
	}
}

// find looks for the newest installed server programs: they are often not on PATH.
func find() (string, error) {
	if dir := os.Getenv("SPILLWAY_POSTGRES_BIN"); dir != "" {
		return dir, nil
	}
	if path, err := exec.LookPath("initdb"); err == nil {
		return filepath.Dir(path), nil
	}
	newest, dir := 0, ""
	for _, pattern := range []string{"/usr/lib/postgresql/*/bin/initdb", "/usr/pgsql-*/bin/initdb", "/opt/homebrew/opt/postgresql@*/bin/initdb"} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			return "", err
		}
		for _, f := range found {
			part := filepath.Base(filepath.Dir(filepath.Dir(f)))
			v, err := strconv.Atoi(part[strings.LastIndexAny(part, "-@")+1:])
			if err == nil && v > newest {
				newest, dir = v, filepath.Dir(f)
			}
		}
	}
	if dir == "" {
		return "", errNotInstalled
	}
	return dir, nil
}

func sparePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

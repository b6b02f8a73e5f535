package pgtest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/spillway/spillway/internal/pgserver"
)

const (
	adminTimeout = time.Minute // a statement takes milliseconds; a loaded machine gets a minute
	help         = "PostgreSQL is not installed, so its half of the store suite does not run.\n" + pgserver.Help
)

var (
	once    sync.Once
	running *pgserver.Server
	failure error
	counter atomic.Int64
)

// Main runs the tests of a binary and stops the server if any of them started it. Call it from TestMain: os.Exit(pgtest.Main(m)).
func Main(m *testing.M) int {
	code := m.Run()
	if running != nil {
		if err := running.Close(); err != nil {
			fmt.Fprintln(os.Stderr, "pgtest:", err)
		}
	}
	return code
}

// start runs a server without syncing: its databases need not survive a power cut, and tests wait for every commit.
func start() (*pgserver.Server, error) {
	return pgserver.Start(pgserver.Options{Settings: []string{"fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=300", "shared_buffers=64MB"}})
}

// Start gives the test an empty schema of its own and returns the URL of the database that shows it alone. The binary's TestMain must call Main.
func Start(tb testing.TB) string {
	tb.Helper()
	once.Do(func() { running, failure = start() })
	need(tb, failure)
	name := "t" + strconv.FormatInt(counter.Add(1), 10)
	ctx, cancel := context.WithTimeout(context.Background(), adminTimeout)
	defer cancel()
	// A schema is made ten times as fast as a database, and need not be dropped: the server goes with the tests.
	if err := admin(ctx, "CREATE SCHEMA "+name); err != nil {
		tb.Fatalf("pgtest: %v", err)
	}
	return running.URL() + "&search_path=" + name
}

// need skips the test when PostgreSQL is not installed, and ends it when it did not start.
func need(tb testing.TB, err error) {
	tb.Helper()
	switch {
	case errors.Is(err, pgserver.ErrNotInstalled) && !slices.Contains(strings.Split(os.Getenv("SPILLWAY_REQUIRE"), ","), "postgres"):
		fmt.Fprintf(os.Stderr, "\nSKIPPED %s\n%s\n\n", tb.Name(), help)
		tb.Skip(help)
	case err != nil:
		tb.Fatalf("pgtest: %v", err)
	}
}

// Server is a PostgreSQL server of a test's own, to stop and start.
type Server struct{ s *pgserver.Server }

// Own runs a server until the test ends. It takes seconds; use Start where the server need not be stopped.
func Own(tb testing.TB) Server {
	tb.Helper()
	s, err := start()
	need(tb, err)
	tb.Cleanup(func() {
		if err := s.Close(); err != nil {
			tb.Error(err)
		}
	})
	return Server{s}
}

// Standby runs a streaming standby of the server until the test ends.
func (s Server) Standby(tb testing.TB) Server {
	tb.Helper()
	b, err := s.s.Standby()
	if err != nil {
		tb.Fatalf("pgtest: %v", err)
	}
	tb.Cleanup(func() {
		if err := b.Close(); err != nil {
			tb.Error(err)
		}
	})
	return Server{b}
}

// URL is the server's database.
func (s Server) URL() string { return s.s.URL() }

// Stop ends the server at once, as a crash would. Everything committed with synchronous_commit on, as Spillway does, stays.
func (s Server) Stop() error { return s.s.Down() }

// Restart starts it again and returns when it answers.
func (s Server) Restart() error { return s.s.Up() }

// Run runs a statement on the server.
func (s Server) Run(ctx context.Context, sql string) error { return run(ctx, s.URL(), sql) }

func admin(ctx context.Context, sql string) error { return run(ctx, running.URL(), sql) }

func run(ctx context.Context, url, sql string) error {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	_, err = conn.Exec(ctx, sql)
	return err
}

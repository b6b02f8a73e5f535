// Command spillway runs the control plane, its demo, its simulators and its tools. Every flag can also be set by an environment
// variable; secrets come from files or the environment only, never from flags.
package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/spillway/spillway/kit/errs"
)

// cli is the command line.
type cli struct {
	LogLevel string `help:"How much to log: debug, info, warn or error." default:"info" enum:"debug,info,warn,error" env:"SPILLWAY_LOG"`
	LogJSON  bool   `help:"Log as JSON, for machines." env:"SPILLWAY_LOG_JSON"`

	Serve       serveCmd       `cmd:"" help:"Run Spillway for a real shop."`
	Demo        demoCmd        `cmd:"" help:"Try it: three simulated channels, real order history, a viral spike and a LIVE."`
	Sandbox     sandboxCmd     `cmd:"" help:"Run a channel's simulator by itself, to build against."`
	Import      importCmd      `cmd:"" help:"Import items, stock or orders from CSV files."`
	Reconcile   reconcileCmd   `cmd:"" help:"Set exports of a channel's own pages beside what Spillway counts, order by order."`
	Doctor      doctorCmd      `cmd:"" help:"Check journal, balances, exposures, cursors, tokens and clock."`
	Policy      policyCmd      `cmd:"" help:"The rules shops are judged by, dated and with their sources."`
	Health      healthCmd      `cmd:"" help:"Ask a running Spillway whether it is ready, for containers."`
	Status      statusCmd      `cmd:"" help:"Which processes run, who works which connection, and what waits."`
	Alerts      alertsCmd      `cmd:"" help:"What is wrong, who looks after it, and who is told."`
	Carriers    carriersCmd    `cmd:"" help:"Accounts that labels are bought with, and logistics providers."`
	Inbox       inboxCmd       `cmd:"" help:"Look at messages set aside, and try them again."`
	Custody     custodyCmd     `cmd:"" help:"The log of who had a parcel in hand: its head, its key, proofs out of it."`
	Verify      verifyCmd      `cmd:"" help:"Check a proof file of the custody log; needs nothing but the file."`
	Backup      backupCmd      `cmd:"" help:"Write a backup while Spillway runs."`
	Restore     restoreCmd     `cmd:"" help:"Restore a backup into an empty database."`
	Maintain    maintainCmd    `cmd:"" help:"Make room for the months to come, and give up old history where that is wanted."`
	MigrateData migrateDataCmd `cmd:"" help:"Move everything to another database, such as from SQLite to PostgreSQL."`
	Bench       benchCmd       `cmd:"" help:"Measure Spillway; each command prints its figures."`
	Token       tokenCmd       `cmd:"" help:"Keys of programs that call the JSON API."`
	Key         keyCmd         `cmd:"" help:"Make a key for the key file."`
	Version     versionCmd     `cmd:"" help:"Print the version."`
}

// gcPercent and memoryLimit trade memory for time. Under load live data are some 25 MB; collected whenever they have doubled, the
// collector would run every half second and hold up whatever must be answered meanwhile. At rest next to nothing is allocated, so the
// program idles far below its bar. Beyond the limit the collector works as hard as it must.
const (
	gcPercent   = 800
	memoryLimit = 1 << 30
)

// threadsPerCore is how many threads for each core run Go code. A webhook's answer is a short task beside long ones, such as decoding
// pages of orders. Go's scheduler lets it wait for their time slices of 10 ms; the system's does not. At 500 orders a second on two
// cores one thread a core answers 99 % within 50 ms, two within 37, four within 22.
const threadsPerCore = 4

// untilStopped are the commands whose way to end is to be stopped. Any other that was interrupted has not done what it was asked to, which a
// script has to see.
var untilStopped = map[string]bool{"serve": true, "demo": true, "sandbox": true}

// interrupted is the exit code of a command that was: what shells say of one ended by Ctrl-C.
const interrupted = 130

// env is what every command works with.
type env struct {
	ctx context.Context
	log *slog.Logger
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends it at once
	var c cli
	k := kong.Parse(&c, kong.Name("spillway"), kong.Description("One truth about stock, every channel told in a second, nothing oversold."),
		kong.UsageOnError(), kong.ConfigureHelp(kong.HelpOptions{Compact: true}))
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(memoryLimit)
	}
	if os.Getenv("GOMAXPROCS") == "" {
		runtime.GOMAXPROCS(threadsPerCore * runtime.GOMAXPROCS(0))
	}
	err := k.Run(&env{ctx: ctx, log: newLog(c)})
	say, code := outcome(k.Command(), ctx.Err() != nil, err)
	if say != "" {
		fmt.Fprintln(os.Stderr, "spillway:", say)
	}
	os.Exit(code)
}

// outcome is what a command that ended with err says last, and its exit code; stopped tells that somebody asked the program to end.
func outcome(command string, stopped bool, err error) (say string, code int) {
	switch {
	case err == nil:
		return "", 0
	case stopped && errors.Is(err, context.Canceled):
		if name, _, _ := strings.Cut(command, " "); untilStopped[name] {
			return "", 0
		}
		return "interrupted before it was done", interrupted
	}
	if own, ok := errors.AsType[*exitError](err); ok {
		return sentence(err), own.code
	}
	return sentence(err), 1
}

// sentence is what a person at a terminal is told: the safe sentence, and for unexpected failures the cause too, since they own the machine.
func sentence(err error) string {
	if errs.KindOf(err) == errs.Internal {
		return err.Error()
	}
	return errs.Safe(err)
}

func newLog(c cli) *slog.Logger {
	var level slog.Level
	_ = level.UnmarshalText([]byte(c.LogLevel)) // kong has checked it
	o := &slog.HandlerOptions{Level: level}
	if c.LogJSON {
		return slog.New(slog.NewJSONHandler(os.Stderr, o))
	}
	return slog.New(slog.NewTextHandler(os.Stderr, o))
}

type versionCmd struct{}

func (versionCmd) Run() error {
	fmt.Println("spillway", version())
	return nil
}

// version is the release or the commit the binary was built from.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			return s.Value[:min(12, len(s.Value))]
		}
	}
	return "dev"
}

package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/spillway/spillway/internal/pgserver"
	"github.com/spillway/spillway/kit/errs"
)

// LedgerOptions say who is measured and how.
type LedgerOptions struct {
	Engines   []string // sqlite, postgres
	Baselines []string // postgres-tx, sqlite-tx, redis, redis-rueidis
	Callers   []int
	Shape     string
	Runs      int
	For       time.Duration
	Two       bool // also two processes on one PostgreSQL
	JSON      bool
	Strict    bool // fail when a bar is missed, not only when something is oversold or lost
	Binary    string
	Log       *slog.Logger
	Out       io.Writer
}

// contest is one contender's runs with one number of callers.
type contest struct {
	Name    string `json:"name"`
	Callers int    `json:"callers"`
	load
	runs []load
}

// judgement is one ratio, and whether it reaches its bar.
type judgement struct {
	What  string  `json:"what"`
	Ratio float64 `json:"ratio"`
	Bar   float64 `json:"bar,omitzero"` // 0: none is set
	OK    bool    `json:"ok"`
}

func (j judgement) String() string {
	switch {
	case j.Bar == 0:
		return fmt.Sprintf("%s\t%.2f\t\t", j.What, j.Ratio)
	case j.OK:
		return fmt.Sprintf("%s\t%.2f\t%g\tok", j.What, j.Ratio, j.Bar)
	}
	return fmt.Sprintf("%s\t%.2f\t%g\tMISSED", j.What, j.Ratio, j.Bar)
}

type ledgerReport struct {
	Machine  []string         `json:"machine"`
	Shape    string           `json:"shape"`
	Contests []contest        `json:"contests"`
	Two      *twoReport       `json:"two_processes,omitempty"`
	Verdicts []judgement      `json:"bars"`
	SoldOut  map[string]int64 `json:"sold_of_300"`
}

// ledgerBench is one run of Ledger.
type ledgerBench struct {
	o      LedgerOptions
	dir    string
	items  []string
	want   shape
	pg     *pgserver.Server
	redis  *redisServer
	report ledgerReport
}

// pgSettings make PostgreSQL as durable as it is by default, with memory like a small server's; baselines and Spillway share the server.
var pgSettings = []string{"fsync=on", "synchronous_commit=on", "shared_buffers=512MB", "max_wal_size=4GB", "min_wal_size=1GB", "checkpoint_timeout=15min", "max_connections=200"}

// endless of units never run out in a timed run.
const endless = 500_000_000

// Ledger measures how many orders a second are reserved, durably and exactly, beside what teams usually build. Runs alternate and medians
// count, so that a noisy machine is noisy for all.
func Ledger(ctx context.Context, o LedgerOptions) (err error) {
	b := &ledgerBench{o: o, report: ledgerReport{Shape: o.Shape, SoldOut: map[string]int64{}}}
	n, want, err := shapeOf(o.Shape)
	if err != nil {
		return err
	}
	b.want = want
	for i := range n {
		b.items = append(b.items, fmt.Sprintf("item-%05d", i))
	}
	if b.dir, err = os.MkdirTemp("", "spillway-ledger-"); err != nil {
		return errs.Wrap("bench ledger", "", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(b.dir)) }()
	if err := b.servers(ctx); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.stopServers()) }()
	b.report.Machine = machine(ctx, b)
	if !o.JSON {
		fmt.Fprintln(o.Out, strings.Join(b.report.Machine, "\n"))
	}
	if err := b.race(ctx); err != nil {
		return err
	}
	if o.Two && b.pg != nil {
		if err := b.two(ctx); err != nil {
			return err
		}
	}
	b.judge()
	return b.print()
}

func (o LedgerOptions) has(names ...string) bool {
	return slices.ContainsFunc(names, func(n string) bool { return slices.Contains(o.Engines, n) || slices.Contains(o.Baselines, n) })
}

// servers starts what the contenders need. What is not installed is left out, loudly.
func (b *ledgerBench) servers(ctx context.Context) (err error) {
	if b.o.has("postgres", "postgres-tx") {
		b.pg, err = pgserver.Start(pgserver.Options{Settings: pgSettings, Socket: true})
		if errors.Is(err, pgserver.ErrNotInstalled) {
			fmt.Fprintf(os.Stderr, "LEFT OUT: %v\n", err)
		} else if err != nil {
			return errs.Wrap("bench ledger", "postgres", err)
		} else if err := usedLog(ctx, b.pg.URL()); err != nil {
			return errors.Join(errs.Wrap("bench ledger", "postgres", err), b.stopServers())
		}
	}
	if b.o.has("redis", "redis-rueidis") {
		b.redis, err = startRedis(ctx)
		if errs.Is(err, errs.NotFound) {
			fmt.Fprintf(os.Stderr, "LEFT OUT: %v\n", err)
		} else if err != nil {
			return errors.Join(err, b.stopServers())
		}
	}
	return nil
}

// usedLog gives a fresh server the write-ahead log of one that has run for a while: files to use again. In its first minutes a server
// fills every new one of 16 MB with zeros before it writes to it, and who commits waits 15 ms for that.
func usedLog(ctx context.Context, url string) (err error) {
	c, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.Close(ctx)) }()
	if _, err = c.Exec(ctx, "SELECT pg_logical_emit_message(false, 'used', repeat('x', 16 << 20)) FROM generate_series(1, 60)"); err == nil {
		_, err = c.Exec(ctx, "CHECKPOINT")
	}
	return err
}

func (b *ledgerBench) stopServers() (err error) {
	if b.redis != nil {
		err = b.redis.close()
	}
	if b.pg != nil {
		err = errors.Join(err, b.pg.Close())
	}
	return err
}

// enter opens a contender; nil: it cannot run here.
func (b *ledgerBench) enter(ctx context.Context, name string, callers int) (*contender, error) {
	switch {
	case name == "sqlite":
		return spillway(ctx, "spillway on SQLite", "sqlite:"+filepath.Join(b.dir, "spillway.db"))
	case name == "sqlite-tx":
		return sqliteTx(ctx, b.dir)
	case name == "postgres" && b.pg != nil:
		return spillway(ctx, "spillway on PostgreSQL", b.pg.URL())
	case name == "postgres-tx" && b.pg != nil:
		return postgresTx(ctx, b.pg.URL())
	case name == "redis" && b.redis != nil:
		return redisPool(b.redis, callers), nil
	case name == "redis-rueidis" && b.redis != nil:
		return redisPiped(b.redis)
	case slices.Contains([]string{"postgres", "postgres-tx", "redis", "redis-rueidis"}, name):
		return nil, nil
	}
	return nil, errs.New(errs.Invalid, "bench ledger", name, "is no engine or baseline; there are sqlite, postgres, postgres-tx, sqlite-tx, redis and redis-rueidis")
}

// race lets every contender run in turn, again and again.
func (b *ledgerBench) race(ctx context.Context) (err error) {
	var cs []*contender
	defer func() {
		for _, c := range cs {
			err = errors.Join(err, c.close())
		}
	}()
	for _, name := range slices.Concat(b.o.Engines, b.o.Baselines) {
		c, err := b.enter(ctx, name, slices.Max(b.o.Callers))
		if err != nil {
			return err
		}
		if c == nil {
			continue
		}
		c.key = name
		cs = append(cs, c)
		if err := c.stock(ctx, b.items, endless); err != nil {
			return errs.Wrap("bench ledger", c.name, err)
		}
	}
	total := map[string]int64{}
	for _, callers := range b.o.Callers {
		at := len(b.report.Contests)
		for _, c := range cs {
			b.report.Contests = append(b.report.Contests, contest{Name: c.key, Callers: callers})
		}
		for range b.o.Runs {
			for i, c := range cs {
				runtime.GC() // one contender's litter is not the next one's
				l, err := press(ctx, c, callers, b.o.For, b.items, b.want)
				if err != nil {
					return err
				}
				total[c.key] += l.accepted
				b.report.Contests[at+i].runs = append(b.report.Contests[at+i].runs, l)
			}
		}
	}
	for i := range b.report.Contests {
		b.report.Contests[i].load = middleLoad(b.report.Contests[i].runs)
	}
	return b.exact(ctx, cs, total)
}

// exact sells an item out and proves the books of all that was sold before.
func (b *ledgerBench) exact(ctx context.Context, cs []*contender, total map[string]int64) error {
	for _, c := range cs {
		n, err := sellOut(ctx, c, "scarce")
		if err != nil {
			return err
		}
		b.report.SoldOut[c.key] = n
		if n != scarce {
			return errs.New(errs.Internal, "bench ledger", c.name, "%d orders were told yes for %d units", n, scarce)
		}
		if len(b.items) > 1 {
			continue // thousands of proofs say no more than one
		}
		held, err := c.prove(ctx, b.items[0])
		if err != nil {
			return err
		}
		if held != total[c.key] {
			return errs.New(errs.Internal, "bench ledger", c.name, "%d orders were told yes, %d units are held", total[c.key], held)
		}
	}
	return nil
}

func middleLoad(runs []load) load {
	var rates, cpu []float64
	var p50s, p99s []time.Duration
	for _, r := range runs {
		rates, p50s, p99s, cpu = append(rates, r.Rate), append(p50s, r.P50), append(p99s, r.P99), append(cpu, r.CPU)
	}
	return load{Rate: median(rates), P50: median(p50s), P99: median(p99s), CPU: median(cpu)}
}

// bars are the ratios Spillway is to reach, by callers (0: any).
var bars = []struct {
	engine, baseline string
	callers          int
	times            float64
	p99              bool // compares the slowest in a hundred: the baseline's over ours
}{
	{"postgres", "postgres-tx", 64, 15, false}, {"postgres", "postgres-tx", 256, 30, false}, {"postgres", "postgres-tx", 0, 8, true},
	{"sqlite", "sqlite-tx", 0, 6, false}, {"sqlite", "sqlite-tx", 0, 8, true}, {"sqlite", "postgres-tx", 0, 15, false},
	{"postgres", "redis", 256, 1, false}, {"sqlite", "redis", 256, 1, false},
}

// judge compares engines with baselines. The bars are of the hot item; for other shapes the ratios are printed all the same.
func (b *ledgerBench) judge() {
	of := func(name string, callers int) *contest {
		for i := range b.report.Contests {
			if c := &b.report.Contests[i]; c.Name == name && c.Callers == callers {
				return c
			}
		}
		return nil
	}
	for _, callers := range b.o.Callers {
		for _, bar := range bars {
			ours, theirs := of(bar.engine, callers), of(bar.baseline, callers)
			if ours == nil || theirs == nil || (bar.callers != 0 && bar.callers != callers) {
				continue
			}
			v := judgement{What: fmt.Sprintf("%s / %s, orders a second, %d callers", bar.engine, bar.baseline, callers), Ratio: ours.Rate / theirs.Rate, Bar: bar.times}
			if bar.p99 {
				v.What = fmt.Sprintf("%s / %s, p99, %d callers", bar.baseline, bar.engine, callers)
				v.Ratio = float64(theirs.P99) / float64(ours.P99)
			}
			if b.o.Shape != "hot" {
				v.Bar = 0
			}
			v.OK = v.Ratio >= v.Bar
			b.report.Verdicts = append(b.report.Verdicts, v)
		}
	}
	if t := b.report.Two; t != nil {
		b.report.Verdicts = append(b.report.Verdicts, judgement{"two processes / one, orders a second", t.Rate / t.One, 0.7, t.Rate >= 0.7*t.One})
	}
}

func (b *ledgerBench) print() error {
	r, missed := &b.report, 0
	for _, v := range r.Verdicts {
		if !v.OK {
			missed++
		}
	}
	if b.o.JSON {
		e := json.NewEncoder(b.o.Out)
		e.SetIndent("", "  ")
		if err := e.Encode(r); err != nil {
			return errs.Wrap("bench ledger", "", err)
		}
	} else {
		w := tabwriter.NewWriter(b.o.Out, 0, 0, 2, ' ', 0)
		fmt.Fprintln(w, "\ncontender\tcallers\torders/s\tp50\tp99\tCPU µs/order (this process)")
		for _, c := range r.Contests {
			fmt.Fprintf(w, "%s\t%d\t%.0f\t%s\t%s\t%.1f\n", c.Name, c.Callers, c.Rate, c.P50.Round(10*time.Microsecond), c.P99.Round(10*time.Microsecond), c.CPU)
		}
		fmt.Fprintln(w, "\n\tratio\tat least\t")
		for _, v := range r.Verdicts {
			fmt.Fprintln(w, v)
		}
		if err := w.Flush(); err != nil {
			return errs.Wrap("bench ledger", "", err)
		}
		fmt.Fprintf(b.o.Out, "\nsold of %d units wanted by %d orders, every accepted one told twice: %v; journals equal balances\n", scarce, pressing, r.SoldOut)
		if r.Two != nil {
			fmt.Fprintln(b.o.Out, r.Two)
		}
	}
	if missed > 0 && b.o.Strict {
		return errs.New(errs.Internal, "bench ledger", "", "%d bars were missed", missed)
	}
	return nil
}

// machine says what was measured on.
func machine(ctx context.Context, b *ledgerBench) []string {
	out := []string{fmt.Sprintf("%s/%s, %d processors, %s", runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), runtime.Version())}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, d := range info.Deps {
			switch d.Path {
			case "modernc.org/sqlite", "github.com/jackc/pgx/v5", "github.com/redis/go-redis/v9", "github.com/redis/rueidis":
				out = append(out, d.Path+" "+d.Version)
			}
		}
	}
	if b.pg != nil {
		out = append(out, "PostgreSQL "+b.pg.Version()+", by Unix socket: "+strings.Join(pgSettings, " ")+fmt.Sprintf("; baseline pool %d", baselinePool))
	}
	if b.redis != nil {
		out = append(out, "Redis "+b.redis.version(ctx)+", by TCP on loopback: appendonly yes, appendfsync always")
	}
	return append(out, fmt.Sprintf("SQLite: WAL, synchronous=FULL; shape %s, %d runs of %s each, alternating; medians", b.o.Shape, b.o.Runs, b.o.For))
}

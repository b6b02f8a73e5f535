package bench

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"slices"
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
	Strict    bool // fail when a bar is missed, not only when something is oversold or lost
	Binary    string
	Log       *slog.Logger
	Report    *Report
}

// contest is one contender's runs with one number of callers.
type contest struct {
	Name    string
	Callers int
	load
	runs []load
}

// judgement is one ratio, and whether it reaches its bar.
type judgement struct {
	What  string
	Ratio float64
	Bar   float64 // 0: none is set
	OK    bool
}

type ledgerFound struct {
	Contests []contest
	Two      *twoReport
	Verdicts []judgement
	SoldOut  map[string]int64
}

// ledgerBench is one run of Ledger.
type ledgerBench struct {
	o     LedgerOptions
	dir   string
	items []string
	want  shape
	pg    *pgserver.Server
	redis *redisServer
	found ledgerFound
}

// pgSettings make PostgreSQL as durable as it is by default, with memory like a small server's; baselines and Spillway share the server.
var pgSettings = []string{"fsync=on", "synchronous_commit=on", "shared_buffers=512MB", "max_wal_size=4GB", "min_wal_size=1GB", "checkpoint_timeout=15min", "max_connections=200"}

// endless of units never run out in a timed run.
const endless = 500_000_000

// Ledger measures how many orders a second are reserved, durably and exactly, beside what teams usually build. Runs alternate and medians
// count, so that a noisy machine is noisy for all.
func Ledger(ctx context.Context, o LedgerOptions) (err error) {
	b := &ledgerBench{o: o, found: ledgerFound{SoldOut: map[string]int64{}}}
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
	b.describe(ctx)
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
			b.o.Report.leave(err)
		} else if err != nil {
			return errs.Wrap("bench ledger", "postgres", err)
		} else if err := usedLog(ctx, b.pg.URL()); err != nil {
			return errors.Join(errs.Wrap("bench ledger", "postgres", err), b.stopServers())
		}
	}
	if b.o.has("redis", "redis-rueidis") {
		b.redis, err = startRedis(ctx)
		if errs.Is(err, errs.NotFound) {
			b.o.Report.leave(err)
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
		at := len(b.found.Contests)
		for _, c := range cs {
			b.found.Contests = append(b.found.Contests, contest{Name: c.key, Callers: callers})
		}
		for range b.o.Runs {
			for i, c := range cs {
				runtime.GC() // one contender's litter is not the next one's
				l, err := press(ctx, c, callers, b.o.For, b.items, b.want)
				if err != nil {
					return err
				}
				total[c.key] += l.accepted
				b.found.Contests[at+i].runs = append(b.found.Contests[at+i].runs, l)
			}
		}
	}
	for i := range b.found.Contests {
		b.found.Contests[i].load = middleLoad(b.found.Contests[i].runs)
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
		b.found.SoldOut[c.key] = n
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
		for i := range b.found.Contests {
			if c := &b.found.Contests[i]; c.Name == name && c.Callers == callers {
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
			b.found.Verdicts = append(b.found.Verdicts, v)
		}
	}
	if t := b.found.Two; t != nil {
		b.found.Verdicts = append(b.found.Verdicts, judgement{"two processes / one, orders a second", t.Rate / t.One, 0.7, t.Rate >= 0.7*t.One})
	}
}

func (b *ledgerBench) print() error {
	f, r := &b.found, b.o.Report
	w := r.table("contenders", "contender", "callers", "orders/s", "p50", "p99", "CPU µs/order (this process)")
	for _, c := range f.Contests {
		row := w.row(c.Name, figure("callers", c.Callers, "%d"), figure("per_second", c.Rate, "%.0f"), fine("p50", c.P50), fine("p99", c.P99), figure("cpu_us", c.CPU, "%.1f"))
		for _, l := range c.runs {
			row.Runs = append(row.Runs, pour{Rate: l.Rate, P50ms: millis(l.P50), P99ms: millis(l.P99), CPUus: l.CPU})
		}
	}
	w = r.table("ratios", "", "ratio", "at least")
	for _, v := range f.Verdicts {
		cells := []cell{figure("ratio", v.Ratio, "%.2f")}
		if v.Bar > 0 {
			cells = append(cells, bar(fmt.Sprintf("%g", v.Bar), v.OK))
		}
		w.row(v.What, cells...)
	}
	exact := []cell{only("units", scarce), only("wanted", pressing)}
	for name, n := range f.SoldOut {
		exact = append(exact, only(name, n))
	}
	r.table("exact").row(fmt.Sprintf("sold of %d units wanted by %d orders, every accepted one told twice: %v; journals equal balances", scarce, pressing, f.SoldOut), exact...)
	if t := f.Two; t != nil {
		r.table("two processes").row(t.String(), only("callers", t.Callers), only("per_second", t.Rate), only("one_per_second", t.One), only("accepted", t.Shares), only("held", t.Held))
	}
	return r.judge("bench ledger", b.o.Strict)
}

// fine is a span to a hundredth of a millisecond.
func fine(name string, d time.Duration) cell {
	c := span(name, d)
	c.text = d.Round(10 * time.Microsecond).String()
	return c
}

// describe notes what the contenders are set to.
func (b *ledgerBench) describe(ctx context.Context) {
	r := b.o.Report
	if b.pg != nil {
		r.usesServer(ctx, b.pg)
		r.Settings["postgres.by"] = "Unix socket"
		if b.o.has("postgres-tx") {
			r.Settings["postgres-tx.pool"] = baselinePool
		}
	}
	if b.redis != nil {
		r.Versions["redis"] = b.redis.version(ctx)
		r.Settings["redis.appendonly"], r.Settings["redis.appendfsync"], r.Settings["redis.by"] = "yes", "always", "TCP on loopback"
	}
	r.uses(ctx, "sqlite:"+filepath.Join(b.dir, "spillway.db"))
	if b.o.has("sqlite-tx") {
		r.Settings["sqlite-tx.durable"] = "WAL, synchronous=FULL"
	}
}

package main

import (
	"io"
	"log/slog"
	"os"
	"time"

	"github.com/alecthomas/kong"

	"github.com/spillway/spillway/app/bench"
	"github.com/spillway/spillway/kit/errs"
)

type benchCmd struct {
	All    benchAll    `cmd:"" help:"Every bench that can run on this machine, one after the other, and one JSON document of them all."`
	Worlds benchWorlds `cmd:"" help:"Random worlds: units oversold, sell-through and pushes, beside four rivals."`
	Truth  benchTruth  `cmd:"" help:"From webhook to answer, from sale to reserved, from change to every channel told."`
	Crash  benchCrash  `cmd:"" help:"Kill -9 at random moments: what was acknowledged and lost."`
	Faults benchFaults `cmd:"" help:"Three processes, PostgreSQL and three NATS nodes, killed, stopped and cut off at random."`
	Start  benchStart  `cmd:"" help:"The binary: size, start-up, idle memory."`
	Ledger benchLedger `cmd:"" help:"Reservations a second on one hot item, or many, beside what teams usually build."`
	Intake benchIntake `cmd:"" help:"Orders a second, whole: reserved, exposed, journaled, durable."`
	Health benchHealth `cmd:"" help:"What it takes to know how shops stand, over a long history."`
	Pages  benchPages  `cmd:"" help:"Pages over a long history, and what intake costs with it."`
	HTTP   benchHTTP   `cmd:"" name:"http" help:"Reservations over HTTP with authentication, beside another system."`
	Ship   benchShip   `cmd:"" help:"Orders out of the door, while every simulator fails: labels paid, numbers told, what a person was asked."`
	Shop   benchShop   `cmd:"" hidden:"" help:"The program of bench http, in a process of its own."`
	Ingest benchIngest `cmd:"" help:"Webhooks a second, durable before they are answered."`
	Front  benchFront  `cmd:"" hidden:"" help:"The front of bench ingest, in a process of its own."`
	Scale  benchScale  `cmd:"" help:"What 1, 2 and 4 processes on one PostgreSQL bring, and where the limit lies."`
	Taker  benchTaker  `cmd:"" hidden:"" help:"A process of bench scale."`
	Seller benchSeller `cmd:"" hidden:"" help:"A second process of bench ledger."`
	Market benchMarket `cmd:"" hidden:"" help:"The shops of bench truth, in a process of their own."`
}

type benchTruth struct {
	benchOut
	Rate     int           `help:"Orders a second." default:"500"`
	For      time.Duration `help:"How long." default:"60s"`
	Items    int           `help:"Items; half of all orders want the first." default:"2000"`
	Seed     uint64        `help:"Decides everything that is left to chance." default:"1"`
	Database string        `help:"Database URL; default embedded."`
	Strict   bool          `help:"Fail when a time misses its bar, not only when something is lost."`
	Profile  string        `help:"Write a CPU profile of the time under load here." type:"path"`
}

func (c *benchTruth) Run(e *env, k *kong.Context) error {
	self, err := os.Executable()
	if err != nil {
		return errs.Wrap("bench", "", err)
	}
	o := bench.TruthOptions{PerSecond: c.Rate, For: c.For, Items: c.Items, Seed: c.Seed, Database: c.Database, Strict: c.Strict,
		Binary: self, Log: quiet(e)}
	if c.Profile != "" {
		f, err := os.Create(c.Profile)
		if err != nil {
			return errs.Wrap("bench truth", c.Profile, err)
		}
		defer f.Close()
		o.Profile = f
	}
	return c.measure(k, func(r *bench.Report, out io.Writer) error {
		o.Report, o.Out = r, out
		return bench.Truth(e.ctx, o)
	})
}

// quiet keeps a measurement's own output readable: warnings only.
func quiet(e *env) *slog.Logger {
	return slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
}

type benchMarket struct{}

func (benchMarket) Run(e *env) error { return bench.Market(e.ctx, os.Stdin, os.Stdout, quiet(e)) }

type benchCrash struct {
	benchOut
	N    int    `short:"n" help:"How many kills." default:"50"`
	Seed uint64 `help:"Decides when." default:"1"`
}

func (c *benchCrash) Run(e *env, k *kong.Context) error {
	self, err := os.Executable()
	if err != nil {
		return errs.Wrap("bench", "", err)
	}
	return c.measure(k, func(r *bench.Report, out io.Writer) error {
		return bench.Crash(e.ctx, bench.CrashOptions{Times: c.N, Seed: c.Seed, Binary: self, Log: quiet(e), Report: r, Out: out})
	})
}

type benchStart struct{ benchOut }

func (c *benchStart) Run(e *env, k *kong.Context) error {
	self, err := os.Executable()
	if err != nil {
		return errs.Wrap("bench", "", err)
	}
	return c.measure(k, func(r *bench.Report, _ io.Writer) error { return bench.Start(e.ctx, self, r) })
}

type benchWorlds struct {
	benchOut
	N    int    `short:"n" help:"How many random worlds." default:"2000"`
	Seed uint64 `help:"The first world's seed; the others follow." default:"1"`
}

func (c *benchWorlds) Run(k *kong.Context) error {
	return c.measure(k, func(r *bench.Report, out io.Writer) error {
		return bench.Worlds(bench.WorldsOptions{Worlds: c.N, Seed: c.Seed, Report: r, Out: out})
	})
}

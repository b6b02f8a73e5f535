package main

import (
	"io"
	"os"
	"time"

	"github.com/alecthomas/kong"

	"github.com/spillway/spillway/app/bench"
	"github.com/spillway/spillway/kit/errs"
)

type benchLedger struct {
	benchOut
	Engines   []string      `help:"Homes of Spillway's ledger: sqlite, postgres." default:"sqlite,postgres"`
	Baselines []string      `help:"What to measure beside it: postgres-tx, sqlite-tx (a transaction for each order), redis, redis-rueidis (a script, its log synced; built in by go build -tags redis)." default:"postgres-tx,sqlite-tx,redis,redis-rueidis"`
	Callers   []int         `help:"Callers at once." default:"64,256"`
	Shape     string        `help:"What they want: one hot item, or 10,000 items uniformly or by rank." enum:"hot,uniform,zipf" default:"hot"`
	Runs      int           `help:"Runs of each; medians count." default:"5"`
	For       time.Duration `help:"How long each run takes." default:"2s"`
	Two       bool          `help:"Also two processes on one PostgreSQL." default:"true" negatable:""`
	Kill      bool          `help:"Instead: kill the process 20 times and stop PostgreSQL 5 times under load, and look for what was lost."`
	Strict    bool          `help:"Fail when a bar is missed, not only when something is oversold or lost."`
}

func (c *benchLedger) Run(e *env, k *kong.Context) error {
	self, err := os.Executable()
	if err != nil {
		return errs.Wrap("bench", "", err)
	}
	run := bench.Ledger
	if c.Kill {
		run = bench.LedgerKill
	}
	return c.measure(k, func(r *bench.Report, _ io.Writer) error {
		return run(e.ctx, bench.LedgerOptions{Report: r, Engines: c.Engines, Baselines: c.Baselines, Callers: c.Callers, Shape: c.Shape, Runs: c.Runs,
			For: c.For, Two: c.Two, Strict: c.Strict, Binary: self, Log: quiet(e)})
	})
}

type benchSeller struct{}

func (benchSeller) Run(e *env) error { return bench.Seller(e.ctx, os.Stdin, os.Stdout, quiet(e)) }

package main

import (
	"os"
	"time"

	"github.com/spillway/spillway/app/bench"
	"github.com/spillway/spillway/kit/errs"
)

type benchIngest struct {
	Connections int           `help:"Connections of the vendor." default:"128"`
	For         time.Duration `help:"How long each run takes." default:"5s"`
	Runs        int           `help:"Runs of each side; medians count." default:"5"`
	Steady      time.Duration `help:"One long run at the end, to see memory." default:"0s"`
	Database    string        `help:"Database URL; default embedded."`
	JSON        bool          `help:"Print JSON."`
	Strict      bool          `help:"Fail when a bar is missed, not only when something is lost."`
}

func (c *benchIngest) Run(e *env) error {
	self, err := os.Executable()
	if err != nil {
		return errs.Wrap("bench", "", err)
	}
	return bench.Ingest(e.ctx, bench.IngestOptions{Conns: c.Connections, For: c.For, Runs: c.Runs, Steady: c.Steady, Database: c.Database,
		Binary: self, Strict: c.Strict, JSON: c.JSON, Out: os.Stdout})
}

type benchFront struct{}

func (benchFront) Run(e *env) error { return bench.Front(e.ctx, os.Stdin, os.Stdout, quiet(e)) }

package main

import (
	"io"
	"os"
	"time"

	"github.com/alecthomas/kong"

	"github.com/spillway/spillway/app/bench"
	"github.com/spillway/spillway/kit/errs"
)

type benchIngest struct {
	benchOut
	Connections int           `help:"Connections of the vendor." default:"128"`
	For         time.Duration `help:"How long each run takes." default:"5s"`
	Runs        int           `help:"Runs of each side; medians count." default:"5"`
	Steady      time.Duration `help:"One long run at the end, to see memory." default:"0s"`
	Database    string        `help:"Database URL; default embedded."`
	Strict      bool          `help:"Fail when a bar is missed, not only when something is lost."`
}

func (c *benchIngest) Run(e *env, k *kong.Context) error {
	self, err := os.Executable()
	if err != nil {
		return errs.Wrap("bench", "", err)
	}
	return c.measure(k, func(r *bench.Report, _ io.Writer) error {
		return bench.Ingest(e.ctx, bench.IngestOptions{Report: r, Conns: c.Connections, For: c.For, Runs: c.Runs, Steady: c.Steady, Database: c.Database,
			Binary: self, Strict: c.Strict})
	})
}

type benchFront struct{}

func (benchFront) Run(e *env) error { return bench.Front(e.ctx, os.Stdin, os.Stdout, quiet(e)) }

package main

import (
	"io"
	"os"
	"time"

	"github.com/alecthomas/kong"

	"github.com/spillway/spillway/app/bench"
	"github.com/spillway/spillway/kit/errs"
)

type benchScale struct {
	benchOut
	Processes []int         `help:"How many processes share the work." default:"1,2,4"`
	Callers   int           `help:"Callers at once, of all processes together." default:"256"`
	For       time.Duration `help:"How long each run takes." default:"3s"`
	Runs      int           `help:"Runs of each; medians count." default:"5"`
	Items     int           `help:"Items of the shop; half of all its orders want the first." default:"300"`
	Seed      uint64        `help:"Decides everything that is left to chance." default:"1"`
}

func (c *benchScale) Run(e *env, k *kong.Context) error {
	self, err := os.Executable()
	if err != nil {
		return errs.Wrap("bench", "", err)
	}
	return c.measure(k, func(r *bench.Report, _ io.Writer) error {
		return bench.Scale(e.ctx, bench.ScaleOptions{Report: r, Processes: c.Processes, Callers: c.Callers, For: c.For, Runs: c.Runs, Items: c.Items, Seed: c.Seed, Binary: self, Log: quiet(e)})
	})
}

type benchTaker struct{}

func (benchTaker) Run(e *env) error { return bench.Taker(e.ctx, os.Stdin, os.Stdout, quiet(e)) }

package main

import (
	"io"
	"time"

	"github.com/alecthomas/kong"

	"github.com/spillway/spillway/app/bench"
)

type benchShip struct {
	benchOut
	N        int           `short:"n" help:"How many orders." default:"1000"`
	Seed     uint64        `help:"Decides who orders what, and what fails." default:"1"`
	Failing  float64       `help:"Share of calls that fail, of each way to fail." default:"0.05"`
	Database string        `help:"Database URL; default embedded."`
	Patience time.Duration `help:"Give up after this long." default:"30m"`
}

func (c *benchShip) Run(e *env, k *kong.Context) error {
	return c.measure(k, func(r *bench.Report, out io.Writer) error {
		return bench.Ship(e.ctx, bench.ShipOptions{Report: r, Out: out, Orders: c.N, Seed: c.Seed, Failing: c.Failing, Database: c.Database, Patience: c.Patience, Log: quiet(e)})
	})
}

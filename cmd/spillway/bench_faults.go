package main

import (
	"io"
	"os"
	"os/exec"

	"github.com/alecthomas/kong"

	"github.com/spillway/spillway/app/bench"
	"github.com/spillway/spillway/kit/errs"
)

type benchFaults struct {
	benchOut
	N    int    `short:"n" help:"How many random schedules." default:"100"`
	Seed uint64 `help:"The first schedule's seed." default:"1"`
	NATS string `name:"nats-server" help:"The nats-server program; go build github.com/nats-io/nats-server/v2 makes one." default:"nats-server"`
}

func (c *benchFaults) Run(e *env, k *kong.Context) error {
	self, err := os.Executable()
	if err != nil {
		return errs.Wrap("bench", "", err)
	}
	nats, err := exec.LookPath(c.NATS)
	if err != nil {
		return errs.New(errs.Unavailable, "bench faults", c.NATS, "the program %s is not here; make it with go build -o nats-server github.com/nats-io/nats-server/v2 and name it with --nats-server", c.NATS)
	}
	return c.measure(k, func(r *bench.Report, out io.Writer) error {
		return bench.Faults(e.ctx, bench.FaultsOptions{Report: r, Out: out, Schedules: c.N, Seed: c.Seed, Binary: self, NATS: nats, Log: quiet(e)})
	})
}

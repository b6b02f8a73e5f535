package main

import (
	"os"
	"os/exec"

	"github.com/spillway/spillway/app/bench"
	"github.com/spillway/spillway/kit/errs"
)

type benchFaults struct {
	N    int    `short:"n" help:"How many random schedules." default:"100"`
	Seed uint64 `help:"The first schedule's seed." default:"1"`
	NATS string `name:"nats-server" help:"The nats-server program; go build github.com/nats-io/nats-server/v2 makes one." default:"nats-server"`
}

func (c *benchFaults) Run(e *env) error {
	self, err := os.Executable()
	if err != nil {
		return errs.Wrap("bench", "", err)
	}
	nats, err := exec.LookPath(c.NATS)
	if err != nil {
		return errs.New(errs.Unavailable, "bench faults", c.NATS, "the program %s is not here; make it with go build -o nats-server github.com/nats-io/nats-server/v2 and name it with --nats-server", c.NATS)
	}
	return bench.Faults(e.ctx, bench.FaultsOptions{Schedules: c.N, Seed: c.Seed, Binary: self, NATS: nats, Log: quiet(e), Out: os.Stdout})
}

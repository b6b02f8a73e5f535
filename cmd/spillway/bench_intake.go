package main

import (
	"io"
	"os"
	"time"

	"github.com/alecthomas/kong"

	"github.com/spillway/spillway/app/bench"
	"github.com/spillway/spillway/kit/errs"
)

type benchIntake struct {
	benchOut
	Callers  int           `help:"Sources that hand in orders at once." default:"128"`
	Page     int           `help:"Orders a source hands in at a time." default:"1"`
	For      time.Duration `help:"How long each run takes." default:"5s"`
	Runs     int           `help:"Runs of each side; medians count." default:"5"`
	Items    int           `help:"Items; half of all orders want the first." default:"300"`
	Seed     uint64        `help:"Decides everything that is left to chance." default:"1"`
	Database string        `help:"Database URL; default embedded."`
	Profile  string        `help:"Write a CPU profile of the first gathered run here." type:"path"`
	Strict   bool          `help:"Fail when a bar is missed."`
}

func (c *benchIntake) Run(e *env, k *kong.Context) error {
	self, err := os.Executable()
	if err != nil {
		return errs.Wrap("bench", "", err)
	}
	o := bench.IntakeOptions{Callers: c.Callers, Page: c.Page, For: c.For, Runs: c.Runs, Items: c.Items, Seed: c.Seed,
		Database: c.Database, Binary: self, Strict: c.Strict, Log: quiet(e)}
	if c.Profile != "" {
		f, err := os.Create(c.Profile)
		if err != nil {
			return errs.Wrap("bench intake", c.Profile, err)
		}
		defer f.Close()
		o.Profile = f
	}
	return c.measure(k, func(r *bench.Report, _ io.Writer) error {
		o.Report = r
		return bench.Intake(e.ctx, o)
	})
}

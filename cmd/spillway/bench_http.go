package main

import (
	"io"
	"os"
	"time"

	"github.com/alecthomas/kong"

	"github.com/spillway/spillway/app/bench"
	"github.com/spillway/spillway/kit/errs"
)

type benchHTTP struct {
	benchOut
	Callers  int           `help:"Callers at once." default:"32"`
	For      time.Duration `help:"How long each run takes." default:"5s"`
	Runs     int           `help:"Runs of each side; medians count." default:"5"`
	Database string        `help:"Database URL; default embedded. On PostgreSQL two processes serve."`
	Rival    string        `help:"File that says how to reach another system; e2e/rivals has scripts that start one." type:"path"`
	Strict   bool          `help:"Fail when a bar is missed, not only when stock is."`
}

func (c *benchHTTP) Run(e *env, k *kong.Context) error {
	self, err := os.Executable()
	if err != nil {
		return errs.Wrap("bench", "", err)
	}
	return c.measure(k, func(r *bench.Report, _ io.Writer) error {
		return bench.HTTP(e.ctx, bench.HTTPOptions{Report: r, Callers: c.Callers, For: c.For, Runs: c.Runs, Database: c.Database, Rival: c.Rival,
			Binary: self, Strict: c.Strict})
	})
}

type benchShop struct{}

func (benchShop) Run(e *env) error { return bench.ShopAPI(e.ctx, os.Stdin, os.Stdout, quiet(e)) }

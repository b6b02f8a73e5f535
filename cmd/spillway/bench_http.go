package main

import (
	"os"
	"time"

	"github.com/spillway/spillway/app/bench"
	"github.com/spillway/spillway/kit/errs"
)

type benchHTTP struct {
	Callers  int           `help:"Callers at once." default:"32"`
	For      time.Duration `help:"How long each run takes." default:"5s"`
	Runs     int           `help:"Runs of each side; medians count." default:"5"`
	Database string        `help:"Database URL; default embedded. On PostgreSQL two processes serve."`
	Rival    string        `help:"File that says how to reach another system; e2e/rivals has scripts that start one." type:"path"`
	JSON     bool          `help:"Print JSON."`
	Strict   bool          `help:"Fail when a bar is missed, not only when stock is."`
}

func (c *benchHTTP) Run(e *env) error {
	self, err := os.Executable()
	if err != nil {
		return errs.Wrap("bench", "", err)
	}
	return bench.HTTP(e.ctx, bench.HTTPOptions{Callers: c.Callers, For: c.For, Runs: c.Runs, Database: c.Database, Rival: c.Rival,
		Binary: self, Strict: c.Strict, JSON: c.JSON, Out: os.Stdout})
}

type benchShop struct{}

func (benchShop) Run(e *env) error { return bench.ShopAPI(e.ctx, os.Stdin, os.Stdout, quiet(e)) }

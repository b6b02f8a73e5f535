package main

import (
	"errors"
	"io"
	"os"

	"github.com/spillway/spillway/app/bench"
	"github.com/spillway/spillway/kit/errs"
)

type benchAll struct {
	Quick  bool     `help:"Small sizes, in some minutes: whether all of it works here, not how fast it is."`
	Only   []string `help:"Only benches of these names."`
	Orders int      `help:"Orders of the history that pages and health are asked about." default:"10000000"`
	NATS   string   `name:"nats-server" help:"The nats-server program; go build github.com/nats-io/nats-server/v2 makes one." default:"nats-server"`
	Save   string   `help:"Where the JSON document of all goes." type:"path" default:"spillway-bench.json"`
	JSON   bool     `help:"Print that document, and the tables on standard error."`
	List   bool     `help:"Only say what would be run, and what is missing for the rest."`
	Strict bool     `help:"Fail when a bar is missed, not only when something is oversold or lost."`
}

func (c *benchAll) Run(e *env) error {
	self, err := os.Executable()
	if err != nil {
		return errs.Wrap("bench", "", err)
	}
	var out io.Writer = os.Stdout
	if c.JSON {
		out = os.Stderr
	}
	all, err := bench.RunAll(e.ctx, bench.AllOptions{Quick: c.Quick, Strict: c.Strict, Only: c.Only, List: c.List, Orders: c.Orders, NATS: c.NATS, Binary: self, Out: out})
	if c.List {
		return err
	}
	err = errors.Join(err, save(c.Save, all.WriteJSON))
	if c.JSON {
		err = errors.Join(err, all.WriteJSON(os.Stdout))
	}
	return err
}

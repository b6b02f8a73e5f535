package main

import (
	"io"
	"os"

	"github.com/alecthomas/kong"

	"github.com/spillway/spillway/app/bench"
	"github.com/spillway/spillway/kit/errs"
)

type benchHealth struct {
	benchOut
	Orders   int    `help:"Orders in the tables." default:"1000000"`
	Days     int    `help:"Days they are spread over." default:"180"`
	Items    int    `help:"Items, each listed in three shops." default:"5000"`
	Database string `help:"Database URL, filled unless it is already, the same as of bench pages; default embedded, and thrown away."`
	Asks     int    `help:"How often each question is asked." default:"300"`
	Live     int    `help:"Orders whose whole lives are taken in to see what judging them costs; 0: none." default:"20000"`
	Count    bool   `help:"Count all orders anew, twice: the second count must find nothing to put right."`
	Profile  string `help:"Write a CPU profile of the time in which those lives are taken in here." type:"path"`
	Strict   bool   `help:"Fail when a bar is missed."`
}

func (c *benchHealth) Run(e *env, k *kong.Context) error {
	o := bench.HealthOptions{Orders: c.Orders, Days: c.Days, Items: c.Items, Database: c.Database, Asks: c.Asks, Live: c.Live,
		Count: c.Count, Strict: c.Strict, Log: quiet(e)}
	if c.Profile != "" {
		f, err := os.Create(c.Profile)
		if err != nil {
			return errs.Wrap("bench health", c.Profile, err)
		}
		defer f.Close()
		o.Profile = f
	}
	return c.measure(k, func(r *bench.Report, _ io.Writer) error {
		o.Report = r
		return bench.Health(e.ctx, o)
	})
}

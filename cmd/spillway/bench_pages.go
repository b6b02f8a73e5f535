package main

import (
	"io"

	"github.com/alecthomas/kong"

	"github.com/spillway/spillway/app/bench"
)

type benchPages struct {
	benchOut
	Orders   int    `help:"Orders in the tables." default:"1000000"`
	Days     int    `help:"Days they are spread over." default:"180"`
	Items    int    `help:"Items, each listed in three shops." default:"5000"`
	Database string `help:"Database URL, filled unless it is already; default embedded, and thrown away."`
	Tenth    string `help:"Database URL of a history a tenth as long, to compare intake with; as above."`
	Asks     int    `help:"How often each page is asked for." default:"300"`
	Rounds   int    `help:"Rounds of intake into either database; 0: none." default:"7"`
	Strict   bool   `help:"Fail when a bar is missed."`
}

func (c *benchPages) Run(e *env, k *kong.Context) error {
	return c.measure(k, func(r *bench.Report, _ io.Writer) error {
		return bench.Pages(e.ctx, bench.PagesOptions{Report: r, Orders: c.Orders, Days: c.Days, Items: c.Items, Database: c.Database, Tenth: c.Tenth, Asks: c.Asks,
			Rounds: c.Rounds, Strict: c.Strict, Log: quiet(e)})
	})
}

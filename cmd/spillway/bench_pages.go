package main

import (
	"os"

	"github.com/spillway/spillway/app/bench"
)

type benchPages struct {
	Orders   int    `help:"Orders in the tables." default:"1000000"`
	Days     int    `help:"Days they are spread over." default:"180"`
	Items    int    `help:"Items, each listed in three shops." default:"5000"`
	Database string `help:"Database URL, filled unless it is already; default embedded, and thrown away."`
	Tenth    string `help:"Database URL of a history a tenth as long, to compare intake with; as above."`
	Asks     int    `help:"How often each page is asked for." default:"300"`
	Rounds   int    `help:"Rounds of intake into either database; 0: none." default:"7"`
	JSON     bool   `help:"Print JSON."`
	Strict   bool   `help:"Fail when a bar is missed."`
}

func (c *benchPages) Run(e *env) error {
	return bench.Pages(e.ctx, bench.PagesOptions{Orders: c.Orders, Days: c.Days, Items: c.Items, Database: c.Database, Tenth: c.Tenth, Asks: c.Asks,
		Rounds: c.Rounds, Strict: c.Strict, JSON: c.JSON, Log: quiet(e), Out: os.Stdout})
}

package main

import (
	"fmt"
	"os"
	"text/tabwriter"
	"time"

	"github.com/schollz/progressbar/v3"

	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/store"
	"github.com/spillway/spillway/store/sqlcore"
)

type migrateDataCmd struct {
	From   string `required:"" help:"URL of the home to move from. Without --online stop the processes that work on it first."`
	To     string `help:"URL of an empty database to move to. URLs with a password: file:PATH of a file that holds the URL."`
	Online bool   `xor:"how" help:"Move from SQLite to PostgreSQL while Spillway works on the old home; writers wait for the last changes only."`
	Undo   bool   `xor:"how" help:"Use the old home again after a move, or after one that was cut off. With --to the new home takes nothing any more; leave it out only if that one is lost."`
}

func (c *migrateDataCmd) Run(e *env) error {
	if c.Undo {
		if err := store.UndoMove(e.ctx, c.From, c.To); err != nil {
			return err
		}
		fmt.Println("The old home is usable again. What a new home has taken in is not in it: the next poll brings orders, stock booked there is to be booked again.")
		return nil
	}
	if c.To == "" {
		return errs.New(errs.Invalid, "migrate-data", "to", "say with --to where the data are to go")
	}
	move := store.MigrateData
	if c.Online {
		move = store.MigrateOnline
	}
	shown, done := c.progress()
	moved, err := move(e.ctx, c.From, c.To, shown)
	done()
	if err != nil {
		return err
	}
	t := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	for _, table := range append([]string{sqlcore.InboxTable}, sqlcore.Tables...) {
		fmt.Fprintf(t, "%s\t%d\t\n", table, moved.Rows[table])
	}
	if err := t.Flush(); err != nil {
		return err
	}
	if c.Online {
		fmt.Printf("caught up in %d passes with %d changes; writers waited %v\n", moved.Passes, moved.Caught, moved.Pause.Round(time.Millisecond))
	}
	fmt.Println("moved: rows counted, compared by content, ledger proved. Start the processes with the new URL and the same key file; the old home opens no more.")
	return nil
}

// progress shows a bar to people, and a line for each step to files.
func (c *migrateDataCmd) progress() (shown sqlcore.Progress, done func()) {
	if terminal(os.Stderr) {
		bar := progressbar.NewOptions64(-1, progressbar.OptionSetWriter(os.Stderr), progressbar.OptionShowCount(), progressbar.OptionClearOnFinish())
		return func(step, table string, n int64) {
			bar.Describe(step + " " + table)
			_ = bar.Set64(n) // a bar that fails to show fails nothing
		}, func() { _ = bar.Finish() }
	}
	last := ""
	return func(step, table string, _ int64) {
		if now := step + " " + table; now != last {
			last = now
			fmt.Fprintln(os.Stderr, now)
		}
	}, func() {}
}

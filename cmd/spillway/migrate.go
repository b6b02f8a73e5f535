package main

import (
	"fmt"
	"os"
	"text/tabwriter"

	"github.com/schollz/progressbar/v3"

	"github.com/spillway/spillway/store"
	"github.com/spillway/spillway/store/sqlcore"
)

type migrateDataCmd struct {
	From string `required:"" help:"URL of the home to move from. Stop the processes that work on it first."`
	To   string `required:"" help:"URL of an empty database to move to. URLs with a password: file:PATH of a file that holds the URL."`
}

func (c *migrateDataCmd) Run(e *env) error {
	shown := func(string, string, int64) {}
	if terminal(os.Stderr) {
		bar := progressbar.NewOptions64(-1, progressbar.OptionSetWriter(os.Stderr), progressbar.OptionShowCount(), progressbar.OptionClearOnFinish())
		defer func() { _ = bar.Finish() }()
		shown = func(step, table string, done int64) {
			bar.Describe(step + " " + table)
			_ = bar.Set64(done) // a bar that fails to show fails nothing
		}
	}
	moved, err := store.MigrateData(e.ctx, c.From, c.To, shown)
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
	fmt.Println("moved: rows counted, compared by content, ledger proved. Start the processes with the new URL and the same key file; the old home opens no more.")
	return nil
}

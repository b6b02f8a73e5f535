package main

import (
	"context"
	"fmt"
	"os"
	"text/tabwriter"
	"time"

	"github.com/spillway/spillway/app"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/store"
)

// offline opens the program without starting it: tools work beside a running Spillway on the same database.
func offline(e *env, h home, simulated bool) (*app.App, error) {
	o := h.options(e)
	o.Listen, o.OpsListen, o.Loopback = "127.0.0.1:0", "off", simulated
	return app.New(e.ctx, o)
}

type doctorCmd struct {
	home
	Call      bool `help:"Call the channels too: logins and clocks."`
	Simulated bool `help:"Allow channels on this machine without TLS: simulators only." env:"SPILLWAY_SIMULATED"`
}

func (c *doctorCmd) Run(e *env) error {
	a, err := offline(e, c.home, c.Simulated)
	if err != nil {
		return err
	}
	defer a.Stop(context.WithoutCancel(e.ctx))
	found, err := a.Ops().Examine(e.ctx, c.Call)
	if err != nil {
		return err
	}
	t := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	ill := 0
	for _, f := range found {
		word := "ok"
		if !f.OK {
			word = "WRONG"
			ill++
		}
		fmt.Fprintf(t, "%s\t%s\t%s\n", word, f.Check, f.Text)
		if f.Fix != "" {
			fmt.Fprintf(t, "\t\t→ %s\n", f.Fix)
		}
	}
	if err := t.Flush(); err != nil {
		return err
	}
	if ill > 0 {
		return errs.New(errs.Conflict, "doctor", "", "%d of %d checks are wrong", ill, len(found))
	}
	return nil
}

type inboxCmd struct {
	List  inboxList  `cmd:"" help:"List messages set aside with their reasons."`
	Retry inboxRetry `cmd:"" help:"Put messages set aside back into the inbox; a running Spillway takes them up within seconds."`
}

type inboxList struct {
	home
	Limit int `help:"How many." default:"50"`
}

func (c *inboxList) Run(e *env) error {
	st, err := openStore(e, c.home)
	if err != nil {
		return err
	}
	defer st.Close()
	var rows []store.InboxRow
	if err := st.ViewInbox(e.ctx, func(tx *store.InboxTx) (err error) {
		rows, err = tx.InboxParked(c.Limit)
		return err
	}); err != nil {
		return err
	}
	t := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "RECEIVED\tTOPIC\tTRIES\tMESSAGE\tREASON")
	for _, r := range rows {
		fmt.Fprintf(t, "%s\t%s\t%d\t%s\t%s\n", r.ReceivedAt.Format(time.DateTime), r.Topic, r.Tries, r.ID, r.Reason)
	}
	return t.Flush()
}

type inboxRetry struct {
	home
	IDs []string `arg:"" optional:"" name:"message" help:"Messages to try again; none means all that are set aside."`
}

func (c *inboxRetry) Run(e *env) error {
	st, err := openStore(e, c.home)
	if err != nil {
		return err
	}
	defer st.Close()
	var n int64
	if err := st.UpdateInbox(e.ctx, func(tx *store.InboxTx) (err error) {
		if len(c.IDs) == 0 {
			n, err = tx.InboxRetryParked()
		} else {
			n, err = tx.InboxRetry(c.IDs)
		}
		return err
	}); err != nil {
		return err
	}
	fmt.Printf("%d messages are back in the inbox\n", n)
	return nil
}

func openStore(e *env, h home) (*store.Store, error) { return openWith(e, h, store.Options{}) }

func openWith(e *env, h home, o store.Options) (*store.Store, error) {
	url := h.Database
	if url == "" {
		url = "sqlite:" + h.Home + "/spillway.db"
	}
	return store.Open(e.ctx, url, o)
}

type backupCmd struct {
	home
	To string `arg:"" type:"path" help:"File to write; it must not exist."`
}

func (c *backupCmd) Run(e *env) error {
	st, err := openStore(e, c.home)
	if err != nil {
		return err
	}
	defer st.Close()
	if err := st.Backup(e.ctx, c.To); err != nil {
		return err
	}
	fmt.Println("backup written to", c.To, "(database and inbox) - keep the key file apart from it: without it the stored secrets cannot be read")
	return nil
}

type restoreCmd struct {
	home
	From string `arg:"" type:"existingfile" help:"Backup to restore."`
}

func (c *restoreCmd) Run(e *env) error {
	url := c.Database
	if url == "" {
		if err := os.MkdirAll(c.Home, 0o700); err != nil {
			return errs.Wrap("restore", c.Home, err)
		}
		url = "sqlite:" + c.Home + "/spillway.db"
	}
	if err := store.Restore(e.ctx, url, c.From); err != nil {
		return err
	}
	fmt.Println("restored; counts and ledger agree with the backup")
	return nil
}

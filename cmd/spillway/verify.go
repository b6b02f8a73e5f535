package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/spillway/spillway/domain/custody"
	"github.com/spillway/spillway/kit/errs"
)

// Exit codes of verify.
const (
	exitForged  = 1 // it does not verify
	exitUnknown = 2 // it cannot be judged: not a proof, not to be read, or it does not tell what was asked
)

// exitError ends the program with a code of its own.
type exitError struct {
	error
	code int
}

func (e *exitError) Unwrap() error { return e.error }

type verifyCmd struct {
	File  string `arg:"" type:"path" help:"Proof file, from the custody page, the JSON API or 'spillway custody proof'."`
	Key   string `help:"The key of the log you trust, or a file with it. Without one the file's own is taken, which shows only that the file is whole." placeholder:"KEY"`
	Since string `type:"path" help:"A proof file or checkpoint of the same log that you kept from before: the log must have gone on from it unchanged." placeholder:"OLD"`
}

// Run needs no database and no network.
func (c *verifyCmd) Run() error {
	err := c.verify(os.Stdout)
	switch {
	case err == nil:
		return nil
	case errs.Is(err, errs.Conflict):
		return &exitError{err, exitForged}
	}
	return &exitError{err, exitUnknown}
}

func (c *verifyCmd) verify(out io.Writer) error {
	file, err := readBounded(c.File)
	if err != nil {
		return err
	}
	p, err := custody.ParseProof(file)
	if err != nil {
		return err
	}
	key, err := c.trusted()
	if err != nil {
		return err
	}
	got, err := p.Check(key)
	if err != nil {
		return err
	}
	var old tlog.Tree
	if c.Since != "" {
		kept, err := readBounded(c.Since)
		if err != nil {
			return err
		}
		if old, err = custody.EarlierCheckpoint(kept, p.Key); err != nil {
			return err
		}
		if err := p.CheckSince(old, got.Tree); err != nil {
			return err
		}
	}
	fmt.Fprintf(out, "verified: %s in the log %s as it was signed at a size of %d\n", counted(len(got.Events), "entry is", "entries are"), got.Origin, got.Tree.N)
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, e := range got.Events {
		fmt.Fprintf(t, "  %d\t%s\t%s\t%s\t%s\t%s\t%s\n", e.Index, e.At.Format("2006-01-02 15:04:05Z"), e.What, e.Role, e.Node, e.OrderID, e.ParcelID)
		for _, d := range e.Documents {
			fmt.Fprintf(t, "\t\t%s\tsha256 %x\n", d.Kind, d.SHA256)
		}
	}
	if err := t.Flush(); err != nil {
		return err
	}
	if c.Since != "" {
		fmt.Fprintf(out, "the log went on unchanged from its earlier size of %d\n", old.N)
	}
	if key == "" {
		fmt.Fprintf(out, "signed with the key %s\nyou did not say which key you trust (--key): compare this one with the key the shop has published\n", p.Key)
	}
	return nil
}

func counted(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// trusted is the key that was given, itself or in a file.
func (c *verifyCmd) trusted() (string, error) {
	if c.Key == "" || strings.Count(c.Key, "+") >= 2 && !strings.ContainsAny(c.Key, "\\.") {
		return c.Key, nil
	}
	text, err := readBounded(c.Key)
	return strings.TrimSpace(string(text)), err
}

// readBounded reads a file that is no longer than a proof may be.
func readBounded(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, &errs.Error{Kind: errs.NotFound, Op: "verify", Item: path, Safe: "the file cannot be opened", Cause: err}
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, custody.MaxProof+1))
	if err != nil {
		return nil, &errs.Error{Kind: errs.Unavailable, Op: "verify", Item: path, Safe: "the file cannot be read", Cause: err}
	}
	return text, nil
}

type custodyCmd struct {
	Proof      custodyProof      `cmd:"" help:"Write the proof file of a parcel or an order, for 'spillway verify'."`
	Checkpoint custodyCheckpoint `cmd:"" help:"Print the signed head of the custody log: what to keep, to find out later whether it was changed."`
	Key        custodyKey        `cmd:"" help:"Print the key that the custody log's checkpoints verify with: publish it."`
}

type custodyProof struct {
	home
	Parcel string `help:"Id of the parcel."`
	Order  string `help:"Id of the order."`
	Since  string `type:"existingfile" help:"A proof file or checkpoint from before, to show that the log went on from it unchanged." placeholder:"OLD"`
	Out    string `short:"o" required:"" help:"File to write; it must not exist."`
}

func (c *custodyProof) Run(e *env) error {
	a, err := offline(e, c.home, false)
	if err != nil {
		return err
	}
	defer a.Stop(context.WithoutCancel(e.ctx))
	since := int64(0)
	if c.Since != "" {
		_, key, err := a.Ops().CustodyHead(e.ctx)
		if err != nil {
			return err
		}
		kept, err := readBounded(c.Since)
		if err != nil {
			return err
		}
		old, err := custody.EarlierCheckpoint(kept, key)
		if err != nil {
			return err
		}
		since = old.N
	}
	p, err := a.Ops().CustodyProof(e.ctx, c.Order, c.Parcel, since)
	if err != nil {
		return err
	}
	file, err := p.Encode()
	if err != nil {
		return err
	}
	f, err := os.OpenFile(c.Out, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return &errs.Error{Kind: errs.Conflict, Op: "custody.proof", Item: c.Out, Safe: "cannot be written, or is there already", Cause: err}
	}
	_, err = f.Write(file)
	if err := errors.Join(err, f.Close()); err != nil {
		return errs.Wrap("custody.proof", c.Out, err)
	}
	fmt.Printf("%s written to %s\n", counted(len(p.Entries), "entry", "entries"), c.Out)
	return nil
}

type custodyCheckpoint struct{ home }

func (c *custodyCheckpoint) Run(e *env) error {
	return custodyHead(e, c.home, func(checkpoint, _ string) { fmt.Print(checkpoint) })
}

type custodyKey struct{ home }

func (c *custodyKey) Run(e *env) error {
	return custodyHead(e, c.home, func(_, key string) { fmt.Println(key) })
}

func custodyHead(e *env, h home, show func(checkpoint, key string)) error {
	a, err := offline(e, h, false)
	if err != nil {
		return err
	}
	defer a.Stop(context.WithoutCancel(e.ctx))
	checkpoint, key, err := a.Ops().CustodyHead(e.ctx)
	if err == nil {
		show(checkpoint, key)
	}
	return err
}

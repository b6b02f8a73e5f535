package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"strings"
	"text/tabwriter"
)

type tokenCmd struct {
	New    tokenNew    `cmd:"" help:"Make a token for a program and print it, once."`
	List   tokenList   `cmd:"" help:"List the tokens."`
	Revoke tokenRevoke `cmd:"" help:"End a token; within seconds nobody gets in by it."`
}

type tokenNew struct {
	home
	Name  string   `arg:"" help:"Which program it is for, such as erp."`
	Scope []string `help:"What it may do, such as incidents:read; more than one with commas. Without, everything."`
}

func (c *tokenNew) Run(e *env) error {
	a, err := offline(e, c.home, false)
	if err != nil {
		return err
	}
	defer a.Stop(context.WithoutCancel(e.ctx))
	plain, t, err := a.Ops().NewToken(e.ctx, c.Name, operator("command line"), c.Scope...)
	if err != nil {
		return err
	}
	fmt.Println(plain)
	fmt.Fprintf(os.Stderr, "This is token %s of %q. It is shown this once; keep it like a password.\n", t.ID, t.Name)
	return nil
}

type tokenList struct{ home }

func (c *tokenList) Run(e *env) error {
	a, err := offline(e, c.home, false)
	if err != nil {
		return err
	}
	defer a.Stop(context.WithoutCancel(e.ctx))
	tokens, err := a.Ops().Tokens(e.ctx)
	if err != nil {
		return err
	}
	if len(tokens) == 0 {
		fmt.Println("There are no tokens. Make one with: spillway token new NAME")
		return nil
	}
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "ID\tNAME\tMADE\tBY\tSTATE\tMAY")
	for _, t := range tokens {
		state := "good"
		if !t.RevokedAt.IsZero() {
			state = "revoked " + t.RevokedAt.Format("2006-01-02 15:04")
		}
		may := cmp.Or(strings.Join(t.Scopes, ","), "everything")
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", t.ID, t.Name, t.CreatedAt.Format("2006-01-02 15:04"), t.CreatedBy, state, may)
	}
	return w.Flush()
}

type tokenRevoke struct {
	home
	ID string `arg:"" help:"The token's id, from: spillway token list"`
}

func (c *tokenRevoke) Run(e *env) error {
	a, err := offline(e, c.home, false)
	if err != nil {
		return err
	}
	defer a.Stop(context.WithoutCancel(e.ctx))
	if err := a.Ops().RevokeToken(e.ctx, c.ID, operator("command line")); err != nil {
		return err
	}
	fmt.Println("revoked")
	return nil
}

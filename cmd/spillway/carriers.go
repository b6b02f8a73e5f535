package main

import (
	"bufio"
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spillway/spillway/connector/driver"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/ops"
)

type carriersCmd struct {
	List   carriersList   `cmd:"" default:"withargs" help:"The accounts in use, and whom others can be had with."`
	Add    carriersAdd    `cmd:"" help:"Add an account. Its secrets are read from the environment or from standard input, never from flags."`
	Remove carriersRemove `cmd:"" help:"Remove an account: its secrets are forgotten, its parcels stay."`
}

type carriersList struct{ home }

func (c *carriersList) Run(e *env) error {
	return withOps(e, c.home, func(ctx context.Context, x *ops.Ops) error {
		all, err := x.CarrierAccounts(ctx)
		if err != nil {
			return err
		}
		if len(all) > 0 {
			t := table("ID\tCARRIER\tNAME\tADDED\tBY\tWEBHOOK")
			for _, a := range all {
				fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\n", a.ID, a.Carrier, a.Name, a.CreatedAt.Format("2006-01-02 15:04"), a.CreatedBy, x.WebhookOf(a))
			}
			if err := t.Flush(); err != nil {
				return err
			}
		} else {
			fmt.Println("There is no account. Add one with: spillway carriers add CARRIER --name NAME")
		}
		t := table("CARRIER\tTITLE\tSETTINGS")
		for _, k := range x.Carriers() {
			fmt.Fprintf(t, "%s\t%s\t%s\n", k.Name, cmp.Or(k.Title, k.Name), strings.Join(settingWords(k), ", "))
		}
		return t.Flush()
	})
}

// settingWords names what a carrier asks for.
func settingWords(k driver.CarrierDescription) (out []string) {
	for _, s := range k.Settings {
		word := s.Name
		if s.Secret {
			word += " (secret: " + secretEnv(k.Name, s.Name) + ")"
		}
		if !s.Required {
			word += " (optional)"
		}
		out = append(out, word)
	}
	return out
}

// secretEnv is the variable a secret is read from.
func secretEnv(carrier, setting string) string {
	return "SPILLWAY_" + strings.ToUpper(strings.NewReplacer("-", "_", " ", "_").Replace(carrier+"_"+setting))
}

type carriersAdd struct {
	home
	Carrier string            `arg:"" help:"Whom it is with, from: spillway carriers list"`
	Name    string            `required:"" help:"By which people tell it from other accounts."`
	Set     map[string]string `help:"A setting that is no secret, such as --set mode=test; several are separated by semicolons."`
}

// maxSecrets bounds what is read from standard input: a few keys.
const maxSecrets = 64 << 10

func (c *carriersAdd) Run(e *env) error {
	return withOps(e, c.home, func(ctx context.Context, x *ops.Ops) error {
		settings, err := c.settings(x.Carriers())
		if err != nil {
			return err
		}
		a, err := x.AddCarrier(ctx, ops.NewCarrierAccount{Carrier: c.Carrier, Name: c.Name, Settings: settings, Actor: operator("command line")})
		if err != nil {
			return err
		}
		fmt.Println(a.ID)
		fmt.Fprintf(os.Stderr, "The account %q is kept. Enter this address with the carrier for its webhooks: %s\n", a.Name, x.WebhookOf(a))
		return nil
	})
}

// settings joins flags with secrets. Those that are not in the environment are read from standard input, lines of "name=value".
func (c *carriersAdd) settings(kinds []driver.CarrierDescription) (map[string]string, error) {
	const op = "carriers add"
	out := map[string]string{}
	var secrets []string
	for _, k := range kinds {
		for _, s := range k.Settings {
			if k.Name == c.Carrier && s.Secret {
				secrets = append(secrets, s.Name)
			}
		}
	}
	missing := map[string]bool{}
	for _, s := range secrets {
		if _, flagged := c.Set[s]; flagged {
			return nil, errs.New(errs.Invalid, op, s, "is a secret: others on this machine see flags; set %s or give it on standard input", secretEnv(c.Carrier, s))
		}
		if v := os.Getenv(secretEnv(c.Carrier, s)); v != "" {
			out[s] = v
		} else {
			missing[s] = true
		}
	}
	for name, v := range c.Set {
		out[name] = v
	}
	if len(missing) == 0 {
		return out, nil
	}
	if i, err := os.Stdin.Stat(); err != nil || i.Mode()&os.ModeCharDevice != 0 {
		return out, nil // nothing is piped in; what is required and missing is said by who checks
	}
	lines := bufio.NewScanner(io.LimitReader(os.Stdin, maxSecrets))
	for lines.Scan() {
		name, v, ok := strings.Cut(strings.TrimSpace(lines.Text()), "=")
		if name == "" {
			continue
		}
		if !ok || !missing[name] {
			return nil, errs.New(errs.Invalid, op, "standard input", "gives one secret a line as name=value; the names are %s", strings.Join(secrets, ", "))
		}
		out[name] = v
	}
	return out, lines.Err()
}

type carriersRemove struct {
	home
	ID string `arg:"" help:"The account's id, from: spillway carriers list"`
}

func (c *carriersRemove) Run(e *env) error {
	return withOps(e, c.home, func(ctx context.Context, x *ops.Ops) error {
		if err := x.RemoveCarrier(ctx, c.ID, operator("command line")); err != nil {
			return err
		}
		fmt.Println("removed")
		return nil
	})
}

// withOps runs f beside a running Spillway.
func withOps(e *env, h home, f func(context.Context, *ops.Ops) error) error {
	a, err := offline(e, h, false)
	if err != nil {
		return err
	}
	defer a.Stop(context.WithoutCancel(e.ctx))
	return f(e.ctx, a.Ops())
}

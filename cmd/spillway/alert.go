package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spillway/spillway/app"
	"github.com/spillway/spillway/domain/alert"
	"github.com/spillway/spillway/domain/incident"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/ops"
	"github.com/spillway/spillway/store"
)

type alertsCmd struct {
	List       alertsList       `cmd:"" default:"withargs" help:"What is wrong, and what was resolved last."`
	Ack        alertsAck        `cmd:"" help:"Say that you look after an incident: nobody else is told any more."`
	Resolve    alertsResolve    `cmd:"" help:"Say that an incident is over."`
	Postmortem alertsPostmortem `cmd:"" help:"Print the draft of an incident's report, as Markdown."`
	Targets    alertsTargets    `cmd:"" help:"Who is told."`
	Add        alertsAdd        `cmd:"" help:"Add somebody to be told. The address is read from a file or from standard input: it holds secrets."`
	Remove     alertsRemove     `cmd:"" help:"Tell somebody no more."`
	Test       alertsTest       `cmd:"" help:"Send a test to somebody and wait for the answer."`
	Silence    alertsSilence    `cmd:"" help:"Keep alerts still for a while, for maintenance."`
	Silences   alertsSilences   `cmd:"" help:"The silences in force and to come."`
	Unsilence  alertsUnsilence  `cmd:"" help:"End a silence now."`
	Runbooks   alertsRunbooks   `cmd:"" help:"The runbooks in force; with a file, your own ones are replaced by it."`
}

// alertHome is the home of a command about alerts.
type alertHome struct {
	home
	AlertsPrivate bool `help:"Alerts may go to addresses in private networks: a mail relay of your own." env:"SPILLWAY_ALERTS_PRIVATE"`
}

// with runs f beside a running Spillway.
func (h alertHome) with(e *env, f func(context.Context, *ops.Ops, string) error) error {
	o := h.options(e)
	o.Listen, o.OpsListen, o.AlertsPrivate = "127.0.0.1:0", "off", h.AlertsPrivate
	a, err := app.New(e.ctx, o)
	if err != nil {
		return err
	}
	defer a.Stop(context.WithoutCancel(e.ctx))
	return f(e.ctx, a.Ops(), operator("command line"))
}

func table(head string) *tabwriter.Writer {
	t := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, head)
	return t
}

type alertsList struct {
	alertHome
	Past int `help:"How many resolved ones." default:"5"`
}

func (c *alertsList) Run(e *env) error {
	return c.with(e, func(ctx context.Context, x *ops.Ops, _ string) error {
		all, err := x.Incidents(ctx, c.Past)
		if err != nil {
			return err
		}
		if len(all) == 0 {
			fmt.Println("Nothing is wrong, and nothing was.")
			return nil
		}
		t := table("NUMBER\tSTATE\tSEVERITY\tSINCE\tBY\tWHAT")
		for _, i := range all {
			fmt.Fprintf(t, "%d\t%s\t%s\t%s\t%s\t%s\n", i.Number, i.Phase, i.Severity, i.OpenedAt.Format("2006-01-02 15:04"), i.AckBy, i.Last.Text)
		}
		return t.Flush()
	})
}

// incidentArg is an incident by the number people know.
type incidentArg struct {
	alertHome
	Number string `arg:"" help:"The incident's number, from: spillway alerts list"`
}

func (c incidentArg) find(ctx context.Context, x *ops.Ops) (store.Incident, error) {
	n, err := strconv.ParseInt(strings.TrimPrefix(c.Number, "#"), 10, 64)
	if err != nil || n < 1 {
		return store.Incident{}, errs.New(errs.Invalid, "alerts", c.Number, "is not the number of an incident")
	}
	return x.IncidentByNumber(ctx, n)
}

type alertsAck struct{ incidentArg }

func (c *alertsAck) Run(e *env) error {
	return c.with(e, func(ctx context.Context, x *ops.Ops, actor string) error {
		i, err := c.find(ctx, x)
		if err != nil {
			return err
		}
		if _, err := x.Acknowledge(ctx, i.ID, actor); err != nil {
			return err
		}
		fmt.Println("acknowledged: nobody else is told any more")
		return nil
	})
}

type alertsResolve struct {
	incidentArg
	Note string `help:"What was done, for the report."`
}

func (c *alertsResolve) Run(e *env) error {
	return c.with(e, func(ctx context.Context, x *ops.Ops, actor string) error {
		i, err := c.find(ctx, x)
		if err != nil {
			return err
		}
		if _, err := x.Resolve(ctx, i.ID, actor, c.Note); err != nil {
			return err
		}
		fmt.Println("resolved")
		return nil
	})
}

type alertsPostmortem struct {
	incidentArg
	Zone string `help:"Time zone of the report." default:"UTC" env:"SPILLWAY_ZONE"`
}

func (c *alertsPostmortem) Run(e *env) error {
	zone, err := time.LoadLocation(c.Zone)
	if err != nil {
		return errs.New(errs.Invalid, "alerts", c.Zone, "is not a time zone that is known here")
	}
	return c.with(e, func(ctx context.Context, x *ops.Ops, _ string) error {
		i, err := c.find(ctx, x)
		if err != nil {
			return err
		}
		text, err := x.Postmortem(ctx, i.ID, zone)
		if err == nil {
			fmt.Print(text)
		}
		return err
	})
}

type alertsTargets struct{ alertHome }

func (c *alertsTargets) Run(e *env) error {
	return c.with(e, func(ctx context.Context, x *ops.Ops, _ string) error {
		all, err := x.Targets(ctx)
		if err != nil {
			return err
		}
		if len(all) == 0 {
			fmt.Println("Nobody is told. Add somebody with: spillway alerts add NAME --role operations < file-with-the-address")
			return nil
		}
		t := table("NAME\tROLE\tFROM\tSERVICE\tADDRESS")
		for _, a := range all {
			fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\n", a.Name, a.Role, a.Least, a.Service, a.Hint)
		}
		return t.Flush()
	})
}

type alertsAdd struct {
	alertHome
	Name        string `arg:"" help:"Who it is, such as lena or ops-chat."`
	Role        string `help:"Who they are: operations, warehouse, marketing, engineering, or everyone for a team's channel." default:"everyone"`
	Least       string `help:"Milder than this is not told: info, warning or critical." default:"info"`
	Quiet       string `help:"Hours in which only critical things are told, such as 22:00-07:00; default those of the house."`
	Weekend     bool   `help:"Saturday and Sunday are quiet all day."`
	Zone        string `help:"Time zone of the quiet hours; default that of the house."`
	Digest      bool   `help:"Gets the weekly digest."`
	AddressFile string `help:"File with the service URL; default standard input." type:"existingfile"`
}

// maxAddress bounds what is read of an address.
const maxAddress = 4096

func (c *alertsAdd) Run(e *env) error {
	quiet, err := c.quiet()
	if err != nil {
		return err
	}
	from := io.Reader(os.Stdin)
	if c.AddressFile != "" {
		f, err := os.Open(c.AddressFile)
		if err != nil {
			return errs.Wrap("alerts", c.AddressFile, err)
		}
		defer f.Close()
		from = f
	}
	address, err := io.ReadAll(io.LimitReader(from, maxAddress))
	if err != nil {
		return errs.Wrap("alerts", "address", err)
	}
	return c.with(e, func(ctx context.Context, x *ops.Ops, actor string) error {
		n := ops.NewTarget{Name: c.Name, Address: string(address), Role: alert.Role(c.Role), Least: alert.Severity(c.Least), Quiet: quiet, Zone: c.Zone, Digest: c.Digest, Actor: actor}
		if was, err := x.TargetBy(ctx, c.Name); err == nil { // the same name is the same person with another address
			n.ID = was.ID
		}
		t, err := x.PutTarget(ctx, n)
		if err == nil {
			fmt.Printf("%s is told at %s; try it with: spillway alerts test %s\n", t.Name, t.Hint, c.Name)
		}
		return err
	})
}

func (c *alertsAdd) quiet() (alert.Quiet, error) {
	q := alert.Quiet{Weekend: c.Weekend}
	if c.Quiet == "" {
		return q, nil
	}
	a, b, _ := strings.Cut(c.Quiet, "-")
	from, err := time.Parse("15:04", a)
	until, err2 := time.Parse("15:04", b)
	if err != nil || err2 != nil {
		return q, errs.New(errs.Invalid, "alerts", c.Quiet, "is not a pair of times such as 22:00-07:00")
	}
	q.From, q.Until = from.Hour()*60+from.Minute(), until.Hour()*60+until.Minute()
	return q, nil
}

// targetArg is somebody by name.
type targetArg struct {
	alertHome
	Name string `arg:"" help:"Who, from: spillway alerts targets"`
}

type alertsRemove struct{ targetArg }

func (c *alertsRemove) Run(e *env) error {
	return c.with(e, func(ctx context.Context, x *ops.Ops, actor string) error {
		t, err := x.TargetBy(ctx, c.Name)
		if err != nil {
			return err
		}
		if err := x.RemoveTarget(ctx, t.ID, actor); err != nil {
			return err
		}
		fmt.Println(t.Name, "is not told any more; the address is forgotten")
		return nil
	})
}

type alertsTest struct{ targetArg }

func (c *alertsTest) Run(e *env) error {
	return c.with(e, func(ctx context.Context, x *ops.Ops, actor string) error {
		t, err := x.TargetBy(ctx, c.Name)
		if err != nil {
			return err
		}
		if err := x.TestTarget(ctx, t.ID, actor); err != nil {
			return err
		}
		fmt.Printf("%s took it; look whether it has arrived\n", t.Hint)
		return nil
	})
}

type alertsSilence struct {
	alertHome
	Kind   string        `help:"What: a kind of alert, such as connection_down; default all."`
	Shop   string        `help:"Of which shop; default all."`
	Node   string        `help:"Of which location; default all."`
	For    time.Duration `help:"For how long." required:""`
	Reason string        `help:"Why, for those who wonder." required:""`
}

func (c *alertsSilence) Run(e *env) error {
	return c.with(e, func(ctx context.Context, x *ops.Ops, actor string) error {
		now := time.Now().UTC().Truncate(time.Microsecond)
		s := alert.Silence{Kind: alert.Kind(c.Kind), Shop: c.Shop, Node: c.Node, From: now, Until: now.Add(c.For), Author: actor, Reason: c.Reason}
		if err := x.AddSilence(ctx, s); err != nil {
			return err
		}
		fmt.Println("kept still until", s.Until.Format(time.RFC3339), "- incidents are still opened and listed")
		return nil
	})
}

type alertsSilences struct{ alertHome }

func (c *alertsSilences) Run(e *env) error {
	return c.with(e, func(ctx context.Context, x *ops.Ops, _ string) error {
		all, err := x.Silences(ctx)
		if err != nil {
			return err
		}
		t := table("ID\tKIND\tSHOP\tNODE\tUNTIL\tBY\tREASON")
		for _, s := range all {
			fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", s.ID, s.Kind, s.Shop, s.Node, s.Until.Format("2006-01-02 15:04"), s.Author, s.Reason)
		}
		return t.Flush()
	})
}

type alertsUnsilence struct {
	alertHome
	ID string `arg:"" help:"The silence's id, from: spillway alerts silences"`
}

func (c *alertsUnsilence) Run(e *env) error {
	return c.with(e, func(ctx context.Context, x *ops.Ops, actor string) error {
		if err := x.EndSilence(ctx, c.ID, actor); err != nil {
			return err
		}
		fmt.Println("over: what is still wrong is told now")
		return nil
	})
}

type alertsRunbooks struct {
	alertHome
	File string `arg:"" optional:"" type:"existingfile" help:"YAML, one document a runbook; one with the id of a shipped one replaces it."`
}

func (c *alertsRunbooks) Run(e *env) error {
	return c.with(e, func(ctx context.Context, x *ops.Ops, actor string) error {
		if c.File != "" {
			text, err := os.ReadFile(c.File)
			if err != nil {
				return errs.Wrap("alerts", c.File, err)
			}
			if err := x.SetRunbooks(ctx, string(text), actor); err != nil {
				return err
			}
		}
		books, err := x.Runbooks(ctx)
		if err != nil {
			return err
		}
		return printRunbooks(books)
	})
}

func printRunbooks(books []incident.Runbook) error {
	t := table("ID\tSTEPS\tSTARTS WHEN\tTITLE")
	for _, b := range books {
		fmt.Fprintf(t, "%s\t%d\t%s\t%s\n", b.ID, len(b.Steps), b.Trigger.Words, b.Title)
	}
	return t.Flush()
}

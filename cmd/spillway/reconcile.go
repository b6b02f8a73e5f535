package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/spillway/spillway/connector/all"
	"github.com/spillway/spillway/domain/policy"
	compare "github.com/spillway/spillway/domain/reconcile"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/ops"
	"github.com/spillway/spillway/ops/reconcile"
	"github.com/spillway/spillway/store"
)

// reconcileCmd compares exports of a channel's own pages with what Spillway counts. See docs/guides/reconcile.md for the columns.
type reconcileCmd struct {
	home
	Files     []string          `arg:"" name:"file" type:"existingfile" help:"Exports: CSV or XLSX."`
	Shop      string            `required:"" help:"The connection's id or name, or the shop's id with the channel."`
	Kind      string            `help:"What the files hold: orders, violations, performance or ratings. Default: by their columns." enum:",orders,violations,performance,ratings" default:""`
	Map       map[string]string `help:"Column of a field, such as order=Reference; repeatable." mapsep:"none" placeholder:"FIELD=COLUMN"`
	MapFile   string            `type:"existingfile" help:"A YAML file of the same: one 'field: column' a line." placeholder:"FILE"`
	Delimiter string            `help:"What parts the cells: one character, or 'tab'. Default: by the first line." placeholder:"CHAR"`
	Sheet     string            `help:"Sheet of a workbook. Default: the first."`
	TimeZone  string            `help:"Zone of times without an offset. Default: the market's." placeholder:"ZONE"`
	DayFirst  bool              `help:"Read 03/04/2026 as 3 April."`
	Bare      string            `help:"What shares without a percent sign are: percent or fraction." enum:",percent,fraction" default:""`
	Metric    string            `help:"The metric of files without a column for it: ldr, vtr, sfcr or otdr." enum:",ldr,vtr,sfcr,otdr" default:""`
	From      string            `help:"First day to compare, where the files have no figures." placeholder:"DAY"`
	To        string            `help:"Last day to compare." placeholder:"DAY"`
	SkipWrong bool              `help:"Tell rows that are wrong and compare the others, instead of refusing the files."`
	All       bool              `help:"Show orders on which both sides agree, too."`
	CSV       string            `name:"csv" type:"path" help:"Write the orders and their causes to this file." placeholder:"FILE"`
	JSON      bool              `help:"Print JSON, for machines."`
	Keep      bool              `help:"Keep what comes of it, for the pages to show: the channel's figures, and ratings of the account." default:"true" negatable:""`
}

func (c *reconcileCmd) Run(e *env) error {
	st, err := openStore(e, c.home)
	if err != nil {
		return err
	}
	defer st.Close()
	conn, rules, err := shopRules(e.ctx, st, c.Shop)
	if err != nil {
		return err
	}
	o, co, err := c.options(rules)
	if err != nil {
		return err
	}
	var files []reconcile.File
	for _, path := range c.Files {
		files = append(files, reconcile.File{Name: filepath.Base(path), Open: func() (io.ReadCloser, error) { return os.Open(path) }})
	}
	asked := reconcile.Asked{Connection: conn.ID, Rules: rules, Files: files, Read: o, Compare: co, Actor: operator("command line"), Now: time.Now}
	made, err := asked.Make(e.ctx, st)
	if err != nil {
		return err
	}
	content, report := made.Content, made.Report
	if c.CSV != "" {
		if err := writeReport(c.CSV, report); err != nil {
			return err
		}
	}
	kept := ""
	if c.Keep {
		if kept, err = keep(e.ctx, st, asked, made); err != nil {
			return err
		}
	}
	if c.JSON {
		out := json.NewEncoder(os.Stdout)
		out.SetIndent("", "  ")
		return out.Encode(struct {
			Shop    string                 `json:"shop"`
			Files   []reconcile.FileReport `json:"files"`
			Ratings []reconcile.Rating     `json:"ratings,omitempty"`
			Report  compare.Report         `json:"report"`
			Kept    string                 `json:"kept,omitempty"`
		}{conn.ID, content.Files, content.Ratings, report, kept})
	}
	printFiles(os.Stdout, content)
	fmt.Print(reconcile.Text(report, c.All))
	if kept != "" {
		fmt.Println("\nkept; the pages show it at /health/reconcile/" + kept)
	}
	return nil
}

// keep keeps what came of files, unless the same were compared before. It returns under which id it is found.
func keep(ctx context.Context, st *store.Store, a reconcile.Asked, made reconcile.Compared) (string, error) {
	r, began, err := a.Begin(ctx, st)
	if err != nil || !began {
		return r.ID, err
	}
	_, err = a.Save(ctx, st, r, made)
	return r.ID, err
}

// options are the command's, for reading and for comparing.
func (c *reconcileCmd) options(rules *policy.RuleSet) (reconcile.Options, compare.Options, error) {
	o := reconcile.Options{Kind: reconcile.Kind(c.Kind), Map: map[string]string{}, Sheet: c.Sheet, Zone: rules.Location(), DayFirst: c.DayFirst, Bare: c.Bare,
		Metric: policy.Metric(c.Metric), SkipWrong: c.SkipWrong}
	co := compare.Options{All: c.All}
	fail := func(err error) (reconcile.Options, compare.Options, error) { return o, co, err }
	var err error
	if c.Delimiter != "" {
		if o.Delimiter, err = delimiter(c.Delimiter); err != nil {
			return fail(err)
		}
	}
	if c.TimeZone != "" {
		if o.Zone, err = time.LoadLocation(c.TimeZone); err != nil {
			return fail(errs.New(errs.Invalid, "reconcile", "time zone", "%q is not a time zone such as Europe/Berlin", c.TimeZone))
		}
	}
	co.Zones = []*time.Location{o.Zone}
	if c.MapFile != "" {
		if err := readMap(c.MapFile, o.Map); err != nil {
			return fail(err)
		}
	}
	maps.Copy(o.Map, c.Map)
	for _, d := range []struct {
		text string
		to   *policy.Day
	}{{c.From, &co.From}, {c.To, &co.To}} {
		if d.text == "" {
			continue
		}
		if *d.to, err = policy.ParseDay(d.text); err != nil {
			return fail(errs.New(errs.Invalid, "reconcile", "day", "%v", err))
		}
	}
	if (co.From == 0) != (co.To == 0) || co.From > co.To {
		return fail(errs.New(errs.Invalid, "reconcile", "period", "--from and --to go together, the first day before the last"))
	}
	return o, co, nil
}

// maxMap bytes of a file of columns: far above all fields there are.
const maxMap = 64 << 10

func readMap(path string, into map[string]string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := yaml.NewDecoder(io.LimitReader(f, maxMap)).Decode(&into); err != nil {
		return errs.New(errs.Invalid, "reconcile", filepath.Base(path), "is no list of 'field: column' lines")
	}
	return nil
}

// shopRules finds a connection and what its shop is judged by.
func shopRules(ctx context.Context, st *store.Store, shop string) (store.Connection, *policy.RuleSet, error) {
	var conns []store.Connection
	err := st.View(ctx, func(tx *store.Tx) (err error) {
		conns, err = tx.ConnectionList()
		return err
	})
	if err != nil {
		return store.Connection{}, nil, err
	}
	at := slices.IndexFunc(conns, func(c store.Connection) bool { return c.ID == shop || c.Name == shop || c.ExternalID == shop })
	if at < 0 {
		var names []string
		for _, c := range conns {
			names = append(names, cmp.Or(c.Name, c.ID))
		}
		return store.Connection{}, nil, errs.New(errs.NotFound, "reconcile", shop, "there is no shop %q; there are %s", shop, cmp.Or(strings.Join(names, ", "), "none"))
	}
	conn := conns[at]
	rules, err := ops.RulesIn(ctx, st, all.All(), ops.Market{Vendor: conn.Vendor, Market: conn.Region})
	if errs.Is(err, errs.NotFound) {
		err = errs.New(errs.NotFound, "reconcile", shop, "nothing is known of how shops of %s in %s are judged, so there is nothing to compare", conn.Vendor, conn.Region)
	}
	return conn, rules, err
}

func writeReport(path string, r compare.Report) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	if err := reconcile.WriteCSV(f, r); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}

func printFiles(w io.Writer, c reconcile.Content) {
	for _, f := range c.Files {
		fmt.Fprintf(w, "%s: %s, %d rows, %d taken", f.Name, f.Kind, f.Rows, f.Taken)
		for _, x := range []struct {
			n    int
			what string
		}{{f.Wrong, "wrong"}, {f.Blank, "blank"}, {f.Described, "explaining the columns"}, {f.Other, "of metrics that are not compared"}} {
			if x.n > 0 {
				fmt.Fprintf(w, ", %d %s", x.n, x.what)
			}
		}
		fmt.Fprintln(w)
		for _, p := range f.Problems {
			fmt.Fprintln(w, "  "+p.String())
		}
		if f.More > 0 {
			fmt.Fprintf(w, "  and %d more\n", f.More)
		}
	}
	if n := len(c.Ratings); n > 0 {
		last := c.Ratings[n-1]
		fmt.Fprintf(w, "account's rating: %d on %s, %d days read\n", last.Value, last.Day, n)
	}
}

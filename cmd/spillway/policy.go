package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spillway/spillway/connector/all"
	"github.com/spillway/spillway/connector/driver"
	"github.com/spillway/spillway/domain/health"
	"github.com/spillway/spillway/domain/policy"
	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/ops"
)

// recountMost bounds the orders that a comparison at a terminal counts anew; a million take about a minute.
const recountMost = 5_000_000

type policyCmd struct {
	Show policyShow `cmd:"" help:"What a channel demands of shops on a day, number by number with its source."`
	Diff policyDiff `cmd:"" help:"What differs between two days, and what that makes of each shop's own rates."`
}

// policyOf chooses the rules.
type policyOf struct {
	home
	Market string `help:"Market, such as US; needed where there are several." placeholder:"XX"`
	Vendor string `help:"Channel, where several have rules for the market."`
}

// choose finds the market that is meant. Errors: NotFound, Invalid (several).
func (c *policyOf) choose(vendors []driver.Vendor) (ops.Market, error) {
	markets := slices.DeleteFunc(ops.Markets(vendors), func(m ops.Market) bool {
		return c.Market != "" && !strings.EqualFold(m.Market, c.Market) || c.Vendor != "" && m.Vendor != c.Vendor
	})
	switch len(markets) {
	case 0:
		return ops.Market{}, errs.New(errs.NotFound, "policy", c.Market, "No channel ships rules for the market %s; those that do: %s.", c.Market, names(ops.Markets(vendors)))
	case 1:
		return markets[0], nil
	}
	return ops.Market{}, errs.New(errs.Invalid, "policy", c.Market, "Say which one with --market, and with --vendor where that is not enough: %s.", names(markets))
}

func names(markets []ops.Market) string {
	var out []string
	for _, m := range markets {
		out = append(out, m.Market+" ("+m.Vendor+")")
	}
	return strings.Join(out, ", ")
}

// rules are a market's, with the operator's overrides where there is a database. Close what comes with them; nil: there is no database.
func (c *policyOf) rules(e *env) (m ops.Market, rs *policy.RuleSet, x *ops.Ops, end func(), err error) {
	vendors := all.All()
	if m, err = c.choose(vendors); err != nil {
		return m, nil, nil, nil, err
	}
	if c.Database == "" {
		if _, err := os.Stat(filepath.Join(c.Home, "spillway.db")); errors.Is(err, fs.ErrNotExist) {
			rs, err = ops.ShippedRules(vendors, m)
			return m, rs, nil, func() {}, err
		}
	}
	a, err := offline(e, c.home, false)
	if err != nil {
		return m, nil, nil, nil, err
	}
	end = func() { _ = a.Stop(context.WithoutCancel(e.ctx)) } // nothing runs that could fail to stop
	rs, err = a.Ops().Rules(e.ctx, m)
	if err != nil {
		end()
	}
	return m, rs, a.Ops(), end, err
}

type policyShow struct {
	policyOf
	On string `help:"Day, such as 2026-04-15; default today in the market." placeholder:"DAY"`
}

func (c *policyShow) Run(e *env) error {
	m, rs, _, end, err := c.rules(e)
	if err != nil {
		return err
	}
	defer end()
	day := policy.DayOf(time.Now(), rs.Location())
	if c.On != "" {
		if day, err = readDay(c.On); err != nil {
			return err
		}
	}
	fmt.Printf("%s, %s, on %s (rules %s, days in %s)\n", m.Title, rs.Market, day, rs.Version, rs.Zone)
	section := ""
	t := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	for _, l := range rs.Lines() {
		if !l.Holds(day) && !(l.Announced && (l.Until == 0 || l.Until > day)) {
			continue
		}
		if l.Section != section {
			section = l.Section
			fmt.Fprintf(t, "\n%s\n", strings.ReplaceAll(section, "_", " "))
		}
		says := l.Says
		if l.Announced {
			says += " (announced, not in force)"
		}
		fmt.Fprintf(t, "  %s\t%s\t%s\t%s\n", cmp.Or(l.ID, "–"), l.Topic, says, origin(rs, l.Cited))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	for _, g := range rs.Gaps {
		fmt.Printf("\nnot told: %s %s\n", g.Text, g.Way)
	}
	return nil
}

func readDay(text string) (policy.Day, error) {
	day, err := policy.ParseDay(text)
	if err != nil {
		return 0, errs.New(errs.Invalid, "policy", text, "write days as 2026-04-15")
	}
	return day, nil
}

// origin is where a number comes from and how sure it is.
func origin(rs *policy.RuleSet, c policy.Cited) string {
	return cmp.Or(rs.Sources[c.Source].Title, c.Source) + ", " + string(c.Confidence)
}

type policyDiff struct {
	policyOf
	From string `arg:"" help:"Day, such as 2026-02-01."`
	To   string `arg:"" help:"Day, such as 2026-04-15."`
}

func (c *policyDiff) Run(e *env) error {
	from, err := readDay(c.From)
	if err != nil {
		return err
	}
	to, err := readDay(c.To)
	if err != nil {
		return err
	}
	from, to = min(from, to), max(from, to)
	m, rs, x, end, err := c.rules(e)
	if err != nil {
		return err
	}
	defer end()
	changes := policy.Diff(rs, from, to)
	fmt.Printf("%s, %s: %d differences between %s and %s (rules %s)\n\n", m.Title, rs.Market, len(changes), from, to, rs.Version)
	for _, ch := range changes {
		fmt.Printf("%s\n    %s\n", ch.Sentence(), origin(rs, policy.Cited{Source: ch.Source, Confidence: ch.Confidence}))
		if ch.Note != "" {
			fmt.Printf("    %s\n", ch.Note)
		}
	}
	if x == nil {
		fmt.Println("\nThere is no database here, so there are no orders to judge; name one with --home or --database.")
		return nil
	}
	effects, err := x.PolicyEffects(e.ctx, m, rs, from, to, recountMost)
	if err != nil {
		return err
	}
	return printEffects(effects, from, to)
}

// printEffects tells what the rules of two days make of the orders of today's windows.
func printEffects(effects []ops.PolicyEffect, from, to policy.Day) error {
	if len(effects) == 0 {
		fmt.Println("\nNo rate of a connected shop is counted or judged differently.")
		return nil
	}
	fmt.Println("\nThe orders of today's windows by the rules of both days:")
	t := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "SHOP\tRATE\tBY %s\tBY %s\tEFFECT\n", from, to)
	for i := range effects {
		x := &effects[i]
		before, after := rateText(&x.Before), rateText(&x.After)
		if x.NotKnown {
			before, after = "not counted", "not counted"
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\n", cmp.Or(x.Shop.Name, x.Shop.ID), x.Metric.Words(), before, after, x.Sentence())
	}
	return t.Flush()
}

func rateText(s *health.Standing) string {
	switch s.State {
	case health.Nothing:
		return "nothing counted"
	case health.NoRule:
		return "no rule"
	}
	return fmt.Sprintf("%s (%d of %d) %s", health.Percent(s.Num, s.Den), s.Num, s.Den, s.State)
}

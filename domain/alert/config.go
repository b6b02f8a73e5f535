package alert

import (
	"fmt"
	"slices"
	"time"

	"github.com/spillway/spillway/kit/errs"
)

// Target is a person or a channel that can be told.
type Target struct {
	ID     string   `json:"id"`
	Name   string   `json:"name"` // "Lena's phone", "#ops"
	Role   Role     `json:"role"`
	Least  Severity `json:"least,omitzero"` // milder than this is not told
	Quiet  Quiet    `json:"quiet,omitzero"`
	Active bool     `json:"active"`
	Digest bool     `json:"digest,omitzero"` // gets the weekly digest
}

// Quiet are the hours in which a person is told critical things only. From after Until passes midnight; equal: none.
type Quiet struct {
	From    int            `json:"from"` // minutes after midnight on the person's clock
	Until   int            `json:"until"`
	Weekend bool           `json:"weekend,omitzero"` // Saturday and Sunday all day
	Zone    *time.Location `json:"-"`                // nil: UTC
}

// Holds reports whether at is within the hours.
func (q Quiet) Holds(at time.Time) bool {
	if q.Zone != nil {
		at = at.In(q.Zone)
	} else {
		at = at.UTC()
	}
	if day := at.Weekday(); q.Weekend && (day == time.Saturday || day == time.Sunday) {
		return true
	}
	if q.From == q.Until {
		return false
	}
	m := at.Hour()*60 + at.Minute()
	if q.From < q.Until {
		return m >= q.From && m < q.Until
	}
	return m >= q.From || m < q.Until
}

// Silence keeps incidents that match from being told, for maintenance. They are kept and shown all the same. Empty fields match all.
type Silence struct {
	ID      string    `json:"id"`
	Kind    Kind      `json:"kind,omitzero"`
	Subject string    `json:"subject,omitzero"`
	Shop    string    `json:"shop,omitzero"`
	Node    string    `json:"node,omitzero"`
	From    time.Time `json:"from"`
	Until   time.Time `json:"until"`
	Author  string    `json:"author"`
	Reason  string    `json:"reason"`
}

// maxSilence bounds a silence: a month's maintenance is a standing decision and belongs into the rules.
const maxSilence = 31 * 24 * time.Hour

// Check refuses a silence without an author, a reason or an end. Errors: Invalid.
func (s Silence) Check() error {
	switch {
	case s.Author == "" || s.Reason == "":
		return errs.New(errs.Invalid, "alert.Silence", s.ID, "a silence needs an author and a reason")
	case !s.From.Before(s.Until):
		return errs.New(errs.Invalid, "alert.Silence", s.ID, "the end must be after the beginning")
	case s.Until.Sub(s.From) > maxSilence:
		return errs.New(errs.Invalid, "alert.Silence", s.ID, "a silence lasts a month at most")
	}
	return nil
}

// Covers reports whether the silence keeps a signal from being told at a time.
func (s Silence) Covers(g Signal, at time.Time) bool {
	same := func(want, got string) bool { return want == "" || want == got }
	return !at.Before(s.From) && at.Before(s.Until) && same(string(s.Kind), string(g.Kind)) && same(s.Subject, g.Subject) &&
		same(s.Shop, g.Shop) && same(s.Node, g.Node)
}

// Step is one step of an escalation: who is told how long after the first could be.
type Step struct {
	After time.Duration `json:"after"`
	Roles []Role        `json:"roles"`
}

// Escalation is what happens until somebody acknowledges.
type Escalation struct {
	Steps  []Step        `json:"steps"`
	Repeat time.Duration `json:"repeat"` // after the last step everybody is told again this often; 0: never
}

const (
	// maxSteps and maxRounds bound an escalation: whoever did not answer two dozen messages is not reached by more.
	maxSteps, maxRounds = 8, 24
	// minRepeat keeps repeats apart.
	minRepeat = 5 * time.Minute
)

// Config is all that a step is told besides what is wrong.
type Config struct {
	Rules      []Rule                  `json:"rules"`
	Escalation map[Severity]Escalation `json:"escalation"`
	Targets    []Target                `json:"targets"`
	Silences   []Silence               `json:"silences"`
}

// Escalations is what holds where the operator has said nothing else.
func Escalations() map[Severity]Escalation {
	return map[Severity]Escalation{
		Critical: {Repeat: time.Hour, Steps: []Step{{0, []Role{Owner}}, {10 * time.Minute, []Role{Operations, Engineering}},
			{30 * time.Minute, []Role{Operations, Warehouse, Marketing, Engineering}}}},
		Warning: {Steps: []Step{{0, []Role{Owner}}, {2 * time.Hour, []Role{Operations}}}},
		Info:    {Steps: []Step{{0, []Role{Everyone}}}},
	}
}

// Check refuses what cannot be meant. Errors: Invalid.
func (c Config) Check() error {
	bad := func(item, format string, args ...any) error {
		return errs.New(errs.Invalid, "alert.Config", item, format, args...)
	}
	for _, r := range c.Rules {
		if err := r.Check(); err != nil {
			return err
		}
	}
	for s, e := range c.Escalation {
		if err := e.check(s); err != nil {
			return err
		}
	}
	for _, t := range c.Targets {
		switch {
		case t.ID == "" || !slices.Contains(Roles, t.Role):
			return bad(t.ID, "a target needs an id and a role, one of %v", Roles)
		case t.Least != "" && t.Least.rank() < 0:
			return bad(t.ID, "there is no severity %q", t.Least)
		case t.Quiet.From < 0 || t.Quiet.From >= 24*60 || t.Quiet.Until < 0 || t.Quiet.Until >= 24*60:
			return bad(t.ID, "quiet hours are between 00:00 and 23:59")
		}
	}
	return nil
}

func (e Escalation) check(s Severity) error {
	bad := func(format string, args ...any) error {
		return errs.New(errs.Invalid, "alert.Config", "escalation of "+string(s), format, args...)
	}
	switch {
	case s.rank() < 0:
		return bad("there is no such severity")
	case len(e.Steps) == 0 || len(e.Steps) > maxSteps:
		return bad("has 1 to %d steps", maxSteps)
	case e.Repeat != 0 && e.Repeat < minRepeat:
		return bad("is repeated every %s at most", minRepeat)
	}
	for i, st := range e.Steps {
		if st.After < 0 || (i > 0 && st.After <= e.Steps[i-1].After) {
			return bad("step %d must come after the one before it", i+1)
		}
		for _, r := range st.Roles {
			if r != Owner && !slices.Contains(Roles, r) {
				return bad("step %d: there is no role %q", i+1, r)
			}
		}
	}
	return nil
}

// rule finds the rule of a kind; a kind without one has that of a warning for the engineer.
func (c *Config) rule(k Kind) Rule {
	for _, rules := range [][]Rule{c.Rules, Rules()} {
		if i := slices.IndexFunc(rules, func(r Rule) bool { return r.Kind == k }); i >= 0 {
			return rules[i]
		}
	}
	return Rule{Kind: k, Title: fmt.Sprintf("%s is wrong", k), Many: string(k), Severity: Warning, Owner: Engineering, Clear: 10 * time.Minute, Reopen: hour}
}

// Rule is how a kind is treated under this configuration.
func (c Config) Rule(k Kind) Rule { return c.rule(k) }

func (c *Config) escalation(s Severity) Escalation {
	if e, ok := c.Escalation[s]; ok && len(e.Steps) > 0 {
		return e
	}
	return Escalations()[s]
}

// silenced finds the silence that covers a signal.
func (c *Config) silenced(g Signal, at time.Time) bool {
	return slices.ContainsFunc(c.Silences, func(s Silence) bool { return s.Covers(g, at) })
}

// NextStep is when an incident escalates after a time, and to whom, unless somebody acknowledges it; false: it does not.
func (c Config) NextStep(i Incident, after time.Time) (at time.Time, roles []Role, ok bool) {
	first := i.firstTold()
	if i.Phase != Open || first.IsZero() {
		return at, nil, false
	}
	e := c.escalation(i.Severity)
	for _, s := range e.Steps[1:] {
		if at = first.Add(s.After - e.Steps[0].After); at.After(after) {
			return at, s.Roles, true
		}
	}
	return time.Time{}, nil, false
}

// SilencedUntil is when the silences end that keep an incident from being told at a time; zero: none does.
func (c Config) SilencedUntil(i Incident, at time.Time) (until time.Time) {
	for _, s := range c.Silences {
		if s.Covers(i.Last, at) && s.Until.After(until) {
			until = s.Until
		}
	}
	return until
}

package health

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/spillway/spillway/domain/policy"
)

// Entered is the account's value as somebody read it off the channel's own page: the only value that is known.
type Entered struct {
	Day    policy.Day
	Value  int
	Author string
}

// Deduction is points the channel took and stated, entered by the operator.
type Deduction struct {
	Day    policy.Day
	Points int
	Reason string
	Lifted bool // an appeal succeeded: it never counted
}

// BreachSpan is days in a row on which a metric was in breach.
type BreachSpan struct {
	Metric      policy.Metric
	First, Last policy.Day
	Num, Den    int64 // on the day with the most orders against the shop
}

// Breaches are the breaches of a metric in its trend.
func Breaches(trend []Standing) []BreachSpan {
	var out []BreachSpan
	worst := int64(0)
	for _, s := range trend {
		if s.State != Breach {
			continue
		}
		n := len(out)
		if n == 0 || out[n-1].Last != s.Day-1 || out[n-1].Metric != s.Metric {
			out, worst, n = append(out, BreachSpan{Metric: s.Metric, First: s.Day}), -1, n+1
		}
		b := &out[n-1]
		if b.Last = s.Day; s.Against() > worst {
			b.Num, b.Den, worst = s.Num, s.Den, s.Against()
		}
	}
	return out
}

// Account is what is known of the account's points on a day and what is modelled. Only Entered is known. Stated is modelled from it by all whose
// effect is stated; it lies from Low to High, whose ends are those of the scale where something happened whose effect no source states.
type Account struct {
	Rule              policy.Account
	Day               policy.Day
	Entered           Entered // zero Day: nothing was entered, and nothing is known
	Stated, Low, High int
	Effects           []Effect
	Zones             []policy.AccountZone // in which Low and High lie, and those between, scheme by scheme
	Ahead             []Ahead              // milestones, highest first
	Green             Green
}

// Effect is something that changed the account since the value was entered.
type Effect struct {
	Day    policy.Day
	Points int  // with its sign; zero where Stated is false
	Stated bool // false: no source says how many points it is
	Text   string
}

// Ahead is one milestone, seen from the account.
type Ahead struct {
	policy.Milestone
	Passed bool // Stated is at it or below: what it blocks is probably blocked
	Sure   bool // Passed, and High is at it or below too
	Away   int  // points from Stated down to it; 0 when passed
	Warned bool // not passed, and at most Rule.Warning points away
}

// Green is when the account is in its best zone.
type Green struct {
	Line    int        // from how many points
	Now     bool       // Low is there
	Soonest policy.Day // by stated deductions that lapse; none: not by them alone
	Latest  policy.Day // with no further violation, all that counts has left the look-back
	Unlocks []string   // what milestones not left behind may block until then
	AtRisk  []string   // what the next milestone blocks
}

// AccountOn models the account on a day. entries and deductions may be in any order; breaches are those of all metrics. Facts after the day do
// not count. false: the market's rules keep no such account.
func AccountOn(rs *policy.RuleSet, day policy.Day, entries []Entered, deductions []Deduction, breaches []BreachSpan) (Account, bool) {
	rules := policy.On(rs.Accounts, day)
	if len(rules) == 0 {
		return Account{}, false
	}
	a := Account{Rule: rules[0], Day: day}
	deductions = slices.DeleteFunc(slices.Clone(deductions), func(d Deduction) bool { return d.Lifted || d.Points <= 0 || d.Day > day })
	breaches = slices.DeleteFunc(slices.Clone(breaches), func(b BreachSpan) bool { return b.First > day })
	for _, e := range entries {
		if e.Day <= day && e.Day >= a.Entered.Day && e.Day != 0 { // of one day the last in the list
			a.Entered = e
		}
	}
	if a.Entered.Day == 0 {
		a.Low, a.High = a.Rule.Min, a.Rule.Max
	} else {
		a.Stated = a.value(day, deductions)
		a.Low, a.High = a.Stated, a.Stated
		if a.Rule.Gains != "" && day > a.Entered.Day { // how much is earned is not published
			a.High = a.Rule.Max
		}
		a.since(deductions, breaches)
	}
	a.place(rs)
	a.green(rs, deductions, breaches)
	return a, true
}

// value is the account on a day by what is stated: the value entered, less what was taken since, and what was taken before and has lapsed.
func (a *Account) value(day policy.Day, deductions []Deduction) int {
	v := a.Entered.Value
	for _, d := range deductions {
		lapses := d.Day + policy.Day(a.Rule.LookBack)
		switch {
		case d.Day <= a.Entered.Day && lapses > a.Entered.Day && lapses <= day: // in the value entered, and over now
			v += d.Points
		case d.Day > a.Entered.Day && d.Day <= day && lapses > day:
			v -= d.Points
		}
	}
	return min(max(v, a.Rule.Min), a.Rule.Max)
}

// since lists what happened since the value was entered.
func (a *Account) since(deductions []Deduction, breaches []BreachSpan) {
	for _, d := range deductions {
		if d.Day > a.Entered.Day {
			a.Effects = append(a.Effects, Effect{Day: d.Day, Points: -d.Points, Stated: true, Text: d.Reason})
		}
		if lapses := d.Day + policy.Day(a.Rule.LookBack); lapses > a.Entered.Day && lapses <= a.Day {
			a.Effects = append(a.Effects, Effect{Day: lapses, Points: d.Points, Stated: true, Text: "lapsed: " + d.Reason})
		}
	}
	for _, b := range breaches {
		if b.Last > a.Entered.Day {
			a.Low = a.Rule.Min
			a.Effects = append(a.Effects, Effect{Day: max(b.First, a.Entered.Day+1), Text: fmt.Sprintf("breach of %s, %d of %d; no source states its points", b.Metric, b.Num, b.Den)})
		}
	}
	if a.Day-a.Entered.Day > policy.Day(a.Rule.LookBack) {
		a.Low = a.Rule.Min
		a.Effects = append(a.Effects, Effect{Day: a.Entered.Day + policy.Day(a.Rule.LookBack), Text: "the value was entered longer ago than the look-back: enter it anew"})
	}
	slices.SortFunc(a.Effects, func(x, y Effect) int {
		return cmp.Or(cmp.Compare(x.Day, y.Day), cmp.Compare(x.Points, y.Points), strings.Compare(x.Text, y.Text))
	})
}

// place finds zones and milestones.
func (a *Account) place(rs *policy.RuleSet) {
	for _, z := range policy.On(rs.Zones, a.Day) {
		if z.Low <= a.High && z.High >= a.Low {
			a.Zones = append(a.Zones, z)
		}
	}
	for _, m := range policy.On(rs.Milestones, a.Day) {
		x := Ahead{Milestone: m, Passed: a.Stated <= m.Points, Sure: a.High <= m.Points, Away: max(0, a.Stated-m.Points)}
		if a.Entered.Day == 0 { // nothing is known
			x.Passed, x.Sure, x.Away = false, false, 0
		}
		x.Warned = a.Entered.Day != 0 && !x.Passed && x.Away <= a.Rule.Warning
		a.Ahead = append(a.Ahead, x)
	}
	slices.SortStableFunc(a.Ahead, func(x, y Ahead) int { return cmp.Compare(y.Points, x.Points) })
}

// MayClose reports whether the value that is stated lies where the channel may close the account.
func (a *Account) MayClose() bool {
	return a.Entered.Day != 0 && slices.ContainsFunc(a.Zones, func(z policy.AccountZone) bool { return z.Means != "" && z.Low <= a.Stated && a.Stated <= z.High })
}

func (a *Account) green(rs *policy.RuleSet, deductions []Deduction, breaches []BreachSpan) {
	g := &a.Green
	g.Line = a.Rule.Start
	for _, z := range policy.On(rs.Zones, a.Day) {
		if z.Low <= a.Rule.Max && z.High >= a.Rule.Max {
			g.Line = z.Low
			break
		}
	}
	for _, m := range a.Ahead {
		if m.Passed {
			g.Unlocks = addNew(g.Unlocks, m.Blocks)
		}
	}
	for i, m := range a.Ahead {
		if !m.Passed && (len(g.AtRisk) == 0 || m.Points == a.Ahead[i-1].Points) {
			g.AtRisk = addNew(g.AtRisk, m.Blocks)
			if m.Closure {
				g.AtRisk = addNew(g.AtRisk, []string{"the account"})
			}
		} else if len(g.AtRisk) > 0 {
			break
		}
	}
	if a.Entered.Day == 0 {
		return
	}
	if g.Now = a.Low >= g.Line; g.Now {
		return
	}
	last := a.Entered.Day // whatever the value entered has lost was lost by then
	for _, d := range deductions {
		last = max(last, d.Day)
	}
	for _, b := range breaches {
		last = max(last, min(b.Last, a.Day))
	}
	if a.Rule.Start >= g.Line {
		g.Latest = max(a.Day, last+policy.Day(a.Rule.LookBack))
	}
	for day := a.Day; day <= a.Day+policy.Day(a.Rule.LookBack); day++ {
		if a.value(day, deductions) >= g.Line {
			g.Soonest = day
			break
		}
	}
}

func addNew(list, more []string) []string {
	for _, s := range more {
		if !slices.Contains(list, s) {
			list = append(list, s)
		}
	}
	return list
}

// Sentence says what is known and what is modelled.
func (a *Account) Sentence() string {
	if a.Entered.Day == 0 {
		return "Not known: nobody has entered what the channel shows, and no interface tells it."
	}
	text := fmt.Sprintf("Known: %d on %s, entered by %s.", a.Entered.Value, a.Entered.Day, a.Entered.Author)
	if modelled := a.Modelled(); modelled != "" {
		text += fmt.Sprintf(" Modelled for %s: %s", a.Day, modelled)
	}
	return text
}

// Modelled says what is modelled alone; empty where all of it is known.
func (a *Account) Modelled() string {
	if a.Entered.Day == 0 || a.Low == a.High && len(a.Effects) == 0 {
		return ""
	}
	text := fmt.Sprintf("%d by all whose points are stated", a.Stated)
	if a.Low < a.Stated {
		text += "; less, if breaches since cost points, which no source tells"
	}
	if a.High > a.Stated {
		text += "; more, if points were earned, whose number no source tells"
	}
	return text + "."
}

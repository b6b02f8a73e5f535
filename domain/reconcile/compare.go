package reconcile

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/spillway/spillway/domain/order"
	"github.com/spillway/spillway/domain/policy"
	"github.com/spillway/spillway/kit/errs"
)

const (
	// MaxSections bounds the periods compared at once: a year of days of two metrics.
	MaxSections = 750
	// MaxLines bounds the lines of all sections: more is not read by anybody, and is told by narrower periods.
	MaxLines = 500_000
	// switchDays after a change of definition, or before it, the other one is a likely reading; later it is the last that is tried.
	switchDays = 60
)

// Options say how to compare.
type Options struct {
	// From and To are the period of what has no figure of its own; zero: the days the files cover.
	From, To policy.Day
	// Zones are tried, beside UTC, as the zone in which the channel may have cut its days.
	Zones []*time.Location
	All   bool // lines of orders that agree, and of those nothing is told of, too
}

// Comparison is being made: hand every order of the shop to Add, each once and in any order, and ask for the Report.
type Comparison struct {
	rs       *policy.RuleSet
	o        Options
	rows     map[string]*Row
	listed   map[string][]*Listed // by order
	sections []*section           // by metric and period
	solos    map[string]*solo     // by the rule's id
	first    time.Time            // when the orders of their file were made
	last     time.Time
	placed   map[string]bool  // orders of their rows that are in a section
	used     map[*Listed]bool // entries of their lists that are in one
	seen     map[string]bool  // orders of their files that are known here
	lines    int
	over     bool
}

type section struct {
	Section
	rate    policy.Rate
	solo    *solo   // nil: no rule
	near    []*solo // the metric's other definitions: those that hold within switchDays of the period,
	far     []*solo // and those that do not
	hasList bool
	counts  map[Cause]int64
	diff    int64 // of what counts against the shop, explained by lines
}

func (s *section) holds(d policy.Day) bool { return d >= s.From && d <= s.To }

// New begins a comparison. It fails with errs.Invalid where the files contradict themselves or tell no period.
func New(rs *policy.RuleSet, theirs Theirs, o Options) (*Comparison, error) {
	c := &Comparison{rs: rs, o: o, rows: map[string]*Row{}, listed: map[string][]*Listed{}, solos: map[string]*solo{},
		placed: map[string]bool{}, used: map[*Listed]bool{}, seen: map[string]bool{}}
	c.o.Zones = append([]*time.Location{time.UTC}, o.Zones...)
	for i := range theirs.Rows {
		r := &theirs.Rows[i]
		if c.rows[r.OrderID] != nil {
			return nil, errs.New(errs.Invalid, "reconcile.New", r.OrderID, "the order is in the files twice, with different content")
		}
		c.rows[r.OrderID] = r
		if t := r.Created; !t.IsZero() {
			if c.first.IsZero() || t.Before(c.first) {
				c.first = t
			}
			if t.After(c.last) {
				c.last = t
			}
		}
	}
	for i := range theirs.Listed {
		l := &theirs.Listed[i]
		c.listed[l.OrderID] = append(c.listed[l.OrderID], l)
	}
	if err := c.figures(theirs.Figures); err != nil {
		return nil, err
	}
	if err := c.listings(theirs.Listed); err != nil {
		return nil, err
	}
	c.periodOfRows()
	if len(c.sections) > MaxSections {
		return nil, errs.New(errs.Invalid, "reconcile.New", "", "the files have more than %d periods: take a part of them", MaxSections)
	}
	slices.SortStableFunc(c.sections, func(a, b *section) int {
		return cmp.Or(cmp.Compare(slices.Index(policy.Metrics, a.Metric), slices.Index(policy.Metrics, b.Metric)), strings.Compare(string(a.Metric), string(b.Metric)),
			cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To))
	})
	return c, nil
}

// figures makes a section of each figure.
func (c *Comparison) figures(list []Figure) error {
	for i := range list {
		f := list[i]
		from, to := f.From, f.To
		judged := to
		rate, ok := c.rs.RateOn(f.Metric, judged)
		if from == 0 && ok { // the day judged is told: the window before it is meant
			to = judged - policy.Day(rate.Lag)
			from = to - policy.Day(rate.Days) + 1
		} else if ok {
			judged = to + policy.Day(rate.Lag)
			if r, found := c.rs.RateOn(f.Metric, judged); found {
				rate = r
			}
		}
		if from == 0 {
			from = to
		}
		s := c.section(f.Metric, from, to, rate, ok)
		if old := s.Theirs; old != nil {
			if old.Share == f.Share && old.Num == f.Num && old.Den == f.Den {
				continue
			}
			return errs.New(errs.Invalid, "reconcile.New", string(f.Metric), "there are two figures of %s to %s: %s in %s, line %d, and %s in %s, line %d",
				from, to, old.Text, old.Place.File, old.Place.Line, f.Text, f.Place.File, f.Place.Line)
		}
		s.Theirs = &f
	}
	return nil
}

// section finds a section or makes it.
func (c *Comparison) section(m policy.Metric, from, to policy.Day, rate policy.Rate, ok bool) *section {
	for _, s := range c.sections {
		if s.Metric == m && s.From == from && s.To == to {
			return s
		}
	}
	s := &section{Section: Section{Metric: m, From: from, To: to}, counts: map[Cause]int64{}}
	if ok {
		s.rate, s.RateID, s.solo = rate, rate.ID, c.soloOf(rate)
		for _, r := range c.rs.Rates {
			switch {
			case r.Metric != m || r.ID == rate.ID || r.Announced:
			case (r.Until == 0 || r.Until+switchDays > from) && (r.From == 0 || r.From-switchDays <= to):
				s.near = append(s.near, c.soloOf(r))
			default:
				s.far = append(s.far, c.soloOf(r))
			}
		}
	}
	c.sections = append(c.sections, s)
	return s
}

func (c *Comparison) soloOf(r policy.Rate) *solo {
	s := c.solos[r.ID]
	if s == nil {
		s = newSolo(c.rs, r)
		c.solos[r.ID] = s
	}
	return s
}

// listings gives every listed order a section to be in.
func (c *Comparison) listings(list []Listed) error {
	type span struct{ from, to policy.Day }
	bare := map[policy.Metric]span{} // days without a section
	for _, l := range list {
		if l.Day != 0 && slices.ContainsFunc(c.sections, func(s *section) bool { return s.Metric == l.Metric && s.holds(l.Day) }) ||
			l.Day == 0 && slices.ContainsFunc(c.sections, func(s *section) bool { return s.Metric == l.Metric }) {
			continue
		}
		b, ok := bare[l.Metric]
		if l.Day != 0 && (!ok || b.from == 0 || l.Day < b.from) {
			b.from = l.Day
		}
		b.to = max(b.to, l.Day)
		bare[l.Metric] = b
	}
	for m, b := range bare {
		switch {
		case c.o.From != 0 && c.o.To != 0:
			b.from, b.to = c.o.From, c.o.To
		case b.from == 0 && !c.first.IsZero():
			b.from, b.to = c.covered()
		case b.from == 0:
			return errs.New(errs.Invalid, "reconcile.New", string(m), "the orders listed bear no day: say which days are meant")
		}
		c.sectionAt(m, b.from, b.to)
	}
	for _, s := range c.sections {
		s.hasList = slices.ContainsFunc(list, func(l Listed) bool { return l.Metric == s.Metric && (l.Day == 0 || s.holds(l.Day)) })
	}
	return nil
}

// periodOfRows makes sections of the metrics that an export of orders alone is to be compared by.
func (c *Comparison) periodOfRows() {
	if c.first.IsZero() {
		return
	}
	from, to := c.covered()
	if c.o.From != 0 && c.o.To != 0 {
		from, to = c.o.From, c.o.To
	}
	for _, m := range policy.Metrics {
		if _, ok := c.rs.RateOn(m, to); ok && !slices.ContainsFunc(c.sections, func(s *section) bool { return s.Metric == m }) {
			c.sectionAt(m, from, to)
		}
	}
}

func (c *Comparison) sectionAt(m policy.Metric, from, to policy.Day) {
	rate, ok := c.rs.RateOn(m, to)
	if ok {
		if r, found := c.rs.RateOn(m, to+policy.Day(rate.Lag)); found {
			rate = r
		}
	}
	c.section(m, from, to, rate, ok)
}

// covered is the days on which the orders of their file were made.
func (c *Comparison) covered() (from, to policy.Day) {
	zone := c.rs.Location()
	return policy.DayOf(c.first, zone), policy.DayOf(c.last, zone)
}

// Add compares one order of the shop.
func (c *Comparison) Add(o *order.Order) {
	id := o.ExternalID
	if c.rows[id] != nil || c.listed[id] != nil {
		c.seen[id] = true
	}
	c.compare(id, o)
}

// Report ends the comparison: what of their files nobody here knows is added. It fails with errs.Invalid where there are more than MaxLines
// lines.
func (c *Comparison) Report() (Report, error) {
	var unknown []string
	for id := range c.rows {
		if !c.seen[id] {
			unknown = append(unknown, id)
		}
	}
	for id := range c.listed {
		if !c.seen[id] && c.rows[id] == nil {
			unknown = append(unknown, id)
		}
	}
	slices.Sort(unknown)
	for _, id := range unknown {
		c.compare(id, nil)
	}
	if c.over {
		return Report{}, errs.New(errs.Invalid, "reconcile.Report", "", "the two sides differ on more than %d orders: compare a shorter period", MaxLines)
	}
	out := Report{Known: int64(len(c.seen)), Outside: c.outside()}
	for _, s := range c.sections {
		out.Sections = append(out.Sections, s.finish())
	}
	return out, nil
}

func (s *section) finish() Section {
	for _, cause := range Causes {
		if n := s.counts[cause]; n > 0 {
			s.Causes = append(s.Causes, CauseCount{cause, n})
		}
	}
	slices.SortFunc(s.Lines, func(a, b Line) int { return strings.Compare(a.OrderID, b.OrderID) })
	if f := s.Theirs; f != nil && f.Den > 0 && s.solo != nil {
		theirs := f.Num
		if !s.rate.Test.Bad() {
			theirs = f.Den - f.Num
		}
		rest := s.Ours.Against - theirs - s.diff
		s.Residual = &rest
	}
	return s.Section
}

// outside lists what of their files is in no section: rows, and entries of lists with the metric as the field.
func (c *Comparison) outside() []Line {
	var out []Line
	add := func(l Line) {
		l.Ours, l.Cause = Unknown, OutsidePeriods
		if c.seen[l.OrderID] {
			l.Ours = NotCounted
		}
		out = append(out, l)
	}
	for id, r := range c.rows {
		if !c.placed[id] {
			add(Line{OrderID: id, Theirs: NotCounted, Place: r.Place})
		}
	}
	for id, list := range c.listed {
		for _, l := range list {
			if !c.used[l] {
				add(Line{OrderID: id, Theirs: Against, Field: string(l.Metric), TheirsReason: l.Reason, Place: l.Place})
			}
		}
	}
	slices.SortFunc(out, func(a, b Line) int {
		return cmp.Or(strings.Compare(a.OrderID, b.OrderID), strings.Compare(a.Field, b.Field), strings.Compare(a.Place.File, b.Place.File), cmp.Compare(a.Place.Line, b.Place.Line))
	})
	return out
}

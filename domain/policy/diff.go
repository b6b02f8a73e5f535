package policy

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// ChangeKind is how rules of two days differ.
type ChangeKind string

const (
	Changed   ChangeKind = "changed"   // another rule for the same
	Began     ChangeKind = "began"     // ruled on the later day only
	Ended     ChangeKind = "ended"     // ruled on the earlier day only
	Passed    ChangeKind = "passed"    // held between the two days and on neither
	Told      ChangeKind = "announced" // was to begin between the two days and judges nothing
	TakenBack ChangeKind = "withdrawn" // was announced and taken back: it never came into force
	Event     ChangeKind = "event"     // something that happened between them
)

// Change is one difference between the rules of two days.
type Change struct {
	Day        Day        `json:"day"`           // on which it came, or was to come
	Last       Day        `json:"last,omitzero"` // of Passed: the last day on which it held; of TakenBack: when it was
	Kind       ChangeKind `json:"kind"`          //
	Section    string     `json:"section"`       // the list of the rule set: rates, bands, …
	Topic      string     `json:"topic"`         //
	ID         string     `json:"id,omitzero"`   // of the entry that holds now, or held last
	Before     string     `json:"before,omitzero"`
	After      string     `json:"after,omitzero"`
	Source     string     `json:"source"`
	Confidence Confidence `json:"confidence"`
	Note       string     `json:"note,omitzero"`
}

// Sentence says the change as a colleague would.
func (c Change) Sentence() string {
	switch c.Kind {
	case Changed:
		return fmt.Sprintf("Since %s, %s: %s; before, %s.", c.Day, c.Topic, c.After, unlike(c.Before, c.After))
	case Began:
		return fmt.Sprintf("New since %s, %s: %s.", c.Day, c.Topic, c.After)
	case Ended:
		return fmt.Sprintf("No longer since %s, %s: %s.", c.Day, c.Topic, c.Before)
	case Passed:
		return fmt.Sprintf("Only from %s to %s, %s: %s.", c.Day, c.Last, c.Topic, c.After)
	case Told:
		return fmt.Sprintf("Announced for %s and not in force here, %s: %s.", c.Day, c.Topic, c.After)
	case TakenBack:
		return fmt.Sprintf("Announced for %s and withdrawn on %s, %s: %s. It never came into force.", c.Day, c.Last, c.Topic, c.After)
	}
	return fmt.Sprintf("On %s: %s", c.Day, c.After)
}

// unlike is what before says without the parts with which after begins alike.
func unlike(before, after string) string {
	was, is := strings.Split(before, ", "), strings.Split(after, ", ")
	for len(was) > 1 && len(is) > 1 && was[0] == is[0] {
		was, is = was[1:], is[1:]
	}
	return strings.Join(was, ", ")
}

// Origin names source and confidence of the change.
func (c Change) Origin() string { return fmt.Sprintf("%s, %s", c.Source, c.Confidence) }

// Diff lists what is different between the rules that hold on two days, what held only between them, and what was announced for that time and
// judges nothing; by day, and then in the order of the rule set. The order of the days does not matter.
func Diff(rs *RuleSet, from, to Day) []Change {
	if to < from {
		from, to = to, from
	}
	d := differ{from: from, to: to, topics: map[string]*pair{}}
	rs.each(d.take)
	for _, p := range d.order {
		d.compare(p)
	}
	slices.SortStableFunc(d.out, func(a, b Change) int { return cmp.Compare(a.Day, b.Day) })
	return d.out
}

// pair is what two days say on one topic and do not say alike.
type pair struct {
	section       string
	before, after []rule
}

type differ struct {
	from, to Day
	topics   map[string]*pair
	order    []*pair
	out      []Change
}

// take sorts one entry in: it holds on both days, on one, between them, or was announced.
func (d *differ) take(p place, r rule) {
	s := r.span()
	between := s.From > d.from && s.From <= d.to
	if n, ok := r.(Notice); ok && n.Kind == Happened {
		if between {
			d.add(Event, p.section, s.From, r, "", r.says())
		}
		return
	}
	if r.cite().Announced {
		d.announced(p, r, between)
		return
	}
	was, is := s.Holds(d.from), s.Holds(d.to)
	switch {
	case was == is && (was || !between):
		return
	case !was && !is:
		d.add(Passed, p.section, s.From, r, "", r.says())
		d.out[len(d.out)-1].Last = s.Until - 1
		return
	}
	key := p.section + "\x00" + r.topic()
	x := d.topics[key]
	if x == nil {
		x = &pair{section: p.section}
		d.topics[key] = x
		d.order = append(d.order, x)
	}
	if was {
		x.before = append(x.before, r)
	} else {
		x.after = append(x.after, r)
	}
}

// announced tells of an announced entry whose days, news or end lie between the two.
func (d *differ) announced(p place, r rule, between bool) {
	g, _ := r.(Regime)
	in := func(x Day) bool { return x > d.from && x <= d.to }
	if !between && !in(g.ToldOn) && !in(g.Withdrawn) {
		return
	}
	d.add(Told, p.section, r.span().From, r, "", r.says())
	if g.Withdrawn != 0 && g.Withdrawn <= d.to {
		last := &d.out[len(d.out)-1]
		last.Kind, last.Last = TakenBack, g.Withdrawn
	}
}

// compare sets what ended beside what began on one topic: first what begins where the other ends, then in order.
func (d *differ) compare(p *pair) {
	for _, now := range p.after {
		i := slices.IndexFunc(p.before, func(was rule) bool { return was.span().Until == now.span().From })
		if i < 0 && len(p.before) > 0 && len(p.after) == 1 {
			i = 0
		}
		if i < 0 {
			d.add(Began, p.section, now.span().From, now, "", now.says())
			continue
		}
		was := p.before[i]
		p.before = slices.Delete(p.before, i, i+1)
		if was.says() != now.says() || was.cite().Confidence != now.cite().Confidence {
			d.add(Changed, p.section, now.span().From, now, was.says(), now.says())
		}
	}
	for _, was := range p.before {
		d.add(Ended, p.section, was.span().Until, was, was.says(), "")
	}
}

func (d *differ) add(kind ChangeKind, section string, day Day, r rule, before, after string) {
	c := r.cite()
	d.out = append(d.out, Change{Day: day, Kind: kind, Section: section, Topic: r.topic(), ID: r.name(), Before: before, After: after,
		Source: c.Source, Confidence: c.Confidence, Note: c.Note})
}

// Timeline lists the days on which any rule in force begins or ends, in order.
func Timeline(rs *RuleSet) []Day {
	var out []Day
	rs.each(func(_ place, r rule) {
		if r.cite().Announced {
			return
		}
		for _, d := range []Day{r.span().From, r.span().Until} {
			if d != 0 {
				out = append(out, d)
			}
		}
	})
	slices.Sort(out)
	return slices.Compact(out)
}

package reconcile

import (
	"github.com/spillway/spillway/domain/order"
	"github.com/spillway/spillway/domain/policy"
)

// target is how the channel counts an order, as far as its files tell.
type target struct {
	told, absent bool
	against      bool
	whether      bool // counted is told, too
	counted      bool
	bad          int64
	listed       *Listed
}

func (t target) side() Side {
	switch {
	case t.absent:
		return Unknown
	case !t.told:
		return Silent
	case t.against:
		return Against
	case t.whether && !t.counted:
		return NotCounted
	}
	return Fine
}

// fits reports whether a verdict of ours is theirs.
func (t target) fits(v verdict) bool {
	return v.against == t.against && (!t.whether || v.counted == t.counted)
}

// compare puts one order of either side into the sections it belongs to; o is nil if it is not known here.
func (c *Comparison) compare(id string, o *order.Order) {
	row, lists := c.rows[id], c.listed[id]
	theirOrder := c.asTheySay(o, row)
	for i := 0; i < len(c.sections); {
		n := i + 1
		for n < len(c.sections) && c.sections[n].Metric == c.sections[i].Metric {
			n++
		}
		c.compareMetric(id, o, row, theirOrder, c.sections[i:n], lists)
		i = n
	}
}

// asTheySay is the order with all they tell in the place of ours; nil without a row.
func (c *Comparison) asTheySay(o *order.Order, r *Row) *order.Order {
	switch {
	case r == nil:
		return nil
	case o == nil:
		return r.order()
	}
	all, _ := overlay(o, r)
	return all
}

// compareMetric puts the order into sections of one metric.
func (c *Comparison) compareMetric(id string, o *order.Order, row *Row, theirOrder *order.Order, sections []*section, lists []*Listed) {
	ours, theirs := map[*solo]verdict{}, map[*solo]verdict{}
	judged := func(memo map[*solo]verdict, s *solo, o *order.Order) verdict {
		if o == nil || s == nil {
			return verdict{}
		}
		v, ok := memo[s]
		if !ok {
			v = s.of(o)
			memo[s] = v
		}
		return v
	}
	placed := false // a listed order without a day has found its period
	for i, s := range sections {
		v := judged(ours, s.solo, o).in(s.From, s.To)
		tv := judged(theirs, s.solo, theirOrder).in(s.From, s.To)
		l := c.listing(s, lists, v.counted || tv.counted || len(sections) == 1 || (i == len(sections)-1 && !placed))
		placed = placed || (l != nil && l.Day == 0)
		s.Ours.Num, s.Ours.Den = s.Ours.Num+v.num, s.Ours.Den+v.den
		s.Ours.Against += v.bad
		if v.unjudged {
			s.Ours.Unjudged += v.den
		}
		if !v.counted && !tv.counted && l == nil {
			continue
		}
		if row != nil {
			c.placed[id] = true
		}
		c.put(s, c.line(s, id, o, row, v, c.targetOf(s, o, row, tv, l)))
	}
}

// listing is the first entry that lists the order in the section; here says whether an entry without a day belongs to it. More of them, such as one
// for each parcel, are that same order.
func (c *Comparison) listing(s *section, lists []*Listed, here bool) (found *Listed) {
	for _, l := range lists {
		if l.Metric == s.Metric && ((l.Day == 0 && here) || (l.Day != 0 && s.holds(l.Day))) {
			c.used[l] = true
			if found == nil {
				found = l
			}
		}
	}
	return found
}

// targetOf is how they count the order: as listed, else not against the shop where there is a list; without a list, as their own row is judged.
func (c *Comparison) targetOf(s *section, o *order.Order, row *Row, tv verdict, l *Listed) target {
	switch {
	case l != nil:
		return target{told: true, against: true, bad: 1, listed: l}
	case s.hasList:
		return target{told: true}
	case row != nil:
		return target{told: true, against: tv.against, whether: true, counted: tv.counted, bad: tv.bad}
	case o != nil && !c.first.IsZero() && !o.CreatedAt.Before(c.first) && !o.CreatedAt.After(c.last):
		return target{absent: true}
	}
	return target{}
}

// line says how the two sides count the order, and why not alike.
func (c *Comparison) line(s *section, id string, o *order.Order, row *Row, v verdict, t target) Line {
	l := Line{OrderID: id, Ours: v.side(), Theirs: t.side(), Day: v.day, weight: v.bad - t.bad}
	if v.against || v.unjudged {
		l.Reason = v.reason
	}
	if row != nil {
		l.Place = row.Place
	}
	if t.listed != nil {
		l.Place, l.TheirsReason, l.listed = t.listed.Place, t.listed.Reason, true
	}
	switch {
	case s.solo == nil:
		l.Cause = NoRule
		if o == nil {
			l.Ours = Unknown
		}
	case o == nil:
		l.Ours, l.Cause = Unknown, UnknownHere
	case t.absent:
		l.Cause = NotInFile
	case !t.told:
		l.Cause, l.weight = NotTold, 0
	case t.fits(v):
		l.Cause = Agree
	case o.Version == order.Version{}:
		l.Cause = NotRead
	default:
		c.explain(s, o, row, v, t, &l)
	}
	return l
}

func (c *Comparison) put(s *section, l Line) {
	s.counts[l.Cause]++
	s.diff += l.weight
	if l.listed {
		s.Listed++
	}
	if (l.Cause == Agree || l.Cause == NotTold) && !c.o.All {
		return
	}
	if c.lines == MaxLines {
		c.over = true
		return
	}
	c.lines++
	s.Lines = append(s.Lines, l)
}

// dueOf is our deadline of what the rate tests.
func (c *Comparison) dueOf(o *order.Order, test policy.Test) order.Due {
	d := c.rs.Deadlines(o)
	switch test {
	case policy.ReadyLate:
		return order.Due{Kind: order.ShipBy, At: d.ShipBy}
	case policy.HandedOverLate:
		return order.Due{Kind: order.HandOverBy, At: d.HandOverBy}
	case policy.DeliveredOnTime:
		return order.Due{Kind: order.DeliverBy, At: d.DeliverBy}
	}
	return order.Due{}
}

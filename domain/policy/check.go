package policy

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/spillway/spillway/domain/order"
	"github.com/spillway/spillway/domain/policy/calendar"
)

// Bounds of what a rule set may hold.
const (
	maxEntries = 500  // of one list: dozens are usual
	maxWord    = 1000 // bytes of one text
	maxID      = 80   // bytes; overrides append a day and a kind of order
	maxWindow  = 400  // days of a window, a look-back or a lag: a year and some
)

// checker gathers what is wrong with a rule set.
type checker struct {
	rs    *RuleSet
	at    func(path string) string
	file  bool // read from a file: what only overrides may hold is refused
	wrong []string
}

func (c *checker) bad(path, format string, args ...any) {
	c.wrong = append(c.wrong, c.at(path)+": "+fmt.Sprintf(format, args...))
}

// want complains unless ok.
func (c *checker) want(ok bool, path, format string, args ...any) {
	if !ok {
		c.bad(path, format, args...)
	}
}

// known complains unless v is one of list.
func known[T ~string](c *checker, v T, path string, list ...T) {
	if !slices.Contains(list, v) {
		words := make([]string, len(list))
		for i, x := range list {
			words[i] = string(x)
		}
		c.bad(path, "%q is not known; write one of %s", v, strings.Join(words, ", "))
	}
}

var market = regexp.MustCompile(`^[A-Z]{2}$`)

func (c *checker) all() {
	rs := c.rs
	c.want(market.MatchString(rs.Market), "market", "must be two capital letters by ISO 3166, such as US")
	c.want(goodWord(rs.Version, 100), "version", "must be set: change it whenever a rule changes")
	if _, err := time.LoadLocation(rs.Zone); err != nil || rs.Zone == "" || rs.Zone == "Local" {
		c.bad("zone", "%q is no zone: write an IANA name such as Europe/London", rs.Zone)
	}
	c.want(rs.Business.Week.String() != "", "business.week", "must say on which days of the week business is done, such as monday to friday")
	known(c, rs.Business.Holidays, "business.holidays", calendar.NoHolidays, calendar.USFederal, calendar.USPostal)
	c.cited("business", rs.Business.Cited)
	c.want(len(rs.Sources) <= maxEntries, "sources", "takes at most %d entries", maxEntries)
	for key, s := range rs.Sources {
		c.want(goodWord(s.Title, maxWord), "sources."+key, "needs a title")
	}
	c.entries()
	c.rates()
	c.bands()
	c.deadlines()
	c.rest()
	slices.Sort(c.wrong) // maps have no order
}

func goodWord(s string, most int) bool { return strings.TrimSpace(s) != "" && len(s) <= most }

func (c *checker) cited(path string, x Cited) {
	if _, ok := c.rs.Sources[x.Source]; !ok {
		c.bad(path+".source", "%q is not among the sources: name it there", x.Source)
	}
	if x.Confidence != Operator || c.file {
		known(c, x.Confidence, path+".confidence", Official, Reported, Unverified)
	}
	c.want(len(x.Note) <= maxWord, path+".note", "is longer than %d bytes", maxWord)
}

// entries checks what all entries have in common: their number, ids, days and sources, and that no two rule the same on one day.
func (c *checker) entries() {
	ids := map[string]string{}
	ruled := map[string][]rule{}
	c.rs.each(func(p place, r rule) {
		path := fmt.Sprintf("%s[%d]", p.section, p.index)
		if p.index >= maxEntries {
			if p.index == maxEntries {
				c.bad(p.section, "takes at most %d entries", maxEntries)
			}
			return
		}
		c.cited(path, r.cite())
		if id := r.name(); id != "" {
			c.want(len(id) <= maxID && !strings.ContainsAny(id, " \t\n") && !(c.file && strings.ContainsAny(id, "@/")), path+".id", "%q must be one word of at most %d bytes, without @ and /", id, maxID)
			c.want(ids[id] == "", path+".id", "%q is taken by %s: every id is one entry's", id, ids[id])
			ids[id] = path
		} else {
			c.want(p.section == "bands" || p.section == "closures", path+".id", "must be set: figures and overrides name entries by it")
		}
		s := r.span()
		c.want(s.From == 0 || s.Until == 0 || s.From < s.Until, path+".until", "%s must come after from (%s): it is the first day on which the rule no longer holds", s.Until, s.From)
		if r.cite().Announced {
			return
		}
		for _, key := range r.only() {
			for _, other := range ruled[key] {
				if s.Overlaps(other.span()) {
					c.bad(path, "a second %s on %s: end the other with until, or begin this one later", key, max(s.From, other.span().From))
				}
			}
			ruled[key] = append(ruled[key], r)
		}
	})
}

func (c *checker) rates() {
	for i, r := range c.rs.Rates {
		path := fmt.Sprintf("rates[%d]", i)
		known(c, r.Metric, path+".metric", Metrics...)
		known(c, r.Counts, path+".counts", Orders, Packages)
		known(c, r.Anchor, path+".anchor", AtPlaced, AtReady, AtHandedOver, AtDelivered, AtDeliverBy)
		known(c, r.Test, path+".test", ReadyLate, HandedOverLate, DeliveredOnTime, DeliveredWithin, CancelledBySeller, TrackingValid)
		for j, x := range slices.Concat(r.Exclude, r.Spare) {
			field := fmt.Sprintf("%s.exclude[%d]", path, j)
			if j >= len(r.Exclude) {
				field = fmt.Sprintf("%s.spare[%d]", path, j-len(r.Exclude))
			}
			known(c, x, field, ByPlatform, PlatformLabel, Sample, Replacement, PreOrder)
		}
		c.want(r.Days >= 1 && r.Days <= maxWindow, path+".days", "must be from 1 to %d", maxWindow)
		c.want(r.Lag >= 0 && r.Lag <= maxWindow, path+".lag", "must be from 0 to %d", maxWindow)
		c.want(r.Anchor != AtDeliverBy || r.Lag >= 1, path+".lag", "must be at least 1: whether an order due on a day was on time is known when the day is over")
		c.want((r.Test == DeliveredWithin) == (r.Within > 0) && r.Within >= 0 && r.Within <= calendar.MaxDays, path+".within",
			"must be set for the test %s, in business days, and for no other", DeliveredWithin)
		c.want(r.Test.Bad() == r.Metric.highIsBad(), path+".test", "%s does not go with %s: one counts what is good, the other what is bad", r.Test, r.Metric)
	}
}

var strictness = map[BandKind]int{Target: 1, Warning: 2, Enforcement: 3}

func (c *checker) bands() {
	for i, b := range c.rs.Bands {
		path := fmt.Sprintf("bands[%d]", i)
		known(c, b.Metric, path+".metric", Metrics...)
		known(c, b.Kind, path+".kind", Target, Warning, Enforcement)
		c.want(b.Limit > 0 && b.Limit <= million, path+".limit", "must be set, above 0 %% and up to 100 %%")
		for _, o := range c.rs.Bands[:min(i, maxEntries)] {
			inner, outer := b, o
			if strictness[inner.Kind] > strictness[outer.Kind] {
				inner, outer = outer, inner
			}
			if o.Metric != b.Metric || inner.Kind == outer.Kind || !o.Overlaps(b.Span) || b.Announced || o.Announced {
				continue
			}
			ok := inner.Limit >= outer.Limit
			if b.Metric.highIsBad() {
				ok = inner.Limit <= outer.Limit
			}
			c.want(ok, path+".limit", "the %s of %s must not be looser than the %s of %s on the same day", inner.Kind, inner.Limit, outer.Kind, outer.Limit)
		}
	}
}

func (c *checker) deadlines() {
	for i, r := range c.rs.DeadlineRules {
		path := fmt.Sprintf("deadlines[%d]", i)
		known(c, r.Field, path+".field", computed[:]...)
		known(c, r.After, path+".after", AfterPlaced, AfterShipBy, AfterHandOverBy, AfterHandlingEnd, AfterClosing)
		c.want(len(r.For) > 0 && len(r.For) <= 6, path+".for", "must name the kinds of orders it is for")
		for j, h := range r.For {
			known(c, h, fmt.Sprintf("%s.for[%d]", path, j), Regular, MadeToOrder, BackOrdered, PreOrdered, OwnTime, CustomProduct)
			c.want(slices.Index(r.For, h) == j, fmt.Sprintf("%s.for[%d]", path, j), "%s is there twice", h)
		}
		c.want(r.Period.Unit != "", path+".period", "must be set, such as 2 business days")
		c.want(r.Delay.Unit == "" || r.Delay.Unit == Hours, path+".delay", "must be in hours")
		c.want(r.Period.Unit != Hours || r.Cutoff == 0, path+".cutoff", "goes with days only, not with hours")
		turn := slices.Index(computed[:], r.Field)
		c.want(r.After != AfterShipBy || turn > slices.Index(computed[:], order.ShipBy), path+".after", "a deadline is not counted from itself")
		c.want(r.After != AfterHandOverBy || turn > slices.Index(computed[:], order.HandOverBy), path+".after", "%s is not counted from %s", r.Field, r.After)
	}
	for i, h := range c.rs.Handling {
		path := fmt.Sprintf("handling[%d]", i)
		known(c, h.For, path+".for", Regular, MadeToOrder, BackOrdered, PreOrdered, OwnTime, CustomProduct)
		c.want(h.Min.Unit != "" && h.Min.Unit == h.Max.Unit && h.Min.N <= h.Max.N, path+".max", "must be at least min and in the same unit")
	}
	for i, x := range c.rs.Closures {
		if err := x.Check(); err != nil {
			c.bad(fmt.Sprintf("closures[%d]", i), "%v", err)
		}
	}
}

// rest checks the lists that judge no order.
func (c *checker) rest() {
	rs := c.rs
	for i, t := range rs.Terms {
		known(c, t.Kind, fmt.Sprintf("terms[%d].kind", i), termKinds...)
		c.want(t.Period.Unit != "", fmt.Sprintf("terms[%d].period", i), "must be set, such as 48 hours")
	}
	for i, a := range rs.Accounts {
		c.want(a.Min < a.Max && a.Min <= a.Start && a.Start <= a.Max, fmt.Sprintf("accounts[%d].start", i), "must lie between min and max")
		c.want(a.LookBack > 0 && a.LookBack <= maxWindow && a.Warning >= 0, fmt.Sprintf("accounts[%d].look_back", i), "must be from 1 to %d, and warning not below 0", maxWindow)
	}
	for i, z := range rs.Zones {
		c.want(z.Low <= z.High && goodWord(z.Name, 64) && goodWord(z.Scheme, 64), fmt.Sprintf("zones[%d]", i), "needs scheme, name, and a low that is at most high")
		for _, o := range rs.Zones[:min(i, maxEntries)] {
			c.want(o.Scheme != z.Scheme || !o.Overlaps(z.Span) || z.Low > o.High || z.High < o.Low, fmt.Sprintf("zones[%d].low", i), "lies inside zone %s of the same scheme", o.Name)
		}
	}
	for i, m := range rs.Milestones {
		c.want(m.Closure || len(m.Blocks) > 0, fmt.Sprintf("milestones[%d].blocks", i), "must say what is not possible, or closure be true")
		c.want(m.Days >= 0 && m.Days <= maxWindow, fmt.Sprintf("milestones[%d].days", i), "must be from 0 to %d", maxWindow)
	}
	for i, p := range rs.Points {
		c.want(p.Life > 0 && p.Life <= maxWindow, fmt.Sprintf("points[%d].life", i), "must be from 1 to %d days", maxWindow)
	}
	for i, p := range rs.PointCosts {
		known(c, p.Metric, fmt.Sprintf("point_costs[%d].metric", i), Metrics...)
		c.want(p.Points > 0 && (p.To == 0 || p.To > p.Points), fmt.Sprintf("point_costs[%d].points", i), "must be above 0, and to above points where it is set")
	}
	for i, l := range rs.OrderLimits {
		c.orderLimit(fmt.Sprintf("order_limits[%d]", i), l)
	}
	for i, r := range rs.Regimes {
		path := fmt.Sprintf("regimes[%d]", i)
		known(c, r.State, path+".state", Allowed, Required, Closed)
		c.want(goodWord(r.Option, 100), path+".option", "must name the way of shipping")
		c.want(r.Withdrawn == 0 || r.Announced, path+".withdrawn", "goes with announced: true, for what was taken back never came into force")
	}
	for i, s := range rs.Scores {
		c.want(s.Min < s.Max && s.Floor <= s.Good && s.Min <= s.Floor && s.Good <= s.Max, fmt.Sprintf("scores[%d]", i), "needs min ≤ floor ≤ good ≤ max")
	}
	for i, f := range rs.Fees {
		path := fmt.Sprintf("fees[%d]", i)
		c.want(goodWord(f.Kind, 100), path+".kind", "must be set")
		c.want(f.Free || f.Rate > 0 || f.Each.Currency != "", path, "must charge something (rate or each), or say free: true")
		c.want(f.To == 0 || f.To > f.Rate, path+".to", "must be above rate")
	}
	for i, n := range rs.Notices {
		known(c, n.Kind, fmt.Sprintf("notices[%d].kind", i), Happened, Consequence, Definition, Practice)
		c.want(goodWord(n.Text, maxWord), fmt.Sprintf("notices[%d].text", i), "must be set, up to %d bytes", maxWord)
		c.want(n.Kind != Happened || n.From != 0, fmt.Sprintf("notices[%d].from", i), "must be set: it is the day of the event")
	}
	c.want(len(rs.Gaps) <= maxEntries, "gaps", "takes at most %d entries", maxEntries)
	c.words()
}

// words checks the lists that are mostly words.
func (c *checker) words() {
	rs := c.rs
	for i, p := range rs.PointSteps {
		c.want(p.Points > 0, fmt.Sprintf("point_steps[%d].points", i), "must be above 0")
	}
	for i, p := range rs.Probation {
		path := fmt.Sprintf("probation[%d]", i)
		c.want(goodWord(p.Tier, 100), path+".tier", "must be set")
		c.want(p.From >= 0 && p.From <= p.Orders && p.Products >= 0, path+".orders", "must be at least orders_from, and nothing below 0")
		c.want(p.NoCap != (p.Orders > 0 || p.Products > 0 || p.AfterDays > 0), path, "must cap something or tell how it ends, or say no_cap: true")
	}
	for i, m := range rs.ScoreMetrics {
		path := fmt.Sprintf("score_metrics[%d]", i)
		c.want(goodWord(m.Code, 100) && goodWord(m.Text, maxWord), path, "needs code and text")
		c.want((m.Limit > 0) == (m.Gives > 0), path+".gives", "goes with limit: both or none")
	}
	for i, u := range rs.ScoreUses {
		c.want(goodWord(u.Text, maxWord) && (u.From == 0 || u.Below == 0), fmt.Sprintf("score_uses[%d]", i), "needs a text, and from_score or below_score but not both")
	}
	for i, s := range rs.Settlements {
		c.want(goodWord(s.When, maxWord) && (s.Period.Unit != "" || s.Minimum.Currency != ""), fmt.Sprintf("settlements[%d]", i), "needs when, and period or minimum")
	}
	for i, s := range rs.Service {
		c.want(goodWord(s.Measure, 100), fmt.Sprintf("service[%d].measure", i), "must be set")
	}
	for i, g := range rs.Gaps {
		c.want(goodWord(g.ID, maxID) && goodWord(g.Text, maxWord), fmt.Sprintf("gaps[%d]", i), "needs id and text")
	}
}

func (c *checker) orderLimit(path string, l OrderLimit) {
	if l.Cause != "" {
		known(c, l.Cause, path+".cause", Metrics...)
	}
	if l.Base != "" {
		known(c, l.Base, path+".base", AverageDay, HighestAverage)
	}
	c.want((l.Base == "") == (l.Days == 0), path+".base_days", "goes with base: both or none")
	c.want(slices.IsSortedFunc(l.Tiers, func(a, b LimitTier) int { return cmp.Compare(a.From, b.From) }), path+".tiers", "must be in the order of from")
	c.want(l.Window >= 0 && l.Window <= maxWindow && l.Days >= 0 && l.Days <= maxWindow, path+".window", "must be from 0 to %d days", maxWindow)
	c.want(len(l.Tiers) <= maxEntries && len(l.Shares) <= maxEntries, path, "has more than %d tiers", maxEntries)
}

package ops

import (
	"fmt"
	"strings"
	"time"

	"github.com/spillway/spillway/domain/alert"
	"github.com/spillway/spillway/domain/health"
	"github.com/spillway/spillway/domain/incident"
	"github.com/spillway/spillway/domain/policy"
	"github.com/spillway/spillway/store"
)

// factDays bounds the days whose rates are read for a report: a rate's own window is shorter.
const factDays = 90

// incidentFacts are the numbers of a report that are read from what is stored besides the incident: what came in meanwhile, how the rates it is about
// moved, and what it cost in orders that count as late. What cannot be read off is said to be unknown.
func (x *Ops) incidentFacts(tx *store.Tx, i store.Incident, at time.Time) (f incident.Facts, err error) {
	if began := i.First.At; began.Before(i.Since) {
		f.Began = began
	}
	from, until := i.Since, at
	if !f.Began.IsZero() {
		from = f.Began
	}
	if i.Phase == alert.Resolved {
		until = i.ResolvedAt
	}
	shop := i.Last.Shop
	if shop == "" {
		return f, nil
	}
	came, err := tx.OrdersByShop(from, until)
	if err != nil {
		return f, err
	}
	f.Add("Orders of the shop that came in meanwhile", number(came[shop]))
	metrics := metricsOf(i.Cause)
	if len(metrics) == 0 {
		return f, nil
	}
	unknown := func(why string) { f.Add("Rates before, at their worst and after", "not known: "+why) }
	c, err := tx.ConnectionGet(shop)
	if err != nil {
		unknown("the shop is not here any more")
		return f, nil
	}
	r, err := x.ratesOf(tx, c, at)
	switch {
	case err != nil:
		return f, err
	case r.Rules == nil:
		unknown("no rules are known by which the shop is judged")
		return f, nil
	case r.Counted.IsZero():
		unknown("the shop’s orders are not counted yet")
		return f, nil
	}
	first, last := policy.DayOf(from, r.Rules.Location()), policy.DayOf(until, r.Rules.Location())
	if last-first > factDays {
		unknown(fmt.Sprintf("it lasted longer than %d days", factDays))
		return f, nil
	}
	for _, m := range metrics {
		days, err := trend(tx, r.Rules, shop, m, first-1, last)
		if err != nil {
			return f, err
		}
		f.Numbers = append(f.Numbers, rateMoved(m, days)...)
	}
	return f, lateCost(tx, &f, r.Rules, shop, first, last)
}

// metricsOf are the rates an incident is about: its own, and late dispatch where it is about orders that are to be sent.
func metricsOf(c alert.Cause) (out []policy.Metric) {
	if c.Kind == alert.RateBreach || c.Kind == alert.Forecast {
		if _, m, ok := strings.Cut(c.Subject, " "); ok {
			out = append(out, policy.Metric(m))
		}
	}
	if aboutWork[c.Kind] && c.Kind != alert.AccountRating && (len(out) == 0 || out[0] != policy.LDR) {
		out = append(out, policy.LDR)
	}
	return out
}

// rateMoved tells a rate on the day before, on its worst day and at the end, each with what it is of.
func rateMoved(m policy.Metric, days []health.Standing) (out []incident.Number) {
	name := wordsOf(m).short
	say := func(when string, s *health.Standing) {
		v := "not known: no orders were counted"
		if s.Rate == nil {
			v = "not known: no rule counts it on that day"
		} else if s.Den > 0 {
			v = fmt.Sprintf("%s of %s (%s)", share(policy.PPM(s.Num*1_000_000/s.Den)), number(s.Den), s.Day.Start(time.UTC).Format("2 Jan"))
		}
		out = append(out, incident.Number{Name: name + ", " + when, Value: v})
	}
	before, worst, end := &days[0], &days[len(days)-1], &days[len(days)-1]
	for n := range days[1:] {
		if s := &days[1+n]; s.Rate != nil && s.Den > 0 && (worst.Den <= 0 || worse(s, worst)) {
			worst = s
		}
	}
	say("the day before it began", before)
	say("at its worst", worst)
	say("at the end", end)
	var limits []string
	for _, b := range end.Bands {
		text := string(b.Kind) + " " + share(b.Limit)
		if b.Paused {
			text += " (paused)"
		}
		limits = append(limits, text)
	}
	if len(limits) == 0 {
		limits = []string{"none is known for that day"}
	}
	return append(out, incident.Number{Name: name + ", limits", Value: strings.Join(limits, ", ")})
}

// worse compares two days of a rate without rounding.
func worse(a, b *health.Standing) bool {
	if more := a.Num*b.Den - b.Num*a.Den; a.Rate.Test.Bad() {
		return more > 0
	} else {
		return more < 0
	}
}

// lateCost counts the orders of those days that count as late, whatever made them so: what an incident alone made late nobody can tell.
func lateCost(tx *store.Tx, f *incident.Facts, rules *policy.RuleSet, shop string, first, last policy.Day) error {
	const name = "Orders that count as dispatched late, of these days, whatever the cause"
	rate, ok := rules.RateOn(policy.LDR, last)
	if !ok || !rate.Test.Bad() {
		f.Add(name, "not known: no rule counts them")
		return nil
	}
	days, err := tx.HealthDays(shop, health.Key(rules, rate), first, last)
	if err != nil {
		return err
	}
	var num, den int64
	for _, d := range days {
		num, den = num+d.Num, den+d.Den
	}
	f.Add(name, number(num)+" of "+number(den))
	return nil
}

package ops

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spillway/spillway/domain/alert"
	"github.com/spillway/spillway/domain/forecast"
	"github.com/spillway/spillway/domain/health"
	"github.com/spillway/spillway/domain/policy"
	"github.com/spillway/spillway/store"
)

const (
	// rateMargin is how far on the right side of a limit a rate must be before its incident ends, in millionths: a fifth of a percent, so that
	// one order more or less does not open and close it all day.
	rateMargin = 2_000
	// outlookOld is when a forecast says nothing of now any more.
	outlookOld = 15 * time.Minute
)

// healthKinds are the kinds healthSignals speaks of.
var healthKinds = []alert.Kind{alert.RateBreach, alert.Forecast, alert.AccountRating}

// healthSignals looks at how shops stand and what is expected of them. Figures that are not whole yet, and a forecast that is old, say nothing: to what
// they would tell it is blind, and nobody is told that it is over.
func (x *Ops) healthSignals(ctx context.Context, at time.Time) (out []alert.Signal, blind []alert.Kind, err error) {
	err = x.st.View(ctx, func(tx *store.Tx) error {
		out, blind = nil, nil
		conns, err := tx.ConnectionList()
		if err != nil {
			return err
		}
		for _, c := range conns {
			r, err := x.ratesOf(tx, c, at)
			if err != nil {
				return err
			}
			if r.Rules == nil {
				continue
			}
			if r.Counted.IsZero() {
				blind = healthKinds
				continue
			}
			for i := range r.Standings {
				if s, any := rateSignal(c, &r.Standings[i]); any {
					out = append(out, s)
				}
			}
			o, found, err := outlookOf(tx, c.ID)
			if err != nil {
				return err
			}
			switch old := o.Old(at); {
			case found && !old:
				out = append(out, forecastSignals(c, &o, r.Rules.Location())...)
			case found:
				blind = append(slices.Clone(blind), alert.Forecast)
			}
			rating, err := ratingSignals(tx, c, r)
			if err != nil {
				return err
			}
			out = append(out, rating...)
		}
		return nil
	})
	return out, blind, err
}

// rateSignal says that a rate is past a limit. The share is rounded to the wrong side, so that it passes a limit exactly when the orders do.
func rateSignal(c store.Connection, s *health.Standing) (alert.Signal, bool) {
	if s.Rate == nil || s.Den <= 0 {
		return alert.Signal{}, false
	}
	bad := s.Rate.Test.Bad()
	share := s.Num * 1_000_000 / s.Den
	if bad && s.Num*1_000_000%s.Den != 0 {
		share++
	}
	r := alert.Reading{Figure: alert.Figure{Name: wordsOf(s.Metric).short, Value: share, Unit: alert.PPM}, Low: !bad, Margin: rateMargin}
	for _, b := range s.Bands {
		l := alert.Limit{Name: string(b.Kind), Value: int64(b.Limit), Severity: alert.Warning}
		if b.Kind == policy.Enforcement && !b.Paused {
			l.Severity = alert.Critical
		}
		if b.Reached { // at the limit is past it
			if l.Value--; !bad {
				l.Value += 2
			}
		}
		r.Limits = append(r.Limits, l)
	}
	return r.Signal(alert.Signal{Cause: alert.Cause{Kind: alert.RateBreach, Subject: c.ID + " " + string(s.Metric)}, Shop: c.ID,
		Text: nameOf(c) + ": " + strings.ToLower(wordsOf(s.Metric).short) + " " + s.Sentence(), Next: "Look at the health page for the causes and what to do first."})
}

// forecastSignals say which rates are expected to break, by the alarm's rule, and what would save them.
func forecastSignals(c store.Connection, o *Outlook, zone *time.Location) (out []alert.Signal) {
	for i := range o.Metrics {
		m := &o.Metrics[i]
		if !o.Alarms[m.Metric].On {
			continue
		}
		chance := m.Chance(policy.Enforcement)
		when := fmt.Sprintf("within %d days", forecast.UsualDay)
		if day, ok := m.FirstOver(policy.Enforcement, forecast.BreachAlarm.On); ok {
			when = "by " + day.Start(time.UTC).Format("Monday 2 January")
		}
		limit, severity := "its limit of enforcement", alert.Severity("") // the rule's own
		if m.Paused(policy.Enforcement) {
			limit, severity = "its limit of enforcement, which the channel does not act on at present,", alert.Warning
		}
		text := fmt.Sprintf("%s: %s is expected to pass %s %s; the chance is %d %%.", nameOf(c), strings.ToLower(wordsOf(m.Metric).short), limit, when, int64(chance*100))
		next := "Look at the health page for what can be done."
		for _, a := range o.Advice {
			if a.Metric == m.Metric && a.Kind == policy.Enforcement && a.A.Reached {
				next = fmt.Sprintf("Get %s ready by %s: the health page lists them.", plural(int64(a.Count), "order", "orders"), a.Q.Until.In(zone).Format("Monday 15:04"))
			}
		}
		out = append(out, alert.Signal{Cause: alert.Cause{Kind: alert.Forecast, Subject: c.ID + " " + string(m.Metric)}, Shop: c.ID, Severity: severity, Text: text, Next: next,
			Figures: []alert.Figure{{Name: "chance", Value: int64(chance * 1e6), Unit: alert.PPM}, {Name: "orders at risk", Value: int64(o.AtRisk)}}})
	}
	return out
}

// ratingSignals say how low the account stands, by the last value that was entered and what is known to have been taken since.
func ratingSignals(tx *store.Tx, c store.Connection, r ShopRates) ([]alert.Signal, error) {
	rows, err := tx.AccountRatings(c.ID, (r.Day - accountDays).Start(r.Rules.Location()), 1)
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	taken, err := tx.AccountDeductions(c.ID, r.Day-2*accountDays, maxDeductions)
	if err != nil {
		return nil, err
	}
	last := rows[0]
	a, ok := health.AccountOn(r.Rules, r.Day, []health.Entered{{Day: policy.DayOf(last.At, r.Rules.Location()), Value: int(last.Value), Author: last.Actor}}, takenBy(taken), nil)
	if !ok {
		return nil, nil
	}
	s, low := ratingSignal(&a)
	if !low {
		return nil, nil
	}
	s.Cause, s.Shop, s.Text = alert.Cause{Kind: alert.AccountRating, Subject: c.ID}, c.ID, nameOf(c)+": "+s.Text
	return []alert.Signal{s}, nil
}

// ratingSignal says what stands against an account: a milestone it is past, one that is near, or that it is below its best zone. It is critical where the
// channel may close the account, or a milestone near does.
func ratingSignal(a *health.Account) (alert.Signal, bool) {
	out := alert.Signal{Next: "Look at the health page for what is blocked, what takes points and when they come back.",
		Figures: []alert.Figure{{Name: "account rating", Value: int64(a.Stated), Unit: alert.Points}}}
	if a.Entered.Day == 0 || a.Stated >= a.Green.Line {
		return out, false
	}
	out.Text = fmt.Sprintf("the account rating is %d, below %d.", a.Stated, a.Green.Line)
	var past, near *health.Ahead
	for i := range a.Ahead { // the highest first
		switch m := &a.Ahead[i]; {
		case m.Passed:
			past = m
		case m.Warned && near == nil:
			near = m
		}
	}
	switch {
	case past != nil:
		out.Text = fmt.Sprintf("the account rating is %d, past the milestone of %d%s.", a.Stated, past.Points, blocks(past.Blocks))
	case near != nil:
		out.Text = fmt.Sprintf("the account rating is %s above the milestone of %d.", plural(int64(near.Away), "point", "points"), near.Points)
	}
	if past != nil && near != nil {
		out.Text += fmt.Sprintf(" The next, of %d, is %s away.", near.Points, plural(int64(near.Away), "point", "points"))
	}
	closes := func(m *health.Ahead) bool { return m != nil && m.Closure }
	if closes(past) || closes(near) || a.MayClose() {
		out.Severity = alert.Critical
	}
	return out, true
}

func blocks(what []string) string {
	if len(what) == 0 {
		return ""
	}
	return ", which may block " + strings.Join(what, " and ")
}

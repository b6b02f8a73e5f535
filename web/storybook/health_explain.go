package storybook

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/ops/view"
)

var healthFigures = []string{
	view.FigureRate, view.FigureForecast, view.FigureCompound, view.FigureAccount, view.FigureRisk, view.FigureAdvice, view.FigureRule, view.FigureReconciled,
}

// explainHealth opens a figure of health. The caller holds the lock.
func (b *Book) explainHealth(figure, kind, id string) (view.Explain, error) {
	shop, rest, _ := strings.Cut(id, "@")
	switch kind {
	case view.FigureRate, view.FigureReconciled, view.FigureForecast:
		metric, day, _ := strings.Cut(rest, "@")
		s, ok := storyOf(shop)
		m, known := meterOf(metric)
		if !ok || !known {
			return view.Explain{}, errs.New(errs.NotFound, "storybook.Explain", figure, "There is no figure %s.", figure)
		}
		return b.explainRate(figure, kind, s, m, max(0, b.back(view.Day(day)))), nil
	case view.FigureRule:
		group, r, ok := b.ruleNamed(shop, rest)
		if !ok {
			return view.Explain{}, errs.New(errs.NotFound, "storybook.Explain", figure, "There is no rule %s.", rest)
		}
		return view.Explain{
			Figure: figure, Title: group + ", " + r.Name, Value: r.Value, At: b.now(), Sentence: r.Text, JudgedBy: r.Source + ", " + r.Confidence,
			Inputs: []view.Input{{Name: "Holds from", Value: string(r.From)}, {Name: "Confidence", Value: r.Confidence, Text: r.Note}},
		}, nil
	}
	v := view.Explain{Figure: figure, At: b.now(), JudgedBy: "the rules of today"}
	switch kind {
	case view.FigureCompound:
		v.Title, v.Value, v.Level = "Any rate in breach", "26 %", view.Watch
		v.Sentence, v.Formula = "The chance that at least one rate is worse than an enforcement in force when its window ends.", "1 − P(no rate breaches), over shared causes: a slow node is slow for all of them"
	case view.FigureAccount:
		a := b.account(shopStories[0])
		v.Title, v.Value, v.Sentence, v.Formula = a.Name, fmt.Sprintf("%d–%d", a.Low, a.High), a.Knows+" "+a.Models, "last known value + points won back − points lost, each as a range"
	case view.FigureRisk:
		v.Title, v.Value, v.Sentence, v.Formula = "Chance late", "82 %", "The chance that the carrier’s first scan comes after the deadline.", "P(queue ahead ÷ units an hour + wait for the pick-up + wait for the scan > slack)"
		v.Inputs = []view.Input{{Name: "Before it in the queue", Value: "14", Text: "orders"}, {Name: "Berlin packs", Value: "74", Text: "orders an hour"}, {Name: "Next pick-up", Value: "17:00"}}
	default:
		v.Title, v.Value, v.Unit, v.Sentence = "Smallest set", "9", "orders", "No set of 8 orders keeps the rate at or below 4.1 %."
		v.Formula = "fewest orders S: expected late without S ≤ what the rate allows"
	}
	return v, nil
}

func (b *Book) explainRate(figure, kind string, s shopStory, m meter, back int) view.Explain {
	g := b.gauge(s, m, back)
	share := func(num, den int64) string {
		return strconv.FormatFloat(100*float64(num)/float64(max(1, den)), 'f', 2, 64) + " %"
	}
	v := view.Explain{
		Figure: figure, Title: m.name, Value: share(g.Num, g.Den), At: b.now(), Sentence: g.Text, Formula: m.formula,
		Inputs:   []view.Input{{Name: m.above, Value: fmt.Sprint(g.Num)}, {Name: m.below, Value: fmt.Sprint(g.Den)}, {Name: "Window", Value: string(g.From), Text: "to " + string(g.To)}},
		JudgedBy: definitionOf(s, m, g.Day).Source + ", rules of " + string(g.Day),
		Columns:  []view.Column{{Name: "Day"}, {Name: m.adjective, Number: true}, {Name: "counted", Number: true}},
	}
	if kind == view.FigureForecast {
		v.Title, v.Sentence = "Forecast of the "+strings.ToLower(m.name), "Where it will stand if work goes on as it does."
		v.Formula = "days of the window that stay + open orders × their chance to be late"
	}
	for _, l := range g.Limits {
		v.Inputs = append(v.Inputs, view.Input{Name: capital(l.Kind), Value: share(int64(l.At), 1_000_000), Text: l.Source + ", " + l.Confidence})
	}
	for i := range min(m.days, 10) {
		against, of := b.dayCount(s, m.id, back+i)
		v.Rows = append(v.Rows, []view.Cell{{Text: string(b.dayBack(back + i)), Ref: view.Ref{Kind: view.KindMetric, ID: s.id + "@" + m.id}}, {Text: fmt.Sprint(above(m, against, of))}, {Text: fmt.Sprint(of)}})
	}
	v.More = int64(max(0, m.days-10))
	return v
}

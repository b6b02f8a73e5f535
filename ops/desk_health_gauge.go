package ops

import (
	"cmp"
	"slices"
	"strings"

	"github.com/spillway/spillway/domain/forecast"
	"github.com/spillway/spillway/domain/health"
	"github.com/spillway/spillway/domain/policy"
	"github.com/spillway/spillway/ops/view"
)

// stateOf is how a rate stands, for pages. What is not certainly good is not shown as good.
func stateOf(s health.State) view.RateState {
	switch s {
	case health.Good:
		return view.StateGood
	case health.Watch, health.Unsure:
		return view.StateWatch
	case health.Breach:
		return view.StateBreach
	case health.Nothing:
		return view.StateNothing
	}
	return view.StateNoRule
}

// gauge is one metric as it stands on the day judged.
func (s *shopHealth) gauge(m policy.Metric) view.Gauge {
	points := s.trends[m]
	now := &points[len(points)-1]
	w := wordsOf(m)
	g := view.Gauge{Metric: string(m), Name: m.Words(), Short: w.short, Noun: nounOf(now.Rate), Adjective: w.adjective, Num: now.Num, Den: now.Den,
		HighIsBad: m == policy.LDR || m == policy.SFCR, State: stateOf(now.State), Day: dayOf(now.Day), From: dayOf(now.First), To: dayOf(now.Last), AsOf: s.AsOf}
	for _, b := range now.Bands {
		g.Limits = append(g.Limits, limitOf(s.Rules, b.Band))
	}
	g.Text = gaugeText(now, s)
	if s.counting() && g.State != view.StateNoRule {
		g.State, g.Text = view.StateCounting, countingText(s.Counting)
	}
	if k := len(points) - 8; k >= 0 && points[k].Den > 0 && g.State != view.StateCounting {
		week := view.PPM(points[k].Num * 1_000_000 / points[k].Den)
		g.Week = &week
	}
	g.Trend = s.trend(m)
	if told := s.told[m]; len(told) > 0 {
		g.Their = &told[0]
	}
	if g.State != view.StateCounting && g.State != view.StateNoRule {
		g.Forecast = s.forecast(m)
	}
	return g
}

// gaugeText is how far the next limit is, in orders, or why there is no rate.
func gaugeText(now *health.Standing, s *shopHealth) string {
	w := wordsOf(now.Metric)
	switch {
	case now.Rate == nil:
		return "The rules do not say how it is counted on this day."
	case now.Den <= 0:
		return "Nothing was counted from " + dayWords(now.First, s.at) + " to " + dayWords(now.Last, s.at) + ", so there is no rate."
	case len(now.Bands) == 0:
		return "No limit is known for this day."
	}
	var text string
	if now.Unjudged > 0 {
		text = " " + number(now.Unjudged) + " of " + number(now.Den) + " could not be judged and are not held against the shop."
	}
	if now.State == health.Unsure {
		return capital(strings.TrimSpace(text)) + " If they all were, it would not be inside its limits."
	}
	for i := len(now.Bands) - 1; i >= 0; i-- {
		if b := now.Bands[i]; b.Worse {
			past := capital(w.past) + " " + bandText(b.Band) + "."
			if i+1 < len(now.Bands) && now.Bands[i+1].More != health.Never {
				past += " " + nextText(w, now.Bands[i+1])
			} else if b.More != health.Never {
				past += " " + capital(number(b.More)) + " more that go well bring it back."
			}
			return past + text
		}
	}
	if next, ok := now.Next(); ok && next.More != health.Never {
		return nextText(w, next) + text
	}
	return "No further order can bring it past " + bandText(now.Bands[0].Band) + "." + text
}

func nextText(w metricWords, next health.Reach) string {
	return plural(next.More, "more "+w.wrong, "more "+w.wrongs) + " and it " + w.passes + " " + bandText(next.Band) + "."
}

// forecast is where a rate will stand at the end of the last day that was looked at; nil: nobody can say.
func (s *shopHealth) forecast(m policy.Metric) *view.RateForecast {
	i := slices.IndexFunc(s.out.Metrics, func(f forecast.MetricForecast) bool { return f.Metric == m })
	if i < 0 || len(s.out.Metrics[i].Days) == 0 {
		return nil
	}
	end := s.out.Metrics[i].Days[len(s.out.Metrics[i].Days)-1]
	if end.State != forecast.Expected {
		return nil
	}
	f := &view.RateForecast{At: end.Day.End(s.Rules.Location()), P10: view.PPM(end.P10), P50: view.PPM(end.Median), P90: view.PPM(end.P90), Assumes: s.assumes()}
	if b, ok := chanceKind(end.Bands); ok {
		f.Breach, f.Against = millionths(b.Chance), string(b.Kind)+" at "+share(b.Limit)
		if b.Paused {
			f.Against += ", paused"
		}
	}
	return f
}

// assumes is what a forecast rests on, in words.
func (s *shopHealth) assumes() string {
	list := s.assumed()
	if len(list) == 0 {
		return "that nodes and carriers go on as in the last weeks"
	}
	return "that nodes and carriers go on as in the last weeks; not learned but assumed: " + and(list)
}

// trend is a metric over the last trendDays.
func (s *shopHealth) trend(m policy.Metric) (t view.Trend) {
	points := s.trends[m]
	points = points[max(0, len(points)-trendDays):]
	for _, p := range points {
		state := stateOf(p.State)
		if s.counting() && state != view.StateNoRule {
			state = view.StateCounting
		}
		t.Points = append(t.Points, view.TrendPoint{Day: dayOf(p.Day), Num: p.Num, Den: p.Den, State: state})
	}
	first, last := points[0].Day, points[len(points)-1].Day
	for _, b := range s.Rules.Bands {
		if b.Metric == m && !b.Announced && b.Overlaps(policy.Span{From: first, Until: last + 1}) {
			t.Limits = append(t.Limits, limitOf(s.Rules, b))
		}
	}
	for i := 1; i < len(points); i++ {
		if differs(&points[i-1], &points[i]) {
			t.Switches = append(t.Switches, switchesOf(s.Rules, points[i].Day, m)...)
		}
	}
	return t
}

// differs reports whether two days are judged by other rules.
func differs(a, b *health.Standing) bool {
	if (a.Rate == nil) != (b.Rate == nil) || a.Rate != nil && a.Rate.ID != b.Rate.ID || len(a.Bands) != len(b.Bands) {
		return true
	}
	for i := range a.Bands {
		x, y := a.Bands[i].Band, b.Bands[i].Band
		if x.Span != y.Span || x.Kind != y.Kind || x.Limit != y.Limit || x.Paused != y.Paused {
			return true
		}
	}
	return false
}

// switchesOf is what changes on a day for a metric; an empty metric: for anything.
func switchesOf(rs *policy.RuleSet, day policy.Day, m policy.Metric) (out []view.Switch) {
	for _, c := range policy.Diff(rs, day-1, day) {
		if m != "" && (c.Section != "rates" && c.Section != "bands" || !strings.HasPrefix(c.Topic, m.Words())) {
			continue
		}
		out = append(out, view.Switch{Day: dayOf(day), Text: c.Sentence(), RuleID: c.ID,
			Cited: citedOf(rs, policy.Cited{Source: c.Source, Confidence: c.Confidence, Note: c.Note})})
	}
	return out
}

// worstMetric is the metric that needs a person most: the worst state, then the most orders against the shop.
func (s *shopHealth) worstMetric() policy.Metric {
	rank := map[health.State]int{health.Breach: 5, health.Watch: 4, health.Unsure: 3, health.Good: 2, health.Nothing: 1}
	w := slices.MaxFunc(s.Standings, func(a, b health.Standing) int {
		return cmp.Or(cmp.Compare(rank[a.State], rank[b.State]), cmp.Compare(a.Against(), b.Against()))
	})
	return w.Metric
}

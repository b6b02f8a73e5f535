package web

import (
	"context"
	"io"
	"math/big"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/a-h/templ"
	"pgregory.net/rapid"

	"github.com/spillway/spillway/ops/view"
)

func TestRatesAreWrittenSoThatTheyDoNotLieAboutTheirLimit(t *testing.T) {
	at := []view.Limit{{At: 40_000}, {At: 100_000}}
	for _, c := range []struct {
		num, den int64
		want     string
	}{
		{40, 1000, "4.0 %"}, {41, 1000, "4.1 %"}, {4004, 100_000, "4.004 %"}, {3996, 100_000, "3.996 %"}, {399_999, 10_000_000, "3.99999 %"}, {0, 10, "0.0 %"}, {10, 10, "100.0 %"}, {0, 0, "–"}, {55, 1204, "4.6 %"},
	} {
		if got := rateText(c.num, c.den, at); got != c.want {
			t.Errorf("%d of %d is written %q, want %q", c.num, c.den, got, c.want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		den := rapid.Int64Range(1, 99_999).Draw(t, "den")
		num := rapid.Int64Range(0, den).Draw(t, "num")
		limit := view.Limit{At: view.PPM(rapid.Int64Range(0, 100).Draw(t, "percent") * 10_000)}
		got := strings.TrimSuffix(rateText(num, den, []view.Limit{limit}), " %")
		written, ok := new(big.Rat).SetString(got)
		if !ok {
			t.Fatalf("%q is no number", got)
		}
		equal := big.NewRat(num, den).Cmp(big.NewRat(int64(limit.At), million)) == 0
		if looks := written.Cmp(big.NewRat(int64(limit.At), 10_000)) == 0; looks && !equal {
			t.Fatalf("%d of %d is written like its limit: %s %%", num, den, got)
		}
	})
}

func TestChancesAndDays(t *testing.T) {
	now := time.Date(2026, 11, 21, 13, 0, 0, 0, time.UTC)
	for got, want := range map[string]string{
		chanceText(0): "0 %", chanceText(1): "<1 %", chanceText(9_999): "<1 %", chanceText(10_000): "1 %", chanceText(505_000): "51 %", chanceText(999_999): ">99 %", chanceText(million): "100 %",
		ppmText(40_000): "4 %", ppmText(25_000): "2.5 %", ppmText(1): "0.0001 %", ppmText(0): "0 %", ppmText(million): "100 %",
		dayText(now, "2026-03-02"): "2 Mar", dayText(now, "2025-12-31"): "31 Dec 2025", dayText(now, ""): "–",
		spanText(now, "2026-03-02", ""): "since 2 Mar", spanText(now, "2026-09-14", "2026-10-19"): "14 Sep to 18 Oct", spanText(now, "", "2026-03-02"): "to 1 Mar", spanText(now, "", ""): "always",
		deltaPoints(-30, -18): "−30 to −18", deltaPoints(5, 5): "+5", rangeText(173, 187): "173–187", rangeText(162, 162): "162",
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	if daysBetween("2026-03-28", "2026-03-30") != 2 || dayBefore("2026-03-01") != "2026-02-28" {
		t.Error("days are counted wrongly over a change of clocks or a month")
	}
}

// anyGauge draws a gauge with any rate, limits and forecast.
func anyGauge(t *rapid.T) view.Gauge {
	g := view.Gauge{Name: "Rate", HighIsBad: rapid.Bool().Draw(t, "high is bad"), Den: rapid.Int64Range(0, 5000).Draw(t, "den")}
	g.Num = rapid.Int64Range(0, g.Den).Draw(t, "num")
	g.State = rapid.SampledFrom([]view.RateState{view.StateGood, view.StateWatch, view.StateBreach, view.StateNothing, view.StateNoRule, view.StateCounting}).Draw(t, "state")
	if g.Den == 0 && judged(g.State) {
		g.State = view.StateNothing
	}
	ppm := rapid.Int64Range(0, million)
	for _, kind := range []string{"target", "warning", "enforcement"} {
		if rapid.Bool().Draw(t, kind) {
			g.Limits = append(g.Limits, view.Limit{Kind: kind, At: view.PPM(ppm.Draw(t, kind+" at")), Paused: rapid.Bool().Draw(t, kind+" paused")})
		}
	}
	if rapid.Bool().Draw(t, "forecast") {
		low := ppm.Draw(t, "p10")
		high := rapid.Int64Range(low, million).Draw(t, "p90")
		g.Forecast = &view.RateForecast{P10: view.PPM(low), P50: view.PPM((low + high) / 2), P90: view.PPM(high)}
	}
	return g
}

func TestAGaugeNeverLies(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := anyGauge(t)
		s := gaugeOf(g)
		if judged(g.State) != (s.value != "") {
			t.Fatalf("a rate that is %s has its mark at %q", g.State, s.value)
		}
		ends := map[bool]float64{true: -1, false: -1}
		for _, m := range s.limits {
			if x := pct(t, m.x); x < 0 || x > 100 {
				t.Fatalf("a limit at %s", m.x)
			}
			if m.text == "" {
				continue
			}
			half := 50 * float64(len([]rune(m.text))) * letterWidth / gaugeWidth
			from, to := pct(t, m.textX)-half, pct(t, m.textX)+half
			if from < ends[m.above] {
				t.Fatalf("the name %q begins at %f, before %f where another ends", m.text, from, ends[m.above])
			}
			if half < 50 && (from < -.1 || to > 100.1) {
				t.Fatalf("the name %q goes from %f to %f", m.text, from, to)
			}
			ends[m.above] = to
		}
		if !judged(g.State) {
			return
		}
		for _, l := range g.Limits { // which side of a limit the mark is on is the truth
			rate, limit := shareOf(g.Num, g.Den), ppmShare(l.At)
			sc := scaleOf(g.HighIsBad, gaugeValues(g))
			if d := sc.at(rate) - sc.at(limit); d > .001 && rate <= limit || d < -.001 && rate >= limit {
				t.Fatalf("a rate of %f is drawn on the wrong side of %f", rate, limit)
			}
		}
	})
}

func TestATrendBreaksWhereThereWasNoRate(t *testing.T) {
	now := time.Date(2026, 11, 21, 13, 0, 0, 0, time.UTC)
	g := view.Gauge{Name: "Rate", HighIsBad: true}
	for i, n := range []int64{1, 2, -1, 3, -1, 4, 5} {
		p := view.TrendPoint{Day: view.Day("2026-11-0" + strconv.Itoa(i+1)), Num: n, Den: 100, State: view.StateGood}
		if n < 0 {
			p.Num, p.Den, p.State = 0, 0, view.StateNothing
		}
		g.Trend.Points = append(g.Trend.Points, p)
	}
	s := trendOf(now, g)
	if got := strings.Count(s.path, "M"); got != 3 {
		t.Errorf("the line %q has %d pieces, want 3", s.path, got)
	}
	if s.width != "6" || s.first != "1 Nov" || s.last != "7 Nov" || s.lastV != "5.0 %" {
		t.Errorf("the trend is %+v", s)
	}
	g.Trend.Points = g.Trend.Points[2:3]
	if s := trendOf(now, g); !s.empty {
		t.Errorf("a trend without a rate draws %q", s.path)
	}
}

func TestTheAccountBandIsBrokenWhereNothingIsModelled(t *testing.T) {
	days := []view.AccountDay{{Low: -1, High: -1}, {Low: 200, High: 200}, {Low: 198, High: 201}, {Low: -1, High: -1}, {Low: 50, High: 60}}
	band, ok := accountBand(scale{0, 240}, days)
	if got := strings.Count(band, "Z"); got != 2 || !ok || strings.HasPrefix(band, "M0") {
		t.Errorf("the band is %q, want two pieces from day 1 on", band)
	}
	if _, ok := accountBand(scale{0, 240}, days[:1]); ok {
		t.Error("nothing to model from, and a band is drawn")
	}
}

// fullHealth is as much as a page of health ever shows.
func fullHealth() view.Health {
	now := time.Date(2026, 11, 21, 13, 0, 0, 0, time.UTC)
	v := view.Health{At: now, Sentence: "Late dispatch is over its target.", Level: view.Watch, Shop: view.ShopStanding{ID: "s-0", Name: "Shop 0", Market: "US"}, Compound: 264_000, CausesFor: "ldr"}
	for i := range 20 {
		v.Shops = append(v.Shops, view.ShopStanding{ID: "s-" + strconv.Itoa(i), Name: "Shop", Word: "good", Level: view.Good})
	}
	for _, m := range []string{"ldr", "vtr", "sfcr", "otdr"} {
		g := view.Gauge{Metric: m, Name: m, Short: m, Noun: "orders", Adjective: "late", Num: 55, Den: 1204, HighIsBad: true, State: view.StateWatch, Day: "2026-11-21", AsOf: now, Text: "6 orders past the target."}
		g.Limits = []view.Limit{{Kind: "target", At: 40_000}, {Kind: "warning", At: 60_000}, {Kind: "enforcement", At: 100_000}}
		g.Forecast = &view.RateForecast{At: now, P10: 30_000, P50: 45_000, P90: 60_000, Breach: 100_000, Against: "target"}
		for d := range 90 {
			g.Trend.Points = append(g.Trend.Points, view.TrendPoint{Day: view.Day(now.AddDate(0, 0, d-89).Format(time.DateOnly)), Num: int64(40 + d%9), Den: 1200, State: view.StateGood})
		}
		g.Trend.Limits = g.Limits
		v.Gauges = append(v.Gauges, g)
	}
	for i := range 100 {
		due := now.Add(time.Duration(i*17-90) * time.Minute)
		o := view.OrderRow{ID: "s-0:" + strconv.Itoa(i), Number: strconv.Itoa(577180003000 + i), Due: &due}
		v.Risk = append(v.Risk, view.RiskRow{OrderRow: o, Late: 400_000, Node: "Berlin", Waits: "picking", Expected: &due})
	}
	for _, f := range []string{"reason", "node", "carrier", "region", "item", "mode"} {
		c := view.Cause{Facet: f, Name: f}
		for i := range 10 {
			c.Rows = append(c.Rows, view.CauseRow{Value: strconv.Itoa(i), Name: "Value", Against: int64(20 - i), Of: 300})
		}
		v.Causes = append(v.Causes, c)
	}
	for i := range 5 {
		v.Advice = append(v.Advice, view.Advice{ID: strconv.Itoa(i), Sentence: "Ship these.", Count: 37, Orders: v.Risk[:10]})
	}
	v.Account = view.Account{Offered: true, Max: 1000, From: "2026-05-26", Low: 170, High: 190, State: view.StateWatch}
	for range 180 {
		v.Account.Range = append(v.Account.Range, view.AccountDay{Low: 170, High: 190})
	}
	return v
}

// BenchmarkAFullHealthPage draws all parts of a page with 20 shops, 100 orders at risk and 360 points beside its baseline, the head
// alone, so that what the rest costs shows as a ratio on any machine.
func BenchmarkAFullHealthPage(b *testing.B) {
	v := fullHealth()
	ctx := withClock(context.Background(), clock{now: v.At, loc: time.UTC})
	for name, parts := range map[string][]templ.Component{
		"head":  {healthHead(v)},
		"whole": {healthHead(v), healthGauges(v), healthAdvice(v), healthRisk(v), healthCauses(v), healthTrends(v), healthAccount(v)},
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				for _, c := range parts {
					if err := c.Render(ctx, io.Discard); err != nil {
						b.Fatal(err)
					}
				}
			}
		})
	}
}

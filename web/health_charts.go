package web

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/spillway/spillway/ops/view"
)

// scale maps shares of one to a width or a height; what lies outside is drawn at its edge.
type scale struct{ low, high float64 }

func (s scale) at(v float64) float64 {
	if s.high <= s.low {
		return 0
	}
	return min(1, max(0, (v-s.low)/(s.high-s.low)))
}

// niceSteps are ends of a scale one reads easily, in shares of one.
var niceSteps = []float64{.01, .02, .03, .05, .06, .08, .1, .12, .15, .2, .25, .3, .4, .5, .6, .8, 1}

// scaleOf makes room for every value: from 0 up for rates that should be low, from 100 % down for those that should be high.
func scaleOf(highIsBad bool, values []float64) scale {
	far := .01
	for _, v := range values {
		if highIsBad {
			far = max(far, v*1.12)
		} else {
			far = max(far, (1-v)*1.25)
		}
	}
	for _, n := range niceSteps {
		if n >= far-1e-9 {
			far = n
			break
		}
	}
	if highIsBad {
		return scale{0, min(1, far)}
	}
	return scale{max(0, 1-far), 1}
}

func ppmShare(p view.PPM) float64 { return float64(p) / million }

// gaugeShape is a gauge laid out on one horizontal scale.
type gaugeShape struct {
	value        string // where the rate is; empty: there is none
	fill         string // how far it is from the good end
	fillX        string
	bandX, bandW string // the forecast's range; empty: none
	mid          string
	limits       []limitMark
	label        string
}

type limitMark struct {
	x, textX, text, class string
	above                 bool
}

// gaugeWidth is about how wide a gauge is drawn, to keep its labels apart.
const gaugeWidth = 280.0

func gaugeOf(g view.Gauge) gaugeShape {
	values := gaugeValues(g)
	sc := scaleOf(g.HighIsBad, values)
	out := gaugeShape{label: gaugeLabel(g)}
	if judged(g.State) {
		at := sc.at(shareOf(g.Num, g.Den))
		out.value = percent(at)
		if g.HighIsBad {
			out.fillX, out.fill = "0", percent(max(at, .005))
		} else {
			out.fillX, out.fill = percent(at), percent(max(1-at, .005))
		}
	}
	if f := g.Forecast; f != nil {
		from, to := sc.at(ppmShare(f.P10)), sc.at(ppmShare(f.P90))
		out.bandX, out.bandW, out.mid = percent(from), percent(max(to-from, .006)), percent(sc.at(ppmShare(f.P50)))
	}
	out.limits = limitMarks(sc, g.Limits)
	return out
}

func gaugeValues(g view.Gauge) []float64 {
	var values []float64
	if judged(g.State) {
		values = append(values, shareOf(g.Num, g.Den))
	}
	for _, l := range g.Limits {
		values = append(values, ppmShare(l.At))
	}
	if f := g.Forecast; f != nil {
		values = append(values, ppmShare(f.P10), ppmShare(f.P90))
	}
	return values
}

// limitMarks names each limit above or below the scale, where there is room. Limits at one place share a name.
func limitMarks(sc scale, limits []view.Limit) []limitMark {
	byPlace := slices.Clone(limits)
	slices.SortStableFunc(byPlace, func(a, b view.Limit) int { return int(a.At - b.At) })
	var out []limitMark
	used := map[bool]float64{true: -1, false: -1} // where the last label of each row ends
	for i := 0; i < len(byPlace); i++ {
		l := byPlace[i]
		text := l.Kind
		for i+1 < len(byPlace) && byPlace[i+1].At == l.At && byPlace[i+1].Paused == l.Paused {
			i++
			text += " and " + byPlace[i].Kind
			l.Kind = byPlace[i].Kind
		}
		text += " " + ppmText(l.At)
		if l.Paused {
			text += ", paused"
		}
		out = append(out, placed(sc.at(ppmShare(l.At)), text, limitClass(l), used))
	}
	return out
}

func limitClass(l view.Limit) string {
	if l.Paused {
		return l.Kind + " paused"
	}
	return l.Kind
}

// letterWidth is about how wide a letter of a label is, in px; on the safe side.
const letterWidth = 7.3

// placed finds room for a label near x; without room in either row the mark stays and the label goes.
func placed(x float64, text, class string, used map[bool]float64) limitMark {
	m := limitMark{x: percent(x), class: class}
	w := float64(utf8.RuneCountInString(text)) * letterWidth / gaugeWidth
	for _, above := range []bool{true, false} {
		from := min(max(x-w/2, 0), max(1-w, 0))
		if from > used[above]+.02 {
			used[above] = from + w
			m.text, m.textX, m.above = text, percent(from+w/2), above
			return m
		}
	}
	return m
}

func gaugeLabel(g view.Gauge) string {
	var b strings.Builder
	b.WriteString(g.Name)
	b.WriteString(": ")
	if judged(g.State) {
		b.WriteString(rateText(g.Num, g.Den, g.Limits) + ", ")
	}
	b.WriteString(stateWord(g.State))
	for _, l := range g.Limits {
		b.WriteString("; " + limitName(l))
	}
	if f := g.Forecast; f != nil {
		b.WriteString("; forecast " + ppmShort(f.P10) + " to " + ppmShort(f.P90))
	}
	return b.String()
}

// trendShape is a rate over days: a line broken where there was no rate, with its limits and switches.
type trendShape struct {
	path         string // in a box one unit a day wide and trendBox high
	width        string
	lines        []trendLine
	switches     []trendSwitch
	first, last  string // day names
	lastY, lastV string
	lastClass    string
	label        string
	empty        bool
}

type trendLine struct {
	x1, x2, y, labelY, class, text string
	tight                          bool // the text has room on a wide screen only
}

type trendSwitch struct {
	x, text, anchor, title string
}

const (
	trendHeight = 120 // px, as the template draws it
	trendBox    = 1000
)

func trendOf(now time.Time, g view.Gauge) trendShape {
	t := g.Trend
	out := trendShape{empty: true, width: strconv.Itoa(max(1, len(t.Points)-1))}
	if len(t.Points) < 2 {
		return out
	}
	first, last := t.Points[0], t.Points[len(t.Points)-1]
	var values []float64
	for _, p := range t.Points {
		if judged(p.State) {
			values, out.empty = append(values, shareOf(p.Num, p.Den)), false
		}
	}
	for _, l := range t.Limits {
		values = append(values, ppmShare(l.At))
	}
	sc := scaleOf(g.HighIsBad, values)
	out.first, out.last = dayText(now, first.Day), dayText(now, last.Day)
	out.path = trendPath(sc, t.Points)
	if judged(last.State) {
		out.lastY = px(trendHeight, sc.at(shareOf(last.Num, last.Den)))
		out.lastV = rateText(last.Num, last.Den, g.Limits)
		out.lastClass = string(stateLevel(last.State))
	}
	days := len(t.Points) - 1
	out.lines = trendLines(sc, t, first.Day, days)
	for _, s := range t.Switches {
		if x := daysBetween(first.Day, s.Day); x >= 0 && x <= days {
			at := float64(x) / float64(days)
			anchor := "start"
			if at > .6 {
				anchor = "end"
			}
			out.switches = append(out.switches, trendSwitch{x: percent(at), text: dayText(now, s.Day), anchor: anchor, title: dayText(now, s.Day) + ": " + s.Text})
		}
	}
	out.label = trendLabel(now, g)
	return out
}

func px(height int, share float64) string {
	return strconv.FormatFloat(float64(height)*(1-share), 'f', 1, 64)
}

// trendPath is the line in units of a day and a thousandth of the height.
func trendPath(sc scale, points []view.TrendPoint) string {
	b := make([]byte, 0, 10*len(points))
	down := false
	for i, p := range points {
		if !judged(p.State) {
			down = false
			continue
		}
		if down {
			b = append(b, 'L')
		} else {
			b = append(b, 'M')
		}
		b = strconv.AppendInt(b, int64(i), 10)
		b = append(b, ' ')
		b = strconv.AppendInt(b, int64(trendBox*(1-sc.at(shareOf(p.Num, p.Den)))+.5), 10)
		if !down && (i+1 == len(points) || !judged(points[i+1].State)) {
			b = append(b, "h.4"...) // a day alone is seen too
		}
		down = true
	}
	return string(b)
}

// trendLines are the limits over the days on which they held, named where they end.
func trendLines(sc scale, t view.Trend, first view.Day, days int) []trendLine {
	var out []trendLine
	for _, l := range t.Limits {
		from, to := 0, days
		if l.From != "" {
			from = max(0, daysBetween(first, l.From))
		}
		if l.Until != "" {
			to = min(days, daysBetween(first, l.Until))
		}
		if from >= to {
			continue
		}
		y := sc.at(ppmShare(l.At))
		line := trendLine{
			x1: percent(float64(from) / float64(days)), x2: percent(float64(to) / float64(days)), y: px(trendHeight, y), class: limitClass(l),
			text: roomFor(limitName(l), to-from, days, trendWide), tight: roomFor(limitName(l), to-from, days, trendNarrow) == "", labelY: strconv.FormatFloat(float64(trendHeight)*(1-y)-4, 'f', 1, 64),
		}
		for i := range out {
			if out[i].y == line.y && out[i].x1 == line.x1 { // one line, both names
				out[i].text, line.text = strings.Replace(out[i].text, " ", " and "+l.Kind+" ", 1), ""
			}
		}
		out = append(out, line)
	}
	return out
}

// How wide a trend is drawn at least, in px, on a wide and on a narrow screen.
const (
	trendWide   = 480
	trendNarrow = 320
)

// roomFor is text where a stretch of days has room for it, else nothing.
func roomFor(text string, stretch, days, width int) string {
	if float64(utf8.RuneCountInString(text))*letterWidth > float64(stretch*width)/float64(days) {
		return ""
	}
	return text
}

func trendLabel(now time.Time, g view.Gauge) string {
	low, high, n := 2.0, -1.0, 0
	for _, p := range g.Trend.Points {
		if judged(p.State) {
			v := shareOf(p.Num, p.Den)
			low, high, n = min(low, v), max(high, v), n+1
		}
	}
	first := g.Trend.Points[0].Day
	if n == 0 {
		return fmt.Sprintf("%s since %s: no rate on any day", g.Name, dayText(now, first))
	}
	return fmt.Sprintf("%s since %s: between %.1f %% and %.1f %%, a rate on %d of %d days", g.Name, dayText(now, first), 100*low, 100*high, n, len(g.Trend.Points))
}

// accountShape is the account's rating over its days: the modelled range, what was seen, zones and milestones.
type accountShape struct {
	width    string
	band     string
	dots     []accountDot
	zones    []accountStripe
	marks    []accountStripe
	first    string
	endY     string
	endText  string
	label    string
	modelled bool
}

type accountDot struct{ x, y, title string }

type accountStripe struct{ y, h, textY, class, text string }

const (
	accountHeight = 200 // px, as the template draws it
	accountBox    = 1000
)

func accountOf(now time.Time, a view.Account) accountShape {
	days := max(1, len(a.Range)-1)
	top := accountTop(a)
	sc := scale{0, top}
	out := accountShape{width: strconv.Itoa(days), first: dayText(now, a.From), label: a.Name + ": " + a.Sentence}
	out.band, out.modelled = accountBand(sc, a.Range)
	for _, k := range a.Known {
		if x := daysBetween(a.From, k.Day); x >= 0 && x <= days {
			out.dots = append(out.dots, accountDot{
				x: percent(float64(x) / float64(days)), y: px(accountHeight, sc.at(float64(k.Value))), title: fmt.Sprintf("%s: %s, %s by %s", dayText(now, k.Day), num(k.Value), k.Source, k.By),
			})
		}
	}
	for _, z := range a.Zones {
		high := sc.at(float64(min(z.High+1, int64(top))))
		low := sc.at(float64(z.Low))
		if high <= low {
			continue
		}
		out.zones = append(out.zones, accountStripe{
			y: px(accountHeight, high), h: strconv.FormatFloat(accountHeight*(high-low), 'f', 1, 64), class: string(z.Level),
			text: z.Name, textY: strconv.FormatFloat(accountHeight*(1-(high+low)/2)+4, 'f', 1, 64),
		})
	}
	for _, m := range a.Milestones {
		y := accountHeight * (1 - sc.at(float64(m.At)))
		out.marks = append(out.marks, accountStripe{y: strconv.FormatFloat(y, 'f', 1, 64), textY: strconv.FormatFloat(y-3, 'f', 1, 64), text: num(m.At)})
	}
	if a.Low >= 0 {
		out.endY, out.endText = px(accountHeight, sc.at(float64(a.Low+a.High)/2)), rangeText(a.Low, a.High)
	}
	return out
}

// accountTop leaves room above what is drawn, within the scale.
func accountTop(a view.Account) float64 {
	top := int64(240)
	for _, d := range a.Range {
		top = max(top, d.High+d.High/10)
	}
	for _, k := range a.Known {
		top = max(top, k.Value+k.Value/10)
	}
	return float64(min(top, max(a.Max, 1)))
}

// accountBand is the outline of the modelled range, broken where there is nothing to model from.
func accountBand(sc scale, days []view.AccountDay) (string, bool) {
	var b strings.Builder
	y := func(v int64) int { return int(accountBox*(1-sc.at(float64(v))) + .5) }
	for i := 0; i < len(days); {
		if days[i].Low < 0 {
			i++
			continue
		}
		from := i
		for i < len(days) && days[i].Low >= 0 {
			i++
		}
		for j := from; j < i; j++ {
			fmt.Fprintf(&b, "%s%d %d", map[bool]string{true: "M", false: "L"}[j == from], j, y(days[j].High))
		}
		for j := i - 1; j >= from; j-- {
			fmt.Fprintf(&b, "L%d %d", j, y(days[j].Low))
		}
		b.WriteByte('Z')
	}
	return b.String(), b.Len() > 0
}

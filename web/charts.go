package web

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/spillway/spillway/ops/view"
)

// percent writes a share of a width.
func percent(f float64) string { return strconv.FormatFloat(100*f, 'f', 2, 64) + "%" }

const barsHeight = 56 // px, as the template draws it

type barsShape struct {
	bars   []barShape
	limit  string
	peak   string
	peakAt time.Time
	label  string
}

type barShape struct{ x, y, w, h string }

// barsOf lays a series out as bars; the tallest of peak and limit fills the height.
func barsOf(v view.Series) barsShape {
	var out barsShape
	if len(v.Points) == 0 {
		return out
	}
	top, at := v.Points[0], 0
	for i, p := range v.Points {
		if p > top {
			top, at = p, i
		}
	}
	out.peak = num(int64(top + 0.5))
	out.peakAt = v.From.Add(time.Duration(at) * v.Step)
	scale := max(top, v.Limit, 1)
	step := 1 / float64(len(v.Points))
	for i, p := range v.Points {
		h := max(1, p/scale*(barsHeight-2))
		out.bars = append(out.bars, barShape{
			x: percent(float64(i) * step), w: percent(step * 0.8),
			y: strconv.FormatFloat(barsHeight-h, 'f', 1, 64), h: strconv.FormatFloat(h, 'f', 1, 64),
		})
	}
	if v.Limit > 0 {
		out.limit = strconv.FormatFloat(barsHeight-v.Limit/scale*(barsHeight-2), 'f', 1, 64)
	}
	last := v.Points[len(v.Points)-1]
	out.label = fmt.Sprintf("%s over %s: now %s, peak %s", v.Unit, span(time.Duration(len(v.Points))*v.Step), num(int64(last+0.5)), out.peak)
	return out
}

// segment is one stretch of a promise bar.
type segment struct{ class, x, w, mid, text, title string }

// tints is how many shades tell channels apart; they say which, never how well.
const tints = 5

func tint(i int) string { return "c" + strconv.Itoa(i%tints) }

// segmentsOf lays a promise out from left to right: channels, buffer, free. Where more is promised than there is (shared
// mode), the bar is as wide as the promise and the limit is drawn inside it.
func segmentsOf(p view.Promise) []segment {
	whole := float64(promiseWhole(p))
	var out []segment
	x := 0.0
	add := func(class string, n int64, title string, label bool) {
		if n <= 0 {
			return
		}
		w := float64(n) / whole
		s := segment{class: class, x: percent(x), w: percent(w), mid: percent(x + w/2), title: title}
		if label && w > 0.01+0.018*float64(len(num(n))) {
			s.text = num(n)
		}
		out = append(out, s)
		x += w
	}
	for i, c := range p.Parts {
		add(tint(i), c.Exposure, fmt.Sprintf("%s may still sell %s, told %s", c.Channel, num(c.Exposure), told(c.Told)), true)
	}
	add("buffer", p.Buffer, "Buffer "+num(p.Buffer), true)
	add("free", p.Free, "Free "+num(p.Free), true)
	return out
}

func promised(p view.Promise) int64 {
	n := p.Buffer
	for _, c := range p.Parts {
		n += c.Exposure
	}
	return n
}

func promiseWhole(p view.Promise) int64 { return max(1, p.Available, promised(p)) }

// limitOf is where available stock ends inside a bar that promises more; empty when it does not.
func limitOf(p view.Promise) string {
	if promised(p) <= p.Available {
		return ""
	}
	return percent(float64(p.Available) / float64(promiseWhole(p)))
}

func promiseLabel(p view.Promise) string {
	return fmt.Sprintf("%s: channels may sell %s, buffer %s, available %s", p.SKU, num(promised(p)-p.Buffer), num(p.Buffer), num(p.Available))
}

// slackAxis is one time axis for all rows of a list: from the latest order, at most maxLate ago, to the farthest deadline, at
// most maxAhead away. Beyond that bars touch the edge, and their text says by how much.
type slackAxis struct {
	now, left time.Time
	width     time.Duration
	ticks     []tick
}

type tick struct {
	x, text, anchor string
	now             bool
}

const (
	maxLate  = 12 * time.Hour
	maxAhead = 7 * 24 * time.Hour
)

// tickSteps are distances one reads easily; the first that gives at most maxTicks is taken.
var tickSteps = []time.Duration{
	15 * time.Minute, 30 * time.Minute, time.Hour, 2 * time.Hour, 4 * time.Hour, 6 * time.Hour, 12 * time.Hour, 24 * time.Hour, 48 * time.Hour,
}

const maxTicks = 4

func axisOf(now time.Time, rows []view.OrderRow) slackAxis {
	first, last := now, now.Add(time.Hour)
	for _, o := range rows {
		if o.Due == nil {
			continue
		}
		if o.Due.Before(first) {
			first = *o.Due
		}
		if o.Due.After(last) {
			last = *o.Due
		}
	}
	late, ahead := min(now.Sub(first), maxLate), min(last.Sub(now), maxAhead)
	late, ahead = late+late/10, ahead+ahead/10
	a := slackAxis{now: now, left: now.Add(-late), width: late + ahead}
	step := tickSteps[len(tickSteps)-1]
	for _, s := range tickSteps {
		if a.width/s <= maxTicks {
			step = s
			break
		}
	}
	for at := -(late / step) * step; at <= ahead; at += step {
		t := tick{x: a.pos(now.Add(at)), text: tickText(at), anchor: "middle", now: at == 0}
		if at+late < a.width/20 {
			t.anchor = "start"
		} else if ahead-at < a.width/12 {
			t.anchor = "end"
		}
		a.ticks = append(a.ticks, t)
	}
	return a
}

func tickText(d time.Duration) string {
	sign := "+"
	if d < 0 {
		sign, d = "−", -d
	}
	switch {
	case d == 0:
		return "now"
	case d%(24*time.Hour) == 0:
		return fmt.Sprintf("%s%d d", sign, int(d.Hours())/24)
	case d%time.Hour == 0:
		return fmt.Sprintf("%s%d h", sign, int(d.Hours()))
	}
	return fmt.Sprintf("%s%d min", sign, int(d.Minutes()))
}

func (a slackAxis) share(t time.Time) float64 {
	return min(1, max(0, float64(t.Sub(a.left))/float64(a.width)))
}

func (a slackAxis) pos(t time.Time) string { return percent(a.share(t)) }

// from is where the bar of a deadline begins: at now, or at the deadline when that is past.
func (a slackAxis) from(due time.Time) string { return percent(min(a.share(a.now), a.share(due))) }

// wide is how wide the bar of a deadline is; never nothing, so that one due this minute is seen.
func (a slackAxis) wide(due time.Time) string {
	w := a.share(due) - a.share(a.now)
	return percent(max(0.004, w, -w))
}

func slackLabel(ctx context.Context, o view.OrderRow) string {
	if o.Due == nil {
		return "no deadline"
	}
	return slack(ctx, *o.Due)
}

// between is the width from one moment to another; never nothing.
func (a slackAxis) between(from, until time.Time) string {
	return percent(max(0.004, a.share(until)-a.share(from)))
}

package web

import (
	"context"
	"net/http"

	"github.com/a-h/templ"

	"github.com/spillway/spillway/ops/view"
)

// overview answers: are we right, and what comes first?
func (s *Site) overview(ctx context.Context, _ *http.Request) (page, error) {
	v, err := s.b.Overview(ctx)
	if err != nil {
		return page{}, err
	}
	return page{
		Title:  "Overview",
		Nav:    "/",
		Topics: []string{view.TopicItem, view.TopicOrder, view.TopicConnection, view.TopicCalendar, view.TopicProblems, view.TopicMeasurement},
		Parts: []part{
			{id: "ov-head", c: overviewHead(v)},
			{id: "ov-figures", c: overviewFigures(v)},
			{id: "ov-hot", held: true, c: overviewHot(v)},
			{id: "ov-due", held: true, c: overviewDue(v)},
			{id: "ov-channels", c: overviewChannels(v)},
			{id: "ov-truth", c: overviewTruth(v.Truth)},
		},
		body: func(p page) templ.Component { return overviewPage(p) },
	}, nil
}

// proofHolds counts the checks of a proof that hold.
func proofHolds(cs []view.Check) int64 {
	var n int64
	for _, c := range cs {
		if c.OK {
			n++
		}
	}
	return n
}

// oversoldLevel is good only with a proof that holds: a figure nobody checked is neither good nor bad.
func oversoldLevel(o view.Oversold) view.Level {
	switch {
	case o.Units > 0 || proofHolds(o.Checks) < int64(len(o.Checks)):
		return view.Bad
	case len(o.Checks) == 0:
		return view.Quiet
	}
	return view.Good
}

// latencyLevel judges the 99th percentile by its target.
func latencyLevel(l view.Latency) view.Level {
	switch {
	case l.Target == 0 || l.Count == 0:
		return view.Quiet
	case l.P99 > 2*l.Target:
		return view.Bad
	case l.P99 > l.Target:
		return view.Watch
	}
	return view.Quiet
}

func latencyText(l view.Latency) string {
	if l.Count == 0 {
		return "–"
	}
	return dur(l.P99)
}

// wrongLevel is watch when a channel still shows a number that is not the one wanted.
func wrongLevel(n int64) view.Level {
	if n > 0 {
		return view.Watch
	}
	return view.Quiet
}

// shortLevel is bad when units are promised that are not there.
func shortLevel(n int64) view.Level {
	if n > 0 {
		return view.Bad
	}
	return view.Quiet
}

func latencyNote(l view.Latency) string {
	if l.Target == 0 {
		return "p50 " + dur(l.P50)
	}
	return "p50 " + dur(l.P50) + ", target " + dur(l.Target)
}

package incident

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spillway/spillway/domain/alert"
)

// maxLines bounds the timeline of a draft; the newest and the oldest are kept.
const maxLines = 200

// Postmortem drafts the report of an incident as Markdown: cause, numbers, timeline, what was done, and a message to customers. It states what is
// known and asks for what is not. zone is the clock its times are on.
func Postmortem(i alert.Incident, rule alert.Rule, entries []alert.Entry, tasks []Task, at time.Time, zone *time.Location) string {
	entries = slices.SortedFunc(slices.Values(entries), alert.Entry.Compare)
	clock := func(t time.Time) string { return t.In(zone).Format("2006-01-02 15:04") }
	var b strings.Builder
	p := func(format string, args ...any) { fmt.Fprintf(&b, format, args...) }
	p("# %s\n\n", line(rule.Title))
	p("%s\n\n", line(i.Worst.Text))
	p("Times are of %s. Drafted %s out of what Spillway recorded; what is in *italics* is for a person to fill in.\n\n", zone, clock(at))
	p("## Cause\n\n")
	p("- What was seen: %s, %s%s\n", i.Kind, i.Severity, about(i))
	p("- *Why it happened:*\n- *Why it was not seen earlier:*\n\n")
	p("## Numbers\n\n| | |\n| --- | --- |\n")
	p("| First seen | %s |\n| Counted as an incident | %s, %s later |\n", clock(i.Since), clock(i.OpenedAt), span(i.OpenedAt.Sub(i.Since)))
	if first, ok := firstOf(entries, alert.EntryDelivered); ok {
		p("| First person told | %s, %s later |\n", clock(first.At), span(first.At.Sub(i.OpenedAt)))
	}
	if ack, ok := firstOf(entries, alert.EntryAcknowledged); ok {
		p("| Taken up by | %s, %s after it was opened |\n", cell(ack.Actor), span(ack.At.Sub(i.OpenedAt)))
	} else {
		p("| Taken up by | nobody |\n")
	}
	if i.Phase == alert.Resolved {
		p("| Over | %s, after %s |\n", clock(i.ResolvedAt), span(i.ResolvedAt.Sub(i.OpenedAt)))
	} else {
		p("| Over | not yet, for %s now |\n", span(at.Sub(i.OpenedAt)))
	}
	p("| Came back | %d times |\n", i.Returns)
	for _, f := range figures(i) {
		p("| %s | %s |\n", cell(f[0]), cell(f[1]))
	}
	p("\n## Timeline\n\n")
	timeline(p, clock, entries)
	done(p, clock, tasks)
	p("## What we change\n\n- *So that it does not happen again:*\n- *So that it is seen earlier:*\n\n")
	p("## Message to customers (draft)\n\n%s\n", customers(i))
	return b.String()
}

// figures are those of the incident's beginning, its worst and its end, each once.
func figures(i alert.Incident) [][2]string {
	var out [][2]string
	for _, at := range []struct {
		when string
		s    alert.Signal
	}{{"first", i.First}, {"at worst", i.Worst}, {"last", i.Last}} {
		for _, f := range at.s.Figures {
			row := [2]string{f.Name + ", " + at.when, f.Text()}
			if !slices.ContainsFunc(out, func(have [2]string) bool {
				return have[1] == row[1] && strings.HasPrefix(have[0], f.Name+", ")
			}) {
				out = append(out, row)
			}
		}
	}
	return out
}

func timeline(p func(string, ...any), clock func(time.Time) string, entries []alert.Entry) {
	left := 0
	if len(entries) > maxLines {
		left = len(entries) - maxLines
		entries = slices.Concat(entries[:maxLines/2], entries[len(entries)-maxLines/2:])
	}
	for n, e := range entries {
		if left > 0 && n == maxLines/2 {
			p("- … %d lines left out\n", left)
		}
		p("- %s: %s\n", clock(e.At), line(e.Text))
	}
}

func done(p func(string, ...any), clock func(time.Time) string, tasks []Task) {
	p("\n## What was done\n\n")
	if len(tasks) == 0 {
		p("*No tasks were kept.*\n")
	}
	for _, t := range tasks {
		switch {
		case t.DoneAt.IsZero():
			p("- [ ] %s (%s)\n", line(t.Text), line(t.Owner))
		case !t.Due.IsZero() && t.DoneAt.After(t.Due):
			p("- [x] %s (%s, %s, %s late)\n", line(t.Text), line(t.DoneBy), clock(t.DoneAt), span(t.DoneAt.Sub(t.Due)))
		default:
			p("- [x] %s (%s, %s)\n", line(t.Text), line(t.DoneBy), clock(t.DoneAt))
		}
	}
	p("\n")
}

// customers is what buyers can be told, by what the incident means for them. It names nobody.
func customers(i alert.Incident) string {
	const hello, end = "Hello,\n\n", "\n\nWe are sorry. You need to do nothing; if you would rather have your money back, answer this message.\n\n*Name of the shop*"
	switch i.Kind {
	case alert.OrderSpike, alert.Forecast, alert.LateOrders, alert.RateBreach:
		return hello + "more people ordered than we expected, and your parcel leaves later than we promised: *on which day*. You get its tracking number as soon as the carrier has it." + end
	case alert.StuckParcel:
		return hello + "your parcel has not moved for longer than it should. We have asked the carrier, and *send it again / look for it until …*." + end
	case alert.Short, alert.StockAhead:
		return hello + "we sold more of *the item* than we had. *We can send it on … / we offer … instead / your money is on its way.*" + end
	case alert.TrackingUpload:
		return hello + "your parcel is on its way. Its tracking number reached you late through a disturbance on our side." + end
	}
	return "*Nothing reached buyers, as far as Spillway can tell. If something did, say what, until when it is put right, and what they can do.*"
}

func about(i alert.Incident) string {
	var out string
	if i.Last.Shop != "" {
		out += ", shop " + line(i.Last.Shop)
	}
	if i.Last.Node != "" {
		out += ", location " + line(i.Last.Node)
	}
	return out
}

func firstOf(entries []alert.Entry, k alert.EntryKind) (alert.Entry, bool) {
	n := slices.IndexFunc(entries, func(e alert.Entry) bool { return e.Kind == k })
	if n < 0 {
		return alert.Entry{}, false
	}
	return entries[n], true
}

// line keeps a text on one line, so that it cannot begin another part of the document.
func line(s string) string { return strings.Join(strings.Fields(s), " ") }

func cell(s string) string { return strings.ReplaceAll(line(s), "|", "\\|") }

func span(d time.Duration) string {
	d = d.Round(time.Minute)
	switch {
	case d < time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h %02d min", int(d.Hours()), int(d.Minutes())%60)
	}
	return fmt.Sprintf("%d days %d h", int(d.Hours())/24, int(d.Hours())%24)
}

package incident

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spillway/spillway/domain/alert"
	"github.com/spillway/spillway/domain/policy"
)

// maxLines bounds the timeline of a draft; the newest and the oldest are kept.
const maxLines = 200

// Report is what a postmortem is drafted from.
type Report struct {
	alert.Incident
	Number  int64
	Rule    alert.Rule
	Entries []alert.Entry
	Tasks   []Task
	Facts   Facts
	At      time.Time      // when it is drafted
	Zone    *time.Location // of the clock its times are on
}

// draft is a report that is being written.
type draft struct {
	Report
	b strings.Builder
}

func (d *draft) p(format string, args ...any) { fmt.Fprintf(&d.b, format, args...) }

func (d *draft) clock(t time.Time) string { return t.In(d.Zone).Format("2006-01-02 15:04") }

// Postmortem drafts the report of an incident as Markdown: cause, numbers, timeline, what was done, what is open, and a message to customers. It states
// what is known, says what is not, and asks a person for the rest.
func Postmortem(r Report) string {
	r.Entries = slices.SortedFunc(slices.Values(r.Entries), alert.Entry.Compare)
	d := &draft{Report: r}
	d.p("# %s\n\n", line(r.Rule.Title))
	if r.Number > 0 {
		d.p("Incident %d. ", r.Number)
	}
	d.p("%s\n\n", line(r.Worst.Text))
	d.p("Times are of %s. Drafted %s out of what Spillway recorded; what is in *italics* is for a person to fill in.\n\n", r.Zone, d.clock(r.At))
	d.cause()
	d.numbers()
	d.p("\n## Timeline\n\n")
	d.timeline()
	d.done()
	d.open()
	d.p("## What we change\n\n- *So that it does not happen again:*\n- *So that it is seen earlier:*\n\n")
	d.p("## Message to customers (draft)\n\n%s\n", customers(r.Incident))
	return d.b.String()
}

func (d *draft) cause() {
	d.p("## Cause\n\n- What was seen: %s, %s%s\n", strings.ReplaceAll(string(d.Kind), "_", " "), d.Severity, about(d.Incident))
	d.p("- As it was seen first: %s\n", line(d.First.Text))
	if d.Last.Text != d.First.Text {
		d.p("- As it was seen last: %s\n", line(d.Last.Text))
	}
	d.p("- *Why it happened:*\n- *Why it was not seen earlier:*\n\n")
}

// numbers are how soon everything was, and the figures.
func (d *draft) numbers() {
	m := MilestonesOf(d.Incident, d.Entries, d.Facts)
	row := func(name, format string, args ...any) {
		d.p("| %s | %s |\n", cell(name), cell(fmt.Sprintf(format, args...)))
	}
	d.p("## Numbers\n\n| | |\n| --- | --- |\n")
	if m.Known {
		row("Its cause began", "%s", d.clock(m.Began))
	} else {
		row("Its cause began", "not known before it was seen")
	}
	row("First seen", "%s", d.clock(m.Seen))
	row("Counted as an incident", "%s, %s later", d.clock(m.Opened), span(m.Opened.Sub(m.Seen)))
	row("Time to notice", "%s%s", span(m.Opened.Sub(m.Began)), map[bool]string{false: ", since it was seen first"}[m.Known])
	if m.Told.IsZero() {
		row("First person told", "nobody, by what is recorded")
	} else {
		row("First person told", "%s, %s later", d.clock(m.Told), span(m.Told.Sub(m.Opened)))
	}
	if m.Taken.IsZero() {
		row("Taken up by", "nobody")
	} else {
		row("Taken up by", "%s, %s after it was opened", m.Taker, span(m.Taken.Sub(m.Opened)))
	}
	if n := countOf(d.Entries, alert.EntryUndelivered); n > 0 {
		row("Messages that did not arrive", "%d", n)
	}
	if !m.Gone.IsZero() {
		row("Its cause ended", "%s", d.clock(m.Gone))
	}
	if d.Phase == alert.Resolved {
		row("Over", "%s, after %s", d.clock(d.ResolvedAt), span(d.ResolvedAt.Sub(d.OpenedAt)))
	} else {
		row("Over", "not yet, for %s now", span(d.At.Sub(d.OpenedAt)))
	}
	row("Came back", "%d times", d.Returns)
	figs := figures(d.Incident)
	for _, f := range figs {
		row(f[0], "%s", f[1])
	}
	if len(figs) == 0 {
		row("Orders and units touched", "not known: what was seen has no count")
	}
	for _, n := range d.Facts.Numbers {
		row(n.Name, "%s", n.Value)
	}
}

func countOf(entries []alert.Entry, k alert.EntryKind) (n int) {
	for _, e := range entries {
		if e.Kind == k {
			n++
		}
	}
	return n
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

func (d *draft) timeline() {
	entries, left := d.Entries, 0
	if len(entries) > maxLines {
		left = len(entries) - maxLines
		entries = slices.Concat(entries[:maxLines/2], entries[len(entries)-maxLines/2:])
	}
	for n, e := range entries {
		if left > 0 && n == maxLines/2 {
			d.p("- … %d lines left out\n", left)
		}
		d.p("- %s: %s\n", d.clock(e.At), line(told(e)))
	}
}

// told is a line with who did it, where its text does not say.
func told(e alert.Entry) string {
	if e.Actor == "" || strings.Contains(e.Text, e.Actor) {
		return e.Text
	}
	return e.Text + " (" + e.Actor + ")"
}

// done is what people did: deeds in Spillway, and tasks that are ticked.
func (d *draft) done() {
	d.p("\n## What was done\n\n")
	none, shown := true, 0
	for _, e := range d.Entries {
		if e.Kind != alert.EntryEvent || e.Actor == "" {
			continue
		}
		if none = false; shown == maxLines/2 {
			d.p("- … and more, see the timeline\n")
			break
		}
		d.p("- %s: %s\n", d.clock(e.At), line(told(e)))
		shown++
	}
	for _, t := range d.Tasks {
		if t.DoneAt.IsZero() {
			continue
		}
		none = false
		late := ""
		if !t.Due.IsZero() && t.DoneAt.After(t.Due) {
			late = ", " + span(t.DoneAt.Sub(t.Due)) + " late"
		}
		d.p("- [x] %s (%s, %s%s)\n", line(t.Text), line(t.DoneBy), d.clock(t.DoneAt), late)
	}
	if none {
		d.p("*Nothing was recorded. If something was done outside of Spillway, say what.*\n")
	}
	d.p("\n")
}

// open are the tasks that are left.
func (d *draft) open() {
	d.p("## Open tasks\n\n")
	none := true
	for _, t := range d.Tasks {
		if t.DoneAt.IsZero() {
			d.p("- [ ] %s (%s)\n", line(t.Text), line(t.Owner))
			none = false
		}
	}
	if none {
		d.p("None.\n")
	}
	d.p("\n")
}

// customers is what buyers can be told, by what the incident means for them. It names nobody.
func customers(i alert.Incident) string {
	const hello, end = "Hello,\n\n", "\n\nWe are sorry. You need to do nothing; if you would rather have your money back, answer this message.\n\n*Name of the shop*"
	const later = hello + "your parcel leaves later than we promised: *on which day*. You get its tracking number as soon as the carrier has it." + end
	const untracked = hello + "your parcel is on its way. Its tracking number reached you late through a disturbance on our side." + end
	switch i.Kind {
	case alert.OrderSpike:
		return hello + "more people ordered than we expected, and your parcel leaves later than we promised: *on which day*. You get its tracking number as soon as the carrier has it." + end
	case alert.LateOrders:
		return later
	case alert.RateBreach, alert.Forecast:
		return ofRate(i, hello, later, untracked, end)
	case alert.StuckParcel:
		return hello + "your parcel has not moved for longer than it should. We have asked the carrier, and *send it again / look for it until …*." + end
	case alert.Short, alert.StockAhead, alert.KeptStock:
		return hello + "we sold more of *the item* than we had. *We can send it on … / we offer … instead / your money is on its way.*" + end
	case alert.TrackingUpload:
		return untracked
	case alert.CancelAnswer, alert.RefundAnswer:
		return hello + "you asked us to *cancel your order / take your order back*, and we answered later than we should have. *Your money is on its way / your parcel had left already: …*" + end
	case alert.ConnectionDown, alert.InboxStuck, alert.PushStuck, alert.Drift:
		return "*Only if something was sold meanwhile that is not there:*\n\n" + hello + "through a disturbance between the shop and our stock we sold you *the item*, of which there is none left. *We can send it on … / your money is on its way.*" + end
	}
	return "*Nothing reached buyers, as far as Spillway can tell. If something did, say what, until when it is put right, and what they can do.*"
}

// ofRate is what buyers can be told of a rate, by what it counts. A forecast that did not come true touched nobody.
func ofRate(i alert.Incident, hello, later, untracked, end string) string {
	before := ""
	if i.Kind == alert.Forecast {
		before = "*Only if it came true, and only to those whose order it touched:*\n\n"
	}
	_, metric, _ := strings.Cut(i.Subject, " ")
	switch policy.Metric(metric) {
	case policy.VTR:
		return before + untracked
	case policy.SFCR:
		return before + hello + "we had to cancel your order, since *why*. Your money is on its way." + end
	case policy.OTDR:
		return before + hello + "your parcel takes longer than we promised: it is to arrive *on which day*." + end
	}
	return before + later
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

package alert

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// DigestTime is when the week's message is made, on the clock of Zone.
type DigestTime struct {
	Day  time.Weekday
	Hour int
	Zone *time.Location
}

// Due is the newest digest due at a time: the week it is about, such as 2026-W13, named by the day after its beginning, and the moments from
// and until which it tells.
func (d DigestTime) Due(at time.Time) (week string, from, until time.Time) {
	at = at.In(d.Zone)
	back := (int(at.Weekday()) - int(d.Day) + 7) % 7
	until = time.Date(at.Year(), at.Month(), at.Day()-back, d.Hour, 0, 0, 0, d.Zone)
	if until.After(at) {
		until = until.AddDate(0, 0, -7)
	}
	from = until.AddDate(0, 0, -7)
	y, w := from.AddDate(0, 0, 1).ISOWeek()
	return fmt.Sprintf("%d-W%02d", y, w), from, until
}

// Digest is the week's message to a target: what was opened and how it went, and what is still open. incidents are all opened from from on
// and all that are open.
func Digest(t Target, week string, incidents []Incident, from, until time.Time, c Config) Delivery {
	type line struct {
		kind              Kind
		n, critical, open int
		acked             []time.Duration
	}
	by := map[Kind]*line{}
	total, open := 0, 0
	for _, i := range incidents {
		if i.OpenedAt.IsZero() {
			continue
		}
		l := by[i.Kind]
		if l == nil {
			l = &line{kind: i.Kind}
			by[i.Kind] = l
		}
		if i.Live() {
			l.open++
			open++
		}
		if i.OpenedAt.Before(from) || !i.OpenedAt.Before(until) {
			continue
		}
		l.n++
		total++
		if i.Severity == Critical {
			l.critical++
		}
		if !i.AckAt.IsZero() {
			l.acked = append(l.acked, i.AckAt.Sub(i.EpisodeAt))
		}
	}
	lines := make([]*line, 0, len(by))
	for _, l := range by {
		lines = append(lines, l)
	}
	slices.SortFunc(lines, func(a, b *line) int { return cmp.Or(b.critical-a.critical, b.n-a.n, cmp.Compare(a.kind, b.kind)) })
	var b strings.Builder
	fmt.Fprintf(&b, "%s to %s: %d incidents, %d open now.\n", from.Format(time.DateOnly), until.Format(time.DateOnly), total, open)
	for _, l := range lines {
		fmt.Fprintf(&b, "• %s: %d", c.rule(l.kind).Title, l.n)
		if l.critical > 0 {
			fmt.Fprintf(&b, ", %d critical", l.critical)
		}
		if l.open > 0 {
			fmt.Fprintf(&b, ", %d open", l.open)
		}
		if len(l.acked) > 0 {
			slices.Sort(l.acked)
			fmt.Fprintf(&b, ", taken up after %s (median)", l.acked[len(l.acked)/2].Round(time.Minute))
		}
		b.WriteString("\n")
	}
	return Delivery{ID: hash("digest", t.ID, week), Target: t.ID, Reason: BecauseDigest, Severity: Info, At: until,
		Title: fmt.Sprintf("The week: %d incidents, %d open", total, open), Text: cut(strings.TrimSpace(b.String()), maxText)}
}

// Test is the message of the test button. key tells presses apart; the same key again is the same message.
func Test(t Target, at time.Time, actor, key string) Delivery {
	return Delivery{ID: hash("test", t.ID, key), Target: t.ID, Reason: BecauseTest, Severity: Info, At: at, Title: "Test from Spillway",
		Text: fmt.Sprintf("%s tests whether alerts reach %s. Nothing is wrong.", actor, t.Name)}
}

package web

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// clock is what templates need to write times: the moment the page speaks for, and the zone its reader works in.
type clock struct {
	now time.Time
	loc *time.Location
}

type clockKey struct{}

func withClock(ctx context.Context, c clock) context.Context {
	return context.WithValue(ctx, clockKey{}, c)
}

// clockOf returns the page's clock; without one, times are written in UTC as of the zero moment.
func clockOf(ctx context.Context) clock {
	if c, ok := ctx.Value(clockKey{}).(clock); ok {
		return c
	}
	return clock{loc: time.UTC}
}

// num writes n with group separators: 48,210.
func num(n int64) string {
	s := strconv.FormatInt(n, 10)
	sign := ""
	if s[0] == '-' {
		sign, s = "−", s[1:]
	}
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return sign + s
}

// delta writes a difference with its sign; nothing for zero, so that a ledger shows only what moved.
func delta(n int64) string {
	switch {
	case n > 0:
		return "+" + num(n)
	case n < 0:
		return num(n)
	}
	return ""
}

// told writes a channel's number, or a dash when it was never told one.
func told(n *int64) string {
	if n == nil {
		return "–"
	}
	return num(*n)
}

// capital begins a sentence.
func capital(s string) string {
	r, n := utf8.DecodeRuneInString(s)
	return string(unicode.ToUpper(r)) + s[n:]
}

// count writes n with the right form of a noun: 1 order, 2 orders.
func count(n int64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return num(n) + " " + many
}

// dur writes a measured duration in the unit one would say it in: 142 ms, 3.2 s.
func dur(d time.Duration) string {
	switch {
	case d <= 0:
		return "0 ms"
	case d < time.Millisecond:
		return "<1 ms"
	case d < time.Second:
		return strconv.FormatInt(d.Milliseconds(), 10) + " ms"
	case d < 10*time.Second:
		return strconv.FormatFloat(d.Seconds(), 'f', 1, 64) + " s"
	}
	return span(d)
}

// span writes a length of time for planning: 48 s, 12 min, 2 h 05 min, 3 d 4 h, 58 d.
func span(d time.Duration) string {
	if d < 0 {
		d = -d
	}
	h, m := int(d.Hours()), int(d.Minutes())%60
	switch {
	case d < time.Minute:
		return strconv.Itoa(int(d.Seconds())) + " s"
	case d < time.Hour:
		return strconv.Itoa(m) + " min"
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h %02d min", h, m)
	}
	if h < 14*24 {
		return fmt.Sprintf("%d d %d h", h/24, h%24)
	}
	return fmt.Sprintf("%d d", h/24)
}

// slack writes the distance to a deadline.
func slack(ctx context.Context, due time.Time) string {
	d := due.Sub(clockOf(ctx).now)
	if d < 0 {
		return span(d) + " late"
	}
	return "in " + span(d)
}

// ago writes how long something is past.
func ago(ctx context.Context, t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	d := clockOf(ctx).now.Sub(t)
	if d < time.Second {
		return "now"
	}
	return span(d) + " ago"
}

// ahead writes how far away a moment is, in either direction.
func ahead(ctx context.Context, t time.Time) string {
	if t.After(clockOf(ctx).now) {
		return "in " + span(t.Sub(clockOf(ctx).now))
	}
	return ago(ctx, t)
}

// stamp writes a moment to the second in the reader's zone, with the date unless it is today.
func stamp(ctx context.Context, t time.Time) string { return moment(ctx, t, "15:04:05") }

// short writes a moment to the minute.
func short(ctx context.Context, t time.Time) string { return moment(ctx, t, "15:04") }

func moment(ctx context.Context, t time.Time, layout string) string {
	if t.IsZero() {
		return "–"
	}
	c := clockOf(ctx)
	t, now := t.In(c.loc), c.now.In(c.loc)
	switch {
	case t.YearDay() == now.YearDay() && t.Year() == now.Year():
	case t.Year() == now.Year() || now.Year() == 1:
		layout = "2 Jan " + layout
	default:
		layout = "2 Jan 2006 " + layout
	}
	return t.Format(layout)
}

// iso is the machine form of a moment for <time datetime> and its tooltip.
func iso(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// localInput writes a moment for an <input type="datetime-local"> in the reader's zone.
func localInput(ctx context.Context, t time.Time) string {
	return t.In(clockOf(ctx).loc).Format("2006-01-02T15:04")
}

// bytesText writes a size.
func bytesText(n int64) string {
	if n < 1024 {
		return count(n, "byte", "bytes")
	}
	return strconv.FormatInt((n+512)/1024, 10) + " KB"
}

// domID makes an element id out of any id of ours: stable, and without characters that selectors trip over.
func domID(prefix, id string) string {
	var b strings.Builder
	b.WriteString(prefix)
	b.WriteByte('-')
	for i := range len(id) {
		c := id[i]
		switch {
		case c >= '0' && c <= '9', c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c == '-':
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, "_%02x", c)
		}
	}
	return b.String()
}

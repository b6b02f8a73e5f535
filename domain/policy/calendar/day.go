package calendar

import (
	"fmt"
	"slices"
	"time"
	_ "time/tzdata" // zones must be known on machines without a zone database

	"go.yaml.in/yaml/v3"
)

const daySeconds = 86400

// Day is a calendar day in some zone, counted from 1 January 1970. The zero Day as a bound means that there is none.
type Day int32

// DayOf is the day of t in the zone.
func DayOf(t time.Time, zone *time.Location) Day {
	_, offset := t.In(zone).Zone()
	return Day(floorDiv(t.Unix()+int64(offset), daySeconds))
}

// Date is a day given by its numbers, as on paper.
func Date(year int, month time.Month, day int) Day {
	return Day(floorDiv(time.Date(year, month, day, 0, 0, 0, 0, time.UTC).Unix(), daySeconds))
}

// ParseDay reads a day written 2026-03-02.
func ParseDay(text string) (Day, error) {
	t, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return 0, fmt.Errorf("%q is no day: write it like 2026-03-02", text)
	}
	return Date(t.Date()), nil
}

// Start is the first moment of the day in the zone: midnight, or later where the clock jumps over midnight.
func (d Day) Start(zone *time.Location) time.Time {
	midnight := int64(d) * daySeconds
	t := time.Unix(midnight, 0).In(zone)
	_, now := t.Zone()
	from, until := t.ZoneBounds()
	// Local midnight is less than a day from midnight in UTC, so changes two days away do not touch it.
	near := func(change time.Time) bool {
		return !change.IsZero() && change.Unix() > midnight-2*daySeconds && change.Unix() < midnight+2*daySeconds
	}
	if !near(from) && !near(until) {
		return time.Unix(midnight-int64(now), 0).In(zone)
	}
	// Of all moments that could be it take the first at which the day changes.
	candidates := []int64{midnight - int64(now)}
	for _, change := range []time.Time{from, until} {
		if near(change) {
			_, before := change.Add(-time.Second).In(zone).Zone()
			_, after := change.In(zone).Zone()
			candidates = append(candidates, midnight-int64(before), midnight-int64(after), change.Unix()) // the change itself, where midnight was skipped
		}
	}
	slices.Sort(candidates)
	for _, u := range candidates {
		if DayOf(time.Unix(u, 0), zone) == d && DayOf(time.Unix(u-1, 0), zone) < d {
			return time.Unix(u, 0).In(zone)
		}
	}
	return time.Unix(midnight-int64(now), 0).In(zone) // the zone skipped the whole day
}

// End is the last second of the day in the zone: 23:59:59, the second one where the clock is put back over it.
func (d Day) End(zone *time.Location) time.Time { return (d + 1).Start(zone).Add(-time.Second) }

// At is the moment of the day at which the clock shows c: the first of two, and where the clock jumps over c the moment after the jump.
func (d Day) At(c Clock, zone *time.Location) time.Time {
	if c >= LastSecond {
		return d.End(zone)
	}
	start := d.Start(zone)
	want := int64(d)*daySeconds + int64(c)
	_, offset := start.Zone()
	t := time.Unix(want-int64(offset), 0).In(zone)
	_, change := start.ZoneBounds()
	if change.IsZero() || t.Before(change) {
		return later(start, t)
	}
	_, offset = change.In(zone).Zone()
	return later(change.In(zone), time.Unix(want-int64(offset), 0).In(zone))
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// String writes the day as 2026-03-02; no day as "".
func (d Day) String() string {
	if d == 0 {
		return ""
	}
	return d.utc().Format(time.DateOnly)
}

// Weekday is the day of the week.
func (d Day) Weekday() time.Weekday { return time.Weekday(((int(d)+4)%7 + 7) % 7) } // 1 January 1970 was a Thursday

func (d Day) utc() time.Time { return time.Unix(int64(d)*daySeconds, 0).UTC() }

// MarshalText writes days into JSON and YAML as String does.
func (d Day) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads what MarshalText wrote.
func (d *Day) UnmarshalText(text []byte) (err error) {
	if len(text) == 0 {
		*d = 0
		return nil
	}
	*d, err = ParseDay(string(text))
	return err
}

// UnmarshalYAML is UnmarshalText with the line in the error.
func (d *Day) UnmarshalYAML(n *yaml.Node) error { return InLine(n, d.UnmarshalText([]byte(n.Value))) }

// InLine makes an error of a YAML value say its line; nil stays nil.
func InLine(n *yaml.Node, err error) error {
	if err == nil && n.Kind == yaml.ScalarNode {
		return nil
	}
	if err == nil {
		err = fmt.Errorf("a single value is wanted here, not a list or a map")
	}
	return &yaml.TypeError{Errors: []string{fmt.Sprintf("line %d: %v", n.Line, err)}}
}

// Span is the days something holds: From on, until before Until. A zero bound is open.
type Span struct {
	From  Day `yaml:"from" json:"from,omitzero"`
	Until Day `yaml:"until" json:"until,omitzero"`
}

// Holds reports whether the day is in the span.
func (s Span) Holds(d Day) bool { return (s.From == 0 || d >= s.From) && (s.Until == 0 || d < s.Until) }

// Overlaps reports whether some day is in both spans.
func (s Span) Overlaps(o Span) bool {
	return (s.Until == 0 || o.From == 0 || o.From < s.Until) && (o.Until == 0 || s.From == 0 || s.From < o.Until)
}

// Clock is a time of day in seconds since midnight.
type Clock int32

// LastSecond is 23:59:59, by which a day's deadline must be met.
const LastSecond Clock = daySeconds - 1

// ParseClock reads 14:00 or 23:59:59.
func ParseClock(text string) (Clock, error) {
	for _, layout := range []string{"15:04:05", "15:04"} {
		if t, err := time.Parse(layout, text); err == nil {
			return Clock(t.Hour()*3600 + t.Minute()*60 + t.Second()), nil
		}
	}
	return 0, fmt.Errorf("%q is no time of day: write it like 14:00 or 23:59:59", text)
}

// String writes 14:00, and seconds only where there are any.
func (c Clock) String() string {
	if c%60 == 0 {
		return fmt.Sprintf("%02d:%02d", c/3600, c/60%60)
	}
	return fmt.Sprintf("%02d:%02d:%02d", c/3600, c/60%60, c%60)
}

// MarshalText writes the time of day as String does.
func (c Clock) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// UnmarshalText reads what MarshalText wrote.
func (c *Clock) UnmarshalText(text []byte) (err error) {
	*c, err = ParseClock(string(text))
	return err
}

// UnmarshalYAML is UnmarshalText with the line in the error.
func (c *Clock) UnmarshalYAML(n *yaml.Node) error { return InLine(n, c.UnmarshalText([]byte(n.Value))) }

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

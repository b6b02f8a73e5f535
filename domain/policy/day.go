package policy

import (
	"fmt"
	"time"
)

// Day is a calendar day in a market's zone, counted from 1 January 1970. The zero Day as a bound means that there is none.
type Day int32

// DayOf is the day of t in the zone.
func DayOf(t time.Time, zone *time.Location) Day {
	y, m, d := t.In(zone).Date()
	return Date(y, m, d)
}

// Date is a day given by its numbers, as on paper.
func Date(year int, month time.Month, day int) Day {
	return Day(time.Date(year, month, day, 0, 0, 0, 0, time.UTC).Unix() / 86400)
}

// ParseDay reads a day written 2026-03-02.
func ParseDay(text string) (Day, error) {
	t, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return 0, fmt.Errorf("%q is no day: write it like 2026-03-02", text)
	}
	return Date(t.Date()), nil
}

// Start is the first moment of the day in the zone.
func (d Day) Start(zone *time.Location) time.Time {
	y, m, day := d.utc().Date()
	return time.Date(y, m, day, 0, 0, 0, 0, zone)
}

// String writes the day as 2026-03-02; no day as "".
func (d Day) String() string {
	if d == 0 {
		return ""
	}
	return d.utc().Format(time.DateOnly)
}

// Weekday is the day of the week.
func (d Day) Weekday() time.Weekday { return d.utc().Weekday() }

func (d Day) utc() time.Time { return time.Unix(int64(d)*86400, 0).UTC() }

// MarshalText and UnmarshalText write days into YAML and JSON as String does.
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

// Span is the days something holds: From on, until before Until. A zero bound is open.
type Span struct {
	From  Day `yaml:"from" json:"from,omitzero"`
	Until Day `yaml:"until" json:"until,omitzero"`
}

// Holds reports whether the day is in the span.
func (s Span) Holds(d Day) bool { return (s.From == 0 || d >= s.From) && (s.Until == 0 || d < s.Until) }

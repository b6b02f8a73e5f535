package policy

import (
	"time"

	"github.com/spillway/spillway/domain/policy/calendar"
)

// Day is a calendar day in a market's zone; Span is the days something holds. They are the calendar's.
type (
	Day  = calendar.Day
	Span = calendar.Span
)

// DayOf is the day of t in the zone.
func DayOf(t time.Time, zone *time.Location) Day { return calendar.DayOf(t, zone) }

// Date is a day given by its numbers, as on paper.
func Date(year int, month time.Month, day int) Day { return calendar.Date(year, month, day) }

// ParseDay reads a day written 2026-03-02.
func ParseDay(text string) (Day, error) { return calendar.ParseDay(text) }

package calendar

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// Years a calendar covers: those an order may have, with room for its deadlines. Outside them nothing is known.
const (
	FirstYear = 2000
	LastYear  = 2100
	// MaxClosures bounds the closures of one calendar: ten a year for all its years, and far below what could slow its making down.
	MaxClosures = 1000
	// MaxDays bounds a count of business days: no rule of a channel comes near it.
	MaxDays = 366
)

var (
	firstDay = Date(FirstYear, time.January, 1)
	pastDay  = Date(LastYear+1, time.January, 1)
)

// Holidays names a set of holidays computed by rule.
type Holidays string

const (
	NoHolidays Holidays = ""
	USFederal  Holidays = "us_federal"
	USPostal   Holidays = "us_postal"
)

// Known reports whether the set is one of those above.
func (h Holidays) Known() bool { return h == NoHolidays || h == USFederal || h == USPostal }

// Week is the days of the week on which business is done. Its bit 1<<time.Weekday says so.
type Week uint8

const (
	MondayToFriday   Week = 0b0111110
	MondayToSaturday Week = 0b1111110
	EveryDay         Week = 0b1111111
)

var weekNames = map[Week]string{MondayToFriday: "monday to friday", MondayToSaturday: "monday to saturday", EveryDay: "every day"}

// String names the week, as in YAML.
func (w Week) String() string { return weekNames[w] }

// MarshalText writes the week as String does.
func (w Week) MarshalText() ([]byte, error) { return []byte(w.String()), nil }

// UnmarshalText reads what MarshalText wrote.
func (w *Week) UnmarshalText(text []byte) error {
	for week, name := range weekNames {
		if name == string(text) {
			*w = week
			return nil
		}
	}
	return fmt.Errorf("%q is no week: write monday to friday, monday to saturday or every day", text)
}

// UnmarshalYAML is UnmarshalText with the line in the error.
func (w *Week) UnmarshalYAML(n *yaml.Node) error { return InLine(n, w.UnmarshalText([]byte(n.Value))) }

// Closure is days that do not count though their weekday would: a holiday no rule here knows, a node closed, a channel's extension of
// deadlines. Both bounds must be set.
type Closure struct {
	Span   `yaml:",inline"`
	Name   string `yaml:"name" json:"name"`
	Author string `yaml:"author" json:"author,omitzero"` // who entered it; empty: the rule set itself
}

// Spec is what a calendar is made of.
type Spec struct {
	Zone     *time.Location
	Week     Week // zero: Monday to Friday
	Holidays Holidays
	Closures []Closure
}

// Calendar tells business days. It is made once, never changes, and is safe for concurrent use.
type Calendar struct {
	spec     Spec
	holidays map[Day]string
	upTo     []int32 // business days from the first day up to and with that day
	business []Day   // all business days in order
}

// New makes a calendar. Errors name the closure that cannot be.
func New(s Spec) (*Calendar, error) {
	if s.Zone == nil {
		return nil, fmt.Errorf("a calendar needs a zone")
	}
	if s.Week == 0 {
		s.Week = MondayToFriday
	}
	if !s.Holidays.Known() {
		return nil, fmt.Errorf("%q is no set of holidays: write %s, %s or leave it out", s.Holidays, USFederal, USPostal)
	}
	if len(s.Closures) > MaxClosures {
		return nil, fmt.Errorf("a calendar takes at most %d closures, not %d", MaxClosures, len(s.Closures))
	}
	c := &Calendar{spec: s, holidays: s.Holidays.days(), upTo: make([]int32, pastDay-firstDay)}
	c.spec.Closures = slices.Clone(s.Closures)
	closed := make([]bool, pastDay-firstDay)
	for _, x := range s.Closures {
		if err := x.Check(); err != nil {
			return nil, err
		}
		for d := max(x.From, firstDay); d < min(x.Until, pastDay); d++ {
			closed[d-firstDay] = true
		}
	}
	for d := range c.holidays {
		if d >= firstDay && d < pastDay {
			closed[d-firstDay] = true
		}
	}
	for d := firstDay; d < pastDay; d++ {
		if s.Week>>d.Weekday()&1 == 1 && !closed[d-firstDay] {
			c.business = append(c.business, d)
		}
		c.upTo[d-firstDay] = int32(len(c.business))
	}
	return c, nil
}

// Check says what is wrong with a closure.
func (x Closure) Check() error {
	switch {
	case strings.TrimSpace(x.Name) == "" || len(x.Name) > 200:
		return fmt.Errorf("a closure needs a name of at most 200 bytes")
	case x.From == 0 || x.Until <= x.From:
		return fmt.Errorf("closure %q needs a first day and, after it, the first day that counts again", x.Name)
	case x.Until-x.From > MaxDays:
		return fmt.Errorf("closure %q is longer than %d days", x.Name, MaxDays)
	}
	return nil
}

func (h Holidays) days() map[Day]string {
	out := map[Day]string{}
	if h == NoHolidays {
		return out
	}
	for year := FirstYear; year <= LastYear+1; year++ { // the next year's first holiday may be observed in this one
		for _, x := range observed(year, h == USFederal) {
			out[x.Observed] = x.Name
		}
	}
	return out
}

// Zone is the zone of the calendar's days.
func (c *Calendar) Zone() *time.Location { return c.spec.Zone }

// Business reports whether business is done on the day. Outside the calendar's years it is not.
func (c *Calendar) Business(d Day) bool { return c.count(d) > c.count(d-1) }

// count is the number of business days up to and with d.
func (c *Calendar) count(d Day) int {
	switch {
	case d < firstDay:
		return 0
	case d >= pastDay:
		return len(c.business)
	}
	return int(c.upTo[d-firstDay])
}

// Add is the n-th business day after d, d itself not counted; with n of 0 it is d if business is done on it, else the next day on which it
// is. False: n is below 0 or above MaxDays, or the answer is outside the calendar's years.
func (c *Calendar) Add(d Day, n int) (Day, bool) {
	if n < 0 || n > MaxDays || d < firstDay || d >= pastDay {
		return 0, false
	}
	i := c.count(d) + n - 1
	if n == 0 {
		i = c.count(d - 1)
	}
	if i < 0 || i >= len(c.business) {
		return 0, false
	}
	return c.business[i], true
}

// Between is the number of business days after a, up to and with b; negative where b is before a.
func (c *Calendar) Between(a, b Day) int { return c.count(b) - c.count(a) }

// Deadline is the last second of the n-th business day after the day of at in the calendar's zone. False as in Add.
func (c *Calendar) Deadline(at time.Time, n int) (time.Time, bool) {
	d, ok := c.Add(DayOf(at, c.spec.Zone), n)
	if !ok {
		return time.Time{}, false
	}
	return d.End(c.spec.Zone), true
}

// WorkDay is the business day on which something that comes in at that moment is worked on: that day if business is done on it and it comes
// before the cut-off, else the next one. False as in Add.
func (c *Calendar) WorkDay(at time.Time, cutoff Clock) (Day, bool) {
	d := DayOf(at, c.spec.Zone)
	if cutoff < LastSecond && !at.Before(d.At(cutoff, c.spec.Zone)) {
		d++
	}
	return c.Add(d, 0)
}

// Why says in a word why no business is done on the day: a closure's or a holiday's name, or the weekday. Empty: business is done.
func (c *Calendar) Why(d Day) string {
	if c.Business(d) {
		return ""
	}
	for _, x := range c.spec.Closures {
		if x.Holds(d) {
			return x.Name
		}
	}
	if name := c.holidays[d]; name != "" {
		return name
	}
	if d < firstDay || d >= pastDay {
		return "outside the years the calendar covers"
	}
	return d.Weekday().String()
}

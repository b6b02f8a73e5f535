package ops

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spillway/spillway/domain/network"
	"github.com/spillway/spillway/domain/policy/calendar"
	"github.com/spillway/spillway/kit/money"
)

// How people write what is said of a node. Each reader takes back what its writer wrote.

// weekdays is the week as it is shown.
var weekdays = [7]time.Weekday{time.Monday, time.Tuesday, time.Wednesday, time.Thursday, time.Friday, time.Saturday, time.Sunday}

var (
	shiftText  = regexp.MustCompile(`^(\d{1,2}(?::\d{2})?)\s*[-–]\s*(\d{1,2}(?::\d{2})?)\s+(?:at\s+)?(\d+)(?:\s*/\s*h)?$`)
	pickupText = regexp.MustCompile(`^([A-Za-z]{3,9})(?:\s*[-–]\s*([A-Za-z]{3,9}))?\s+(\d{1,2}(?::\d{2})?)(?:\s+cut-?off\s+(\d+)(?:\s*min)?)?$`)
	closedText = regexp.MustCompile(`^(\d{4}-\d{2}-\d{2})(?:\s*(?:\.\.|–|to)\s*(\d{4}-\d{2}-\d{2}))?\s+(\S.*)$`)
	overText   = regexp.MustCompile(`^(\d{4}-\d{2}-\d{2})\s+(\d{1,2}(?::\d{2})?)\s*[-–]\s*(\d{1,2}(?::\d{2})?)\s+(?:at\s+)?(\d+)(?:\s*/\s*h)?(?:\s+(.*))?$`)
)

// pieces cuts a text at commas and semicolons and leaves out empty pieces.
func pieces(text string) (out []string) {
	for _, p := range strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ';' || r == '\n' || r == '\r' }) {
		if p = strings.TrimSpace(p); p != "" {
			out = append(out, p)
		}
	}
	return out
}

func lines(text string) (out []string) {
	for l := range strings.Lines(text) {
		if l = strings.TrimSpace(l); l != "" {
			out = append(out, l)
		}
	}
	return out
}

// readClock reads 8, 8:00 or 24:00, which is midnight at the end of the day.
func readClock(text string) (calendar.Clock, error) {
	if text == "24" || text == "24:00" {
		return calendar.LastSecond, nil
	}
	if !strings.Contains(text, ":") {
		text += ":00"
	}
	if len(text) == 4 {
		text = "0" + text
	}
	return calendar.ParseClock(text)
}

func writeClock(c calendar.Clock) string {
	if c >= calendar.LastSecond {
		return "24:00"
	}
	return c.String()
}

func readSpan(from, until string) (a, b calendar.Clock, err error) {
	if a, err = readClock(from); err != nil {
		return a, b, err
	}
	if b, err = readClock(until); err == nil && b <= a {
		err = fmt.Errorf("%s is not after %s; a night has two shifts, one to 24:00 and one from 0:00 on the next day", until, from)
	}
	return a, b, err
}

// readShifts reads one weekday: 08:00-12:00 60, 13:00-17:00 40.
func readShifts(day time.Weekday, text string) (out []network.Shift, err error) {
	for _, p := range pieces(text) {
		m := shiftText.FindStringSubmatch(p)
		if m == nil {
			return nil, fmt.Errorf("%q is no shift: write 08:00-16:00 60 for sixty orders an hour", p)
		}
		s := network.Shift{Weekday: day}
		if s.From, s.Until, err = readSpan(m[1], m[2]); err != nil {
			return nil, err
		}
		if s.PerHour, err = strconv.ParseInt(m[3], 10, 64); err != nil || s.PerHour <= 0 || s.PerHour > network.MaxPerHour {
			return nil, fmt.Errorf("%s orders an hour is not between 1 and %d", m[3], network.MaxPerHour)
		}
		for _, o := range out {
			if o.From < s.Until && s.From < o.Until {
				return nil, fmt.Errorf("%q overlaps the shift before it", p)
			}
		}
		out = append(out, s)
	}
	return out, nil
}

func writeShifts(shifts []network.Shift, day time.Weekday) string {
	var out []string
	for _, s := range shifts {
		if s.Weekday == day {
			out = append(out, fmt.Sprintf("%s-%s %d", writeClock(s.From), writeClock(s.Until), s.PerHour))
		}
	}
	return strings.Join(out, ", ")
}

// readDayName reads Mon or Monday.
func readDayName(text string) (time.Weekday, error) {
	for _, d := range weekdays {
		if name := d.String(); strings.EqualFold(text, name) || strings.EqualFold(text, name[:3]) {
			return d, nil
		}
	}
	return 0, fmt.Errorf("%q is no day: write Mon, Tue, Wed, Thu, Fri, Sat or Sun", text)
}

// readPickups reads Mon-Fri 17:00 cut-off 30, Sat 12:00.
func readPickups(text string) (out []network.Pickup, err error) {
	for _, p := range pieces(text) {
		m := pickupText.FindStringSubmatch(p)
		if m == nil {
			return nil, fmt.Errorf("%q is no pick-up: write Mon-Fri 17:00 cut-off 30 for a van at five that takes what is ready half an hour before", p)
		}
		first, err := readDayName(m[1])
		if err != nil {
			return nil, err
		}
		last := first
		if m[2] != "" {
			if last, err = readDayName(m[2]); err != nil {
				return nil, err
			}
		}
		v := network.Pickup{}
		if v.At, err = readClock(m[3]); err != nil {
			return nil, err
		}
		if m[4] != "" {
			if v.CutOff, err = strconv.Atoi(m[4]); err != nil || v.CutOff > 24*60 {
				return nil, fmt.Errorf("a cut-off of %s minutes is longer than a day", m[4])
			}
		}
		for d := first; ; d = (d + 1) % 7 {
			v.Weekday = d
			if out = append(out, v); d == last {
				break
			}
		}
	}
	return out, nil
}

func writePickups(vans []network.Pickup) string {
	var out []string
	done := make([]bool, len(vans))
	for i, v := range vans {
		if done[i] {
			continue
		}
		last := v.Weekday
		for k := i; k >= 0; { // as many days as follow one another
			done[k] = true
			last = vans[k].Weekday
			next := (last + 1) % 7
			k = slices.IndexFunc(vans, func(o network.Pickup) bool { return o.Weekday == next && o.At == v.At && o.CutOff == v.CutOff })
			if k >= 0 && done[k] {
				k = -1
			}
		}
		text := v.Weekday.String()[:3]
		if last != v.Weekday {
			text += "-" + last.String()[:3]
		}
		text += " " + writeClock(v.At)
		if v.CutOff > 0 {
			text += " cut-off " + strconv.Itoa(v.CutOff)
		}
		out = append(out, text)
	}
	return strings.Join(out, ", ")
}

// readClosed reads lines such as 2026-12-24..2026-12-26 Moving, of which both days are closed.
func readClosed(text, author string) (out []calendar.Closure, err error) {
	for _, l := range lines(text) {
		m := closedText.FindStringSubmatch(l)
		if m == nil {
			return nil, fmt.Errorf("%q is no closure: write 2026-12-24 Stocktaking, or 2026-12-24..2026-12-26 Moving", l)
		}
		c := calendar.Closure{Name: strings.TrimSpace(m[3]), Author: author}
		if c.From, err = calendar.ParseDay(m[1]); err != nil {
			return nil, err
		}
		c.Until = c.From + 1
		if m[2] != "" {
			if c.Until, err = calendar.ParseDay(m[2]); err != nil {
				return nil, err
			}
			if c.Until++; c.Until <= c.From {
				return nil, fmt.Errorf("%s is before %s", m[2], m[1])
			}
		}
		if err := c.Check(); err != nil {
			return nil, err
		}
		out = append(out, c)
	}
	return out, nil
}

func writeClosed(days []calendar.Closure) string {
	var out []string
	for _, c := range days {
		text := c.From.String()
		if c.Until > c.From+1 {
			text += ".." + (c.Until - 1).String()
		}
		out = append(out, text+" "+c.Name)
	}
	return strings.Join(out, "\n")
}

// readOvertime reads lines such as 2026-11-28 08:00-14:00 60 Black Friday.
func readOvertime(text string) (out []network.Overtime, err error) {
	for _, l := range lines(text) {
		m := overText.FindStringSubmatch(l)
		if m == nil {
			return nil, fmt.Errorf("%q is no overtime: write 2026-11-28 08:00-14:00 60 Black Friday", l)
		}
		o := network.Overtime{Reason: strings.TrimSpace(m[5])}
		if o.Day, err = calendar.ParseDay(m[1]); err != nil {
			return nil, err
		}
		if o.From, o.Until, err = readSpan(m[2], m[3]); err != nil {
			return nil, err
		}
		if o.PerHour, err = strconv.ParseInt(m[4], 10, 64); err != nil || o.PerHour <= 0 || o.PerHour > network.MaxPerHour {
			return nil, fmt.Errorf("%s orders an hour is not between 1 and %d", m[4], network.MaxPerHour)
		}
		out = append(out, o)
	}
	return out, nil
}

func writeOvertime(all []network.Overtime) string {
	var out []string
	for _, o := range all {
		out = append(out, strings.TrimSpace(fmt.Sprintf("%s %s-%s %d %s", o.Day, writeClock(o.From), writeClock(o.Until), o.PerHour, o.Reason)))
	}
	return strings.Join(out, "\n")
}

// readNumber reads a whole number of at least 0; nothing is 0.
func readNumber(text string, most int64) (int64, error) {
	text = strings.ReplaceAll(strings.TrimSpace(text), ",", "")
	if text == "" {
		return 0, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 || n > most {
		return 0, fmt.Errorf("%q is no whole number from 0 to %d", text, most)
	}
	return n, nil
}

func writeNumber[N int | int64](n N) string {
	if n == 0 {
		return ""
	}
	return strconv.FormatInt(int64(n), 10)
}

// readMoney reads an amount such as 1.50 in the node's currency; nothing is no amount.
func readMoney(text, currency string) (money.Amount, error) {
	text = strings.TrimSpace(text)
	if text == "" {
		return money.Amount{}, nil
	}
	if len(currency) != 3 {
		return money.Amount{}, errors.New("say the currency of the costs first, such as USD")
	}
	a, err := money.Parse(text, currency)
	if err != nil || a.Minor < 0 {
		return money.Amount{}, fmt.Errorf("%q is no amount in %s: write it like 1.50", text, currency)
	}
	return a, nil
}

func writeMoney(a money.Amount) string {
	if a == (money.Amount{}) {
		return ""
	}
	return a.Decimal()
}

// readNine reads nine values, one for each zone. Nothing is none.
func readNine[T any](text, what string, read func(string) (T, error)) (out [9]T, err error) {
	words := strings.Fields(strings.ReplaceAll(text, ",", " "))
	if len(words) == 0 {
		return out, nil
	}
	if len(words) != 9 {
		return out, fmt.Errorf("write %s for each of zone 1 to 9 with spaces between, not %d", what, len(words))
	}
	for i, w := range words {
		if out[i], err = read(w); err != nil {
			return out, err
		}
	}
	return out, nil
}

func writeNine[T comparable](all []T, write func(T) string) string {
	var none T
	if !slices.ContainsFunc(all, func(v T) bool { return v != none }) {
		return ""
	}
	var out []string
	for _, v := range all {
		if text := write(v); text != "" {
			out = append(out, text)
		} else {
			out = append(out, "0")
		}
	}
	return strings.Join(out, " ")
}

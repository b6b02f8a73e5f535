package reconcile

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/xuri/excelize/v2"

	"github.com/spillway/spillway/domain/order"
	"github.com/spillway/spillway/domain/policy"
)

const (
	maxID   = 64  // bytes of an order's id
	maxText = 128 // bytes of a word or a number of a carrier
	maxWhy  = 300 // bytes of a reason
	minYear = 2015
	maxYear = 2100
)

// row is a line being read. It gathers what is wrong with it.
type row struct {
	line
	at    map[string]int
	o     *Options
	file  string
	wrong []Problem
	form  *string // of the last time that was read: the next one is most likely written alike
}

// get is the cell of a field without blanks around it; empty if there is no such column.
func (r *row) get(field string) (text, raw string) {
	i, ok := r.at[field]
	if !ok || i >= len(r.cells) {
		return "", ""
	}
	return strings.TrimSpace(r.cells[i].text), strings.TrimSpace(r.cells[i].raw)
}

func (r *row) bad(field, format string, args ...any) {
	p := Problem{File: r.file, Line: r.n, Field: field, Text: fmt.Sprintf(format, args...)}
	if field != "" {
		text, _ := r.get(field)
		p.Value = excerpt(text)
	}
	r.wrong = append(r.wrong, p)
}

// id reads an order's id. Spreadsheets keep only 15 digits of a number, so that an id stored as one is another order's.
func (r *row) id() string {
	_, s := r.get("order")
	digits := strings.IndexFunc(s, func(c rune) bool { return c < '0' || c > '9' }) < 0
	switch {
	case s == "":
		r.bad("order", "is empty and is needed")
	case len(s) > maxID || strings.ContainsFunc(s, func(c rune) bool { return unicode.IsControl(c) || unicode.IsSpace(c) }):
		r.bad("order", "is no id of an order")
	case !digits && number(s):
		r.bad("order", "was stored as a number and lost digits: export it again, and do not save it with a spreadsheet program in between")
	default:
		return s
	}
	return ""
}

func number(s string) bool { _, err := strconv.ParseFloat(s, 64); return err == nil }

// text reads a text of at most limit bytes.
func (r *row) text(field string, limit int) string {
	s, _ := r.get(field)
	if len(s) > limit || strings.ContainsFunc(s, unicode.IsControl) {
		r.bad(field, "is longer than %d bytes, or has a line break", limit)
		return ""
	}
	return s
}

// forms of times and days. Those of the first list read one way only; of a date with slashes the month comes first, or with Options.DayFirst the day.
var (
	plainForms = []string{time.RFC3339, "2006-01-02 15:04:05", "2006-01-02 15:04", "2006-01-02T15:04:05", "2006-01-02T15:04", time.DateOnly,
		"2006/01/02 15:04:05", "2006/01/02 15:04", "2006/01/02", "2 Jan 2006 15:04:05", "2 Jan 2006", "Jan 2, 2006 15:04:05", "Jan 2, 2006", "20060102"}
	clocks = []string{" 15:04:05", " 15:04", " 3:04:05 PM", " 3:04 PM", ""}
)

func (r *row) forms() []string {
	date := "1/2/2006"
	if r.o.DayFirst {
		date = "2/1/2006"
	}
	out := plainForms[:len(plainForms):len(plainForms)]
	for _, c := range clocks {
		out = append(out, date+c)
	}
	return out
}

// moment reads a time in the files' zone, or with its own offset; an empty cell, and a dash, is the zero time.
func (r *row) moment(field string) time.Time {
	text, raw := r.get(field)
	if none(text) {
		return time.Time{}
	}
	t, ok := serial(raw, r.o.Zone)
	if raw == text {
		t, ok = r.parse(text)
	}
	if !ok {
		r.bad(field, "is not a time; write it like 2026-11-21 18:30:00")
		return time.Time{}
	}
	if y := t.UTC().Year(); y < minYear || y > maxYear {
		r.bad(field, "is not between the years %d and %d", minYear, maxYear)
		return time.Time{}
	}
	return t.UTC()
}

func none(s string) bool { return s == "" || s == "-" || s == "--" || strings.EqualFold(s, "n/a") }

// parse reads a time in one of the forms, no two of which read the same text.
func (r *row) parse(text string) (time.Time, bool) {
	if t, err := time.ParseInLocation(*r.form, text, r.o.Zone); err == nil {
		return t, true
	}
	for _, form := range r.forms() {
		if t, err := time.ParseInLocation(form, text, r.o.Zone); err == nil {
			*r.form = form
			return t, true
		}
	}
	return time.Time{}, false
}

// serial reads a date as spreadsheets store it: days since the end of 1899, in no zone.
func serial(raw string, zone *time.Location) (time.Time, bool) {
	f, err := strconv.ParseFloat(raw, 64)
	if err != nil || math.IsNaN(f) || f < 1 || f > 100_000 {
		return time.Time{}, false
	}
	t, err := excelize.ExcelDateToTime(f, false)
	if err != nil {
		return time.Time{}, false
	}
	t = t.Round(time.Second)
	return time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), 0, zone), true
}

// day reads a day; what has a time of day too is cut in the files' zone.
func (r *row) day(field string) policy.Day {
	t := r.moment(field)
	if t.IsZero() {
		return 0
	}
	return policy.DayOf(t, r.o.Zone)
}

// period reads two days in one cell, such as "2026-04-06 ~ 2026-04-12".
func (r *row) period() (from, to policy.Day) {
	text, _ := r.get("period")
	if none(text) {
		return 0, 0
	}
	for _, by := range []string{"~", " – ", " - ", " to ", "–"} {
		a, b, ok := strings.Cut(text, by)
		if !ok {
			continue
		}
		x, ok1 := r.parse(strings.TrimSpace(a))
		y, ok2 := r.parse(strings.TrimSpace(b))
		if ok1 && ok2 && sane(x) && sane(y) {
			return policy.DayOf(x, r.o.Zone), policy.DayOf(y, r.o.Zone)
		}
	}
	r.bad("period", "is not a period; write it like 2026-04-06 ~ 2026-04-12")
	return 0, 0
}

func sane(t time.Time) bool { return t.Year() >= minYear && t.Year() <= maxYear }

// share reads "3.9 %", and "41 / 1052" as its counts. A bare number is a percentage or a fraction only if the caller says which.
func (r *row) share() (p policy.PPM, num, den int64, told bool) {
	text, _ := r.get("value")
	if none(text) {
		return 0, 0, 0, false
	}
	for _, by := range []string{"/", " of "} {
		if a, b, ok := strings.Cut(text, by); ok {
			x, err1 := strconv.ParseInt(digits(a), 10, 64)
			y, err2 := strconv.ParseInt(digits(b), 10, 64)
			if err1 == nil && err2 == nil && 0 <= x && x <= y && 0 < y && y <= maxCount {
				return policy.PPM(x * 1_000_000 / y), x, y, true
			}
		}
	}
	scale := r.o.Bare
	s, percent := strings.CutSuffix(text, "%")
	if percent {
		scale = "percent"
	}
	f, err := strconv.ParseFloat(strings.Replace(strings.TrimSpace(s), ",", ".", 1), 64)
	if scale == "percent" {
		f /= 100
	}
	switch {
	case err != nil || math.IsNaN(f):
		r.bad("value", "is no share; write it like 3.9 %%")
	case scale == "":
		r.bad("value", "has no percent sign: say with --bare percent or --bare fraction what bare numbers are")
	case f < 0 || f > 1:
		r.bad("value", "is not between 0 %% and 100 %%")
	default:
		return policy.PPM(math.Round(f * 1_000_000)), 0, 0, true
	}
	return 0, 0, 0, false
}

// digits takes separators of thousands out.
func digits(s string) string {
	return strings.NewReplacer(",", "", " ", "").Replace(strings.TrimSpace(s))
}

const maxCount = 1_000_000_000 // of orders in a period

// whole reads a count; an empty cell is told as none.
func (r *row) whole(field string, most int64) (n int64, told bool) {
	_, s := r.get(field)
	if none(s) {
		return 0, false
	}
	n, err := strconv.ParseInt(digits(s), 10, 64)
	if err != nil || n < 0 || n > most {
		r.bad(field, "is not a whole number from 0 to %d", most)
		return 0, false
	}
	return n, true
}

// metricWords are what exports call the rates, in plain form.
var metricWords = map[string]policy.Metric{
	"ldr": policy.LDR, "latedispatchrate": policy.LDR, "latedispatch": policy.LDR, "lateshipmentrate": policy.LDR, "lateshipment": policy.LDR,
	"vtr": policy.VTR, "validtrackingrate": policy.VTR, "validtracking": policy.VTR, "invalidtracking": policy.VTR, "invalidtrackingnumber": policy.VTR,
	"sfcr": policy.SFCR, "sellerfaultcancellationrate": policy.SFCR, "sellerfaultcancelationrate": policy.SFCR, "sellerfaultcancellation": policy.SFCR,
	"sellercancellationrate": policy.SFCR, "sellercancellation": policy.SFCR,
	"otdr": policy.OTDR, "ontimedeliveryrate": policy.OTDR, "ontimedelivery": policy.OTDR, "latedelivery": policy.OTDR,
}

// metricOf reads a metric, as "Late dispatch rate (LDR)" too; false: one that is not compared.
func metricOf(text string) (policy.Metric, bool) {
	name, short, _ := strings.Cut(text, "(")
	for _, s := range []string{plain(text), plain(name), plain(short)} {
		if m, ok := metricWords[s]; ok {
			return m, true
		}
	}
	return "", false
}

// statusWords are what exports call the statuses, beside our own names, in plain form.
var statusWords = map[string]order.Status{
	"toship": order.AwaitingShipment, "paid": order.AwaitingShipment, "awaitingdispatch": order.AwaitingShipment, "processing": order.AwaitingShipment,
	"readytoship": order.AwaitingCollection, "tobecollected": order.AwaitingCollection, "partiallyshipped": order.PartiallyShipping,
	"shipped": order.InTransit, "canceled": order.Cancelled, "cancelled": order.Cancelled, "pending": order.Unpaid, "complete": order.Completed,
}

func statusOf(text string) (order.Status, bool) {
	name := plain(text)
	for _, s := range order.Statuses {
		if name == plain(string(s)) {
			return s, true
		}
	}
	s, ok := statusWords[name]
	return s, ok
}

var roleWords = map[string]order.Role{
	"buyer": order.RoleBuyer, "customer": order.RoleBuyer, "user": order.RoleBuyer, "seller": order.RoleSeller, "merchant": order.RoleSeller,
	"shop": order.RoleSeller, "operator": order.RoleOperator, "platform": order.RoleOperator, "system": order.RoleSystem, "automatic": order.RoleSystem,
}

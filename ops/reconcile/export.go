package reconcile

import (
	"encoding/csv"
	"io"
	"strconv"
	"strings"

	compare "github.com/spillway/spillway/domain/reconcile"
)

// columns of WriteCSV.
var exported = []string{"metric", "from", "to", "order", "ours", "theirs", "cause", "field", "our value", "their value", "minutes", "our day", "our reason",
	"their reason", "file", "line"}

// WriteCSV writes the lines of a report as CSV, in which no cell can become a formula.
func WriteCSV(w io.Writer, r compare.Report) error {
	out := csv.NewWriter(w)
	write := func(cells ...string) error {
		for i := range cells {
			cells[i] = Neutral(cells[i])
		}
		return out.Write(cells)
	}
	if err := write(append([]string(nil), exported...)...); err != nil {
		return err
	}
	lines := func(metric, from, to string, list []compare.Line) error {
		for _, l := range list {
			if err := write(metric, from, to, l.OrderID, string(l.Ours), string(l.Theirs), string(l.Cause), l.Field, l.OursValue, l.TheirsValue,
				strconv.FormatInt(l.Minutes, 10), l.Day.String(), string(l.Reason), l.TheirsReason, l.Place.File, strconv.Itoa(l.Place.Line)); err != nil {
				return err
			}
		}
		return nil
	}
	for _, s := range r.Sections {
		if err := lines(string(s.Metric), s.From.String(), s.To.String(), s.Lines); err != nil {
			return err
		}
	}
	if err := lines("", "", "", r.Outside); err != nil {
		return err
	}
	out.Flush()
	return out.Error()
}

// Neutral is a cell that spreadsheet programs take for text. A number stays a number.
func Neutral(s string) string {
	if s == "" || !strings.ContainsRune("=+-@\t\r\n'", rune(s[0])) || number(s) && s[0] != '+' {
		return s
	}
	return "'" + s
}

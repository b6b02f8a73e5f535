package importer

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/spillway/spillway/kit/errs"
)

// table is a file being read row by row. It tells what is wrong as it goes.
type table struct {
	file   io.Closer
	guard  *guard
	csv    *csv.Reader
	header []string
	at     map[string]int // field to column
	rec    []string
	rows   int
	limit  int
	wrong  *Problems
	over   bool // nothing more is read
}

// openTable begins to read a file. What is wrong with it goes to wrong; the error is only that it cannot be opened.
func openTable(src Source, l layout, o Options, wrong *Problems) (*table, error) {
	f, err := src.Open()
	if err != nil {
		return nil, &errs.Error{Kind: errs.NotFound, Op: "importer.Run", Item: src.Name, Safe: src.Name + " cannot be opened", Cause: err}
	}
	t := &table{file: f, limit: l.maxRows, wrong: wrong}
	r, err := unpack(f)
	if err != nil {
		wrong.add(Problem{Text: "begins like a gzip file and is none: " + err.Error()})
		t.over = true
		return t, nil
	}
	t.guard = newGuard(r)
	t.csv = csv.NewReader(t.guard)
	t.csv.Comma, t.csv.FieldsPerRecord, t.csv.ReuseRecord = o.Delimiter, -1, true
	if !t.read() {
		if len(wrong.Shown) == 0 {
			wrong.add(Problem{Text: "is empty; the first line must name the columns"})
		}
		return t, nil
	}
	t.header = slices.Clone(t.rec)
	t.at = l.columns(t.header, o, wrong)
	t.over = t.over || len(wrong.Shown) > 0
	return t, nil
}

func (t *table) close() { t.file.Close() } // read only: nothing is lost if it fails

// read reads the next record, whatever it is.
func (t *table) read() bool {
	if t.over {
		return false
	}
	rec, err := t.csv.Read()
	if err == nil {
		t.rec = rec
		return true
	}
	t.over = true
	parse, isParse := errors.AsType[*csv.ParseError](err)
	switch {
	case t.guard.fail != nil:
		t.wrong.add(*t.guard.fail)
	case errors.Is(err, io.EOF):
	case isParse && errors.Is(err, csv.ErrQuote):
		t.wrong.add(Problem{Line: parse.StartLine, Text: "a quoted cell of the row that begins here is not closed, or has a single quote inside; write a quote inside quotes twice"})
	case isParse && errors.Is(err, csv.ErrBareQuote):
		t.wrong.add(Problem{Line: parse.Line, Text: fmt.Sprintf("a quote at column %d stands inside a cell that is not quoted; quote the cell and write the quote twice", parse.Column)})
	default:
		t.wrong.add(Problem{Text: "cannot be read: " + err.Error()})
	}
	return false
}

// next reads to the next row with the right number of cells. Rows that are wrong are told and passed over.
func (t *table) next() bool {
	for t.read() {
		t.rows++
		if t.rows > t.limit {
			t.over = true
			t.wrong.add(Problem{Line: t.line(), Text: fmt.Sprintf("more than %d rows; cut the file into several", t.limit)})
			return false
		}
		if len(t.rec) == len(t.header) {
			return true
		}
		if strings.TrimSpace(strings.Join(t.rec, "")) != "" {
			t.wrong.add(Problem{Line: t.line(), Text: fmt.Sprintf("has %d cells where the header has %d; is a comma not quoted?", len(t.rec), len(t.header))})
		}
	}
	return false
}

// line is the physical line the row begins in.
func (t *table) line() int {
	line, _ := t.csv.FieldPos(0)
	return line
}

// get is the cell of a field without blanks around it; empty if there is no such column.
func (t *table) get(field string) string {
	i, ok := t.at[field]
	if !ok {
		return ""
	}
	return strings.TrimSpace(t.rec[i])
}

func (t *table) has(field string) bool { _, ok := t.at[field]; return ok }

// bad tells a problem of a cell of this row.
func (t *table) bad(field, format string, args ...any) {
	p := Problem{Line: t.line(), Field: field, Text: fmt.Sprintf(format, args...)}
	if i, ok := t.at[field]; ok {
		p.Line, _ = t.csv.FieldPos(i)
		p.Value = t.rec[i]
	}
	t.wrong.add(p)
}

// ident reads an id that people and labels use: 1 to limit bytes without control characters.
func (t *table) ident(field string, limit int) (string, bool) {
	s := t.get(field)
	switch {
	case s == "":
		t.bad(field, "is empty and is needed")
	case len(s) > limit:
		t.bad(field, "is longer than %d bytes", limit)
	case strings.ContainsFunc(s, unicode.IsControl):
		t.bad(field, "has a line break or another control character")
	default:
		return strings.Clone(s), true
	}
	return "", false
}

// text reads free text of at most limit bytes. It stays what it is, formula or not.
func (t *table) text(field string, limit int) (string, bool) {
	s := t.get(field)
	if len(s) > limit {
		t.bad(field, "is longer than %d bytes; shorten it", limit)
		return "", false
	}
	return strings.Clone(s), true
}

// whole reads a whole number within bounds; an empty cell is def.
func (t *table) whole(field string, def, least, most int64) (int64, bool) {
	s := t.get(field)
	if s == "" && t.has(field) && def < least {
		t.bad(field, "is empty and is needed")
		return 0, false
	}
	if s == "" {
		return def, true
	}
	n, err := strconv.ParseInt(s, 10, 64)
	switch {
	case errors.Is(err, strconv.ErrRange) || err == nil && (n < least || n > most):
		t.bad(field, "must be from %d to %d", least, most)
	case err != nil:
		t.bad(field, "is not a whole number; write digits only, without separators or decimals")
	default:
		return n, true
	}
	return 0, false
}

// layouts of times, most telling first.
var layouts = []string{time.RFC3339, "2006-01-02 15:04:05", "2006-01-02 15:04", "2006-01-02T15:04:05", "2006-01-02T15:04", time.DateOnly}

const (
	minYear = 2000 // the years orders may be of, see order.Fact
	maxYear = 2199
)

// moment reads a time in the zone given, or with its own offset; an empty cell is the zero time.
func (t *table) moment(field string, zone *time.Location, extra ...string) (time.Time, bool) {
	s := t.get(field)
	if s == "" {
		return time.Time{}, true
	}
	for _, layout := range append(layouts, extra...) {
		at, err := time.ParseInLocation(layout, s, zone)
		if err != nil {
			continue
		}
		if y := at.UTC().Year(); y < minYear || y > maxYear {
			t.bad(field, "is not between the years %d and %d", minYear, maxYear)
			return time.Time{}, false
		}
		return at.UTC(), true
	}
	t.bad(field, "is not a time; write it like 2026-11-21 18:30:00, or with an offset like 2026-11-21T18:30:00+01:00")
	return time.Time{}, false
}

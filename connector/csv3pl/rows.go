package csv3pl

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/spillway/spillway/kit/errs"
)

// Bounds of a file: a day of a large seller.
const (
	maxFile     = 8 << 20
	maxRows     = 50_000
	maxCell     = 500 // bytes
	maxProblems = 100 // that are told of one file
)

// Our names of columns.
var (
	orderColumns = []string{"order_id", "order_number", "line", "sku", "title", "quantity", "method", "name", "company", "address1", "address2", "city", "state", "postcode",
		"country", "phone", "email"}
	cancelColumns   = []string{"order_id"}
	shipmentColumns = []string{"order_id", "status"}     // those that must be there
	stockColumns    = []string{"sku", "on_hand"}         // those that must be there
	allColumns      = append(slices.Clone(orderColumns), // every name that may be mapped
		"status", "tracking", "carrier", "service", "shipped_at", "message", "location", "on_hand", "reserved", "blocked")
)

// Problem is what is wrong with a line of a file; line 1 is the header.
type Problem struct {
	Line int
	Text string
}

// String is the problem as people read it.
func (p Problem) String() string { return fmt.Sprintf("line %d: %s", p.Line, p.Text) }

// columns reads the setting of names: ours=theirs, separated by commas.
func columns(text string) (map[string]string, error) {
	out := map[string]string{}
	taken := map[string]bool{}
	for pair := range strings.SplitSeq(text, ",") {
		if strings.TrimSpace(pair) == "" {
			continue
		}
		ours, theirs, ok := strings.Cut(pair, "=")
		ours, theirs = strings.TrimSpace(ours), strings.TrimSpace(theirs)
		if !ok || theirs == "" || len(theirs) > maxCell || !slices.Contains(allColumns, ours) || out[ours] != "" || taken[strings.ToLower(theirs)] {
			return nil, errs.New(errs.Invalid, "csv3pl.Open", settingColumns, "%q does not name a column of ours, an equals sign and a name of theirs that no other column has.", pair)
		}
		out[ours], taken[strings.ToLower(theirs)] = theirs, true
	}
	return out, nil
}

// format is how a provider writes files.
type format struct {
	columns map[string]string // theirs by ours, where they differ
	comma   rune
}

func (f format) theirs(ours string) string {
	if t := f.columns[ours]; t != "" {
		return t
	}
	return ours
}

// write makes a file of rows with a header.
func (f format) write(names []string, rows [][]string) []byte {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	w.Comma, w.UseCRLF = f.comma, true
	head := make([]string, len(names))
	for i, n := range names {
		head[i] = f.theirs(n)
	}
	_ = w.Write(head) // a buffer takes everything
	for _, r := range rows {
		out := make([]string, len(r))
		for i, c := range r {
			out[i] = harmless(c)
		}
		_ = w.Write(out)
	}
	w.Flush()
	return b.Bytes()
}

// harmless is a cell that no spreadsheet takes for a formula, on one line.
func harmless(cell string) string {
	cell = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, cell)
	if isFormula(cell) {
		return "'" + cell
	}
	return cell
}

// bare is a cell as it was before harmless.
func bare(cell string) string {
	if rest, ok := strings.CutPrefix(cell, "'"); ok && isFormula(rest) {
		return rest
	}
	return cell
}

// isFormula looks behind blanks of every kind: some spreadsheets drop them, the unbreakable ones too.
func isFormula(cell string) bool {
	cell = strings.TrimSpace(cell)
	return cell != "" && strings.ContainsRune("=+-@＝＋－＠", firstRune(cell))
}

func firstRune(s string) rune { r, _ := utf8.DecodeRuneInString(s); return r }

// row is a line by our names of columns.
type row struct {
	line  int
	cells map[string]string
}

// read takes a file apart. Lines that make no sense are problems, and the others are read.
func (f format) read(data []byte, must []string) (rows []row, problems []Problem) {
	tell := func(line int, format string, args ...any) {
		if len(problems) < maxProblems {
			problems = append(problems, Problem{line, fmt.Sprintf(format, args...)})
		}
	}
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	switch {
	case len(data) > maxFile:
		return nil, []Problem{{1, "the file is longer than 8 MiB"}}
	case !utf8.Valid(data):
		return nil, []Problem{{1, "the file is not UTF-8"}}
	}
	r := csv.NewReader(bytes.NewReader(data))
	r.Comma, r.FieldsPerRecord = f.comma, -1
	head, err := r.Read()
	if err != nil {
		return nil, []Problem{{1, "the file has no header"}}
	}
	at := f.places(head)
	for _, name := range must {
		if _, ok := at[name]; !ok {
			tell(1, "the column %q is missing", f.theirs(name))
		}
	}
	if len(problems) > 0 {
		return nil, problems
	}
	for {
		cells, err := r.Read()
		if errors.Is(err, io.EOF) {
			return rows, problems
		}
		if bad, ok := errors.AsType[*csv.ParseError](err); ok {
			tell(bad.StartLine, "a quotation mark is out of place")
			continue
		}
		line, _ := r.FieldPos(0)
		switch {
		case len(rows) == maxRows:
			tell(line, "the file has more than %d rows: the rest was not read", maxRows)
			return rows, problems
		case len(cells) != len(head):
			tell(line, "it has %d cells, the header has %d", len(cells), len(head))
			continue
		case slices.ContainsFunc(cells, func(c string) bool { return len(c) > maxCell }):
			tell(line, "a cell is longer than %d bytes", maxCell)
			continue
		}
		out := row{line, map[string]string{}}
		for name, i := range at {
			out.cells[name] = bare(strings.TrimSpace(cells[i]))
		}
		rows = append(rows, out)
	}
}

// places tells which cell holds which of our columns. Capitals do not matter; a name that comes twice counts where it is first.
func (f format) places(head []string) map[string]int {
	at := map[string]int{}
	for _, name := range allColumns {
		i := slices.IndexFunc(head, func(h string) bool { return strings.EqualFold(strings.TrimSpace(h), f.theirs(name)) })
		if i >= 0 {
			at[name] = i
		}
	}
	return at
}

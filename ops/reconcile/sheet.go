package reconcile

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// Bounds of a file.
const (
	// MaxFile bytes as it comes: a quarter of order lines of a large shop, as CSV.
	MaxFile = 64 << 20
	// maxRows of a file, blank ones included.
	maxRows = 200_000
	// maxColumns of a row; the widest known export has 60.
	maxColumns = 300
	// maxCell bytes of a cell. Texts that buyers write are the longest, and are not read.
	maxCell = 32 << 10
)

// File is an export. Open begins anew each time.
type File struct {
	Name string
	Open func() (io.ReadCloser, error)
}

// cell is the text shown, and what is stored: they differ for numbers with a format, such as dates.
type cell struct{ text, raw string }

// line is one row of a file.
type line struct {
	n     int // physical line, or row of the sheet
	cells []cell
}

func (l line) blank() bool {
	for _, c := range l.cells {
		if strings.TrimSpace(c.text) != "" {
			return false
		}
	}
	return true
}

// fault is what is wrong with a file as a whole, in a sentence.
type fault string

func (f fault) Error() string { return string(f) }

func faultf(format string, args ...any) error { return fault(fmt.Sprintf(format, args...)) }

// content reads a file that is not too long.
func content(f File) ([]byte, error) {
	r, err := f.Open()
	if err != nil {
		return nil, fault("cannot be opened")
	}
	defer r.Close()
	b, err := io.ReadAll(io.LimitReader(r, MaxFile+1))
	switch {
	case err != nil:
		return nil, fault("cannot be read to its end")
	case len(b) > MaxFile:
		return nil, faultf("is larger than %d MiB: export a shorter period", MaxFile>>20)
	}
	return b, nil
}

// eachLine reads a file row by row, whichever of the two it is. each returns an error to end it.
func eachLine(data []byte, o Options, each func(line) error) error {
	if bytes.HasPrefix(data, []byte("PK\x03\x04")) {
		return eachOfXLSX(data, o.Sheet, each)
	}
	if bytes.HasPrefix(data, []byte("\xd0\xcf\x11\xe0")) {
		return fault("is an old or an encrypted spreadsheet: save it as .xlsx without a password, or as CSV")
	}
	return eachOfCSV(data, o.Delimiter, each)
}

func eachOfCSV(data []byte, delimiter rune, each func(line) error) error {
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	switch {
	case bytes.HasPrefix(data, []byte("\xff\xfe")), bytes.HasPrefix(data, []byte("\xfe\xff")):
		return fault(`is UTF-16: save it as "CSV UTF-8"`)
	case bytes.IndexByte(data, 0) >= 0:
		return faultf("has a zero byte in line %d: this is no text file, or it is damaged", lineAt(data, bytes.IndexByte(data, 0)))
	case !utf8.Valid(data):
		return faultf(`has a byte in line %d that is not UTF-8: save it as "CSV UTF-8"`, lineAt(data, invalidAt(data)))
	}
	r := csv.NewReader(bytes.NewReader(data))
	r.FieldsPerRecord, r.ReuseRecord = -1, true
	if r.Comma = delimiter; delimiter == 0 {
		r.Comma = guess(data)
	}
	for n := 0; ; n++ {
		rec, err := r.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			at := 0
			if p, ok := errors.AsType[*csv.ParseError](err); ok {
				at = p.StartLine
			}
			return faultf("has a quote in line %d that is not closed, or stands inside a cell: nothing after it can be told apart", at)
		}
		if n == maxRows {
			return faultf("has more than %d rows: export a shorter period", maxRows)
		}
		l := line{cells: make([]cell, len(rec))}
		l.n, _ = r.FieldPos(0)
		for i, s := range rec {
			l.cells[i] = cell{s, s}
		}
		if err := l.check(); err != nil {
			return err
		}
		if err := each(l); err != nil {
			return err
		}
	}
}

func (l line) check() error {
	if len(l.cells) > maxColumns {
		return faultf("has more than %d columns in line %d", maxColumns, l.n)
	}
	for _, c := range l.cells {
		if len(c.text) > maxCell || len(c.raw) > maxCell {
			return faultf("has a cell of more than %d KiB in line %d", maxCell>>10, l.n)
		}
	}
	return nil
}

func lineAt(data []byte, at int) int { return 1 + bytes.Count(data[:at], []byte{'\n'}) }

func invalidAt(data []byte) int {
	for at := 0; at < len(data); {
		r, n := utf8.DecodeRune(data[at:])
		if r == utf8.RuneError && n == 1 {
			return at
		}
		at += n
	}
	return 0
}

// guess takes the delimiter that the first line has most of.
func guess(data []byte) rune {
	first, _, _ := bytes.Cut(data, []byte{'\n'})
	best, most := ',', bytes.Count(first, []byte(","))
	for _, d := range []rune{';', '\t'} {
		if n := bytes.Count(first, []byte(string(d))); n > most {
			best, most = d, n
		}
	}
	return best
}

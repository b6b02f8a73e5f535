package transit

import (
	"bufio"
	"cmp"
	"encoding/csv"
	"errors"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/spillway/spillway/domain/network"
	"github.com/spillway/spillway/kit/errs"
)

// Bounds of a chart an operator loads.
const (
	MaxOrigins    = network.MaxNodes // nodes have a prefix each at most
	MaxChartBytes = 4 << 20          // 64 origins with 1,000 rows of some 20 bytes are 1.3 MB
	maxChartField = 64
)

// Chart is a published zone chart, or the part of it that starts at the operator's nodes. The zero Chart is empty; a nil one may be asked too.
type Chart struct {
	rows map[Prefix]*[1000]int8
	took map[Prefix]*[1000]int8 // business days; 0: not said
}

// Origins is how many origins the chart has.
func (c *Chart) Origins() int {
	if c == nil {
		return 0
	}
	return len(c.rows)
}

// zone looks the way up, and the way back if only that is charted: zones are the same both ways.
func (c *Chart) zone(a, b Prefix) (int, bool) {
	if c == nil {
		return 0, false
	}
	if row := c.rows[a]; row != nil && row[b] > 0 {
		return int(row[b]), true
	}
	if row := c.rows[b]; row != nil && row[a] > 0 {
		return int(row[a]), true
	}
	return 0, false
}

// days is what the transit table says of a way, which need not be the same on the way back.
func (c *Chart) days(a, b Prefix) (int, bool) {
	if c == nil || c.took[a] == nil {
		return 0, false
	}
	n := int(c.took[a][b])
	return n, n > 0
}

// Ways is how many ways the chart tells.
func (c *Chart) Ways() (n int) {
	if c == nil {
		return 0
	}
	for _, row := range c.rows {
		for _, z := range row {
			if z > 0 {
				n++
			}
		}
	}
	return n
}

// From lists the prefixes the chart starts at, in their order.
func (c *Chart) From() []Prefix {
	if c == nil {
		return nil
	}
	return slices.Sorted(maps.Keys(c.rows))
}

// Differ counts the ways from an origin that another chart, or an estimate where it says nothing, gives another zone.
func (c *Chart) Differ(origin Prefix, other *Chart) (differ, of int) {
	row := c.rows[origin]
	for p := Prefix(0); row != nil && p < 1000; p++ {
		if row[p] == 0 {
			continue
		}
		of++
		was, ok := other.zone(origin, p)
		if !ok {
			z, _ := estimate(origin, p)
			was = z.Number
		}
		if was != int(row[p]) {
			differ++
		}
	}
	return differ, of
}

// ReadChart reads a chart as CSV with a row of names first: origin_zip3, dest_zip3 and zone, in any order, and days where a transit table goes with
// it (business days on the road, 1 to 45, or empty); further columns are ignored. A destination may
// be a range such as 005-009 or 005---009, as printed charts have it. Marks behind a zone (*, +, e: entry discounts, and exceptions for some
// ZIP codes) are read over. Errors: Invalid, with the line.
func ReadChart(r io.Reader) (*Chart, error) {
	limited := &io.LimitedReader{R: r, N: MaxChartBytes + 1}
	rows := csv.NewReader(bufio.NewReader(limited))
	rows.FieldsPerRecord, rows.TrimLeadingSpace, rows.ReuseRecord = -1, true, true
	names, err := rows.Read()
	if err != nil {
		return nil, chartError(1, "the first row must name the columns origin_zip3, dest_zip3 and zone")
	}
	c, column, err := newChart(names)
	if err != nil {
		return nil, err
	}
	for {
		row, err := rows.Read()
		bad, isBad := errors.AsType[*csv.ParseError](err)
		switch {
		case limited.N <= 0:
			return nil, chartError(0, "a chart is at most %d bytes: keep the rows of your own nodes", MaxChartBytes)
		case errors.Is(err, io.EOF):
			return c, nil
		case isBad:
			return nil, chartError(bad.Line, "this is not CSV")
		case err != nil:
			return nil, errs.Wrap("transit.ReadChart", "", err)
		}
		line, _ := rows.FieldPos(0)
		if err := c.add(row, column, line); err != nil {
			return nil, err
		}
	}
}

// ChartColumns are the columns of a chart as an operator writes them; the last may be left out.
var ChartColumns = []string{"origin_zip3", "dest_zip3", "zone", "days"}

// newChart finds the columns; that of the days is -1 where there is none.
func newChart(names []string) (*Chart, [4]int, error) {
	at := map[string]int{}
	for i, n := range names {
		at[strings.ToLower(strings.TrimSpace(strings.TrimPrefix(n, "\ufeff")))] = i
	}
	var column [4]int
	for i, n := range ChartColumns {
		var ok bool
		if column[i], ok = at[n]; !ok && n != "days" {
			return nil, column, chartError(1, "there is no column %s", n)
		} else if !ok {
			column[i] = -1
		}
	}
	return &Chart{rows: map[Prefix]*[1000]int8{}, took: map[Prefix]*[1000]int8{}}, column, nil
}

// Builder reads a chart row by row, for who tells all that is wrong with a file and not its first fault alone.
type Builder struct {
	Chart  *Chart
	column [4]int
}

// NewBuilder begins with the row of names. Errors: Invalid.
func NewBuilder(names []string) (*Builder, error) {
	c, column, err := newChart(names)
	return &Builder{c, column}, err
}

// Add takes one row in; one that is wrong leaves the chart as it was. Errors: Invalid.
func (b *Builder) Add(line int, row []string) error { return b.Chart.add(row, b.column, line) }

func (c *Chart) add(row []string, column [4]int, line int) error {
	var field [4]string
	for i, at := range column {
		if at < 0 || at >= len(row) && ChartColumns[i] == "days" {
			continue
		}
		if at >= len(row) || len(row[at]) > maxChartField {
			return chartError(line, "a row needs an origin, a destination and a zone")
		}
		field[i] = strings.TrimSpace(row[at])
	}
	days, err := strconv.Atoi(cmp.Or(field[3], "0"))
	if err != nil || days < 0 || days > MaxDays || days == 0 && field[3] != "" {
		return chartError(line, "days are 1 to %d business days, or nothing", MaxDays)
	}
	from, ok := threeDigits(field[0])
	if !ok {
		return chartError(line, "an origin is three digits")
	}
	first, last, ok := prefixes(field[1])
	if !ok {
		return chartError(line, "a destination is three digits, or a range such as 005-009")
	}
	zone, err := strconv.Atoi(strings.TrimRight(field[2], "*+e "))
	if err != nil || zone < FirstZone || zone > LastZone {
		return chartError(line, "a zone is %d to %d", FirstZone, LastZone)
	}
	to := c.rows[from]
	if to == nil {
		if len(c.rows) == MaxOrigins {
			return chartError(line, "a chart has at most %d origins: keep the rows of your own nodes", MaxOrigins)
		}
		to = new([1000]int8)
	}
	for p := first; p <= last; p++ {
		if to[p] != 0 && int(to[p]) != zone {
			return chartError(line, "%s to %s has another zone in an earlier row", from, p)
		}
	}
	if c.rows[from] = to; days > 0 && c.took[from] == nil {
		c.took[from] = new([1000]int8)
	}
	for p := first; p <= last; p++ {
		if to[p] = int8(zone); days > 0 {
			c.took[from][p] = int8(days)
		}
	}
	return nil
}

func threeDigits(text string) (Prefix, bool) {
	p, ok := PrefixOf(text)
	return p, ok && len(text) == 3
}

func prefixes(text string) (first, last Prefix, ok bool) {
	if len(text) < 6 {
		first, ok = threeDigits(text)
		return first, first, ok
	}
	first, okFirst := threeDigits(strings.TrimSpace(text[:3]))
	last, okLast := threeDigits(strings.TrimSpace(strings.TrimLeft(text[3:], "- ")))
	return first, last, okFirst && okLast && first <= last && strings.Contains(text, "-")
}

func chartError(line int, format string, args ...any) error {
	return errs.New(errs.Invalid, "transit.ReadChart", "line "+strconv.Itoa(line), format, args...)
}

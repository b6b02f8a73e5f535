package sqlcore

import (
	"strconv"
	"strings"
)

// Tuples is a bulk insert for an engine that writes several rows with one statement. The zero Tuples is none.
type Tuples struct {
	table string
	cols  []string
	tail  string // the conflict clause, and what is returned
	skip  int    // values at the beginning of each row that belong to no column
}

// NewTuples makes an insert into columns of a table. tail is the conflict clause.
func NewTuples(table string, cols []string, tail string) Tuples {
	return Tuples{table: table, cols: cols, tail: tail}
}

// Known reports whether there is such a statement.
func (t *Tuples) Known() bool { return t.table != "" }

// Skip is how many values at the beginning of each row belong to no column.
func (t *Tuples) Skip() int { return t.skip }

// Text is the statement for n rows. Columns whose bit is set in alike have one value in all rows, which is handed over once: the parameters are
// those values in the order of the columns, then each row's others. If fresh, it returns the first column of each row that was inserted.
func (t *Tuples) Text(n int, alike uint64, fresh bool) string {
	var cols, shared, first, others []string
	for i, c := range t.cols {
		if alike>>i&1 == 1 {
			cols, first = append(cols, c), append(first, "?")
			shared = append(shared, "?"+strconv.Itoa(len(shared)+1))
		}
	}
	for i, c := range t.cols {
		if alike>>i&1 == 0 {
			// Without a number: it is the next one, and the driver does not look its name up.
			cols, others = append(cols, c), append(others, "?")
		}
	}
	rows := make([]string, n)
	for i := range rows {
		values := shared
		if i == 0 {
			values = first // these are the first parameters
		}
		rows[i] = "(" + strings.Join(append(values[:len(values):len(values)], others...), ", ") + ")"
	}
	text := "INSERT INTO " + t.table + " (" + strings.Join(cols, ", ") + ") VALUES " + strings.Join(rows, ", ") + " " + t.tail
	if fresh {
		text += " RETURNING " + t.cols[0]
	}
	return text
}

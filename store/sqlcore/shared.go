package sqlcore

import (
	"slices"
	"strconv"
	"strings"
)

// sharing is a bulk insert for rows of which some columns are alike, as most are in a batch of reservations: on PostgreSQL each array that
// is handed over costs as much as a column of an index.
type sharing struct {
	*stmt
	alike []bool // by column
}

// insertSharing makes one out of a bulk insert without a conflict clause. shared names the columns that are alike.
func insertSharing(of *stmt, table string, cols []col, shared ...string) sharing {
	s := sharing{stmt: &stmt{op: of.op, kind: of.kind}, alike: make([]bool, len(cols))}
	s.text[SQLite] = of.text[SQLite]
	var arrays, varying, values []string
	for i, c := range cols {
		if s.alike[i] = slices.Contains(shared, c.name); s.alike[i] {
			values = append(values, "$"+strconv.Itoa(i+1)+"::"+strings.TrimSuffix(pgArray[c.kind], "[]"))
			continue
		}
		arrays, varying, values = append(arrays, pgParam(i, c)), append(varying, c.name), append(values, "u."+c.name)
	}
	s.text[Postgres] = "INSERT INTO " + table + " (" + names(cols, plain, ", ") + ") SELECT " + strings.Join(values, ", ") + " FROM unnest(" +
		strings.Join(arrays, ", ") + ") WITH ORDINALITY AS u(" + strings.Join(varying, ", ") + ", ord) ORDER BY ord"
	all = append(all, s.stmt)
	return s
}

// compact is a bulk statement as PostgreSQL's text for rows, with what it takes: what the rows share once, where there is a statement for that.
func compact(of *stmt, rows [][]any) (text string, args []any) {
	for _, s := range shares[of] {
		if s.fits(rows) {
			return s.text[Postgres], s.args(rows)
		}
	}
	return of.text[Postgres], columns(of.kind, rows, nil)
}

// fits reports whether rows are as alike as the statement takes them to be.
func (s sharing) fits(rows [][]any) bool {
	for i, alike := range s.alike {
		for _, row := range rows {
			if alike && row[i] != rows[0][i] {
				return false
			}
		}
	}
	return true
}

// args are rows as PostgreSQL's text takes them.
func (s sharing) args(rows [][]any) []any {
	out := columns(s.kind, rows, s.alike)
	for i, alike := range s.alike {
		if alike {
			out[i] = rows[0][i]
		}
	}
	return out
}

package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"io"

	"github.com/spillway/spillway/store/sqlcore"
)

// several are how many rows one statement inserts, as many as there are. Binding and starting cost as much as inserting, and what is alike in
// all rows is bound once: 16 rows at a time are written twice as fast as one at a time, more of them no faster (BenchmarkWays).
var several = [...]int{16, 4}

// maxShapes bounds how many statements are prepared for one shape of rows each. Beyond it rows share nothing.
const maxShapes = 256

// shape is a bulk statement for so many rows, of which some columns are alike.
type shape struct {
	text  string
	rows  int
	alike uint64
	fresh bool // returns which rows were inserted
}

// execRows runs a statement with each row, past database/sql, whose checks and locks cost as much again as a small insert.
func (s *session) execRows(ctx context.Context, step *sqlcore.Step) (changed int64, err error) {
	err = s.conn.Raw(func(c any) error {
		w := rowWriter{session: s, conn: c.(driver.Conn), step: step}
		if step.Tuples.Known() && len(step.Rows) >= several[len(several)-1] {
			w.alike = alike(step.Rows, step.Tuples.Skip())
		}
		for w.at < len(step.Rows) {
			if err := ctx.Err(); err != nil { // looked at between statements: an interrupted one would cost more than it saves
				return err
			}
			if err := w.next(); err != nil {
				return err
			}
		}
		changed = w.changed
		return nil
	})
	return changed, err
}

// alike has the bit of every column set that has one value in all rows. skip values at the beginning are no column's.
func alike(rows [][]any, skip int) (set uint64) {
	first := rows[0][skip:]
	if len(first) > 64 {
		return 0
	}
	for i, v := range first {
		if _, ok := v.([]byte); ok {
			continue
		}
		set |= 1 << i
		for _, row := range rows[1:] {
			if _, ok := row[skip+i].([]byte); ok || row[skip+i] != v {
				set &^= 1 << i
				break
			}
		}
	}
	return set
}

// rowWriter writes the rows of one step.
type rowWriter struct {
	*session
	conn    driver.Conn
	step    *sqlcore.Step
	alike   uint64
	at      int // rows written
	changed int64
	args    []driver.NamedValue
}

// next writes the next rows with one statement.
func (w *rowWriter) next() error {
	n, s := 1, w.step
	if s.Tuples.Known() {
		for _, many := range several {
			if len(s.Rows)-w.at >= many {
				n = many
				break
			}
		}
	}
	key := shape{text: s.Text, rows: n, alike: w.alike, fresh: n > 1 && s.Changed != nil}
	st, err := w.prepared(key)
	if err != nil {
		return err
	}
	w.args = w.args[:0]
	if n == 1 {
		w.bind(s.Rows[w.at])
	} else {
		w.bindAll(s.Rows[w.at:w.at+n], s.Tuples.Skip())
	}
	if key.fresh {
		err = w.insertNew(st, n)
	} else {
		err = w.exec(st)
	}
	w.at += n
	return err
}

func (w *rowWriter) prepared(key shape) (driver.Stmt, error) {
	if key.rows == 1 {
		key.alike = 0
	} else if w.direct[key] == nil && len(w.direct) >= maxShapes {
		key.alike, w.alike = 0, 0
	}
	if st := w.direct[key]; st != nil {
		return st, nil
	}
	text := key.text
	if key.rows > 1 {
		text = w.step.Tuples.Text(key.rows, key.alike, key.fresh)
	}
	st, err := w.conn.Prepare(text)
	if err == nil {
		w.direct[key] = st
	}
	return st, err
}

func (w *rowWriter) bind(values []any) {
	for _, v := range values {
		w.args = append(w.args, driver.NamedValue{Ordinal: len(w.args) + 1, Value: v})
	}
}

// bindAll binds what rows share, then each row's others.
func (w *rowWriter) bindAll(rows [][]any, skip int) {
	pick := func(row []any, bit uint64) {
		for i, v := range row[skip:] {
			if w.alike>>i&1 == bit {
				w.args = append(w.args, driver.NamedValue{Ordinal: len(w.args) + 1, Value: v})
			}
		}
	}
	pick(rows[0], 1)
	for _, row := range rows {
		pick(row, 0)
	}
}

func (w *rowWriter) exec(st driver.Stmt) error {
	res, err := st.(driver.StmtExecContext).ExecContext(context.Background(), w.args)
	if err != nil {
		return err
	}
	n, err := res.RowsAffected()
	if err != nil {
		return err
	}
	w.changed += n
	if n > 0 && w.step.Changed != nil {
		w.step.Changed(w.at)
	}
	return nil
}

// insertNew runs an insert that returns the first column of the rows it inserted, in their order, and says which those were. Of rows with the same first
// column the first is inserted.
func (w *rowWriter) insertNew(st driver.Stmt, n int) (err error) {
	rows, err := st.(driver.StmtQueryContext).QueryContext(context.Background(), w.args)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	id := make([]driver.Value, 1)
	at, end := w.at, w.at+n
	for {
		if err := rows.Next(id); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		for at < end && w.step.Rows[at][0] != id[0] {
			at++
		}
		if at == end {
			return errors.New("sqlite: an insert returned an id that was not among its rows")
		}
		w.changed++
		w.step.Changed(at)
		at++
	}
}

package sqlcore

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"time"

	"github.com/spillway/spillway/kit/errs"
)

// maxRows bounds one verb's batch: beyond it a caller has forgotten to cut its work, and one statement would hold locks too long.
const maxRows = 100_000

// Tx is one transaction. Its verbs are named noun first. It is used by one goroutine, inside Update or View only. After a verb failed the
// transaction cannot commit any more.
type Tx struct {
	ctx      context.Context
	run      Run
	store    *Store
	now      time.Time
	readOnly bool
	next     func()           // see UpdateAhead
	failed   error            // the first failure of a statement: PostgreSQL would refuse the commit, so SQLite must too
	orders   map[string]int64 // row versions of the orders read in this transaction
	events   int64            // event rows written by this transaction
	queue    []*Step          // see later
}

// Now is the one time of this transaction, in UTC and whole microseconds.
func (tx *Tx) Now() time.Time { return tx.now }

// Ahead says that the next transaction may begin beside the rest of this one. Where there is one writer it may not.
func (tx *Tx) Ahead() {
	if tx.dialect() == Postgres {
		tx.next()
	}
}

// Context is the context the transaction runs under.
func (tx *Tx) Context() context.Context { return tx.ctx }

func (tx *Tx) dialect() Dialect { return tx.store.engine.Dialect }

// later runs what insertRow made, whose outcome nobody waits for: where the database is far away it is sent with the next steps, or with the
// commit.
func (tx *Tx) later(s *stmt, row []any) error {
	rows := [][]any{row}
	if tx.dialect() != Postgres {
		_, err := tx.bulk(s, rows)
		return err
	}
	if err := tx.checkRows(s, rows); err != nil {
		return err
	}
	tx.queue = append(tx.queue, &Step{Op: s.op, Text: s.text[Postgres], Args: row})
	return nil
}

// flush sends what is queued, and the commit with it.
func (tx *Tx) flush() error {
	if len(tx.queue) == 0 {
		return nil
	}
	tx.next()
	return tx.piped(nil, tx.run.Finish)
}

// pipe runs steps in one round trip.
func (tx *Tx) pipe(steps []*Step) error { return tx.piped(steps, tx.run.Pipeline) }

func (tx *Tx) piped(steps []*Step, run func(context.Context, []*Step) error) error {
	if len(tx.queue) > 0 {
		steps, tx.queue = append(tx.queue, steps...), nil
	}
	if len(steps) == 0 {
		return nil
	}
	err := run(tx.ctx, steps)
	if err == nil {
		return nil
	}
	op := steps[0].Op
	if at, ok := errors.AsType[*StepError](err); ok {
		op = at.Op
	}
	return tx.fail(op, err)
}

func (tx *Tx) fail(op string, err error) error {
	err = tx.store.explain(tx.ctx, op, err)
	if tx.failed == nil {
		tx.failed = err
	}
	return err
}

// stale says that a row is not what this transaction read, or took to be new. Like any failure it spoils the transaction: some of the
// batch may have been written.
func (tx *Tx) stale(op, item string) error {
	return tx.fail(op, Again(op, item))
}

// args makes arguments a database takes: lists become JSON on SQLite.
func (tx *Tx) args(op string, in []any) ([]any, error) {
	for i, a := range in {
		switch v := a.(type) {
		case string:
			if err := clean(op, v); err != nil {
				return nil, err
			}
		case []string:
			if len(v) > maxRows {
				return nil, errs.New(errs.Invalid, op, "", "more than %d ids at once", maxRows)
			}
			for _, s := range v {
				if err := clean(op, s); err != nil {
					return nil, err
				}
			}
			if tx.dialect() == SQLite {
				if v == nil {
					v = []string{}
				}
				b, err := json.Marshal(v)
				if err != nil {
					return nil, errs.Wrap(op, "", err)
				}
				in[i] = string(b)
			}
		case json.RawMessage:
			if err := clean(op, string(v)); err != nil {
				return nil, err
			}
			in[i] = string(v)
		}
	}
	return in, nil
}

// exec runs one statement and returns how many rows it changed.
func (tx *Tx) exec(s *stmt, in ...any) (int64, error) {
	if tx.readOnly {
		return 0, errs.New(errs.Internal, s.op, "", "writes need Update")
	}
	args, err := tx.args(s.op, in)
	if err != nil {
		return 0, err
	}
	return tx.run1(s, args)
}

// query runs one statement and reads all its rows.
func query[T any](tx *Tx, s *stmt, scan func(*sql.Rows, *T) error, in ...any) ([]T, error) {
	args, err := tx.args(s.op, in)
	if err != nil {
		return nil, err
	}
	return read(tx, s, scan, args)
}

func read[T any](tx *Tx, s *stmt, scan func(*sql.Rows, *T) error, args []any) (out []T, err error) {
	rows, err := tx.run.Query(tx.ctx, s.text[tx.dialect()], args...)
	if err != nil {
		return nil, tx.fail(s.op, err)
	}
	defer rows.Close()
	for rows.Next() {
		var v T
		if err := scan(rows, &v); err != nil {
			return nil, tx.fail(s.op, err)
		}
		out = append(out, v)
	}
	if err := rows.Err(); err != nil {
		return nil, tx.fail(s.op, err)
	}
	return out, nil
}

// one is query for at most one row.
func one[T any](tx *Tx, s *stmt, scan func(*sql.Rows, *T) error, in ...any) (v T, ok bool, err error) {
	got, err := query(tx, s, scan, in...)
	if err != nil || len(got) == 0 {
		return v, false, err
	}
	return got[0], true, nil
}

// scanOne scans a row of one column.
func scanOne[T any](r *sql.Rows, v *T) error { return r.Scan(v) }

// bulk runs a bulk statement on rows and returns how many it changed. Rows that share a key must not be in one call of an upsert; see
// lastOf.
func (tx *Tx) bulk(s *stmt, rows [][]any) (int64, error) {
	if len(rows) == 0 {
		return 0, nil
	}
	if err := tx.checkRows(s, rows); err != nil {
		return 0, err
	}
	if tx.dialect() == Postgres {
		return tx.run1(s, columns(s.kind, rows, nil))
	}
	step := &Step{Op: s.op, Text: s.text[SQLite], Rows: rows, Tuples: s.many}
	err := tx.pipe([]*Step{step})
	return step.Count, err
}

// bulkNew is bulk for inserts made by insertNew; it tells which ids, the first column, were new.
func (tx *Tx) bulkNew(s *stmt, rows [][]any) (map[string]bool, error) {
	fresh := make(map[string]bool, len(rows))
	if len(rows) == 0 {
		return fresh, nil
	}
	if err := tx.checkRows(s, rows); err != nil {
		return nil, err
	}
	if tx.dialect() == Postgres {
		ids, err := read(tx, s, scanOne[string], columns(s.kind, rows, nil))
		for _, id := range ids {
			fresh[id] = true
		}
		return fresh, err
	}
	step := &Step{Op: s.op, Text: s.text[SQLite], Rows: rows, Tuples: s.many, Changed: func(i int) { fresh[rows[i][0].(string)] = true }}
	return fresh, tx.pipe([]*Step{step})
}

// run1 runs a statement and counts the rows it changed.
func (tx *Tx) run1(s *stmt, args []any) (int64, error) {
	res, err := tx.run.Exec(tx.ctx, s.text[tx.dialect()], args...)
	if err != nil {
		return 0, tx.fail(s.op, err)
	}
	n, err := res.RowsAffected()
	if err != nil {
		return 0, tx.fail(s.op, err)
	}
	return n, nil
}

func (tx *Tx) checkRows(s *stmt, rows [][]any) error {
	if tx.readOnly {
		return errs.New(errs.Internal, s.op, "", "writes need Update")
	}
	if len(rows) > maxRows {
		return errs.New(errs.Invalid, s.op, "", "more than %d rows at once", maxRows)
	}
	for _, row := range rows {
		for _, v := range row {
			if t, ok := v.(string); ok {
				if err := clean(s.op, t); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// columns turns rows into one typed array for each column, as unnest takes them. Columns in skip, which may be nil, are left out.
func columns(kinds []colType, rows [][]any, skip []bool) []any {
	out := make([]any, len(kinds))
	for i, k := range kinds {
		if skip != nil && skip[i] {
			continue
		}
		switch k {
		case text:
			out[i] = column[string](rows, i)
		case bigint:
			out[i] = column[int64](rows, i)
		case boolean:
			out[i] = column[bool](rows, i)
		case bytea:
			out[i] = column[[]byte](rows, i)
		case textOrNull:
			out[i] = columnOrNull[string](rows, i)
		case bigintOrNull:
			out[i] = columnOrNull[int64](rows, i)
		}
	}
	return out
}

func column[T any](rows [][]any, i int) []T {
	out := make([]T, len(rows))
	for j, row := range rows {
		out[j] = row[i].(T)
	}
	return out
}

func columnOrNull[T any](rows [][]any, i int) []*T {
	out := make([]*T, len(rows))
	for j, row := range rows {
		if v, ok := row[i].(T); ok {
			out[j] = &v
		}
	}
	return out
}

// lastOf drops all but the last of the elements with the same key: the same as saving them one after the other.
func lastOf[T any](in []T, key func(T) string) []T {
	last := make(map[string]int, len(in))
	for i, v := range in {
		last[key(v)] = i
	}
	if len(last) == len(in) {
		return in
	}
	out := make([]T, 0, len(last))
	for i, v := range in {
		if last[key(v)] == i {
			out = append(out, v)
		}
	}
	return out
}

package sqlcore

import (
	"context"
	"database/sql"
)

// Row is where a statement's row is read from.
type Row interface{ Scan(into ...any) error }

// Step is one statement of several that are sent without waiting for each other's answers.
type Step struct {
	Op      string // the verb it belongs to, for errors
	Text    string
	Args    []any
	Rows    [][]any         // instead of Args: run it with each of these in turn; only in a database that is in this process
	Tuples  Tuples          // the same as one statement for several rows; none: one at a time
	Changed func(i int)     // is called with each of Rows that changed the database; nil: nobody asks
	Each    func(Row) error // is called with every row; nil: the statement returns none
	Count   int64           // rows read or changed, when it has run
	want    int64           // what Count must be
}

// StepError says which step failed.
type StepError struct {
	Op    string
	Cause error
}

func (e *StepError) Error() string { return e.Op + ": " + e.Cause.Error() }
func (e *StepError) Unwrap() error { return e.Cause }

// InTurn runs one step by itself. It knows nothing of Rows.
func InTurn(ctx context.Context, r interface {
	Query(ctx context.Context, text string, args ...any) (*sql.Rows, error)
	Exec(ctx context.Context, text string, args ...any) (sql.Result, error)
}, s *Step) error {
	if s.Each == nil {
		res, err := r.Exec(ctx, s.Text, s.Args...)
		if err != nil {
			return err
		}
		s.Count, err = res.RowsAffected()
		return err
	}
	rows, err := r.Query(ctx, s.Text, s.Args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		s.Count++
		if err := s.Each(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// rowsOf makes a reader of rows that come from a step or from a statement alone.
func rowsOf[T any](scan func(Row, *T) error) func(*sql.Rows, *T) error {
	return func(r *sql.Rows, v *T) error { return scan(r, v) }
}

// into collects a step's rows.
func into[T any](out *[]T, scan func(Row, *T) error) func(Row) error {
	return func(r Row) error {
		var v T
		err := scan(r, &v)
		*out = append(*out, v)
		return err
	}
}

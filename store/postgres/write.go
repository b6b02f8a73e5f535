package postgres

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/spillway/spillway/store/sqlcore"
)

const (
	beginText = "BEGIN ISOLATION LEVEL READ COMMITTED"
	// rollbackTimeout bounds the wait for a rollback to be answered; a connection that does not answer is given up, and the server rolls
	// back by itself.
	rollbackTimeout = 5 * time.Second
)

// errRolledBack is PostgreSQL's answer to COMMIT after a statement failed.
var errRolledBack = errors.New("the transaction was rolled back because a statement of it had failed")

// write is one writing transaction. BEGIN travels with the first statement: a transaction of two pipelines is three round trips.
type write struct {
	// setUp begins the transaction beside BEGIN; empty: nothing does.
	setUp string

	conn  *sql.Conn
	pg    *pgx.Conn // of conn, which is ours alone until the end
	begun bool
	over  bool

	committed bool // by Finish
}

func beginWrite(ctx context.Context, db *sql.DB, setUp string) (*write, error) {
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil, err
	}
	w := &write{conn: conn, setUp: setUp}
	if err := conn.Raw(func(c any) error {
		w.pg = c.(*stdlib.Conn).Conn()
		return nil
	}); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return w, nil
}

func (w *write) begin(ctx context.Context) error {
	if w.begun {
		return nil
	}
	w.begun = true
	text := beginText
	if w.setUp != "" {
		text += "; " + w.setUp
	}
	_, err := w.pg.Exec(ctx, text)
	return err
}

// Query runs a statement in the transaction.
func (w *write) Query(ctx context.Context, text string, args ...any) (*sql.Rows, error) {
	if err := w.begin(ctx); err != nil {
		return nil, err
	}
	return w.conn.QueryContext(ctx, text, args...)
}

// Exec runs a statement in the transaction.
func (w *write) Exec(ctx context.Context, text string, args ...any) (sql.Result, error) {
	if err := w.begin(ctx); err != nil {
		return nil, err
	}
	return w.conn.ExecContext(ctx, text, args...)
}

// Pipeline sends all steps in one go and reads their answers after.
func (w *write) Pipeline(ctx context.Context, steps []*sqlcore.Step) error {
	return w.send(ctx, steps, false)
}

// Finish sends all steps and COMMIT in one go. The server skips everything behind a step that fails, COMMIT too.
func (w *write) Finish(ctx context.Context, steps []*sqlcore.Step) error {
	return w.send(ctx, steps, true)
}

func (w *write) send(ctx context.Context, steps []*sqlcore.Step, commit bool) (err error) {
	b := &pgx.Batch{}
	begins := !w.begun
	if begins {
		w.begun = true
		b.Queue(beginText)
		if w.setUp != "" {
			b.Queue(w.setUp)
		}
	}
	for _, s := range steps {
		b.Queue(s.Text, s.Args...)
	}
	if commit {
		b.Queue("COMMIT")
	}
	answers := w.pg.SendBatch(ctx, b)
	defer func() { err = errors.Join(err, answers.Close()) }()
	if begins {
		if _, err := answers.Exec(); err != nil {
			return err
		}
		if w.setUp != "" {
			if _, err := answers.Exec(); err != nil {
				return err
			}
		}
	}
	for _, s := range steps {
		if err := answer(answers, s); err != nil {
			return &sqlcore.StepError{Op: s.Op, Cause: err}
		}
	}
	if !commit {
		return nil
	}
	tag, err := answers.Exec()
	if err == nil && tag.String() != "COMMIT" {
		err = errRolledBack
	}
	w.committed = err == nil
	return err
}

func answer(answers pgx.BatchResults, s *sqlcore.Step) error {
	if s.Each == nil {
		tag, err := answers.Exec()
		s.Count = tag.RowsAffected()
		return err
	}
	rows, err := answers.Query()
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

// Commit commits. Whether it happened is unknown when the connection fails meanwhile. The next transaction has a connection of its own, and may
// look around while this one waits for the disk.
func (w *write) Commit(ctx context.Context, next func()) error {
	if !w.begun || w.committed {
		return w.end()
	}
	next()
	tag, err := w.pg.Exec(ctx, "COMMIT")
	if err != nil {
		return err
	}
	if tag.String() != "COMMIT" {
		return errors.Join(errRolledBack, w.end())
	}
	return w.end()
}

// Rollback ends the transaction if it is not over.
func (w *write) Rollback() error {
	if w.over {
		return nil
	}
	if !w.begun || w.committed || w.pg.IsClosed() {
		return w.end()
	}
	ctx, cancel := context.WithTimeout(context.Background(), rollbackTimeout)
	defer cancel()
	_, err := w.pg.Exec(ctx, "ROLLBACK")
	return errors.Join(err, w.end())
}

// end gives the connection back, or gives it up if it is not fit for another transaction.
func (w *write) end() error {
	if w.over {
		return nil
	}
	w.over = true
	if w.pg.IsClosed() || w.pg.PgConn().TxStatus() != 'I' {
		_ = w.conn.Raw(func(any) error { return driver.ErrBadConn }) // drops it; the error is ours
	}
	if err := w.conn.Close(); err != nil && !errors.Is(err, sql.ErrConnDone) {
		return err
	}
	return nil
}

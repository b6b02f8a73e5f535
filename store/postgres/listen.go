package postgres

import (
	"context"
	"database/sql"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/spillway/spillway/kit/errs"
)

const (
	// hush is how long a listening connection may be silent before it is asked whether it still lives: a cut cable says nothing.
	hush = 3 * time.Second
	// answerTime bounds the answer to that.
	answerTime = 3 * time.Second
)

// bus is the connections that carry notices between processes, apart from those of transactions: one that waits, one that tells.
type bus struct {
	listen pgx.ConnConfig
	tell   *sql.DB
}

func newBus(cfg *pgx.ConnConfig) *bus {
	b := &bus{listen: *cfg.Copy(), tell: stdlib.OpenDB(*cfg.Copy())}
	b.tell.SetMaxOpenConns(1)
	return b
}

// channel is the name notices go by: those of two schemas of one database must not mix.
const channel = `'spillway_' || md5(current_schema())`

// notify tells payloads, of less than 8,000 bytes each, to everyone who listens at this moment. A notice is not worth a sync: one that is lost costs a look at
// the tables. That is said for the statement's own transaction, since a pooler keeps no setting, and refuses it when a session begins.
func (b *bus) notify(ctx context.Context, payloads []string) error {
	_, err := b.tell.ExecContext(ctx, "SELECT pg_notify("+channel+", p) FROM (SELECT set_config('synchronous_commit', 'off', true) AS sync) s, unnest($1::text[]) p WHERE s.sync = 'off'", payloads)
	if err != nil {
		kind, sentence, _ := classify(err)
		return &errs.Error{Kind: kind, Op: "postgres.Notify", Safe: sentence, Cause: err}
	}
	return nil
}

// listenTo calls got with each payload until ctx ends or the connection breaks. ready is called once nothing more can be missed.
func (b *bus) listenTo(ctx context.Context, ready func(), got func(string)) error {
	const op = "postgres.Listen"
	conn, err := pgx.ConnectConfig(ctx, b.listen.Copy())
	if err != nil {
		return &errs.Error{Kind: errs.Unavailable, Op: op, Safe: "PostgreSQL cannot be reached", Cause: err}
	}
	defer func() {
		end, cancel := context.WithTimeout(context.WithoutCancel(ctx), answerTime)
		defer cancel()
		_ = conn.Close(end) // it is given up anyway
	}()
	var name string
	if err := conn.QueryRow(ctx, "SELECT "+channel).Scan(&name); err != nil {
		return errs.Wrap(op, "", err)
	}
	if _, err := conn.Exec(ctx, "LISTEN "+pgx.Identifier{name}.Sanitize()); err != nil {
		return errs.Wrap(op, "", err)
	}
	ready()
	for {
		payload, err := b.next(ctx, conn)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			return &errs.Error{Kind: errs.Unavailable, Op: op, Safe: "the connection to the database failed", Cause: err}
		case payload != "":
			got(payload)
		}
	}
}

// next waits for a notice; after a silence it makes sure that there is somebody to hear. An empty answer is no notice.
func (b *bus) next(ctx context.Context, conn *pgx.Conn) (string, error) {
	wait, cancel := context.WithTimeout(ctx, hush)
	defer cancel()
	n, err := conn.WaitForNotification(wait)
	switch {
	case err == nil:
		return n.Payload, nil
	case ctx.Err() == nil && pgconn.Timeout(err):
		alive, cancel := context.WithTimeout(ctx, answerTime)
		defer cancel()
		return "", conn.Ping(alive)
	}
	return "", err
}

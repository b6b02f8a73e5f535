package postgres

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"embed"
	"errors"
	"io"
	"io/fs"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/store/sqlcore"
)

//go:embed migrations/*.sql
var migrations embed.FS

const (
	// writers and readers bound the connections of one process. PostgreSQL's default limit is 100 for all processes.
	writers, readers = 8, 8
	// lockTimeout bounds the wait for a row. A batch holds its locks for milliseconds; ten seconds means that its process hangs.
	lockTimeout = 10 * time.Second
	// migrateWait is for how many seconds a process waits for another one's migration: an index of a large table takes minutes. What serves
	// meanwhile is the version before.
	migrateWait = 3600
	// idleTimeout ends a transaction whose process has stopped between two statements, so that it does not hold its locks for ever: less
	// than the ten seconds for which others wait for a row, and after which another process works its connections.
	idleTimeout = 5 * time.Second
)

// Open connects to the database. The schema is brought up to date by the engine's Migrate.
func Open(ctx context.Context, url string) (sqlcore.Engine, error) {
	all, _, err := open(ctx, url)
	return all, err
}

func open(ctx context.Context, url string) (sqlcore.Engine, *engine, error) {
	none := sqlcore.Engine{}
	cfg, err := pgx.ParseConfig(url)
	if err != nil { // the error may hold the password
		return none, nil, errs.New(errs.Invalid, "postgres.Open", "", "the database URL cannot be read; it looks like postgres://user@host:5432/name")
	}
	e := &engine{lent: lendsSessions(cfg)}
	setDefaults(cfg)
	// A plan cached while a table was young reads the whole table for a list of keys, and is kept while the table grows: 30 times slower
	// for a batch writer. It only ever looks rows up by key, so the writers' sessions do without the plans that are not by index.
	w := cfg.Copy()
	w.RuntimeParams["enable_seqscan"], w.RuntimeParams["enable_hashjoin"], w.RuntimeParams["enable_mergejoin"] = "off", "off", "off"
	w.RuntimeParams["synchronous_commit"] = "on"
	if v := cfg.RuntimeParams["synchronous_commit"]; v != "" {
		w.RuntimeParams["synchronous_commit"] = v
	}
	if e.lent {
		e.setUp, e.setUpWrite = perTransaction(cfg), perTransaction(w)
	}
	e.write, e.read, e.bus = stdlib.OpenDB(*w), stdlib.OpenDB(*cfg), newBus(cfg)
	e.write.SetMaxOpenConns(writers)
	e.write.SetMaxIdleConns(writers)
	e.read.SetMaxOpenConns(readers)
	e.read.SetMaxIdleConns(readers)
	if err := e.write.PingContext(ctx); err != nil {
		e.close()
		return none, nil, &errs.Error{Kind: errs.Unavailable, Op: "postgres.Open", Item: cfg.Host, Safe: "PostgreSQL cannot be reached", Cause: err}
	}
	return sqlcore.Engine{Dialect: sqlcore.Postgres, Begin: e.begin, Classify: classify, Migrate: e.migrate, Close: e.close,
		Peers: sqlcore.Peers{Notify: e.bus.notify, Listen: e.bus.listenTo}}, e, nil
}

// setDefaults sets up sessions, as far as the URL does not.
func setDefaults(cfg *pgx.ConnConfig) {
	if cfg.ConnectTimeout == 0 {
		cfg.ConnectTimeout = connectTime
	}
	cfg.DialFunc = dialer().DialContext
	for k, v := range map[string]string{
		"timezone": "UTC", "application_name": "spillway", "lock_timeout": strconv.FormatInt(lockTimeout.Milliseconds(), 10),
		"idle_in_transaction_session_timeout": strconv.FormatInt(idleTimeout.Milliseconds(), 10),
		// Compiling a plan takes 300 ms and pays for none of our queries. It also starts by itself where a plan is made dear on purpose,
		// as below: each event written took a third of a second.
		"jit": "off",
	} {
		if cfg.RuntimeParams[k] == "" {
			cfg.RuntimeParams[k] = v
		}
	}
}

type engine struct {
	write, read *sql.DB
	bus         *bus
	lent        bool // a pooler lends us sessions for a transaction
	// setUp and setUpWrite begin every transaction where sessions are lent: see perTransaction.
	setUp, setUpWrite string
	closing           sync.Once
	closed            atomic.Bool
	closeErr          error
}

func (e *engine) close() error {
	e.closing.Do(func() {
		e.closed.Store(true)
		e.closeErr = errors.Join(e.read.Close(), e.write.Close(), e.bus.tell.Close())
	})
	return e.closeErr
}

func (e *engine) begin(ctx context.Context, readOnly bool) (sqlcore.Run, error) {
	if e.closed.Load() {
		return nil, errs.New(errs.Unavailable, "postgres.Begin", "", "the database is closed")
	}
	if !readOnly {
		return beginWrite(ctx, e.write, e.setUpWrite)
	}
	return beginRead(ctx, e.read, e.setUp)
}

func beginRead(ctx context.Context, db *sql.DB, setUp string) (sqlcore.Run, error) {
	tx, err := db.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true})
	if err != nil {
		return nil, err
	}
	if setUp != "" {
		if _, err := tx.ExecContext(ctx, setUp); err != nil {
			return nil, errors.Join(err, tx.Rollback())
		}
	}
	return run{tx}, nil
}

// locking is how processes that start at once wait for the one that migrates: by a lock of the session, which ends with it, or where sessions
// are lent by a row that its holder renews.
func (e *engine) locking() (goose.ProviderOption, error) {
	if e.lent {
		locker, err := lock.NewPostgresTableLocker(lock.WithTableName("schema_lock"), lock.WithTableLockTimeout(time.Second, migrateWait))
		return goose.WithLocker(locker), err
	}
	locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, migrateWait))
	return goose.WithSessionLocker(locker), err
}

// migrate brings the schema up to date. Processes that start at once wait for each other.
func (e *engine) migrate(ctx context.Context) error {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	locking, err := e.locking()
	if err != nil {
		return err
	}
	p, err := goose.NewProvider(goose.DialectPostgres, e.write, files, goose.WithTableName("schema_version"), locking, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return err
	}
	if err := sqlcore.MigrateUp(ctx, p); err != nil {
		return err
	}
	// Whoever restores with PostgreSQL's own tools into another cluster brings its transaction numbers along.
	_, err = e.write.ExecContext(ctx, sqlcore.EventBaseSQL)
	return errs.Wrap("postgres.Migrate", "", err)
}

// run is one read-only transaction. pgx keeps prepared statements by itself.
type run struct{ tx *sql.Tx }

// Query runs a statement in the transaction.
func (r run) Query(ctx context.Context, text string, args ...any) (*sql.Rows, error) {
	return r.tx.QueryContext(ctx, text, args...)
}

// Exec runs a statement in the transaction.
func (r run) Exec(ctx context.Context, text string, args ...any) (sql.Result, error) {
	return r.tx.ExecContext(ctx, text, args...)
}

// Pipeline runs steps one after the other: pages do not need it to be quick.
func (r run) Pipeline(ctx context.Context, steps []*sqlcore.Step) error {
	for _, s := range steps {
		if err := sqlcore.InTurn(ctx, r, s); err != nil {
			return &sqlcore.StepError{Op: s.Op, Cause: err}
		}
	}
	return nil
}

// Finish is Pipeline: there is nothing to commit.
func (r run) Finish(ctx context.Context, steps []*sqlcore.Step) error { return r.Pipeline(ctx, steps) }

// Commit commits.
func (r run) Commit(context.Context, func()) error { return r.tx.Commit() }

// Rollback ends the transaction if it is not over.
func (r run) Rollback() error {
	if err := r.tx.Rollback(); !errors.Is(err, sql.ErrTxDone) {
		return err
	}
	return nil
}

// classify says what PostgreSQL's errors mean, by SQLSTATE.
func classify(err error) (errs.Kind, string, bool) {
	e, ok := errors.AsType[*pgconn.PgError](err)
	if !ok {
		if k := errs.KindOf(err); k != errs.Internal {
			return k, errs.Safe(err), false
		}
		if lost(err) {
			return errs.Unavailable, "the connection to the database failed", false
		}
		return errs.Internal, "the database failed", false
	}
	switch e.Code {
	case "40001", "40P01": // serialization failure, deadlock
		return errs.Busy, "the database was too busy; try again", true
	case "55P03", "57014": // lock timeout, cancelled
		return errs.Busy, "the database was too busy; try again", false
	case "23505":
		return errs.Conflict, "this exists already", false
	case "23503":
		return errs.Invalid, "this names something that does not exist, or is still in use", false
	}
	switch e.Code[:2] {
	case "08", "53", "57", "58": // connection, resources, shutdown, system
		return errs.Unavailable, "the database is not available", false
	case "22":
		return errs.Invalid, "a value does not fit the database", false
	}
	return errs.Internal, "the database refused", false
}

// lost reports whether err is about the connection and not about what was asked. Whether a commit under way happened is unknown then.
func lost(err error) bool {
	if _, network := errors.AsType[net.Error](err); network {
		return true
	}
	if _, connecting := errors.AsType[*pgconn.ConnectError](err); connecting {
		return true
	}
	if pgconn.SafeToRetry(err) { // a connection of the pool that died between two statements: "conn closed"
		return true
	}
	return errors.Is(err, driver.ErrBadConn) || errors.Is(err, sql.ErrConnDone) || errors.Is(err, sql.ErrTxDone) || errors.Is(err, io.EOF) ||
		errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed)
}

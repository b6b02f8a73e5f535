package sqlite

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pressly/goose/v3"
	"modernc.org/sqlite" // also registers the driver
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/store/sqlcore"
)

//go:embed migrations/*.sql migrations-inbox/*.sql
var migrations embed.FS

// file is what the two files of a database differ in.
type file struct {
	suffix     string // of the name
	migrations string // folder; the numbers go on across both folders, see sqlcore's backup
	readers    int    // read-only connections
	cacheKiB   int    // page cache of the writer; a reader gets a quarter
}

var (
	// Pages, the API and the event readers share two cores.
	mainFile = file{"", "migrations", 4, 32 << 10}
	// The inbox is appended to at one end and read a little behind it: a rescan and a page at once.
	inboxFile = file{"-inbox", "migrations-inbox", 2, 4 << 10}
)

const (
	// busyTimeout is how long a write waits for another process on the same file, such as an import beside a running server.
	busyTimeout = 30 * time.Second
	// busyAgain is how often such a write asks. A busy process leaves the file alone for tenths of a millisecond between two commits, and
	// SQLite's own waiting asks ten times a second.
	busyAgain = 500 * time.Microsecond
	// checkpointEvery is how often the log is folded into the file beside the writer. In the writer's own commit it doubles the slowest
	// answers.
	checkpointEvery = time.Second
	// logPages bounds the log when the background cannot keep up: at 16,384 pages (64 MB) a commit folds it after all.
	logPages = 16384
)

// Open opens the database file and makes it if it is not there. The schema is brought up to date by the engine's Migrate.
func Open(ctx context.Context, path string) (sqlcore.Engine, error) {
	return openFile(ctx, path, mainFile)
}

// OpenInbox opens the file of the inbox beside the database file at path, named like it with "-inbox" at the end, as Open does. SQLite has
// one writer for each file: with a file of its own the inbox never waits for what else is written.
func OpenInbox(ctx context.Context, path string) (sqlcore.Engine, error) {
	return openFile(ctx, path, inboxFile)
}

func openFile(ctx context.Context, path string, f file) (sqlcore.Engine, error) {
	none := sqlcore.Engine{}
	if path == "" {
		return none, errs.New(errs.Invalid, "sqlite.Open", "", "the database needs a file name, as in sqlite:/var/lib/spillway/spillway.db")
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return none, &errs.Error{Kind: errs.Unavailable, Op: "sqlite.Open", Item: path, Safe: "the folder cannot be made", Cause: err}
	}
	path += f.suffix
	e := newEngine(path, f)
	if err := e.open(ctx); err != nil {
		e.close()
		return none, &errs.Error{Kind: errs.Unavailable, Op: "sqlite.Open", Item: path, Safe: "the database cannot be opened", Cause: err}
	}
	return sqlcore.Engine{Dialect: sqlcore.SQLite, Begin: e.begin, Classify: classify, Claim: e.claim, Migrate: e.migrate, Close: e.close}, nil
}

// engine holds the connections. A session is lent to one transaction at a time.
type engine struct {
	path        string
	file        file
	write, read *sql.DB
	fold        *sql.DB       // the checkpointer's
	writer      chan *session // holds the one writer session while nobody uses it
	reader      chan *session
	log         log
	flusher     *flusher
	committed   chan struct{} // tells the checkpointer that there is something to fold
	stop        chan struct{}
	background  sync.WaitGroup
	closing     sync.Once
	closed      atomic.Bool
	closeErr    error
}

func newEngine(path string, f file) *engine {
	e := &engine{path: path, file: f, log: log{path: path + "-wal"}}
	e.flusher = newFlusher(e.log.sync)
	return e
}

func (e *engine) open(ctx context.Context) error {
	e.committed, e.stop = make(chan struct{}, 1), make(chan struct{})
	e.writer, e.reader = make(chan *session, 1), make(chan *session, e.file.readers)
	common := []string{fmt.Sprintf("busy_timeout(%d)", busyTimeout.Milliseconds()), "foreign_keys(1)", "temp_store(2)"}
	var err error
	// Commits are flushed by us (see flusher). What is left for SQLite is to keep the file whole whenever the machine stops.
	if e.write, err = sql.Open("sqlite", dsn(e.path, append(common, "journal_mode(WAL)", "synchronous(NORMAL)", fmt.Sprintf("wal_autocheckpoint(%d)", logPages), fmt.Sprintf("cache_size(-%d)", e.file.cacheKiB)))); err != nil {
		return err
	}
	e.write.SetMaxOpenConns(1)
	w, err := e.session(ctx, e.write, "BEGIN IMMEDIATE")
	if err != nil {
		return err
	}
	if _, err := w.conn.ExecContext(ctx, "PRAGMA busy_timeout(0)"); err != nil { // see begin
		return errors.Join(err, w.close())
	}
	e.writer <- w
	if e.read, err = sql.Open("sqlite", dsn(e.path, append(common, "query_only(1)", fmt.Sprintf("cache_size(-%d)", e.file.cacheKiB/4)))); err != nil {
		return err
	}
	e.read.SetMaxOpenConns(e.file.readers)
	for range e.file.readers {
		e.reader <- nil // opened when first needed: most short commands never read
	}
	if e.fold, err = sql.Open("sqlite", dsn(e.path, common)); err != nil {
		return err
	}
	e.fold.SetMaxOpenConns(1)
	e.background.Go(e.checkpoint)
	return nil
}

// checkpoint folds the log into the file a moment after commits, until the engine is closed.
func (e *engine) checkpoint() {
	for {
		select {
		case <-e.stop:
			return
		case <-e.committed:
		}
		select {
		case <-e.stop:
			return
		case <-time.After(checkpointEvery):
		}
		// Passive: it waits for nobody, and what it cannot fold now it folds next time. It only saves time, so its failure is not one:
		// a full disk shows in the next commit.
		_, _ = e.fold.Exec("PRAGMA wal_checkpoint(PASSIVE)")
	}
}

func dsn(path string, pragmas []string) string {
	q := url.Values{"_pragma": pragmas}
	return (&url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath(), RawQuery: q.Encode()}).String()
}

func (e *engine) session(ctx context.Context, db *sql.DB, begin string) (*session, error) {
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil, err
	}
	s := &session{conn: conn, beginText: begin, stmts: map[string]*sql.Stmt{}, direct: map[shape]driver.Stmt{}}
	return s, nil
}

func (e *engine) begin(ctx context.Context, readOnly bool) (sqlcore.Run, error) {
	pool := e.writer
	if readOnly {
		pool = e.reader
	}
	var s *session
	select {
	case s = <-pool:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if e.closed.Load() {
		pool <- s
		return nil, errClosed
	}
	if err := e.flusher.broken(); err != nil && !readOnly {
		pool <- s
		return nil, err
	}
	if s == nil {
		var err error
		if s, err = e.session(ctx, e.read, "BEGIN"); err != nil {
			pool <- nil
			return nil, err
		}
	}
	for end := time.Now().Add(busyTimeout); ; {
		_, err := s.Exec(ctx, s.beginText)
		if err == nil {
			break
		}
		if readOnly || !busy(err) || time.Now().After(end) || ctx.Err() != nil {
			pool <- s
			return nil, err
		}
		select {
		case <-ctx.Done():
		case <-time.After(busyAgain):
		}
	}
	return &run{session: s, engine: e, pool: pool}, nil
}

var errClosed = errs.New(errs.Unavailable, "sqlite.Begin", "", "the database is closed")

// migrate brings the schema up to date on a connection of its own.
func (e *engine) migrate(ctx context.Context) error {
	db, err := sql.Open("sqlite", dsn(e.path, []string{fmt.Sprintf("busy_timeout(%d)", busyTimeout.Milliseconds()), "foreign_keys(1)"})+"&_txlock=immediate")
	if err != nil {
		return err
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	files, err := fs.Sub(migrations, e.file.migrations)
	if err != nil {
		return err
	}
	p, err := goose.NewProvider(goose.DialectSQLite3, db, files, goose.WithTableName("schema_version"), goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return err
	}
	return sqlcore.MigrateUp(ctx, p)
}

func (e *engine) close() error {
	e.closing.Do(func() {
		e.closed.Store(true)
		close(e.stop)
		e.background.Wait()
		e.release(e.reader)
		e.release(e.writer)
		e.closeErr = errors.Join(e.closeErr, e.flusher.stop(e.log.close))
		for _, db := range []*sql.DB{e.fold, e.read, e.write} { // the writer last: it folds the log into the file
			if db != nil {
				e.closeErr = errors.Join(e.closeErr, db.Close())
			}
		}
	})
	return e.closeErr
}

// release closes the sessions nobody uses. While one of their statements is open, closing the pool closes nothing: the file would stay
// open, with its log beside it.
func (e *engine) release(pool chan *session) {
	for range cap(pool) {
		select {
		case s := <-pool:
			if s != nil {
				e.closeErr = errors.Join(e.closeErr, s.close())
			}
			pool <- nil // whoever takes it sees that the engine is closed
		default:
		}
	}
}

// session is one connection with its prepared statements. Preparing costs more than running a small statement.
type session struct {
	conn      *sql.Conn
	beginText string
	stmts     map[string]*sql.Stmt
	direct    map[shape]driver.Stmt // of statements that are run with many rows
}

func (s *session) close() (err error) {
	for _, st := range s.stmts {
		err = errors.Join(err, st.Close())
	}
	for _, st := range s.direct {
		err = errors.Join(err, st.Close())
	}
	return errors.Join(err, s.conn.Close())
}

func (s *session) stmt(ctx context.Context, text string) (*sql.Stmt, error) {
	if st := s.stmts[text]; st != nil {
		return st, nil
	}
	// Not under the caller's deadline alone: the statement outlives the call.
	st, err := s.conn.PrepareContext(context.WithoutCancel(ctx), text)
	if err == nil {
		s.stmts[text] = st
	}
	return st, err
}

// Exec runs a statement on the connection.
func (s *session) Exec(ctx context.Context, text string, args ...any) (sql.Result, error) {
	st, err := s.stmt(ctx, text)
	if err != nil {
		return nil, err
	}
	return st.ExecContext(ctx, args...)
}

// Query runs a statement on the connection.
func (s *session) Query(ctx context.Context, text string, args ...any) (*sql.Rows, error) {
	st, err := s.stmt(ctx, text)
	if err != nil {
		return nil, err
	}
	return st.QueryContext(ctx, args...)
}

// run is one transaction. It gives its session back when it ends.
type run struct {
	*session
	engine *engine
	pool   chan *session
	over   bool
}

// Pipeline runs steps one after the other: there is no way to the database that several could share.
func (r *run) Pipeline(ctx context.Context, steps []*sqlcore.Step) error {
	for _, s := range steps {
		var err error
		if s.Rows != nil {
			s.Count, err = r.execRows(ctx, s)
		} else {
			err = sqlcore.InTurn(ctx, r.session, s)
		}
		if err != nil {
			return &sqlcore.StepError{Op: s.Op, Cause: err}
		}
	}
	return nil
}

// Finish is Pipeline: a commit by itself costs no way to the database.
func (r *run) Finish(ctx context.Context, steps []*sqlcore.Step) error { return r.Pipeline(ctx, steps) }

// Commit commits. When it fails before the database has it, the transaction is still open, so that Rollback ends it.
func (r *run) Commit(ctx context.Context, next func()) error {
	err := r.engine.flusher.commit(func() error {
		// Not under the caller's deadline: an interrupted commit would leave the caller in doubt for no gain.
		_, err := r.Exec(context.WithoutCancel(ctx), "COMMIT")
		return err
	})
	if err != nil {
		return err
	}
	r.end()
	select {
	case r.engine.committed <- struct{}{}:
	default:
	}
	next()
	return r.engine.flusher.wait()
}

// Rollback ends the transaction if it is not over. What a reader has read is on the disk when it returns.
func (r *run) Rollback() error {
	if r.over {
		return nil
	}
	_, err := r.Exec(context.Background(), "ROLLBACK")
	r.end()
	if sqliteErr, ok := errors.AsType[*sqlite.Error](err); ok && sqliteErr.Code() == sqlite3.SQLITE_ERROR {
		err = nil // "no transaction is active": the failure before it has rolled back already
	}
	if err == nil && r.pool == r.engine.reader {
		return r.engine.flusher.seen()
	}
	return err
}

func (r *run) end() {
	r.over = true
	r.pool <- r.session
}

// busy reports whether another process holds the file.
func busy(err error) bool {
	e, ok := errors.AsType[*sqlite.Error](err)
	return ok && e.Code()&0xff == sqlite3.SQLITE_BUSY
}

// classify says what SQLite's errors mean.
func classify(err error) (errs.Kind, string, bool) {
	e, ok := errors.AsType[*sqlite.Error](err)
	if !ok {
		if k := errs.KindOf(err); k != errs.Internal {
			return k, errs.Safe(err), false
		}
		return errs.Internal, "the database failed", false
	}
	switch e.Code() {
	case sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY, sqlite3.SQLITE_CONSTRAINT_ROWID:
		return errs.Conflict, "this exists already", false
	case sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY:
		return errs.Invalid, "this names something that does not exist, or is still in use", false
	}
	switch e.Code() & 0xff {
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		return errs.Busy, "another process holds the database; try again", true
	case sqlite3.SQLITE_FULL:
		return errs.Unavailable, "the disk is full", false
	case sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY:
		return errs.Unavailable, "the database file cannot be read or written", false
	}
	return errs.Internal, "the database refused", false
}

package sqlcore

import (
	"context"
	"database/sql"
	"errors"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"github.com/pressly/goose/v3"

	"github.com/spillway/spillway/kit/errs"
)

// maxRuns bounds how often Update runs its function when the database asks for a retry (deadlock, serialization, a row that another
// process changed meanwhile). Each round somebody else has committed, so five lost rounds in a row mean something is wrong.
const maxRuns = 5

// Engine is what a database brings: connections, and what its errors mean.
type Engine struct {
	Dialect Dialect
	// Begin starts a transaction, for writing or on a read-only snapshot. It waits for a connection as long as ctx lives.
	Begin func(ctx context.Context, readOnly bool) (Run, error)
	// Classify says what kind of failure an error of this database is and whether running the transaction again may cure it.
	Classify func(error) (kind errs.Kind, sentence string, retry bool)
	// Claim takes the database for one running program, where it serves no more than one; nil: it serves many.
	Claim func() (release func() error, err error)
	Peers Peers // how many processes wake each other; its functions are nil where there is one
	// Replica is a standby that pages are read from; nil: there is none.
	Replica *Replica
	// Migrate brings the schema to the newest version.
	Migrate func(ctx context.Context) error
	Close   func() error
}

// Run is one open transaction on one connection.
type Run interface {
	Query(ctx context.Context, text string, args ...any) (*sql.Rows, error)
	Exec(ctx context.Context, text string, args ...any) (sql.Result, error)
	// Pipeline runs steps in order, where the database is far away without waiting for each answer. It stops at the first that fails
	// and says with a *StepError which one. A step's Each may run before a later step has failed.
	Pipeline(ctx context.Context, steps []*Step) error
	// Finish is Pipeline and Commit in one go: nothing is committed unless every step succeeds. A database that gains nothing by it leaves
	// the commit to Commit, which is called in any case.
	Finish(ctx context.Context, steps []*Step) error
	// Commit returns when what was written will outlast any failure. It calls next as soon as another transaction may begin, which may be
	// before that.
	Commit(ctx context.Context, next func()) error
	// Rollback is called after a failed Commit too, and is harmless when the transaction is over. It ends a reader, whose answers count only
	// if it succeeds.
	Rollback() error
}

// Store is a database, with the inbox in it or in a file of its own. All methods may be called at once.
type Store struct {
	engine Engine
	inbox  Engine // the inbox's: the same as engine, or that of its own file
	apart  bool   // the inbox has a file of its own, so no transaction holds both
	now    func() time.Time

	leaving sync.Once
	moved   chan struct{} // closed when it was seen that the data live in another home
}

// MigrateUp runs the migrations that are missing. It refuses a database that a newer program has migrated.
func MigrateUp(ctx context.Context, p *goose.Provider) error {
	sources := p.ListSources()
	newest := sources[len(sources)-1].Version
	at, err := p.GetDBVersion(ctx)
	if err != nil {
		return errs.Wrap("store.Migrate", "", err)
	}
	if at > newest {
		return errs.New(errs.Conflict, "store.Migrate", "", "the database has schema version %d, this program knows %d: use a newer program", at, newest)
	}
	if at == newest {
		return nil
	}
	_, err = p.Up(ctx)
	return errs.Wrap("store.Migrate", "", err)
}

// New makes a store on an engine whose schema is migrated. inbox is the engine of the inbox's own file, of the same dialect; nil: the inbox
// is in the same database as all else. now nil means time.Now.
func New(e Engine, inbox *Engine, now func() time.Time) *Store {
	if now == nil {
		now = time.Now
	}
	s := &Store{engine: e, inbox: e, now: now, moved: make(chan struct{})}
	if inbox != nil {
		s.inbox, s.apart = *inbox, true
	}
	return s
}

// Dialect says which database it is: "sqlite" or "postgres".
func (s *Store) Dialect() string { return s.engine.Dialect.String() }

// Close waits for nothing: transactions under way fail.
func (s *Store) Close() error {
	if s.apart {
		return errors.Join(s.inbox.Close(), s.engine.Close())
	}
	return s.engine.Close()
}

// Update runs f in a transaction and commits it if f returns nil. f may run several times (another process won a race), so nothing
// outside the database may happen in it. When Update fails with kind Unavailable it is unknown whether it was committed: run it again
// with the same ids.
func (s *Store) Update(ctx context.Context, f func(*Tx) error) error {
	return s.UpdateAhead(ctx, f, nothing)
}

func nothing() {}

// UpdateAhead is Update that calls next when the next transaction may begin: on SQLite before this one is durable. If the transaction fails
// next may not be called, or may have been.
func (s *Store) UpdateAhead(ctx context.Context, f func(*Tx) error, next func()) error {
	return s.update(ctx, s.engine, "store.Update", f, next)
}

// UpdateInbox is Update for the inbox. On SQLite it waits for other writers of the inbox only, so that a webhook is answered whatever else
// is being written. An Update and an UpdateInbox are two commits: a crash may come between them.
func (s *Store) UpdateInbox(ctx context.Context, f func(*InboxTx) error) error {
	return s.UpdateInboxAhead(ctx, f, nothing)
}

// UpdateInboxAhead is UpdateInbox as UpdateAhead is Update.
func (s *Store) UpdateInboxAhead(ctx context.Context, f func(*InboxTx) error, next func()) error {
	return s.update(ctx, s.inbox, "store.UpdateInbox", func(tx *Tx) error { return f(&InboxTx{tx}) }, next)
}

// View runs f on a snapshot of the database that does not change while f runs. Verbs that write fail in it.
func (s *Store) View(ctx context.Context, f func(*Tx) error) error {
	_, err := s.once(ctx, s.engine, "store.View", true, f, nothing)
	return err
}

// ViewInbox is View for the inbox. Its snapshot and a View's are of two moments.
func (s *Store) ViewInbox(ctx context.Context, f func(*InboxTx) error) error {
	_, err := s.once(ctx, s.inbox, "store.ViewInbox", true, func(tx *Tx) error { return f(&InboxTx{tx}) }, nothing)
	return err
}

func (s *Store) update(ctx context.Context, e Engine, op string, f func(*Tx) error, next func()) error {
	for run := 1; ; run++ {
		again, err := s.once(ctx, e, op, false, f, next)
		if err == nil || !again || run == maxRuns || ctx.Err() != nil {
			return err
		}
		// Those who met once would meet again: part them. A millisecond is one commit.
		select {
		case <-ctx.Done():
		case <-time.After(time.Duration(rand.Int64N(int64(run) * int64(time.Millisecond)))):
		}
	}
}

func (s *Store) once(ctx context.Context, e Engine, op string, readOnly bool, f func(*Tx) error, next func()) (again bool, err error) {
	run, err := e.Begin(ctx, readOnly)
	if err != nil {
		return s.retryable(err), s.explain(ctx, op, err)
	}
	// Deferred so that a panic in f does not keep the connection; after a commit it does nothing.
	defer func() {
		if e := run.Rollback(); e != nil && err == nil && readOnly {
			err = s.explain(ctx, op, e)
		}
	}()
	tx := &Tx{ctx: ctx, run: run, store: s, now: s.now().UTC().Truncate(time.Microsecond), readOnly: readOnly, next: next}
	if err := f(tx); err != nil {
		return s.retryable(err), err
	}
	if readOnly {
		return false, nil
	}
	if tx.failed != nil {
		return s.retryable(tx.failed), errs.Wrap(op, "", tx.failed)
	}
	if err := tx.flush(); err != nil {
		return s.retryable(err), errs.Wrap(op, "", err)
	}
	if err := run.Commit(ctx, next); err != nil {
		return s.retryable(err), s.explain(ctx, op, err)
	}
	return false, nil
}

// errStale marks an error as one that reading again will cure.
var errStale = errors.New("changed by another transaction meanwhile")

// Again is the error of a function that found, in its transaction, that it must read anew: Update runs it again.
func Again(op, item string) error {
	return &errs.Error{Kind: errs.Conflict, Op: op, Item: item, Safe: "was changed by somebody else meanwhile; try again", Cause: errStale}
}

func (s *Store) retryable(err error) bool {
	if errors.Is(err, errStale) {
		return true
	}
	_, _, retry := s.engine.Classify(err)
	return retry
}

// explain turns a database's error into ours.
func (s *Store) explain(ctx context.Context, op string, err error) error {
	if _, ours := errors.AsType[*errs.Error](err); ours {
		return err
	}
	if strings.Contains(err.Error(), movedText) {
		s.noteMoved()
		return &errs.Error{Kind: errs.Unavailable, Op: op, Safe: movedText + "; what runs on that one will take this", Cause: err}
	}
	if c := ctx.Err(); c != nil {
		return &errs.Error{Kind: errs.Unavailable, Op: op, Safe: "the request was given up before the database answered", Cause: errors.Join(c, err)}
	}
	kind, sentence, _ := s.engine.Classify(err)
	return &errs.Error{Kind: kind, Op: op, Safe: sentence, Cause: err}
}

package store

import (
	"context"
	"strings"
	"time"

	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/store/postgres"
	"github.com/spillway/spillway/store/sqlcore"
	"github.com/spillway/spillway/store/sqlite"
)

// The types of package sqlcore under the names everybody uses.
type (
	Store           = sqlcore.Store
	Tx              = sqlcore.Tx
	Event           = sqlcore.Event
	InboxRow        = sqlcore.InboxRow
	InboxState      = sqlcore.InboxState
	BookRow         = sqlcore.BookRow
	Hold            = sqlcore.Hold
	Drift           = sqlcore.Drift
	Push            = sqlcore.Push
	App             = sqlcore.App
	Grant           = sqlcore.Grant
	Connection      = sqlcore.Connection
	ConnectionState = sqlcore.ConnectionState
	Watermark       = sqlcore.Watermark
	Job             = sqlcore.Job
	JobState        = sqlcore.JobState
	User            = sqlcore.User
	MinuteCount     = sqlcore.MinuteCount
)

// States, see package sqlcore.
const (
	InboxPending = sqlcore.InboxPending
	InboxDone    = sqlcore.InboxDone
	InboxParked  = sqlcore.InboxParked

	Active     = sqlcore.Active
	Paused     = sqlcore.Paused
	NeedsLogin = sqlcore.NeedsLogin
	Withdrawn  = sqlcore.Withdrawn

	JobPending = sqlcore.JobPending
	JobRunning = sqlcore.JobRunning
	JobFailed  = sqlcore.JobFailed
)

// Options change how a store is opened. The zero value is right for production.
type Options struct {
	Now func() time.Time // the clock of transactions; nil: time.Now
}

// Open opens the database at url, "sqlite:path" or "postgres://user@host:5432/name", and brings its schema up to date. Errors: Invalid
// (the URL), Unavailable (the database), Conflict (a newer program has migrated it).
func Open(ctx context.Context, url string, opt Options) (*Store, error) {
	var e sqlcore.Engine
	var err error
	switch scheme, rest, _ := strings.Cut(url, ":"); scheme {
	case "sqlite":
		e, err = sqlite.Open(ctx, strings.TrimPrefix(rest, "//"))
	case "postgres", "postgresql":
		e, err = postgres.Open(ctx, url)
	default:
		return nil, errs.New(errs.Invalid, "store.Open", "", "a database URL begins with sqlite: or postgres:")
	}
	if err != nil {
		return nil, err
	}
	if err := e.Migrate(ctx); err != nil {
		_ = e.Close() // the first error is the one to tell
		return nil, err
	}
	return sqlcore.New(e, opt.Now), nil
}

package store

import (
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/store/postgres"
	"github.com/spillway/spillway/store/sqlcore"
	"github.com/spillway/spillway/store/sqlite"
)

// The types of package sqlcore under the names everybody uses.
type (
	Store            = sqlcore.Store
	Tx               = sqlcore.Tx
	InboxTx          = sqlcore.InboxTx
	Event            = sqlcore.Event
	InboxRow         = sqlcore.InboxRow
	InboxState       = sqlcore.InboxState
	BookRow          = sqlcore.BookRow
	Hold             = sqlcore.Hold
	Drift            = sqlcore.Drift
	Push             = sqlcore.Push
	App              = sqlcore.App
	Grant            = sqlcore.Grant
	Connection       = sqlcore.Connection
	ConnectionState  = sqlcore.ConnectionState
	Watermark        = sqlcore.Watermark
	User             = sqlcore.User
	APIToken         = sqlcore.APIToken
	MinuteCount      = sqlcore.MinuteCount
	Manifest         = sqlcore.Manifest
	Maintained       = sqlcore.Maintained
	Moved            = sqlcore.Moved
	Lease            = sqlcore.Lease
	Process          = sqlcore.Process
	ReplicaState     = sqlcore.ReplicaState
	HealthDelta      = sqlcore.HealthDelta
	AccountRating    = sqlcore.AccountRating
	PolicyOverride   = sqlcore.PolicyOverride
	Node             = sqlcore.Node
	Physical         = sqlcore.Physical
	Carton           = sqlcore.Carton
	Shipment         = sqlcore.Shipment
	FloorWave        = sqlcore.FloorWave
	FloorTask        = sqlcore.FloorTask
	FloorClaim       = sqlcore.FloorClaim
	FloorTrouble     = sqlcore.FloorTrouble
	Combination      = sqlcore.Combination
	CombinationState = sqlcore.CombinationState
	Bag              = sqlcore.Bag
	CarrierManifest  = sqlcore.CarrierManifest
	ManifestParcel   = sqlcore.ManifestParcel
	ShipmentPlace    = sqlcore.ShipmentPlace
	ShipmentCount    = sqlcore.ShipmentCount
	ShipmentDocument = sqlcore.ShipmentDocument
	Route            = sqlcore.Route
	CarrierAccount   = sqlcore.CarrierAccount
	ReasonCount      = sqlcore.ReasonCount
	Incident         = sqlcore.Incident
	AlertTarget      = sqlcore.AlertTarget
	AlertDelivery    = sqlcore.AlertDelivery
	AlertSilence     = sqlcore.AlertSilence

	CustodyEntry      = sqlcore.CustodyEntry
	CustodyKey        = sqlcore.CustodyKey
	CustodyCheckpoint = sqlcore.CustodyCheckpoint
	CustodyReport     = sqlcore.CustodyReport

	Reconciliation   = sqlcore.Reconciliation
	ReconciledRate   = sqlcore.ReconciledRate
	ReconciledOrder  = sqlcore.ReconciledOrder
	AccountDeduction = sqlcore.AccountDeduction
)

// States, see package sqlcore.
const (
	InboxPending = sqlcore.InboxPending
	InboxDone    = sqlcore.InboxDone
	InboxParked  = sqlcore.InboxParked

	Active     = sqlcore.Active
	Proposed   = sqlcore.Proposed
	Joined     = sqlcore.Joined
	Declined   = sqlcore.Declined
	Rejected   = sqlcore.Rejected
	Paused     = sqlcore.Paused
	NeedsLogin = sqlcore.NeedsLogin
	Withdrawn  = sqlcore.Withdrawn

	DeliveryWaiting = sqlcore.DeliveryWaiting
	DeliverySent    = sqlcore.DeliverySent
	DeliveryFailed  = sqlcore.DeliveryFailed

	ReconciliationReading = sqlcore.ReconciliationReading
	ReconciliationDone    = sqlcore.ReconciliationDone
	ReconciliationRefused = sqlcore.ReconciliationRefused

	// AnyRate asks for the reconciled orders of all rates.
	AnyRate = sqlcore.AnyRate
)

// CatalogueSetting names the setting that changes whenever another process changed items, stock or orders, so that a running Spillway
// looks again.
const CatalogueSetting = "catalogue"

// OrdersSetting names the setting that changes whenever another process has written orders past intake.
const OrdersSetting = "orders.imported"

// Again is the error with which a function given to Update asks to be run again, see package sqlcore.
func Again(op, item string) error { return sqlcore.Again(op, item) }

// Options change how a store is opened. The zero value is right for production.
type Options struct {
	Now func() time.Time // the clock of transactions; nil: time.Now
	// Replica is the URL of a streaming standby of a PostgreSQL database, or file:path as for Open: what pages show is read there. Empty: none.
	Replica string
	// ReplicaChanged is told whenever the standby is taken into use or out of it; nil: nobody is.
	ReplicaChanged func(ReplicaState)
}

// Open opens the database at url, "sqlite:path" or "postgres://user@host:5432/name", and brings its schema up to date. SQLite keeps the inbox
// in a second file, path with "-inbox" at the end. "file:path" names a file that holds the URL, for those with a password in it; PostgreSQL's
// own passfile=path in the URL serves as well. Errors: Invalid (the URL), NotFound (its file), Unavailable (the database), Conflict (a
// newer program has migrated it).
func Open(ctx context.Context, url string, opt Options) (*Store, error) {
	st, err := openAny(ctx, url, opt)
	if err != nil {
		return nil, err
	}
	if err := st.Usable(ctx); err != nil {
		_ = st.Close() // the first error is the one to tell
		return nil, err
	}
	return st, nil
}

// openAny is Open for homes of every state.
func openAny(ctx context.Context, url string, opt Options) (*Store, error) {
	url, err := fromFile(url)
	if err != nil {
		return nil, err
	}
	if opt.Replica, err = fromFile(opt.Replica); err != nil {
		return nil, err
	}
	switch scheme, rest, _ := strings.Cut(url, ":"); scheme {
	case "sqlite":
		if opt.Replica != "" {
			return nil, errs.New(errs.Invalid, "store.Open", "", "only a PostgreSQL database has replicas")
		}
		path := strings.TrimPrefix(rest, "//")
		all, err := ready(ctx, path, sqlite.Open)
		if err != nil {
			return nil, err
		}
		inbox, err := ready(ctx, path, sqlite.OpenInbox)
		if err != nil {
			_ = all.Close() // the first error is the one to tell
			return nil, err
		}
		return sqlcore.New(all, &inbox, opt.Now), nil
	case "postgres", "postgresql":
		all, err := ready(ctx, url, opt.postgres)
		if err != nil {
			return nil, err
		}
		return sqlcore.New(all, nil, opt.Now), nil
	}
	return nil, errs.New(errs.Invalid, "store.Open", "", "a database URL begins with sqlite: or postgres:")
}

// postgres opens a PostgreSQL database, with its standby if there is one.
func (o Options) postgres(ctx context.Context, url string) (sqlcore.Engine, error) {
	if o.Replica == "" {
		return postgres.Open(ctx, url)
	}
	return postgres.OpenReplicated(ctx, url, o.Replica, o.ReplicaChanged)
}

// maxURL bounds the file of a URL: a longer one is another file.
const maxURL = 4096

// fromFile reads a URL from the file it names, if it names one.
func fromFile(url string) (string, error) {
	path, ok := strings.CutPrefix(url, "file:")
	if !ok {
		return url, nil
	}
	f, err := os.Open(path)
	if err != nil {
		return "", &errs.Error{Kind: errs.NotFound, Op: "store.Open", Item: path, Safe: "the file with the database URL cannot be opened", Cause: err}
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxURL))
	if inner := strings.TrimSpace(string(text)); err == nil && len(text) < maxURL && inner != "" && !strings.HasPrefix(inner, "file:") {
		return inner, nil
	}
	return "", errs.New(errs.Invalid, "store.Open", path, "the file does not hold a database URL")
}

// ready opens an engine and brings its schema up to date.
func ready(ctx context.Context, at string, open func(context.Context, string) (sqlcore.Engine, error)) (sqlcore.Engine, error) {
	e, err := open(ctx, at)
	if err != nil {
		return e, err
	}
	if err := e.Migrate(ctx); err != nil {
		_ = e.Close() // the first error is the one to tell
		return e, err
	}
	return e, nil
}

// Restore fills the empty database at url from the backup at path, all or nothing; the ledger is proved before it counts. A backup of one
// kind of database may be restored into the other. Errors: NotFound (the file), Conflict (not empty, or from a newer program), Invalid
// (damaged).
func Restore(ctx context.Context, url, path string) (err error) {
	f, err := os.Open(path)
	if err != nil {
		return &errs.Error{Kind: errs.NotFound, Op: "store.Restore", Item: path, Safe: "the backup cannot be opened", Cause: err}
	}
	defer f.Close()
	st, err := Open(ctx, url, Options{})
	if err != nil {
		return err
	}
	_, err = st.RestoreFrom(ctx, f)
	return errors.Join(err, st.Close())
}

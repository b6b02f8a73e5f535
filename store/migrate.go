package store

import (
	"context"
	"errors"

	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/store/sqlcore"
)

// MigrateData moves everything from one home to an empty other one, of the same kind of database or the other; see [Store.MoveTo]. No process
// may work on the old home meanwhile: those that do are kept waiting, and refused at their next start. Errors as of Open and MoveTo.
func MigrateData(ctx context.Context, from, to string, shown sqlcore.Progress) (m Moved, err error) {
	err = between(ctx, from, to, Open, func(old, home *Store) error {
		m, err = old.MoveTo(ctx, home, shown)
		return err
	})
	return m, err
}

// MigrateOnline moves everything from a SQLite home to an empty PostgreSQL database while the processes of the old home work; see
// [Store.MoveOnline].
func MigrateOnline(ctx context.Context, from, to string, shown sqlcore.Progress) (m Moved, err error) {
	err = between(ctx, from, to, openAny, func(old, home *Store) error {
		m, err = old.MoveOnline(ctx, home, shown)
		return err
	})
	return m, err
}

// UndoMove makes a home usable again that was moved, or whose move was cut off; to is the home it was moved to, empty if that is lost for
// good. See [sqlcore.UndoMove].
func UndoMove(ctx context.Context, from, to string) error {
	if to != "" {
		return between(ctx, from, to, openAny, func(old, home *Store) error { return sqlcore.UndoMove(ctx, old, home) })
	}
	old, err := openAny(ctx, from, Options{})
	if err != nil {
		return err
	}
	return errors.Join(sqlcore.UndoMove(ctx, old, nil), old.Close())
}

// between runs f with two homes.
func between(ctx context.Context, from, to string, open func(context.Context, string, Options) (*Store, error), f func(old, home *Store) error) (err error) {
	if from == to {
		return errs.New(errs.Invalid, "store.MigrateData", "", "both homes are the same")
	}
	old, err := open(ctx, from, Options{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, old.Close()) }()
	home, err := open(ctx, to, Options{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, home.Close()) }()
	return f(old, home)
}

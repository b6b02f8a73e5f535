package store

import (
	"context"
	"errors"

	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/store/sqlcore"
)

// MigrateData moves everything from one home to an empty other one, of the same kind of database or the other; see [Store.MoveTo]. No process
// may work on the old home meanwhile: those that do are kept waiting, and refused at their next start. Errors as of Open and MoveTo.
func MigrateData(ctx context.Context, from, to string, shown sqlcore.Progress) (_ Moved, err error) {
	if from == to {
		return Moved{}, errs.New(errs.Invalid, "store.MigrateData", "", "both homes are the same")
	}
	old, err := Open(ctx, from, Options{})
	if err != nil {
		return Moved{}, err
	}
	defer func() { err = errors.Join(err, old.Close()) }()
	home, err := Open(ctx, to, Options{})
	if err != nil {
		return Moved{}, err
	}
	defer func() { err = errors.Join(err, home.Close()) }()
	return old.MoveTo(ctx, home, shown)
}

// refuseMoved refuses a home whose data live in another one now.
func refuseMoved(ctx context.Context, st *Store) error {
	return st.View(ctx, func(tx *Tx) error {
		at, moved, err := tx.SettingGet(sqlcore.MovedSetting)
		if err == nil && moved {
			err = errs.New(errs.Conflict, "store.Open", "", "the data of this home were moved to another one at %s; give that one's URL", at)
		}
		return err
	})
}

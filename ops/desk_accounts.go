package ops

import (
	"context"
	"time"

	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/ops/view"
	"github.com/spillway/spillway/store"
)

// firstRole is what the first user may do: everything.
const firstRole = "owner"

// UserCount counts the people who may sign in. Zero means the first set-up is still to come.
func (d *Desk) UserCount(ctx context.Context) (n int64, err error) {
	err = d.read(ctx, "ops.UserCount", "", func(tx *store.Tx) error {
		n, err = tx.UserCount()
		return err
	})
	return n, err
}

// CreateFirstUser makes the first user. Errors: Conflict when there is one already, also when two ask at once.
func (d *Desk) CreateFirstUser(ctx context.Context, u view.User) error {
	row := store.User{ID: u.ID, Email: u.Email, Name: u.Name, PasswordHash: u.PasswordHash, Role: firstRole, CreatedAt: u.CreatedAt}
	return errs.Wrap("ops.CreateFirstUser", "", d.x.st.Update(ctx, func(tx *store.Tx) error { return tx.UserPutFirst(row) }))
}

// UserByEmail finds a user. Errors: NotFound.
func (d *Desk) UserByEmail(ctx context.Context, email string) (view.User, error) {
	var u store.User
	err := d.read(ctx, "ops.UserByEmail", "", func(tx *store.Tx) (err error) {
		u, err = tx.UserByEmail(email)
		return err
	})
	return view.User{ID: u.ID, Email: u.Email, Name: u.Name, PasswordHash: u.PasswordHash, CreatedAt: u.CreatedAt}, err
}

// SessionFind reads a session; false for unknown and expired ones.
func (d *Desk) SessionFind(ctx context.Context, token string) (data []byte, found bool, err error) {
	err = d.read(ctx, "ops.SessionFind", "", func(tx *store.Tx) error {
		data, found, err = tx.SessionFind(token)
		return err
	})
	return data, found, err
}

// SessionCommit creates or replaces a session.
func (d *Desk) SessionCommit(ctx context.Context, token string, data []byte, expires time.Time) error {
	return errs.Wrap("ops.SessionCommit", "", d.x.st.Update(ctx, func(tx *store.Tx) error { return tx.SessionCommit(token, data, expires) }))
}

// SessionDelete ends a session; it is no error if there is none.
func (d *Desk) SessionDelete(ctx context.Context, token string) error {
	return errs.Wrap("ops.SessionDelete", "", d.x.st.Update(ctx, func(tx *store.Tx) error { return tx.SessionDelete(token) }))
}

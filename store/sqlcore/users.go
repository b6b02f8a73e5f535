package sqlcore

import (
	"database/sql"
	"strings"
	"time"

	"github.com/spillway/spillway/kit/errs"
)

// User may sign in. PasswordHash is made by the caller.
type User struct {
	ID, Email, Name, PasswordHash, Role string
	CreatedAt                           time.Time
}

var (
	userCols = []col{{"id", text}, {"email", text}, {"name", text}, {"password_hash", text}, {"role", text}, {"created_at", bigint}}

	userPut     = insert("store.UserPut", "app_user", userCols, upsert("id", userCols[1:5]))
	userByEmail = def("store.UserByEmail", "SELECT id, email, name, password_hash, role, created_at FROM app_user WHERE email = $1")
	userCount   = def("store.UserCount", "SELECT count(*) FROM app_user")

	sessionCommit = insert("store.SessionCommit", "session", []col{{"token", text}, {"data", bytea}, {"expires_at", bigint}},
		upsert("token", []col{{"data", bytea}, {"expires_at", bigint}}))
	sessionFind   = def("store.SessionFind", "SELECT data FROM session WHERE token = $1 AND expires_at > $2")
	sessionDelete = def("store.SessionDelete", "DELETE FROM session WHERE token = $1")
	sessionPrune  = def("store.SessionPrune", "DELETE FROM session WHERE expires_at <= $1")

	settingGet = def("store.SettingGet", "SELECT value FROM setting WHERE name = $1")
	settingSet = insert("store.SettingSet", "setting", []col{{"name", text}, {"value", text}}, upsert("name", []col{{"value", text}}))
)

// UserPut creates or changes a user. E-mail addresses are kept in lower case. Errors: Conflict (the address belongs to another user).
func (tx *Tx) UserPut(u User) error {
	if u.ID == "" || u.Email == "" {
		return errs.New(errs.Invalid, "store.UserPut", u.ID, "a user needs an id and an e-mail address")
	}
	if u.CreatedAt.IsZero() {
		u.CreatedAt = tx.now
	}
	_, err := tx.bulk(userPut, [][]any{{u.ID, strings.ToLower(u.Email), u.Name, u.PasswordHash, u.Role, us(u.CreatedAt)}})
	return err
}

func scanUser(r *sql.Rows, u *User) error {
	var created int64
	err := r.Scan(&u.ID, &u.Email, &u.Name, &u.PasswordHash, &u.Role, &created)
	u.CreatedAt = when(created)
	return err
}

// UserByEmail reads a user by e-mail address in any case of letters. Errors: NotFound.
func (tx *Tx) UserByEmail(email string) (User, error) {
	u, ok, err := one(tx, userByEmail, scanUser, strings.ToLower(email))
	if err == nil && !ok {
		return u, errs.New(errs.NotFound, "store.UserByEmail", "", "there is no such user")
	}
	return u, err
}

// UserCount counts users. Zero means the first set-up is still to come.
func (tx *Tx) UserCount() (int64, error) {
	n, _, err := one(tx, userCount, scanOne[int64])
	return n, err
}

// SessionFind reads a session that has not expired.
func (tx *Tx) SessionFind(token string) (data []byte, found bool, err error) {
	return one(tx, sessionFind, scanOne[[]byte], token, us(tx.now))
}

// SessionCommit creates or replaces a session.
func (tx *Tx) SessionCommit(token string, data []byte, expires time.Time) error {
	_, err := tx.bulk(sessionCommit, [][]any{{token, bytesOf(data), us(expires)}})
	return err
}

// SessionDelete ends a session; it is no error if there is none.
func (tx *Tx) SessionDelete(token string) error {
	_, err := tx.exec(sessionDelete, token)
	return err
}

// SessionPrune deletes expired sessions.
func (tx *Tx) SessionPrune() error {
	_, err := tx.exec(sessionPrune, us(tx.now))
	return err
}

// SettingGet reads a setting.
func (tx *Tx) SettingGet(name string) (value string, found bool, err error) {
	return one(tx, settingGet, scanOne[string], name)
}

// SettingSet writes a setting.
func (tx *Tx) SettingSet(name, value string) error {
	_, err := tx.bulk(settingSet, [][]any{{name, value}})
	return err
}

package storybook

import (
	"context"
	"sync"
	"time"

	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/ops/view"
)

// accounts keeps users and sessions.
type accounts struct {
	accountsMu sync.Mutex
	users      map[string]view.User
	sessions   map[string]session
}

type session struct {
	data    []byte
	expires time.Time
}

// UserCount counts users.
func (a *accounts) UserCount(context.Context) (int64, error) {
	a.accountsMu.Lock()
	defer a.accountsMu.Unlock()
	return int64(len(a.users)), nil
}

// CreateFirstUser keeps u unless there is a user already.
func (a *accounts) CreateFirstUser(_ context.Context, u view.User) error {
	a.accountsMu.Lock()
	defer a.accountsMu.Unlock()
	if len(a.users) > 0 {
		return errs.New(errs.Conflict, "storybook.CreateFirstUser", "", "There is a user already. Sign in instead.")
	}
	a.users[u.Email] = u
	return nil
}

// UserByEmail finds a user.
func (a *accounts) UserByEmail(_ context.Context, email string) (view.User, error) {
	a.accountsMu.Lock()
	defer a.accountsMu.Unlock()
	u, ok := a.users[email]
	if !ok {
		return u, errs.New(errs.NotFound, "storybook.UserByEmail", "", "There is no such user.")
	}
	return u, nil
}

// SessionFind finds a session.
func (a *accounts) SessionFind(_ context.Context, token string) ([]byte, bool, error) {
	a.accountsMu.Lock()
	defer a.accountsMu.Unlock()
	s, ok := a.sessions[token]
	return s.data, ok, nil
}

// SessionCommit keeps a session.
func (a *accounts) SessionCommit(_ context.Context, token string, data []byte, expires time.Time) error {
	a.accountsMu.Lock()
	defer a.accountsMu.Unlock()
	a.sessions[token] = session{data, expires}
	return nil
}

// SessionDelete forgets a session.
func (a *accounts) SessionDelete(_ context.Context, token string) error {
	a.accountsMu.Lock()
	defer a.accountsMu.Unlock()
	delete(a.sessions, token)
	return nil
}

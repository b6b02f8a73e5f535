package web

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/alexedwards/scs/v2"

	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/ops/view"
)

// sessionLife is how long one sign-in lasts: a week, so that a wall screen survives the weekend, and no longer.
const sessionLife = 7 * 24 * time.Hour

// Keys of what a session holds.
const (
	keyUser  = "user"  // email of who is signed in
	keyDemo  = "demo"  // signed in without a password
	keyToast = "toast" // sentence to show once
	keyUndo  = "undo"  // what the toast offers to undo
)

// sessionStore lets scs keep sessions in the backend.
type sessionStore struct{ b Accounts }

func (s sessionStore) FindCtx(ctx context.Context, token string) ([]byte, bool, error) {
	return s.b.SessionFind(ctx, token)
}

func (s sessionStore) CommitCtx(ctx context.Context, token string, b []byte, expiry time.Time) error {
	return s.b.SessionCommit(ctx, token, b, expiry)
}

func (s sessionStore) DeleteCtx(ctx context.Context, token string) error {
	return s.b.SessionDelete(ctx, token)
}

// The verbs without a context are part of scs's interface; scs calls those with one when they exist.
func (s sessionStore) Find(token string) ([]byte, bool, error) {
	return s.FindCtx(context.Background(), token)
}

func (s sessionStore) Commit(token string, b []byte, expiry time.Time) error {
	return s.CommitCtx(context.Background(), token, b, expiry)
}

func (s sessionStore) Delete(token string) error { return s.DeleteCtx(context.Background(), token) }

func newSessions(b Accounts, o Options) *scs.SessionManager {
	m := scs.New()
	m.Store = sessionStore{b}
	m.HashTokenInStore = true // a stolen database must not sign anybody in
	m.Lifetime = sessionLife
	m.Cookie.Name = "spillway"
	if o.SecureCookies {
		m.Cookie.Name = "__Host-spillway" // browsers then refuse it from plain http and from other hosts' subdomains
	}
	m.Cookie.Secure = o.SecureCookies
	m.Cookie.HttpOnly = true
	m.Cookie.SameSite = http.SameSiteLaxMode
	m.ErrorFunc = func(w http.ResponseWriter, r *http.Request, err error) {
		o.Log.ErrorContext(r.Context(), "session store", "error", err)
		http.Error(w, "Sessions cannot be read right now. Try again in a moment.", http.StatusServiceUnavailable)
	}
	return m
}

// user is who is signed in; empty: nobody. A session of the demo counts only where the demo runs.
func (s *Site) user(ctx context.Context) string {
	if s.o.DemoUser == "" && s.sessions.GetBool(ctx, keyDemo) {
		return ""
	}
	return s.sessions.GetString(ctx, keyUser)
}

// signIn starts a session for email under a new token, so that one planted before the sign-in is worth nothing.
func (s *Site) signIn(ctx context.Context, email string, demo bool) error {
	if err := s.sessions.RenewToken(ctx); err != nil {
		return errs.Wrap("web.signIn", "", err)
	}
	s.sessions.Put(ctx, keyUser, email)
	s.sessions.Put(ctx, keyDemo, demo)
	return nil
}

// public registers an address that needs no session.
func (s *Site) public(m *http.ServeMux, pattern string, a action) {
	m.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		if err := a(w, r); err != nil {
			s.fail(w, r, err)
		}
	})
}

// private registers an address that needs a session. Without one a page leads to sign-in and back; anything else is refused.
// Strangers get no session, so that nobody can fill the store by asking.
func (s *Site) private(m *http.ServeMux, pattern string, a action) {
	s.public(m, pattern, func(w http.ResponseWriter, r *http.Request) error {
		if s.user(r.Context()) != "" {
			s.wrote(w, r)
			return a(w, r)
		}
		if email := s.autoUser(r); email != "" {
			if err := s.signIn(r.Context(), email, true); err != nil {
				return err
			}
			s.wrote(w, r)
			return a(w, r)
		}
		if r.Method != http.MethodGet || isFragment(r) {
			return errs.New(errs.Unauthenticated, "web", "", "You are signed out. Sign in and do it again.")
		}
		http.Redirect(w, r, string(query("/login", "next", after(r))), http.StatusSeeOther)
		return nil
	})
}

// after is where a visitor wants to be after signing in; empty: the overview.
func after(r *http.Request) string {
	if r.URL.Path == "/" || r.URL.Query().Has("live") {
		return ""
	}
	return r.URL.RequestURI()
}

// localPath is to when it is an address of ours, else the overview: a sign-in must not send people to other sites.
func localPath(to string) string {
	u, err := url.Parse(to)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil || strings.ContainsAny(to, "\\\t\r\n") {
		return "/"
	}
	if !strings.HasPrefix(to, "/") || strings.HasPrefix(to, "//") {
		return "/"
	}
	return to
}

// toast is a sentence shown once after an action, with its undo.
type toast struct{ Text, Undo string }

// finish keeps what was done for the next page and sends the browser there.
func (s *Site) finish(w http.ResponseWriter, r *http.Request, d view.Done, to string) error {
	s.sessions.Put(r.Context(), keyToast, d.Sentence)
	s.sessions.Put(r.Context(), keyUndo, d.Undo)
	http.Redirect(w, r, to, http.StatusSeeOther)
	return nil
}

func (s *Site) takeToast(ctx context.Context) toast {
	if !s.sessions.Exists(ctx, keyToast) {
		return toast{}
	}
	return toast{Text: s.sessions.PopString(ctx, keyToast), Undo: s.sessions.PopString(ctx, keyUndo)}
}

package web

import (
	"crypto/subtle"
	"net/http"
	"strings"

	"github.com/spillway/spillway/kit/errs"
	"github.com/spillway/spillway/kit/id"
	"github.com/spillway/spillway/ops/view"
)

// showSetup is the form for the first user; once there is one, it leads to sign-in.
func (s *Site) showSetup(w http.ResponseWriter, r *http.Request) error {
	n, err := s.b.UserCount(r.Context())
	if err != nil {
		return err
	}
	if n > 0 {
		http.Redirect(w, r, "/login", http.StatusSeeOther)
		return nil
	}
	return s.setupAgain(w, r, http.StatusOK, "", "", "")
}

// setup makes the first user and signs them in. The backend refuses a second one, also when two ask at once.
func (s *Site) setup(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	f := readForm(ctx, r)
	name, email := f.text("name", "Name", true), strings.ToLower(f.text("email", "Email", true))
	password, code := f.r.PostForm.Get("password"), f.r.PostForm.Get("code")
	if f.err == nil && !strings.Contains(email, "@") {
		f.bad("email", "Email must have an @.")
	}
	if f.err != nil {
		return s.setupAgain(w, r, http.StatusUnprocessableEntity, name, email, errs.Safe(f.err))
	}
	if why := weakPassword(password, email); why != "" {
		return s.setupAgain(w, r, http.StatusUnprocessableEntity, name, email, why)
	}
	if !s.logins.allow("set-up " + source(r)) {
		return s.setupAgain(w, r, http.StatusTooManyRequests, name, email, "Too many attempts. Wait a minute, then try again.")
	}
	if s.o.SetupCode != "" && subtle.ConstantTimeCompare([]byte(strings.TrimSpace(code)), []byte(s.o.SetupCode)) != 1 {
		return s.setupAgain(w, r, http.StatusForbidden, name, email, "This is not the set-up code Spillway printed.")
	}
	if n, err := s.b.UserCount(ctx); err != nil || n > 0 {
		return orConflict(err)
	}
	hash, err := s.hashPassword(ctx, password)
	if err != nil {
		return err
	}
	u := view.User{ID: id.New(), Email: email, Name: name, PasswordHash: hash, CreatedAt: s.o.Now().UTC()}
	if err := s.b.CreateFirstUser(ctx, u); err != nil {
		return err
	}
	s.o.Log.InfoContext(ctx, "first user created")
	if err := s.signIn(ctx, email, false); err != nil {
		return err
	}
	http.Redirect(w, r, "/", http.StatusSeeOther)
	return nil
}

// orConflict is err, or the refusal of a second first user.
func orConflict(err error) error {
	if err != nil {
		return err
	}
	return errs.New(errs.Conflict, "web.setup", "", "There is a user already. Sign in instead.")
}

func (s *Site) setupAgain(w http.ResponseWriter, r *http.Request, status int, name, email, why string) error {
	return s.write(r.Context(), w, status, gate(s.assets, "Welcome", setupForm(name, email, why, s.o.SetupCode != "")))
}

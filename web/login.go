package web

import (
	"net/http"
	"strings"

	"github.com/spillway/spillway/kit/errs"
)

// showLogin is the sign-in page; while there is no user at all it leads to the first set-up.
func (s *Site) showLogin(w http.ResponseWriter, r *http.Request) error {
	n, err := s.b.UserCount(r.Context())
	if err != nil {
		return err
	}
	if s.user(r.Context()) != "" || s.autoUser(r) != "" {
		http.Redirect(w, r, "/", http.StatusSeeOther)
		return nil
	}
	if n == 0 {
		http.Redirect(w, r, "/setup", http.StatusSeeOther)
		return nil
	}
	return s.write(r.Context(), w, http.StatusOK, gate(s.assets, "Sign in", loginForm("", r.URL.Query().Get("next"), "")))
}

// login checks email and password. Who is unknown and who mistyped get the same answer in the same time.
func (s *Site) login(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	f := readForm(ctx, r)
	email, password := strings.ToLower(f.text("email", "Email", true)), f.r.PostForm.Get("password")
	if f.err != nil {
		return s.loginAgain(w, r, http.StatusUnprocessableEntity, email, errs.Safe(f.err))
	}
	if !s.logins.allow("from "+source(r), "as "+email) {
		w.Header().Set("Retry-After", "60")
		return s.loginAgain(w, r, http.StatusTooManyRequests, email, "Too many attempts. Wait a minute, then try again.")
	}
	ok, err := s.passwordOf(r, email, password)
	if err != nil {
		return err
	}
	if !ok {
		s.o.Log.WarnContext(ctx, "sign-in refused", "from", source(r))
		return s.loginAgain(w, r, http.StatusUnauthorized, email, "Email and password do not belong together.")
	}
	s.logins.forget("from "+source(r), "as "+email)
	if err := s.signIn(ctx, email, false); err != nil {
		return err
	}
	http.Redirect(w, r, localPath(f.r.PostForm.Get("next")), http.StatusSeeOther)
	return nil
}

// passwordOf reports whether password is the one of email. An unknown email costs a hash all the same.
func (s *Site) passwordOf(r *http.Request, email, password string) (bool, error) {
	if len(password) > maxPassword {
		return false, nil
	}
	hash := absentHash
	u, err := s.b.UserByEmail(r.Context(), email)
	if err == nil {
		hash = u.PasswordHash
	} else if !errs.Is(err, errs.NotFound) {
		return false, err
	}
	ok, herr := s.checkPassword(r.Context(), password, hash)
	return ok && err == nil, herr
}

func (s *Site) loginAgain(w http.ResponseWriter, r *http.Request, status int, email, why string) error {
	return s.write(r.Context(), w, status, gate(s.assets, "Sign in", loginForm(email, r.PostForm.Get("next"), why)))
}

// logout forgets the session here and in the store.
func (s *Site) logout(w http.ResponseWriter, r *http.Request) error {
	if err := s.sessions.Destroy(r.Context()); err != nil {
		return errs.Wrap("web.logout", "", err)
	}
	http.Redirect(w, r, "/login", http.StatusSeeOther)
	return nil
}

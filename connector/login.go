package connector

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/failsafe-go/failsafe-go"
	"github.com/failsafe-go/failsafe-go/retrypolicy"
	"golang.org/x/sync/singleflight"

	"github.com/spillway/spillway/connector/driver"
	"github.com/spillway/spillway/kit/errs"
)

// Bounds of renewing a login.
const (
	renewTime    = 45 * time.Second // all attempts together
	renewRetries = 2
	renewPause   = time.Minute // after a failed renewal ahead of time, while the old token still works
	renewEarly   = time.Hour   // before the access token ends; longer than any outage we want to notice from it
	earlyShare   = 4           // but never more than a quarter of the token's life ahead
)

// LoginOptions is what a Login needs. Load and Save are the caller's store; the grant's tokens should be sealed there.
type LoginOptions struct {
	Vendor driver.Vendor
	App    driver.App
	Client *http.Client
	// Load returns the stored grant.
	Load func(ctx context.Context) (driver.Grant, error)
	// Save replaces old by fresh if old is still the stored one. Where another process was faster it fails with errs.Conflict.
	Save func(ctx context.Context, old, fresh driver.Grant) error
	Now  func() time.Time // nil: time.Now
	// Alone waits until no other process renews this login, and returns what to call when done: a refresh token may work once only.
	// nil: there is no other process.
	Alone func(ctx context.Context) (done func(), err error)
}

// Login is one seller's consent in use: it hands out the access token, renews it ahead of its end, and renews it at once
// when the vendor refuses it, with one renewal under way at a time however many sessions share it. It is safe for
// concurrent use. Sessions of several shops under one consent must share one Login, since a refresh token may work once only.
type Login struct {
	o     LoginOptions
	one   singleflight.Group
	mu    sync.Mutex
	grant driver.Grant // zero until loaded
	since time.Time    // when grant was loaded or renewed
	// unsaved is what grant replaces in the store while Save has not succeeded; nil when all is stored.
	unsaved *driver.Grant
	notTry  time.Time // no renewal ahead of time before this
}

// NewLogin makes a Login.
func NewLogin(o LoginOptions) *Login {
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Login{o: o}
}

// Tokens is what a Session takes.
func (l *Login) Tokens() Tokens { return Tokens{Current: l.Token, Renew: l.Renew} }

// Token returns a token that is good now, renewed if its end is near. If renewing ahead of time fails, the old token is
// used until its end.
func (l *Login) Token(ctx context.Context) (string, error) {
	g, err := l.current(ctx)
	if err != nil {
		return "", err
	}
	if l.pending() { // the store was down when the token was renewed; a crash now would lose the login
		_, _, _ = l.one.Do("store", func() (any, error) { return nil, l.store(ctx) })
	}
	now := l.o.Now()
	if g.AccessExpiresAt.IsZero() || now.Before(l.renewAt(g)) {
		return g.AccessToken, nil
	}
	ended := !now.Before(g.AccessExpiresAt)
	l.mu.Lock()
	waiting := now.Before(l.notTry)
	l.mu.Unlock()
	if waiting && !ended {
		return g.AccessToken, nil
	}
	err = l.Renew(ctx, g.AccessToken)
	switch {
	case err == nil:
		g, err = l.current(ctx)
		return g.AccessToken, err
	case ended:
		return "", err
	default:
		l.mu.Lock()
		l.notTry = now.Add(renewPause)
		l.mu.Unlock()
		return g.AccessToken, nil
	}
}

// renewAt is when g's access token should be renewed.
func (l *Login) renewAt(g driver.Grant) time.Time {
	l.mu.Lock()
	life := g.AccessExpiresAt.Sub(l.since)
	l.mu.Unlock()
	return g.AccessExpiresAt.Add(-min(renewEarly, max(life, 0)/earlyShare))
}

func (l *Login) current(ctx context.Context) (driver.Grant, error) {
	l.mu.Lock()
	g, loaded := l.grant, !l.since.IsZero()
	l.mu.Unlock()
	if loaded {
		return g, nil
	}
	return l.load(ctx)
}

func (l *Login) load(ctx context.Context) (driver.Grant, error) {
	g, err := l.o.Load(ctx)
	if err != nil {
		return driver.Grant{}, errs.Wrap("connector.Login", "", err)
	}
	if g.AccessToken == "" {
		return driver.Grant{}, &driver.Error{Class: driver.AskHuman, Message: "the seller has not connected this account, or has disconnected it"}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.grant, l.since = g, l.o.Now()
	return g, nil
}

// Renew gets a new token unless the present one already is another than refused. Callers at the same time share one
// renewal; a caller that goes away does not end it for the others.
func (l *Login) Renew(ctx context.Context, refused string) error {
	done := l.one.DoChan("renew", func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), renewTime)
		defer cancel()
		return nil, l.renew(ctx, refused)
	})
	select {
	case r := <-done:
		return r.Err
	case <-ctx.Done():
		return &driver.Error{Class: driver.Retry, Cause: ctx.Err()}
	}
}

func (l *Login) renew(ctx context.Context, refused string) error {
	g, err := l.current(ctx)
	if err != nil {
		return err
	}
	if err := l.store(ctx); err != nil {
		return err // the fresh grant must be safe before it may be used up
	}
	if g.AccessToken != refused && refused != "" {
		return nil // somebody was faster
	}
	if l.o.Alone != nil {
		done, err := l.o.Alone(ctx)
		if err != nil {
			return errs.Wrap("connector.Login", "", err)
		}
		defer done()
	}
	if stored, err := l.load(ctx); err != nil || stored.AccessToken != g.AccessToken {
		return err // another process was faster
	}
	fresh, err := l.refresh(ctx, g)
	if err != nil {
		return err
	}
	l.mu.Lock()
	l.grant, l.since, l.unsaved, l.notTry = fresh, l.o.Now(), &g, time.Time{}
	l.mu.Unlock()
	return l.store(ctx)
}

// Reload takes the grant from the store at the next use: call it when the seller has agreed anew or consent was withdrawn.
// A renewed grant that could not be stored yet is given up, since the new consent replaces it.
func (l *Login) Reload() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.grant, l.since, l.unsaved, l.notTry = driver.Grant{}, time.Time{}, nil, time.Time{}
}

func (l *Login) pending() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.unsaved != nil
}

// store saves the present grant if that has not succeeded yet.
func (l *Login) store(ctx context.Context) error {
	l.mu.Lock()
	fresh, old := l.grant, l.unsaved
	l.mu.Unlock()
	if old == nil {
		return nil
	}
	err := l.o.Save(ctx, *old, fresh)
	if err != nil && !errs.Is(err, errs.Conflict) {
		return errs.Wrap("connector.Login", "", err)
	}
	l.mu.Lock()
	l.unsaved = nil
	l.mu.Unlock()
	if err != nil {
		_, err = l.load(ctx)
	}
	return err
}

// refresh asks the vendor, again where the failure is passing: the old refresh token is all there is to ask with.
func (l *Login) refresh(ctx context.Context, old driver.Grant) (driver.Grant, error) {
	var fresh driver.Grant
	var last error
	policy := retrypolicy.NewBuilder[any]().
		HandleIf(func(_ any, err error) bool { return err != nil && passing(err) }).
		WithMaxRetries(renewRetries).WithBackoff(firstBackoff*2, maxBackoff).WithJitterFactor(jitter).ReturnLastFailure().Build()
	err := failsafe.With[any](policy).WithContext(ctx).Run(func() (err error) {
		fresh, last = l.o.Vendor.Refresh(ctx, l.o.App, l.o.Client, old)
		return last
	})
	if fresh.AccessToken != "" && last == nil {
		return keepOld(fresh, old), nil
	}
	if last == nil {
		last = err
	}
	if e, ok := errors.AsType[*driver.Error](last); ok {
		return driver.Grant{}, clean(e, l.o.App.Secret, old.AccessToken, old.RefreshToken)
	}
	return driver.Grant{}, last
}

// keepOld fills what a vendor's answer to a refresh leaves out.
func keepOld(fresh, old driver.Grant) driver.Grant {
	if fresh.RefreshToken == "" {
		fresh.RefreshToken, fresh.RefreshExpires = old.RefreshToken, old.RefreshExpires
	}
	if fresh.Subject == "" {
		fresh.Subject = old.Subject
	}
	if fresh.SellerName == "" {
		fresh.SellerName = old.SellerName
	}
	if len(fresh.Scopes) == 0 {
		fresh.Scopes = old.Scopes
	}
	if len(fresh.Shops) == 0 {
		fresh.Shops = old.Shops
	}
	return fresh
}

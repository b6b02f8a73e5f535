package connector

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/spillway/spillway/connector/driver"
	"github.com/spillway/spillway/kit/errs"
)

// vault stores one grant and counts.
type vault struct {
	mu    sync.Mutex
	grant driver.Grant
	saves int
	fail  error // of the next saves
}

func (v *vault) load(context.Context) (driver.Grant, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.grant, nil
}

func (v *vault) save(_ context.Context, old, fresh driver.Grant) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.fail != nil {
		return v.fail
	}
	if v.grant.AccessToken != old.AccessToken {
		return errs.New(errs.Conflict, "vault.save", "", "somebody else has renewed it")
	}
	v.saves++
	v.grant = fresh
	return nil
}

// grantNo makes the nth grant, good for life from now.
func grantNo(n int, life time.Duration) driver.Grant {
	return driver.Grant{AccessToken: fmt.Sprint("access-", n), RefreshToken: fmt.Sprint("refresh-", n), AccessExpiresAt: time.Now().Add(life), Subject: "s"}
}

// refresher counts refreshes and demands the newest refresh token.
func refresher(t *testing.T, life time.Duration) (*fake, *int) {
	n := 1
	return &fake{refresh: func(old driver.Grant) (driver.Grant, error) {
		if old.RefreshToken != fmt.Sprint("refresh-", n) {
			t.Errorf("refreshed with %s, the newest is number %d", old.RefreshToken, n)
		}
		n++
		g := grantNo(n, life)
		g.Subject = "" // left out by the vendor
		return g, nil
	}}, &n
}

func TestTokenIsRenewedAheadOfItsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, n := refresher(t, 8*time.Hour)
		v := &vault{grant: grantNo(1, 8*time.Hour)}
		l := NewLogin(LoginOptions{Vendor: f, Load: v.load, Save: v.save})
		for range 100 {
			at := time.Now()
			token, err := l.Token(t.Context())
			if err != nil || token != fmt.Sprint("access-", *n) {
				t.Fatalf("%s, %v", token, err)
			}
			if left := v.grant.AccessExpiresAt.Sub(at); left < renewEarly {
				t.Fatalf("the token has %v left", left)
			}
			<-time.After(20 * time.Minute)
		}
		if *n != 5 { // every 7 hours in 33
			t.Errorf("refreshed %d times in 33 hours", *n-1)
		}
		if v.grant.Subject != "s" {
			t.Error("what the vendor left out was lost")
		}
	})
}

func TestManyCallersShareOneRenewal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, n := refresher(t, time.Hour)
		inner := f.refresh
		f.refresh = func(old driver.Grant) (driver.Grant, error) {
			<-time.After(time.Second)
			return inner(old)
		}
		v := &vault{grant: grantNo(1, time.Hour)}
		l := NewLogin(LoginOptions{Vendor: f, Load: v.load, Save: v.save})
		gone, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() {
			if err := l.Renew(gone, "access-1"); !errors.Is(err, context.Canceled) {
				t.Errorf("a caller who went away got %v", err)
			}
		})
		for range 20 {
			wg.Go(func() {
				if err := l.Renew(t.Context(), "access-1"); err != nil {
					t.Error(err)
				}
			})
		}
		synctest.Wait()
		cancel()
		wg.Wait()
		if err := l.Renew(t.Context(), "access-1"); err != nil || *n != 2 || v.saves != 1 {
			t.Errorf("%d refreshes, %d saves, %v", *n-1, v.saves, err)
		}
	})
}

func TestAnotherProcessWasFaster(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, n := refresher(t, time.Hour)
		v := &vault{grant: grantNo(1, time.Hour)}
		l := NewLogin(LoginOptions{Vendor: f, Load: v.load, Save: v.save})
		if _, err := l.Token(t.Context()); err != nil {
			t.Fatal(err)
		}
		v.grant = grantNo(7, time.Hour)
		if err := l.Renew(t.Context(), "access-1"); err != nil {
			t.Fatal(err)
		}
		if token, _ := l.Token(t.Context()); token != "access-7" || *n != 1 {
			t.Errorf("token %s after %d refreshes", token, *n-1)
		}
	})
}

func TestFailedSaveKeepsTheFreshGrant(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, n := refresher(t, time.Hour)
		v := &vault{grant: grantNo(1, time.Hour), fail: errors.New("disk full")}
		l := NewLogin(LoginOptions{Vendor: f, Load: v.load, Save: v.save})
		if err := l.Renew(t.Context(), ""); err == nil {
			t.Fatal("a grant that could not be stored was taken for safe")
		}
		if token, err := l.Token(t.Context()); token != "access-2" || err != nil {
			t.Errorf("token %s, %v: the old one is spent", token, err)
		}
		if err := l.Renew(t.Context(), "access-2"); err == nil || *n != 2 {
			t.Errorf("a second refresh before the first is stored: %d, %v", *n-1, err)
		}
		v.fail = nil
		if _, err := l.Token(t.Context()); err != nil || v.grant.AccessToken != "access-2" {
			t.Errorf("the fresh grant was not stored later: %s, %v", v.grant.AccessToken, err)
		}
	})
}

func TestFailedRenewalUsesTheOldTokenToItsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tried := 0
		f := &fake{refresh: func(driver.Grant) (driver.Grant, error) {
			tried++
			return driver.Grant{}, &driver.Error{Class: driver.AskHuman, Message: "refresh-1 is spent"}
		}}
		v := &vault{grant: grantNo(1, 2*time.Hour)}
		l := NewLogin(LoginOptions{Vendor: f, Load: v.load, Save: v.save})
		if _, err := l.Token(t.Context()); err != nil {
			t.Fatal(err)
		}
		<-time.After(115 * time.Minute)
		for range 50 {
			if token, err := l.Token(t.Context()); token != "access-1" || err != nil {
				t.Fatalf("before its end: %s, %v", token, err)
			}
		}
		if tried != 1 {
			t.Errorf("tried %d times within a minute", tried)
		}
		<-time.After(10 * time.Minute)
		_, err := l.Token(t.Context())
		if driver.ClassOf(err) != driver.AskHuman {
			t.Errorf("after its end: %v", err)
		}
		if e, _ := errors.AsType[*driver.Error](err); e != nil && e.Message != "[secret] is spent" {
			t.Errorf("the token stands in %q", e.Message)
		}
	})
}

func TestRefreshIsRepeatedWherePassing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, n := refresher(t, time.Hour)
		inner, fails := f.refresh, 2
		f.refresh = func(old driver.Grant) (driver.Grant, error) {
			if fails--; fails >= 0 {
				return driver.Grant{}, &driver.Error{Class: driver.Retry, Applied: true}
			}
			return inner(old)
		}
		v := &vault{grant: grantNo(1, time.Hour)}
		l := NewLogin(LoginOptions{Vendor: f, Load: v.load, Save: v.save})
		if err := l.Renew(t.Context(), "access-1"); err != nil || *n != 2 {
			t.Errorf("%v, %d refreshes", err, *n-1)
		}
	})
}

func TestReloadTakesTheNewConsent(t *testing.T) {
	v := &vault{grant: grantNo(1, time.Hour)}
	l := NewLogin(LoginOptions{Vendor: &fake{}, Load: v.load, Save: v.save})
	if _, err := l.Token(t.Context()); err != nil {
		t.Fatal(err)
	}
	v.grant = grantNo(5, time.Hour)
	l.Reload()
	if token, err := l.Token(t.Context()); token != "access-5" || err != nil {
		t.Errorf("%s, %v", token, err)
	}
}

func TestNoGrantIsForAPerson(t *testing.T) {
	l := NewLogin(LoginOptions{Vendor: &fake{}, Load: (&vault{}).load})
	if _, err := l.Token(t.Context()); driver.ClassOf(err) != driver.AskHuman {
		t.Error(err)
	}
}

package connector

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/failsafe-go/failsafe-go/circuitbreaker"

	"github.com/spillway/spillway/connector/driver"
	"github.com/spillway/spillway/domain/order"
)

func passingError() *driver.Error { return &driver.Error{Class: driver.Retry, Status: 500} }

func TestReadIsRetriedWithBackoff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{call: failing(passingError(), passingError(), errors.New("not classed"))}
		var classes []driver.Class
		s := session(t, f, func(o *Options) {
			o.Hooks.Retried = func(_ string, _ driver.Operation, c driver.Class) { classes = append(classes, c) }
		})
		start := time.Now()
		if _, err := s.Locations(t.Context()); err != nil {
			t.Fatal(err)
		}
		if f.count() != 4 || len(classes) != 3 {
			t.Errorf("%d calls, %d retries told", f.count(), len(classes))
		}
		// 200, 400 and 800 ms, each give or take 30 %.
		if took := time.Since(start); took < 900*time.Millisecond || took > 1900*time.Millisecond {
			t.Errorf("it took %v", took)
		}
	})
}

func TestRetriesEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{call: func(context.Context, driver.Operation) error { return passingError() }}
		_, err := session(t, f).Locations(t.Context())
		if driver.ClassOf(err) != driver.Retry || f.count() != 1+maxRetries {
			t.Errorf("%v after %d calls", err, f.count())
		}
		e, ok := errors.AsType[*driver.Error](err)
		if !ok || e.Op != driver.OpLocations {
			t.Errorf("the error is %#v", err)
		}
	})
}

func TestSomeClassesAreNotRetried(t *testing.T) {
	for _, c := range []driver.Class{driver.AskHuman, driver.GiveUp, driver.Forged} {
		f := &fake{call: func(context.Context, driver.Operation) error { return &driver.Error{Class: c} }}
		_, err := session(t, f).Locations(t.Context())
		if driver.ClassOf(err) != c || f.count() != 1 {
			t.Errorf("%s: %v after %d calls", c, err, f.count())
		}
	}
}

func TestRetryAfterIsHonouredAndHoldsTheOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{call: failing(&driver.Error{Class: driver.RetryAfter, After: 7 * time.Second})}
		s := session(t, f)
		start := time.Now()
		var wg sync.WaitGroup
		wg.Go(func() {
			if _, err := s.Locations(t.Context()); err != nil {
				t.Error(err)
			}
		})
		synctest.Wait() // the first call has been throttled
		wg.Go(func() {
			if _, err := s.Locations(t.Context()); err != nil {
				t.Error(err)
			}
			if took := time.Since(start); took < 7*time.Second {
				t.Errorf("another call of the operation went out after %v", took)
			}
		})
		wg.Go(func() {
			if _, err := s.Quantities(t.Context(), make([]driver.ListingRef, 1)); err != nil {
				t.Error(err)
			}
			if took := time.Since(start); took > time.Second {
				t.Errorf("another operation waited %v", took)
			}
		})
		wg.Wait()
		if took := time.Since(start); took < 7*time.Second || took > 11*time.Second {
			t.Errorf("it took %v", took)
		}
	})
}

func TestLongRetryAfterIsTheCallersToPlan(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{call: failing(&driver.Error{Class: driver.RetryAfter, After: time.Hour})}
		start := time.Now()
		_, err := session(t, f).Locations(t.Context())
		e, _ := errors.AsType[*driver.Error](err)
		if e == nil || e.After != time.Hour || time.Since(start) > time.Second {
			t.Errorf("%v after %v", err, time.Since(start))
		}
	})
}

func TestTotalTimeIsCapped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{call: func(ctx context.Context, _ driver.Operation) error {
			<-ctx.Done()
			return &driver.Error{Class: driver.Retry, Cause: ctx.Err(), Applied: true}
		}}
		start := time.Now()
		_, err := session(t, f).Locations(t.Context())
		if took := time.Since(start); err == nil || took > totalTime+time.Second {
			t.Errorf("%v after %v", err, took)
		}
	})
}

// Where slots are far apart a read that fails is still tried again; where not even one more can be had, what the channel said is told.
func TestRetriesWaitForTheirSlots(t *testing.T) {
	down := &driver.Error{Class: driver.Retry, Message: "we are down"}
	for _, c := range []struct {
		apart, least, most time.Duration
		told               string
	}{{40 * time.Second, 80 * time.Second, 90 * time.Second, ""}, {10 * time.Minute, 0, 10 * time.Second, "we are down"}} {
		synctest.Test(t, func(t *testing.T) {
			f := &fake{call: failing(down, down), limits: driver.Limits{Default: 1 / c.apart.Seconds(), Burst: 1, OrderIDs: 1, OrderPage: 1, ReadQuantities: 1, SetQuantities: 1}}
			start := time.Now()
			_, err := session(t, f).Locations(t.Context())
			if took := time.Since(start).Round(time.Second); took < c.least || took > c.most || (err == nil) != (c.told == "") || err != nil && !strings.Contains(err.Error(), c.told) {
				t.Errorf("slots %v apart: %v after %v", c.apart, err, took)
			}
		})
	}
}

func TestPacePerOperation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limits := driver.Limits{Default: 10, Burst: 2, OrderIDs: 1, OrderPage: 1, ReadQuantities: 1, SetQuantities: 1,
			PerSecond: map[driver.Operation]float64{driver.OpQuantities: 1}}
		f := &fake{limits: limits}
		s := session(t, f)
		start := time.Now()
		for range 22 {
			if _, err := s.Locations(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if took := time.Since(start).Round(time.Millisecond); took != 2*time.Second { // 2 at once, 20 at 10 a second
			t.Errorf("22 calls at 10 a second took %v", took)
		}
		start = time.Now()
		if _, err := s.Quantities(t.Context(), make([]driver.ListingRef, 4)); err != nil { // in portions of 1
			t.Fatal(err)
		}
		if took := time.Since(start).Round(time.Millisecond); took != 2*time.Second {
			t.Errorf("4 calls at 1 a second with a burst of 2 took %v", took)
		}
	})
}

func TestBreakerOpensAndCloses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dead := true
		f := &fake{call: func(context.Context, driver.Operation) error {
			if dead {
				return passingError()
			}
			return nil
		}}
		var told []bool
		s := session(t, f, func(o *Options) {
			o.Hooks.Circuit = func(_, _ string, _ driver.Operation, open bool) { told = append(told, open) }
		})
		_, _ = s.Locations(t.Context()) // five failures
		before := f.count()
		start := time.Now()
		_, err := s.Locations(t.Context())
		e, _ := errors.AsType[*driver.Error](err)
		if e == nil || e.Class != driver.RetryAfter || e.After <= 0 || e.Applied || !errors.Is(err, circuitbreaker.ErrOpen) {
			t.Fatalf("an open breaker answers %v", err)
		}
		if f.count() != before || time.Since(start) > time.Millisecond {
			t.Errorf("%d calls and %v behind an open breaker", f.count()-before, time.Since(start))
		}
		if _, err := s.Quantities(t.Context(), nil); err != nil {
			t.Errorf("another operation: %v", err)
		}
		if d := s.Dead(); d[driver.OpLocations] <= 0 || len(d) != 1 {
			t.Errorf("Dead = %v", d)
		}
		dead = false
		<-time.After(2 * deadFor)
		if _, err := s.Locations(t.Context()); err != nil {
			t.Errorf("after the pause: %v", err)
		}
		if fmt.Sprint(told) != "[true false]" {
			t.Errorf("the hook was told %v", told)
		}
	})
}

func TestThrottlingDoesNotOpenTheBreaker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{call: func(context.Context, driver.Operation) error {
			return &driver.Error{Class: driver.RetryAfter, After: time.Second}
		}}
		s := session(t, f)
		for range 5 {
			_, _ = s.Locations(t.Context())
		}
		if len(s.Dead()) != 0 {
			t.Error("a channel that throttles is taken for dead")
		}
	})
}

func TestCallerWhoGoesAwayLeavesTheBreakerAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{call: func(ctx context.Context, _ driver.Operation) error {
			<-ctx.Done()
			return &driver.Error{Class: driver.Retry, Cause: ctx.Err()}
		}}
		s := session(t, f)
		for range 2 * deadAfter {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			_, err := s.Locations(ctx)
			cancel()
			if err == nil {
				t.Fatal("no error")
			}
		}
		if f.count() != 2*deadAfter || len(s.Dead()) != 0 {
			t.Errorf("callers who went away made the channel dead after %d calls", f.count())
		}
	})
}

func TestInFlightIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		f := &fake{call: func(context.Context, driver.Operation) error { <-release; return nil }}
		s := session(t, f)
		var wg sync.WaitGroup
		for range 3 * maxInFlight {
			wg.Go(func() { _, _ = s.Locations(t.Context()) })
		}
		synctest.Wait()
		if got := f.count(); got != maxInFlight {
			t.Errorf("%d calls are under way at once, want %d", got, maxInFlight)
		}
		close(release)
		wg.Wait()
	})
}

func TestLoginIsRenewedOnceACall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		renewed := 0
		tokens := Tokens{
			Current: func(context.Context) (string, error) { return fmt.Sprintf("t%d", renewed), nil },
			Renew: func(_ context.Context, refused string) error {
				if refused != fmt.Sprintf("t%d", renewed) {
					t.Errorf("refused was %q", refused)
				}
				renewed++
				return nil
			},
		}
		f := &fake{}
		f.call = func(ctx context.Context, _ driver.Operation) error {
			token, err := f.env.Token(ctx)
			if err != nil || token != "t1" {
				return &driver.Error{Class: driver.RefreshLogin}
			}
			return nil
		}
		s := session(t, f, func(o *Options) { o.Tokens = tokens })
		if _, err := s.Locations(t.Context()); err != nil || renewed != 1 || f.count() != 2 {
			t.Errorf("%v, renewed %d times, %d calls", err, renewed, f.count())
		}
		f.call = func(ctx context.Context, _ driver.Operation) error {
			_, _ = f.env.Token(ctx)
			return &driver.Error{Class: driver.RefreshLogin, Message: "no"}
		}
		_, err := s.Locations(t.Context())
		if driver.ClassOf(err) != driver.AskHuman || renewed != 2 {
			t.Errorf("a fresh token refused: %v, renewed %d times", err, renewed)
		}
	})
}

// TestLoginIsNotRenewedAgainByRetries: the attempts of one call share one renewal.
func TestLoginIsNotRenewedAgainByRetries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		renewed := 0
		expired := &driver.Error{Class: driver.RefreshLogin}
		f := &fake{call: failing(expired, passingError(), expired, expired)}
		s := session(t, f, func(o *Options) {
			o.Tokens.Renew = func(context.Context, string) error { renewed++; return nil }
		})
		if _, err := s.Locations(t.Context()); driver.ClassOf(err) != driver.AskHuman || renewed != 1 {
			t.Errorf("%v, renewed %d times", err, renewed)
		}
	})
}

// TestFailedLoginIsNoFailedPush: the renewal's own lost answer must not make the push uncertain.
func TestFailedLoginIsNoFailedPush(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{}
		f.call = func(ctx context.Context, _ driver.Operation) error {
			if _, err := f.env.Token(ctx); err != nil {
				return err
			}
			return &driver.Error{Class: driver.RefreshLogin}
		}
		lost := &driver.Error{Class: driver.Retry, Applied: true}
		for name, tokens := range map[string]Tokens{
			"current": {Current: func(context.Context) (string, error) { return "", lost }},
			"renew": {Current: func(context.Context) (string, error) { return "t", nil },
				Renew: func(context.Context, string) error { return lost }},
		} {
			s := session(t, f, func(o *Options) { o.Tokens = tokens })
			r, _ := s.SetQuantities(t.Context(), []driver.Push{{ID: "p", Kind: driver.Absolute, Ref: driver.ListingRef{SKUID: "1"}}})
			if r[0].Outcome != driver.Refused {
				t.Errorf("%s: %s, %v", name, r[0].Outcome, r[0].Err)
			}
		}
	})
}

func TestErrorsAndLogAreRedacted(t *testing.T) {
	f := &fake{call: func(context.Context, driver.Operation) error {
		return &driver.Error{Class: driver.GiveUp, Message: `{"access_token":"abc"} pin-123456 for ann@example.com`,
			Cause: errors.New("dial with app-secret-1 and cipher-9876, phone +49 171 2345678")}
	}}
	s := session(t, f)
	_, err := s.Locations(t.Context())
	s.seen(driver.Exchange{Err: err.Error() + " Bearer abcdefghijk app-secret-1", RequestID: "r1"})
	for _, text := range []string{err.Error(), s.Recent().Errors()[0].Err} {
		for _, secret := range []string{"abc\"", "pin-123456", "app-secret-1", "cipher-9876", "ann@", "2345678", "abcdefghijk"} {
			if strings.Contains(text, secret) {
				t.Errorf("%q stands in %q", secret, text)
			}
		}
	}
}

func TestPagesEnd(t *testing.T) {
	f := &fake{pages: func(cursor string) driver.ListingPage { return driver.ListingPage{Next: cursor + "x"} }}
	s := session(t, f)
	n := 0
	for _, err := range s.ListingPages(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if n++; n == 3 {
			break
		}
	}
	if f.count() != 3 {
		t.Errorf("%d pages were read for 3", f.count())
	}
	f.pages = func(string) driver.ListingPage { return driver.ListingPage{Next: "same"} }
	f.calls = nil
	var last error
	for _, err := range s.ListingPages(t.Context()) {
		last = err
	}
	if !errors.Is(last, ErrPaging) || f.count() != 2 {
		t.Errorf("a channel that repeats its cursor: %v after %d pages", last, f.count())
	}
}

func TestOrdersByIDInPortions(t *testing.T) {
	f := &fake{}
	got, err := session(t, f).OrdersByID(t.Context(), strings.Split("1 2 3 4 5 6 7", " "))
	if err != nil || len(got) != 7 || f.count() != 3 {
		t.Errorf("%d facts in %d calls, %v", len(got), f.count(), err)
	}
}

func TestBackfillRenewsTheLoginOnce(t *testing.T) {
	token := "old"
	f := &fake{}
	f.export = func(ctx context.Context) error {
		if now, _ := f.env.Token(ctx); now == "old" {
			return &driver.Error{Class: driver.RefreshLogin}
		}
		return nil
	}
	s := session(t, f, func(o *Options) {
		o.Tokens = Tokens{Current: func(context.Context) (string, error) { return token, nil },
			Renew: func(_ context.Context, refused string) error {
				if refused != "old" {
					t.Errorf("refused was %q", refused)
				}
				token = "new"
				return nil
			}}
	})
	if err := s.Backfill(t.Context(), time.Time{}, func(order.Fact) error { return nil }); err != nil {
		t.Error(err)
	}
}

func TestOpenDemandsLimits(t *testing.T) {
	f := &fake{limits: driver.Limits{Default: 1}}
	if _, err := Open(Options{Vendor: f, Client: nil}); err == nil {
		t.Error("a vendor without limits was opened")
	}
}
